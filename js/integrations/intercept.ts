// Takes files before a page gets them: those that are chosen, dropped, pasted or sent with a form. `guard` does so for
// the page that calls it, the browser extension for all pages. What becomes of the files is theirs to decide.
import { elementsIn, isFileInput, isShadowRoot, openShadowOf, type ShadowOf } from "./intercept/dom.js";
import { Forms } from "./intercept/forms.js";
import { Inputs } from "./intercept/inputs.js";
import type { Check, Interception } from "./intercept/interception.js";
import { Transfers } from "./intercept/transfers.js";

export type { Check, Deliver } from "./intercept/interception.js";

export interface InterceptOptions {
  check: Check;
  /** Whether files at a node are to be taken. Left out: all are. */
  covers?: (place: Node, event: Event | undefined) => boolean;
  /** Opens shadow roots. Default: those that the page left open. */
  shadowOf?: ShadowOf;
  /**
   * Takes only what a person did, and leaves alone what a script puts into an input or makes up as an event. Else a
   * page could ask the extension about files of its own. Default false.
   */
  trustedOnly?: boolean;
  /** Whether events are to be taken at the moment. Default: always. */
  active?: () => boolean;
}

const TYPES = ["input", "change", "drop", "paste", "submit", "reset", "formdata", "click"] as const;

/** Events that were handed on to a page, by whichever interception: no other takes them again. */
const handedOn = new WeakSet<Event>();

/** One interception, until {@link stop} is called. It takes nothing before {@link watch} is. */
export class Interceptor implements Interception {
  readonly check: Check;
  readonly shadowOf: ShadowOf;
  readonly takesScripted: boolean;
  readonly #covers: (place: Node, event: Event | undefined) => boolean;
  readonly #active: () => boolean;
  readonly #ended = new AbortController();
  readonly #watched = new WeakSet<EventTarget>();
  /** Inputs that were opened by a click: taken even if the page has removed them from the document since. */
  readonly #opened = new WeakSet<Node>();
  readonly #inputs: Inputs;
  readonly #forms: Forms;
  readonly #transfers: Transfers;

  constructor(options: InterceptOptions) {
    this.check = options.check;
    this.shadowOf = options.shadowOf ?? openShadowOf;
    this.takesScripted = !options.trustedOnly;
    this.#covers = options.covers ?? (() => true);
    this.#active = options.active ?? (() => true);
    this.#inputs = new Inputs(this);
    this.#forms = new Forms(this, this.#inputs);
    this.#transfers = new Transfers(this, this.#inputs);
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get stopped(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Ends it. What was still being checked is not handed on. */
  stop(): void {
    this.#inputs.stop();
    this.#ended.abort();
  }

  /**
   * Listens on a window, a shadow root or a node, in the capturing phase: before listeners of the page, unless they are
   * on the same target, in that phase, and were there first.
   */
  watch(target: EventTarget): void {
    if (this.#watched.has(target) || this.stopped) return;
    this.#watched.add(target);
    const how = { capture: true, signal: this.#ended.signal };
    for (const type of TYPES) target.addEventListener(type, this.#onEvent, how);
  }

  /** Listens on an input itself and in its tree, so that its events are seen wherever a script moves it. */
  own(input: HTMLInputElement): void {
    this.#opened.add(input);
    this.watchAround(input);
  }

  /** Listens on a node, on its form, and on the root of each tree that it is in. */
  watchAround(node: Node): void {
    this.watch(node);
    if (isFileInput(node) && node.form) this.watch(node.form);
    for (let root = node.getRootNode(); ; root = root.host.getRootNode()) {
      if (root !== node.ownerDocument) this.watch(root);
      if (!isShadowRoot(root)) return;
    }
  }

  /**
   * Listens in the shadow trees below a node, calls `found` with each, and takes the files that inputs there hold
   * already if `take` says so.
   */
  scan(root: ParentNode, take: boolean, found: (shadow: ShadowRoot) => void = () => undefined): void {
    for (const element of elementsIn(root, this.shadowOf)) {
      const shadow = this.shadowOf(element);
      if (shadow) this.watch(shadow);
      if (shadow) found(shadow);
      if (take && isFileInput(element)) this.takeNow(element);
    }
  }

  /** Takes the files that an input holds and that were not checked. */
  takeNow(input: HTMLInputElement): void {
    if (this.#inputs.hasPassed(input) || !this.covers(input)) return;
    this.own(input);
    void this.#inputs.take(input);
  }

  covers(place: Node, event?: Event): boolean {
    return this.#opened.has(place) || this.#covers(place, event);
  }

  isOwn(event: Event): boolean {
    return handedOn.has(event);
  }

  fire(place: Node, event: Event): boolean {
    handedOn.add(event);
    return place.dispatchEvent(event);
  }

  readonly #onEvent = (event: Event): void => {
    if (!this.#active()) return;
    if (event.type === "submit") this.#forms.onSubmit(event as SubmitEvent);
    else if (event.type === "reset") this.#forms.onReset(event);
    else if (event.type === "formdata") this.#forms.onFormData(event as FormDataEvent);
    else if (event.type === "click") this.#onClick(event);
    else this.#onFiles(event);
  };

  #onFiles(event: Event): void {
    if (handedOn.has(event) || (!this.takesScripted && !event.isTrusted)) return;
    if (event.type === "drop") this.#transfers.onDrop(event as DragEvent);
    if (event.type === "paste") this.#transfers.onPaste(event as ClipboardEvent);
    if (event.type !== "input" && event.type !== "change") return;
    const input = this.#inputOf(event);
    if (!input || !this.covers(input, event)) return;
    this.own(input);
    this.#inputs.onChoice(event, input);
  }

  /** A click opens a file input. Its events may come after the page has removed it, or come out of a hidden tree. */
  #onClick(event: Event): void {
    this.#forms.onClick(event);
    const path = event.composedPath();
    for (const node of path) if (isShadowRoot(node)) this.watch(node);
    const [place] = path;
    if (isFileInput(place)) {
      if (this.covers(place, event)) this.own(place);
      return;
    }
    const shadow = place && this.#shadowAt(place);
    if (!shadow) return;
    for (const element of elementsIn(shadow, this.shadowOf)) if (isFileInput(element)) this.own(element);
  }

  /** A shadow root that its page hides is seen from outside as its host. */
  #inputOf(event: Event): HTMLInputElement | undefined {
    const [place] = event.composedPath();
    if (isFileInput(place)) return place;
    const shadow = place && this.#shadowAt(place);
    if (!shadow) return undefined;
    for (const element of elementsIn(shadow, this.shadowOf)) {
      if (isFileInput(element) && !this.#inputs.hasPassed(element)) return element;
    }
    return undefined;
  }

  #shadowAt(place: EventTarget): ShadowRoot | null {
    return "nodeType" in place && (place as Node).nodeType === 1 ? this.shadowOf(place as Element) : null;
  }
}
