// What the page and its workers say to each other. One script serves both roles: a hashing worker is asked for
// fingerprints alone, the lookup worker is handed the filters.
import type { Fault } from "./errors.js";
import type { FilterInfo, Match, Orientations, Verdict, ViewSet } from "./generated/core.js";
import type { GateStatus, Limits } from "./types/types.js";

/** The signals that are computed of a file. */
export interface Wanted {
  pdq: boolean;
  sha256: boolean;
  md5: boolean;
}

export type Source = { url: string } | { bytes: Uint8Array };

/** The signals of a file, for a lookup. */
export interface Signals {
  /** What the core's first stage serialised. */
  fingerprint: Uint8Array;
  /** From the platform, where it has WebCrypto. */
  sha256: Uint8Array | undefined;
}

export interface Fingerprinted extends Signals {
  /** Size of the linear memory, which never shrinks. */
  memoryBytes: number;
}

/** The log that each release must be in, as the core is told it. */
export interface FollowingLog {
  key: string;
  origin?: string;
  witnesses: string[];
  threshold: number;
  maxAgeS?: number;
}

/** A published list that is to be followed. */
export interface Following {
  manifestUrl: string;
  keys: string[];
  threshold: number;
  /** The list that is trusted; undefined if any list that the keys sign is. */
  list: { name: string; category?: string } | undefined;
  /** Undefined if releases need not be in a log. */
  log: FollowingLog | undefined;
  maxBytes: number;
  timeoutMs: number;
  refreshIntervalMs: number;
  cacheDir: string | undefined;
}

export interface Loaded {
  filters: FilterInfo[];
  holds: Wanted;
}

/** The operations of a worker: what goes in. */
export interface Asks {
  fingerprint: { file: Blob | Uint8Array; wanted: Wanted; views: ViewSet; limits: Limits };
  /** The first 64 KiB of a file, or all of a shorter one. */
  mayBePicture: { head: Uint8Array };
  load: { sources: Source[]; maxBytes: number };
  /** Answered once there is a list, or none could be had; `state` messages tell of it, then and later. */
  follow: Following;
  refresh: undefined;
  /** Looks a picture up before its file is whole, so that `lookUp` finds it done. */
  begin: { fingerprint: Uint8Array; orientations: Orientations };
  /** `dismissed`: matches of earlier answers about this file, which turned out not to be listed. */
  lookUp: { signals: Signals; orientations: Orientations; dismissed: Match[] };
}

/** What comes out. */
export interface Answers {
  fingerprint: Fingerprinted;
  mayBePicture: boolean;
  load: Loaded;
  follow: undefined;
  refresh: undefined;
  begin: undefined;
  /** Undefined if the followed list can't be used. */
  lookUp: Verdict | undefined;
}

export type Operation = keyof Asks;

export type ToWorker =
  | { type: "start"; module: WebAssembly.Module }
  | { [O in Operation]: { type: O; id: number; ask: Asks[O] } }[Operation];

/** Not an answer: the followed list's state, and how far its download has come. */
export type Push =
  | { type: "state"; status: GateStatus; loaded: Loaded | undefined }
  | { type: "download"; url: string; loaded: number; total: number | undefined };

export type FromWorker =
  | Push
  /** The instance is poisoned, outside of any request. */
  | { type: "broken"; detail: string }
  | { type: "progress"; id: number; url: string; loaded: number; total: number | undefined }
  /** What `begin` takes, before the answer to `fingerprint`. */
  | { type: "early"; id: number; fingerprint: Uint8Array }
  | { type: "done"; id: number; answer: Answers[Operation] }
  /** The worker is sound; the request was not. */
  | { type: "refused"; id: number; fault: Fault }
  /** The blob's bytes can't be had. */
  | { type: "unreadable"; id: number; detail: string }
  /** The instance is poisoned: the worker must be replaced. */
  | { type: "poisoned"; id: number; detail: string };

/** Whether a message ends a request; of the others any number may come. */
export function isAnswer({ type }: FromWorker): boolean {
  return type === "done" || type === "refused" || type === "unreadable" || type === "poisoned";
}
