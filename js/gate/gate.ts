// The gate: the hashing workers compute a file's signals, and the lookup worker looks them up. Whatever fails becomes a
// verdict with a reason.

import { describe, GateError, HeldError } from "../errors.js";
import type { Verdict as CoreVerdict } from "../generated/core.js";
import { decide } from "../policy/decision.js";
import type {
  Asks,
  FilmKind,
  Fingerprinted,
  HostFormat,
  HostPicture,
  IsFilm,
  NeedsDecoder,
  NeedsFormats,
  NotDecoded,
  OwnFormat,
  Wanted,
} from "../protocol.js";
import type {
  AdmitOptions,
  Admitted,
  CheckOptions,
  Confirm,
  DecodedPicture,
  FilterInfo,
  Gate,
  GateOptions,
  GateStatus,
  HostDecision,
  Input,
  ListState,
  Match,
  NodeInput,
  Orientations,
  PossibleMatch,
  ReportOptions,
  TransparencyReport,
  Unchecked,
  Verdict,
  ViewSet,
  Watch,
  WatchOptions,
  WatchSource,
} from "../types/types.js";
import type { Arrival, Arrivals } from "./arrivals.js";
import { ask } from "./confirmation.js";
import { type Connection, type Host, type Opened, WorkerLost } from "./connection.js";
import { Counters } from "./counters.js";
import { DEFAULTS } from "./defaults.js";
import { checkFilm, NO_DECODER } from "./film.js";
import { HashingPool } from "./hashing-pool.js";
import {
  bytesOf,
  HEAD,
  headOf,
  InvalidInput,
  isPlatformBlob,
  type Recognised,
  recognise,
  UnreadableFile,
} from "./input.js";
import { LEND_FROM, lend } from "./loan.js";
import { type Feed, FiltersLost, LookupWorker } from "./lookup-worker.js";
import { assertConfirm, atLeastOne, feedOf } from "./options.js";
import { aboutOf, checkpointOf, nothing, statusOf } from "./status.js";
import { unchecked } from "./unchecked.js";
import { drawnJpeg } from "./warm-up.js";
import { LiveWatch } from "./watch.js";

/** Opens a gate in a page or in Node. */
export async function openGateOn(host: Host, options: GateOptions): Promise<Gate> {
  const feed = feedOf(host, options);
  atLeastOne("workers", options.workers ?? 1);
  assertConfirm(options);
  options.signal?.throwIfAborted();
  const gate = new OpenGate(host, feed, options);
  await gate.open();
  return gate;
}

interface Parts {
  module: WebAssembly.Module;
  pool: HashingPool;
  lookup: LookupWorker;
}

/** A WebAssembly module that some files need can't be loaded. */
class EngineLost extends Error {}

/** The formats engine can't be loaded, so the file that needs it can't be checked. */
class FormatsLost extends EngineLost {
  constructor(detail: string) {
    super(
      `the file needs the formats engine, which can't be loaded: ${detail}; ` +
        "serve hashgate-formats.wasm there, or set formatsWasmUrl",
    );
  }
}

/** The options with which a film is checked. */
interface FilmOptions {
  views: ViewSet;
  orientations: Orientations;
  wanted: Wanted;
}

/** Number of checks of the drawn picture. After these, browsers have optimised the hot code. */
const WARM_UP_ROUNDS = 16;

class OpenGate extends EventTarget implements Gate {
  readonly #host: Host;
  readonly #feed: Feed;
  readonly #options: GateOptions;
  #parts: Parts | undefined;
  #starting: Promise<Parts> | undefined;
  #status: GateStatus;
  readonly #counters = new Counters();
  /** Aborts open calls of `confirm` when the gate is closed. */
  readonly #closing = new AbortController();
  #closed: GateError | undefined;
  readonly #arrivals: Arrivals | undefined;
  readonly #loadingDecoders = new Map<OwnFormat, Promise<WebAssembly.Module>>();

  constructor(host: Host, feed: Feed, options: GateOptions) {
    super();
    const { maxFileBytes = DEFAULTS.maxFileBytes, timeoutMs = DEFAULTS.timeoutMs } = options;
    this.#arrivals = host.arrivals?.({ budget: maxFileBytes, timeoutMs });
    this.#host = host;
    this.#feed = feed;
    this.#options = options;
    this.#status = nothing(feed);
  }

