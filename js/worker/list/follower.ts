// Follows a published list, in the lookup worker. Restores the list from storage and refreshes it from its server;
// verifies every release before using it. Tries the delta first, then the full file, and otherwise keeps the last good
// release.

import { GateError, type GateErrorCode, isCoded } from "../../errors.js";
import type { Logged, Manifest } from "../../generated/core.js";
import type { Following, Push } from "../../protocol.js";
import type { GateStatus, Refresh, StatusError } from "../../types/types.js";
import type { Engine, LoadedFilters } from "../engine.js";
import { fetchFile, fetchManifest, type Network, type Open } from "./download.js";
import { assertSuccession, clockHint, fetchProof, type Proved, seenAfter, statusOf } from "./logged.js";
import type { Current, Highest, Kept, ListStore } from "./store.js";

/**
 * Milliseconds until the first retry after a failure. Each further wait is twice as long, up to the refresh interval.
 */
const RETRY_MS = 15_000;
/** The longest time of a timer, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface FollowerSide {
  open: Open;
  push(push: Push): void;
  /** Called with an unexpected error outside of any request. */
  fail(error: unknown): void;
}

/** The release that lookups use. */
interface Active {
  manifest: Manifest;
  /** Undefined if no log is trusted. */
  logged: Logged | undefined;
  current: Current;
  filters: LoadedFilters;
  from: "network" | "storage";
}

type Result = Pick<Refresh, "outcome" | "by">;

export class Follower {
  readonly #engine: Engine;
  readonly #store: ListStore;
  readonly #side: FollowerSide;
  readonly #ask: Following;
  readonly #channel: BroadcastChannel | undefined;
  #active: Active | undefined;
  #highest: Highest | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #expiryTimer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #downloaded = 0;
  #lastRefresh: Refresh | undefined;
  #lastError: StatusError | undefined;
  #nextRefreshMs: number | undefined;
  /** The server's time at its last manifest, in seconds since 1970. */
  #serverUnixS: number | undefined;
  #told = "";

