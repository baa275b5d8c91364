// The gate's public interface.
import type { AdmitOptions, CheckOptions, Input, NodeInput } from "./options.js";
import type { HostDecision, ReportOptions, TransparencyReport } from "./report.js";
import type { FilterInfo, GateStatus } from "./status.js";
import type { Admitted, Verdict } from "./verdict.js";
import type { Watch, WatchOptions, WatchSource } from "./watch.js";

/** Checks files against the lists that it was opened with. */
export interface Gate extends EventTarget {
  /** The loaded filters. */
  readonly filters: readonly FilterInfo[];
  /**
   * Returns which list the gate checks against, and where the list came from. The gate fires `statechange` after each
   * change.
   */
  status(): GateStatus;
  /**
   * Looks for a newer release of `source` now. Resolves to the status afterwards, which says what went wrong if
   * anything did.
   *
   * @throws {@link GateError} `closed`.
   */
  refresh(): Promise<GateStatus>;
  /**
   * Checks a file. Files that are checked at the same time queue for the workers. If something is wrong with the file,
   * the verdict says so; the promise doesn't reject. In Node it also takes a file's URL or a stream.
   *
   * @throws the signal's reason if it was aborted; {@link GateError} `closed`.
   */
  check(file: Input | NodeInput, options?: CheckOptions): Promise<Verdict>;
  /**
   * Checks a file, and resolves to the Blob that may be uploaded: the very Blob that was checked.
   *
   * @example
   * const { file } = await gate.admit(input.files[0]);
   * await fetch("/upload", { method: "POST", body: file });
   *
   * @throws {@link HeldError} with the verdict if the file must not be uploaded; and as {@link check} does.
   */
  admit(file: Input, options?: AdmitOptions): Promise<Admitted>;
  /**
   * Watches a live stream: checks a frame of it every `everyMs`. Everything stays on the device. The gate's `confirm`
   * is asked about possible matches, as for files.
   *
   * @example
   * const camera = await navigator.mediaDevices.getUserMedia({ video: true });
   * const watch = gate.watch(camera, { guard: "blank" });
   * watch.addEventListener("statechange", () => console.log(watch.state));
   * await sender.replaceTrack(watch.track);
   *
   * @throws {@link GateError} `invalid-options`; `guard-unavailable` if the browser can't make a guarded track;
   * `closed`.
   */
  watch(source: WatchSource, options?: WatchOptions): Watch;
  /** Counts the decision about a held file for the transparency report. */
  record(decision: HostDecision, verdict: Verdict): void;
  /** Returns the counts since the gate was opened. They stay in the page unless the host sends them. */
  report(options?: ReportOptions): TransparencyReport;
  /** Ends the workers. Pending checks reject with {@link GateError} `closed`. */
  close(): void;
}
