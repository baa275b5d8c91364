// The one worker that holds the filters. If it dies, the next probe starts another and loads them again.
import { Connection, type Host, WorkerLost } from "./connection.js";
import type { Asks, Loaded, Source } from "./protocol.js";
import type { Progress, Verdict } from "./types.js";

/** The filters can't be had any more. */
export class FiltersLost extends Error {}

export class LookupWorker {
  readonly #host: Host;
  readonly #module: WebAssembly.Module;
  readonly #load: Asks["load"];
  readonly #timeoutMs: number;
  #current: Promise<Connection>;
  #closed: unknown;
  #connection: Connection | undefined;
  loaded: Loaded | undefined;

  constructor(
    host: Host,
    module: WebAssembly.Module,
    sources: Source[],
    maxBytes: number,
    timeoutMs: number,
    progress: ((progress: Progress) => void) | undefined,
  ) {
    this.#host = host;
    this.#module = module;
    this.#load = { sources, maxBytes };
    this.#timeoutMs = timeoutMs;
    this.#current = this.#start(progress);
  }

  /** Resolves when the filters are loaded and verified. */
  async ready(): Promise<Loaded> {
    await this.#current;
    if (!this.loaded) throw new WorkerLost("the filters were not loaded");
    return this.loaded;
  }

  /** Rejects with {@link WorkerLost} if the worker dies over it, with {@link FiltersLost} if none can be had. */
  async probe(ask: Asks["probe"]): Promise<Verdict> {
    const connection = await this.#alive();
    const seconds = this.#timeoutMs / 1000;
    const slow = () => connection.end(new WorkerLost(`the lookup took longer than ${seconds} s`));
    const timer = setTimeout(slow, this.#timeoutMs);
    return connection.ask("probe", ask).finally(() => clearTimeout(timer));
  }

  close(reason: unknown): void {
    this.#closed = reason;
    this.#connection?.end(reason);
  }

  async #alive(): Promise<Connection> {
    if (this.#closed !== undefined) throw this.#closed;
    const connection = await this.#current.catch(() => undefined);
    if (connection && !connection.isLost) return connection;
    // Whoever comes first starts the new one. A failure isn't kept: the next probe tries again.
    if (this.#connection?.isLost) this.#current = this.#start(undefined);
    try {
      return await this.#current;
    } catch (error) {
      if (this.#closed !== undefined) throw this.#closed;
      throw new FiltersLost(error instanceof Error ? error.message : String(error));
    }
  }

  async #start(progress: ((progress: Progress) => void) | undefined): Promise<Connection> {
    const connection = new Connection(this.#host, this.#module);
    this.#connection = connection;
    try {
      this.loaded = await connection.ask("load", this.#load, [], progress);
      return connection;
    } catch (error) {
      connection.end(error);
      throw error;
    }
  }
}
