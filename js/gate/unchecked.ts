// Makes the verdict for what a gate could not check.
import type { Unchecked, UncheckedReason } from "../types/types.js";

/** Makes an `unchecked` verdict without hashes and lookups. `detail` says why, for developers. */
export function unchecked(reason: UncheckedReason, detail: string): Unchecked {
  return { outcome: "unchecked", reason, detail, lookups: 0 };
}
