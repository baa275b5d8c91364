// hashgate/service-worker/page: checks files for the service worker with the page's gate, and tells the person.
import { Checker, type CheckerOptions, type GateLike } from "../integrations/checker.js";
import type { Verdict } from "../types/types.js";
import { type CheckAnswer, type HeldFile, isCheckRequest } from "./messages.js";

/** The part of `<hashgate-notice>` that is used here. `hashgate/notice` defines the element. */
interface Notice extends Element {
  show(entries: readonly { file: File; verdict: Verdict; decision: "hold" | "upload" }[]): void;
}

export interface ListenToUploadsOptions extends CheckerOptions {
  /** A `<hashgate-notice>` that shows held files. Default: none; then the page should listen to the events. */
  notice?: Element;
}

/** A file with its verdict and decision, as in the events' `detail.files`. */
export interface UploadedFile {
  file: File;
  verdict: Verdict;
  decision: "hold" | "upload";
}

/**
 * Lets this page check files for its service worker. It dispatches events on `window`: `hashgate-checking`
 * (`detail.url`, `detail.files`), `hashgate-progress` after each file (`detail.done`, `detail.total`), then
 * `hashgate-held` with the held files (`preventDefault()` keeps the notice from being shown) or `hashgate-settled`.
 *
 * @example
 * import { openGate } from "hashgate";
 * import { listenToUploads } from "hashgate/service-worker/page";
 * listenToUploads(openGate({ filters: ["/filters/demo.hgf"] }), { notice: document.querySelector("hashgate-notice") });
 *
 * @returns an object whose `remove()` ends this.
 */
export function listenToUploads(gate: GateLike, options: ListenToUploadsOptions = {}): { remove(): void } {
  const { notice, ...rest } = options;
  const checker = new Checker("service-worker", gate, rest);
  const container = navigator.serviceWorker;
  const listener = ({ data, ports: [port] }: MessageEvent) => {
    if (!isCheckRequest(data) || !port) return;
    const answer = (said: CheckAnswer) => port.postMessage(said);
    answer({ is: "accepted" });
    settle(checker, data.url, data.files, notice as Notice | undefined).then(
      (held) => answer({ is: "settled", held }),
      (error) => answer({ is: "failed", detail: error instanceof Error ? error.message : String(error) }),
    );
  };
  container.addEventListener("message", listener);
  // The browser delivers no messages from the service worker before this call.
  container.startMessages();
  return { remove: () => container.removeEventListener("message", listener) };
}

/** Checks the files of one upload, tells the page, and returns the held files. */
async function settle(checker: Checker, url: string, files: File[], notice: Notice | undefined): Promise<HeldFile[]> {
  tell("hashgate-checking", { url, files });
  let done = 0;
  const judged = await Promise.all(
    files.map(async (file): Promise<UploadedFile> => {
      const { verdict, decision } = await checker.check(file);
      done += 1;
      tell("hashgate-progress", { url, done, total: files.length });
      return { file, verdict, decision };
    }),
  );
  const held = judged.filter(({ decision }) => decision === "hold");
  if (held.length > 0 && tell("hashgate-held", { url, files: held })) notice?.show(held);
  if (held.length === 0) tell("hashgate-settled", { url, files: judged });
  return held.map(({ file, verdict }) => ({
    name: file.name,
    outcome: verdict.outcome,
    ...(verdict.outcome === "unchecked" && { reason: verdict.reason }),
  }));
}

/** Dispatches an event on `window`. Returns false if a listener prevented the default. */
function tell(type: string, detail: unknown): boolean {
  return dispatchEvent(new CustomEvent(type, { detail, cancelable: true }));
}
