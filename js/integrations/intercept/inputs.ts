// Handles file inputs: takes the chosen files out of the input, checks them, and puts them back before the page gets an
// event.
import { controlsOf, isFileInput, listOf, takesMany, windowOf } from "./dom.js";
import type { Interception } from "./interception.js";

/** One choice of files in an input, during and after its check. */
interface Choice {
  readonly abort: AbortController;
  /** The previous choice, if a script put in files after it. Held files of either choice can still be released. */
  readonly earlier: Choice | undefined;
  done: Promise<boolean>;
  /** The form's reset event, if there was one. It makes the choice void unless the page has cancelled the event. */
  reset: Event | undefined;
  /** True after a reset or a newer choice. The page then gets no file of this choice any more. */
  void: boolean;
  /**
   * Whether the input was `required`. The attribute is removed during the check, because the empty input would block
   * the form.
   */
  required: boolean;
}

export class Inputs {
  readonly #interception: Interception;
  /** The choices that are being checked, by input. */
  readonly #pending = new Map<HTMLInputElement, Choice>();
  /** The latest choice of each input. It may still give the page a held file that is released later. */
  readonly #latest = new WeakMap<HTMLInputElement, Choice>();
  /** Files that may pass. */
  readonly #passed = new WeakSet<File>();
  /** Inputs whose `input` event was taken in this turn of the event loop. */
  readonly #taken = new WeakSet<HTMLInputElement>();
  /** Inputs that the page believes to hold files, because it got an event about them. */
  readonly #given = new WeakSet<HTMLInputElement>();

  constructor(interception: Interception) {
    this.#interception = interception;
  }

