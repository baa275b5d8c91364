// Starts a worker in a page, and starts it again if its script doesn't load.

import type { Listener, PlatformWorker } from "../gate/connection.js";
import type { FromWorker, ToWorker } from "../protocol.js";

/**
 * Milliseconds after which another worker is started beside one whose script hasn't answered. Firefox cancels a loading
 * script without an event when a form or link begins to navigate. The first worker isn't ended, because it may only be
 * slow.
 */
const AGAIN_AFTER_MS = [2000, 6000];
/** Milliseconds without an answer after which the worker counts as lost. */
const GIVE_UP_AFTER_MS = 30_000;

/** Starts a worker. Messages to it wait until its script has loaded. */
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
      // The first worker is still loading. It counts as lost only after `GIVE_UP_AFTER_MS`.
    }
  };
  const timers = AGAIN_AFTER_MS.map((after) => setTimeout(again, after));
  timers.push(setTimeout(() => listener.error("its script did not load within 30 s"), GIVE_UP_AFTER_MS));
  const endStarting = () => {
    for (const timer of timers) clearTimeout(timer);
    for (const worker of starting) worker.terminate();
    starting.clear();
  };
  // A browser may freeze a page that the person leaves, together with its workers, to show it again quickly. Ends the
  // workers; they start again when the page is used.
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
