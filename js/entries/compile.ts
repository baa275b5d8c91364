import { GateError } from "../errors.js";

/** The bytes of a small wasm module that is valid only where SIMD is supported: its function uses a 128-bit vector. */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** Returns whether the build with vector instructions (SIMD) can run here. */
export function hasSimd(): boolean {
  return WebAssembly.validate(new Uint8Array(SIMD));
}

/** Compiles the engine without blocking this thread. */
export async function compileFrom(url: string, open: (url: string) => Promise<Response>): Promise<WebAssembly.Module> {
  try {
    const response = await open(url);
    if (!response.ok) throw new Error(`expected HTTP status 200, got ${response.status}`);
    // Compiling while the response streams in requires the right media type. Where the server sends another type,
    // compiles the whole body afterwards.
    const streams = response.headers.get("content-type")?.startsWith("application/wasm");
    return await (streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer()));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new GateError({ code: "engine-unavailable", message: `${url}: ${detail}`, url }, { cause: error });
  }
}
