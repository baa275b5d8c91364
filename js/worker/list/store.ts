// Where a followed list is kept between visits, and what happens when there is no such place.
import type { StorageState } from "../../types/types.js";
import type { SeenLog } from "./logged.js";

/** The release that is held, but for its bytes. */
export interface Current {
  /** The signed text. */
  manifest: Uint8Array;
  /** Of the answer that brought it. */
  etag: string | undefined;
  release: number;
  /** Of the full file. */
  sha256: string;
  /** When a server last said that this is the newest, in milliseconds since 1970. */
  checkedAtMs: number;
  /** The keys that were trusted then. */
  keys: string[];
  /** The proof that the release is in the public log, if one was asked for. */
  proof?: Uint8Array | undefined;
}

/** What must not be forgotten even if the file is: the highest release that was seen. */
export interface Highest {
  name: string;
  release: number;
  sha256: string;
  keys: string[];
  /** The largest state of the public log that was seen. */
  log?: SeenLog | undefined;
}

/**
 * Whether what was seen `before` counts for those who trust `keys`. With other keys altogether it doesn't: whoever had
 * stolen the old ones could have signed the highest number there is.
 */
export function counts(before: { keys: string[] }, keys: string[]): boolean {
  return before.keys.some((key) => keys.includes(key));
}

export interface Kept {
  current: Current;
  bytes: Uint8Array;
}

/** A piece of a download that broke off. */
export interface Part {
  offset: number;
  bytes: Uint8Array;
  etag: string | undefined;
}

/** The backend didn't answer in time. */
export class Silent extends Error {
  override readonly name = "Silent";
}

/** A place that outlives the gate, for one list. */
export interface Backend {
  readonly kind: StorageState["kind"];
  /** Both, as they were at one moment. */
  read(): Promise<Kept | undefined>;
  current(): Promise<Current | undefined>;
  highest(): Promise<Highest | undefined>;
  /** All or nothing; never an older release over a newer one. */
  swap(kept: Kept): Promise<void>;
  /** Another manifest or time of check for the file that is kept. */
  note(current: Current): Promise<void>;
  remember(highest: Highest): Promise<void>;
  parts(sha256: string): Promise<Part[]>;
  addPart(sha256: string, part: Part): Promise<void>;
  /** Those of all files. */
  dropParts(): Promise<void>;
}

/** Keeps a list in a backend, and in memory what the backend refuses. */
export class ListStore {
  #backend: Backend | undefined;
  /** The release that the backend doesn't hold. */
  #kept: Kept | undefined;
  #highest: Highest | undefined;
  #problem: StorageState["problem"];

  constructor(backend: Backend | undefined, problem?: StorageState["problem"]) {
    this.#backend = backend;
    this.#problem = problem;
  }

  get state(): StorageState {
    const lost = this.#kept !== undefined || (this.#problem && this.#problem.reason !== "quota-exceeded");
    const kind = this.#backend && !lost ? this.#backend.kind : "memory";
    return this.#problem ? { kind, problem: this.#problem } : { kind };
  }

  async read(): Promise<Kept | undefined> {
    return this.#kept ?? (await this.#try((backend) => backend.read()));
  }

  /** What another gate may have put there meanwhile. */
  current(): Promise<Current | undefined> {
    return this.#try((backend) => backend.current());
  }

  async highest(keys: string[]): Promise<Highest | undefined> {
    const stored = await this.#try((backend) => backend.highest());
    if (stored && counts(stored, keys) && stored.release > (this.#highest?.release ?? 0)) this.#highest = stored;
    return this.#highest;
  }

  async swap(kept: Kept): Promise<void> {
    if (this.#backend) this.#problem = undefined;
    const done = await this.#try(async (backend) => {
      await backend.swap(kept);
      await backend.dropParts();
      return true;
    });
    this.#kept = done ? undefined : kept;
  }

  async note(current: Current): Promise<void> {
    if (this.#kept) this.#kept = { ...this.#kept, current };
    else await this.#try((backend) => backend.note(current));
  }

  async remember(highest: Highest): Promise<void> {
    this.#highest = highest;
    await this.#try((backend) => backend.remember(highest));
  }

  async parts(sha256: string): Promise<Part[]> {
    return (await this.#try((backend) => backend.parts(sha256))) ?? [];
  }

  async addPart(sha256: string, part: Part): Promise<void> {
    await this.#try((backend) => backend.addPart(sha256, part));
  }

  async dropParts(): Promise<void> {
    await this.#try((backend) => backend.dropParts());
  }

  /** Whether what the gate answers from is kept at all. */
  async checkKept(sha256: string): Promise<void> {
    if (!this.#backend || this.#kept) return;
    const current = await this.current();
    if (current) return;
    this.#problem ??= { reason: "evicted", message: `storage no longer holds the list with SHA-256 ${sha256}` };
  }

  async #try<T>(work: (backend: Backend) => Promise<T>): Promise<T | undefined> {
    if (!this.#backend) return undefined;
    try {
      return await work(this.#backend);
    } catch (error) {
      const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
      // ENOSPC and EDQUOT are how a file system says it.
      const full = name === "QuotaExceededError" || /ENOSPC|EDQUOT/.test(message);
      this.#problem = { reason: full ? "quota-exceeded" : "unavailable", message: `${name}: ${message}` };
      // A backend that doesn't answer isn't waited for again.
      if (error instanceof Silent) this.#backend = undefined;
      return undefined;
    }
  }
}
