// Starts a worker in a page, and starts it again if its script doesn't load.

import type { Listener, PlatformWorker } from "../gate/connection.js";
import type { FromWorker, ToWorker } from "../protocol.js";

/**
 * After how many milliseconds without an answer from the script another worker is started beside the one that waits.
 * Firefox cancels a script that is loading when a form or a link begins to navigate, and dispatches no event. On a slow
 * connection the first one may only need longer, so it isn't ended.
 */
const AGAIN_AFTER_MS = [2000, 6000];
/** After how many milliseconds the worker counts as lost. */
const GIVE_UP_AFTER_MS = 30_000;

/** A worker whose messages wait until its script has loaded. */
export function startInPage(start: () => Worker, listener: Listener): PlatformWorker {
  const waiting: [ToWorker, Transferable[]][] = [];
  const starting = new Set<Worker>();
  let loaded: Worker | undefined;

  const attempt = () => {
    const worker = start();
    starting.add(worker);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type !== "loaded") return listener.message(data);
      // The first worker that has loaded is used. The others are ended.
      starting.delete(worker);
      endStarting();
      loaded = worker;
      for (const [message, transfer] of waiting.splice(0)) worker.postMessage(message, transfer);
    };
    worker.onmessageerror = () => listener.error("a message could not be read");
    worker.onerror = (event) => listener.error(event.message || "its script can't be loaded");
  };
  const again = () => {
    try {
      attempt();
    } catch {
      // The first attempt still waits, until the time is over.
    }
  };
  const timers = AGAIN_AFTER_MS.map((after) => setTimeout(again, after));
  timers.push(setTimeout(() => listener.error("its script did not load within 30 s"), GIVE_UP_AFTER_MS));
  const endStarting = () => {
    for (const timer of timers) clearTimeout(timer);
    for (const worker of starting) worker.terminate();
    starting.clear();
  };
  // When a page is left, the browser may freeze it with its workers, in case the person comes back. The workers are
  // ended, and start again when the page is used.
  const left = () => listener.error("the page was left");

  try {
    attempt();
  } catch (error) {
    endStarting();
    throw error;
  }
  addEventListener("pagehide", left);
  return {
    post(message, transfer) {
      if (loaded) loaded.postMessage(message, transfer);
      else waiting.push([message, transfer]);
    },
    terminate() {
      removeEventListener("pagehide", left);
      endStarting();
      loaded?.terminate();
    },
  };
}
