// Decides by a verdict and the host's policy whether a file is uploaded or held.
import type { Caveat, Decision, Policy, UncheckedPolicy, UncheckedReason, Verdict } from "../types/types.js";

const CAVEATS: Record<Caveat, true> = {
  "one-reading": true,
  "colour-profile": true,
  "ac-terms-unread": true,
  "frames-sampled": true,
  malformed: true,
  "low-detail": true,
};

/**
 * Returns what to do with a file. A `clear` file is uploaded, unless it has one of the host's `caveats`. A `match` or
 * `possible-match` is held. For an `unchecked` file, `unchecked` decides; if the reason is `unavailable`, the gate's
 * own `whenUnavailable` comes first.
 *
 * @throws TypeError if an option isn't a policy.
 */
export function decide(verdict: Verdict, { unchecked, caveats = [] }: Policy): Decision {
  assertPolicy(unchecked, caveats);
  switch (verdict.outcome) {
    case "clear": {
      const found = verdict.caveats ?? (verdict.caveat ? [verdict.caveat] : []);
      return found.some((caveat) => caveats.includes(caveat)) ? "hold" : "upload";
    }
    case "unchecked": {
      const { reason, whenUnavailable } = verdict;
      const own = reason === "unavailable" ? whenUnavailable : undefined;
      return (own ?? answerOf(unchecked, reason)) === "allow" ? "upload" : "hold";
    }
    default:
      return "hold";
  }
}

function answerOf(unchecked: UncheckedPolicy, reason: UncheckedReason): "block" | "allow" {
  if (typeof unchecked === "string") return unchecked;
  return unchecked[reason] ?? (reason === "not-a-picture" ? "allow" : "block");
}

/**
 * Checks the options of a policy.
 *
 * @throws TypeError if an option isn't a policy.
 */
export function assertPolicy(policy: unknown, caveats: unknown = []): asserts policy is UncheckedPolicy {
  const each = typeof policy === "object" && policy !== null ? Object.entries(policy) : [["", policy]];
  for (const [reason, said] of each) {
    if (said === undefined && reason !== "") continue;
    if (said === "block" || said === "allow") continue;
    const field = reason === "" ? "unchecked" : `unchecked["${reason}"]`;
    throw new TypeError(`${field}: expected "block" or "allow", got ${JSON.stringify(said)}`);
  }
  if (!Array.isArray(caveats))
    throw new TypeError(`caveats: expected an array of caveats, got ${JSON.stringify(caveats)}`);
  const wrong = caveats.find((caveat) => !Object.hasOwn(CAVEATS, caveat));
  if (wrong === undefined) return;
  throw new TypeError(`caveats: expected some of ${Object.keys(CAVEATS).join(", ")}, got ${JSON.stringify(wrong)}`);
}
