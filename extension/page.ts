// The script in the page's own world (a content script sees the DOM but not the page's functions). Many pages open a
// file picker by an <input> that is never in the document, or only for a moment, so its events don't reach the window.
// This script reports such an input to the content script before it is opened. It also asks for a check of files that a
// page gets from a promise and not from an event.
import { entryOf } from "../js/integrations/intercept/entries.js";
import { ANSWER, OPENED, PASSED, QUESTION } from "./opened.js";

const { dispatchEvent, addEventListener } = EventTarget.prototype;
const told = new WeakSet<Node>();

/** Reports a node to the content script: an input, or the root of a tree that may contain inputs. */
function announce(node: Node): void {
  dispatchEvent.call(document, new MouseEvent(OPENED, { relatedTarget: node }));
}

/** Reports the inputs that a click on `node` may open. Clicks inside the document reach the window anyway. */
function announceTree(node: Node): void {
  if (node.isConnected) return;
  let root = node.getRootNode();
  while (root instanceof ShadowRoot) root = root.host.getRootNode();
  if (root instanceof Element) announce(root);
  // A fragment can't be the target of an event, so reports its children.
  else if (root instanceof DocumentFragment) for (const child of root.children) announce(child);
  if (node instanceof HTMLInputElement) announce(node);
}

/** Replaces a method of an object by one that calls `before` first. */
function precede<T extends object, K extends keyof T & string>(
  prototype: T,
  name: K,
  before: (self: unknown, args: unknown[]) => void,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  const original = descriptor?.value;
  if (typeof original !== "function") return;
  const made = {
    [name](this: unknown, ...args: unknown[]): unknown {
      try {
        before(this, args);
      } catch {
        // Ignores errors of `before`: they must not break the page's call.
      }
      return original.apply(this, args);
    },
  };
  Object.defineProperty(prototype, name, { ...descriptor, value: made[name] });
}

precede(HTMLElement.prototype, "click", (self) => self instanceof Node && announceTree(self));
// `showPicker` opens the picker without a click.
precede(HTMLInputElement.prototype, "showPicker", (self) => self instanceof HTMLInputElement && announce(self));
precede(EventTarget.prototype, "dispatchEvent", (self, [event]) => {
  if (event instanceof Event && event.type === "click" && self instanceof Node) announceTree(self);
});
// When the page adds a capturing listener to an input, this script first reports the input to the content script. The
// content script then adds its own listener, which comes before the page's.
precede(EventTarget.prototype, "addEventListener", (self, [type, , how]) => {
  if ((type !== "change" && type !== "input") || !(self instanceof HTMLInputElement) || told.has(self)) return;
  if (how !== true && !(typeof how === "object" && how !== null && (how as AddEventListenerOptions).capture)) return;
  told.add(self);
  announce(self);
});

/** Asks the content script to check files. Resolves to whether each of them may pass. */
async function ask(files: readonly File[]): Promise<boolean[]> {
  if (files.length === 0) return [];
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  const data = new DataTransfer();
  for (const file of files) data.items.add(file);
  input.files = data.files;
  const answered = new Promise<void>((resolve) => {
    addEventListener.call(input, ANSWER, () => resolve(), { once: true });
  });
  dispatchEvent.call(document, new MouseEvent(QUESTION, { relatedTarget: input }));
  await answered;
  const passed = new Set(input.getAttribute(PASSED)?.split(",").filter(Boolean).map(Number));
  return files.map((_, index) => passed.has(index));
}

// The content script can't give entries to the page: what it sets on an object isn't seen in the page's world.
const nativeEntry = DataTransferItem.prototype.webkitGetAsEntry;
DataTransferItem.prototype.webkitGetAsEntry = {
  webkitGetAsEntry(this: DataTransferItem): FileSystemEntry | null {
    return entryOf(this, nativeEntry);
  },
}.webkitGetAsEntry;

interface FileHandle {
  getFile(): Promise<File>;
}
type Picker = (...args: unknown[]) => Promise<FileHandle[]>;

const pickers = window as unknown as { showOpenFilePicker?: Picker };
if (typeof pickers.showOpenFilePicker === "function") {
  const original = pickers.showOpenFilePicker;
  pickers.showOpenFilePicker = {
    async showOpenFilePicker(this: unknown, ...args: unknown[]): Promise<FileHandle[]> {
      const handles = await original.apply(this ?? window, args);
      const passed = await ask(await Promise.all(handles.map((handle) => handle.getFile())));
      const rest = handles.filter((_, index) => passed[index]);
      // Throws what the page would get if the person had closed the picker.
      if (rest.length === 0) throw new DOMException("The user aborted a request.", "AbortError");
      return rest;
    },
  }.showOpenFilePicker;
}

/** Returns a clipboard item without the pictures that may not pass; undefined if nothing else is in it. */
async function checkedItem(item: ClipboardItem): Promise<ClipboardItem | undefined> {
  const types = item.types.filter((type) => type.startsWith("image/"));
  const blobs = await Promise.all(types.map((type) => item.getType(type)));
  const files = blobs.map((blob) => new File([blob], `image.${blob.type.slice(6)}`, { type: blob.type }));
  const passed = await ask(files);
  if (!passed.includes(false)) return item;
  const rest = item.types.filter((type) => !types.includes(type) || passed[types.indexOf(type)]);
  if (rest.length === 0) return undefined;
  return new ClipboardItem(Object.fromEntries(rest.map((type) => [type, item.getType(type)])));
}

if (typeof Clipboard === "function" && typeof Clipboard.prototype.read === "function") {
  const original = Clipboard.prototype.read;
  Clipboard.prototype.read = {
    async read(this: Clipboard, ...args: []): Promise<ClipboardItems> {
      const items = await original.apply(this, args);
      return (await Promise.all(items.map(checkedItem))).filter((item) => item !== undefined);
    },
  }.read;
}
