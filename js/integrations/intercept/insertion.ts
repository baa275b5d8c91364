// Inserts the content of a checked paste or drop where the person was writing, as the browser would have done if the
// page doesn't handle the event: formatted text, plain text, or pictures.
import { focusedIn, isElement, nameOf } from "./dom.js";

/** The texts of a paste or drop, by type. */
export type Texts = readonly (readonly [type: string, text: string])[];

export const textOf = (texts: Texts, type: string): string => texts.find(([name]) => name === type)?.[1] ?? "";

/** Returns the texts of a paste or drop. They can only be read while the event is being dispatched. */
export function textsOf(data: DataTransfer): Texts {
  return [...data.types].filter((type) => type !== "Files").map((type) => [type, data.getData(type)] as const);
}

/** Returns the texts without addresses, and without `<img>` in formatted text, so that they name no picture. */
export function withoutPictures(texts: Texts): Texts {
  return texts
    .filter(([type]) => type === "text/plain" || type === "text/html")
    .map(
      ([type, text]) => [type, type === "text/html" && PICTURES.test(text) ? formatted(text, false) : text] as const,
    );
}

const PICTURES = /<(?:img|picture|svg|object|embed|video|v:imagedata)\b/i;

/** Returns the text control at `place`; undefined if no text can be typed there. */
function textControl(place: unknown): HTMLInputElement | HTMLTextAreaElement | undefined {
  if (nameOf(place) === "textarea") return place as HTMLTextAreaElement;
  if (nameOf(place) !== "input") return undefined;
  const typed = /^(?:text|search|url|tel|email|password|number)$/.test((place as HTMLInputElement).type);
  return typed ? (place as HTMLInputElement) : undefined;
}

/** Returns the editable element at `node`, if there is one. */
function editedAt(node: Node): HTMLElement | undefined {
  for (let at: Node | null = node; at; at = at.parentNode) {
    if (textControl(at)) return at as HTMLElement;
    if (isElement(at) && (at as HTMLElement).isContentEditable) return at as HTMLElement;
  }
  return undefined;
}

/** Remembers the position of the caret in `place`. Returns a function that puts the caret back there. */
export function keepCaret(place: Node, point?: { x: number; y: number }): () => void {
  const { ownerDocument } = place;
  const edited = editedAt(place);
  if (!edited || !ownerDocument) return () => undefined;
  const control = textControl(edited);
  const [start, end] = control ? selectionOf(control) : [null, null];
  const selection = ownerDocument.getSelection();
  const range = point ? caretAt(ownerDocument, point) : selection?.rangeCount ? selection.getRangeAt(0) : undefined;
  const kept = range?.cloneRange();
  return () => {
    edited.focus();
    if (control && start !== null) control.setSelectionRange(start, end);
    else if (!control && kept && edited.contains(kept.startContainer)) {
      selection?.removeAllRanges();
      selection?.addRange(kept);
    }
  };
}

function selectionOf(control: HTMLInputElement | HTMLTextAreaElement): [number | null, number | null] {
  try {
    return [control.selectionStart, control.selectionEnd];
  } catch {
    // Fields of the types `email` and `number` don't reveal the caret.
    return [null, null];
  }
}

function caretAt(document: Document, { x, y }: { x: number; y: number }): Range | undefined {
  const position = document.caretPositionFromPoint?.(x, y);
  if (!position) return document.caretRangeFromPoint?.(x, y) ?? undefined;
  const range = document.createRange();
  range.setStart(position.offsetNode, position.offset);
  return range;
}

/**
 * Inserts at `place` what a browser would insert: formatted text if there is some, else plain text, else pictures. Does
 * nothing if the place can't be edited. `back` puts the caret where it was during the event. Afterwards the focus
 * returns to the element that the person has meanwhile moved to.
 */
export async function insert(place: Node, texts: Texts, files: readonly File[], back: () => void): Promise<void> {
  const edited = editedAt(place);
  const { ownerDocument } = place;
  if (!edited || !ownerDocument) return;
  const away = focusedIn(ownerDocument);
  const plain = textControl(edited) || edited.contentEditable === "plaintext-only";
  const html = plain ? "" : formatted(textOf(texts, "text/html"));
  const text = textOf(texts, "text/plain") || textOf(texts, "text/uri-list");
  back();
  if (html !== "") {
    if (!run(ownerDocument, "insertHTML", html) && text !== "") run(ownerDocument, "insertText", text);
  } else if (text !== "") {
    run(ownerDocument, "insertText", text);
  } else if (!plain) {
    for (const file of files.filter(({ type }) => type.startsWith("image/"))) {
      const url = await dataUrlOf(file);
      back();
      if (url !== undefined) run(ownerDocument, "insertImage", url);
      // The next picture goes after this one, so the caret isn't moved back again.
      back = () => edited.focus();
    }
  }
  if (away && away !== edited && away !== ownerDocument.body) (away as HTMLElement).focus();
}

/** Runs an editing command. Returns false if the page forbids that by Trusted Types. */
function run(document: Document, command: string, value: string): boolean {
  try {
    return document.execCommand(command, false, value);
  } catch {
    return false;
  }
}

/** Reads a file as a `data:` URL. Resolves to undefined if it can't be read. */
function dataUrlOf(file: File): Promise<string | undefined> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onloadend = () => resolve(typeof reader.result === "string" ? reader.result : undefined);
    reader.readAsDataURL(file);
  });
}

/** Returns cleaned HTML, or an empty string if the page forbids parsing HTML by Trusted Types. */
function formatted(html: string, pictures = true): string {
  try {
    return html && cleaned(html, pictures);
  } catch {
    return "";
  }
}

/** Elements that are removed together with their content. */
const DROPPED = new Set(
  "script style head title meta link base template iframe frame frameset object embed applet svg math noscript".split(
    " ",
  ),
);
const KEPT = new Set(
  `a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div
  dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q
  rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var
  wbr`.split(/\s+/),
);
const ATTRIBUTES = new Set(
  "href src alt title width height colspan rowspan span align valign dir lang start reversed type cite datetime color face size".split(
    " ",
  ),
);

/**
 * Returns the HTML of the clipboard without anything that runs or loads by itself, as browsers clean pasted HTML. If
 * `pictures` is true, keeps pictures with a web address; pictures with other addresses were not checked.
 */
function cleaned(html: string, pictures: boolean): string {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const visit = (parent: Element) => {
    for (const child of [...parent.childNodes]) {
      if (child.nodeType === 3) continue;
      const name = nameOf(child);
      if (!isElement(child) || DROPPED.has(name)) {
        child.remove();
        continue;
      }
      visit(child);
      if (name === "img" && !(pictures && /^https?:/i.test(child.getAttribute("src") ?? ""))) child.remove();
      else if (!KEPT.has(name)) child.replaceWith(...child.childNodes);
      else
        for (const { name: attribute, value } of [...child.attributes]) {
          if (!isHarmless(attribute, value)) child.removeAttribute(attribute);
        }
    }
  };
  visit(body);
  return body.innerHTML.trim();
}

function isHarmless(attribute: string, value: string): boolean {
  if (attribute === "style") return !/url\s*\(|expression|@import|\\|image-set|element\s*\(/i.test(value);
  if (!ATTRIBUTES.has(attribute)) return false;
  const names = attribute === "href" || attribute === "src" || attribute === "cite";
  return !names || /^(?:https?:|mailto:|tel:|#)/i.test(value.trim());
}
