// The page's end of one worker: requests out, answers in, and what happens when the worker dies.
import { GateError } from "../errors.js";
import type { Answers, Asks, FromWorker, Operation, Push, ToWorker } from "../protocol.js";
import type { Progress } from "../types/types.js";

/** A worker of the platform. */
export interface PlatformWorker {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  terminate(): void;
}

export interface Listener {
  message(message: FromWorker): void;
  /** The worker can't be started, or died. */
  error(detail: string): void;
}

/** What differs between a page and Node. */
export interface Host {
  /** Throws, or reports an error later, if there is no such worker. */
  startWorker(listener: Listener): PlatformWorker;
  compile(): Promise<WebAssembly.Module>;
  /** The engine that reads every format. Gives up after so many milliseconds; the next call tries again. */
  compileFormats(timeoutMs: number): Promise<WebAssembly.Module>;
  /** Makes a URL absolute, as the worker has another base. */
  resolve(url: string | URL): string;
  processors(): number;
  /** Whether a worker can be handed this Blob. If not, its bytes are read here. */
  takesBlob(blob: unknown): blob is Blob;
  /** Calls back when nothing else is to be done, if the platform knows. */
  whenIdle?(callback: () => void): void;
}

/** The worker is gone or must go: it trapped, couldn't start, or was ended over time. */
export class WorkerLost extends Error {}

/** The blob's bytes could not be read. */
export class UnreadableFile extends Error {}

/** What is heard of a request before its answer. */
export interface Meanwhile {
  progress?: ((progress: Progress) => void) | undefined;
  early?: (fingerprint: Uint8Array) => void;
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
      // A Content-Security-Policy or a foreign origin makes some browsers throw here.
      this.end(new WorkerLost(error instanceof Error ? error.message : String(error)));
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  ask<O extends Operation>(
    type: O,
    ask: Asks[O],
    transfer: ArrayBuffer[] = [],
    meanwhile: Meanwhile = {},
  ): Promise<Answers[O]> {
    return new Promise<Answers[Operation]>((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      const id = this.#nextId++;
      this.#pending.set(id, { ...meanwhile, resolve, reject });
      this.#worker?.post({ type, id, ask } as ToWorker, transfer);
    }) as Promise<Answers[O]>;
  }

  /** Ends the worker; what is pending, and whatever is asked later, rejects with `reason`. */
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
