// The page's connection to one worker: sends requests, receives answers, and notices when the worker dies.
import { GateError } from "../errors.js";
import type { Answers, Asks, FromWorker, Operation, OwnFormat, Push, SampledFrame, ToWorker } from "../protocol.js";
import type { BlobLike, Progress } from "../types/types.js";
import type { Arrivals, Bounds, ByteStream } from "./arrivals.js";
import { UnreadableFile } from "./input.js";

/** The methods that the gate uses of a browser's or Node's worker. */
export interface PlatformWorker {
  post(message: ToWorker, transfer: Transferable[]): void;
  terminate(): void;
}

export interface Listener {
  message(message: FromWorker): void;
  /** Called if the worker can't be started, or has died. */
  error(detail: string): void;
}

/** The functions that differ between a page and Node. */
export interface Host {
  /** Starts a worker. If that fails, throws or calls `listener.error`. */
  startWorker(listener: Listener): PlatformWorker;
  compile(): Promise<WebAssembly.Module>;
  /** Compiles the engine that reads every format. Gives up after `timeoutMs`; the next call tries again. */
  compileFormats(timeoutMs: number): Promise<WebAssembly.Module>;
  /** Compiles the decoder of a format, in the same way. */
  compileDecoder(format: OwnFormat, timeoutMs: number): Promise<WebAssembly.Module>;
  /** Compiles the reader of films, in the same way. Missing where films can't be decoded. */
  compileFilms?(timeoutMs: number): Promise<WebAssembly.Module>;
  /** Makes a URL absolute, because the worker resolves relative URLs against another base. */
  resolve(url: string | URL): string;
  processors(): number;
  /** Returns whether this Blob can be posted to a worker. If not, the gate reads its bytes and posts them. */
  takesBlob(blob: unknown): blob is Blob;
  /**
   * Opens what the platform takes besides Blobs and bytes. Returns undefined for anything else. Missing in a page.
   */
  open?(input: unknown): Promise<Opened> | undefined;
  /** Makes the object that reads the streams which {@link open} opened. */
  arrivals?(bounds: Bounds): Arrivals;
  /** Calls `callback` when the page is idle. Missing in Node. */
  whenIdle?(callback: () => void): void;
}

/** What {@link Host.open} opened. */
export type Opened = { blob: BlobLike } | { stream: ByteStream };

/** The worker is lost: it trapped, couldn't start, or took too long and was ended. */
export class WorkerLost extends Error {}

/** Called with messages about a request that come before its answer. */
export interface Meanwhile {
  progress?: ((progress: Progress) => void) | undefined;
  early?: (fingerprint: Uint8Array) => void;
  frame?: (frame: SampledFrame) => void;
  seconds?: (seconds: number, of: number) => void;
}

interface Pending extends Meanwhile {
  resolve(answer: Answers[Operation]): void;
  reject(error: unknown): void;
}

export class Connection {
  /** The engine that the worker runs. */
  readonly module: WebAssembly.Module;
  readonly #worker: PlatformWorker | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #pushed: ((push: Push) => void) | undefined;
  #lost: unknown;
  #nextId = 1;

  constructor(host: Host, module: WebAssembly.Module, pushed?: (push: Push) => void) {
    this.module = module;
    this.#pushed = pushed;
    try {
      this.#worker = host.startWorker({
        message: (message) => this.#receive(message),
        error: (detail) => this.end(new WorkerLost(detail)),
      });
      this.#worker.post({ type: "start", module }, []);
    } catch (error) {
      // Some browsers throw here if a Content-Security-Policy or the worker's origin forbids the worker.
      this.end(new WorkerLost(error instanceof Error ? error.message : String(error)));
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  ask<O extends Operation>(
    type: O,
    ask: Asks[O],
    transfer: Transferable[] = [],
    meanwhile: Meanwhile = {},
  ): Promise<Answers[O]> {
    return new Promise<Answers[Operation]>((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      const id = this.#nextId++;
      this.#pending.set(id, { ...meanwhile, resolve, reject });
      this.#worker?.post({ type, id, ask } as ToWorker, transfer);
    }) as Promise<Answers[O]>;
  }

  /** Ends the worker. Pending and later requests reject with `reason`. */
  end(reason: unknown): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    this.#worker?.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }

  #receive(message: FromWorker): void {
    if (message.type === "broken") {
      this.end(new WorkerLost(message.detail));
      return;
    }
    if (message.type === "state" || message.type === "download") {
      if (!this.isLost) this.#pushed?.(message);
      return;
    }
    if (message.type === "loaded") return;
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === "progress") {
      const { url, loaded, total } = message;
      pending.progress?.({ url, loaded, total });
      return;
    }
    if (message.type === "early") {
      pending.early?.(message.fingerprint);
      return;
    }
    if (message.type === "frame") {
      pending.frame?.(message.frame);
      return;
    }
    if (message.type === "seconds") {
      pending.seconds?.(message.seconds, message.of);
      return;
    }
    this.#pending.delete(message.id);
    if (message.type === "done") pending.resolve(message.answer);
    else if (message.type === "refused") pending.reject(new GateError(message.fault));
    else if (message.type === "unreadable") pending.reject(new UnreadableFile(message.detail));
    else {
      const lost = new WorkerLost(message.detail);
      pending.reject(lost);
      this.end(lost);
    }
  }
}
