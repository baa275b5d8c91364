// Downloads the files of a followed list. A server may be hostile until a file is verified, so every answer has a size
// limit.
import { describe, type Fault, GateError, type GateErrorCode } from "../../errors.js";
import type { Progress } from "../../types/types.js";
import type { ListStore, Part } from "./store.js";

/** `fetch`, or the function that replaces it. */
export type Open = (url: string, init?: RequestInit) => Promise<Response>;

/** Bytes of the longest manifest that the core reads. */
const MAX_MANIFEST_BYTES = 128 * 1024;
/** Largest number of attempts for a file: in all, and in a row without a new byte. */
const ATTEMPTS = 20;
const IDLE_ATTEMPTS = 3;
const PAUSE_MS = 250;
/** Bytes of a part. If a download breaks off, the next attempt continues after the last complete part. */
const PART_BYTES = 512 * 1024;

export interface Network {
  open: Open;
  /** Milliseconds without a byte after which to give up a download. */
  timeoutMs: number;
  progress(progress: Progress): void;
  /** Counts received bytes, for the status. */
  count(bytes: number): void;
}

export interface Answer {
  text: Uint8Array;
  etag: string | undefined;
  /** The server's time at its answer, in seconds since 1970. */
  dateUnixS: number | undefined;
}

/** The size limit of a small file, and the error codes for a file that is unavailable or larger. */
export interface Small {
  max: number;
  unavailable: GateErrorCode;
  tooLarge: GateErrorCode;
}

const MANIFEST: Small = {
  max: MAX_MANIFEST_BYTES,
  unavailable: "manifest-unavailable",
  tooLarge: "manifest-too-large",
};

/** Downloads the manifest. Returns "unchanged" if it is still the manifest with this `etag`. */
export function fetchManifest(network: Network, url: string, etag: string | undefined): Promise<Answer | "unchanged"> {
  return fetchSmall(network, url, etag, MANIFEST);
}

