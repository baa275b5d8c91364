// Guards plain HTML: takes what is chosen, dropped, pasted or sent within an element, has it checked, and gives the page
// the files that may pass. Tells the page by events, and the person by a notice.
import type { Verdict } from "../types/types.js";
import type { HashgateNotice, NoticeEntry } from "../ui/notice.js";
import { type CheckedFile, Checker, type CheckerOptions, type GateLike } from "./checker.js";
import {
  controlsOf,
  elementOf,
  holds,
  isDocument,
  isElement,
  isFileInput,
  isForm,
  isShadowRoot,
  nameOf,
} from "./intercept/dom.js";
import { type Deliver, Interceptor } from "./intercept.js";
import "../ui/notice.js";

export type { HashgateNotice } from "../ui/notice.js";
export type { GateLike } from "./checker.js";

export interface GuardOptions extends CheckerOptions {
  /** Where the person is told. Default: a notice of its own, after the element; `false`: the page tells. */
  notice?: HashgateNotice | false;
}

/** What `hashgate-held` carries. A page that cancels the event tells the person itself. */
export interface HeldDetail {
  file: File;
  verdict: Verdict;
  /** Hands the file on all the same, unless a reset or another choice has made it void. Counted as overridden. */
  release(): void;
  /** Leaves the file out for good, which is also what happens if nobody answers. */
  withdraw(): void;
  /** Counted as appealed. What is sent to whom is the page's affair. */
  appeal(): void;
}

/** What `hashgate-unchecked` carries: the file could not be checked and was let through, as the options say. */
export interface UncheckedDetail {
  file: File;
  verdict: Verdict;
}

declare global {
  interface GlobalEventHandlersEventMap {
    "hashgate-checking": CustomEvent<{ files: File[] }>;
    "hashgate-held": CustomEvent<HeldDetail>;
    "hashgate-unchecked": CustomEvent<UncheckedDetail>;
    "hashgate-settled": CustomEvent<{ passed: File[]; held: File[] }>;
  }
}

export interface Guard {
  /**
   * Resolves when nothing is being checked any more. A page that reads its inputs by itself, at a moment of its own,
   * waits for it first.
   */
  settled(): Promise<void>;
  /** Ends the guard. What was still being checked is not handed on. */
  remove(): void;
}

/** What can be guarded. */
export type GuardTarget = HTMLElement | Document | ShadowRoot;

/**
 * Guards an input, a form, a drop zone, or any element, shadow root or document with all that is in it, now and later.
 * Files that inputs hold already are taken at once.
 *
 * Fires on the element in question: `hashgate-checking` ({ files }), `hashgate-held` ({@link HeldDetail}) for each file
 * that is held, `hashgate-unchecked` ({@link UncheckedDetail}), and at last `hashgate-settled` ({ passed, held }).
 *
 * @throws TypeError for what can't be guarded.
 * @example guard(document.querySelector("form"), openGate({ filters: ["/filters/demo.hgf"] }));
 */
export function guard(target: GuardTarget, gate: GateLike, options: GuardOptions = {}): Guard {
  assertTarget(target);
  return new ElementGuard(target, new Checker("guard", gate, options), options);
}

function assertTarget(target: unknown): asserts target is GuardTarget {
  if (isElement(target)) {
    if (!/^(?:iframe|frame|object|embed)$/.test(nameOf(target))) return;
    const name = nameOf(target);
    throw new TypeError(`guard: expected an element of this page, got <${name}>: guard its contentDocument instead`);
  }
  if (isDocument(target) || isShadowRoot(target)) return;
  const got = target === null ? "null" : (Object.prototype.toString.call(target).slice(8, -1) as string);
  throw new TypeError(`guard: expected an element, a shadow root or a document, got ${got}`);
}

type Held = CheckedFile & { file: File };

/** A line of the notice, with what can be done about it. */
interface Told {
  place: Element;
  entry: NoticeEntry;
  detail: HeldDetail | undefined;
}

