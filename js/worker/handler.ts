// What a worker does with what it is asked, in browsers and in Node.

import type { Fault, GateErrorCode } from "../errors.js";
import type { Answers, Asks, Following, FromWorker, Operation, Source, ToWorker } from "../protocol.js";
import { type Arrival, Engine, type LoadedFilters } from "./engine.js";
import { Follower } from "./list/follower.js";
import type { Shelf } from "./list/store.js";

export interface WorkerSide {
  post(message: FromWorker, transfer: ArrayBuffer[]): void;
  /** `fetch`, or what stands in for it. */
  open(url: string, init?: RequestInit): Promise<Response>;
  /** Where a followed list is kept. */
  shelf(ask: Following): Shelf;
}

class Refused extends Error {
  readonly fault: Fault;
  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.fault = fault;
  }
}

class Unreadable extends Error {}

/** Returns the handler of messages from the page. */
export function serve(side: WorkerSide): (message: ToWorker) => void {
  let engine: Engine | undefined;
  let startFailure: unknown = new Error("the worker was asked before it was started");
  let filters: LoadedFilters | undefined;
  let follower: Follower | undefined;

  const operations: { [O in Operation]: (ask: Asks[O], id: number) => Promise<[Answers[O], ArrayBuffer[]]> } = {
    async fingerprint({ file, ...ask }, id) {
      const hashing = running(engine, startFailure);
      const ours = { ...ask, wanted: { ...ask.wanted, sha256: ask.wanted.sha256 && !hasWebCrypto() } };
      const theirs = ask.wanted.sha256 && hasWebCrypto();
      let digest: Promise<Uint8Array> | undefined;
      const read = await take(file, {
        open: (head, length) => hashing.arrival(head, length, ours),
        early: (early) => side.post({ type: "early", id, fingerprint: early }, [early.buffer as ArrayBuffer]),
        // On another thread, beside the hashing.
        whole: theirs
          ? (bytes) => {
              digest = sha256Of(bytes);
              // A failure is heard of where it is awaited.
              digest.catch(() => {});
            }
          : undefined,
      });
      // Of a file that was not held and turns out to be needed as a whole, once more.
      const fingerprint =
        read.arrival?.fingerprint() ?? (await hashing.fingerprint(read.bytes ?? (await wholeOf(file)), ours));
      const { memoryBytes } = hashing;
      return [{ fingerprint, sha256: await digest, memoryBytes }, [fingerprint.buffer as ArrayBuffer]];
    },
    async load({ sources, maxBytes }, id) {
      const files: Uint8Array[] = [];
      for (const source of sources) {
        files.push("bytes" in source ? source.bytes : await download(source.url, maxBytes, id));
      }
      try {
        // The old filters stay until all the new ones are verified.
        filters = running(engine, startFailure).load(files);
      } catch (error) {
        throw refusedFilter(error, sources) ?? error;
      }
      return [filters.loaded, []];
    },
    async follow(ask) {
      follower = new Follower(
        running(engine, startFailure),
        side.shelf(ask),
        {
          open: side.open,
          push: (push) => side.post(push, []),
          fail: (error) => side.post({ type: "broken", detail: describe(error) }, []),
        },
        ask,
      );
      await follower.start();
      return [undefined, []];
    },
    async refresh() {
      await follower?.refresh();
      return [undefined, []];
    },
    async begin({ fingerprint, orientations }) {
      (follower ? follower.filters : filters)?.begin(fingerprint, orientations);
      return [undefined, []];
    },
    async probe({ fingerprint, sha256, orientations }) {
      if (follower) return [follower.filters?.probe(fingerprint, sha256, orientations), []];
      if (!filters) throw new Error("the lookup worker was asked before it held a filter");
      return [filters.probe(fingerprint, sha256, orientations), []];
    },
  };

  async function download(url: string, maxBytes: number, id: number): Promise<Uint8Array> {
    const unavailable = (expected: string, got: string, cause?: unknown) =>
      new Refused(
        { code: "filter-unavailable", message: `${url}: expected ${expected}, got ${got}`, url, expected, got },
        { cause },
      );
    const response = await side.open(url).catch((error) => {
      throw unavailable("an answer", describe(error), error);
    });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw unavailable("HTTP status 200", `HTTP status ${response.status}`);
    }
    const length = Number(response.headers.get("content-length"));
    const total = length > 0 && !response.headers.get("content-encoding") ? length : undefined;
    const tooLarge = (got: string) => {
      const expected = `at most ${maxBytes} bytes`;
      return new Refused({
        code: "filter-too-large",
        message: `${url}: expected ${expected}, got ${got}`,
        url,
        expected,
        got,
      });
    };
    if (total !== undefined && total > maxBytes) {
      await response.body.cancel();
      throw tooLarge(`${total} bytes`);
    }
    const reader = response.body.getReader();
    const chunks: Uint8Array[] = [];
    let loaded = 0;
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        throw unavailable("the whole file", `${loaded} bytes, then ${describe(error)}`, error);
      });
      if (done) break;
      chunks.push(value);
      loaded += value.byteLength;
      if (loaded > maxBytes) {
        await reader.cancel();
        throw tooLarge("more");
      }
      side.post({ type: "progress", id, url, loaded, total }, []);
    }
    const bytes = new Uint8Array(loaded);
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return bytes;
  }

  async function answer<O extends Operation>(type: O, id: number, ask: Asks[O]): Promise<void> {
    try {
      const [result, transfer] = await operations[type](ask, id);
      side.post({ type: "done", id, answer: result }, transfer);
    } catch (error) {
      if (error instanceof Unreadable) side.post({ type: "unreadable", id, detail: error.message }, []);
      else if (error instanceof Refused) side.post({ type: "refused", id, fault: error.fault }, []);
      else if (isCoded(error)) side.post({ type: "refused", id, fault: faultOf(error) }, []);
      // A trap, an exhausted stack, or anything that isn't foreseen: the instance can't be trusted any more.
      else side.post({ type: "poisoned", id, detail: describe(error) }, []);
    }
  }

  return (message) => {
    if (message.type === "start") {
      try {
        engine = new Engine(message.module);
      } catch (error) {
        startFailure = error;
      }
    } else {
      void answer(message.type, message.id, message.ask as never);
    }
  };
}

