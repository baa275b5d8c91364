// The offscreen document of Chromium. The checker runs in it.
import { startChecker } from "./checker.js";

/** Milliseconds without a check after which the document closes, to free its memory. */
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