  constructor(engine: Engine, store: ListStore, side: FollowerSide, ask: Following) {
    this.#engine = engine;
    this.#store = store;
    this.#side = side;
    this.#ask = ask;
    if (typeof BroadcastChannel !== "undefined") {
      this.#channel = new BroadcastChannel(nameOf(ask));
      this.#channel.onmessage = () => void this.#adopt().catch(side.fail);
      (this.#channel as { unref?: () => void }).unref?.();
    }
    // If the network comes back after a failure, retries at once.
    globalThis.addEventListener?.("online", () => {
      if (this.#failures > 0) this.#refreshUnasked();
    });
  }

  /**
   * Resolves when a list is loaded, or when no list could be loaded. If there is a list in storage, doesn't wait for
   * the network. Throws if a key is malformed.
   */
  async start(): Promise<void> {
    this.#checkTrust();
    this.#highest = await this.#store.highest(this.#ask.keys);
    const kept = await this.#store.read();
    if (kept) this.#guard(() => this.#activate(kept, "storage"));
    if (this.filters === undefined) return this.refresh();
    const age = Date.now() - (this.#active?.current.checkedAtMs ?? 0);
    const due = age < 0 ? 0 : this.#ask.refreshIntervalMs - age;
    this.#schedule(Math.max(0, due));
    this.#tell();
  }

  /** The filters of the active release; undefined if there is none or it has expired. */
  get filters(): LoadedFilters | undefined {
    return this.#state === "current" ? this.#active?.filters : undefined;
  }

  /** Refreshes the list, or joins a refresh that is running. Errors are in the status. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
      this.#tell();
    });
    this.#tell();
    return this.#refreshing;
  }

  #refreshUnasked(): void {
    this.refresh().catch(this.#side.fail);
  }

  get #state(): GateStatus["state"] {
    if (!this.#active) return "none";
    return this.#now < this.#until ? "current" : "expired";
  }

  /** The current time in seconds since 1970: by this clock, or the witnesses' time if that is later. */
  get #now(): number {
    return Math.max(nowUnixS(), this.#active?.logged?.checkpoint.witnessedUnixS ?? 0);
  }

  /** The time until which the active release may be used, in seconds since 1970. */
  get #until(): number {
    const { manifest, logged } = this.#active ?? {};
    const { maxAgeS = Number.POSITIVE_INFINITY } = this.#ask.log ?? {};
    return Math.min(manifest?.expiresUnixS ?? 0, (logged?.checkpoint.witnessedUnixS ?? 0) + maxAgeS);
  }

  async #refresh(): Promise<void> {
    clearTimeout(this.#refreshTimer);
    this.#nextRefreshMs = undefined;
    this.#downloaded = 0;
    const before = this.#lastError;
    let result: Result;
    try {
      result = await this.#alone(() => this.#update());
      // Keeps `lastError` if the error happened during this refresh, even if the refresh succeeded after it. Otherwise
      // removes it.
      if (this.#lastError === before && result.outcome !== "elsewhere") this.#lastError = undefined;
      this.#failures = 0;
    } catch (error) {
      this.#note(error);
      result = { outcome: "failed" };
      this.#failures += 1;
    }
    this.#lastRefresh = { atUnixS: nowUnixS(), ...result, bytes: this.#downloaded };
    const { refreshIntervalMs } = this.#ask;
    this.#schedule(
      this.#failures > 0 ? Math.min(RETRY_MS * 2 ** (this.#failures - 1), refreshIntervalMs) : refreshIntervalMs,
    );
  }

  /**
   * Lets only one tab of the site download at a time. The other tabs that have a list don't download: the first tab
   * tells them about a new release. A tab without a list doesn't wait for the first tab, and downloads the list itself.
   */
  async #alone(work: () => Promise<Result>): Promise<Result> {
    const locks = globalThis.navigator?.locks;
    if (!locks) return work();
    let asked = false;
    try {
      return await locks.request(nameOf(this.#ask), { ifAvailable: true }, (lock) => {
        asked = true;
        return lock || this.filters === undefined ? work() : { outcome: "elsewhere" };
      });
    } catch (error) {
      if (asked) throw error;
      // A sandboxed frame has `navigator.locks` but must not use it.
      return work();
    }
  }

  async #update(): Promise<Result> {
    const { manifestUrl } = this.#ask;
    const answer = await fetchManifest(this.#network, manifestUrl, this.#active?.current.etag);
    const active = this.#active;
    if (answer === "unchanged") {
      if (!active) throw new Error("a manifest can't be unchanged where there is none");
      // The release may be unchanged while witnesses have renewed their cosignatures. Fetches those if a maximum age is
      // set.
      const renewed =
        this.#ask.log?.maxAgeS === undefined ? undefined : await this.#prove(active.current.manifest, active.manifest);
      if (renewed) active.logged = renewed.logged;
      // The list may have expired, although its server says that nothing has changed.
      this.#checkFreshness(active.manifest, active.logged, this.#highest?.release ?? 0);
      await this.#keepOn({ ...active.current, checkedAtMs: Date.now(), ...(renewed && { proof: renewed.proof }) });
      return { outcome: "unchanged" };
    }
    this.#serverUnixS = answer.dateUnixS;
    const manifest = this.#engine.verifyManifest(answer.text, this.#ask);
    const proved = await this.#prove(answer.text, manifest);
    this.#checkSuccession(manifest, proved?.logged);
    const { name, release, full } = manifest;
    const { keys } = this.#ask;
    const log = proved && seenAfter(this.#highest?.log, proved.logged);
    if (release > (this.#highest?.release ?? 0) || (log && log.size > (this.#highest?.log?.size ?? 0))) {
      this.#highest = { name, release, sha256: full.sha256, keys, log };
      await this.#store.remember(this.#highest);
    }
    const current: Current = {
      manifest: answer.text,
      etag: answer.etag,
      release,
      sha256: full.sha256,
      checkedAtMs: Date.now(),
      keys,
      proof: proved?.proof,
    };
    if (active?.current.sha256 === full.sha256) {
      // The manifest is of the same release. It was signed again, by more keys or with a later expiry.
      if (manifest.issuedUnixS >= active.manifest.issuedUnixS) {
        active.manifest = manifest;
        active.logged = proved?.logged;
        await this.#keepOn(current);
      }
      return { outcome: "unchanged" };
    }
    return { outcome: "updated", by: await this.#fetch(manifest, current) };
  }

  /** If a log is trusted, fetches and verifies the proof that a manifest is in the log. */
  async #prove(text: Uint8Array, { release }: Manifest): Promise<Proved | undefined> {
    const { log, manifestUrl } = this.#ask;
    if (!log) return undefined;
    const proved = await fetchProof(this.#network, this.#engine, manifestUrl, { text, release }, log);
    assertSuccession(manifestUrl, this.#highest?.log, proved.logged);
    return proved;
  }

  #checkFreshness(manifest: Manifest, logged: Logged | undefined, highest: number, now = nowUnixS()): void {
    const unixS = logged?.checkpoint.witnessedUnixS ?? 0;
    const witnessed = unixS > 0 ? { unixS, maxAgeS: this.#ask.log?.maxAgeS } : undefined;
    this.#engine.checkFreshness(manifest, now, highest, witnessed);
  }

  /** Throws unless a manifest may come after the highest release that was seen. */
  #checkSuccession(manifest: Manifest, logged: Logged | undefined): void {
    const seen = this.#highest;
    if (seen && manifest.name !== seen.name) throw this.#refused("manifest-name", seen.name, manifest.name);
    this.#checkFreshness(manifest, logged, seen?.release ?? 0);
    if (seen && manifest.release === seen.release && manifest.full.sha256 !== seen.sha256) {
      const what = `release ${seen.release} with SHA-256`;
      throw this.#refused("manifest-conflict", `${what} ${seen.sha256}`, `${what} ${manifest.full.sha256}`);
    }
  }

  /** Fetches the release's file, by a delta if there is one, then verifies, stores and activates it. */
  async #fetch(manifest: Manifest, current: Current): Promise<NonNullable<Refresh["by"]>> {
    const { full } = manifest;
    if (full.bytes > this.#ask.maxBytes) {
      throw this.#refused("release-too-large", `at most ${this.#ask.maxBytes} bytes`, `${full.bytes} bytes`);
    }
    if ((await this.#store.current())?.sha256 === full.sha256) {
      const kept = await this.#store.read();
      if (kept && this.#guard(() => this.#activate({ ...kept, current }, "storage"))) {
        await this.#store.note(current);
        return "storage";
      }
    }
    const byDelta = await this.#fetchDelta(manifest);
    const swap = async (bytes: Uint8Array) => {
      const kept: Kept = { current, bytes };
      this.#activate(kept, "network");
      await this.#store.swap(kept);
      if (this.#store.state.kind !== "memory") this.#channel?.postMessage(current.release);
    };
    if (byDelta) {
      try {
        await swap(byDelta);
        return "delta";
      } catch (error) {
        this.#note(error);
      }
    }
    await swap(await this.#file(full, (bytes) => this.#engine.verifyFull(manifest, bytes)));
    return "full";
  }

  async #fetchDelta(manifest: Manifest): Promise<Uint8Array | undefined> {
    const { current } = this.#active ?? {};
    const delta = manifest.deltas.find(
      ({ from, baseSha256 }) => from === current?.release && baseSha256 === current.sha256,
    );
    if (!delta || delta.bytes >= manifest.full.bytes) return undefined;
    try {
      const base = await this.#store.read();
      if (base?.current.sha256 !== delta.baseSha256) return undefined;
      let result: Uint8Array | undefined;
      await this.#file(delta, (bytes) => {
        result = this.#engine.applyDelta(manifest, base.bytes, bytes);
      });
      return result;
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  /**
   * Downloads a file and verifies it. If a file from several answers isn't the right one, downloads it again from the
   * start.
   */
  async #file(
    file: { path: string; bytes: number; sha256: string },
    verify: (bytes: Uint8Array) => void,
  ): Promise<Uint8Array> {
    const url = new URL(file.path, this.#ask.manifestUrl).href;
    for (;;) {
      const { bytes, pieced } = await fetchFile(this.#network, this.#store, url, file);
      try {
        verify(bytes);
        return bytes;
      } catch (error) {
        await this.#store.dropParts();
        if (!pieced) throw located(error, url);
      }
    }
  }

  /** Verifies a release from its signature to its canary items, and makes it the active release. */
  #activate(kept: Kept, from: Active["from"]): void {
    const { current, bytes } = kept;
    const manifest = this.#engine.verifyManifest(current.manifest, this.#ask);
    const logged = this.#loggedOf(current);
    if (from === "storage") {
      this.#engine.verifyFull(manifest, bytes);
      // Accepts an expired release, too: the status reports it, and a delta can start from it. It isn't used for
      // lookups.
      const witnessed = logged?.checkpoint.witnessedUnixS ?? 0;
      const { maxAgeS = Number.POSITIVE_INFINITY } = this.#ask.log ?? {};
      this.#checkFreshness(manifest, logged, 0, Math.min(nowUnixS(), manifest.expiresUnixS - 1, witnessed + maxAgeS));
    }
    const filters = this.#engine.load([bytes]);
    this.#active?.filters.free();
    this.#active = { manifest, logged, current, filters, from };
    this.#watchExpiry();
  }

  /** Returns what the stored proof of a release shows; undefined if no log is trusted. */
  #loggedOf({ manifest, proof }: Current): Logged | undefined {
    const { log } = this.#ask;
    if (!log) return undefined;
    if (!proof) throw this.#refused("log-proof-unavailable", "a release that was stored with its proof", "none");
    return this.#engine.verifyLogProof(proof, manifest, log);
  }

  /** Activates a newer release that another tab has put into storage. */
  async #adopt(): Promise<void> {
    const stored = await this.#store.current();
    if (!stored || stored.release <= (this.#active?.current.release ?? 0)) return;
    const kept = await this.#store.read();
    this.#highest = await this.#store.highest(this.#ask.keys);
    if (kept && kept.current.release > (this.#active?.current.release ?? 0)) {
      if (this.#guard(() => this.#activate(kept, "storage"))) {
        this.#lastError = undefined;
        this.#failures = 0;
        this.#schedule(this.#ask.refreshIntervalMs);
      }
    }
    this.#tell();
  }

  async #keepOn(current: Current): Promise<void> {
    if (this.#active) this.#active.current = current;
    this.#watchExpiry();
    await this.#store.note(current);
    await this.#store.checkKept(current.sha256);
  }

  /** Runs `work`. Returns false and notes the error if it throws. */
  #guard(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#note(error);
      return false;
    }
  }

  #note(error: unknown): void {
    // Without a code, the error is a trap or unexpected, and the worker must be replaced.
    if (!isCoded(error)) throw error;
    this.#lastError = { code: error.code, message: error.message, atUnixS: nowUnixS() };
  }

  #refused(code: GateErrorCode, expected: string, got: string): GateError {
    const { manifestUrl: url } = this.#ask;
    return new GateError({ code, message: `${url}: expected ${expected}, got ${got}`, url, expected, got });
  }

  /** Throws if a trusted key is malformed. That is a mistake of the host's code, whatever the server answers. */
  #checkTrust(): void {
    try {
      this.#engine.verifyManifest(new Uint8Array(0), this.#ask);
    } catch (error) {
      if (!isCoded(error) || error.code === "trust-invalid") throw error;
    }
    const { log } = this.#ask;
    if (!log) return;
    try {
      this.#engine.verifyLogProof(new Uint8Array(0), new Uint8Array(0), log);
    } catch (error) {
      if (!isCoded(error) || error.code === "trust-invalid") throw error;
    }
  }

  get #network(): Network {
    return {
      open: this.#side.open,
      timeoutMs: this.#ask.timeoutMs,
      progress: (progress) => this.#side.push({ type: "download", ...progress }),
      count: (bytes) => {
        this.#downloaded += bytes;
      },
    };
  }

