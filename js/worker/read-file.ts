// Reads a file in a worker: piece by piece if the engine can use pieces, else as a whole.
import type { StreamingFingerprint } from "../../dist/bindings/hashgate.js";
import { describe } from "../errors.js";

/** The bytes of the file can't be read. */
export class Unreadable extends Error {}

/** The result of reading a file: all of its bytes, or the streaming decoder that got the bytes, or both. */
export interface Taken {
  bytes: Uint8Array | undefined;
  stream: StreamingFingerprint | undefined;
}

export interface Reading {
  /**
   * Returns the streaming decoder for a file, or undefined if the file must be read as a whole. Called with the first
   * piece and the file's size.
   */
  open(head: Uint8Array, size: number): StreamingFingerprint | undefined;
  /** Called if the picture is known before the end of the file. */
  early(fingerprint: Uint8Array): void;
  /**
   * If set, all bytes of a picture are kept in memory, and passed to this function before the last piece is decoded.
   */
  whole: ((bytes: Uint8Array) => void) | undefined;
  /** Called now and then while the file is read. */
  piece?: () => void;
}

/** Number of bytes at the start of a file that tell whether it may be a picture. */
const HEAD = 1 << 16;
/** After how many bytes `piece` is called again. */
const TOLD_BYTES = 1 << 26;
/** Largest number of bytes that are read at a time. */
const PIECE = 1 << 18;

/**
 * Reads a file.
 *
 * @throws Unreadable if the bytes can't be read, or are more or fewer than the file's size.
 */
export async function readFile(file: Blob | Uint8Array, { open, early, whole, piece: told }: Reading): Promise<Taken> {
  const [given, pieces] = file instanceof Uint8Array ? [file, partsOf(file)] : [undefined, piecesOf(file)];
  const size = given ? given.byteLength : (file as Blob).size;
  let stream: StreamingFingerprint | undefined;
  let bytes = given;
  let head: Uint8Array | undefined = new Uint8Array();
  let length = 0;
  let toldAt = 0;
  try {
    for await (const part of pieces) {
      length += part.byteLength;
      if (length > size) break;
      let piece = part;
      if (head) {
        if (head.byteLength > 0 || length < Math.min(size, HEAD)) head = piece = joined(head, part);
        if (length < Math.min(size, HEAD)) continue;
        stream = open(piece, size);
        head = undefined;
        if (given && stream?.isPicture !== false) whole?.(given);
      }
      if (!stream || (whole && stream.isPicture)) bytes ??= new Uint8Array(size);
      if (!given) bytes?.set(piece, length - piece.byteLength);
      if (!given && bytes && length === size) whole?.(bytes);
      if (stream && !stream.push(piece)) return { bytes, stream };
      if (length - toldAt >= TOLD_BYTES) {
        told?.();
        toldAt = length;
      }
      const known = stream?.early();
      if (known) {
        early(known);
        await aMoment();
      }
    }
    if (length !== size) {
      const got = length > size ? "more" : String(length);
      throw new Unreadable(`the file's bytes can't be had: expected ${size}, got ${got}`);
    }
  } catch (error) {
    // After a trap, the instance must not be used, not even to free the decoder.
    if (error instanceof Unreadable) stream?.free();
    throw error;
  }
  return { bytes, stream };
}

/** Reads all bytes of a file. */
export async function wholeOf(file: Blob | Uint8Array): Promise<Uint8Array> {
  const { bytes } = await readFile(file, { open: () => undefined, early: () => {}, whole: undefined });
  return bytes ?? new Uint8Array();
}

/**
 * Waits a moment, so that the lookup worker can begin. On a machine with few processors, this worker would otherwise
 * keep it waiting.
 */
function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.byteLength + other.byteLength);
  both.set(one);
  both.set(other, one.byteLength);
  return both;
}

/**
 * Yields bytes in pieces, so that linear memory need not hold all of them. Yields one empty piece if there are no
 * bytes.
 */
function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at === 0 || at < bytes.byteLength; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/**
 * The streams that are being read. Without this reference, Chromium may collect a stream as garbage while its reader
 * waits, and the reader waits for ever.
 */
const streamsInUse = new Set<ReadableStream>();

/**
 * Yields a file in pieces, or one empty piece if the file is empty. All pieces use the same buffer, so a piece is
 * valid only until the next one is asked for.
 */
async function* piecesOf(file: Blob): AsyncGenerator<Uint8Array> {
  let stream: ReadableStream<Uint8Array> | undefined;
  let reader: Reader | undefined;
  let length = 0;
  try {
    stream = file.stream();
    streamsInUse.add(stream);
    reader = readerOf(stream, Math.min(file.size, PIECE));
    // Stops after `file.size` bytes, as waiting for `done` is slow. An empty file is read once, to notice that it has
    // grown.
    do {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      if (value.byteLength > 0) yield value;
    } while (length < file.size);
    if (length === 0) yield new Uint8Array();
  } catch (error) {
    // The file may be a folder, or too large for memory. Or it was changed or removed after the person had chosen it.
    throw new Unreadable(`the file's bytes can't be had: ${describe(error)}`);
  } finally {
    if (stream) streamsInUse.delete(stream);
    // A stream that was read to its end needs no cancel.
    if (length < file.size) reader?.cancel().catch(() => {});
  }
}

interface Reader {
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  cancel(): Promise<void>;
}

/**
 * Returns a reader that reuses one buffer, if the platform has such readers. That is faster than a new buffer per
 * piece.
 */
function readerOf(stream: ReadableStream<Uint8Array>, most: number): Reader {
  if (most === 0) return stream.getReader();
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    return stream.getReader();
  }
  let buffer = new ArrayBuffer(most);
  return {
    async read() {
      const result = await reader.read(new Uint8Array(buffer));
      if (result.value) buffer = result.value.buffer;
      return result as ReadableStreamReadResult<Uint8Array>;
    },
    cancel: () => reader.cancel(),
  };
}
