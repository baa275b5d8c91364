// The wasm instance of a worker. It is handed the compiled module, so every entry point is a few lines.
import {
  Arrival,
  applyDelta,
  BrowserPicture,
  checkFreshness,
  fingerprint,
  initSync,
  Lookup,
  verifyFull,
  verifyManifest,
} from "../../dist/bindings/hashgate.js";
import type { Asks, Loaded } from "../protocol.js";
import type { FilterInfo, Orientations, Verdict } from "../types/types.js";
import { decodeInBrowser } from "./browser-decode.js";

export type { Arrival };

/** What a manifest says, as the core's `Manifest` serialises. */
export interface ManifestInfo {
  name: string;
  category: string;
  release: number;
  issuedUnixS: number;
  expiresUnixS: number;
  full: ReleaseFile;
  deltas: (ReleaseFile & { from: number; baseSha256: string })[];
  pdqCount: number;
  sha256Count: number;
  md5Count: number;
  curators: string[];
  signedBy: string[];
}

export interface ReleaseFile {
  /** A file name, beside the manifest. */
  path: string;
  bytes: number;
  sha256: string;
}

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

  /** A file of `length` bytes that is to be read while it arrives; undefined if that has no use. `head` is its first piece. */
  arrival(
    head: Uint8Array,
    length: number,
    { wanted, views, limits }: Omit<Asks["fingerprint"], "file">,
  ): Arrival | undefined {
    return Arrival.open(head, length, { ...wanted, views, limits });
  }

  async fingerprint(
    bytes: Uint8Array,
    { wanted, views, limits }: Omit<Asks["fingerprint"], "file">,
  ): Promise<Uint8Array> {
    const options = { ...wanted, views, limits };
    const picture = BrowserPicture.open(bytes.subarray(0, HEAD), options);
    if (!picture) return fingerprint(bytes, options);
    if (!picture.failed) await decodeInBrowser(bytes, picture);
    return picture.fingerprint(bytes);
  }

  /** Reads a manifest that enough of the trusted keys have signed. */
  verifyManifest(text: Uint8Array, { keys, threshold }: { keys: string[]; threshold: number }): ManifestInfo {
    return verifyManifest(text, keys, threshold);
  }

  /** Throws unless a manifest may be used now. */
  checkFreshness(manifest: ManifestInfo, nowUnixS: number, highestRelease: number): void {
    checkFreshness(manifest, nowUnixS, highestRelease);
  }

  /** Throws unless these are the bytes that the manifest names. */
  verifyFull(manifest: ManifestInfo, bytes: Uint8Array): void {
    verifyFull(manifest, bytes);
  }

  /** The full file out of an earlier one. */
  applyDelta(manifest: ManifestInfo, base: Uint8Array, delta: Uint8Array): Uint8Array {
    return applyDelta(manifest, base, delta);
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

  begin(fingerprint: Uint8Array, orientations: Orientations): void {
    this.#lookup.begin(fingerprint, orientations);
  }

  probe(fingerprint: Uint8Array, sha256: Uint8Array | undefined, orientations: Orientations): Verdict {
    return this.#lookup.probe(fingerprint, sha256, orientations);
  }

  /** Gives its linear memory back. */
  free(): void {
    this.#lookup.free();
  }
}
