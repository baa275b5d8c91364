// The public types. Values come from the core as its `Report` and `FilterInfo` serialise.
import type { GateErrorCode } from "../errors.js";

/** What can be checked. A caller's buffer is copied, never detached. */
export type Input = Blob | ArrayBuffer | Uint8Array;

/** Where a filter comes from: a URL (relative to the page; in Node a path too) or its bytes. */
export type FilterSource = string | URL | ArrayBuffer | Uint8Array;

/** Which rotations and reflections of a picture are looked up: all eight, or as stored alone. */
export type Orientations = "all" | "upright";

/** Which views are looked up: also without borders, captions and small crops, or plain alone. */
export type ViewSet = "all" | "plain";

/** Why a file was not, or not wholly, checked. */
export type UncheckedReason =
  /** Damaged or truncated, or the browser could not read the file. */
  | "unreadable"
  /** Not a format that can be read. */
  | "unsupported"
  /** Larger than the limits. */
  | "too-large"
  /** A picture of too little detail for PDQ (quality under 50), without an exact match. */
  | "low-quality"
  /** A digest or hash that a filter needs was not computed. */
  | "incomplete"
  /** The browser answers canvas read-back with noise. */
  | "canvas-noise"
  /** The engine trapped, ran out of memory or took too long over this file. */
  | "engine-failed"
  /** There is no list to check against: none could be had, it has expired, or it was lost with its worker. */
  | "unavailable";

/** What the service wants when there is no list to check against: hold uploads, or let them pass unchecked. */
export type WhenUnavailable = "block" | "allow";

/** One signal of a file that a list seems to hold. */
export type Match = DigestMatch | PdqMatch;

interface MatchBase {
  /** Name of the list. */
  list: string;
  /** Category of the list, in its owner's words. */
  category: string;
  /** Release of the list. */
  release: number;
}

/** The file's bytes seem to be on the list. */
export interface DigestMatch extends MatchBase {
  signal: "sha256" | "md5";
  strength: "exact-bytes";
}

/** The picture seems to be near one on the list. */
export interface PdqMatch extends MatchBase {
  signal: "pdq";
  /** `all-rings` says more than `one-ring`. */
  strength: "all-rings" | "one-ring";
  /** Which rotation or reflection of the picture, such as `original` or `rotate-90`. */
  orientation: string;
  /** Which view, such as `plain` or `without-bottom`. */
  view: string;
  /** Which frame of an animation, counted from 0. */
  frame: number;
  /** Which colours of a transparent picture. */
  surface: "plain" | "over-white";
  /** The ring that hit first. */
  ring: number;
  /** All rings that hit in this view and orientation. */
  rings: number[];
  /** Bits of the ring that were flipped, 0 to 24. */
  flips: number;
  /** Sum of the ranks of the flipped bits; the lower, the more plausible. */
  cost: number;
  /** Hash of this view and orientation as it matched, 64 hexadecimal digits. */
  pdq: string;
  /** Key of `ring` that the filter holds, 16 hexadecimal digits. */
  key: string;
}

/** What is known of a file besides the outcome. */
export interface Findings {
  /** PDQ hash of the first frame, 64 hexadecimal digits. */
  pdq?: string;
  /** PDQ quality, 0 to 100. */
  quality?: number;
  /** SHA-256 of the bytes, if a filter holds SHA-256. */
  sha256?: string;
  /** MD5 of the bytes, if a filter holds MD5. */
  md5?: string;
  /** Format, by content. */
  format?: string;
  /** Width in pixels as stored, before any EXIF rotation. */
  width?: number;
  /** Height in pixels as stored. */
  height?: number;
  /** Who turned the bytes into pixels. */
  decodedBy?: "luma-dc" | "general" | "browser";
  /**
   * What of the file is not known, although its picture was looked up. `ac-terms-unread`: of a progressive JPEG nothing but
   * scans of DC terms was decoded, and those are whole; a decoder of every pixel may refuse the file for damage in the others. Its digests
   * were looked up if a list holds any.
   */
  caveat?: "ac-terms-unread";
  /** Frames in the file, 1 if it isn't animated. */
  frames?: number;
  /** Lookups that were made, all filters together. */
  lookups: number;
  /** The list at that moment, if the gate was opened with a `source`. */
  list?: ListState;
}

