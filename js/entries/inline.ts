// The entry in a single file: the worker and the engine are inside, for bundlers that don't follow `new URL("…",
// import.meta.url)`. The page's policy must allow `worker-src blob:`.

import { GateError } from "../errors.js";
import type { Gate, GateOptions } from "../types/types.js";
import { hasSimd } from "./compile.js";
import { compileUrl, once, openGateInPage, trusted } from "./page-host.js";

export { GateError, type GateErrorCode, HeldError } from "../errors.js";
export { decide } from "../policy/decision.js";
export type * from "../types/types.js";

/**
 * scripts/build.mjs replaces these by the text of dist/worker.js, and by dist/hashgate-formats.wasm as gzip in base64.
 */
declare const WORKER_SCRIPT: string;
declare const ENGINE: string;
/** dist/hashgate-film.wasm and dist/hashgate-heic.wasm, in the same form. */
declare const FILM_READER: string;
declare const HEIC_DECODER: string;

/** The worker's blob URL. It stays valid for the page's life, because workers are replaced. */
let workerUrl: string | undefined;

/**
 * Loads and verifies the filters, and returns a gate that checks files against them.
 *
 * @throws GateError if a file can't be loaded or is refused; the signal's reason if the signal is aborted.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  return openGateInPage(options, {
    startWorker() {
      workerUrl ??= URL.createObjectURL(new Blob([WORKER_SCRIPT], { type: "text/javascript" }));
      return new Worker(trusted(workerUrl), { type: "module" });
    },
    compile: () => (options.wasmUrl === undefined ? once("inline", compileOwn) : compileUrl(options.wasmUrl)),
    // The engine inside this file reads every format. So this function is called only if `wasmUrl` names another engine
    // that doesn't.
    compileFormats: (timeoutMs) =>
      options.formatsWasmUrl === undefined ? once("inline", compileOwn) : compileUrl(options.formatsWasmUrl, timeoutMs),
    compileDecoder(format, timeoutMs) {
      const url = options[`${format}WasmUrl`];
      if (url !== undefined) return compileUrl(url, timeoutMs);
      // The decoder of JPEG XL would make this file larger by half, and few files need it.
      if (format === "jxl") return Promise.reject(new Error("hashgate/inline doesn't contain it"));
      return once("inline heic", () => unpacked(HEIC_DECODER));
    },
    compileFilms: (timeoutMs) =>
      options.filmWasmUrl === undefined
        ? once("inline films", () => unpacked(FILM_READER))
        : compileUrl(options.filmWasmUrl, timeoutMs),
  });
}

async function compileOwn(): Promise<WebAssembly.Module> {
  try {
    // This file holds only the build with vector instructions, because two builds would be twice as large. Browsers
    // that can unpack it have them, except on very old processors.
    if (!hasSimd())
      throw new Error("expected a browser with WebAssembly SIMD; set wasmUrl to hashgate-formats-baseline.wasm");
    return await unpacked(ENGINE);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new GateError({ code: "engine-unavailable", message: `the inlined engine: ${detail}` }, { cause: error });
  }
}

/** Compiles wasm that was packed by gzip and base64. */
function unpacked(text: string): Promise<WebAssembly.Module> {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const wasm = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const headers = { "content-type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(wasm, { headers }));
}