  /** Ends all checks. Their files are not given to the page. */
  stop(): void {
    for (const [input, choice] of this.#pending) this.#end(input, choice);
  }

  /** Takes the chosen files on an `input` or `change` event. */
  onChoice(event: Event, input: HTMLInputElement): void {
    // The browser fires `change` right after the `input` event that was taken. Stops it, even if the check has already
    // ended.
    if (event.type === "change" && this.#taken.has(input)) {
      event.stopImmediatePropagation();
      return;
    }
    if (!input.files?.length) {
      // The person removed the choice.
      this.#void(input);
      return;
    }
    if (this.hasPassed(input)) return;
    event.stopImmediatePropagation();
    if (event.type === "input") {
      this.#taken.add(input);
      setTimeout(() => this.#taken.delete(input));
    }
    // A new choice takes the place of the one that is being checked.
    this.#void(input);
    void this.#check(input, []);
  }

  /** Returns whether all files in an input may pass. */
  hasPassed(input: HTMLInputElement): boolean {
    return this.unjudgedIn(input).length === 0;
  }

  /** Returns the files in an input that have not been checked, or may not pass. */
  unjudgedIn(input: HTMLInputElement): File[] {
    return [...(input.files ?? [])].filter((file) => !this.#passed.has(file));
  }

  /** Returns the check that an input waits for. It resolves to whether all files may pass. */
  waitFor(input: HTMLInputElement): Promise<boolean> | undefined {
    return this.#pending.get(input)?.done;
  }

  /** Returns the inputs that wait for a check. */
  waiting(): HTMLInputElement[] {
    return [...this.#pending.keys()];
  }

  /**
   * Empties an input, checks its files, and puts back those that may pass. Resolves to whether all may pass. If a
   * script puts in files during a check, they are checked afterwards, so that the person's choice isn't lost.
   */
  async take(input: HTMLInputElement): Promise<boolean> {
    const running = this.waitFor(input);
    const passed = running === undefined || (await running);
    if (this.#interception.stopped) return false;
    // Another check has begun meanwhile: of a newer choice, or of files that a script has added. Waits for that one.
    if (this.waitFor(input)) return passed && this.take(input);
    const rest = this.hasPassed(input) || (await this.#check(input, []));
    return passed && rest;
  }

  /**
   * Checks those files of an input that have not passed yet. Then gives the input all files that may pass, together
   * with `ready`.
   */
  #check(input: HTMLInputElement, ready: readonly File[]): Promise<boolean> {
    const chosen = input.files;
    const files = [...(chosen ?? [])];
    const strangers = this.unjudgedIn(input);
    const kept = [...ready, ...files.filter((file) => this.#passed.has(file))];
    const before = this.#latest.get(input);
    const choice: Choice = {
      abort: new AbortController(),
      earlier: before?.void ? undefined : before,
      done: Promise.resolve(true),
      reset: undefined,
      void: false,
      required: input.required || (this.#pending.get(input)?.required ?? false),
    };
    this.#pending.set(input, choice);
    this.#latest.set(input, choice);
    // Until the check is over, a page that reads the input finds no file.
    input.files = listOf(windowOf(input), []);
    input.required = false;
    let first = true;
    const deliver = (some: readonly File[]) => {
      if (choice.void || (choice.reset && !choice.reset.defaultPrevented)) return;
      for (const file of some) this.#passed.add(file);
      const all = first && chosen && kept.length === 0 && some.length === files.length ? chosen : undefined;
      this.#hand(input, first ? [...kept, ...some] : some, all);
      first = false;
    };
    choice.done = this.#interception.check(strangers, input, deliver, choice.abort.signal).then((passed) => {
      if (this.#pending.get(input) !== choice) return passed;
      this.#pending.delete(input);
      if (choice.required) input.required = true;
      if (first && kept.length > 0) deliver([]);
      // If every file was held, and the page had an event about earlier files, fires an event so that the page sees the
      // empty input.
      else if (!choice.void && input.files?.length === 0 && this.#given.has(input)) this.#give(input, input.files);
      return passed;
    });
    return choice.done;
  }

  /** Gives files to the page. `list` is the original `FileList`, if all of its files may pass. */
  #hand(input: HTMLInputElement, files: readonly File[], list: FileList | undefined): void {
    const now = [...(input.files ?? [])];
    if (!takesMany(input)) {
      this.#give(input, list ?? listOf(windowOf(input), files.slice(-1)));
    } else if (now.some((file) => !this.#passed.has(file))) {
      // A script has put unchecked files into the input meanwhile. Checks them before the page gets any of the files.
      void this.#check(input, files);
    } else {
      this.#give(input, now.length === 0 && list ? list : listOf(windowOf(input), new Set([...now, ...files])));
    }
  }

  /** Fills an input with files that may pass, as if they had been chosen. Used for a drop on the input. */
  fill(input: HTMLInputElement, files: readonly File[]): void {
    if (input.disabled || files.length === 0) return;
    for (const file of files) this.#passed.add(file);
    this.#void(input);
    this.#give(input, listOf(windowOf(input), takesMany(input) ? files : files.slice(0, 1)));
  }

  #give(input: HTMLInputElement, files: FileList): void {
    input.files = files;
    if (files.length > 0) this.#given.add(input);
    else this.#given.delete(input);
    const { Event } = windowOf(input);
    this.#interception.fire(input, new Event("input", { bubbles: true, composed: true }));
    this.#interception.fire(input, new Event("change", { bubbles: true }));
  }

  /** Notes a reset of a form, and makes the choices of its inputs void unless the page cancels the reset. */
  onReset(event: Event, form: HTMLFormElement): void {
    for (const input of controlsOf(form)) {
      const choices = isFileInput(input) ? this.#choicesOf(input) : [];
      for (const choice of choices) choice.reset = event;
      if (choices.length === 0) continue;
      setTimeout(() => {
        for (const choice of choices) {
          if (!event.defaultPrevented) this.#end(input as HTMLInputElement, choice);
          else if (choice.reset === event) choice.reset = undefined;
        }
      });
    }
  }

  #void(input: HTMLInputElement): void {
    for (const choice of this.#choicesOf(input)) this.#end(input, choice);
  }

  /** Returns the choices of an input that may still hand on files. */
  #choicesOf(input: HTMLInputElement): Choice[] {
    const choices: Choice[] = [];
    for (let choice = this.#latest.get(input); choice; choice = choice.earlier) choices.push(choice);
    return choices;
  }

  #end(input: HTMLInputElement, choice: Choice): void {
    choice.void = true;
    choice.abort.abort();
    if (this.#pending.get(input) !== choice) return;
    this.#pending.delete(input);
    if (choice.required) input.required = true;
  }
}
