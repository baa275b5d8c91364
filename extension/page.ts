// In the page's own world, as the only part: many pages ask for files with an <input> that they never put into the
// document, and whose events therefore pass nobody else. Such an input is in the document, hidden, while it is used.
import { ATTACHED } from "./attached.js";

function attach(input: HTMLInputElement): void {
  if (input.type !== "file" || input.isConnected) return;
  let root = input.getRootNode();
  while (root instanceof ShadowRoot) root = root.host.getRootNode();
  // In a fragment it would be torn out of its place.
  if (!(root instanceof Element) || !document.documentElement) return;
  const holder = document.createElement("div");
  holder.hidden = true;
  holder.setAttribute(ATTACHED, "");
  holder.append(root);
  document.documentElement.append(holder);
  input.addEventListener("cancel", () => holder.remove(), { once: true });
}

for (const name of ["click", "showPicker"] as const) {
  const original = HTMLInputElement.prototype[name];
  Object.defineProperty(HTMLInputElement.prototype, name, {
    configurable: true,
    writable: true,
    value: {
      [name](this: HTMLInputElement): void {
        if (this instanceof HTMLInputElement) attach(this);
        original.call(this);
      },
    }[name],
  });
}
