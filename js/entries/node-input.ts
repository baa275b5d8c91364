// Accepts further inputs in Node: file URLs and streams.
import { constants, type FileHandle, open, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ByteStream } from "../gate/arrivals.js";
import type { Opened } from "../gate/connection.js";
import { InvalidInput } from "../gate/input.js";
import type { BlobLike } from "../types/types.js";

/**
 * Opens a file's URL or a stream. Returns undefined for anything else.
 *
 * A string or an object with a path isn't opened: it may come from a request's JSON, whose sender must not choose which
 * file is read. A `URL` object can't come from JSON, so the app itself has made it.
 *
 * @throws InvalidInput if the URL names no file of this machine, or the stream was read already.
 */
export function openInput(input: unknown): Promise<Opened> | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  // `instanceof URL` would refuse a URL of another realm, such as Jest's.
  if (Object.prototype.toString.call(input) === "[object URL]") return fileAt(input as URL).then((blob) => ({ blob }));
  const stream = streamOf(input);
  return stream && Promise.resolve({ stream });
}

async function fileAt(url: URL): Promise<BlobLike> {
  if (url.protocol !== "file:") {
    throw new InvalidInput(`check: expected a file: URL, got ${url.protocol}; fetch it and give the response's body`);
  }
  let path: string;
  let size: number;
  try {
    path = fileURLToPath(url.href);
    const found = await stat(path);
    if (!found.isFile()) throw new Error(`expected a file, got ${found.isDirectory() ? "a folder" : "a device"}`);
    size = found.size;
  } catch (error) {
    throw new InvalidInput(`check: the file can't be opened: ${(error as Error).message}`);
  }
  return new FileOnDisk(path, size);
}

/** A file on disk. It is opened only when it is read, so that files that wait for a worker use no file descriptors. */
class FileOnDisk implements BlobLike {
  readonly #path: string;
  readonly #end: number;
  readonly size: number;

  constructor(path: string, size: number, end = size) {
    this.#path = path;
    this.size = end;
    this.#end = size;
  }

  /** Returns the file's beginning, up to `end`. The gate only asks for beginnings, so `_start` is always 0. */
  slice(_start: number, end: number): BlobLike {
    return new FileOnDisk(this.#path, this.#end, Math.min(end, this.size));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    // Without O_NONBLOCK, `open` would wait for a writer if a pipe has replaced the file meanwhile.
    const file = await open(this.#path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const { size } = await file.stat();
      if (size !== this.#end) throw new Error(`length: expected ${this.#end} bytes as before, got ${size}`);
      return await readExactly(file, this.size);
    } finally {
      await file.close();
    }
  }
}

async function readExactly(file: FileHandle, length: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, at);
    if (bytesRead === 0) throw new Error(`length: expected ${length} bytes, got ${at}`);
    at += bytesRead;
  }
  return bytes.buffer;
}

interface Streaming {
  [Symbol.asyncIterator]?(): AsyncIterator<unknown>;
  getReader?(): { read(): Promise<{ done: boolean; value?: unknown }>; cancel(): Promise<void> };
  readableDidRead?: boolean;
  /**
   * The network connection. Only the stream of an HTTP request has this property, so it tells requests from other
   * streams.
   */
  socket?: unknown;
  destroy?(): unknown;
}

function streamOf(input: Streaming): ByteStream | undefined {
  const iterates = typeof input[Symbol.asyncIterator] === "function";
  if (!iterates && typeof input.getReader !== "function") return undefined;
  // A stream that was read already would seem empty, and an empty file passes as `not-a-picture`. So refuses it.
  if (input.readableDidRead || isDisturbed(input)) {
    throw new InvalidInput("check: expected a stream that nothing has read yet, got one that was read; give its bytes");
  }
  try {
    return typeof input.getReader === "function" ? ofReader(input.getReader()) : ofIterable(input);
  } catch (error) {
    throw new InvalidInput(`check: the stream can't be read: ${(error as Error).message}`);
  }
}

function isDisturbed(stream: object): boolean {
  return Readable.isDisturbed?.(stream as Readable) ?? false;
}

function ofReader(reader: NonNullable<ReturnType<NonNullable<Streaming["getReader"]>>>): ByteStream {
  return { next: () => reader.read(), end: () => void reader.cancel().catch(() => {}) };
}

function ofIterable(input: Streaming): ByteStream {
  // Stops reading a request without destroying it: its sender still waits for an answer on the same connection.
  const isRequest = input instanceof Readable && Boolean((input as Streaming).socket);
  const iterator = (
    isRequest ? (input as Readable).iterator({ destroyOnReturn: false }) : input[Symbol.asyncIterator]?.()
  ) as AsyncIterator<unknown>;
  return {
    next: () => iterator.next(),
    end() {
      if (!isRequest && typeof input.destroy === "function") input.destroy();
      // `return()` settles only after the pending chunk has arrived, so its result isn't awaited.
      void iterator.return?.()?.catch(() => {});
    },
  };
}
