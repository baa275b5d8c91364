// Takes files before a page gets them: files that are chosen, dropped, pasted or submitted with a form. `guard` uses
// this for the page that calls it, and the browser extension for all pages. They decide whether the files pass.
import { elementsIn, isFileInput, isShadowRoot, openShadowOf, type ShadowOf } from "./intercept/dom.js";
import { Forms } from "./intercept/forms.js";
import { Inputs } from "./intercept/inputs.js";
import type { Check, Interception } from "./intercept/interception.js";
import { Transfers } from "./intercept/transfers.js";

export type { Check, Deliver } from "./intercept/interception.js";

export interface InterceptOptions {
  check: Check;
  /** Returns whether to take files at a node. Default: all files are taken. */
  covers?: (place: Node, event: Event | undefined) => boolean;
  /** Returns the shadow root of an element. Default: only open shadow roots. */
  shadowOf?: ShadowOf;
  /**
   * Whether to take only files from a person's own actions, and ignore files that a script puts into an input and
   * events that a script dispatches. Otherwise a page could ask the extension about files of its own. Default false.
   */
  trustedOnly?: boolean;
  /** Returns whether to take events at the moment. Default: always. */
  active?: () => boolean;
}

const TYPES = ["input", "change", "drop", "paste", "submit", "reset", "formdata", "click"] as const;

/** Events that an interception has dispatched for a page. No interception takes them again. */
const handedOn = new WeakSet<Event>();

/** Takes files from the first call of {@link watch} until {@link stop} is called. */
export class Interceptor implements Interception {
  readonly check: Check;
  readonly shadowOf: ShadowOf;
  readonly takesScripted: boolean;
  readonly #covers: (place: Node, event: Event | undefined) => boolean;
  readonly #active: () => boolean;
  readonly #ended = new AbortController();
  readonly #watched = new WeakSet<EventTarget>();
  /**
   * Inputs that a click has opened. Their files are taken even if the page has removed the input from the document
   * since.
   */
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

  /** Ends the interception. Files that are still being checked are not given to the page. */
  stop(): void {
    this.#inputs.stop();
    this.#ended.abort();
  }

  /**
   * Listens on a window, a shadow root or a node, in the capturing phase. So it comes before the page's listeners,
   * except earlier ones on the same target in the same phase.
   */
  watch(target: EventTarget): void {
    if (this.#watched.has(target) || this.stopped) return;
    this.#watched.add(target);
    const how = { capture: true, signal: this.#ended.signal };
    for (const type of TYPES) target.addEventListener(type, this.#onEvent, how);
  }

  /** Listens on an input and on the root of its tree, so that its events are seen wherever a script moves the input. */
  own(input: HTMLInputElement): void {
    this.#opened.add(input);
    this.watchAround(input);
  }

  /** Listens on a node, on its form, and on the root of each tree that contains the node. */
  watchAround(node: Node): void {
    this.watch(node);
    if (isFileInput(node) && node.form) this.watch(node.form);
    for (let root = node.getRootNode(); ; root = root.host.getRootNode()) {
      if (root !== node.ownerDocument) this.watch(root);
      if (!isShadowRoot(root)) return;
    }
  }

  /**
   * Watches everything below a node: listens on each shadow tree, and calls `found` with it. Also listens on each file
   * input itself, because a script may remove an input from the document before it opens the picker, and then no event
   * of the input reaches the window. If `take` is true, also checks the files that inputs already hold.
   */
  scan(root: ParentNode, take: boolean, found: (shadow: ShadowRoot) => void = () => undefined): void {
    for (const element of elementsIn(root, this.shadowOf)) {
      const shadow = this.shadowOf(element);
      if (shadow) this.watch(shadow);
      if (shadow) found(shadow);
      if (!isFileInput(element)) continue;
      if (take) this.takeNow(element);
      if (this.covers(element)) this.own(element);
    }
  }

  /** Takes those files of an input that were not checked yet. */
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

  /**
   * Notes the file input that a click opens. Its later events may not reach the window, because the page has removed
   * the input or hides it in a closed shadow tree.
   */
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

  /**
   * Returns the file input of an event. From outside of a closed shadow tree, an event seems to come from the tree's
   * host, so looks inside.
   */
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
