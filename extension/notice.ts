// The dialog in the page that tells the person about held files. It is in a closed shadow tree, above everything else,
// and its style sheet is a constructed one, which no Content-Security-Policy of the page forbids. It ignores clicks
// that the page's scripts dispatch.
import type { Verdict } from "hashgate";
import { rangesText } from "../js/ui/ranges.js";

/** A file and its verdict. */
export interface Checked {
  file: File;
  verdict: Verdict;
}

const STYLE = `
  :host {
    all: initial !important; position: fixed !important; inset: auto 0.75rem 0.75rem auto !important;
    display: block !important; max-inline-size: min(26rem, calc(100vw - 1.5rem)) !important;
    max-block-size: calc(100vh - 1.5rem) !important; overflow: auto !important; z-index: 2147483647 !important;
    font: 15px/1.45 system-ui, sans-serif !important; color-scheme: light dark !important;
  }
  section {
    box-sizing: border-box; margin: 0; padding: 0.9rem 1rem 1rem; border: 2px solid #8a3b00; border-radius: 0.6rem;
    background: light-dark(#fffaf5, #241c16); color: light-dark(#1d1712, #f4ece5);
    box-shadow: 0 0.4rem 1.6rem rgb(0 0 0 / 0.3);
  }
  section + section { margin-block-start: 0.5rem; }
  h2 { margin: 0 0 0.4rem; font-size: 1.05rem; }
  p { margin: 0 0 0.5rem; }
  ul { margin: 0 0 0.6rem; padding-inline-start: 1.1rem; overflow-wrap: anywhere; }
  .buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
  button {
    font: inherit; min-block-size: 2.2rem; padding: 0.3rem 0.8rem; border-radius: 0.4rem; cursor: pointer;
    border: 1px solid light-dark(#8a3b00, #f0b48a); background: transparent; color: inherit;
  }
  button.first { background: #8a3b00; color: #fff; border-color: #8a3b00; }
  button:focus-visible { outline: 3px solid light-dark(#1558d6, #9cc1ff); outline-offset: 2px; }
`;

const say = (name: string, ...values: string[]) => chrome.i18n.getMessage(name, values);

let host: HTMLElement | undefined;
let tree: ShadowRoot | undefined;

function make<K extends keyof HTMLElementTagNameMap>(tag: K, text?: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  return element;
}

function show(card: HTMLElement): void {
  if (!host || !tree) {
    host = make("div");
    tree = host.attachShadow({ mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    tree.adoptedStyleSheets = [sheet];
    host.popover = "manual";
  }
  tree.append(card);
  if (!host.isConnected) document.documentElement.append(host);
  if (!host.matches(":popover-open")) host.showPopover();
}

function hide(card: HTMLElement): void {
  card.remove();
  if (tree?.childElementCount === 0) host?.remove();
}

function reason({ file, verdict }: Checked): string {
  const name = file.name || say("pasted");
  if (verdict.outcome === "unchecked") return say("fileUnchecked", name, verdict.detail);
  if (verdict.outcome === "clear") return name;
  const lists = new Set(verdict.matches.map(({ list, category }) => say("list", list, category)));
  const held = say("fileHeld", name, [...lists].join(", "));
  const ranges = verdict.matches.flatMap((match) => match.ranges ?? []);
  return ranges.length > 0 ? `${held} ${say("inFilm", rangesText(ranges))}` : held;
}

function card(role: string, title: string, texts: string[], files: Checked[]): HTMLElement {
  const section = make("section");
  section.setAttribute("role", role);
  // Sets the language of the notice's texts, which may differ from the page's.
  section.lang = say("language");
  section.dir = "ltr";
  const heading = make("h2", title);
  section.setAttribute("aria-label", title);
  const list = make("ul");
  list.append(...files.map((checked) => make("li", reason(checked))));
  section.append(heading, list, ...texts.map((text) => make("p", text)));
  return section;
}

/** Asks the person what to do with held files. Esc and the first button leave them out. */
export function ask(held: Checked[], mayOverride: boolean): Promise<"leave-out" | "let-through"> {
  const possible = held.some(({ verdict }) => verdict.outcome !== "unchecked");
  const texts = possible ? [say("possible"), say("private")] : [say("notChecked")];
  const section = card("alertdialog", say("heldTitle"), texts, held);
  const before = document.activeElement;
  return new Promise((resolve) => {
    const answer = (choice: "leave-out" | "let-through") => (event: Event) => {
      if (!event.isTrusted) return;
      hide(section);
      if (before instanceof HTMLElement) before.focus();
      resolve(choice);
    };
    const out = make("button", say("leaveOut"));
    out.className = "first";
    out.addEventListener("click", answer("leave-out"));
    const buttons = make("div");
    buttons.className = "buttons";
    buttons.append(out);
    if (mayOverride) {
      const through = make("button", say("letThrough"));
      through.addEventListener("click", answer("let-through"));
      buttons.append(through);
    }
    section.append(buttons);
    section.addEventListener("keydown", (event) => {
      // Hides keys that are typed here from the page.
      event.stopPropagation();
      if (event.key === "Escape") answer("leave-out")(event);
    });
    show(section);
    out.focus();
  });
}

/** Tells the person that files passed unchecked, because the settings say so. */
export function tell(unchecked: Checked[]): void {
  const section = card("status", say("uncheckedTitle"), [say("uncheckedLet")], unchecked);
  const close = make("button", say("close"));
  close.addEventListener("click", (event) => event.isTrusted && hide(section));
  section.append(close);
  show(section);
}

/** Tells the person that files are being checked, if that takes long enough to be noticed. */
export function whileChecking<T>(count: number, work: Promise<T>): Promise<T> {
  const section = make("section", say("checking", String(count)));
  section.setAttribute("role", "status");
  const timer = setTimeout(() => show(section), 400);
  return work.finally(() => {
    clearTimeout(timer);
    if (section.isConnected) hide(section);
  });
}