/** Downloads a small file. Returns "unchanged" if it is still the file with this `etag`. */
export async function fetchSmall(
  network: Network,
  url: string,
  etag: string | undefined,
  { max, unavailable, tooLarge }: Small,
): Promise<Answer | "unchanged"> {
  const refused = (code: GateErrorCode, expected: string, got: string) =>
    new GateError(fault(code, url, expected, got));
  const conditional = etag !== undefined && isOwn(url);
  const watch = new Watch(network.timeoutMs);
  try {
    const init = conditional ? { headers: { "if-none-match": etag } } : {};
    const response = await watch.over(network.open(url, { ...init, ...caching(url), signal: watch.signal }));
    if (conditional && response.status === 304) return "unchanged";
    if (response.status !== 200 || !response.body) {
      void response.body?.cancel().catch(() => {});
      throw refused(unavailable, "HTTP status 200", `HTTP status ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of watch.chunks(response.body)) {
      network.count(chunk.byteLength);
      length += chunk.byteLength;
      if (length > max) throw refused(tooLarge, `at most ${max} bytes`, "more");
      chunks.push(chunk);
    }
    const { headers } = response;
    return { text: joined(chunks, length), etag: headers.get("etag") ?? undefined, dateUnixS: dateOf(headers) };
  } catch (error) {
    throw error instanceof GateError ? error : refused(unavailable, "an answer", describe(error));
  } finally {
    watch.end();
  }
}

/** Returns the server's time by its `Date` header, or undefined without one. Adds the `Age` that a cache declares. */
function dateOf(headers: Headers): number | undefined {
  const time = Date.parse(headers.get("date") ?? "") / 1000 + Number(headers.get("age") ?? 0);
  return Number.isFinite(time) ? Math.floor(time) : undefined;
}

export interface Downloaded {
  bytes: Uint8Array;
  /** Whether the bytes come from several answers, which may be of different versions of the file. */
  pieced: boolean;
}

/** Downloads a file whose length the manifest gives. Continues after the parts that the store already has. */
export async function fetchFile(
  network: Network,
  store: ListStore,
  url: string,
  file: { bytes: number; sha256: string },
): Promise<Downloaded> {
  const whole = new Uint8Array(file.bytes);
  let { length, etag } = restore(await store.parts(file.sha256), whole);
  let kept = length;
  let pieced = length > 0;
  let last = { code: "release-unavailable" as GateErrorCode, got: "nothing" };
  const keep = async () => {
    if (length > kept) await store.addPart(file.sha256, { offset: kept, bytes: whole.slice(kept, length), etag });
    kept = length;
  };
  const startOver = () => {
    length = kept = 0;
  };
  for (let attempt = 0, idle = 0; length < whole.length && attempt < ATTEMPTS && idle < IDLE_ATTEMPTS; attempt += 1) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const start = length;
    const watch = new Watch(network.timeoutMs);
    let silent = false;
    // Whether the answer is compressed. A range counts compressed bytes, but `fetch` returns decompressed ones, so such
    // an answer can't be continued.
    let encoded = false;
    try {
      const response = await watch.over(ask(network, url, start, etag, watch.signal));
      const from = startOf(response, url, start, whole.length);
      if (from === undefined) startOver();
      else {
        if (from < start) startOver();
        pieced &&= from > 0;
        etag = response.headers.get("etag") ?? undefined;
        encoded = response.headers.get("content-encoding") !== null;
        network.progress({ url, loaded: length, total: whole.length });
        for await (const chunk of watch.chunks(response.body as ReadableStream<Uint8Array>)) {
          network.count(chunk.byteLength);
          if (length + chunk.byteLength > whole.length) throw wrongLength(url, whole.length, "more");
          whole.set(chunk, length);
          length += chunk.byteLength;
          network.progress({ url, loaded: length, total: whole.length });
          if (!encoded && length - kept >= PART_BYTES && length < whole.length) await keep();
        }
        last = { code: "release-length", got: `${length} bytes` };
      }
    } catch (error) {
      if (error instanceof GateError) throw error;
      last = { code: "release-unavailable", got: `${length} bytes, then ${describe(error)}` };
      silent = watch.signal.aborted;
    } finally {
      watch.end();
    }
    idle = length > start ? 0 : idle + 1;
    if (length === whole.length) break;
    if (encoded) startOver();
    else await keep();
    pieced = length > 0;
    if (silent) break;
  }
  if (length === whole.length) return { bytes: whole, pieced };
  throw new GateError(fault(last.code, url, `${whole.length} bytes`, last.got));
}

const NOTHING = { length: 0, etag: undefined as string | undefined };

/** Copies the stored parts into `whole`, up to the first gap. Returns the length copied and its ETag. */
function restore(parts: Part[], whole: Uint8Array): typeof NOTHING {
  let { length, etag } = NOTHING;
  for (const part of parts) {
    if (part.offset !== length || length + part.bytes.length > whole.length) break;
    whole.set(part.bytes, length);
    length += part.bytes.length;
    etag = part.etag;
  }
  return { length, etag };
}

function ask(
  network: Network,
  url: string,
  start: number,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = {};
  if (start > 0) headers.range = `bytes=${start}-`;
  // A weak ETag doesn't promise equal bytes. Without `If-Range`, the digest will show whether the parts belong
  // together.
  if (start > 0 && etag?.startsWith('"') && isOwn(url)) headers["if-range"] = etag;
  return network.open(url, { headers, cache: "no-store", signal });
}

/**
 * Returns the offset in the file at which the answer begins; undefined if the server can't continue from `start`.
 * Throws if the declared length doesn't fit the file's, before the bytes are read.
 */
function startOf(response: Response, url: string, start: number, size: number): number | undefined {
  const { status, headers, body } = response;
  const discard = () => void body?.cancel().catch(() => {});
  const range = status === 206 ? /^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1] : undefined;
  if (start > 0 && (status === 416 || (range !== undefined && Number(range) !== start))) {
    discard();
    return undefined;
  }
  if ((status !== 200 && !(status === 206 && start > 0)) || !body) {
    discard();
    throw new GateError(fault("release-unavailable", url, "HTTP status 200", `HTTP status ${status}`));
  }
  const from = status === 206 ? start : 0;
  const length = headers.get("content-length");
  // A page can't see whether another origin's answer is compressed, so the length proves nothing there.
  if (length !== null && isOwn(url) && !headers.get("content-encoding") && Number(length) !== size - from) {
    discard();
    throw wrongLength(url, size, String(from + Number(length)));
  }
  return from;
}

function wrongLength(url: string, expected: number, got: string): GateError {
  return new GateError(fault("release-length", url, `${expected} bytes`, `${got} bytes`));
}

function fault(code: GateErrorCode, url: string, expected: string, got: string): Fault {
  return { code, message: `${url}: expected ${expected}, got ${got}`, url, expected, got };
}

/**
 * Returns whether a URL is of this origin. Requests to other origins have no conditional headers, because those would
 * need a CORS preflight; the browser's HTTP cache makes the conditional request there.
 */
function isOwn(url: string): boolean {
  return typeof origin === "undefined" || new URL(url).origin === origin;
}

function caching(url: string): RequestInit {
  return { cache: isOwn(url) ? "no-store" : "no-cache" };
}

/** Gives up a download when no byte has come for a while. */
class Watch {
  readonly #abort = new AbortController();
  readonly #silence: Promise<never>;
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #giveUp: (error: Error) => void = () => {};

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#silence = new Promise((_, reject) => {
      this.#giveUp = reject;
    });
    this.#silence.catch(() => {});
    this.#restart();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  over<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#silence]);
  }

  async *chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = body.getReader();
    for (;;) {
      this.#restart();
      const { done, value } = await this.over(reader.read());
      if (done) return;
      yield value;
    }
  }

  /** Ends the watch, and aborts what hasn't arrived yet. */
  end(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#giveUp(new Error(`nothing came for ${this.#timeoutMs / 1000} s`));
      this.#abort.abort();
    }, this.#timeoutMs);
  }
}

/** Joins the chunks of a download, `length` bytes in all. */
export function joined(chunks: Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
