// The hashing workers. The pool starts them when there is work, and replaces a worker that traps, hangs, is aborted, or
// has grown too large.

import { Connection, type Host, WorkerLost } from "./connection.js";

export interface PoolOptions {
  size: number;
  timeoutMs: number;
  idleMs: number;
  maxIdleMemoryBytes: number;
}

/**
 * A piece of work for a worker. Long work calls `alive` now and then, so that the pool doesn't give the worker up. The
 * result may tell the size of the worker's linear memory.
 */
export type Work<T> = (worker: Connection, alive: () => void) => Promise<T>;

interface Job {
  module: WebAssembly.Module;
  work: Work<unknown>;
  signal: AbortSignal | undefined;
  resolve(answer: unknown): void;
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
   * Queues work for the next free worker. The work opens its file when it begins, so that waiting files take no
   * memory. Rejects with {@link WorkerLost} if the worker is lost during the work. Work for another engine than the
   * pool's own is the second half of a check, so it comes before the files that wait.
   */
  run<T>(work: Work<T>, signal: AbortSignal | undefined, module = this.#module): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise<unknown>((resolve, reject) => {
      const abort = () => {
        const place = this.#queue.indexOf(job);
        if (place >= 0) this.#queue.splice(place, 1);
        reject(signal?.reason);
      };
      const done = () => signal?.removeEventListener("abort", abort);
      const job: Job = {
        module,
        work,
        signal,
        resolve(answer) {
          done();
          resolve(answer);
        },
        reject(error) {
          done();
          reject(error);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      if (module === this.#module) this.#queue.push(job);
      else this.#queue.unshift(job);
      this.#pump();
    }) as Promise<T>;
  }

  /** Whether no work was queued so far. */
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
    const connection = this.#workerFor(job.module);
    this.#busy.add(connection);
    // Hashing can't be interrupted, so an aborted worker is ended.
    const abort = () => connection.end(job.signal?.reason);
    job.signal?.addEventListener("abort", abort, { once: true });
    const seconds = this.#options.timeoutMs / 1000;
    const slow = () => connection.end(new WorkerLost(`the engine took longer than ${seconds} s`));
    let timer = setTimeout(slow, this.#options.timeoutMs);
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(slow, this.#options.timeoutMs);
    };
    try {
      const answer = await job.work(connection, alive);
      if (memoryOf(answer) > this.#options.maxIdleMemoryBytes) connection.end(new WorkerLost("it has grown"));
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

  /**
   * Takes an idle worker that runs the engine `module`, or starts one. At most `size` workers work at once. One more
   * worker may be idle. Without it, files that need the two engines in turn would each start a worker.
   */
  #workerFor(module: WebAssembly.Module): Connection {
    const idle = this.#idle.splice(0).filter((worker) => !worker.isLost);
    const found = idle.filter((worker) => worker.module === module).pop();
    const others = idle.filter((worker) => worker !== found);
    const tooMany = found ? 0 : Math.max(0, others.length + this.#busy.size - this.#options.size);
    for (const worker of others.splice(0, tooMany)) worker.end(new WorkerLost("its place is needed"));
    this.#idle.push(...others);
    return found ?? new Connection(this.#host, module);
  }

  /**
   * After a while without work, closes all idle workers except one, if possible one that runs the pool's own engine.
   */
  #reapLater(): void {
    clearTimeout(this.#reaper);
    if (this.#closed !== undefined || this.#busy.size > 0) return;
    this.#reaper = setTimeout(() => {
      const kept = this.#idle.find((worker) => worker.module === this.#module) ?? this.#idle[0];
      for (const worker of this.#idle.splice(0)) {
        if (worker === kept) this.#idle.push(worker);
        else worker.end(new WorkerLost("it was idle"));
      }
    }, this.#options.idleMs);
    // In Node, this timer must not keep the process running.
    (this.#reaper as { unref?: () => void }).unref?.();
  }
}

function memoryOf(answer: unknown): number {
  const has = typeof answer === "object" && answer !== null && "memoryBytes" in answer;
  return has && typeof answer.memoryBytes === "number" ? answer.memoryBytes : 0;
}
