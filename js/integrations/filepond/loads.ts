// With `storeAsFile`, FilePond puts its files into inputs of the form only after they are loaded and thus checked. A
// form that is submitted during a check waits; otherwise it would be sent without the files.
import { Forms, type Waiting } from "../intercept/forms.js";

/** Milliseconds after which forms stop waiting for FilePond to draw a loaded file: a hidden page never draws. */
const DRAWN_MS = 1000;

/** Tracks the files that FilePond is loading, so that forms can wait for them. */
export class Loads implements Waiting {
  /** The files that are being loaded. Each promise resolves to whether the file may pass. */
  readonly #loads = new Set<Promise<boolean>>();
  readonly #drawn = new Map<Blob, () => void>();

  constructor() {
    if (!globalThis.window) return;
    const forms = new Forms({ isOwn: () => false, covers: () => true, takesScripted: false, stopped: false }, this);
    addEventListener("submit", (event) => forms.onSubmit(event), true);
    addEventListener("click", (event) => !isInPond(event) && forms.onClick(event), true);
    addEventListener("formdata", (event) => forms.onFormData(event), true);
  }

  /** Runs the check of a file. Forms wait for the check, and until FilePond has drawn the file. */
  track(file: Blob, check: () => Promise<Blob>): Promise<Blob> {
    const checked = check();
    const load = checked.then(
      () => this.#untilDrawn(file).then(() => true),
      () => false,
    );
    this.#loads.add(load);
    void load.then(() => this.#loads.delete(load));
    return checked;
  }

  /**
   * Notes that FilePond has drawn a loaded file. FilePond fills the file's input by the end of this turn of the event
   * loop.
   */
  loaded(file: Blob): void {
    this.#drawn.get(file)?.();
  }

  #untilDrawn(file: Blob): Promise<void> {
    return new Promise((resolve) => {
      this.#drawn.set(file, () => setTimeout(resolve));
      setTimeout(resolve, DRAWN_MS);
    }).then(() => void this.#drawn.delete(file));
  }

  waiting(): HTMLInputElement[] {
    if (this.#loads.size === 0) return [];
    return [...document.querySelectorAll<HTMLInputElement>(".filepond--root input[type=file]")];
  }

  waitFor(input: HTMLInputElement): Promise<boolean> | undefined {
    if (this.#loads.size === 0 || !input.closest(".filepond--root")) return undefined;
    return Promise.all(this.#loads).then((passed) => !passed.includes(false));
  }

  hasPassed(): boolean {
    return true;
  }

  take(input: HTMLInputElement): Promise<boolean> {
    return this.waitFor(input) ?? Promise.resolve(true);
  }
}

/**
 * Returns whether an event comes from FilePond's own controls. They work at any time, because they can cancel a check.
 */
function isInPond(event: Event): boolean {
  return event.composedPath().some((node) => node instanceof Element && node.matches(".filepond--root"));
}
