// The errors that the package throws, and how they cross from a worker to the page.
import type { GateErrorCode } from "./types/error-codes.js";
import type { Verdict } from "./types/verdict.js";

export type { GateErrorCode } from "./types/error-codes.js";

/** A {@link GateError} as plain data, in which form it crosses from a worker to the page. */
export interface Fault {
  code: GateErrorCode;
  message: string;
  url?: string | undefined;
  expected?: string | undefined;
  got?: string | undefined;
}

/** Says why a gate could not be opened or a check could not begin. */
export class GateError extends Error {
  override readonly name = "GateError";
  readonly code: GateErrorCode;
  /** The URL of the file that could not be loaded, or that was refused. */
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

/** Makes the error for an option or argument that can't be used. */
export function invalidOptions(field: string, expected: string, got: string): GateError {
  return new GateError({
    code: "invalid-options",
    message: `${field}: expected ${expected}, got ${got}`,
    expected,
    got,
  });
}

/** An error with a stable code: a {@link GateError}, or one that the engine threw. */
export type Coded = Error & { code: GateErrorCode; expected?: string | undefined; got?: string | undefined };

/** Returns whether an error has a stable code. Nothing else that the engine throws has a `code`. */
export function isCoded(error: unknown): error is Coded {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** Returns an error as plain data, so that it can cross from a worker to the page. */
export function faultOf(error: Coded): Fault {
  const { code, message, expected, got } = error;
  return { code, message, url: error instanceof GateError ? error.url : undefined, expected, got };
}

/** {@link Gate.admit} throws this error for a file that must not be uploaded. Its verdict says why. */
export class HeldError extends Error {
  override readonly name = "HeldError";
  /** Tells this error from others where `instanceof` fails: with two copies of the package, or in another frame. */
  readonly code = "held";
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    super(
      `the file is held: ${verdict.outcome === "unchecked" ? `${verdict.reason}: ${verdict.detail}` : verdict.outcome}`,
    );
    this.verdict = verdict;
  }
}

/** Returns the name and the message of an error in one line. */
export function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