/** What a gate with a `source` has to check against. */
export interface ListState {
  /** `expired`: past the signed expiry of the last good release, which isn't used from then on. */
  state: "current" | "expired" | "none";
  /** The release that is held, if any. */
  release?: number;
  /** Why the latest refresh failed, or what went wrong on the way, if anything did. */
  error?: GateErrorCode;
}

/** On none of the lists. */
export interface Clear extends Findings {
  outcome: "clear";
  /** Who said that what seemed to match is not listed, if the gate asked. */
  confirmedBy?: string;
  /** What had seemed to match, if the gate asked. */
  matches?: Match[];
}

/** Why a possible match is still one although `confirm` was asked. */
export type Unconfirmed =
  /** `confirm` couldn't tell. */
  | "unknown"
  /** No answer within `confirmTimeoutMs`. */
  | "timed-out"
  /** `confirm` threw, or answered something else. */
  | "failed";

/** Perhaps on a list: a reason to ask, never a proof. */
export interface PossibleMatch extends Findings {
  outcome: "possible-match";
  /** Strongest first, at most one for each list and signal. */
  matches: Match[];
  /** What the verdict is if nothing that matched is listed, unless that is clear. */
  ifNotListed?: Pick<Unchecked, "outcome" | "reason" | "detail">;
  /** Left out if the gate wasn't opened with `confirm`. */
  confirmation?: Unconfirmed;
  /** For people: what went wrong as `confirm` was asked. */
  confirmationDetail?: string;
}

/** On a list, as the service that was asked says. */
export interface ConfirmedMatch extends Findings {
  outcome: "match";
  /** Strongest first, at most one for each list and signal. */
  matches: Match[];
  /** Who said so: `confirm.confirmer`, or "host". */
  confirmedBy: string;
}

/** Could not be checked, which is never the same as clear. */
export interface Unchecked extends Findings {
  outcome: "unchecked";
  /** For programs. */
  reason: UncheckedReason;
  /** For people. */
  detail: string;
  /** With reason `unavailable`: what the gate was opened with, if it was opened with a `source`. */
  whenUnavailable?: WhenUnavailable;
  /** Who said that what seemed to match is not listed, if the gate asked. */
  confirmedBy?: string;
  /** What had seemed to match, if the gate asked. */
  matches?: Match[];
}

/** The answer to {@link Gate.check}. */
export type Verdict = Clear | PossibleMatch | ConfirmedMatch | Unchecked;

/** What a service is asked about: hashes of the file, never the file. */
export interface Candidate {
  /** Hash of the view and orientation that matched, with the bits of each ring as they matched; else the picture's. */
  pdq?: string;
  /** PDQ quality of the first frame, 0 to 100. */
  quality?: number;
  sha256?: string;
  md5?: string;
  /** Left out, with what follows, if the digests alone matched. */
  ring?: number;
  /** All rings that hit. */
  rings?: number[];
  /** Key of `ring` that the filter holds, 16 hexadecimal digits. */
  key?: string;
  view?: string;
  orientation?: string;
  frame?: number;
  /** What seemed to match, by this hash or by the digests. */
  lists: Pick<Match, "list" | "category" | "release" | "signal" | "strength">[];
}

/** Asks a service about a possible match. `signal` aborts when the answer is no longer waited for. */
export interface Confirm {
  (candidate: Candidate, options: { signal: AbortSignal }): Promise<"listed" | "not-listed" | "unknown">;
  /** Name that verdicts give as `confirmedBy`. Default "host". */
  confirmer?: string;
}

/** What came of a file that was held: sent all the same, or put to a review. */
export type HostDecision = "overridden" | "appealed";

/** Counts of one release of one list. */
export interface ListCounts {
  list: string;
  category: string;
  release: number;
  /** Checks that were made with it, whatever came of them. */
  checked: number;
  /** Seemed to match it, and the service said that they aren't listed. */
  dismissed: number;
  /** Seemed to match it, and were not confirmed. */
  possible: number;
  /** Matched it, in a file that the service said is listed. */
  confirmed: number;
  overridden: number;
  appealed: number;
}

