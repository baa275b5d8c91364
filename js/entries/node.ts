// The entry of Node, for the check that a server repeats.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { openGateOn } from "../gate/gate.js";
import { isAnswer } from "../protocol.js";
import type { Gate, GateOptions } from "../types/types.js";
import { compileFrom, hasSimd } from "./compile.js";

export { GateError, type GateErrorCode, HeldError } from "../errors.js";
export { type CheckedFile, Checker, type CheckerOptions, type GateLike } from "../integrations/checker.js";
export { decide } from "../policy/decision.js";
export type * from "../types/types.js";

/**
 * Loads and verifies the filters, and returns a gate that checks files against them in worker threads.
 * A filter may be a path as well as a URL.
 *
 * @throws GateError that says what can't be had or is refused; the signal's reason if it is aborted.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  // A framework renders the page on a server: there is nothing to check, and nobody to hear of a failure.
  if (options?.browserOnly) return new Promise(() => {});
  return openGateOn(
    {
      startWorker(listener) {
        // Without the process's own flags, of which some (--input-type) end a worker. Bundlers look for the first form.
        const worker =
          options.workerUrl === undefined
            ? new Worker(new URL("./node-worker.js", import.meta.url), { execArgv: [] })
            : new Worker(asUrl(options.workerUrl), { execArgv: [] });
        // A gate keeps the process only while it is asked something.
        let pending = 0;
        worker.unref();
        worker.on("message", (message) => {
          if (isAnswer(message)) pending -= 1;
          if (pending === 0) worker.unref();
          listener.message(message);
        });
        worker.on("error", (error) => listener.error(error.message));
        worker.on("exit", () => listener.error("it ended"));
        return {
          post(message, transfer) {
            if (message.type !== "start") {
              pending += 1;
              worker.ref();
            }
            worker.postMessage(message, transfer);
          },
          terminate: () => void worker.terminate(),
        };
      },
      compile() {
        const own = hasSimd()
          ? new URL("./hashgate.wasm", import.meta.url)
          : new URL("./hashgate-baseline.wasm", import.meta.url);
        const { href } = options.wasmUrl === undefined ? own : asUrl(options.wasmUrl);
        return compileFrom(href, async (url) =>
          url.startsWith("file:") ? new Response(await readFile(fileURLToPath(url))) : fetch(url),
        );
      },
      resolve: (url) => asUrl(url).href,
      processors: availableParallelism,
      // The Blobs of `openAsBlob` can't be posted.
      takesBlob: (_): _ is Blob => false,
    },
    options,
  );
}

function asUrl(url: string | URL): URL {
  if (url instanceof URL) return url;
  return /^(https?|file):/.test(url) ? new URL(url) : pathToFileURL(url);
}
