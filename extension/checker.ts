// The checker: the package's gate, with its workers, engine and list. It runs under the extension's own
// Content-Security-Policy: in Chromium in the offscreen document, because a service worker can't start workers; in
// Firefox in the background page.
import { type Gate, type GateOptions, openGate, type Verdict } from "hashgate";
import { type Requests, receive } from "./messages.js";
import { readSettings, type Settings } from "./settings.js";

/** Bytes at the start of a file that suffice to recognise its format. */
const HEAD_BYTES = 4096;

let opening: Promise<Gate> | undefined;

function optionsOf({ list, unchecked }: Settings): GateOptions {
  switch (list.from) {
    case "demo":
      return { filters: ["demo.hgf"] };
    case "url":
      return { filters: [list.url] };
    case "file":
      return { filters: [list.bytes] };
    case "source": {
      const whenUnavailable = unchecked === "hold" ? "block" : "allow";
      return { source: list.url, trust: { keys: list.keys }, whenUnavailable };
    }
  }
}

/** Returns the gate, and opens it on the first call. If that fails, the next file tries again. */
function gate(): Promise<Gate> {
  opening ??= readSettings().then((settings) => openGate(optionsOf(settings)));
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}

/** Closes the gate. The next file opens another one, with the settings of that time. */
export function closeGate(): void {
  void opening?.then((opened) => opened.close()).catch(() => undefined);
  opening = undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function check(file: File): Promise<Verdict> {
  // Makes sure that a value which didn't arrive as a file is never `clear`.
  if (!(file instanceof File)) {
    return { outcome: "unchecked", reason: "unreadable", detail: "the file did not reach the checker", lookups: 0 };
  }
  const opened = await gate().catch(describe);
  if (typeof opened === "string") return { outcome: "unchecked", reason: "unavailable", detail: opened, lookups: 0 };
  const verdict = await opened.check(file);
  if (verdict.outcome !== "unchecked" || verdict.reason !== "too-large") return verdict;
  // A long file that is no picture should be `not-a-picture`, not `too-large`. So checks only its first bytes.
  const head = await opened.check(file.slice(0, HEAD_BYTES));
  return head.outcome === "unchecked" && head.reason === "not-a-picture" ? head : verdict;
}

/** Returns the status of the list. A gate that follows a published list opens even if there is no list yet. */
async function status(): Promise<Requests["status"]["answer"]> {
  const opened = await gate().catch(describe);
  if (typeof opened === "string") return { error: opened };
  const { state, lastError } = opened.status();
  return state === "current" ? { filters: opened.filters } : { error: lastError?.message ?? state };
}

/** Answers the messages to the checker. Calls `busy` with the promise of each answer. */
export function startChecker(busy: <T>(work: Promise<T>) => Promise<T> = (work) => work): void {
  receive("checker", {
    check: (file) => busy(check(file)),
    status: () => busy(status()),
  });
}
