// Gives the files of a drop as entries of a file system. Many pages read a drop by `webkitGetAsEntry()` and skip a file
// without an entry. Chromium has no entry for a file that a script has put into a `DataTransfer`.

/** The paths of files that were read from dropped folders, such as `/holiday/beach.jpg`. */
const paths = new WeakMap<File, string>();

export function notePath(file: File, path: string): void {
  paths.set(file, path);
}

/** Lets the items of a `DataTransfer` that a script has made return an entry for each file. */
export function giveEntries(transfer: DataTransfer): void {
  const items = overlay(transfer.items, (value) =>
    isItem(value) ? overlay(value, (method, name) => (name === ENTRY ? () => entryOf(value) : method)) : value,
  );
  Object.defineProperty(transfer, "items", { configurable: true, enumerable: true, value: items });
}

/** Returns the browser's own entry of an item, or else one that is made from the item's file. */
export function entryOf(item: DataTransferItem, native = item[ENTRY]): FileSystemEntry | null {
  const entry = native?.call(item);
  const file = entry || item.kind !== "file" ? null : item.getAsFile();
  if (!file) return entry ?? null;
  const fullPath = paths.get(file) ?? `/${file.name}`;
  const made: Partial<FileSystemFileEntry> = {
    isFile: true,
    isDirectory: false,
    name: file.name,
    fullPath,
    file: (found) => void setTimeout(found, 0, file),
    // The folder itself isn't kept: it may also contain files that are held.
    getParent: (_, failed) => void (failed && setTimeout(failed, 0, new DOMException("no folder", "NotFoundError"))),
  };
  return made as FileSystemFileEntry;
}

const ENTRY = "webkitGetAsEntry";

function isItem(value: unknown): value is DataTransferItem {
  return typeof value === "object" && value !== null && ENTRY in value;
}

/**
 * Wraps an object of the browser. `replace` changes what a page reads from it. Methods and getters get the object itself
 * as `this`, because they refuse any other.
 */
function overlay<T extends object>(target: T, replace: (value: unknown, name: PropertyKey) => unknown): T {
  return new Proxy(target, {
    get(_, name) {
      const value = replace(Reflect.get(target, name, target), name);
      // The iterator of a list is the iterator of arrays. It reads the wrapped list, item by item.
      return typeof value === "function" && name !== Symbol.iterator ? value.bind(target) : value;
    },
  });
}
