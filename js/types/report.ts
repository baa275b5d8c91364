// The transparency report of a gate.
import type { UncheckedReason } from "../generated/core.js";
import type { Checkpoint } from "./status.js";

/**
 * The decision about a held file: it was uploaded nevertheless ("overridden"), or the person asked for a review
 * ("appealed").
 */
export type HostDecision = "overridden" | "appealed";

/** Counts of one release of one list. */
export interface ListCounts {
  list: string;
  category: string;
  release: number;
  /** Number of checks that were made with this release, whatever their outcome. */
  checked: number;
  /** Files whose match with this release the confirming service denied. */
  dismissed: number;
  /**
   * Files that matched this release, without a clear answer of a confirming service: none was asked, or it didn't know.
   */
  possible: number;
  /** Files whose match with this release the confirming service confirmed. */
  confirmed: number;
  overridden: number;
  appealed: number;
}

/**
 * A report of counts, without anything about a file, hash or person. docs/reference/transparency-report.md has its JSON
 * schema.
 */
export interface TransparencyReport {
  format: "hashgate-report-1";
  /** When the gate was opened, rounded down to the hour, ISO 8601 in UTC. */
  from: string;
  /** When the report was made, rounded down to the hour. */
  to: string;
  /** `checked` is the sum of `clear`, `possible`, `confirmed` and all of `unchecked`. */
  totals: {
    checked: number;
    clear: number;
    /** Files among `clear` and `unchecked` whose match the confirming service denied. */
    dismissed: number;
    possible: number;
    confirmed: number;
    /** Counts by reason. A reason that never occurred is left out. */
    unchecked: Partial<Record<UncheckedReason, number>>;
    overridden: number;
    appealed: number;
  };
  /** One entry for each release of each list. */
  lists: ListCounts[];
  /**
   * The state of the public log that contains the list. Only present with {@link ReportOptions.checkpoint}. If two
   * reports have the same `size` and different roots, their users were shown different lists.
   */
  "hashgate.checkpoint"?: Checkpoint;
}

/** Options for what a report holds besides counts. */
export interface ReportOptions {
  /** Whether the report includes the checkpoint of the list's public log. Default false. */
  checkpoint?: boolean;
}
