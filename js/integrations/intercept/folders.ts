// Lists the files of a drop, including those in dropped folders.
import { notePath } from "./entries.js";

/**
 * Starts to read a drop's files and resolves to all of them. Call it while the event is being dispatched, because the
 * browser empties the drop afterwards. A folder that can't be read stays in the list as the browser gave it: as a
 * "file" whose bytes can't be read, so that the check holds it.
 */
export async function filesOf(data: DataTransfer): Promise<File[]> {
  const flat = [...data.files];
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const found = items.map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.() ?? null }));
  if (!found.some(({ entry }) => entry?.isDirectory)) return flat;
  const read = found.map(async ({ file, entry }) => {
    const alone = file ? [file] : [];
    return entry?.isDirectory ? walk(entry).catch(() => alone) : alone;
  });
  return (await Promise.all(read)).flat();
}

async function walk(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    notePath(file, entry.fullPath);
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    // A reader returns up to a hundred entries per call, and an empty list at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map(walk))).flat());
  }
}
