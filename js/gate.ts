// A gate: the pool hashes, the lookup worker answers, and every way to fail has its own answer.
import { type Host, UnreadableFile, WorkerLost } from "./connection.js";
import { GateError } from "./errors.js";
import { FiltersLost, LookupWorker } from "./lookup.js";
import { HashingPool } from "./pool.js";
import type { Source } from "./protocol.js";
import type {
  CheckOptions,
  FilterInfo,
  FilterSource,
  Gate,
  GateOptions,
  Input,
  Unchecked,
  UncheckedReason,
  Verdict,
} from "./types.js";
import { drawnJpeg } from "./warmup.js";

const MIB = 1024 * 1024;

/** Opens a gate on a host. */
export async function openGateOn(host: Host, options: GateOptions): Promise<Gate> {
  if (!Array.isArray(options?.filters) || options.filters.length === 0) {
    throw invalid("filters", "at least one filter", "none");
  }
  const workers = atLeastOne("workers", options.workers ?? Math.min(4, host.processors() - 1), options.workers);
  const sources = options.filters.map((filter) => sourceOf(host, filter));
  options.signal?.throwIfAborted();
  const module = options.wasmModule ?? (await host.compile());
  options.signal?.throwIfAborted();

  const { maxFilterBytes = 64 * MIB, timeoutMs = 60_000 } = options;
  const lookup = new LookupWorker(host, module, sources, maxFilterBytes, timeoutMs, options.onProgress);
  const abort = () => lookup.close(options.signal?.reason);
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    await lookup.ready();
  } catch (error) {
    if (!(error instanceof WorkerLost)) throw error;
    const message = `the worker can't be started: ${error.message}`;
    throw new GateError({ code: "worker-unavailable", message }, { cause: error });
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
  const pool = new HashingPool(host, module, {
    size: workers,
    timeoutMs,
    idleMs: options.idleMs ?? 30_000,
    maxIdleMemoryBytes: options.maxIdleMemoryBytes ?? 128 * MIB,
  });
  const gate = new OpenGate(pool, lookup, options);
  if (options.warmUp ?? true) host.whenIdle?.(() => pool.isUnused && void gate.warmUp());
  return gate;
}

/** Enough for browsers to have the hot code optimised. */
const WARM_UP_ROUNDS = 16;

class OpenGate implements Gate {
  readonly #pool: HashingPool;
  readonly #lookup: LookupWorker;
  readonly #options: GateOptions;
  #closed: GateError | undefined;

  constructor(pool: HashingPool, lookup: LookupWorker, options: GateOptions) {
    this.#pool = pool;
    this.#lookup = lookup;
    this.#options = options;
  }

  get filters(): readonly FilterInfo[] {
    return this.#lookup.loaded?.filters ?? [];
  }

  async check(input: Input, options: CheckOptions = {}): Promise<Verdict> {
    if (this.#closed) throw this.#closed;
    const { signal } = options;
    signal?.throwIfAborted();
    const size = sizeOf(input);
    const most = this.#options.maxFileBytes ?? 256 * MIB;
    if (size > most) return unchecked("too-large", `size in bytes: expected at most ${most}, got ${size}`);
    // The bytes of now: what the caller does to the buffer later doesn't change the answer.
    const file = input instanceof Blob ? input : copyOf(input);
    try {
      const { loaded } = this.#lookup;
      const wanted = loaded?.holds ?? { pdq: true, sha256: true, md5: true };
      const views = options.views ?? this.#options.views ?? "all";
      const ask = { file, wanted, views, limits: this.#options.limits ?? {} };
      const { fingerprint, sha256 } = await this.#pool.run(ask, signal);
      const orientations = options.orientations ?? this.#options.orientations ?? "all";
      return await abortable(this.#lookup.probe({ fingerprint, sha256, orientations }), signal);
    } catch (error) {
      if (this.#closed) throw this.#closed;
      if (signal?.aborted) throw signal.reason;
      if (error instanceof UnreadableFile) return unchecked("unreadable", error.message);
      if (error instanceof WorkerLost) return unchecked("engine-failed", error.message);
      if (error instanceof FiltersLost) return unchecked("unavailable", error.message);
      throw error;
    }
  }

  /** Checks a drawn picture, one at a time, so that a file waits for one at most. */
  async warmUp(): Promise<void> {
    const jpeg = drawnJpeg();
    for (let round = 0; round < WARM_UP_ROUNDS && !this.#closed; round += 1) {
      // Whatever goes wrong is said to the first file.
      const verdict = await this.check(jpeg).catch(() => undefined);
      if (verdict?.outcome === "unchecked" && verdict.reason !== "low-quality") return;
    }
  }

  close(): void {
    this.#closed ??= new GateError({ code: "closed", message: "the gate was closed" });
    this.#pool.close(this.#closed);
    this.#lookup.close(this.#closed);
  }
}

function unchecked(reason: UncheckedReason, detail: string): Unchecked {
  return { outcome: "unchecked", reason, detail, lookups: 0 };
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function sizeOf(input: Input): number {
  if (input instanceof Blob) return input.size;
  if (input instanceof ArrayBuffer || input instanceof Uint8Array) return input.byteLength;
  throw new TypeError(`check: expected a File, Blob, ArrayBuffer or Uint8Array, got ${kindOf(input)}`);
}

function copyOf(input: ArrayBuffer | Uint8Array): Uint8Array {
  return input instanceof ArrayBuffer ? new Uint8Array(input.slice(0)) : Uint8Array.from(input);
}

function sourceOf(host: Host, filter: FilterSource): Source {
  if (typeof filter === "string" || filter instanceof URL) return { url: host.resolve(filter) };
  if (filter instanceof ArrayBuffer || filter instanceof Uint8Array) return { bytes: copyOf(filter) };
  throw invalid("filters", "a URL, an ArrayBuffer or a Uint8Array", kindOf(filter));
}

function atLeastOne(field: string, value: number, given: number | undefined): number {
  if (given !== undefined && !(Number.isInteger(given) && given >= 1)) {
    throw invalid(field, "a whole number of at least 1", String(given));
  }
  return Math.max(1, value);
}

function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "an object") : typeof value;
}

function invalid(field: string, expected: string, got: string): GateError {
  return new GateError({
    code: "invalid-options",
    message: `${field}: expected ${expected}, got ${got}`,
    expected,
    got,
  });
}
