// The one worker that holds the filters. If it dies, the next lookup starts another and loads them again.

import type { Verdict as CoreVerdict } from "../generated/core.js";
import type { Answers, Asks, Following, Loaded } from "../protocol.js";
import type { GateStatus, Progress } from "../types/types.js";
import { Connection, type Host, WorkerLost } from "./connection.js";

/** Thrown if the filters can't be loaded again after the worker was lost. */
export class FiltersLost extends Error {}

/** The source of the worker's filters: filter files, or a published list that it follows. */
export type Feed = { load: Asks["load"] } | { follow: Following };

export interface LookupListener {
  progress: ((progress: Progress) => void) | undefined;
  /** Called with each new status of a followed list. */
  status(status: GateStatus): void;
}

export class LookupWorker {
  readonly #host: Host;
  readonly #module: WebAssembly.Module;
  readonly #feed: Feed;
  readonly #timeoutMs: number;
  readonly #listener: LookupListener;
  #current: Promise<Connection>;
  #closed: unknown;
  #connection: Connection | undefined;
  loaded: Loaded | undefined;

  constructor(host: Host, module: WebAssembly.Module, feed: Feed, timeoutMs: number, listener: LookupListener) {
    this.#host = host;
    this.#module = module;
    this.#feed = feed;
    this.#timeoutMs = timeoutMs;
    this.#listener = listener;
    this.#current = this.#start(listener.progress);
  }

  /**
   * Resolves when the filters are loaded and verified. For a followed list, resolves even if there is no filter yet.
   */
  async ready(): Promise<void> {
    await this.#current;
  }

  /**
   * Begins an early lookup, before the rest of the file was read. Ignores errors, because {@link lookUp} will meet
   * them.
   */
  begin(ask: Asks["begin"]): void {
    void this.#ask("begin", ask).catch(() => {});
  }

  /**
   * Resolves to undefined if the followed list can't be used. Rejects with {@link WorkerLost} if the worker dies during
   * the lookup, and with {@link FiltersLost} if the filters can't be loaded.
   */
  lookUp(ask: Asks["lookUp"]): Promise<CoreVerdict | undefined> {
    return this.#ask("lookUp", ask);
  }

  async #ask<O extends "begin" | "lookUp">(operation: O, ask: Asks[O]): Promise<Answers[O]> {
    const connection = await this.#alive();
    const seconds = this.#timeoutMs / 1000;
    const slow = () => connection.end(new WorkerLost(`the lookup took longer than ${seconds} s`));
    const timer = setTimeout(slow, this.#timeoutMs);
    return connection.ask(operation, ask).finally(() => clearTimeout(timer));
  }

  /** Starts another worker if this one is lost. */
  async revive(): Promise<void> {
    await this.#alive();
  }

  /** Looks for a newer release of the followed list. */
  async refresh(): Promise<void> {
    await (await this.#alive()).ask("refresh", undefined);
  }

  close(reason: unknown): void {
    this.#closed = reason;
    this.#connection?.end(reason);
  }

  async #alive(): Promise<Connection> {
    if (this.#closed !== undefined) throw this.#closed;
    const connection = await this.#current.catch(() => undefined);
    if (connection && !connection.isLost) return connection;
    // The first lookup after the loss starts the new worker. A failure isn't kept, so that the next lookup tries again.
    if (this.#connection?.isLost) this.#current = this.#start(undefined);
    try {
      return await this.#current;
    } catch (error) {
      if (this.#closed !== undefined) throw this.#closed;
      throw new FiltersLost(error instanceof Error ? error.message : String(error));
    }
  }

  async #start(progress: ((progress: Progress) => void) | undefined): Promise<Connection> {
    const connection = new Connection(this.#host, this.#module, (push) => {
      if (push.type === "download") {
        const { url, loaded, total } = push;
        return this.#listener.progress?.({ url, loaded, total });
      }
      this.loaded = push.loaded;
      this.#listener.status(push.status);
    });
    this.#connection = connection;
    try {
      if ("follow" in this.#feed) await connection.ask("follow", this.#feed.follow);
      else this.loaded = await connection.ask("load", this.#feed.load, [], { progress });
      return connection;
    } catch (error) {
      connection.end(error);
      throw error;
    }
  }
}
