// File inputs: what a person chose is taken out of the input, checked, and put back before the page hears of it.
import { controlsOf, isFileInput, listOf, windowOf } from "./dom.js";
import type { Interception } from "./interception.js";

/** Files of one input that are being checked, or were. */
interface Choice {
  readonly abort: AbortController;
  /** The choice before, if a script's files came after it: a released file of either is handed on. */
  readonly earlier: Choice | undefined;
  done: Promise<boolean>;
  /** A reset of the form, which counts unless the page cancels it. */
  reset: Event | undefined;
  /** True once a reset or a newer choice has made it void: nothing of it reaches the page any more. */
  void: boolean;
  /** Whether the input was required. It isn't while it is empty for the check, or the form could not be sent. */
  required: boolean;
}

export class Inputs {
  readonly #interception: Interception;
  /** The choice of each input that is being checked. */
  readonly #pending = new Map<HTMLInputElement, Choice>();
  /** The latest choice of each input, which may still hand on a file that was held and then released. */
  readonly #latest = new WeakMap<HTMLInputElement, Choice>();
  /** Files that may pass. */
  readonly #passed = new WeakSet<File>();
  /** Inputs whose `input` event was taken in this turn of the event loop. */
  readonly #taken = new WeakSet<HTMLInputElement>();
  /** Inputs that hold files of which the page knows. */
  readonly #given = new WeakSet<HTMLInputElement>();

  constructor(interception: Interception) {
    this.#interception = interception;
  }

  /** Ends all checks. Their files are not handed on. */
  stop(): void {
    for (const [input, choice] of this.#pending) this.#end(input, choice);
  }

  /** Takes what was chosen, by an `input` or `change` event. */
  onChoice(event: Event, input: HTMLInputElement): void {
    // `change` follows an `input` that was taken, be the check over already or not.
    if (event.type === "change" && this.#taken.has(input)) {
      event.stopImmediatePropagation();
      return;
    }
    if (!input.files?.length) {
      // The person unchose the files.
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
    return [...(input.files ?? [])].every((file) => this.#passed.has(file));
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
   * Empties an input, checks what it held, and gives back what may pass. Resolves to whether all may. What a script has
   * put in during a check is taken after it: the person's choice isn't lost for that.
   */
  async take(input: HTMLInputElement): Promise<boolean> {
    const running = this.waitFor(input);
    const passed = running === undefined || (await running);
    if (this.#interception.stopped) return false;
    // Another check has begun meanwhile: of a newer choice, or of a script's files beside those that may pass.
    if (this.waitFor(input)) return passed && this.take(input);
    const rest = this.hasPassed(input) || (await this.#check(input, []));
    return passed && rest;
  }

  /** Checks the files in an input that have not passed, and then gives it all those that may, and `ready` too. */
  #check(input: HTMLInputElement, ready: readonly File[]): Promise<boolean> {
    const chosen = input.files;
    const files = [...(chosen ?? [])];
    const strangers = files.filter((file) => !this.#passed.has(file));
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
    // Until the check is over, a page that looks finds nothing.
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
      // Everything was held. A page that knows of the choice before hears that the input is empty.
      else if (!choice.void && input.files?.length === 0 && this.#given.has(input)) this.#give(input, input.files);
      return passed;
    });
    return choice.done;
  }

  /** Hands files to the page. `list` is the very list that was chosen, if all of it may pass. */
  #hand(input: HTMLInputElement, files: readonly File[], list: FileList | undefined): void {
    const now = [...(input.files ?? [])];
    if (!input.multiple) {
      this.#give(input, list ?? listOf(windowOf(input), files.slice(-1)));
    } else if (now.some((file) => !this.#passed.has(file))) {
      // A script has put files in meanwhile. The page would take them along with these, so they are checked first.
      void this.#check(input, files);
    } else {
      this.#give(input, now.length === 0 && list ? list : listOf(windowOf(input), new Set([...now, ...files])));
    }
  }

  /** Fills an input with files that may pass, as if they had been chosen: for a drop on it. */
  fill(input: HTMLInputElement, files: readonly File[]): void {
    if (input.disabled || files.length === 0) return;
    for (const file of files) this.#passed.add(file);
    this.#void(input);
    this.#give(input, listOf(windowOf(input), input.multiple ? files : files.slice(0, 1)));
  }

  #give(input: HTMLInputElement, files: FileList): void {
    input.files = files;
    if (files.length > 0) this.#given.add(input);
    else this.#given.delete(input);
    const { Event } = windowOf(input);
    this.#interception.fire(input, new Event("input", { bubbles: true, composed: true }));
    this.#interception.fire(input, new Event("change", { bubbles: true }));
  }

  /** Remembers that a form is being reset, and makes its choices void unless the page cancels the reset. */
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
