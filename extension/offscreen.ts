// Chromium's offscreen document: where the checker is.
import { startChecker } from "./checker.js";

/** After so long without a check, the document closes, and its memory is free. */
const IDLE_MS = 5 * 60_000;

let running = 0;
let idle: ReturnType<typeof setTimeout> | undefined;

startChecker(async (work) => {
  running += 1;
  clearTimeout(idle);
  try {
    return await work;
  } finally {
    running -= 1;
    if (running === 0) idle = setTimeout(() => window.close(), IDLE_MS);
  }
});
