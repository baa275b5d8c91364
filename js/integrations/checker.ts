// The checker, on which every integration is built: it checks a file by a gate, and decides by the host's policy, even
// if the gate can't be opened.
import { HeldError } from "../errors.js";
import { assertPolicy, decide } from "../policy/decision.js";
import type { Admitted, Caveat, Decision, Gate, Policy, Unchecked, UncheckedPolicy, Verdict } from "../types/types.js";

/** A gate, or the promise that `openGate` returns. With a promise, an integration can start before the filters load. */
export type GateLike = Gate | PromiseLike<Gate>;

export interface CheckerOptions {
  /**
   * Whether files that could not be checked pass or are held. Default: `not-a-picture` passes, everything else is held.
   */
  unchecked?: UncheckedPolicy;
  /** The caveats for which a file is held although it is clear. Default: none. */
  caveats?: readonly Caveat[];
  /**
   * Whether files pass ("allow") or are held ("block") if `gate` is a promise that rejects. Default: what `unchecked`
   * says about the reason `unavailable`.
   */
  whenUnavailable?: "block" | "allow";
}

/** A file's verdict, and the decision that the options lead to. */
export interface CheckedFile {
  verdict: Verdict;
  decision: Decision;
}

/**
 * Checks files and decides whether they are uploaded or held. If the gate can't be opened or was closed, the verdict is
 * `unchecked` with the reason `unavailable`, and the console says why, once per cause.
 */
export class Checker {
  readonly #name: string;
  readonly #gate: GateLike;
  readonly #policy: Policy;
  readonly #whenUnavailable: "block" | "allow" | undefined;
  #warned = "";

  /** `name` is the integration's name in messages on the console. */
  constructor(name: string, gate: GateLike, { unchecked = {}, caveats = [], whenUnavailable }: CheckerOptions = {}) {
    assertPolicy(unchecked, caveats);
    if (whenUnavailable !== undefined && whenUnavailable !== "block" && whenUnavailable !== "allow") {
      const got = JSON.stringify(whenUnavailable);
      throw new TypeError(`whenUnavailable: expected "block" or "allow", got ${got}`);
    }
    if (typeof gate !== "object" || gate === null || !("then" in gate || "check" in gate)) {
      throw new TypeError(`gate: expected a gate or a promise of one, got ${gate === null ? "null" : typeof gate}`);
    }
    this.#name = name;
    this.#gate = gate;
    this.#policy = { unchecked, caveats };
    this.#whenUnavailable = whenUnavailable;
    // Reports on the console as soon as the gate can't be opened, not only when somebody chooses a file. This also
    // handles the rejection.
    if ("then" in gate) gate.then(undefined, (error) => this.#warn(this.#unavailable(error)));
  }

  /** Checks a file. Rejects only if `signal` is aborted, with its reason. */
  async check(file: Blob, signal?: AbortSignal): Promise<CheckedFile> {
    const verdict = await this.#check(file, signal);
    if (verdict.outcome === "unchecked" && verdict.reason === "unavailable") this.#warn(verdict);
    return { verdict, decision: this.#decide(verdict) };
  }

  /**
   * Checks a file by this checker's options, as {@link Gate.admit} does. If the file may be uploaded, resolves to the
   * very Blob that was checked.
   *
   * @throws HeldError if the file must not be uploaded; the signal's reason if it is aborted.
   */
  async admit(file: Blob, signal?: AbortSignal): Promise<Admitted> {
    const { verdict, decision } = await this.check(file, signal);
    if (decision === "hold") throw new HeldError(verdict);
    return { file: verdict.file ?? file, verdict };
  }

  /** Returns the decision on a file whose bytes aren't available. `detail` says why they aren't. */
  incomplete(detail: string): CheckedFile {
    const verdict: Unchecked = { outcome: "unchecked", reason: "incomplete", detail, lookups: 0 };
    return { verdict, decision: this.#decide(verdict) };
  }

  /** Counts what became of a held file in the gate's transparency report. */
  async record(...decided: Parameters<Gate["record"]>): Promise<void> {
    const gate = await Promise.resolve(this.#gate).catch(() => undefined);
    gate?.record(...decided);
  }

  async #check(file: Blob, signal: AbortSignal | undefined): Promise<Verdict> {
    try {
      const gate = await this.#gate;
      return await gate.check(file, signal ? { signal } : {});
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      return this.#unavailable(error);
    }
  }

  #decide(verdict: Verdict): Decision {
    return decide(verdict, this.#policy);
  }

  #unavailable(error: unknown): Unchecked {
    const detail = error instanceof Error ? error.message : String(error);
    const own = this.#whenUnavailable && { whenUnavailable: this.#whenUnavailable };
    return { outcome: "unchecked", reason: "unavailable", detail, lookups: 0, ...own };
  }

  #warn(verdict: Unchecked): void {
    if (this.#warned === verdict.detail) return;
    this.#warned = verdict.detail;
    const became = this.#decide(verdict) === "upload" ? "let through unchecked" : "held";
    console.error(`hashgate/${this.#name}: files can't be checked, and are ${became}: ${verdict.detail}`);
  }
}
