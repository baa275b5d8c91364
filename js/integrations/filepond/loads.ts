// With `storeAsFile`, FilePond puts its files into inputs of the form as soon as they are loaded, so after the check. A
// form that is sent meanwhile waits, or it would be sent without them.
import { Forms, type Waiting } from "../intercept/forms.js";

/** How long FilePond may take to draw a file that it has loaded, in milliseconds: it doesn't in a hidden page. */
const DRAWN_MS = 1000;

/** The files that FilePond is loading. */
export class Loads implements Waiting {
  /** Each resolves to whether the file may pass. */
  readonly #loads = new Set<Promise<boolean>>();
  readonly #drawn = new Map<Blob, () => void>();

  constructor() {
    if (!globalThis.window) return;
    const forms = new Forms({ isOwn: () => false, covers: () => true, takesScripted: false, stopped: false }, this);
    addEventListener("submit", (event) => forms.onSubmit(event), true);
    addEventListener("click", (event) => !isInPond(event) && forms.onClick(event), true);
    addEventListener("formdata", (event) => forms.onFormData(event), true);
  }

  /** Runs the check of a file, and has forms wait for it and for what FilePond does with it then. */
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

  /** Says that FilePond has loaded a file. Its input is filled by the end of this turn of the event loop. */
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

/** FilePond's own buttons work at any time: they end a check, too. */
function isInPond(event: Event): boolean {
  return event.composedPath().some((node) => node instanceof Element && node.matches(".filepond--root"));
}
