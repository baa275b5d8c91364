// The offscreen document: the package's own gate, with its workers, the engine and the list, under the extension's policy.
import { type FilterSource, type Gate, openGate, type Verdict } from "hashgate";
import { receive } from "./messages.js";
import { type List, readSettings } from "./settings.js";

/** After so long without a check, the document goes, and the memory with it. */
const IDLE_MS = 5 * 60_000;

let opening: Promise<Gate> | undefined;
let running = 0;
let idle: ReturnType<typeof setTimeout> | undefined;

function sourceOf(list: List): FilterSource {
  if (list.from === "demo") return "demo.hgf";
  return list.from === "url" ? list.url : list.bytes;
}

/** A failure isn't kept: the next file tries again. */
function gate(): Promise<Gate> {
  opening ??= readSettings().then(({ list }) => openGate({ filters: [sourceOf(list)] }));
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
  return opened.check(file);
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
  status: () =>
    busy(
      gate().then(
        ({ filters }) => ({ filters }),
        (error) => ({ error: describe(error) }),
      ),
    ),
});
