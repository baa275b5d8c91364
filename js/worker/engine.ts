// The wasm instance of a worker. It is handed the compiled module, so every entry point is a few lines.
import {
  applyDelta,
  checkFreshness,
  Fingerprint,
  type FingerprintOptions,
  initSync,
  Lookup,
  mayBePicture,
  StreamingFingerprint,
  verifyFull,
  verifyLogProof,
  verifyManifest,
} from "../../dist/bindings/hashgate.js";
import type { FilterInfo, Logged, Manifest, Match, Orientations, Verdict } from "../generated/core.js";
import type { Following, FollowingLog, Loaded, Signals } from "../protocol.js";

export class Engine {
  readonly #memory: WebAssembly.Memory;

  constructor(module: WebAssembly.Module) {
    this.#memory = initSync({ module }).memory;
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Begins a file of `size` bytes that is to be read piece by piece. Undefined if it must be whole. `platformSha256`: the
   * platform computes the SHA-256 of a picture.
   */
  stream(
    head: Uint8Array,
    size: number,
    options: FingerprintOptions,
    platformSha256: boolean,
  ): StreamingFingerprint | undefined {
    return StreamingFingerprint.open(head, size, options, platformSha256);
  }

  /** Computes the wanted signals of a whole file. */
  fingerprint(bytes: Uint8Array, options: FingerprintOptions): Fingerprint {
    return Fingerprint.of(bytes, options);
  }

  /** Whether a file may be a picture, by its first 64 KiB. */
  mayBePicture(head: Uint8Array): boolean {
    return mayBePicture(head);
  }

  /** Reads a manifest that enough of the trusted keys have signed, and that is of the trusted list. */
  verifyManifest(
    text: Uint8Array,
    { keys, threshold, list }: Pick<Following, "keys" | "threshold" | "list">,
  ): Manifest {
    return verifyManifest(text, keys, threshold, list?.name, list?.category);
  }

  /** Verifies the proof that a manifest, as it was downloaded, is in the trusted log. */
  verifyLogProof(
    proof: Uint8Array,
    manifest: Uint8Array,
    { key, origin, witnesses, threshold }: Omit<FollowingLog, "maxAgeS">,
  ): Logged {
    return verifyLogProof(proof, manifest, [key, ...witnesses], threshold, origin);
  }

  /** Throws unless a manifest may be used now. `witnessed`: what witnesses have shown of the time. */
  checkFreshness(
    manifest: Manifest,
    nowUnixS: number,
    highestRelease: number,
    witnessed?: { unixS: number; maxAgeS: number | undefined },
  ): void {
    checkFreshness(manifest, nowUnixS, highestRelease, witnessed?.unixS, witnessed?.maxAgeS);
  }

  /** Throws unless these are the bytes that the manifest names. */
  verifyFull(manifest: Manifest, bytes: Uint8Array): void {
    verifyFull(manifest, bytes);
  }

  /** Makes the full file out of an earlier one. */
  applyDelta(manifest: Manifest, base: Uint8Array, delta: Uint8Array): Uint8Array {
    return applyDelta(manifest, base, delta);
  }

  /** Opens the filters one after the other. The first that is refused throws with its place in `refusedAt`. */
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

  /** Looks a picture up before the rest of its file was read. */
  begin(fingerprint: Uint8Array, orientations: Orientations): void {
    this.#lookup.begin(fingerprint, orientations);
  }

  lookUp({ fingerprint, sha256 }: Signals, orientations: Orientations): Verdict {
    return this.#lookup.lookUp(fingerprint, sha256, orientations);
  }

  /** Looks a file up and passes over matches that turned out not to be listed. */
  lookUpPast({ fingerprint, sha256 }: Signals, orientations: Orientations, dismissed: Match[]): Verdict {
    return this.#lookup.lookUpPast(fingerprint, sha256, orientations, dismissed);
  }

  /** Gives its linear memory back. */
  free(): void {
    this.#lookup.free();
  }
}
