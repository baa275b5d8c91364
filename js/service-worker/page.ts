// hashgate/service-worker/page: in a page, answers the service worker's questions with a gate, and tells the person.
import { Checker, type CheckerOptions, type GateLike } from "../integrations/checker.js";
import type { Verdict } from "../types/types.js";
import { type CheckAnswer, type HeldFile, isCheckRequest } from "./messages.js";

/** What `<hashgate-notice>` can do; it is loaded by `hashgate/notice`. */
interface Notice extends Element {
  show(entries: readonly { file: File; verdict: Verdict; decision: "hold" | "upload" }[]): void;
}

export interface ListenToUploadsOptions extends CheckerOptions {
  /** A `<hashgate-notice>` that shows what was held. Default: none, and the page listens to the events. */
  notice?: Element;
}

/** A file with its verdict, as the events' `detail.files` give it. */
export interface UploadedFile {
  file: File;
  verdict: Verdict;
  decision: "hold" | "upload";
}

/**
 * Has this page answer for its service worker. Events on `window` tell what happens: `hashgate-checking` (`detail.url`,
 * `detail.files`), `hashgate-progress` after each file (`detail.done`, `detail.total`), then `hashgate-held` with the held files
 * (`preventDefault()` keeps the notice from being shown) or `hashgate-settled`.
 *
 * @example
 * import { openGate } from "hashgate";
 * import { listenToUploads } from "hashgate/service-worker/page";
 * listenToUploads(openGate({ filters: ["/filters/demo.hgf"] }), { notice: document.querySelector("hashgate-notice") });
 *
 * @returns what ends it.
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
  // Messages wait until a page says that it listens.
  container.startMessages();
  return { remove: () => container.removeEventListener("message", listener) };
}

/** Checks the files of one upload, tells the page, and returns what is held. */
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
    // Clear files aren't held.
    outcome: verdict.outcome as HeldFile["outcome"],
    ...(verdict.outcome === "unchecked" && { reason: verdict.reason }),
  }));
}

/** Returns false if a listener prevented the default. */
function tell(type: string, detail: unknown): boolean {
  return dispatchEvent(new CustomEvent(type, { detail, cancelable: true }));
}
