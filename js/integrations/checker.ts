// What the integrations share: a file's verdict and decision, whatever becomes of the gate, and who is told.

import type { Gate, Unchecked, Verdict } from "../types/types.js";
import { assertPolicy, type Decision, decide, type UncheckedPolicy } from "./decision.js";

/** A gate, or the promise that `openGate` returns: an integration can be set up before the filters are there. */
export type GateLike = Gate | PromiseLike<Gate>;

export interface JudgeOptions {
  /** What becomes of files that could not be checked. Default "block". */
  unchecked?: UncheckedPolicy;
  /** What becomes of files if `gate` is a promise that is rejected. Default: what `unchecked` says of `unavailable`. */
  whenUnavailable?: "block" | "allow";
}

export interface Judged {
  verdict: Verdict;
  decision: Decision;
}

/**
 * Checks files and decides, whatever becomes of the gate: one that can't be opened, or was closed, makes an `unchecked`
 * verdict with the reason `unavailable`, and is written to the console once.
 */
export class Judge {
  readonly #who: string;
  readonly #gate: GateLike;
  readonly #unchecked: UncheckedPolicy;
  readonly #whenUnavailable: "block" | "allow" | undefined;
  #told = "";

  /** `who` names the integration on the console. */
  constructor(who: string, gate: GateLike, { unchecked = "block", whenUnavailable }: JudgeOptions = {}) {
    assertPolicy(unchecked);
    if (whenUnavailable !== undefined && whenUnavailable !== "block" && whenUnavailable !== "allow") {
      const got = JSON.stringify(whenUnavailable);
      throw new TypeError(`whenUnavailable: expected "block" or "allow", got ${got}`);
    }
    if (typeof gate !== "object" || gate === null || !("then" in gate || "check" in gate)) {
      throw new TypeError(`gate: expected a gate or a promise of one, got ${gate === null ? "null" : typeof gate}`);
    }
    this.#who = who;
    this.#gate = gate;
    this.#unchecked = unchecked;
    this.#whenUnavailable = whenUnavailable;
    // Said as soon as it is known, not only when somebody chooses a file; and never an unhandled rejection.
    if ("then" in gate) gate.then(undefined, (error) => this.#warn(this.#unavailable(error)));
  }

  /** Rejects with the signal's reason alone. */
  async judge(file: Blob, signal?: AbortSignal): Promise<Judged> {
    const verdict = await this.#check(file, signal);
    const decision = decide(verdict, { unchecked: this.#unchecked });
    if (verdict.outcome === "unchecked" && verdict.reason === "unavailable") this.#warn(verdict);
    return { verdict, decision };
  }

  /** The judgement on what has no bytes here. */
  incomplete(detail: string): Judged {
    const verdict: Unchecked = { outcome: "unchecked", reason: "incomplete", detail, lookups: 0 };
    return { verdict, decision: decide(verdict, { unchecked: this.#unchecked }) };
  }

  /** Notes for the gate's report what came of a file that was held. */
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

  #unavailable(error: unknown): Unchecked {
    const detail = error instanceof Error ? error.message : String(error);
    const own = this.#whenUnavailable && { whenUnavailable: this.#whenUnavailable };
    return { outcome: "unchecked", reason: "unavailable", detail, lookups: 0, ...own };
  }

  /** Tells the developer, once for each cause. */
  #warn(verdict: Unchecked): void {
    if (this.#told === verdict.detail) return;
    this.#told = verdict.detail;
    const became = decide(verdict, { unchecked: this.#unchecked }) === "upload" ? "let through unchecked" : "held";
    console.error(`hashgate/${this.#who}: files can't be checked, and are ${became}: ${verdict.detail}`);
  }
}
