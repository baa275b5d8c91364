// Tells files and bytes from anything else by what they can do. `instanceof` would refuse a File of another frame or of
// jsdom, and a Node Buffer under a test runner that has globals of its own.
import type { BlobLike } from "../types/types.js";

/** So many bytes of a file tell whether it is a picture. */
export const HEAD = 64 * 1024;

/** What was given can't be read as a file. */
export class InvalidInput extends Error {}

/** A file or bytes, recognised. */
export type Recognised = { bytes: Uint8Array } | { blob: Blob | BlobLike };

/**
 * Recognises what a caller gave.
 *
 * @throws InvalidInput for anything but a Blob, something like it, a buffer or a view of one.
 */
export function recognise(input: unknown): Recognised {
  if (typeof input !== "object" || input === null) throw unexpected(input);
  try {
    const bytes = viewOf(input);
    if (bytes) return { bytes };
    if (isBlobLike(input)) return { blob: input };
  } catch (error) {
    throw new InvalidInput(`the file can't be read: ${error instanceof Error ? error.message : error}`);
  }
  throw unexpected(input);
}

/** A view of a buffer's bytes, whichever realm the buffer comes from. Undefined for anything else. */
export function viewOf(input: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (!/^\[object (Shared)?ArrayBuffer\]$/.test(tagOf(input))) return undefined;
  const view = new Uint8Array(input as ArrayBuffer);
  // What only calls itself a buffer was copied instead.
  return view.buffer === input ? view : undefined;
}

function isBlobLike(input: object): input is BlobLike {
  if (!("size" in input) || typeof input.size !== "number" || !(input.size >= 0)) return false;
  return ("arrayBuffer" in input && typeof input.arrayBuffer === "function") || needsFileReader(input);
}

/** The Blobs of older versions of jsdom are read by its FileReader alone. */
function needsFileReader(input: object): boolean {
  return typeof FileReader !== "undefined" && /^\[object (Blob|File)\]$/.test(tagOf(input));
}

/**
 * Reads all bytes of a Blob, of whatever implementation.
 *
 * @throws InvalidInput if it answers with something other than its bytes.
 */
export async function bytesOf(blob: BlobLike): Promise<Uint8Array> {
  const read = "arrayBuffer" in blob ? await blob.arrayBuffer() : await readByFileReader(blob);
  const bytes = typeof read === "object" && read !== null ? viewOf(read) : undefined;
  if (!bytes) throw new InvalidInput(`the file's bytes: expected an ArrayBuffer, got ${kindOf(read)}`);
  return bytes;
}

/** The first 64 KiB of a file, or undefined if only all of it can be read. */
export async function headOf(given: Recognised): Promise<Uint8Array | undefined> {
  if ("bytes" in given) return given.bytes.slice(0, HEAD);
  const { blob } = given;
  if (!("slice" in blob) || typeof blob.slice !== "function") return undefined;
  return new Uint8Array(await bytesOf(blob.slice(0, HEAD)));
}

function readByFileReader(blob: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob as Blob);
  });
}

const sizeGetter =
  typeof Blob === "undefined" ? undefined : Object.getOwnPropertyDescriptor(Blob.prototype, "size")?.get;

/** Whether this is a Blob of the platform itself, of this realm or another: such a one can be posted to a worker. */
export function isPlatformBlob(blob: unknown): blob is Blob {
  try {
    sizeGetter?.call(blob);
    return sizeGetter !== undefined;
  } catch {
    return false;
  }
}

/** The name of a value's kind, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return value.constructor?.name || "an object";
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function unexpected(input: unknown): InvalidInput {
  const remedy =
    typeof input === "string"
      ? "; read the file first"
      : typeof input === "object" && input !== null && "getFile" in input
        ? "; call its getFile() first"
        : "";
  return new InvalidInput(`check: expected a File, a Blob or bytes, got ${kindOf(input)}${remedy}`);
}
