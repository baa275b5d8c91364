// The checker: the package's own gate, with its workers, the engine and the list, under the extension's policy. In
// Chromium it is in the offscreen document, as a service worker can't start workers; in Firefox in the background page.
import { type Gate, type GateOptions, openGate, type Verdict } from "hashgate";
import { type Requests, receive } from "./messages.js";
import { readSettings, type Settings } from "./settings.js";

/** Enough to tell a file's format. */
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

/** Opens the gate once. A failure isn't kept: the next file tries again. */
function gate(): Promise<Gate> {
  opening ??= readSettings().then((settings) => openGate(optionsOf(settings)));
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}

/** Closes the gate. The next file opens one with the settings of then. */
export function closeGate(): void {
  void opening?.then((opened) => opened.close()).catch(() => undefined);
  opening = undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function check(file: File): Promise<Verdict> {
  // What didn't arrive as a file is never `clear` by mistake.
  if (!(file instanceof File)) {
    return { outcome: "unchecked", reason: "unreadable", detail: "the file did not reach the checker", lookups: 0 };
  }
  const opened = await gate().catch(describe);
  if (typeof opened === "string") return { outcome: "unchecked", reason: "unavailable", detail: opened, lookups: 0 };
  const verdict = await opened.check(file);
  if (verdict.outcome !== "unchecked" || verdict.reason !== "too-large") return verdict;
  // A long film is not a picture that is too large.
  const head = await opened.check(file.slice(0, HEAD_BYTES));
  return head.outcome === "unchecked" && head.reason === "not-a-picture" ? head : verdict;
}

/** A gate that follows a published list is open even without one. */
async function status(): Promise<Requests["status"]["answer"]> {
  const opened = await gate().catch(describe);
  if (typeof opened === "string") return { error: opened };
  const { state, lastError } = opened.status();
  return state === "current" ? { filters: opened.filters } : { error: lastError?.message ?? state };
}

/** Answers what is asked of the checker. `busy` is given each answer as it is being made. */
export function startChecker(busy: <T>(work: Promise<T>) => Promise<T> = (work) => work): void {
  receive("checker", {
    check: (file) => busy(check(file)),
    status: () => busy(status()),
  });
}
