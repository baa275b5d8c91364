// The stable codes of errors.
import type { RefusalCode } from "../generated/core.js";

/**
 * The codes of a {@link GateError}, which stay the same from version to version: those of the core's refusals
 * (docs/reference/refusal-codes.md), and those of the gate itself (docs/reference/gate-errors.md).
 */
export type GateErrorCode =
  | Exclude<RefusalCode, "build-field" | "build-capacity" | "hex-length" | "hex-digit">
  /** The filter's URL can't be reached, or answers with an error. */
  | "filter-unavailable"
  /** The filter is larger than `maxFilterBytes`. */
  | "filter-too-large"
  /** The manifest's URL can't be reached, or answers with an error. */
  | "manifest-unavailable"
  /** The manifest is longer than a manifest can be. */
  | "manifest-too-large"
  /** The manifest is of another list than the manifest that this gate saw before. */
  | "manifest-name"
  /** The manifest has the same release number as the one that this gate saw before, but names another file. */
  | "manifest-conflict"
  /** The proof that the release is in the public log can't be reached, or is longer than a proof can be. */
  | "log-proof-unavailable"
  /** A file of the release can't be reached, or its server answers with an error. */
  | "release-unavailable"
  /** By the manifest, the release is larger than `maxFilterBytes`. */
  | "release-too-large"
  /** The wasm can't be fetched or compiled. */
  | "engine-unavailable"
  /** The engine trapped, or didn't answer in time. */
  | "engine-failed"
  /** The worker script can't be started. */
  | "worker-unavailable"
  /** The browser can't make the track that a guard of `watch` needs. */
  | "guard-unavailable"
  /** An option that was given to the gate is malformed. */
  | "invalid-options"
  /** The engine couldn't serialise a value. This is a bug of hashgate. */
  | "internal"
  /** The gate was closed. */
  | "closed";
