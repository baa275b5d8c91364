// What a host gives: files, lists, options.
import type { Caveat, Orientation, Orientations, View, ViewSet } from "../generated/core.js";
import type { UncheckedPolicy } from "../integrations/decision.js";
import type { Progress } from "./status.js";
import type { Match, WhenUnavailable } from "./verdict.js";

export type { Orientations, ViewSet } from "../generated/core.js";

/**
 * What can be checked: a File or Blob, of this page, another frame or another implementation; or bytes, which are
 * copied and never detached. Anything else is `unchecked` with the reason `invalid-input`.
 */
export type Input = Blob | BlobLike | ArrayBufferLike | ArrayBufferView;

/** What a Blob of another implementation (jsdom, happy-dom, a polyfill) must be able to do. */
export interface BlobLike {
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Where a filter comes from: a URL (relative to the page; in Node a path too) or its bytes. */
export type FilterSource = string | URL | ArrayBuffer | Uint8Array;

/** What a service is asked about: hashes of the file, never the file. */
export interface Candidate {
  /** Hash of the view and orientation that matched, with the bits of each ring as they matched; else the picture's. */
  pdq?: string;
  /** PDQ quality of the first frame, 0 to 100. */
  quality?: number;
  sha256?: string;
  md5?: string;
  /** Left out, with the next five, if the digests alone matched. */
  ring?: number;
  /** All rings that hit. */
  rings?: number[];
  /** Ring key of `ring` that the list holds, 16 hexadecimal digits. */
  key?: string;
  view?: View;
  orientation?: Orientation;
  frame?: number;
  /** What seemed to match, by this hash or by the digests. */
  lists: Pick<Match, "list" | "category" | "release" | "signal" | "strength">[];
}

/** Asks a service about a possible match. `signal` aborts when nobody waits for the answer any more. */
export interface Confirm {
  (candidate: Candidate, options: { signal: AbortSignal }): Promise<"listed" | "not-listed" | "unknown">;
  /** Name that verdicts give as `confirmedBy`. Default "host". */
  confirmer?: string;
}

/** Whose signatures count, and for which list. */
export interface Trust {
  /** Public keys, `NAME+HASH+KEY` in one line, as `hashgate keygen` writes them. */
  keys: string[];
  /** How many of them must have signed. Default 1. */
  threshold?: number;
  /**
   * The list that is trusted, by the name and the category in its manifest. Set it if the keys sign several lists:
   * otherwise the server can answer with any of them.
   */
  list?: { name: string; category?: string };
  /**
   * The public log that each release must be in. A release without a good proof (`manifest.tlog-proof` beside the manifest)
   * is refused, and the last good one stays.
   */
  log?: LogTrust;
  /** Witnesses of the log. With enough of them, nobody can be shown another list than everybody else. Needs `log`. */
  witnesses?: WitnessTrust;
}

/** A public log. */
export interface LogTrust {
  /** Public key of the log, `NAME+HASH+KEY` in one line. */
  key: string;
  /** Name of the log. Default: the key's name. */
  origin?: string;
}

/** Who must have seen that a log only grows. */
export interface WitnessTrust {
  /** Public keys, as `hashgate keygen --witness` writes them. */
  keys: string[];
  /** How many of them must have cosigned. Default: more than half. */
  threshold?: number;
  /** Seconds after which cosignatures are too old. Default: the manifest's expiry alone bounds how old a release may be. */
  maxAgeS?: number;
}

/** The most that is read. What is left out has the core's default, which lets a 100-megapixel photograph pass. */
export interface Limits {
  /** Default 65,535. */
  maxWidth?: number;
  /** Default 65,535. */
  maxHeight?: number;
  /** Default 150,000,000. */
  maxPixels?: number;
  /** Bytes that a decoder may hold. Default 1 GiB. */
  maxAlloc?: number;
  /** Frames of an animation that are hashed. Default 16. */
  maxFrames?: number;
  /** Default 250,000,000. */
  maxAnimationPixels?: number;
}

/** How one file is checked. */
export interface CheckOptions {
  /** Rejects with the signal's reason (an `AbortError` by default) and frees the worker. */
  signal?: AbortSignal;
  /** Default: the gate's. */
  orientations?: Orientations;
  /** Default: the gate's. */
  views?: ViewSet;
}

/** How one file is checked, and which verdicts let it pass. */
export interface AdmitOptions extends CheckOptions {
  /** What becomes of files that could not be checked. Default: `not-a-picture` passes, everything else is held. */
  unchecked?: UncheckedPolicy;
  /** Caveats for which a file is held although it is clear. Default: none. */
  caveats?: readonly Caveat[];
  /**
   * Copies a file of up to this many bytes into memory first, and judges and admits the copy. Then it doesn't matter if
   * the file on disk is changed between the check and the upload. Default 0: the file is admitted as it is.
   */
  copyUpToBytes?: number;
}

/** How a gate is opened: with a `source`, a `trust` and a `whenUnavailable`, or with `filters`. */
export interface GateOptions {
  /** Filters as they are, unsigned: at least one. */
  filters?: FilterSource[];
  /** URL of a published list's manifest (relative to the page; in Node a path too). The list is kept, and kept fresh. */
  source?: string | URL;
  /** Whose signatures count. Required with `source`. */
  trust?: Trust;
  /** What the service wants when there is no list to check against. Required with `source`; there is no default. */
  whenUnavailable?: WhenUnavailable;
  /**
   * Milliseconds from one refresh of the list to the next, give or take a fifth. After a failure it is tried sooner:
   * after 15 s, then twice as long each time. Default 1,800,000 (30 minutes).
   */
  refreshIntervalMs?: number;
  /** Folder in which Node keeps the list of `source`. Without one it is kept in memory. */
  cacheDir?: string;
  /** Called as filters arrive from the network. */
  onProgress?: (progress: Progress) => void;
  /** Ends the opening. */
  signal?: AbortSignal;
  /** Default `all`. */
  orientations?: Orientations;
  /** Default `all`. */
  views?: ViewSet;
  /** Hashing workers at most. Default: processors less one, at least 1 and at most 4. */
  workers?: number;
  /**
   * Whether a drawn picture is checked some times while the page is idle after the gate has opened, so that the first file is as
   * fast as later ones. It starts a hashing worker. Default true; Node doesn't.
   */
  warmUp?: boolean;
  limits?: Limits;
  /** Larger files are `unchecked`, `too-large`. Default 256 MiB. */
  maxFileBytes?: number;
  /** Larger filters are refused before they are downloaded. Default 64 MiB. */
  maxFilterBytes?: number;
  /**
   * Milliseconds after which a stage of a check is given up: `engine-failed`, and the worker replaced; and a download
   * of `source` from which no byte comes. Default 60,000.
   */
  timeoutMs?: number;
  /** Asked about possible matches alone, with hashes. Left out: nothing is asked, and no request made. */
  confirm?: Confirm;
  /** Milliseconds after which `confirm` is given up. Default 10,000. */
  confirmTimeoutMs?: number;
  /** Milliseconds after which idle hashing workers, but for one, are closed. Default 30,000. */
  idleMs?: number;
  /** A worker whose linear memory is larger after a file is replaced. Default 128 MiB. */
  maxIdleMemoryBytes?: number;
  /**
   * For a gate that is opened at the top level of a module which a framework also runs on a server, as it renders pages
   * there: in Node, nothing is started, and the promise stays pending. Default false.
   */
  browserOnly?: boolean;
  /** Where the engine is, if not beside this module. */
  wasmUrl?: string | URL;
  /** The engine, already compiled; then none is fetched. */
  wasmModule?: WebAssembly.Module;
  /** Where the worker script is, if not beside this module. Same origin. */
  workerUrl?: string | URL;
}
