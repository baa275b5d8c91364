// The types of what a host passes in: files, lists, options.
import type { Caveat, Limits as CoreLimits, Orientation, Orientations, View, ViewSet } from "../generated/core.js";
import type { UncheckedPolicy } from "./policy.js";
import type { Progress } from "./status.js";
import type { FrameMatch, Match, WhenUnavailable } from "./verdict.js";
import type { VideoOptions } from "./video.js";

export type { Orientations, ViewSet } from "../generated/core.js";

/**
 * A value that can be checked: a File or Blob (of this page, another frame or another implementation), or bytes. Bytes
 * are copied and never detached. Anything else is `unchecked` with the reason `invalid-input`.
 */
export type Input = Blob | BlobLike | ArrayBufferLike | ArrayBufferView;

/**
 * A value that `check` accepts only in Node, in addition to the values of {@link Input}: a `file:` URL, a `Readable`
 * (such as a request), a web stream, or any other async iterable of bytes. A path must be given as
 * `pathToFileURL(path)`. A string is never opened, because it may come from a request.
 *
 * A stream is read once, into memory. If it is longer than `maxFileBytes`, it is not read further, and is `unchecked`
 * with `too-large`. `admit` doesn't accept streams, because after the check nothing would be left to upload.
 */
export type NodeInput = URL | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** The methods that a Blob of another implementation (jsdom, happy-dom, a polyfill) must have. */
export interface BlobLike {
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The source of a filter: a URL (relative to the page; in Node a path too) or its bytes. */
export type FilterSource = string | URL | ArrayBuffer | Uint8Array;

/** A possible match that `confirm` is asked about: hashes of the file, never the file itself. */
export interface Candidate {
  /**
   * PDQ hash of the view and orientation that matched. If a ring matched only after uncertain bits of it were flipped,
   * the hash has these bits flipped. If only digests matched, this is the hash of the picture as it is.
   */
  pdq?: string;
  /** PDQ quality of the first frame, 0 to 100. */
  quality?: number;
  sha256?: string;
  md5?: string;
  /** The first ring whose key the list holds. This and the next five fields are left out if only digests matched. */
  ring?: number;
  /** All rings whose keys the list holds. */
  rings?: number[];
  /** Ring key of `ring` that the list holds, 16 hexadecimal digits. */
  key?: string;
  view?: View;
  orientation?: Orientation;
  frame?: number;
  /**
   * The frames of a film or stream that matched, one for each distinct key. The service is asked about all of them at
   * once.
   */
  frames?: FrameMatch[];
  /** The lists on which this hash or the digests seem to be. */
  lists: Pick<Match, "list" | "category" | "release" | "signal" | "strength">[];
}

/**
 * A host's function that asks a service about a possible match. `signal` is aborted when nobody waits for the answer
 * any more.
 */
export interface Confirm {
  (candidate: Candidate, options: { signal: AbortSignal }): Promise<"listed" | "not-listed" | "unknown">;
  /** Name that verdicts give as `confirmedBy`. Default "host". */
  confirmer?: string;
}

/** The keys whose signatures count, and the list that is trusted. */
export interface Trust {
  /** Public keys, `NAME+HASH+KEY` in one line, as `hashgate keygen` writes them. */
  keys: string[];
  /** Number of these keys that must have signed. Default 1. */
  threshold?: number;
  /**
   * The list that is trusted, by the name and the category in its manifest. Set it if the keys sign several lists:
   * otherwise the server can answer with any of them.
   */
  list?: { name: string; category?: string };
  /**
   * The public log that each release must be in. A release without a good proof (`manifest.tlog-proof` beside the
   * manifest) is refused, and the last good one stays.
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

/** The witnesses of a log. Their cosignatures show that the log only grows. */
export interface WitnessTrust {
  /** Public keys, as `hashgate keygen --witness` writes them. */
  keys: string[];
  /** Number of these witnesses that must have cosigned. Default: more than half. */
  threshold?: number;
  /**
   * Largest age of cosignatures in seconds. By default there is no limit, and only the manifest's expiry limits how old
   * a release may be.
   */
  maxAgeS?: number;
}

/**
 * The largest pictures that are read. A limit that is left out keeps its default: a photograph of 100 megapixels
 * passes.
 */
export type Limits = Partial<CoreLimits>;

/** Options for checking one file. */
export interface CheckOptions {
  /** Rejects with the signal's reason (an `AbortError` by default) and frees the worker. */
  signal?: AbortSignal;
  /** Default: the gate's. */
  orientations?: Orientations;
  /** Default: the gate's. */
  views?: ViewSet;
  /** Options for a film. */
  video?: VideoOptions;
}

/** Options for checking one file, and for which verdicts let it pass. */
export interface AdmitOptions extends CheckOptions {
  /**
   * Whether files that could not be checked pass or are held. Default: `not-a-picture` passes, everything else is held.
   */
  unchecked?: UncheckedPolicy;
  /** The caveats for which a file is held although it is clear. Default: none. */
  caveats?: readonly Caveat[];
  /**
   * Copies a file of up to this many bytes into memory first, and checks and admits the copy. Then it doesn't matter if
   * the file on disk is changed between the check and the upload. Default 0: the file is admitted as it is.
   */
  copyUpToBytes?: number;
}

/** Pixels that a decoder returns. */
export interface DecodedPicture {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** Red, green, blue and alpha of each pixel, row by row from the top. Colours aren't multiplied by alpha. */
  data: Uint8Array | Uint8ClampedArray;
}

/**
 * Decodes a file. It is called with a copy of the file's bytes, and must refuse files whose picture is too large for
 * it: the gate checks only the size that the file declares.
 */
export type Decoder = (file: Uint8Array) => DecodedPicture | Promise<DecodedPicture>;

/** Decoders of the host. */
export interface Decoders {
  avif?: Decoder;
  jxl?: Decoder;
}

/** Options for opening a gate: either `source`, `trust` and `whenUnavailable`, or `filters`. */
export interface GateOptions {
  /** Filter files that aren't part of a signed release: at least one. */
  filters?: FilterSource[];
  /**
   * URL of a published list's manifest (relative to the page; in Node a path too). The gate stores the list, and
   * refreshes it regularly.
   */
  source?: string | URL;
  /** The keys whose signatures count. Required with `source`. */
  trust?: Trust;
  /**
   * Whether uploads are held or pass while there is no list to check against. Required with `source`; there is no
   * default.
   */
  whenUnavailable?: WhenUnavailable;
  /**
   * Milliseconds from one refresh of the list to the next. The gate varies the time at random by up to a fifth. After a
   * failure the gate retries sooner: after 15 s, then after twice as long each time. Default 1,800,000 (30 minutes).
   */
  refreshIntervalMs?: number;
  /** Folder in which Node keeps the list of `source`. Without one it is kept in memory. */
  cacheDir?: string;
  /** Called while filters are being downloaded. */
  onProgress?: (progress: Progress) => void;
  /** Aborts the opening. */
  signal?: AbortSignal;
  /** Default `all`. */
  orientations?: Orientations;
  /** Default `all`. */
  views?: ViewSet;
  /** Largest number of hashing workers. Default: the number of processors minus one, at least 1 and at most 4. */
  workers?: number;
  /**
   * Whether the gate, after it has opened, checks a drawn picture several times while the page is idle, so that the
   * first file is as fast as later ones. It starts a hashing worker. Default true; Node doesn't.
   */
  warmUp?: boolean;
  limits?: Limits;
  /** Size in bytes above which a file is `unchecked` with `too-large`. Default 268,435,456 (256 MiB). */
  maxFileBytes?: number;
  /**
   * Size in bytes above which a film is `unchecked` with `too-large`. A film is read by slices, so `maxFileBytes`
   * doesn't apply to it. Default 68,719,476,736 (64 GiB).
   */
  maxFilmBytes?: number;
  /** Size in bytes above which a filter is refused before it is downloaded. Default 67,108,864 (64 MiB). */
  maxFilterBytes?: number;
  /**
   * Milliseconds after which the gate gives up a stage of a check (the file is `unchecked` with `engine-failed`, and
   * the worker is replaced), or a download of `source` that brings no bytes. Default 60,000.
   */
  timeoutMs?: number;
  /**
   * Asks a service about possible matches, and only about those, with hashes. If it is left out, the gate makes no such
   * request.
   */
  confirm?: Confirm;
  /** Milliseconds after which the gate stops waiting for `confirm`. Default 10,000. */
  confirmTimeoutMs?: number;
  /** Milliseconds after which all idle hashing workers except one are closed. Default 30,000. */
  idleMs?: number;
  /** Bytes of linear memory above which a worker is replaced after a file. Default 134,217,728 (128 MiB). */
  maxIdleMemoryBytes?: number;
  /**
   * For a gate that a module opens at its top level, if a framework also runs that module on a server to render pages.
   * In Node, nothing is started then, and the promise stays pending. Default false.
   */
  browserOnly?: boolean;
  /** URL of the engine (`hashgate.wasm`), if it isn't beside this module. */
  wasmUrl?: string | URL;
  /** The engine, already compiled. The gate then fetches none. */
  wasmModule?: WebAssembly.Module;
  /**
   * URL of the formats engine (`hashgate-formats.wasm`), if it isn't beside this module. The gate fetches it when the
   * first file comes that needs it: animated or damaged PNG, GIF, WebP, BMP, ICO, SVG, a JPEG that isn't ordinary, is
   * damaged, or is small and progressive, or a file with a colour profile far from the common ones. If it can't be
   * loaded, such files are `unchecked` with `unavailable`, and the next of them tries again.
   */
  formatsWasmUrl?: string | URL;
  /** The formats engine, already compiled. The gate then fetches none. */
  formatsWasmModule?: WebAssembly.Module;
  /**
   * URL of the decoder of HEIC (`hashgate-heic.wasm`), if it isn't beside this module. The gate fetches it when the
   * first HEIC file comes. If it can't be loaded, and the browser has no decoder of its own, such files are `unchecked`
   * with `unavailable`, and the next of them tries again.
   */
  heicWasmUrl?: string | URL;
  /** The decoder of HEIC, already compiled. The gate then fetches none. */
  heicWasmModule?: WebAssembly.Module;
  /** URL of the decoder of JPEG XL (`hashgate-jxl.wasm`), as `heicWasmUrl`. `hashgate/inline` doesn't contain it. */
  jxlWasmUrl?: string | URL;
  /** The decoder of JPEG XL, already compiled. The gate then fetches none. */
  jxlWasmModule?: WebAssembly.Module;
  /**
   * Decoders of the host: of AVIF, which the package can't decode in Node, and of JPEG XL. A decoder is asked once for
   * each such file, instead of the browser's or the package's own. If it throws, the file is `unchecked` with
   * `unreadable`.
   */
  decoders?: Decoders;
  /**
   * URL of the reader of films (`hashgate-film.wasm`), if it isn't beside this module. The gate fetches it when the
   * first film comes. If it can't be loaded, films are `unchecked` with `unavailable`, and the next of them tries
   * again.
   */
  filmWasmUrl?: string | URL;
  /** The reader of films, already compiled. The gate then fetches none. */
  filmWasmModule?: WebAssembly.Module;
  /** URL of the worker script, if it isn't beside this module. It must be of the page's origin. */
  workerUrl?: string | URL;
}
