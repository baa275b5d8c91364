import type { Verdict } from "./types/types.js";

/** Stable codes of a {@link GateError}. */
export type GateErrorCode =
  /** The filter's URL can't be reached, or answers with an error. */
  | "filter-unavailable"
  /** Larger than `maxFilterBytes`. */
  | "filter-too-large"
  /** The file was refused: the field that is wrong. */
  | "filter-magic"
  | "filter-version"
  | "filter-length"
  | "filter-field"
  | "filter-checksum"
  | "filter-canary"
  /** The manifest's URL can't be reached, or answers with an error. */
  | "manifest-unavailable"
  /** Longer than a manifest can be. */
  | "manifest-too-large"
  /** Not a signed manifest. */
  | "manifest-syntax"
  | "manifest-field"
  /** No signature by any trusted key. */
  | "manifest-wrong-key"
  | "manifest-too-few-signatures"
  /** A signature in a trusted key's name that it didn't make. */
  | "manifest-bad-signature"
  /** Past its signed expiry: newer releases are kept back, or none was made. */
  | "manifest-expired"
  /** Issued more than a day ahead of this machine's clock. */
  | "manifest-not-yet-valid"
  /** Older than a release that was seen here. */
  | "manifest-rollback"
  /** Of another list than the one that was seen here. */
  | "manifest-name"
  /** The release that was seen here, with another file. */
  | "manifest-conflict"
  /** A file of the release can't be reached, or its server answers with an error. */
  | "release-unavailable"
  /** Larger than `maxFilterBytes`, by the manifest. */
  | "release-too-large"
  /** Not of the length, or not the bytes, that the manifest names. */
  | "release-length"
  | "release-digest"
  /** Says other things of itself than the manifest does. */
  | "release-mismatch"
  | "delta-base"
  | "delta-syntax"
  /** The keys or the threshold of `trust` are no such thing. */
  | "trust-invalid"
  /** The wasm can't be fetched or compiled. */
  | "engine-unavailable"
  /** The engine trapped, or didn't answer in time. */
  | "engine-failed"
  /** The worker script can't be started. */
  | "worker-unavailable"
  | "invalid-options"
  | "invalid-fingerprint"
  | "internal"
  /** The gate was closed. */
  | "closed";

/** What crosses from a worker in place of a {@link GateError}. */
export interface Fault {
  code: GateErrorCode;
  message: string;
  url?: string | undefined;
  expected?: string | undefined;
  got?: string | undefined;
}

/** Why a gate could not be opened, or a check not be begun. */
export class GateError extends Error {
  override readonly name = "GateError";
  readonly code: GateErrorCode;
  /** What could not be had, or was refused. */
  readonly url: string | undefined;
  readonly expected: string | undefined;
  readonly got: string | undefined;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.code = fault.code;
    this.url = fault.url;
    this.expected = fault.expected;
    this.got = fault.got;
  }
}

/** The file must not be uploaded: {@link Gate.admit} throws this. Its verdict says why. */
export class HeldError extends Error {
  override readonly name = "HeldError";
  /** Tells this error from others where `instanceof` can't: two copies of the package, another realm. */
  readonly code = "held";
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    super(
      `the file is held: ${verdict.outcome === "unchecked" ? `${verdict.reason}: ${verdict.detail}` : verdict.outcome}`,
    );
    this.verdict = verdict;
  }
}
