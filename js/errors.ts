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
