// Questions about nodes that have the same answer in every window. `instanceof` is false for a node of another frame,
// and a form's own properties can be hidden by controls of the same name, so the prototypes' getters are asked.

/** Returns the shadow root of an element, or null where it has none or hides it. */
export type ShadowOf = (host: Element) => ShadowRoot | null;

export const openShadowOf: ShadowOf = (host) => read<ShadowRoot | null>(Element, "shadowRoot", host) ?? null;

function read<T>(type: { prototype: object }, name: string, of: unknown): T | undefined {
  try {
    return Object.getOwnPropertyDescriptor(type.prototype, name)?.get?.call(of);
  } catch {
    return undefined;
  }
}

export function isNode(value: unknown): value is Node {
  return typeof read(Node, "nodeType", value) === "number";
}

export function isElement(value: unknown): value is Element {
  return read(Node, "nodeType", value) === 1;
}

export function isDocument(value: unknown): value is Document {
  return read(Node, "nodeType", value) === 9;
}

export function isShadowRoot(value: unknown): value is ShadowRoot {
  return isElement(read(ShadowRoot, "host", value));
}

export function nameOf(value: unknown): string {
  return read<string>(Element, "localName", value) ?? "";
}

export function isFileInput(value: unknown): value is HTMLInputElement {
  return read(HTMLInputElement, "type", value) === "file";
}

export function isForm(value: unknown): value is HTMLFormElement {
  return nameOf(value) === "form" && read(HTMLFormElement, "elements", value) !== undefined;
}

/** Returns the controls of a form, those outside of it with a `form` attribute too. */
export function controlsOf(form: HTMLFormElement): Element[] {
  return [...(read<HTMLFormControlsCollection>(HTMLFormElement, "elements", form) ?? [])];
}

/** Returns the window that made a node, which is the page's own if the node's document is in no window. */
export function windowOf(node: Node): Window & typeof globalThis {
  const document = isDocument(node) ? node : read<Document | null>(Node, "ownerDocument", node);
  return (document?.defaultView ?? globalThis) as Window & typeof globalThis;
}

/** Returns the element that a node is, or is in. */
export function elementOf(node: Node): Element {
  if (isElement(node)) return node;
  if (isDocument(node)) return node.documentElement;
  if (isShadowRoot(node)) return node.host;
  return node.parentNode ? elementOf(node.parentNode) : windowOf(node).document.documentElement;
}

/** Returns whether `outer` holds `inner`, or is it. Looks through shadow roots from within. */
export function holds(outer: Node, inner: Node): boolean {
  for (let node: Node | null = inner; node; node = node.parentNode ?? (isShadowRoot(node) ? node.host : null)) {
    if (node === outer) return true;
  }
  return false;
}

/** Yields the elements below a node, those in shadow roots that `shadowOf` opens too. */
export function* elementsIn(root: ParentNode, shadowOf: ShadowOf): Generator<Element> {
  for (const element of [...(isElement(root) ? [root] : []), ...root.querySelectorAll("*")]) {
    yield element;
    const shadow = shadowOf(element);
    if (shadow) yield* elementsIn(shadow, shadowOf);
  }
}

/** Returns a list of files, as an input takes it. */
export function listOf(window: Window & typeof globalThis, files: Iterable<File>): FileList {
  const data = new window.DataTransfer();
  for (const file of files) data.items.add(file);
  return data.files;
}

/** Returns the element with the focus, in the open shadow root where it is. */
export function focusedIn(document: Document, shadowOf: ShadowOf = openShadowOf): Element | null {
  let focused = document.activeElement;
  while (focused) {
    const inner = shadowOf(focused)?.activeElement;
    if (!inner) break;
    focused = inner;
  }
  return focused;
}
