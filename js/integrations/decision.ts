// From a verdict to what a host does with the file. Which files that could not be checked are let through is the
// host's decision, so it has to be said.
import type { UncheckedReason, Verdict } from "../types/types.js";

/** What a host does with a file. */
export type Decision = "upload" | "hold";

/** What to do with what could not be checked. Reasons that are left out are blocked. */
export type UncheckedPolicy = "block" | "allow" | Partial<Record<UncheckedReason, "block" | "allow">>;

/**
 * What to do with a file: `clear` is uploaded, a match and a possible match are held, and what could not be checked
 * follows `unchecked`; where the gate itself was unavailable, its own `whenUnavailable` comes first.
 */
export function decide(verdict: Verdict, { unchecked }: { unchecked: UncheckedPolicy }): Decision {
  assertPolicy(unchecked);
  switch (verdict.outcome) {
    case "clear":
      return "upload";
    case "unchecked": {
      const { reason, whenUnavailable } = verdict;
      const own = reason === "unavailable" ? whenUnavailable : undefined;
      const said = own ?? (typeof unchecked === "string" ? unchecked : unchecked[reason]);
      return said === "allow" ? "upload" : "hold";
    }
    default:
      return "hold";
  }
}

/** @throws TypeError for anything that isn't a policy. */
export function assertPolicy(policy: unknown): asserts policy is UncheckedPolicy {
  const each = typeof policy === "object" && policy !== null ? Object.entries(policy) : [["", policy]];
  for (const [reason, said] of each) {
    if (said === undefined && reason !== "") continue;
    if (said === "block" || said === "allow") continue;
    const field = reason === "" ? "unchecked" : `unchecked["${reason}"]`;
    throw new TypeError(`${field}: expected "block" or "allow", got ${JSON.stringify(said)}`);
  }
}
