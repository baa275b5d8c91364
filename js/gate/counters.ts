// Counts a gate's verdicts for the transparency report. It keeps only numbers, and times that are rounded to the hour.
import type {
  FilterInfo,
  HostDecision,
  ListCounts,
  Match,
  TransparencyReport,
  UncheckedReason,
  Verdict,
} from "../types/types.js";

const HOUR_MS = 3_600_000;

export class Counters {
  readonly #since = Date.now();
  readonly #totals = { checked: 0, clear: 0, dismissed: 0, possible: 0, confirmed: 0, overridden: 0, appealed: 0 };
  readonly #unchecked = new Map<UncheckedReason, number>();
  readonly #lists = new Map<string, ListCounts>();

  /** Counts a finished check, in total and for each of the filters that it was made with. */
  checked(verdict: Verdict, filters: readonly FilterInfo[]): void {
    this.#totals.checked += 1;
    for (const { name, category, release } of filters) this.#list(name, category, release).checked += 1;
    const dismissed = "confirmedBy" in verdict && verdict.outcome !== "match";
    if (dismissed) this.#count("dismissed", verdict.matches ?? []);
    switch (verdict.outcome) {
      case "clear":
        this.#totals.clear += 1;
        break;
      case "possible-match":
        this.#count("possible", verdict.matches);
        break;
      case "match":
        this.#count("confirmed", verdict.matches);
        break;
      case "unchecked":
        this.#unchecked.set(verdict.reason, (this.#unchecked.get(verdict.reason) ?? 0) + 1);
    }
  }

  /** Counts what became of a held file. */
  decided(decision: HostDecision, verdict: Verdict): void {
    this.#count(decision, "matches" in verdict ? (verdict.matches ?? []) : []);
  }

  report(filters: readonly FilterInfo[]): TransparencyReport {
    // Adds the lists that haven't checked a file yet, so that the report names them, too.
    for (const { name, category, release } of filters) this.#list(name, category, release);
    const unchecked: TransparencyReport["totals"]["unchecked"] = Object.fromEntries(this.#unchecked);
    return {
      format: "hashgate-report-1",
      from: hour(this.#since),
      to: hour(Date.now()),
      totals: { ...this.#totals, unchecked },
      lists: [...this.#lists.values()].map((counts) => ({ ...counts })),
    };
  }

  #count(what: "dismissed" | "possible" | "confirmed" | HostDecision, matches: readonly Match[]): void {
    this.#totals[what] += 1;
    // A list counts once, even if several of its signals matched the file.
    const lists = new Set(matches.map(({ list, category, release }) => this.#list(list, category, release)));
    for (const counts of lists) counts[what] += 1;
  }

  #list(list: string, category: string, release: number): ListCounts {
    const id = JSON.stringify([list, category, release]);
    const none = { checked: 0, dismissed: 0, possible: 0, confirmed: 0, overridden: 0, appealed: 0 };
    const counts = this.#lists.get(id) ?? { list, category, release, ...none };
    this.#lists.set(id, counts);
    return counts;
  }
}

function hour(time: number): string {
  return new Date(Math.floor(time / HOUR_MS) * HOUR_MS).toISOString();
}
