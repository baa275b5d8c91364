// The wasm instance of a worker. It is handed the compiled module, so every entry point is a few lines.
import { BrowserPicture, fingerprint, initSync, Lookup } from "../dist/bindings/hashgate.js";
import { decodeInBrowser } from "./decode.js";
import type { Asks, Loaded } from "./protocol.js";
import type { FilterInfo, Orientations, Verdict } from "./types.js";

/** Enough for the headers of the formats that the browser decodes. */
const HEAD = 1 << 20;

export class Engine {
  readonly #memory: WebAssembly.Memory;

  constructor(module: WebAssembly.Module) {
    this.#memory = initSync({ module }).memory;
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  async fingerprint(bytes: Uint8Array, { wanted, views, limits }: Asks["fingerprint"]): Promise<Uint8Array> {
    const options = { ...wanted, views, limits };
    const picture = BrowserPicture.open(bytes.subarray(0, HEAD), options);
    if (!picture) return fingerprint(bytes, options);
    if (!picture.failed) await decodeInBrowser(bytes, picture);
    return picture.fingerprint(bytes);
  }

  /** Opens the filters one after the other; the first that is refused throws with its place in `refusedAt`. */
  load(files: Iterable<Uint8Array>): LoadedFilters {
    const lookup = new Lookup();
    let index = 0;
    const filters: FilterInfo[] = [];
    for (const bytes of files) {
      try {
        filters.push(lookup.addFilter(bytes));
      } catch (error) {
        if (error instanceof Error) Object.assign(error, { refusedAt: index });
        throw error;
      }
      index += 1;
    }
    return new LoadedFilters(lookup, { filters, holds: lookup.holds() });
  }
}

/** Filters that the core has verified. */
export class LoadedFilters {
  readonly #lookup: Lookup;
  readonly loaded: Loaded;

  constructor(lookup: Lookup, loaded: Loaded) {
    this.#lookup = lookup;
    this.loaded = loaded;
  }

  probe(fingerprint: Uint8Array, sha256: Uint8Array | undefined, orientations: Orientations): Verdict {
    return this.#lookup.probe(fingerprint, sha256, orientations);
  }
}
