// The types of a host's decisions about files.
import type { Caveat, UncheckedReason } from "../generated/core.js";

/** The decision about a file. */
export type Decision = "upload" | "hold";

/**
 * What to do with files that could not be checked: one answer for all, or one answer per reason. For a reason without
 * an answer, `not-a-picture` is allowed and every other reason is blocked.
 */
export type UncheckedPolicy = "block" | "allow" | Partial<Record<UncheckedReason, "block" | "allow">>;

/** A host's policy on the files that are on no list. */
export interface Policy {
  unchecked: UncheckedPolicy;
  /** The caveats for which a file is held although it is clear. Default: none. */
  caveats?: readonly Caveat[];
}
