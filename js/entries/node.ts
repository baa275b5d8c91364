// The entry for Node: a server checks uploads again.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { Arrivals } from "../gate/arrivals.js";
import { openGateOn } from "../gate/gate.js";
import { isAnswer, type OwnFormat } from "../protocol.js";
import type { Gate, GateOptions } from "../types/types.js";
import { compileFrom, hasSimd } from "./compile.js";
import { openInput } from "./node-input.js";

export { GateError, type GateErrorCode, HeldError } from "../errors.js";
export { type CheckedFile, Checker, type CheckerOptions, type GateLike } from "../integrations/checker.js";
export { decide } from "../policy/decision.js";
export type * from "../types/types.js";

/**
 * Loads and verifies the filters, and returns a gate that checks files against them in worker threads.
 * A filter may be a path as well as a URL.
 *
 * @throws GateError if a file can't be loaded or is refused; the signal's reason if the signal is aborted.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  // The option is set, so a framework runs this code to render a page on a server, where there is nothing to check. The
  // promise stays pending.
  if (options?.browserOnly) return new Promise(() => {});
  return openGateOn(
    {
      startWorker(listener) {
        // Starts the worker without the process's own flags, because some of them (--input-type) end a worker. Bundlers
        // look for the first of the two forms.
        const worker =
          options.workerUrl === undefined
            ? new Worker(new URL("./node-worker.js", import.meta.url), { execArgv: [] })
            : new Worker(asUrl(options.workerUrl), { execArgv: [] });
        // A gate keeps the process running only while it has unanswered requests.
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
            worker.postMessage(message, transfer as ArrayBuffer[]);
          },
          terminate: () => void worker.terminate(),
        };
      },
      // In Node, the engine is a file on this machine. So the engine that reads every format is loaded at once.
      compile: () => compileUrl(options.wasmUrl),
      // Is called only if `wasmUrl` names an engine that doesn't read every format.
      compileFormats: (timeoutMs) => compileUrl(options.formatsWasmUrl, timeoutMs),
      compileDecoder: decoderOf(options),
      resolve: (url) => asUrl(url).href,
      processors: availableParallelism,
      // In Node, not every Blob can be posted to a worker: those of `openAsBlob` can't.
      takesBlob: (_): _ is Blob => false,
      open: openInput,
      arrivals: (bounds) => new Arrivals(bounds),
    },
    options,
  );
}

/** Returns the function that compiles the decoder of a format, once for all files of a gate. A failure isn't kept. */
function decoderOf(options: GateOptions): (format: OwnFormat, timeoutMs: number) => Promise<WebAssembly.Module> {
  const compiled = new Map<OwnFormat, Promise<WebAssembly.Module>>();
  return (format, timeoutMs) => {
    const known = compiled.get(format);
    if (known) return known;
    const url = options[`${format}WasmUrl`];
    const own =
      format === "heic"
        ? new URL("./hashgate-heic.wasm", import.meta.url)
        : new URL("./hashgate-jxl.wasm", import.meta.url);
    const compiling = compileAt(url === undefined ? own : asUrl(url), timeoutMs);
    compiled.set(format, compiling);
    compiling.catch(() => compiled.delete(format));
    return compiling;
  };
}

function compileUrl(url: string | URL | undefined, timeoutMs?: number): Promise<WebAssembly.Module> {
  const own = hasSimd()
    ? new URL("./hashgate-formats.wasm", import.meta.url)
    : new URL("./hashgate-formats-baseline.wasm", import.meta.url);
  return compileAt(url === undefined ? own : asUrl(url), timeoutMs);
}

function compileAt({ href }: URL, timeoutMs?: number): Promise<WebAssembly.Module> {
  const init = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
  return compileFrom(href, async (address) =>
    address.startsWith("file:") ? new Response(await readFile(fileURLToPath(address))) : fetch(address, init),
  );
}

function asUrl(url: string | URL): URL {
  if (url instanceof URL) return url;
  return /^(https?|file):/.test(url) ? new URL(url) : pathToFileURL(url);
}