class ElementGuard implements Guard {
  readonly #target: GuardTarget;
  readonly #checker: Checker;
  readonly #interceptor: Interceptor;
  readonly #observer: MutationObserver;
  readonly #checks = new Set<Promise<boolean>>();
  #notice: HashgateNotice | false | undefined;
  #made = false;
  /** What the notice shows. */
  #told: Told[] = [];

  constructor(target: GuardTarget, checker: Checker, options: GuardOptions) {
    this.#target = target;
    this.#checker = checker;
    this.#notice = options.notice;
    this.#interceptor = new Interceptor({
      check: (files, place, deliver, signal) => this.#track(this.#check(files, elementOf(place), deliver, signal)),
      covers: (place, event) => this.#covers(place, event),
    });
    const document = this.#document;
    // Events pass the window first. They don't reach it from shadow trees, or from what isn't in the document.
    this.#interceptor.watch(document.defaultView ?? globalThis.window);
    this.#interceptor.watchAround(target);
    this.#observer = new MutationObserver((records) => {
      for (const { addedNodes } of records) {
        for (const node of addedNodes) if (isElement(node)) this.#scan(node, false);
      }
    });
    this.#observe(target);
    this.#scan(target, true);
    if (isForm(target))
      for (const input of controlsOf(target)) if (isFileInput(input)) this.#interceptor.takeNow(input);
    // A browser that restores a form may fill its inputs after the page's scripts have run, without an event.
    const again = () => this.#scan(target, true);
    const how = { signal: this.#interceptor.signal };
    if (document.readyState !== "complete")
      document.defaultView?.addEventListener("load", () => setTimeout(again), how);
    document.defaultView?.addEventListener("pageshow", again, how);
    if (options.notice) this.#listenTo(options.notice);
  }

  async settled(): Promise<void> {
    while (this.#checks.size > 0) await Promise.allSettled(this.#checks);
  }

  remove(): void {
    this.#interceptor.stop();
    this.#observer.disconnect();
    if (this.#checks.size > 0) this.#element.removeAttribute("aria-busy");
    if (this.#made && this.#notice) this.#notice.remove();
  }

  get #document(): Document {
    return isDocument(this.#target) ? this.#target : this.#target.ownerDocument;
  }

  #observe(root: Node): void {
    this.#observer.observe(root, { childList: true, subtree: true });
  }

  /** Listens in open shadow trees below a node, and takes files that inputs there hold already if `take` says so. */
  #scan(root: ParentNode, take: boolean): void {
    this.#interceptor.scan(root, take, (shadow) => this.#observe(shadow));
  }

  get #element(): Element {
    return elementOf(this.#target);
  }

  #covers(place: Node, event: Event | undefined): boolean {
    const target = this.#target;
    if (isDocument(target)) return place.ownerDocument === target || event?.currentTarget === target.defaultView;
    if (holds(target, place) || event?.composedPath().includes(target)) return true;
    return isForm(target) && isFileInput(place) && place.form === target;
  }

  #track(check: Promise<boolean>): Promise<boolean> {
    this.#checks.add(check);
    this.#element.setAttribute("aria-busy", "true");
    void check.finally(() => {
      this.#checks.delete(check);
      if (this.#checks.size === 0) this.#element.removeAttribute("aria-busy");
    });
    return check;
  }

  /** Hands on the files that may pass, and tells of the rest. Resolves to whether all may. Never rejects. */
  async #check(files: File[], place: Element, deliver: Deliver, signal: AbortSignal): Promise<boolean> {
    const over = () => signal.aborted || this.#interceptor.stopped;
    this.#tell(place, "hashgate-checking", { files });
    try {
      const checked = await Promise.all(
        files.map(async (file) => ({ file, ...(await this.#checker.check(file, signal)) })),
      );
      if (over()) return false;
      const passed = checked.filter(({ decision }) => decision === "upload");
      const held = checked.filter(({ decision }) => decision === "hold");
      this.#show(place, passed, held, deliver);
      if (passed.length > 0) deliver(passed.map(({ file }) => file));
      const filesOf = (some: Held[]) => some.map(({ file }) => file);
      this.#tell(place, "hashgate-settled", { passed: filesOf(passed), held: filesOf(held) });
      return held.length === 0;
    } catch (error) {
      // Another choice or a reset came meanwhile, or the guard was removed.
      if (!over()) reportError(error);
      return false;
    }
  }

  #show(place: Element, passed: Held[], held: Held[], deliver: Deliver): void {
    // A new choice takes the place of what was chosen in that input before. What was dropped or pasted stays.
    const before = this.#told.length;
    if (isFileInput(place)) this.#told = this.#told.filter((told) => told.place !== place);
    const isLess = this.#told.length < before;
    const told: Told[] = [];
    for (const { file, verdict } of held) {
      const detail = this.#detail(file, verdict, deliver);
      if (this.#tell(place, "hashgate-held", detail)) told.push({ place, entry: { file, verdict }, detail });
    }
    for (const { file, verdict } of passed) {
      // That a text is no picture needs no notice.
      if (verdict.outcome !== "unchecked" || verdict.reason === "not-a-picture") continue;
      if (!this.#tell(place, "hashgate-unchecked", { file, verdict })) continue;
      told.push({ place, entry: { file, verdict, decision: "upload" }, detail: undefined });
    }
    this.#told.push(...told);
    if (this.#notice === false || (told.length === 0 && !isLess)) return;
    const notice = this.#notice ?? this.#makeNotice();
    const entries = this.#told.map(({ entry }) => entry);
    if (entries.length === 0) notice.close();
    // The focus is for what needs an answer.
    else notice.show(entries, { focus: told.some(({ detail }) => detail) });
  }

  #detail(file: File, verdict: Verdict, deliver: Deliver): HeldDetail {
    let answered = false;
    return {
      file,
      verdict,
      release: () => {
        if (answered || this.#interceptor.stopped) return;
        answered = true;
        void this.#checker.record("overridden", verdict);
        deliver([file]);
      },
      withdraw: () => {
        answered = true;
      },
      appeal: () => void this.#checker.record("appealed", verdict),
    };
  }

  #makeNotice(): HashgateNotice {
    const notice = document.createElement("hashgate-notice");
    this.#made = true;
    this.#notice = notice;
    this.#listenTo(notice);
    const target = this.#element;
    const inPage = target.isConnected && target.ownerDocument === document;
    // What isn't in the document can't show a notice, and nothing may follow a page's body.
    if (!inPage || isDocument(this.#target) || /^(?:html|body)$/.test(nameOf(target))) document.body.prepend(notice);
    else target.after(notice);
    return notice;
  }

  #listenTo(notice: HashgateNotice): void {
    const how = { signal: this.#interceptor.signal };
    notice.addEventListener(
      "hashgate-choose-another",
      () => {
        const place = this.#told.at(-1)?.place;
        for (const { detail } of this.#told) detail?.withdraw();
        this.#told = [];
        // After the notice has given the focus back.
        setTimeout(() => {
          (place as HTMLElement | undefined)?.focus?.();
          if (isFileInput(place)) place.click();
        });
      },
      how,
    );
    notice.addEventListener(
      "hashgate-review",
      (event) => {
        const details = this.#told.map(({ detail }) => detail);
        // Only if the page answers it. Its listeners on ancestors come later.
        setTimeout(() => {
          if (event.defaultPrevented) for (const detail of details) detail?.appeal();
        });
      },
      how,
    );
    notice.addEventListener(
      "hashgate-close",
      () => {
        this.#told = [];
      },
      how,
    );
  }

  #tell(place: Element, type: string, detail: object): boolean {
    return place.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}
