// A gate, as a host sees it.
import type { AdmitOptions, CheckOptions, Input } from "./options.js";
import type { HostDecision, ReportOptions, TransparencyReport } from "./report.js";
import type { FilterInfo, GateStatus } from "./status.js";
import type { Admitted, Verdict } from "./verdict.js";

/** Checks files against the lists it was opened with. */
export interface Gate extends EventTarget {
  /** The loaded filters. */
  readonly filters: readonly FilterInfo[];
  /** What the gate has to check against, and how it came by it. A `statechange` event tells of each change. */
  status(): GateStatus;
  /**
   * Asks for a newer release of `source` now. Resolves to the status after it, which says what went wrong.
   *
   * @throws {@link GateError} `closed`.
   */
  refresh(): Promise<GateStatus>;
  /**
   * Checks a file. Several files at once queue for the workers. What is wrong with the file is in the verdict.
   *
   * @throws the signal's reason if it was aborted; {@link GateError} `closed`.
   */
  check(file: Input, options?: CheckOptions): Promise<Verdict>;
  /**
   * Checks a file, and resolves to the Blob that may be uploaded: the very one that was judged.
   *
   * @example
   * const { file } = await gate.admit(input.files[0]);
   * await fetch("/upload", { method: "POST", body: file });
   *
   * @throws {@link HeldError} with the verdict if the file must not be uploaded; and as {@link check} does.
   */
  admit(file: Input, options?: AdmitOptions): Promise<Admitted>;
  /** Notes for the report what came of a file that was held. */
  record(decision: HostDecision, verdict: Verdict): void;
  /** What was counted since the gate was opened. It stays in the page unless the host sends it. */
  report(options?: ReportOptions): TransparencyReport;
  /** Ends the workers. Pending checks reject with {@link GateError} `closed`. */
  close(): void;
}
