// Guards plain HTML. It takes files that are chosen, dropped, pasted or submitted inside an element, checks them, and
// gives the page only the files that may pass. Events tell the page about it, and a notice tells the person.
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
  /**
   * The notice that tells the person. Default: the guard makes one after the element. `false`: no notice, because the
   * page tells the person.
   */
  notice?: HashgateNotice | false;
}

/**
 * The `detail` of `hashgate-held`. If the page cancels the event, the notice isn't shown, and the page tells the person
 * itself.
 */
export interface HeldDetail {
  file: File;
  verdict: Verdict;
  /**
   * Gives the page the held file nevertheless, unless the form was reset or another file was chosen since. The report
   * counts it as overridden.
   */
  release(): void;
  /** Leaves the file out for good. If nothing is called, the file is left out, too. */
  withdraw(): void;
  /** Counts the file as appealed in the report. The page itself sends the appeal. */
  appeal(): void;
}

/** The `detail` of `hashgate-unchecked`: a file that could not be checked and passes because the options say so. */
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
   * Resolves when no check is running. A page that reads its inputs at some moment of its own should wait for this
   * first.
   */
  settled(): Promise<void>;
  /** Ends the guard. Files that are still being checked are not given to the page. */
  remove(): void;
}

/** The kinds of nodes that can be guarded. */
export type GuardTarget = HTMLElement | Document | ShadowRoot;

/**
 * Guards an input, a form, a drop zone, or any element, shadow root or document, with everything inside it, now and
 * later. Files that are already in an input are checked at once.
 *
 * Fires on the element in question: `hashgate-checking` ({ files }), `hashgate-held` ({@link HeldDetail}) for each file
 * that is held, `hashgate-unchecked` ({@link UncheckedDetail}), and at last `hashgate-settled` ({ passed, held }).
 *
 * @throws TypeError if `target` can't be guarded.
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

/** A line of the notice, with its input or other place, and with the actions that the page can take for its file. */
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
  /** The lines that the notice shows now. */
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
    // Events reach the window before any element, so the interceptor listens there. Events in shadow trees and outside
    // of the document don't reach the window; the lines below watch those.
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
    // When a browser restores a form, it may fill the inputs after the page's scripts have run, without an event. So
    // scans again.
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

  /**
   * Listens in open shadow trees below a node. If `take` is true, also checks files that are already in inputs there.
   */
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

  /**
   * Checks files, gives the page those that may pass, and tells about the others. Resolves to whether all may pass.
   * Never rejects.
   */
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
      // Ignores the error if another file was chosen, the form was reset, or the guard was removed meanwhile.
      if (!over()) reportError(error);
      return false;
    }
  }

  #show(place: Element, passed: Held[], held: Held[], deliver: Deliver): void {
    // The lines about earlier files of the same input are replaced. Lines about drops and pastes stay.
    const before = this.#told.length;
    if (isFileInput(place)) this.#told = this.#told.filter((told) => told.place !== place);
    const isLess = this.#told.length < before;
    const told: Told[] = [];
    for (const { file, verdict } of held) {
      const detail = this.#detail(file, verdict, deliver);
      if (this.#tell(place, "hashgate-held", detail)) told.push({ place, entry: { file, verdict }, detail });
    }
    for (const { file, verdict } of passed) {
      // A file that is no picture, such as a text, needs no notice.
      if (verdict.outcome !== "unchecked" || verdict.reason === "not-a-picture") continue;
      if (!this.#tell(place, "hashgate-unchecked", { file, verdict })) continue;
      told.push({ place, entry: { file, verdict, decision: "upload" }, detail: undefined });
    }
    this.#told.push(...told);
    if (this.#notice === false || (told.length === 0 && !isLess)) return;
    const notice = this.#notice ?? this.#makeNotice();
    const entries = this.#told.map(({ entry }) => entry);
    if (entries.length === 0) notice.close();
    // Moves the focus to the notice only if a line needs an answer.
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
    // A notice must be in the document, and can't come after `body`. So puts it first in `body` if the target isn't in
    // the document or is the page itself.
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
        // Waits until the notice has given the focus back.
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
        // Counts an appeal only if the page has cancelled the event. Waits for that, because listeners on ancestors run
        // later.
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
