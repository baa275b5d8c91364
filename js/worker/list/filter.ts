// Downloads a filter file that isn't part of a signed release.
import { describe, GateError } from "../../errors.js";
import { joined, type Open } from "./download.js";

/**
 * Downloads a filter of at most `maxBytes`. Calls `progress` with the bytes that have come, and with their total if the
 * server says it.
 *
 * @throws GateError `filter-unavailable`, `filter-too-large`.
 */
export async function fetchFilter(
  open: Open,
  url: string,
  maxBytes: number,
  progress: (loaded: number, total: number | undefined) => void,
): Promise<Uint8Array> {
  const refused = (code: "filter-unavailable" | "filter-too-large", expected: string, got: string, cause?: unknown) =>
    new GateError({ code, message: `${url}: expected ${expected}, got ${got}`, url, expected, got }, { cause });
  const tooLarge = (got: string) => refused("filter-too-large", `at most ${maxBytes} bytes`, got);
  const response = await open(url).catch((error) => {
    throw refused("filter-unavailable", "an answer", describe(error), error);
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw refused("filter-unavailable", "HTTP status 200", `HTTP status ${response.status}`);
  }
  const length = Number(response.headers.get("content-length"));
  const total = length > 0 && !response.headers.get("content-encoding") ? length : undefined;
  if (total !== undefined && total > maxBytes) {
    await response.body.cancel();
    throw tooLarge(`${total} bytes`);
  }
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw refused("filter-unavailable", "the whole file", `${loaded} bytes, then ${describe(error)}`, error);
    });
    if (done) break;
    chunks.push(value);
    loaded += value.byteLength;
    if (loaded > maxBytes) {
      await reader.cancel();
      throw tooLarge("more");
    }
    progress(loaded, total);
  }
  return joined(chunks, loaded);
}
