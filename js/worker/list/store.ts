// The list store: keeps a followed list between visits, and in memory where there is no storage.
import type { StorageState } from "../../types/types.js";

/** The newest checkpoint that was seen of a log, and the index of the release that it proved. */
export interface SeenLog {
  origin: string;
  size: number;
  root: string;
  index: number;
}

/** The stored release, without its bytes. */
export interface Current {
  /** The signed text of the manifest. */
  manifest: Uint8Array;
  /** The ETag of the answer that brought the manifest. */
  etag: string | undefined;
  release: number;
  /** SHA-256 of the full file. */
  sha256: string;
  /** When the server last said that this is the newest release, in milliseconds since 1970. */
  checkedAtMs: number;
  /** The keys that were trusted at that time. */
  keys: string[];
  /** The proof that the release is in the public log, if one was asked for. */
  proof?: Uint8Array | undefined;
}

/** The highest release that was seen. It is kept even if the file is deleted, so that no older release is accepted. */
export interface Highest {
  name: string;
  release: number;
  sha256: string;
  keys: string[];
  /** The largest checkpoint of the public log that was seen. */
  log?: SeenLog | undefined;
}

/**
 * Returns whether a record from `before` is used by a client that now trusts `keys`. It isn't used if all keys were
 * replaced: whoever had stolen the old keys could have signed the highest possible release number.
 */
export function counts(before: { keys: string[] }, keys: string[]): boolean {
  return before.keys.some((key) => keys.includes(key));
}

export interface Kept {
  current: Current;
  bytes: Uint8Array;
}

/** A part of a download that broke off. */
export interface Part {
  offset: number;
  bytes: Uint8Array;
  etag: string | undefined;
}

/** Thrown if the backend did not answer in time. */
export class Silent extends Error {
  override readonly name = "Silent";
}

/** A storage for one list that outlives the gate. */
export interface Backend {
  readonly kind: StorageState["kind"];
  /** Reads the stored release and its bytes in one transaction. */
  read(): Promise<Kept | undefined>;
  current(): Promise<Current | undefined>;
  highest(): Promise<Highest | undefined>;
  /** Replaces the stored release, atomically. Never replaces a newer release by an older one. */
  swap(kept: Kept): Promise<void>;
  /** Updates the manifest or the time of the last check, for the same file. */
  note(current: Current): Promise<void>;
  remember(highest: Highest): Promise<void>;
  parts(sha256: string): Promise<Part[]>;
  addPart(sha256: string, part: Part): Promise<void>;
  /** Deletes the parts of all files. */
  dropParts(): Promise<void>;
}

/** Keeps a list in a backend, or in memory if the backend refuses it. */
export class ListStore {
  #backend: Backend | undefined;
  /** The release, if only memory has it because the backend refused it. */
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

  /** Returns the release in the backend, which another gate may have replaced. */
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

  /** Checks that the backend still has the active release, and notes a problem if it hasn't. */
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
      // ENOSPC and EDQUOT are a file system's codes for "full".
      const full = name === "QuotaExceededError" || /ENOSPC|EDQUOT/.test(message);
      this.#problem = { reason: full ? "quota-exceeded" : "unavailable", message: `${name}: ${message}` };
      // Doesn't use a backend again that did not answer.
      if (error instanceof Silent) this.#backend = undefined;
      return undefined;
    }
  }
}
