// Handles drops and pastes: stops the event, checks its files, and dispatches a new event with the files that may pass.
import { isElement, isFileInput, windowOf } from "./dom.js";
import { giveEntries } from "./entries.js";
import { filesOf } from "./folders.js";
import type { Inputs } from "./inputs.js";
import { insert, keepCaret, type Texts, textsOf, withoutPictures } from "./insertion.js";
import type { Interception } from "./interception.js";

export class Transfers {
  readonly #interception: Interception;
  readonly #inputs: Inputs;

  constructor(interception: Interception, inputs: Inputs) {
    this.#interception = interception;
    this.#inputs = inputs;
  }

  onDrop(event: DragEvent): void {
    const data = event.dataTransfer;
    if (!data?.types.includes("Files")) return;
    const { clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey, button, buttons } = event;
    const how = { clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey, button, buttons };
    const place = this.#placeOf(event, (root) => root.elementFromPoint(clientX, clientY));
    if (!place) return;
    const { DragEvent } = windowOf(place);
    const texts = textsOf(data);
    const { dropEffect } = data;
    const back = keepCaret(place, { x: clientX, y: clientY });
    const files = filesOf(data);
    stop(event);
    const again = (passed: readonly File[], said: Texts) => {
      const dataTransfer = transferOf(place, passed, said);
      dataTransfer.dropEffect = dropEffect;
      const init = { bubbles: true, composed: true, cancelable: true, ...how, dataTransfer };
      if (!this.#interception.fire(place, new DragEvent("drop", init))) return;
      if (isFileInput(place)) this.#inputs.fill(place, passed);
      else void insert(place, said, passed, back);
    };
    // Tells the page that the drag has ended, so that it stops highlighting its drop zone.
    this.#interception.fire(place, new DragEvent("dragleave", { bubbles: true, composed: true, ...how }));
    void files.then((all) => this.#check(all, place, texts, again, false));
  }

  onPaste(event: ClipboardEvent): void {
    const data = event.clipboardData;
    const files = [...(data?.files ?? [])];
    if (!data || files.length === 0) return;
    const place = this.#placeOf(event, (root) => root.activeElement);
    if (!place) return;
    const { ClipboardEvent } = windowOf(place);
    const texts = textsOf(data);
    const back = keepCaret(place);
    stop(event);
    const again = (passed: readonly File[], said: Texts) => {
      const clipboardData = transferOf(place, passed, said);
      const init = { bubbles: true, composed: true, cancelable: true, clipboardData };
      const paste = new ClipboardEvent("paste", init);
      // Firefox gives the event an empty DataTransfer of its own.
      if (paste.clipboardData && paste.clipboardData.types.length === 0) fill(paste.clipboardData, passed, said);
      if (this.#interception.fire(place, paste)) void insert(place, said, passed, back);
    };
    void this.#check(files, place, texts, again, true);
  }

  /**
   * Checks files and passes those that may pass to `again`. Only the first call of `again` also gets the texts, so that
   * they aren't inserted twice.
   */
  async #check(
    files: File[],
    place: Node,
    texts: Texts,
    again: (files: readonly File[], texts: Texts) => void,
    textsAlone: boolean,
  ): Promise<void> {
    const { signal } = this.#interception;
    if (files.length === 0) {
      if (!signal.aborted) again([], texts);
      return;
    }
    let first = true;
    const deliver = (passed: readonly File[]) => {
      if (signal.aborted) return;
      const whole = passed.length === files.length;
      again(passed, first ? (whole ? texts : withoutPictures(texts)) : []);
      first = false;
    };
    await this.#interception.check(files, place, deliver, signal);
    // If the picture of a paste was held, its text is still inserted, without pictures.
    if (first && textsAlone && withoutPictures(texts).length > 0) deliver([]);
  }

  /**
   * Returns the node at which an event happened, or undefined if the event isn't to be taken. `inner` finds the node in
   * a shadow root.
   */
  #placeOf(event: Event, inner: (root: ShadowRoot) => Element | null): Node | undefined {
    if (this.#interception.isOwn(event)) return undefined;
    let place = event.composedPath()[0] as Node | undefined;
    if (!place || !("nodeType" in place) || !this.#interception.covers(place, event)) return undefined;
    for (;;) {
      const root: ShadowRoot | null = isElement(place) ? this.#interception.shadowOf(place) : null;
      const found: Element | null = root && inner(root);
      if (!found || found === place) return place;
      place = found;
    }
  }
}

function transferOf(place: Node, files: readonly File[], texts: Texts): DataTransfer {
  const { DataTransfer } = windowOf(place);
  const transfer = new DataTransfer();
  fill(transfer, files, texts);
  giveEntries(transfer);
  return transfer;
}

function fill(transfer: DataTransfer, files: readonly File[], texts: Texts): void {
  for (const [type, text] of texts) transfer.setData(type, text);
  for (const file of files) transfer.items.add(file);
}

function stop(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}
