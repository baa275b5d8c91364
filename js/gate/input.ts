// Recognises files and bytes by their methods. `instanceof` would refuse a File of another frame or of jsdom, and a
// Node Buffer in a test runner that replaces the globals.
import type { BlobLike } from "../types/types.js";

/** Number of bytes at the start of a file that tell whether it may be a picture. */
export const HEAD = 64 * 1024;

/** Thrown if the given value can't be read as a file. */
export class InvalidInput extends Error {}

/** The bytes of the file could not be read. */
export class UnreadableFile extends Error {}

/** A value that was recognised as bytes or as a file. */
export type Recognised = { bytes: Uint8Array } | { blob: Blob | BlobLike };

/**
 * Recognises the value that a caller gave.
 *
 * @throws InvalidInput if the value is not a Blob, an object with a Blob's methods, a buffer, or a view of a buffer.
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

/**
 * Returns a view of the bytes of a buffer, or of a view of one, from any frame. Returns undefined for anything else.
 */
export function viewOf(input: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (!/^\[object (Shared)?ArrayBuffer\]$/.test(tagOf(input))) return undefined;
  const view = new Uint8Array(input as ArrayBuffer);
  // If `input` only looks like a buffer, the constructor has copied it instead of making a view of it.
  return view.buffer === input ? view : undefined;
}

function isBlobLike(input: object): input is BlobLike {
  if (!("size" in input) || typeof input.size !== "number" || !(input.size >= 0)) return false;
  return ("arrayBuffer" in input && typeof input.arrayBuffer === "function") || needsFileReader(input);
}

/** Returns whether a Blob can only be read by a FileReader, as in older versions of jsdom. */
function needsFileReader(input: object): boolean {
  return typeof FileReader !== "undefined" && /^\[object (Blob|File)\]$/.test(tagOf(input));
}

/**
 * Reads all bytes of a Blob of any implementation.
 *
 * @throws InvalidInput if it answers with something other than its bytes.
 */
export async function bytesOf(blob: BlobLike): Promise<Uint8Array> {
  const read = "arrayBuffer" in blob ? await blob.arrayBuffer() : await readByFileReader(blob);
  const bytes = typeof read === "object" && read !== null ? viewOf(read) : undefined;
  if (!bytes) throw new InvalidInput(`the file's bytes: expected an ArrayBuffer, got ${kindOf(read)}`);
  return bytes;
}

/** Returns the first 64 KiB of a file, or undefined if the file can only be read as a whole. */
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

/**
 * Returns whether this is a Blob of the platform, from this or another frame. Such a Blob can be posted to a worker.
 */
export function isPlatformBlob(blob: unknown): blob is Blob {
  try {
    sizeGetter?.call(blob);
    return sizeGetter !== undefined;
  } catch {
    return false;
  }
}

/** Returns the name of a value's kind, for error messages. */
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
