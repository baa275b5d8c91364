// The engine: the wasm instance of a worker. The page passes the compiled module, so that the worker needs no URL.
import {
  applyDelta,
  checkFreshness,
  Fingerprint,
  type FingerprintOptions,
  filmKind,
  initSync,
  Lookup,
  mayBePicture,
  StreamingFingerprint,
  verifyFull,
  verifyLogProof,
  verifyManifest,
} from "../../dist/bindings/hashgate.js";
import type { FilterInfo, Logged, Manifest, Match, Orientations, Verdict } from "../generated/core.js";
import type { FilmKind, Following, FollowingLog, Loaded, Signals } from "../protocol.js";

export class Engine {
  readonly #memory: WebAssembly.Memory;

  constructor(module: WebAssembly.Module) {
    this.#memory = initSync({ module }).memory;
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Begins a file of `size` bytes that is read piece by piece. If `platformSha256` is true, the platform computes the
   * SHA-256 of a picture. Returns undefined if the file must be read as a whole.
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

  /** Returns what kind of film a file is, by its first 64 KiB; undefined if it is none. */
  filmKind(head: Uint8Array): FilmKind | undefined {
    return filmKind(head);
  }

  /** Returns whether a file may be a picture, by its first 64 KiB. */
  mayBePicture(head: Uint8Array): boolean {
    return mayBePicture(head);
  }

  /** Reads a manifest. Throws unless enough of the trusted keys have signed it and it is of the trusted list. */
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

  /**
   * Throws unless a manifest may be used now. `witnessed` is the time that witnesses of the log have signed, if any.
   */
  checkFreshness(
    manifest: Manifest,
    nowUnixS: number,
    highestRelease: number,
    witnessed?: { unixS: number; maxAgeS: number | undefined },
  ): void {
    checkFreshness(manifest, nowUnixS, highestRelease, witnessed?.unixS, witnessed?.maxAgeS);
  }

  /** Throws unless these are the bytes of the full file that the manifest names. */
  verifyFull(manifest: Manifest, bytes: Uint8Array): void {
    verifyFull(manifest, bytes);
  }

  /** Makes the full file that the manifest names from an earlier full file and a delta. */
  applyDelta(manifest: Manifest, base: Uint8Array, delta: Uint8Array): Uint8Array {
    return applyDelta(manifest, base, delta);
  }

  /** Opens the filters one after the other. If one is refused, throws an error with its index in `refusedAt`. */
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

  /** Does an early lookup, before the rest of the file was read. */
  begin(fingerprint: Uint8Array, orientations: Orientations): void {
    this.#lookup.begin(fingerprint, orientations);
  }

  lookUp({ fingerprint, sha256 }: Signals, orientations: Orientations): Verdict {
    return this.#lookup.lookUp(fingerprint, sha256, orientations);
  }

  /** Looks a file up, and skips the matches that turned out not to be listed. */
  lookUpPast({ fingerprint, sha256 }: Signals, orientations: Orientations, dismissed: Match[]): Verdict {
    return this.#lookup.lookUpPast(fingerprint, sha256, orientations, dismissed);
  }

  /** Frees the filters in linear memory. */
  free(): void {
    this.#lookup.free();
  }
}
