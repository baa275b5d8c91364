// What a gate has to check against, and how it came by it.
import type { GateErrorCode } from "../errors.js";

export type { FilterInfo } from "../generated/core.js";

/** What went wrong, and when. */
export interface StatusError {
  code: GateErrorCode;
  message: string;
  atUnixS: number;
}

/** How a refresh went. */
export interface Refresh {
  atUnixS: number;
  /** `elsewhere`: another tab was refreshing the list, and tells this one of a new release. */
  outcome: "updated" | "unchanged" | "elsewhere" | "failed";
  /** How the new release came: as a whole, as the difference to the one before, or out of storage, where another tab had put it. */
  by?: "full" | "delta" | "storage";
  /** Bytes that were downloaded, the manifest's included. */
  bytes: number;
}

/** Where downloaded lists are kept. */
export interface StorageState {
  /** `memory`: gone with the gate. `none`: the gate was opened with `filters`, which aren't kept. */
  kind: "indexeddb" | "folder" | "memory" | "none";
  /** Why memory must do, or what storage refused. */
  problem?: { reason: "unavailable" | "quota-exceeded" | "evicted"; message: string };
}

/** A state of a public log. Two gates that hold the same size with different roots were shown different lists. */
export interface Checkpoint {
  /** Name of the log. */
  origin: string;
  /** Number of entries. */
  size: number;
  /** Root of the Merkle tree of all entries, in Base64. */
  root: string;
}

/** The checkpoint that the release was proved by, and who has seen it. */
export interface LoggedCheckpoint extends Checkpoint {
  /** Place of the release in the log. */
  index: number;
  /** Names of the trusted witnesses that have cosigned. */
  witnesses: string[];
  /** By then enough witnesses had cosigned. Left out without witnesses. */
  witnessedUnixS?: number;
  /** The signed checkpoint: evidence, if another one contradicts it. */
  note: string;
}

/** How this device's clock is wrong. */
export interface ClockHint {
  /**
   * `behind`: witnesses have shown that it is later. The gate goes by their time. `ahead`: the list seems expired by this
   * clock and not by its server's, which may be wrong as well.
   */
  off: "behind" | "ahead";
  /** By at least so many seconds. */
  byS: number;
  /** Who says so. */
  by: "witnesses" | "server";
}

/** The state of a gate, as {@link Gate.status} tells it. What isn't known or doesn't apply is left out. */
export interface GateStatus {
  /** `current`: checks are answered from this list. */
  state: "current" | "expired" | "none";
  /** URL of the manifest. */
  source?: string;
  /** Name of the list. With several `filters`, this and the next four are left out. */
  list?: string;
  category?: string;
  release?: number;
  issuedUnixS?: number;
  expiresUnixS?: number;
  /** Hashes and digests on the list, all filters together. */
  entries: number;
  /** Bytes of the filter, all together. */
  bytes: number;
  /** Names of the trusted keys that have signed. */
  signedBy?: string[];
  /** Who vouches for the list, in their own words. */
  curators?: string[];
  /** Entries that were withdrawn since the release before, if the curators say so. */
  withdrawn?: number;
  /** Address of the curators' policy. */
  policy?: string;
  /** Where to object to an entry: `https:` or `mailto:`. */
  appeals?: string;
  /** Whose law the curators act under, in their own words. */
  jurisdiction?: string;
  /** The public log that proves that others are given the same list, if `trust.log` is set. Compare it: `hashgate compare`. */
  checkpoint?: LoggedCheckpoint;
  /** This device's clock seems to be wrong. */
  clock?: ClockHint;
  /** Where this gate has the list from; `host`: the bytes were handed over. */
  from?: "network" | "storage" | "host";
  /** The highest release that was seen here. The gate refuses an older one. */
  highestRelease?: number;
  storage: StorageState;
  /** A refresh is under way. */
  refreshing: boolean;
  lastRefresh?: Refresh;
  /** When the next refresh is due. */
  nextRefreshUnixS?: number;
  /** What went wrong last; gone after a refresh without a fault. */
  lastError?: StatusError;
}

/** How far the download of a filter has come, in bytes. */
export interface Progress {
  url: string;
  loaded: number;
  /** Unknown if the server doesn't say, or compresses. */
  total: number | undefined;
}