  /**
   * Starts the workers and loads the filters. With a `source`, the gate opens even if there is no list: then
   * `whenUnavailable` decides about files.
   */
  async open(): Promise<void> {
    const { signal } = this.#options;
    try {
      await this.#start(signal);
    } catch (error) {
      const code = error instanceof GateError ? error.code : undefined;
      if ("load" in this.#feed || signal?.aborted || !code || code === "trust-invalid") throw error;
    }
  }

  get filters(): readonly FilterInfo[] {
    return this.#parts?.lookup.loaded?.filters ?? [];
  }

  status(): GateStatus {
    return structuredClone(this.#status);
  }

  async refresh(): Promise<GateStatus> {
    if (this.#closed) throw this.#closed;
    try {
      if ("follow" in this.#feed) await (await this.#ready()).lookup.refresh();
    } catch (error) {
      if (this.#closed) throw this.#closed;
      this.#fail(error);
    }
    return this.status();
  }

  async check(input: Input | NodeInput, options: CheckOptions = {}): Promise<Verdict> {
    if (this.#closed) throw this.#closed;
    options.signal?.throwIfAborted();
    let blob: Blob | undefined;
    let verdict: Verdict;
    try {
      const opening = this.#host.open?.(input);
      const given = opening ? await opening : recognise(input);
      if ("blob" in given && !opening) blob = given.blob as Blob;
      // Copies bytes, so that the caller may change the buffer later without changing the answer.
      verdict = await this.#checkFile("bytes" in given ? { bytes: new Uint8Array(given.bytes) } : given, options);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      verdict = unchecked("invalid-input", error.message);
    }
    if ("follow" in this.#feed) verdict = this.#withList(verdict);
    this.#counters.checked(verdict, this.filters);
    return blob ? Object.defineProperty(verdict, "file", { value: blob }) : verdict;
  }

  async admit(input: Input, options: AdmitOptions = {}): Promise<Admitted> {
    const { unchecked = {}, caveats = [], copyUpToBytes = DEFAULTS.copyUpToBytes, ...ask } = options;
    const file = await abortable(blobOf(input, copyUpToBytes), ask.signal);
    const verdict = await this.check(file, ask);
    if (decide(verdict, { unchecked, caveats }) === "hold") throw new HeldError(verdict);
    return { file: file as Blob, verdict };
  }

  watch(source: WatchSource, options?: WatchOptions): Watch {
    if (this.#closed) throw this.#closed;
    const { confirm, confirmTimeoutMs = DEFAULTS.confirmTimeoutMs } = this.#options;
    const { orientations = "all", views = "all" } = this.#options;
    const watching = {
      host: this.#host,
      ready: () => this.#ready(),
      unusable: () => (this.#usable ? undefined : this.#unavailable()),
      confirm,
      confirmTimeoutMs,
      orientations,
      views,
      closing: this.#closing.signal,
    };
    return new LiveWatch(watching, source, options);
  }

  /** Adds the state of the followed list to a verdict. */
  #withList(verdict: Verdict): Verdict {
    const { state, release, lastError } = this.#status;
    const checkpoint = checkpointOf(this.#status);
    const about = aboutOf(this.#status);
    const list: ListState = {
      state,
      ...(release !== undefined && { release }),
      ...(lastError && { error: lastError.code }),
      ...(checkpoint && { checkpoint }),
      ...(about && { about }),
    };
    return { ...verdict, list };
  }

  record(decision: HostDecision, verdict: Verdict): void {
    if (decision !== "overridden" && decision !== "appealed") {
      throw new TypeError(`record: expected "overridden" or "appealed", got ${JSON.stringify(decision)}`);
    }
    this.#counters.decided(decision, verdict);
  }

  report({ checkpoint = false }: ReportOptions = {}): TransparencyReport {
    const report = this.#counters.report(this.filters);
    const seen = checkpoint ? checkpointOf(this.#status) : undefined;
    return seen ? { ...report, "hashgate.checkpoint": seen } : report;
  }

  /** Checks a file. If something goes wrong on the way, the verdict says so. */
  async #checkFile(input: Recognised | Opened, { signal, ...options }: CheckOptions): Promise<Verdict> {
    const arrival = "stream" in input ? this.#arrivals?.begin(input.stream) : undefined;
    try {
      const { pool, lookup } = await abortable(this.#ready(), signal);
      if (!this.#usable) {
        // There is no list to check against, so hashing would be useless. But if the lookup worker is lost, a new one
        // may have the list.
        await abortable(lookup.revive(), signal);
        if (!this.#usable) return this.#unavailable();
      }
      const views = options.views ?? this.#options.views ?? "all";
      const orientations = options.orientations ?? this.#options.orientations ?? "all";
      const wanted = lookup.loaded?.holds ?? { pdq: true, sha256: true, md5: true };
      const hashing = { wanted, views, limits: this.#options.limits ?? {} };
      const early = (fingerprint: Uint8Array) => lookup.begin({ fingerprint, orientations });
      const { decoders = {} } = this.#options;
      const hostDecodes = (["avif", "jxl"] as const).filter((format) => decoders[format]);
      const base = { ...hashing, ...(hostDecodes.length > 0 && { hostDecodes }) };
      const hash = (file: Recognised, module?: WebAssembly.Module, more: Partial<Asks["fingerprint"]> = {}) =>
        pool.run((worker) => this.#hash(worker, file, { ...base, ...more }, early), signal, module);
      const given = arrival ? await this.#receive(arrival, pool, wanted, signal) : (input as Recognised);
      if ("refused" in given) return given.refused;
      let signals = await hash(given);
      if ("film" in signals)
        return await this.#film(
          signals.film,
          signals.bytes ? { bytes: signals.bytes } : given,
          { pool, lookup },
          { ...options, views, orientations, wanted },
          signal,
        );
      if ("needsFormats" in signals) {
        const { bytes } = signals;
        signals = await hash(bytes ? { bytes } : given, await this.#formats(signal));
      }
      if ("needsDecoder" in signals) {
        const { bytes, needsDecoder } = signals;
        const file = bytes ? { bytes } : given;
        const more =
          "module" in needsDecoder
            ? { module: await this.#decoder(needsDecoder.module, signal) }
            : { decoded: await this.#decoded(needsDecoder.host, file, signal) };
        signals = await hash(file, undefined, more);
      }
      if ("film" in signals || "needsFormats" in signals || "needsDecoder" in signals)
        throw new FormatsLost("it is no engine that reads every format");
      if ("refused" in signals) return signals.refused;
      const lookUp = (dismissed: Match[]) => abortable(lookup.lookUp({ signals, orientations, dismissed }), signal);
      const verdict = await lookUp([]);
      if ("load" in this.#feed && this.#status.state === "none")
        this.#tell(statusOf(this.filters, this.#feed.load.sources));
      if (verdict?.outcome !== "possible-match") return verdict ?? this.#unavailable();
      return await this.#confirm(verdict, lookUp, signal);
    } catch (error) {
      if (this.#closed) throw this.#closed;
      if (signal?.aborted) throw signal.reason;
      if (error instanceof UnreadableFile) return unchecked("unreadable", error.message);
      if (error instanceof WorkerLost) return unchecked("engine-failed", error.message);
      if (error instanceof EngineLost) return unchecked("unavailable", error.message);
      if (error instanceof FiltersLost) {
        this.#fail(error);
        return this.#withoutList(error.message);
      }
      throw error;
    } finally {
      arrival?.release();
    }
  }

  /** Reads a stream to its end, or refuses it as soon as it is too long. */
  async #receive(
    arrival: Arrival,
    pool: HashingPool,
    { sha256, md5 }: Asks["fingerprint"]["wanted"],
    signal: AbortSignal | undefined,
  ): Promise<Recognised | { refused: Unchecked }> {
    const most = this.#options.maxFileBytes ?? DEFAULTS.maxFileBytes;
    const ends = signal ? AbortSignal.any([this.#closing.signal, signal]) : this.#closing.signal;
    // A long stream that is not a picture should be `not-a-picture`, not `too-large`, as a file is. So if no digest is
    // wanted, the first bytes are looked at before the length.
    if (!sha256 && !md5 && !(await abortable(arrival.readPast(HEAD), ends))) {
      const head = arrival.head();
      if (!(await pool.run((worker) => worker.ask("mayBePicture", { head }), signal))) return { bytes: arrival.head() };
    }
    if (await abortable(arrival.readPast(most), ends)) return { bytes: arrival.take() };
    return { refused: unchecked("too-large", `size in bytes: expected at most ${most}, got a longer stream`) };
  }

  /**
   * Loads the formats engine, when the first file needs it. Rejects with {@link FormatsLost}; the next file tries
   * again.
   */
  async #formats(signal: AbortSignal | undefined): Promise<WebAssembly.Module> {
    const { formatsWasmModule, timeoutMs = DEFAULTS.timeoutMs } = this.#options;
    if (formatsWasmModule) return formatsWasmModule;
    const compiling = this.#host.compileFormats(timeoutMs).catch((error) => {
      throw new FormatsLost(error instanceof Error ? error.message : String(error));
    });
    return abortable(abortable(compiling, this.#closing.signal), signal);
  }

  /**
   * Loads the decoder of a format, when the first such file comes. Returns why it can't be had, if it can't: a browser
   * may have a decoder of its own. The next file tries again.
   */
  async #decoder(format: OwnFormat, signal: AbortSignal | undefined): Promise<WebAssembly.Module | NotDecoded> {
    const { [`${format}WasmModule` as const]: given, timeoutMs = DEFAULTS.timeoutMs } = this.#options;
    if (given) return given;
    // Files that wait for it at once share one promise.
    let compiling = this.#loadingDecoders.get(format);
    if (!compiling) {
      const forget = () => this.#loadingDecoders.delete(format);
      compiling = abortable(this.#host.compileDecoder(format, timeoutMs), this.#closing.signal).finally(forget);
      this.#loadingDecoders.set(format, compiling);
    }
    const loading = compiling.catch((error) => {
      if (this.#closed) throw this.#closed;
      return {
        reason: "unavailable" as const,
        detail:
          `the decoder hashgate-${format}.wasm can't be loaded: ${describe(error)}; ` +
          `serve it there, or set ${format}WasmUrl`,
      };
    });
    return abortable(loading, signal);
  }

  /** Asks the host's decoder for the pixels of a file. */
  async #decoded(
    format: HostFormat,
    file: Recognised,
    signal: AbortSignal | undefined,
  ): Promise<HostPicture | NotDecoded> {
    const { decoders = {}, timeoutMs = DEFAULTS.timeoutMs } = this.#options;
    const opened = await this.#open(file);
    const bytes = opened instanceof Uint8Array ? opened : new Uint8Array(await opened.arrayBuffer());
    // The host's function may keep or detach what it gets.
    const decoding = (async () => decoders[format]?.(bytes.slice()))().then(
      (picture) => hostPicture(picture),
      (error) => ({ reason: "unreadable" as const, detail: `decoders.${format} failed: ${describe(error)}` }),
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<NotDecoded>((resolve) => {
      const detail = `decoders.${format} took longer than ${timeoutMs / 1000} s`;
      timer = setTimeout(() => resolve({ reason: "engine-failed", detail }), timeoutMs);
    });
    const ends = signal ? AbortSignal.any([this.#closing.signal, signal]) : this.#closing.signal;
    return abortable(Promise.race([decoding, late]), ends).finally(() => clearTimeout(timer));
  }

  /** Computes a file's signals, or refuses the file before all of it was read. */
  async #hash(
    worker: Connection,
    given: Recognised,
    hashing: Omit<Asks["fingerprint"], "file">,
    early: (fingerprint: Uint8Array) => void,
  ): Promise<Fingerprinted | NeedsFormats | NeedsDecoder | IsFilm | { refused: Unchecked }> {
    const size = "bytes" in given ? given.bytes.byteLength : given.blob.size;
    const most = this.#options.maxFileBytes ?? DEFAULTS.maxFileBytes;
    const { sha256, md5 } = hashing.wanted;
    const tooLarge = (got: number) => unchecked("too-large", `size in bytes: expected at most ${most}, got ${got}`);
    let file: Blob | Uint8Array | undefined;
    const here = "blob" in given && !this.#host.takesBlob(given.blob);
    const head = size > HEAD && (size > most || here) ? await this.#head(given) : undefined;
    if (head) {
      // A film is read in pieces, so the limit on a file's length doesn't apply to films.
      const film = await worker.ask("filmKind", { head });
      if (film) return { film, bytes: undefined, memoryBytes: 0 };
      // A long file that is no picture should be `not-a-picture`, not `too-large`. So if no digest is wanted, the first
      // bytes of a long file are looked at before its length. (A digest needs all bytes.)
      if (!sha256 && !md5 && !(await worker.ask("mayBePicture", { head }))) file = head;
    }
    if (!file) {
      if (size > most) return { refused: tooLarge(size) };
      // If workers can't receive Blobs, lends a large Blob to the worker (see `loan.ts`). So a film isn't held in
      // memory as a whole if the list has digests.
      if (here && size > LEND_FROM && isPlatformBlob(given.blob)) {
        const loan = lend(given.blob);
        const asked = worker.ask("fingerprint", { ...hashing, file: loan.file }, [loan.file.port], { early });
        return asked.finally(() => loan.end());
      }
      file = await this.#open(given);
      if (file instanceof Uint8Array && file.byteLength > most) return { refused: tooLarge(file.byteLength) };
    }
    const transfer = file instanceof Uint8Array ? [file.buffer as ArrayBuffer] : [];
    return worker.ask("fingerprint", { ...hashing, file }, transfer, { early });
  }

  /** Returns the first bytes of a file, or undefined if it can only be read as a whole. */
  async #head(given: Recognised): Promise<Uint8Array | undefined> {
    try {
      return await headOf(given);
    } catch (error) {
      if (error instanceof InvalidInput) throw error;
      throw new UnreadableFile(`the file's bytes can't be had: ${describe(error)}`);
    }
  }

  /** Checks a film. */
  async #film(
    kind: FilmKind,
    given: Recognised,
    parts: Pick<Parts, "pool" | "lookup">,
    { video = {}, views, orientations, wanted }: CheckOptions & FilmOptions,
    signal: AbortSignal | undefined,
  ): Promise<Verdict> {
    const compile = this.#host.compileFilms?.bind(this.#host);
    const { filmWasmModule } = this.#options;
    if (!compile && !wanted.sha256 && !wanted.md5) return unchecked("unsupported-film", NO_DECODER);
    const { maxFilmBytes = DEFAULTS.maxFilmBytes, maxFileBytes = DEFAULTS.maxFileBytes } = this.#options;
    const isRead = "blob" in given && !this.#host.takesBlob(given.blob);
    // A Blob that can't be posted to a worker is read into memory.
    const most = isRead ? Math.min(maxFileBytes, maxFilmBytes) : maxFilmBytes;
    const size = "bytes" in given ? given.bytes.byteLength : given.blob.size;
    if (size > most) return unchecked("too-large", `size of a film in bytes: expected at most ${most}, got ${size}`);
    const { confirm, limits = {}, confirmTimeoutMs = DEFAULTS.confirmTimeoutMs } = this.#options;
    const { timeoutMs = DEFAULTS.timeoutMs } = this.#options;
    const reader = async () => {
      if (filmWasmModule) return filmWasmModule;
      const compiling = (compile as NonNullable<typeof compile>)(timeoutMs).catch((error) => {
        throw new EngineLost(
          `the reader of films can't be loaded: ${describe(error)}; serve hashgate-film.wasm there, or set filmWasmUrl`,
        );
      });
      return abortable(abortable(compiling, this.#closing.signal), signal);
    };
    const ends = signal ? AbortSignal.any([this.#closing.signal, signal]) : this.#closing.signal;
    const question = async (verdict: PossibleMatch) => {
      const answer = await ask(verdict, confirm as Confirm, confirmTimeoutMs, ends);
      if (answer.is === "listed" || answer.is === "not-listed") return answer.is;
      return {
        ...verdict,
        confirmation: answer.is,
        ...(answer.why !== undefined && { confirmationDetail: answer.why }),
      };
    };
    const film = {
      ...parts,
      filters: this.filters,
      wanted,
      limits,
      views,
      orientations,
      reader: compile ? reader : undefined,
      confirm: confirm && question,
      confirmedBy: confirm?.confirmer ?? "host",
    };
    // In Node only the digests of a film are needed, and a large Blob is lent for them.
    const loan =
      !compile && "blob" in given && size > LEND_FROM && isPlatformBlob(given.blob) ? lend(given.blob) : undefined;
    try {
      const file = loan?.file ?? (await this.#open(given));
      return (await checkFilm(film, file, kind, video, signal)) ?? this.#unavailable();
    } finally {
      loan?.end();
    }
  }

  /**
   * Asks `confirm` about a possible match. After "not-listed", looks for further candidates and asks about them, until
   * one is listed, or nothing else matches, or the core's limit on candidates is reached.
   */
  async #confirm(
    first: CoreVerdict & PossibleMatch,
    lookUp: (dismissed: Match[]) => Promise<CoreVerdict | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<Verdict> {
    const { confirm, confirmTimeoutMs = DEFAULTS.confirmTimeoutMs } = this.#options;
    if (!confirm) return first;
    const confirmedBy = confirm.confirmer ?? "host";
    const ends = signal ? AbortSignal.any([this.#closing.signal, signal]) : this.#closing.signal;
    const dismissed: Match[] = [];
    let lookups = 0;
    for (let verdict: CoreVerdict & PossibleMatch = first; ; ) {
      lookups += verdict.lookups;
      const answer = await ask(verdict, confirm, confirmTimeoutMs, ends);
      if (answer.is === "listed") {
        const { ifNotListed: _, ...findings } = verdict;
        return { ...findings, outcome: "match", confirmedBy, lookups };
      }
      if (answer.is !== "not-listed") {
        const { is: confirmation, why } = answer;
        return { ...verdict, lookups, confirmation, ...(why !== undefined && { confirmationDetail: why }) };
      }
      dismissed.push(...verdict.matches);
      const next = await lookUp(dismissed);
      if (!next) return { ...this.#unavailable(), confirmedBy, matches: dismissed };
      if (next.outcome !== "possible-match") {
        return { ...next, lookups: lookups + next.lookups, confirmedBy, matches: dismissed };
      }
      verdict = next;
    }
  }

  /**
   * Returns the file in a form that can be posted to a worker: a Blob of the platform, or its bytes where workers don't
   * take Blobs.
   */
  async #open(given: Recognised): Promise<Blob | Uint8Array> {
    if ("bytes" in given) return given.bytes;
    const { blob } = given;
    if (this.#host.takesBlob(blob)) return blob;
    try {
      const bytes = await bytesOf(blob);
      // The bytes will be transferred to the worker. Another implementation of Blob may have returned its own buffer,
      // so that one is copied.
      return isPlatformBlob(blob) ? bytes : new Uint8Array(bytes);
    } catch (error) {
      const detail = `the file's bytes can't be had: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`;
      throw isPlatformBlob(blob) ? new UnreadableFile(detail) : new InvalidInput(detail);
    }
  }

  /**
   * Checks a drawn picture several times, one after the other, so that a file waits for one of these checks at most.
   */
  async #warmUp(): Promise<void> {
    const jpeg = drawnJpeg();
    for (let round = 0; round < WARM_UP_ROUNDS && !this.#closed; round += 1) {
      // Ignores errors: the first file will meet them and report them.
      const verdict = await this.#checkFile({ blob: jpeg }, {}).catch(() => undefined);
      if (verdict?.outcome === "unchecked") return;
    }
  }

  /** Whether there is a list to check against, as far as the page knows. */
  get #usable(): boolean {
    return "load" in this.#feed || this.#status.state === "current";
  }

  #unavailable(): Unchecked {
    const { state, expiresUnixS, lastError } = this.#status;
    const what = state === "expired" ? `the list expired at ${expiresUnixS}` : "there is no list to check against";
    return this.#withoutList(lastError ? `${what} (${lastError.code}: ${lastError.message})` : what);
  }

  /**
   * Returns the verdict on a file while there is no list. It contains the host's `whenUnavailable`. A verdict about a
   * missing formats engine doesn't.
   */
  #withoutList(detail: string): Unchecked {
    const { whenUnavailable } = this.#options;
    const follows = "follow" in this.#feed && whenUnavailable;
    return { ...unchecked("unavailable", detail), ...(follows && { whenUnavailable }) };
  }

  close(): void {
    this.#closed ??= new GateError({ code: "closed", message: "the gate was closed" });
    this.#closing.abort(this.#closed);
    this.#parts?.pool.close(this.#closed);
    this.#parts?.lookup.close(this.#closed);
  }

  /**
   * Returns the workers. If starting them failed before, tries again. Rejects with {@link FiltersLost} if that fails,
   * too.
   */
  async #ready(): Promise<Parts> {
    if (this.#parts) return this.#parts;
    try {
      return await this.#start(undefined);
    } catch (error) {
      throw new FiltersLost(error instanceof Error ? error.message : String(error));
    }
  }

  #start(signal: AbortSignal | undefined): Promise<Parts> {
    this.#starting ??= this.#startOnce(signal)
      .catch((error) => {
        this.#fail(error);
        throw error;
      })
      .finally(() => {
        this.#starting = undefined;
      });
    return this.#starting;
  }

  async #startOnce(signal: AbortSignal | undefined): Promise<Parts> {
    const { timeoutMs = DEFAULTS.timeoutMs, onProgress } = this.#options;
    const module = this.#options.wasmModule ?? (await this.#host.compile());
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed;
    const lookup = new LookupWorker(this.#host, module, this.#feed, timeoutMs, {
      progress: onProgress,
      status: (status) => this.#tell(status),
    });
    const abort = () => lookup.close(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await lookup.ready();
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      const message = `the worker can't be started: ${error.message}`;
      throw new GateError({ code: "worker-unavailable", message }, { cause: error });
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    const pool = new HashingPool(this.#host, module, {
      size: Math.max(1, this.#options.workers ?? Math.min(4, this.#host.processors() - 1)),
      timeoutMs,
      idleMs: this.#options.idleMs ?? DEFAULTS.idleMs,
      maxIdleMemoryBytes: this.#options.maxIdleMemoryBytes ?? DEFAULTS.maxIdleMemoryBytes,
    });
    this.#parts = { module, pool, lookup };
    if (this.#options.warmUp ?? true) this.#host.whenIdle?.(() => pool.isUnused && void this.#warmUp());
    if (this.#closed) this.close();
    else if ("load" in this.#feed) this.#tell(statusOf(this.filters, this.#feed.load.sources));
    return this.#parts;
  }

  #tell(status: GateStatus): void {
    this.#status = status;
    this.dispatchEvent(new Event("statechange"));
  }

  /** Updates the status after an error that the worker can't report itself. */
  #fail(error: unknown): void {
    if (this.#closed) return;
    const { code, message } =
      error instanceof GateError ? error : { code: "engine-failed" as const, message: String(error) };
    const lastError = { code, message, atUnixS: Math.floor(Date.now() / 1000) };
    // If the worker died, the next check starts another one, so the status stays. If no worker can be started, the
    // status says that there is no list.
    const base = error instanceof WorkerLost ? { ...this.#status, refreshing: false } : nothing(this.#feed);
    this.#tell({ ...base, lastError });
  }
}

/** Returns the host's picture if it has as many bytes as its size takes. */
function hostPicture(picture: Partial<DecodedPicture> | undefined): HostPicture | NotDecoded {
  const { width = 0, height = 0, data } = picture ?? {};
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!whole || !ArrayBuffer.isView(data) || data.byteLength !== 4 * width * height) {
    const got = ArrayBuffer.isView(data) ? `${data.byteLength} bytes` : "no bytes";
    const detail = `decoders: expected { width, height, data } with 4 bytes per pixel, got ${width} x ${height} and ${got}`;
    return { reason: "unreadable", detail };
  }
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    // A signal that was already aborted fires no event.
    if (signal.aborted) reject(signal.reason);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Returns the Blob to check and to admit: the given Blob, or a copy of it if it has at most `copyUpToBytes` bytes, or
 * a Blob made of given bytes. Returns an input that can't be read unchanged, so that the check gives the reason.
 */
async function blobOf(input: Input, copyUpToBytes: number): Promise<Input> {
  try {
    const given = recognise(input);
    if ("bytes" in given) return new Blob([new Uint8Array(given.bytes)]);
    const { blob } = given;
    if (blob.size > copyUpToBytes) return input;
    const bytes = new Uint8Array(await bytesOf(blob));
    const { type = "", name, lastModified } = blob as Partial<File>;
    return name === undefined
      ? new Blob([bytes], { type })
      : new File([bytes], name, { type, ...(lastModified !== undefined && { lastModified }) });
  } catch {
    return input;
  }
}
