// Verdicts. The parts that the core serialises are generated from its Rust types; the gate adds the rest.

import type {
  Match as CoreMatch,
  Verdict as CoreVerdict,
  Orientation,
  Outcome,
  Strength,
  UncheckedReason,
  View,
} from "../generated/core.js";
import type { GateErrorCode } from "./error-codes.js";

import type { Checkpoint } from "./status.js";
import type { VideoFindings } from "./video.js";

export type {
  Caveat,
  DecodedBy,
  Format,
  Orientation,
  Reading,
  Strength,
  Surface,
  UncheckedReason,
  View,
} from "../generated/core.js";

/** One signal of a file that a list seems to hold. */
export type Match = CoreMatch & FrameMatches;

/** The additional fields of a match in a film or a live stream. They tell which frames matched. */
export interface FrameMatches {
  /**
   * Number of distinct listed keys that matched. Keys count as distinct only if their frames differ by more than 31
   * bits and are at least a second apart, because many frames with one key are one chance hit.
   */
  distinctKeys?: number;
  /** For each distinct key, the first frame that matched it. At most 64 frames. */
  frames?: FrameMatch[];
  /**
   * Only for films: the probability that a film without listed frames has so many distinct keys by chance, with as many
   * comparable frames, by the list's rate of chance hits.
   */
  chance?: number;
  /** The stretches in seconds in which frames matched, as far as the check went. */
  ranges?: [fromS: number, toS: number][];
}

/** A frame that matched. */
export interface FrameMatch {
  /** Its time in seconds. */
  atS: number;
  strength: Strength;
  view: View;
  orientation: Orientation;
  ring: number;
  key: string;
  pdq: string;
}

/** The bytes of the file seem to be on the list. */
export type DigestMatch = Extract<Match, { signal: "sha256" | "md5" }>;

/** The picture seems to be near one on the list. */
export type PdqMatch = Extract<Match, { signal: "pdq" }>;

/** Whether uploads are held ("block") or pass unchecked ("allow") while there is no list to check against. */
export type WhenUnavailable = "block" | "allow";

/** Facts about a file, in addition to the outcome. */
export interface Findings
  extends Omit<CoreVerdict, "outcome" | "matches" | "reason" | "detail" | "ifNotListed" | "reading"> {
  /**
   * The Blob that was checked: the very object that was given to `check`. Upload this Blob and no other. The property
   * is not enumerable, so that copies and JSON of a verdict leave it out. It is missing if bytes were given: {@link
   * Gate.admit} makes a Blob of them.
   */
  readonly file?: Blob;
  /** Facts about a film. Left out for any other file. */
  video?: VideoFindings;
  /** The state of the list at the time of the check. Only present if the gate was opened with a `source`. */
  list?: ListState;
}

/** The state of the list that a gate with a `source` follows. */
export interface ListState {
  /** `expired`: the last good release is past its signed expiry, and isn't used any more. */
  state: "current" | "expired" | "none";
  /** The release that the gate has, if any. */
  release?: number;
  /** The error of the last refresh, if there was one. */
  error?: GateErrorCode;
  /** The state of the public log that the release was proved by, if `trust.log` is set. */
  checkpoint?: Checkpoint;
  /** Who decides what is listed, and how to object, as the release says. */
  about?: ListAbout;
}

/** The facts in a release about who decides what is listed. */
export interface ListAbout {
  /** Name of the list. */
  list: string;
  /** Who vouches for it. */
  curators: string[];
  /** Address of their policy. */
  policy?: string;
  /** The address for objections: `https:` or `mailto:`. */
  appeals?: string;
  jurisdiction?: string;
}

/**
 * The file is on none of the lists. If there is a `caveat`, the check could not settle something: see {@link Caveat}.
 */
export interface Clear extends Findings {
  outcome: "clear";
  /** If the gate asked `confirm`: the service that said that the possible match is not listed. */
  confirmedBy?: string;
  /**
   * If the gate asked `confirm`: the possible matches that turned out not to be listed. If nothing else held a film:
   * the frames that matched, which were too few to hold it.
   */
  matches?: Match[];
}

/** Why the gate asked `confirm` but could not settle a possible match. */
export type Unconfirmed =
  /** `confirm` couldn't tell. */
  | "unknown"
  /** No answer within `confirmTimeoutMs`. */
  | "timed-out"
  /** `confirm` threw, or answered something else. */
  | "failed";

/** The file is perhaps on a list: a reason to ask, never a proof. */
export interface PossibleMatch extends Findings {
  outcome: "possible-match";
  /** Strongest first, at most one for each list and signal. */
  matches: Match[];
  /**
   * The outcome that the file would have if the matches turned out not to be listed. Left out if that would be `clear`.
   */
  ifNotListed?: Outcome;
  /** Left out if the gate wasn't opened with `confirm`. */
  confirmation?: Unconfirmed;
  /** The error that occurred when the gate asked `confirm`, in words for people. */
  confirmationDetail?: string;
}

/** The file is on a list, as the service that was asked says. */
export interface ConfirmedMatch extends Findings {
  outcome: "match";
  /** Strongest first, at most one for each list and signal. */
  matches: Match[];
  /** The service that confirmed the match: `confirm.confirmer`, or "host". */
  confirmedBy: string;
}

/** The file could not be checked, which is never the same as clear. */
export interface Unchecked extends Findings {
  outcome: "unchecked";
  /** Why, for programs. */
  reason: UncheckedReason;
  /** Why, for people. */
  detail: string;
  /**
   * With the reason `unavailable`: the gate's option `whenUnavailable`. Only present if the gate was opened with a
   * `source`.
   */
  whenUnavailable?: WhenUnavailable;
  /** If the gate asked `confirm`: the service that said that the possible match is not listed. */
  confirmedBy?: string;
  /** If the gate asked `confirm`: the possible matches that turned out not to be listed. */
  matches?: Match[];
}

/** The answer to {@link Gate.check}. */
export type Verdict = Clear | PossibleMatch | ConfirmedMatch | Unchecked;

/** A file that may be uploaded: the answer to {@link Gate.admit}. */
export interface Admitted {
  /** The Blob that was checked. Upload this Blob and no other. */
  file: Blob;
  verdict: Verdict;
}
