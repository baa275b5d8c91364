// The hashing workers: started when there is work, replaced when they trap, hang, are aborted or have grown.

import type { Asks, Fingerprinted } from "../protocol.js";
import { Connection, type Host, WorkerLost } from "./connection.js";

export interface PoolOptions {
  size: number;
  timeoutMs: number;
  idleMs: number;
  maxIdleMemoryBytes: number;
}

interface Job {
  ask: Omit<Asks["fingerprint"], "file">;
  open(): Promise<Blob | Uint8Array>;
  early(fingerprint: Uint8Array): void;
  signal: AbortSignal | undefined;
  resolve(answer: Fingerprinted): void;
  reject(error: unknown): void;
}

export class HashingPool {
  readonly #host: Host;
  readonly #module: WebAssembly.Module;
  readonly #options: PoolOptions;
  readonly #queue: Job[] = [];
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #reaper: ReturnType<typeof setTimeout> | undefined;
  #closed: unknown;

  constructor(host: Host, module: WebAssembly.Module, options: PoolOptions) {
    this.#host = host;
    this.#module = module;
    this.#options = options;
  }

  /**
   * Queues a file for the next free worker. Calls `open` once that worker is free, so that files that wait aren't held in
   * memory. Calls `early` if the picture is known before the file was read to its end. Rejects with {@link WorkerLost} if
   * that worker is lost over the file.
   */
  run(
    ask: Omit<Asks["fingerprint"], "file">,
    open: () => Promise<Blob | Uint8Array>,
    early: (fingerprint: Uint8Array) => void,
    signal: AbortSignal | undefined,
  ): Promise<Fingerprinted> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        const place = this.#queue.indexOf(job);
        if (place >= 0) this.#queue.splice(place, 1);
        reject(signal?.reason);
      };
      const job: Job = {
        ask,
        open,
        early,
        signal,
        resolve(answer) {
          signal?.removeEventListener("abort", abort);
          resolve(answer);
        },
        reject(error) {
          signal?.removeEventListener("abort", abort);
          reject(error);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#queue.push(job);
      this.#pump();
    });
  }

  /** True until the first file. */
  get isUnused(): boolean {
    return this.#closed === undefined && this.#busy.size === 0 && this.#idle.length === 0;
  }

  close(reason: unknown): void {
    this.#closed = reason;
    clearTimeout(this.#reaper);
    for (const worker of [...this.#idle, ...this.#busy]) worker.end(reason);
    this.#idle.length = 0;
    for (const job of this.#queue.splice(0)) job.reject(reason);
  }

  #pump(): void {
    while (this.#closed === undefined && this.#queue.length > 0 && this.#busy.size < this.#options.size) {
      const job = this.#queue.shift();
      if (job) void this.#work(job);
    }
  }

  async #work(job: Job): Promise<void> {
    let worker = this.#idle.pop();
    while (worker?.isLost) worker = this.#idle.pop();
    worker ??= new Connection(this.#host, this.#module);
    const connection = worker;
    this.#busy.add(connection);
    // Hashing can't be interrupted from inside: to free the worker is to end it.
    const abort = () => connection.end(job.signal?.reason);
    job.signal?.addEventListener("abort", abort, { once: true });
    const seconds = this.#options.timeoutMs / 1000;
    const timer = setTimeout(
      () => connection.end(new WorkerLost(`the engine took longer than ${seconds} s`)),
      this.#options.timeoutMs,
    );
    try {
      const file = await job.open();
      const transfer = file instanceof Uint8Array ? [file.buffer as ArrayBuffer] : [];
      const answer = await connection.ask("fingerprint", { ...job.ask, file }, transfer, { early: job.early });
      if (answer.memoryBytes > this.#options.maxIdleMemoryBytes) connection.end(new WorkerLost("it has grown"));
      job.resolve(answer);
    } catch (error) {
      job.reject(error);
    } finally {
      clearTimeout(timer);
      job.signal?.removeEventListener("abort", abort);
      this.#busy.delete(connection);
      if (!connection.isLost) this.#idle.push(connection);
      this.#pump();
      this.#reapLater();
    }
  }

  /** Closes the idle workers but for one after a while without work. */
  #reapLater(): void {
    clearTimeout(this.#reaper);
    if (this.#closed !== undefined || this.#busy.size > 0) return;
    this.#reaper = setTimeout(() => {
      for (const worker of this.#idle.splice(1)) worker.end(new WorkerLost("it was idle"));
    }, this.#options.idleMs);
    // In Node, a timer must not keep the process.
    (this.#reaper as { unref?: () => void }).unref?.();
  }
}
