// The messages between the page and its workers. One script serves as both kinds of worker: hashing workers compute
// fingerprints, and the lookup worker has the filters.
import type { Fault } from "./errors.js";
import type { FilterInfo, Match, Orientations, UncheckedReason, Verdict, ViewSet } from "./generated/core.js";
import type { Container } from "./generated/film.js";
import type { GateStatus, Limits } from "./types/types.js";

/** The signals that are computed of a file. */
export interface Wanted {
  pdq: boolean;
  sha256: boolean;
  md5: boolean;
}

/**
 * A file whose bytes aren't sent to the worker as a whole. If the worker sends a number to the port, the reply is the
 * piece of the file that begins at this byte.
 */
export interface LentFile {
  size: number;
  port: MessagePort;
}

export type Source = { url: string } | { bytes: Uint8Array };

/** The signals of a file, for a lookup. */
export interface Signals {
  /** The fingerprint that the core's first stage serialised. */
  fingerprint: Uint8Array;
  /** The SHA-256 digest, if the platform computed it (by WebCrypto). */
  sha256: Uint8Array | undefined;
}

/** The hashes of a frame of a film or a stream. */
export interface FrameSignals {
  /** The fingerprint that the core serialised. */
  fingerprint: Uint8Array;
  /** PDQ hash of the frame as it is. */
  pdq: string;
  /** PDQ quality of the frame as it is, 0 to 100. */
  quality: number;
  /** Whether at least one view has enough detail to be compared. */
  comparable: boolean;
}

/** A frame that was sampled from a stream. */
export interface SampledFrame extends FrameSignals {
  /** The frame's own time in seconds. */
  atS: number;
  /** When the frame was sampled, in milliseconds since 1970. */
  atMs: number;
  width: number;
  height: number;
}

/** A frame of a film. */
export type FilmSample = SampledFrame;

/** A part of a frame. The position and the size are fractions (0 to 1) of the frame's width and height. */
export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The result of one stage of reading a film. */
export interface FilmReading {
  container: Container;
  /** Codec of the first video track, as WebCodecs spells it. */
  codec: string;
  durationS: number;
  /** Number of frames that were hashed. `lowQuality` is the number of those with too little detail to be compared. */
  frames: number;
  lowQuality: number;
  keyframes: number;
  /** Stretches in seconds that could not be looked at. */
  gaps: [number, number][];
  /** For each video track, the part of the picture that moves, if the rest stands still. */
  parts: (Part | undefined)[];
  /**
   * The seconds that this stage wants of a track for which the worker has no decoder, but a `<video>` may have one; the
   * stretch that the track takes, and what is said if nothing decodes it.
   */
  undecoded: { targets: number[]; range: [number, number]; problem: FilmProblem } | undefined;
  /** Why the film, or a part of it, could not be looked at. */
  problem: FilmProblem | undefined;
  memoryBytes: number;
}

/** Why a film, or a part of it, could not be looked at. */
export interface FilmProblem {
  reason: UncheckedReason;
  detail: string;
}

/** How a watched stream is guarded. */
export type Guard = "event" | "blank" | "checked-only";

export interface Fingerprinted extends Signals {
  /** Bytes of the worker's linear memory, which never shrinks. */
  memoryBytes: number;
}

/** The answer for a file that the main engine has no decoder for. The formats engine must read the file. */
export interface NeedsFormats {
  needsFormats: true;
  /** The file's bytes, given back if they were transferred. */
  bytes: Uint8Array | undefined;
  memoryBytes: number;
}

/**
 * The answer for a file that a decoder reads which this worker wasn't given: a wasm of its own (`module`), or a function
 * of the host.
 */
export interface NeedsDecoder {
  needsDecoder: { module: OwnFormat } | { host: HostFormat };
  /** The file's bytes, given back if they were transferred. */
  bytes: Uint8Array | undefined;
  memoryBytes: number;
}

/** The formats that a decoder of this package reads which is a wasm of its own. */
export const OWN_FORMATS = ["heic", "jxl"] as const;
export type OwnFormat = (typeof OWN_FORMATS)[number];

/** The formats that a host may decode. */
export type HostFormat = "avif" | "jxl";

/** Pixels that the host decoded: red, green, blue and alpha of each, not multiplied by alpha. */
export interface HostPicture {
  width: number;
  height: number;
  data: Uint8Array;
}

/** A decoder that can't be had, or a picture that it couldn't decode. */
export interface NotDecoded {
  reason: UncheckedReason;
  detail: string;
}

/** A kind of film. `other` stands for films that hashgate doesn't read. */
export type FilmKind = "mp4" | "matroska" | "other";

/** The answer for a file that is a film. No signal of the film was computed. */
export interface IsFilm {
  film: FilmKind;
  /** The file's bytes, given back if they were transferred. */
  bytes: Uint8Array | undefined;
  memoryBytes: number;
}

/** The answer for a frame whose pixels can't be read, because the browser answers canvas read-back with noise. */
export interface NoisyFrame {
  noise: string;
}

/** The log that each release must be in. */
export interface FollowingLog {
  key: string;
  origin?: string;
  witnesses: string[];
  threshold: number;
  maxAgeS?: number;
}

