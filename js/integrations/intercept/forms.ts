// Makes forms and buttons wait while a file is being checked. If the page copies a form's data meanwhile, the copy has
// no entry for the input, because an empty entry would say that no file was chosen.
import { controlsOf, holds, isElement, isFileInput, isForm, nameOf, windowOf } from "./dom.js";
import type { Interception } from "./interception.js";

/** The questions about inputs that forms ask. */
export interface Waiting {
  /** Returns the inputs that wait for a check. */
  waiting(): HTMLInputElement[];
  /** Returns the check that an input waits for. It resolves to whether all files may pass. */
  waitFor(input: HTMLInputElement): Promise<boolean> | undefined;
  hasPassed(input: HTMLInputElement): boolean;
  /** Returns the files in an input that have not been checked, or may not pass. */
  unjudgedIn?(input: HTMLInputElement): File[];
  /** Checks those files of an input that were not checked yet, or joins the check that is running. */
  take(input: HTMLInputElement): Promise<boolean>;
  onReset?(event: Event, form: HTMLFormElement): void;
}

/** The part of the interception that forms use. */
type Owner = Pick<Interception, "isOwn" | "covers" | "takesScripted" | "stopped">;

export class Forms {
  readonly #interception: Owner;
  readonly #inputs: Waiting;
  /** The waiting forms and buttons. For a form, the value is the button that submitted it last. */
  readonly #waiting = new WeakMap<Element, HTMLElement | null>();

  constructor(interception: Owner, inputs: Waiting) {
    this.#interception = interception;
    this.#inputs = inputs;
  }

  /** Delays a form that is submitted while its files are being checked, or with files that were not checked yet. */
  onSubmit(event: SubmitEvent): void {
    const form = event.composedPath()[0];
    if (this.#interception.isOwn(event) || !isForm(form)) return;
    const inputs = controlsOf(form).filter(isFileInput);
    const inside = this.#inputs.waiting().filter((input) => !inputs.includes(input) && isOf(input, form));
    const waiting = [...inputs, ...inside].filter(
      (input) =>
        this.#inputs.waitFor(input) ||
        (this.#interception.takesScripted && !this.#inputs.hasPassed(input) && this.#interception.covers(input)),
    );
    if (waiting.length === 0) return;
    stop(event);
    const isFirst = !this.#waiting.has(form);
    this.#waiting.set(form, event.submitter);
    if (!isFirst) return;
    void Promise.all(waiting.map((input) => this.#inputs.take(input))).then((passed) => {
      const submitter = this.#waiting.get(form);
      this.#waiting.delete(form);
      // If a file was held, doesn't submit the form again, because it now lacks that file. The person decides what to
      // send.
      if (passed.includes(false) || this.#interception.stopped) return;
      const { HTMLFormElement } = windowOf(form);
      const button = submitter?.isConnected && (submitter as HTMLButtonElement).form === form ? submitter : undefined;
      HTMLFormElement.prototype.requestSubmit.call(form, button);
    });
  }

  onReset(event: Event): void {
    const form = event.composedPath()[0];
    if (isForm(form)) this.#inputs.onReset?.(event, form);
  }

  /**
   * Removes the entries of inputs that are being checked from a form's data, because they would say that no file was
   * chosen. Also removes files that a script has put into an input and that nothing has checked, and checks them:
   * `form.submit()` and `new FormData(form)` dispatch no other event.
   */
  onFormData(event: FormDataEvent): void {
    const form = event.composedPath()[0];
    if (!isForm(form)) return;
    const waiting = this.#inputs.waiting().filter((input) => input.form === form && input.name !== "");
    for (const name of new Set(waiting.map((input) => input.name))) {
      const others = event.formData.getAll(name).filter((value) => typeof value === "string" || value.size > 0);
      event.formData.delete(name);
      for (const value of others) event.formData.append(name, value);
    }
    if (!this.#interception.takesScripted) return;
    for (const input of controlsOf(form).filter(isFileInput)) {
      const unjudged = new Set<unknown>(this.#inputs.unjudgedIn?.(input) ?? []);
      if (unjudged.size === 0 || !this.#interception.covers(input)) continue;
      const others = event.formData.getAll(input.name).filter((value) => !unjudged.has(value));
      event.formData.delete(input.name);
      for (const value of others) event.formData.append(input.name, value);
      void this.#inputs.take(input);
    }
  }

  /**
   * Delays a click on a button while files in the same form are being checked, because a page that reads the input on
   * the click would find it empty. If the input is in no form, delays clicks on buttons that are in no form either.
   * Repeats the click if all files passed.
   */
  onClick(event: Event): void {
    if (this.#interception.isOwn(event) || this.#inputs.waiting().length === 0) return;
    const path = event.composedPath();
    const button = path.find((node) => isElement(node) && isButton(node)) as HTMLElement | undefined;
    // Doesn't delay a click that opens a file picker, nor a click in the notice.
    if (!button || isFileInput(path[0]) || path.some((node) => nameOf(node) === "hashgate-notice")) return;
    const form = formOf(button);
    const checks = this.#inputs
      .waiting()
      .filter((input) => isOf(input, form) && (form || input.ownerDocument === button.ownerDocument))
      .map((input) => this.#inputs.waitFor(input));
    if (checks.length === 0) return;
    stop(event);
    if (this.#waiting.has(button)) return;
    this.#waiting.set(button, null);
    void Promise.all(checks).then((passed) => {
      this.#waiting.delete(button);
      if (!passed.includes(false) && !this.#interception.stopped) button.click();
    });
  }
}

/** Returns whether a click on an element may make a page read an input. A reset button doesn't. */
function isButton(element: Element): boolean {
  const name = nameOf(element);
  if (name === "button") return (element as HTMLButtonElement).type !== "reset";
  if (name === "input") return /^(?:submit|button|image)$/.test((element as HTMLInputElement).type);
  return element.getAttribute("role") === "button";
}

/**
 * Returns whether an input belongs to a form, or, without a form, to none. An input in a shadow tree inside a form
 * belongs to it, too: its host may give the form the files (`ElementInternals.setFormValue`).
 */
function isOf(input: HTMLInputElement, form: HTMLFormElement | null): boolean {
  if (input.form || !form) return input.form === form;
  return holds(form, input);
}

function formOf(button: Element): HTMLFormElement | null {
  return (button as HTMLButtonElement).form ?? button.closest("form");
}

function stop(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}
