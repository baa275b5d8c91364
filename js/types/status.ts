// The status of a gate: which list it checks against, and where the list came from.
import type { GateErrorCode } from "./error-codes.js";

export type { FilterInfo } from "../generated/core.js";

/** An error, with the time at which it happened. */
export interface StatusError {
  code: GateErrorCode;
  message: string;
  atUnixS: number;
}

/** How a refresh went. */
export interface Refresh {
  atUnixS: number;
  /** `elsewhere`: another tab is refreshing the list, and tells this tab about a new release. */
  outcome: "updated" | "unchanged" | "elsewhere" | "failed";
  /**
   * How the new release came: as the full file, as a delta to the previous release, or from storage, where another tab
   * had put it.
   */
  by?: "full" | "delta" | "storage";
  /** Bytes that were downloaded, including the manifest. */
  bytes: number;
}

/** Where downloaded lists are kept. */
export interface StorageState {
  /**
   * `memory`: the list is lost when the gate is closed. `none`: the gate was opened with `filters`, which aren't
   * stored.
   */
  kind: "indexeddb" | "folder" | "memory" | "none";
  /** Why the list is only in memory: the storage could not be used, was full, or was emptied by the browser. */
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

/** The log checkpoint that proves the current release, and the witnesses who cosigned it. */
export interface LoggedCheckpoint extends Checkpoint {
  /** Place of the release in the log. */
  index: number;
  /** Names of the trusted witnesses that have cosigned. */
  witnesses: string[];
  /** The time at which enough witnesses had cosigned the checkpoint. Left out if no witnesses are trusted. */
  witnessedUnixS?: number;
  /**
   * The signed text of the checkpoint. If another signed checkpoint contradicts it, both are evidence against the log.
   */
  note: string;
}

/** Tells that this device's clock seems to be wrong. */
export interface ClockHint {
  /**
   * `behind`: witnesses signed at a later time than the clock shows; the gate then uses their time. `ahead`: by this
   * clock the list has expired, but not by its server's clock (which may also be wrong).
   */
  off: "behind" | "ahead";
  /** The clock is wrong by at least this many seconds. */
  byS: number;
  /** Whose time contradicts this device's clock: that of the log's witnesses, or that of the list's server. */
  by: "witnesses" | "server";
}

/** The status of a gate, which {@link Gate.status} returns. Fields that are unknown or don't apply are left out. */
export interface GateStatus {
  /**
   * `current`: the list is in use. `expired`: the list is past its signed expiry and not used. `none`: there is no
   * list.
   */
  state: "current" | "expired" | "none";
  /** URL of the manifest. */
  source?: string;
  /** Name of the list. If the gate was opened with several `filters`, this and the next four fields are left out. */
  list?: string;
  category?: string;
  release?: number;
  issuedUnixS?: number;
  expiresUnixS?: number;
  /** Number of hashes and digests on the list, summed over all filters. */
  entries: number;
  /** Bytes of the filter files, summed over all filters. */
  bytes: number;
  /** Names of the trusted keys that have signed. */
  signedBy?: string[];
  /** Who vouches for the list, in their own words. */
  curators?: string[];
  /** Number of entries withdrawn since the previous release, if the curators publish it. */
  withdrawn?: number;
  /** Address of the curators' policy. */
  policy?: string;
  /** Where to object to an entry: `https:` or `mailto:`. */
  appeals?: string;
  /** The law under which the curators act, in their own words. */
  jurisdiction?: string;
  /**
   * The state of the public log that contains the release, if `trust.log` is set. To see that others are given the same
   * list, compare it with theirs: `hashgate compare`.
   */
  checkpoint?: LoggedCheckpoint;
  /** This device's clock seems to be wrong. */
  clock?: ClockHint;
  /** The place from which this gate got the list. `host`: the host passed the bytes. */
  from?: "network" | "storage" | "host";
  /** The highest release that this browser or folder has seen. The gate refuses an older one. */
  highestRelease?: number;
  storage: StorageState;
  /** Whether the list is being refreshed. */
  refreshing: boolean;
  lastRefresh?: Refresh;
  /** When the next refresh is due. */
  nextRefreshUnixS?: number;
  /** The last error. A refresh without an error removes it. */
  lastError?: StatusError;
}

/** How far the download of a filter has come, in bytes. */
export interface Progress {
  url: string;
  loaded: number;
  /** Undefined if the server doesn't declare the length, or compresses the file. */
  total: number | undefined;
}
