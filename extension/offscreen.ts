// The offscreen document: the package's own gate, with its workers, the engine and the list, under the extension's policy.
import { type Gate, type GateOptions, openGate, type Verdict } from "hashgate";
import { type Requests, receive } from "./messages.js";
import { readSettings, type Settings } from "./settings.js";

/** After so long without a check, the document goes, and the memory with it. */
const IDLE_MS = 5 * 60_000;
/** Enough to tell a file's format. */
const HEAD_BYTES = 4096;

let opening: Promise<Gate> | undefined;
let running = 0;
let idle: ReturnType<typeof setTimeout> | undefined;

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

/** A failure isn't kept: the next file tries again. */
function gate(): Promise<Gate> {
  opening ??= readSettings().then((settings) => openGate(optionsOf(settings)));
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function check(file: File): Promise<Verdict> {
  // Never `clear` by mistake: what didn't arrive as a file is unchecked.
  if (!(file instanceof File)) {
    return { outcome: "unchecked", reason: "unreadable", detail: "the file did not reach the checker", lookups: 0 };
  }
  const opened = await gate().catch(describe);
  if (typeof opened === "string") return { outcome: "unchecked", reason: "unavailable", detail: opened, lookups: 0 };
  const verdict = await opened.check(file);
  if (verdict.outcome !== "unchecked" || verdict.reason !== "too-large") return verdict;
  // A long film is no picture that is too large.
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

async function busy<T>(work: Promise<T>): Promise<T> {
  running += 1;
  clearTimeout(idle);
  try {
    return await work;
  } finally {
    running -= 1;
    if (running === 0) idle = setTimeout(() => window.close(), IDLE_MS);
  }
}

receive("offscreen", {
  check: (file) => busy(check(file)),
  status: () => busy(status()),
});
