// Functions about nodes that work for nodes of every frame and for hostile pages. `instanceof` is false for a node of
// another frame, and a control named `elements` hides the form's property of that name. So these functions call the
// getters of the prototypes.

/** Returns the shadow root of an element, or null if it has none or a closed one. */
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

/** Says whether an input takes several files: a picker of folders does, without the attribute `multiple` too. */
export function takesMany(input: HTMLInputElement): boolean {
  return input.multiple || input.webkitdirectory;
}

export function isForm(value: unknown): value is HTMLFormElement {
  return nameOf(value) === "form" && read(HTMLFormElement, "elements", value) !== undefined;
}

/** Returns the controls of a form, including controls outside of it that name it in their `form` attribute. */
export function controlsOf(form: HTMLFormElement): Element[] {
  return [...(read<HTMLFormControlsCollection>(HTMLFormElement, "elements", form) ?? [])];
}

/** Returns the window of a node's document, or the page's own window if the document is in no window. */
export function windowOf(node: Node): Window & typeof globalThis {
  const document = isDocument(node) ? node : read<Document | null>(Node, "ownerDocument", node);
  return (document?.defaultView ?? globalThis) as Window & typeof globalThis;
}

/**
 * Returns the element that stands for a node: the node itself, the host of a shadow root, the root element of a
 * document, or else the nearest element around the node. A node without one gets the root element of its window's
 * document.
 */
export function elementOf(node: Node): Element {
  if (isElement(node)) return node;
  if (isDocument(node)) return node.documentElement;
  if (isShadowRoot(node)) return node.host;
  return node.parentNode ? elementOf(node.parentNode) : windowOf(node).document.documentElement;
}

/** Returns whether `outer` is `inner` or contains it, also through shadow roots. */
export function holds(outer: Node, inner: Node): boolean {
  for (let node: Node | null = inner; node; node = node.parentNode ?? (isShadowRoot(node) ? node.host : null)) {
    if (node === outer) return true;
  }
  return false;
}

/** Yields the elements below a node, including those in shadow roots that `shadowOf` returns. */
export function* elementsIn(root: ParentNode, shadowOf: ShadowOf): Generator<Element> {
  for (const element of [...(isElement(root) ? [root] : []), ...root.querySelectorAll("*")]) {
    yield element;
    const shadow = shadowOf(element);
    if (shadow) yield* elementsIn(shadow, shadowOf);
  }
}

/** Returns files as a `FileList`, which an input accepts. */
export function listOf(window: Window & typeof globalThis, files: Iterable<File>): FileList {
  const data = new window.DataTransfer();
  for (const file of files) data.items.add(file);
  return data.files;
}

/** Returns the focused element, also if it is in a shadow root that `shadowOf` returns. */
export function focusedIn(document: Document, shadowOf: ShadowOf = openShadowOf): Element | null {
  let focused = document.activeElement;
  while (focused) {
    const inner = shadowOf(focused)?.activeElement;
    if (!inner) break;
    focused = inner;
  }
  return focused;
}
