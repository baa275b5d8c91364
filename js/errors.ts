import type { RefusalCode } from "./generated/core.js";
import type { Verdict } from "./types/types.js";

/**
 * Stable codes of a {@link GateError}: those of the core's refusals (docs/reference/refusal-codes.md), and those of the
 * gate itself (docs/reference/gate-errors.md).
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
  /** The manifest is of another list than the one that was seen here. */
  | "manifest-name"
  /** The manifest has the release number that was seen here, with another file. */
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
  /** An option that was given to the gate is malformed. */
  | "invalid-options"
  /** The engine couldn't serialise a value: a fault of hashgate. */
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

/** An error with a stable code: a {@link GateError}, or one that the engine threw. */
export type Coded = Error & { code: GateErrorCode; expected?: string | undefined; got?: string | undefined };

/** Whether an error has a stable code. Nothing else that the engine throws has a `code`. */
export function isCoded(error: unknown): error is Coded {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** What crosses from a worker in place of an error. */
export function faultOf(error: Coded): Fault {
  const { code, message, expected, got } = error;
  return { code, message, url: error instanceof GateError ? error.url : undefined, expected, got };
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
