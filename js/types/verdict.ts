// What a check answers. What the core serialises is generated from its Rust types; the gate adds the rest.
import type { GateErrorCode } from "../errors.js";
import type { Verdict as CoreVerdict, Match, Outcome, UncheckedReason } from "../generated/core.js";

import type { Checkpoint } from "./status.js";

export type {
  Caveat,
  DecodedBy,
  Format,
  Match,
  Orientation,
  Reading,
  Strength,
  Surface,
  UncheckedReason,
  View,
} from "../generated/core.js";

/** The bytes of the file seem to be on the list. */
export type DigestMatch = Extract<Match, { signal: "sha256" | "md5" }>;

/** The picture seems to be near one on the list. */
export type PdqMatch = Extract<Match, { signal: "pdq" }>;

/** What the service wants when there is no list to check against: hold uploads, or let them pass unchecked. */
export type WhenUnavailable = "block" | "allow";

/** What is known of a file besides the outcome. */
export interface Findings
  extends Omit<CoreVerdict, "outcome" | "matches" | "reason" | "detail" | "ifNotListed" | "reading"> {
  /**
   * The Blob that was judged: the very object that was given to `check`. Upload this one, and no other.
   * The property is not enumerable, so that copies and JSON of a verdict leave it out. It is missing if bytes were
   * given: {@link Gate.admit} makes a Blob of them.
   */
  readonly file?: Blob;
  /** The list at that moment, if the gate was opened with a `source`. */
  list?: ListState;
}

/** What a gate with a `source` has to check against. */
export interface ListState {
  /** `expired`: past the signed expiry of the last good release, which isn't used from then on. */
  state: "current" | "expired" | "none";
  /** The release that the gate holds, if any. */
  release?: number;
  /** Why the latest refresh failed, or what went wrong on the way, if anything did. */
  error?: GateErrorCode;
  /** The state of the public log that the release was proved by, if `trust.log` is set. */
  checkpoint?: Checkpoint;
  /** Who decides what is listed, and how to object, as the release says. */
  about?: ListAbout;
}

/** What a release says about those who decide. */
export interface ListAbout {
  /** Name of the list. */
  list: string;
  /** Who vouches for it. */
  curators: string[];
  /** Address of their policy. */
  policy?: string;
  /** Where to object: `https:` or `mailto:`. */
  appeals?: string;
  jurisdiction?: string;
}

/** The file is on none of the lists. With a `caveat`, this says less: see {@link Caveat}. */
export interface Clear extends Findings {
  outcome: "clear";
  /** Who said that what seemed to match is not listed, if the gate asked. */
  confirmedBy?: string;
  /** What had seemed to match, if the gate asked. */
  matches?: Match[];
}

/** Why a possible match is still one although the gate asked `confirm`. */
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
  /** The outcome if nothing that matched is listed, unless that is clear. */
  ifNotListed?: Outcome;
  /** Left out if the gate wasn't opened with `confirm`. */
  confirmation?: Unconfirmed;
  /** What went wrong when the gate asked `confirm`, in words for people. */
  confirmationDetail?: string;
}

/** The file is on a list, as the service that was asked says. */
export interface ConfirmedMatch extends Findings {
  outcome: "match";
  /** Strongest first, at most one for each list and signal. */
  matches: Match[];
  /** Who said so: `confirm.confirmer`, or "host". */
  confirmedBy: string;
}

/** The file could not be checked, which is never the same as clear. */
export interface Unchecked extends Findings {
  outcome: "unchecked";
  /** Why, for programs. */
  reason: UncheckedReason;
  /** Why, for people. */
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

/** A file that may be uploaded: the answer to {@link Gate.admit}. */
export interface Admitted {
  /** The Blob that was judged. Upload this one, and no other. */
  file: Blob;
  verdict: Verdict;
}
