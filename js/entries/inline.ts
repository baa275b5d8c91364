// The entry with nothing beside it: the worker and the engine are inside this file, for bundlers that don't follow
// `new URL("…", import.meta.url)`. The page's policy must allow `worker-src blob:`.

import { GateError } from "../errors.js";
import type { Gate, GateOptions } from "../types/types.js";
import { hasSimd } from "./compile.js";
import { compileUrl, once, openGateInPage, trusted } from "./page-host.js";

export { GateError, type GateErrorCode, HeldError } from "../errors.js";
export { decide } from "../policy/decision.js";
export type * from "../types/types.js";

/** Put in by scripts/build.mjs: dist/worker.js, and dist/hashgate.wasm as gzip in base64. */
declare const WORKER_SCRIPT: string;
declare const ENGINE: string;

/** Kept for the page's life, as workers are replaced. */
let workerUrl: string | undefined;

/**
 * Loads and verifies the filters, and returns a gate that checks files against them.
 *
 * @throws GateError that says what can't be had or is refused; the signal's reason if it is aborted.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  return openGateInPage(options, {
    startWorker() {
      workerUrl ??= URL.createObjectURL(new Blob([WORKER_SCRIPT], { type: "text/javascript" }));
      return new Worker(trusted(workerUrl), { type: "module" });
    },
    compile: () => (options.wasmUrl === undefined ? once("inline", compileOwn) : compileUrl(options.wasmUrl)),
  });
}

async function compileOwn(): Promise<WebAssembly.Module> {
  try {
    // Two builds would be twice as large; what can unpack this one has vectors, but for very old processors.
    if (!hasSimd()) throw new Error("expected a browser with WebAssembly SIMD; set wasmUrl to hashgate-baseline.wasm");
    const packed = Uint8Array.from(atob(ENGINE), (character) => character.charCodeAt(0));
    const wasm = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const headers = { "content-type": "application/wasm" };
    return await WebAssembly.compileStreaming(new Response(wasm, { headers }));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new GateError({ code: "engine-unavailable", message: `the inlined engine: ${detail}` }, { cause: error });
  }
}