/** A published list to follow. */
export interface Following {
  manifestUrl: string;
  keys: string[];
  threshold: number;
  /** The trusted list; undefined if every list that the keys sign is trusted. */
  list: { name: string; category?: string } | undefined;
  /** The log that releases must be in. Undefined if they need not be in a log. */
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

/** The arguments of each operation of a worker. */
export interface Asks {
  /**
   * If `digestsOnly` is true and the file is a film, computes its digests while it is read. Otherwise the answer for a
   * film is only its kind ({@link IsFilm}).
   */
  fingerprint: {
    file: Blob | Uint8Array | LentFile;
    wanted: Wanted;
    views: ViewSet;
    limits: Limits;
    digestsOnly?: boolean;
    /** The decoder of the file's format, or why it can't be had. Left out until a file needs it. A worker keeps it. */
    module?: WebAssembly.Module | NotDecoded;
    /** The formats that the host decodes. */
    hostDecodes?: HostFormat[];
    /** What the host's decoder returned for this file. */
    decoded?: HostPicture | NotDecoded;
  };
  /** Hashes one frame, and closes it. */
  frame: { frame: VideoFrame | ImageBitmap; atS: number; views: ViewSet };
  /** Watches a stream until it ends. `frame` messages report the samples; each is answered by `judged`. */
  watch: {
    readable: ReadableStream<VideoFrame>;
    writable: WritableStream<VideoFrame> | undefined;
    everyMs: number;
    guard: Guard;
    views: ViewSet;
  };
  /**
   * The page's judgement. For the last sample of a watched stream, `blank` tells whether frames are replaced by black
   * ones from now on. For a frame of a film, `enough` tells whether the page wants no more frames.
   */
  judged: { blank: boolean; enough?: boolean };
  /** Ends the watch. */
  unwatch: undefined;
  /**
   * Reads a film for one stage. `frame` messages report the frames, and the page answers each with `judged`. `seconds`
   * messages tell the progress.
   */
  film: {
    file: Blob | Uint8Array;
    /** The reader of films. */
    module: WebAssembly.Module;
    /**
     * `first`: the keyframes, the frames of 0.45 s after each, and some frames in long gaps. `dense`: 2 frames a
     * second.
     */
    stage: "first" | "dense";
    views: ViewSet;
    /** For each track, the part of the frames to look at. Undefined for the whole frame. */
    parts: (Part | undefined)[];
    maxGapS: number;
    maxFrames: number;
  };
  /** Asks for the kind of a film, which the first 64 KiB of the file tell. */
  filmKind: { head: Uint8Array };
  /** Asks whether a file can be a picture. `head` has the first 64 KiB of the file, or all bytes of a shorter file. */
  mayBePicture: { head: Uint8Array };
  load: { sources: Source[]; maxBytes: number };
  /**
   * Follows a list. The answer comes when a list is loaded, or when no list could be loaded. `state` messages report
   * the list's status, both before and after the answer.
   */
  follow: Following;
  refresh: undefined;
  /** Does an early lookup, so that `lookUp` finds its result in the cache. */
  begin: { fingerprint: Uint8Array; orientations: Orientations };
  /** `dismissed` has the matches of earlier answers about this file that turned out not to be listed. */
  lookUp: { signals: Signals; orientations: Orientations; dismissed: Match[] };
}

/** The results of each operation. */
export interface Answers {
  fingerprint: Fingerprinted | NeedsFormats | NeedsDecoder | IsFilm;
  frame: SampledFrame | NoisyFrame;
  watch: undefined;
  judged: undefined;
  unwatch: undefined;
  film: FilmReading;
  filmKind: FilmKind | undefined;
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

/** Messages that answer no request: the followed list's status, and the progress of its download. */
export type Push =
  | { type: "state"; status: GateStatus; loaded: Loaded | undefined }
  | { type: "download"; url: string; loaded: number; total: number | undefined };

export type FromWorker =
  | Push
  /** A browser has loaded the worker's script. Sent once, before all other messages. */
  | { type: "loaded" }
  /** The worker failed outside of any request and can't be used any more. */
  | { type: "broken"; detail: string }
  | { type: "progress"; id: number; url: string; loaded: number; total: number | undefined }
  /** A fingerprint for `begin`, sent before the answer to `fingerprint`. */
  | { type: "early"; id: number; fingerprint: Uint8Array }
  /** A sample of a watched stream, or a frame of a film. */
  | { type: "frame"; id: number; frame: SampledFrame }
  | { type: "seconds"; id: number; seconds: number; of: number }
  | { type: "done"; id: number; answer: Answers[Operation] }
  /** The request was refused. The worker can still be used. */
  | { type: "refused"; id: number; fault: Fault }
  /** The Blob's bytes can't be read. The worker can still be used. */
  | { type: "unreadable"; id: number; detail: string }
  /** The worker failed during the request, and must be replaced. */
  | { type: "poisoned"; id: number; detail: string };

/** Returns whether a message ends a request. Other messages may come any number of times. */
export function isAnswer({ type }: FromWorker): boolean {
  return type === "done" || type === "refused" || type === "unreadable" || type === "poisoned";
}
