// Shows in the Dashboard's card of a held file why the file is held. The Dashboard itself would show a failed upload,
// with the reason behind a question mark and a button to retry, as if the connection had been lost.

/** Writes reasons into the cards of held files, and again after the Dashboard has redrawn them. */
export class Reasons {
  readonly #reasonOf: (fileID: string) => string | undefined;
  readonly #observers = new Map<Element, MutationObserver>();

  /** `reasonOf` returns the reason of a held file, and undefined for any other file. */
  constructor(reasonOf: (fileID: string) => string | undefined) {
    this.#reasonOf = reasonOf;
  }

  /** Updates the cards in `roots`. */
  show(roots: readonly Element[]): void {
    for (const [root, observer] of this.#observers) {
      if (roots.includes(root)) continue;
      observer.disconnect();
      this.#observers.delete(root);
    }
    for (const root of roots) {
      this.#write(root);
      if (this.#observers.has(root)) continue;
      const observer = new MutationObserver(() => this.#write(root));
      observer.observe(root, { childList: true, subtree: true });
      this.#observers.set(root, observer);
    }
  }

  stop(): void {
    for (const observer of this.#observers.values()) observer.disconnect();
    for (const root of this.#observers.keys())
      for (const shown of root.querySelectorAll(".hashgate-reason")) shown.remove();
    this.#observers.clear();
  }

  #write(root: Element): void {
    for (const card of root.querySelectorAll<HTMLElement>(".uppy-Dashboard-Item[id^='uppy_']")) {
      const reason = this.#reasonOf(card.id.slice("uppy_".length));
      const shown = card.querySelector<HTMLElement>(".hashgate-reason");
      for (const part of card.querySelectorAll<HTMLElement>(
        ".uppy-Dashboard-Item-errorDetails, .uppy-Dashboard-Item-progress",
      )) {
        // Sets a style property and no style attribute, which a page's Content-Security-Policy could forbid.
        if (reason) part.style.setProperty("display", "none", "important");
        else if (shown) part.style.removeProperty("display");
      }
      if (!reason) shown?.remove();
      else if (!shown) {
        const made = card.ownerDocument.createElement("div");
        made.className = "hashgate-reason";
        made.dir = "auto";
        made.textContent = reason;
        made.style.setProperty("font-size", "12px");
        made.style.setProperty("line-height", "1.35");
        made.style.setProperty("margin-block-start", "4px");
        made.style.setProperty("overflow-wrap", "anywhere");
        (card.querySelector(".uppy-Dashboard-Item-fileInfo") ?? card).append(made);
      } else if (shown.textContent !== reason) shown.textContent = reason;
    }
  }
}
