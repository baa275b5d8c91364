// The entry of browsers. Nothing is touched before openGate is called, so that a server may import it.
import { compileFrom, hasSimd } from "./compile.js";
import { openGateOn } from "./gate.js";
import type { Gate, GateOptions } from "./types.js";

export { type Decision, decide, type UncheckedPolicy } from "./decision.js";
export { GateError, type GateErrorCode } from "./errors.js";
export { type GateLike, Judge, type Judged, type JudgeOptions } from "./judge.js";
export type * from "./types.js";

/** The engine of the page: fetched and compiled once. A failure is forgotten, so that the next call tries again. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

/**
 * Loads and verifies the filters, and returns a gate that checks files against them.
 *
 * @throws GateError that says what can't be had or is refused; the signal's reason if it is aborted.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  const { wasmUrl, workerUrl } = options;
  return openGateOn(
    {
      startWorker(listener) {
        // Bundlers look for exactly this form.
        const worker =
          workerUrl === undefined
            ? new Worker(new URL("./worker.js", import.meta.url), { type: "module" })
            : new Worker(workerUrl, { type: "module" });
        worker.onmessage = (event) => listener.message(event.data);
        worker.onmessageerror = () => listener.error("a message could not be read");
        worker.onerror = (event) => listener.error(event.message || "its script can't be loaded");
        return {
          post: (message, transfer) => worker.postMessage(message, transfer),
          terminate: () => worker.terminate(),
        };
      },
      compile() {
        const own = hasSimd()
          ? new URL("./hashgate.wasm", import.meta.url)
          : new URL("./hashgate-baseline.wasm", import.meta.url);
        const url = new URL(wasmUrl ?? own, document.baseURI).href;
        const known = compiled.get(url);
        if (known) return known;
        const compiling = compileFrom(url, (address) => fetch(address));
        compiled.set(url, compiling);
        compiling.catch(() => compiled.delete(url));
        return compiling;
      },
      resolve: (url) => new URL(url, document.baseURI).href,
      processors: () => navigator.hardwareConcurrency,
    },
    options,
  );
}
