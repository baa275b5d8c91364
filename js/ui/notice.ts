// The element <hashgate-notice>: tells a person in plain words that an upload was held, and what they can do. It makes
// no request.
import { aboutOf, filled, type NoticeEntry, type NoticeStrings, sentencesOf, stringsFor, titleOf } from "./strings.js";

export { ENGLISH, FRENCH, type NoticeEntry, type NoticeStrings } from "./strings.js";

/** A place where a person finds help. The host sets these; none is built in. */
export interface SupportResource {
  label: string;
  href?: string;
  /** A text such as opening hours. */
  text?: string;
}

const STYLE = `
  :host { display: block; --_text: #1c1d22; --_ground: #fff; --_line: #6b6d78; --_accent: #1f4f9e; --_on-accent: #fff; }
  @supports (color: light-dark(#000, #fff)) {
    :host {
      --_text: light-dark(#1c1d22, #ececf1);
      --_ground: light-dark(#fff, #1d1e23);
      --_line: light-dark(#6b6d78, #9698a5);
      --_accent: light-dark(#1f4f9e, #a9c7ff);
      --_on-accent: light-dark(#fff, #10131a);
    }
  }
  :host([hidden]), [hidden] { display: none !important; }
  section {
    color: var(--hashgate-color, var(--_text));
    background: var(--hashgate-background, var(--_ground));
    border: 1px solid var(--hashgate-border, var(--_line));
    border-inline-start-width: 5px;
    border-radius: var(--hashgate-radius, 6px);
    font: var(--hashgate-font, inherit);
    padding: 1em 1.25em;
    line-height: 1.5;
    overflow-wrap: anywhere;
  }
  h2, h3 { margin: 0; font-size: 1.2em; line-height: 1.3; }
  h3 { font-size: 1em; margin-block-start: 1em; }
  p, ul { margin: 0.5em 0 0; }
  ul { padding-inline-start: 1.25em; }
  .files { list-style: none; padding: 0; }
  .actions { display: flex; flex-wrap: wrap; gap: 0.5em; margin-block-start: 0.5em; }
  button, .actions a {
    box-sizing: border-box;
    min-block-size: 44px;
    padding: 0.5em 1em;
    border: 1px solid var(--hashgate-accent, var(--_accent));
    border-radius: var(--hashgate-radius, 6px);
    background: transparent;
    color: var(--hashgate-accent, var(--_accent));
    font: inherit;
    text-decoration: none;
    cursor: pointer;
  }
  button.first { background: var(--hashgate-accent, var(--_accent)); color: var(--hashgate-on-accent, var(--_on-accent)); }
  a { color: var(--hashgate-accent, var(--_accent)); }
  :focus-visible { outline: 3px solid var(--hashgate-focus, var(--_accent)); outline-offset: 2px; }
  .spoken { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

// On a server there is no `HTMLElement`. The module can still be imported there, with an empty class instead.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;
let sheet: CSSStyleSheet | undefined;

/**
 * The element dispatches `hashgate-choose-another`, `hashgate-review`, `hashgate-learn-more` and `hashgate-close`. They
 * bubble, can be cancelled, and carry the entries that are shown. A page that handles `hashgate-review` cancels it;
 * otherwise the notice says that reviews aren't set up.
 *
 * Attributes: `lang`, `actions` (of "choose review learn close", default all), `learn-more-href`.
 */
export class HashgateNotice extends Base {
  /** Strings that replace built-in ones. If they are in another language, also set `lang` on the element. */
  strings: Partial<NoticeStrings> = {};
  /** Places where the person finds help, in the host's words. */
  support: SupportResource[] = [];
  #entries: NoticeEntry[] = [];
  #before: Element | null = null;
  readonly #section: HTMLElement | undefined;
  readonly #live: HTMLElement | undefined;

  constructor() {
    super();
    if (!globalThis.document) return;
    const root = this.attachShadow({ mode: "open" });
    if (!sheet) {
      // The strictest Content-Security-Policy allows a constructed style sheet, unlike a style element or attribute.
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets = [sheet];
    this.#live = make("p", { class: "spoken", role: "status" });
    this.#section = make("section", { part: "notice", "aria-labelledby": "title", hidden: "" });
    root.append(this.#live, this.#section);
  }

  /** The entries that are shown. */
  get entries(): readonly NoticeEntry[] {
    return this.#entries;
  }

  /**
   * Shows what happened to one or several files, in place of earlier entries. The focus moves to the heading, and back
   * when the notice is closed.
   */
  show(entries: NoticeEntry | readonly NoticeEntry[], { focus = true }: { focus?: boolean } = {}): void {
    const all = Array.isArray(entries) ? [...entries] : [entries as NoticeEntry];
    // The title is that of the most serious entry.
    const first = all.find(isMatch) ?? all.find(({ decision }) => decision !== "upload") ?? all[0];
    if (!this.#section || !this.#live || !first) return;
    if (this.#section.hidden) this.#before = document.activeElement;
    this.#entries = all;
    const tag = this.#tag();
    const { strings: own, language } = stringsFor(tag);
    const strings = { ...own, ...this.strings, unchecked: { ...own.unchecked, ...this.strings.unchecked } };
    // Sets `lang` if the notice isn't in the page's language, so that a screen reader pronounces it correctly.
    this.#section.lang = Object.keys(this.strings).length > 0 && tag ? tag : language;
    this.#live.lang = this.#section.lang;
    this.#section.hidden = false;
    const title = make("h2", { id: "title", part: "title", tabindex: "-1" }, titleOf(first, strings));
    this.#section.replaceChildren(
      title,
      filesOf(all, strings),
      ...this.#options(all, strings),
      ...deciders(all, strings),
      ...this.#support(strings),
    );
    if (focus) title.focus();
    // Empties the live region first, so that a screen reader reads the same words again.
    this.say("");
    const words = all.map((entry) => sentencesOf(entry, strings)[0] ?? "").join(" ");
    setTimeout(() => this.say(`${titleOf(first, strings)}. ${words}`), 50);
  }

  /**
   * Adds entries to those that are shown, for a page that checks one file after the other. The focus moves when the
   * notice appears, but not when entries are added.
   */
  add(entries: NoticeEntry | readonly NoticeEntry[]): void {
    const more = Array.isArray(entries) ? entries : [entries as NoticeEntry];
    const isHidden = this.#section?.hidden !== false;
    // A new entry replaces an earlier entry of the same file.
    const kept = this.#entries.filter(({ file }) => !more.some((entry) => entry.file === file));
    this.show([...kept, ...more], { focus: isHidden && more.some(({ decision }) => decision !== "upload") });
  }

  /** Lets a screen reader say a sentence. */
  say(sentence: string): void {
    if (this.#live) this.#live.textContent = sentence;
  }

  /** Hides the notice. If the focus is in the notice, it goes back to where it was before. */
  close(): void {
    if (!this.#section || this.#section.hidden) return;
    const hadFocus = this.shadowRoot?.activeElement !== null;
    this.#section.hidden = true;
    this.#section.replaceChildren();
    this.#entries = [];
    this.say("");
    if (hadFocus && this.#before instanceof HTMLElement && this.#before.isConnected) this.#before.focus();
  }

  #tag(): string | undefined {
    return (
      this.lang || this.closest<HTMLElement>("[lang]")?.lang || document.documentElement.lang || navigator.language
    );
  }

  #options(entries: NoticeEntry[], strings: NoticeStrings): HTMLElement[] {
    const wanted = (this.getAttribute("actions") ?? "choose review learn close").split(/\s+/);
    const held = entries.filter((entry) => entry.decision !== "upload");
    const row = make("div", { class: "actions", part: "actions" });
    const answer = make("p", { part: "answer", hidden: "" });
    const button = (name: string, label: string, act: () => void) => {
      const made = make("button", { type: "button", part: `button ${name}` }, label);
      if (row.childElementCount === 0) made.classList.add("first");
      made.addEventListener("click", act);
      row.append(made);
      return made;
    };
    if (wanted.includes("choose") && held.length > 0) {
      button("choose", strings.chooseAnother, () => this.#fire("hashgate-choose-another") && this.close());
    }
    // Offers a review only if a file matched.
    if (wanted.includes("review") && held.some(({ verdict }) => verdict.outcome !== "unchecked")) {
      button("review", strings.review, () => {
        if (!this.#fire("hashgate-review")) return;
        answer.textContent = strings.noReview;
        answer.hidden = false;
        this.say(strings.noReview);
      });
    }
    const explained = make("p", { id: "explanation", part: "explanation", hidden: "" }, strings.explanation);
    const href = this.getAttribute("learn-more-href");
    if (wanted.includes("learn") && href) {
      const link = make("a", { href, part: "button learn" }, strings.learnMore);
      link.addEventListener("click", (event) => this.#fire("hashgate-learn-more") || event.preventDefault());
      row.append(link);
    } else if (wanted.includes("learn")) {
      const toggle = button("learn", strings.learnMore, () => {
        if (!this.#fire("hashgate-learn-more")) return;
        explained.hidden = !explained.hidden;
        toggle.setAttribute("aria-expanded", String(!explained.hidden));
      });
      toggle.setAttribute("aria-expanded", "false");
      toggle.setAttribute("aria-controls", "explanation");
    }
    if (wanted.includes("close")) button("close", strings.close, () => this.#fire("hashgate-close") && this.close());
    if (row.childElementCount === 0) return [];
    return [make("h3", { part: "heading" }, strings.options), row, answer, explained];
  }

  #support(strings: NoticeStrings): HTMLElement[] {
    if (this.support.length === 0) return [];
    const list = make("ul", { part: "support" });
    for (const { label, href, text } of this.support) {
      const item = make("li", {});
      item.append(href ? make("a", { href, part: "link" }, label) : label, text ? ` – ${text}` : "");
      list.append(item);
    }
    return [make("h3", { part: "heading" }, strings.support), list];
  }

  /** Dispatches an event. Returns false if the page has cancelled it. */
  #fire(type: string): boolean {
    const detail = { entries: this.#entries };
    return this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}

function isMatch({ verdict, decision }: NoticeEntry): boolean {
  return decision !== "upload" && verdict.outcome !== "unchecked" && verdict.outcome !== "clear";
}

function filesOf(entries: NoticeEntry[], strings: NoticeStrings): HTMLElement {
  const list = make(entries.length > 1 ? "ul" : "div", { class: "files", part: "files" });
  for (const entry of entries) {
    const item = make(entries.length > 1 ? "li" : "div", { part: "file" });
    // `dir=auto`: a name of a file or list may be written in another direction than the sentence.
    for (const sentence of sentencesOf(entry, strings))
      item.append(make("p", { part: "message", dir: "auto" }, sentence));
    list.append(item);
  }
  return list;
}

/** Returns who decides what is on the lists that matched, and how to object, from the lists' releases. */
function deciders(entries: NoticeEntry[], strings: NoticeStrings): HTMLElement[] {
  const made = aboutOf(entries).flatMap(({ list, curators, policy, appeals, jurisdiction }) => {
    const by = filled(strings.decidedBy, { list, curators: curators.join("; ") });
    const sentences = [by, ...(jurisdiction ? [filled(strings.jurisdiction, { jurisdiction })] : [])];
    const text = make("p", { part: "deciders", dir: "auto" }, sentences.join(" "));
    const links = make("div", { class: "actions", part: "actions" });
    // The list's owner chooses where these links lead. They open without an opener and without a referrer, so that the
    // owner doesn't learn on which page somebody's file was held.
    const link = (href: string, label: string) =>
      links.append(make("a", { href, part: "button", rel: "noopener noreferrer", target: "_blank" }, label));
    if (policy?.startsWith("https://")) link(policy, strings.policy);
    if (appeals && /^(https:\/\/|mailto:)/.test(appeals)) link(appeals, strings.appeals);
    return links.childElementCount > 0 ? [text, links] : [text];
  });
  return made.length > 0 ? [make("h3", { part: "heading" }, strings.decides), ...made] : [];
}

function make<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string>,
  text = "",
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

if (globalThis.customElements && !customElements.get("hashgate-notice")) {
  customElements.define("hashgate-notice", HashgateNotice);
}

/** The events of the notice. */
export type NoticeEvent = CustomEvent<{ entries: readonly NoticeEntry[] }>;

declare global {
  interface GlobalEventHandlersEventMap {
    "hashgate-choose-another": NoticeEvent;
    "hashgate-review": NoticeEvent;
    "hashgate-learn-more": NoticeEvent;
    "hashgate-close": NoticeEvent;
  }
  interface HTMLElementTagNameMap {
    "hashgate-notice": HashgateNotice;
  }
}
