// What the page and its workers say to each other. One script serves both roles: a hashing worker is asked
// for fingerprints alone, the lookup worker is handed the filters.
import type { Fault } from "./errors.js";
import type { FilterInfo, GateStatus, Limits, Orientations, Verdict, ViewSet } from "./types/types.js";

export interface Wanted {
  pdq: boolean;
  sha256: boolean;
  md5: boolean;
}

export type Source = { url: string } | { bytes: Uint8Array };

export interface Fingerprinted {
  fingerprint: Uint8Array;
  /** From the platform, where it has WebCrypto. */
  sha256: Uint8Array | undefined;
  /** Size of the linear memory, which never shrinks. */
  memoryBytes: number;
}

/** A published list that is to be followed. */
export interface Following {
  manifestUrl: string;
  keys: string[];
  threshold: number;
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
  load: { sources: Source[]; maxBytes: number };
  /** Answered once there is a list, or none could be had; `state` messages tell of it, then and later. */
  follow: Following;
  refresh: undefined;
  /** Looks a picture up ahead of time, so that `probe` finds it done. */
  begin: { fingerprint: Uint8Array; orientations: Orientations };
  probe: { fingerprint: Uint8Array; sha256: Uint8Array | undefined; orientations: Orientations };
}

/** What comes out. */
export interface Answers {
  fingerprint: Fingerprinted;
  load: Loaded;
  follow: undefined;
  refresh: undefined;
  begin: undefined;
  /** The core's `Report`; undefined if the followed list can't be used. */
  probe: Verdict | undefined;
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