  /**
   * Schedules the next refresh at a random time around `afterMs`, so that clients that started together don't refresh
   * together.
   */
  #schedule(afterMs: number): void {
    clearTimeout(this.#refreshTimer);
    const wait = Math.min(MAX_TIMER_MS, afterMs * (0.8 + 0.4 * Math.random()));
    this.#nextRefreshMs = Date.now() + wait;
    this.#refreshTimer = setTimeout(() => this.#refreshUnasked(), wait);
  }

  #watchExpiry(): void {
    clearTimeout(this.#expiryTimer);
    const wait = this.#active ? this.#until * 1000 - Date.now() : 0;
    if (wait <= 0) return;
    this.#expiryTimer = setTimeout(
      () => {
        this.#watchExpiry();
        this.#tell();
      },
      Math.min(MAX_TIMER_MS, wait),
    );
  }

  #tell(): void {
    const { manifest, logged, filters, from } = this.#active ?? {};
    const isLate = this.#state === "expired" || /^(manifest-expired|log-stale)$/.test(this.#lastError?.code ?? "");
    const clock = this.#ask.log && clockHint(nowUnixS(), logged, isLate ? this.#serverUnixS : undefined);
    const [info] = filters?.loaded.filters ?? [];
    const status: GateStatus = {
      state: this.#state,
      source: this.#ask.manifestUrl,
      ...(manifest && {
        list: manifest.name,
        category: manifest.category,
        release: manifest.release,
        issuedUnixS: manifest.issuedUnixS,
        expiresUnixS: manifest.expiresUnixS,
        signedBy: manifest.signedBy,
        curators: manifest.curators,
        ...(manifest.withdrawn !== undefined && { withdrawn: manifest.withdrawn }),
        ...(manifest.policy !== undefined && { policy: manifest.policy }),
        ...(manifest.appeals !== undefined && { appeals: manifest.appeals }),
        ...(manifest.jurisdiction !== undefined && { jurisdiction: manifest.jurisdiction }),
      }),
      ...(logged && { checkpoint: statusOf(logged) }),
      ...(clock && { clock }),
      entries: manifest ? manifest.pdqCount + manifest.sha256Count + manifest.md5Count : 0,
      bytes: info?.bytes ?? 0,
      ...(from && { from }),
      ...(this.#highest && { highestRelease: this.#highest.release }),
      storage: this.#store.state,
      refreshing: this.#refreshing !== undefined,
      ...(this.#lastRefresh && { lastRefresh: this.#lastRefresh }),
      ...(this.#nextRefreshMs !== undefined && { nextRefreshUnixS: Math.round(this.#nextRefreshMs / 1000) }),
      ...(this.#lastError && { lastError: this.#lastError }),
    };
    const told = JSON.stringify(status);
    if (told === this.#told) return;
    this.#told = told;
    this.#side.push({ type: "state", status, loaded: filters?.loaded });
  }
}

function nameOf({ manifestUrl }: Following): string {
  return `hashgate ${manifestUrl}`;
}

function nowUnixS(): number {
  return Math.floor(Date.now() / 1000);
}

/** Adds the file's URL to an error. */
function located(error: unknown, url: string): unknown {
  if (isCoded(error)) error.message = `${url}: ${error.message}`;
  return error;
}
