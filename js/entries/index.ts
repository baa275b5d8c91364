// The main entry, for browsers. It uses no browser API before openGate is called, so that a server may import it.

import type { Gate, GateOptions } from "../types/types.js";
import { hasSimd } from "./compile.js";
import { compileUrl, hasPolicy, openGateInPage, trusted } from "./page-host.js";

export { GateError, type GateErrorCode, HeldError } from "../errors.js";
export { type CheckedFile, Checker, type CheckerOptions, type GateLike } from "../integrations/checker.js";
export { decide } from "../policy/decision.js";
export type * from "../types/types.js";

/**
 * Loads and verifies the filters, and returns a gate that checks files against them.
 *
 * @throws GateError if a file can't be loaded or is refused; the signal's reason if the signal is aborted.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  return openGateInPage(options, {
    // Bundlers look for exactly this form. A page that enforces Trusted Types refuses it, and only starts the worker by
    // the trusted URL.
    startWorker() {
      try {
        return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      } catch (error) {
        if (!hasPolicy()) throw error;
        return new Worker(trusted(new URL("./worker.js", import.meta.url)), { type: "module" });
      }
    },
    compile() {
      const own = hasSimd()
        ? new URL("./hashgate.wasm", import.meta.url)
        : new URL("./hashgate-baseline.wasm", import.meta.url);
      return compileUrl(options.wasmUrl ?? own);
    },
    compileFormats(timeoutMs) {
      const own = hasSimd()
        ? new URL("./hashgate-formats.wasm", import.meta.url)
        : new URL("./hashgate-formats-baseline.wasm", import.meta.url);
      return compileUrl(options.formatsWasmUrl ?? own, timeoutMs);
    },
    compileDecoder(format, timeoutMs) {
      const own =
        format === "heic"
          ? new URL("./hashgate-heic.wasm", import.meta.url)
          : new URL("./hashgate-jxl.wasm", import.meta.url);
      return compileUrl(options[`${format}WasmUrl`] ?? own, timeoutMs);
    },
    compileFilms: (timeoutMs) =>
      compileUrl(options.filmWasmUrl ?? new URL("./hashgate-film.wasm", import.meta.url), timeoutMs),
  });
}
