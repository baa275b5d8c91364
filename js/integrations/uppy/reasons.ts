// Shows in the Dashboard's card of a held file why it is held. The Dashboard has no place for that: it shows a failed
// upload, with the reason behind a question mark, and a button to retry as if the connection had been lost.

/** Writes reasons into the cards of held files, also after the Dashboard has drawn them anew. */
export class Reasons {
  readonly #reasonOf: (fileID: string) => string | undefined;
  readonly #observers = new Map<Element, MutationObserver>();

  /** `reasonOf` returns the reason of a file that is held, and undefined for any other. */
  constructor(reasonOf: (fileID: string) => string | undefined) {
    this.#reasonOf = reasonOf;
  }

  /** Brings the cards up to date. `roots` are the elements in which cards may be. */
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
        // Properties of a style pass any policy of the page, unlike a style attribute.
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