/** Counts alone: no file, hash or person. docs/transparency.md has its JSON schema. */
export interface TransparencyReport {
  format: "hashgate-report-1";
  /** When the gate was opened, rounded down to the hour, ISO 8601 in UTC. */
  from: string;
  /** When the report was made, rounded likewise. */
  to: string;
  /** `checked` is the sum of `clear`, `possible`, `confirmed` and all of `unchecked`. */
  totals: {
    checked: number;
    clear: number;
    /** Of `clear` and `unchecked`: seemed to match, and the service said that they aren't listed. */
    dismissed: number;
    possible: number;
    confirmed: number;
    /** Reasons that never arose are left out. */
    unchecked: Partial<Record<UncheckedReason, number>>;
    overridden: number;
    appealed: number;
  };
  /** One for each release of each list. */
  lists: ListCounts[];
}

/** What a filter file says about itself. */
export interface FilterInfo {
  name: string;
  category: string;
  release: number;
  /** Seconds since 1970 UTC; 0 if it wasn't recorded. */
  builtAtUnixS: number;
  pdqCount: number;
  sha256Count: number;
  md5Count: number;
  rings: number;
  probeBudget: number;
  viewProbeBudget: number;
  /** Lookups that a clean picture costs at most. */
  lookups: number;
  /** Expected share of clean pictures that hit, in parts of 10^12. */
  escalationParts: number;
  k: number;
  sliceBits: number;
  salt: string;
  /** Bytes of the file. */
  bytes: number;
  /** SHA-256 of all bytes before it. */
  checksum: string;
}

/** Whose signatures count. */
export interface Trust {
  /** Public keys, `NAME+HASH+KEY` in one line, as `hashgate keygen` writes them. */
  keys: string[];
  /** How many of them must have signed. Default 1. */
  threshold?: number;
}

/** What went wrong, and when. */
export interface StatusError {
  code: GateErrorCode;
  message: string;
  atUnixS: number;
}

/** How a refresh went. */
export interface Refresh {
  atUnixS: number;
  /** `elsewhere`: another tab was at it, and tells this one of a new release. */
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
  /** Where this gate has the list from; `host`: the bytes were handed over. */
  from?: "network" | "storage" | "host";
  /** The highest release that was seen here, of which an older one is refused. */
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

/** What is read, at most. Left out: the core's defaults, which let a 100-megapixel photograph pass. */
export interface Limits {
  /** Default 65,535. */
  maxWidth?: number;
  /** Default 65,535. */
  maxHeight?: number;
  /** Default 150,000,000. */
  maxPixels?: number;
  /** Bytes a decoder may hold. Default 1 GiB. */
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
  /** Where the engine is, if not beside this module. */
  wasmUrl?: string | URL;
  /** The engine, already compiled; then none is fetched. */
  wasmModule?: WebAssembly.Module;
  /** Where the worker script is, if not beside this module. Same origin. */
  workerUrl?: string | URL;
}

/** Checks files against the filters it was opened with. */
export interface Gate extends EventTarget {
  /** The loaded filters. */
  readonly filters: readonly FilterInfo[];
  /** What the gate has to check against, and how it came by it. A `statechange` event tells of each change. */
  status(): GateStatus;
  /**
   * Asks for a newer release of `source` now, and resolves to the status after it; what went wrong is in there.
   * @throws {@link GateError} `closed`.
   */
  refresh(): Promise<GateStatus>;
  /**
   * Checks a file; several at once queue for the workers.
   * @throws the signal's reason if it was aborted; {@link GateError} `closed`; `TypeError` for
   * anything that isn't an {@link Input}. What is wrong with the file is in the verdict.
   */
  check(file: Input, options?: CheckOptions): Promise<Verdict>;
  /** Notes what came of a file that was held, for the report. */
  record(decision: HostDecision, verdict: Verdict): void;
  /** What was counted since the gate was opened. It stays in the page unless the host sends it. */
  report(): TransparencyReport;
  /** Ends the workers. Pending checks reject with {@link GateError} `closed`. */
  close(): void;
}