function running(engine: Engine | undefined, failure: unknown): Engine {
  if (!engine) throw failure;
  return engine;
}

/** A file's bytes, what has read them while they arrived, or both. */
interface Taken {
  bytes: Uint8Array | undefined;
  arrival: Arrival | undefined;
}

interface Reading {
  /** What is to read the file while it arrives, if that has a use; told its first piece and its length. */
  open(head: Uint8Array, length: number): Arrival | undefined;
  early(fingerprint: Uint8Array): void;
  /** Told all bytes, if it is there, before the last of them are read. */
  whole: ((bytes: Uint8Array) => void) | undefined;
}

/** Takes a file in. */
async function take(file: Blob | Uint8Array, { open, early, whole }: Reading): Promise<Taken> {
  const [given, pieces] = file instanceof Uint8Array ? [file, partsOf(file)] : [undefined, piecesOf(file)];
  const size = file instanceof Uint8Array ? file.byteLength : file.size;
  let arrival: Arrival | undefined;
  let bytes = given;
  let length = 0;
  try {
    if (given) whole?.(given);
    for await (const piece of pieces) {
      if (length === 0) arrival = open(piece, size);
      length += piece.byteLength;
      if (length > size) break;
      if (!arrival || whole) bytes ??= new Uint8Array(size);
      if (!given) bytes?.set(piece, length - piece.byteLength);
      if (!given && bytes && length === size) whole?.(bytes);
      arrival?.push(piece);
      const known = arrival?.early();
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
    // After a trap there is nothing to free.
    if (error instanceof Unreadable) arrival?.free();
    throw error;
  }
  return { bytes, arrival };
}

async function wholeOf(file: Blob | Uint8Array): Promise<Uint8Array> {
  const { bytes } = await take(file, { open: () => undefined, early: () => {}, whole: undefined });
  return bytes ?? new Uint8Array();
}

/** Lets the lookup begin: where processors are few, what is left to do here must not keep it from one. */
function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** The most that is taken of a file at a time. */
const PIECE = 1 << 18;

/** Bytes in pieces, so that they need not be in linear memory as a whole. */
function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  // Of no bytes an empty piece.
  for (let at = 0; at === 0 || at < bytes.byteLength; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** Streams that are read: Chromium collects one as garbage while its reader waits, and then nothing comes any more. */
const held = new Set<ReadableStream>();

/** A file's pieces, of an empty one an empty piece. What a piece was is lost when the next is asked for. */
async function* piecesOf(file: Blob): AsyncGenerator<Uint8Array> {
  let stream: ReadableStream<Uint8Array> | undefined;
  let reader: Reader | undefined;
  let length = 0;
  try {
    stream = file.stream();
    held.add(stream);
    reader = readerOf(stream, Math.min(file.size, PIECE));
    // Further than to the last byte of an empty file alone, which is asked whether it is empty still: streams take a while to end.
    do {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      if (value.byteLength > 0) yield value;
    } while (length < file.size);
    if (length === 0) yield new Uint8Array();
  } catch (error) {
    // A folder, a file that was changed or removed since it was chosen, or one that is too large for memory.
    throw new Unreadable(`the file's bytes can't be had: ${describe(error)}`);
  } finally {
    if (stream) held.delete(stream);
    // One that was read ends by itself, beside what comes next here.
    if (length < file.size) reader?.cancel().catch(() => {});
  }
}

interface Reader {
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  cancel(): Promise<void>;
}

/** Reads into one buffer, again and again, where the platform knows how to, which is less work than a new one for every piece. */
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

/** Undefined on insecure origins. */
function hasWebCrypto(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

async function sha256Of(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

type Coded = Error & { code: GateErrorCode; expected?: string; got?: string; refusedAt?: number };

function isCoded(error: unknown): error is Coded {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

function faultOf(error: Coded): Fault {
  return { code: error.code, message: error.message, expected: error.expected, got: error.got };
}

/** Says which filter was refused. */
function refusedFilter(error: unknown, sources: Source[]): Refused | undefined {
  if (!isCoded(error) || error.refusedAt === undefined) return undefined;
  const source = sources[error.refusedAt];
  const url = source && "url" in source ? source.url : undefined;
  const what = url ?? `filters[${error.refusedAt}]`;
  return new Refused({ ...faultOf(error), message: `${what}: ${error.message}`, url });
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
