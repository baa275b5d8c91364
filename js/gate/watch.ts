// Watches a live stream: frames are hashed in a worker of its own, and looked up in the gate's lookup worker.
import { invalidOptions } from "../errors.js";
import type { Guard, NoisyFrame, SampledFrame } from "../protocol.js";
import type {
  Confirm,
  LiveVerdict,
  Orientations,
  Verdict,
  ViewSet,
  Watch,
  WatchOptions,
  WatchSource,
  WatchState,
} from "../types/types.js";
import { ask } from "./confirmation.js";
import { Connection, type Host, WorkerLost } from "./connection.js";
import { DEFAULTS } from "./defaults.js";
import { FrameHits, lookUpFrame } from "./frame-hits.js";
import type { LookupWorker } from "./lookup-worker.js";
import { type ElementSource, type StreamSource, sourceOf, type TrackSource } from "./stream-source.js";
import { unchecked } from "./unchecked.js";

/** The parts of a gate that a watch uses. */
export interface Watching {
  host: Host;
  /** Resolves to the lookup worker and the engine for a hashing worker. */
  ready(): Promise<{ lookup: LookupWorker; module: WebAssembly.Module }>;
  /** Returns a verdict if there is no list to check against. */
  unusable(): Verdict | undefined;
  confirm: Confirm | undefined;
  confirmTimeoutMs: number;
  orientations: Orientations;
  views: ViewSet;
  /** Aborted when the gate is closed. */
  closing: AbortSignal;
}

const GUARDS: readonly Guard[] = ["event", "blank", "checked-only"];
/** Two matches belong to one range of seconds if they are at most this many sampling intervals apart. */
const JOIN_INTERVALS = 2.5;
/** A lost worker is replaced after this many milliseconds, at most this many times in a row. */
const [RESTART_MS, RESTARTS] = [1000, 5];

export class LiveWatch extends EventTarget implements Watch {
  readonly #gate: Watching;
  readonly #source: StreamSource;
  readonly #guard: Guard;
  readonly #everyMs: number;
  readonly #orientations: Orientations;
  readonly #views: ViewSet;
  readonly #hits: FrameHits;
  readonly #stopping = new AbortController();
  #connection: Connection | undefined;
  #state: WatchState = "starting";
  #verdict: LiveVerdict | undefined;
  /** Whether a frame has matched, and neither `confirm` nor the host has released the stream since. */
  #held = false;
  #confirming = false;
  #failures = 0;

  constructor(gate: Watching, source: WatchSource, options: WatchOptions = {}) {
    super();
    const { everyMs = DEFAULTS.everyMs, guard = "event", signal } = options;
    if (!(typeof everyMs === "number" && everyMs >= 20 && everyMs < 2 ** 31)) {
      throw invalidOptions("everyMs", "milliseconds from 20", String(everyMs));
    }
    if (!GUARDS.includes(guard)) throw invalidOptions("guard", GUARDS.join(", "), JSON.stringify(guard));
    signal?.throwIfAborted();
    this.#gate = gate;
    this.#guard = guard;
    this.#everyMs = everyMs;
    this.#orientations = options.orientations ?? gate.orientations;
    this.#views = options.views ?? gate.views;
    this.#hits = new FrameHits((JOIN_INTERVALS * everyMs) / 1000);
    this.#source = sourceOf(source, guard);
    const stop = () => this.stop();
    for (const ends of [gate.closing, signal]) {
      ends?.addEventListener("abort", stop, { once: true, signal: this.#stopping.signal });
    }
    this.#source.track?.addEventListener("ended", stop, { once: true });
    // Listeners that the caller adds now get every event.
    queueMicrotask(() => void this.#start());
  }

  get by(): Watch["by"] {
    return this.#source.by;
  }

  get state(): WatchState {
    return this.#state;
  }

  get verdict(): LiveVerdict | undefined {
    return this.#verdict;
  }

  get track(): MediaStreamTrack | undefined {
    return this.#source.by === "track-processor" ? this.#source.output : undefined;
  }

  release({ dismiss = false }: { dismiss?: boolean } = {}): void {
    if (dismiss) this.#hits.dismiss();
    else this.#hits.clear();
    this.#held = false;
    // The guarded track stays as it is until the next frame is judged.
    if (this.#state === "possible-match") this.#enter("starting");
  }

  stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new DOMException("the watch was stopped", "AbortError"));
    const connection = this.#connection;
    // Lets the worker give its frames back before it is ended.
    const ended = new WorkerLost("the watch was stopped");
    if (connection)
      void connection
        .ask("unwatch", undefined)
        .finally(() => connection.end(ended))
        .catch(() => {});
    if (this.#source.by === "track-processor") this.#source.output?.stop();
    if (this.#source.by === "video-element" && this.#source.track) {
      this.#source.video.pause();
      this.#source.video.srcObject = null;
    }
    this.dispatchEvent(new Event("end"));
  }

  async #start(): Promise<void> {
    if (this.#isStopped) return;
    if (this.#source.by === "none") {
      this.#tell(unchecked("unsupported-picture", this.#source.why));
      return;
    }
    try {
      const { module } = await this.#gate.ready();
      if (this.#isStopped) return;
      const connection = new Connection(this.#gate.host, module);
      this.#connection = connection;
      if (this.#source.by === "track-processor") await this.#watchTrack(connection, this.#source);
      else await this.#watchElement(connection, this.#source);
    } catch (error) {
      if (!this.#isStopped) await this.#recover(error);
    }
  }

  /**
   * Watches again after a worker was lost. If the track is guarded, the watch ends, because the lost worker held the
   * stream that writes to the track.
   */
  async #recover(error: unknown): Promise<void> {
    const detail = error instanceof Error ? error.message : String(error);
    this.#tell(unchecked("engine-failed", detail));
    this.#connection?.end(error);
    this.#failures += 1;
    if (this.#guard !== "event" || this.#failures > RESTARTS) return this.stop();
    await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    if (this.#isStopped) return;
    if (this.#source.by === "track-processor") {
      const again = sourceOf(this.#source.track, this.#guard);
      if (again.by === "track-processor") this.#source.readable = again.readable;
    }
    await this.#start();
  }

  async #watchTrack(connection: Connection, { readable, writable }: TrackSource): Promise<void> {
    const transfer: Transferable[] = writable ? [readable, writable] : [readable];
    const watch = { readable, writable, everyMs: this.#everyMs, guard: this.#guard, views: this.#views };
    const frame = (sampled: SampledFrame) => {
      void this.#judge(sampled)
        .catch((error) => this.#tell(unchecked("engine-failed", String(error))))
        .then(() => connection.ask("judged", { blank: this.#state !== "clear" }))
        .catch(() => {});
    };
    await connection.ask("watch", watch, transfer, { frame });
    this.stop();
  }

  /**
   * Samples the element once per sampling interval, if it has shown a new frame since. Ends when the watch is stopped.
   */
  async #watchElement(connection: Connection, { video, track }: ElementSource): Promise<void> {
    const { signal } = this.#stopping;
    let fresh = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    let wake = () => {};
    let callback = 0;
    const shown = () => {
      fresh = true;
      wake();
      callback = video.requestVideoFrameCallback(shown);
    };
    callback = video.requestVideoFrameCallback(shown);
    signal.addEventListener("abort", () => {
      video.cancelVideoFrameCallback(callback);
      wake();
    });
    // A hidden page shows no frames, although the stream continues. So the verdict says that frames are missing.
    const hidden = () => {
      if (document.hidden && !video.paused) this.#tell(unchecked("incomplete", HIDDEN));
    };
    document.addEventListener("visibilitychange", hidden, { signal });
    for (;;) {
      if (!fresh) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (fresh || signal.aborted) resolve();
        });
      }
      if (signal.aborted) return;
      fresh = false;
      const next = performance.now() + this.#everyMs;
      await this.#sampleElement(connection, video, track);
      const wait = next - performance.now();
      if (wait > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, wait);
          const stopped = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener("abort", stopped, { once: true });
        });
      }
      if (signal.aborted) return;
    }
  }

  async #sampleElement(
    connection: Connection,
    video: HTMLVideoElement,
    track: MediaStreamTrack | undefined,
  ): Promise<void> {
    const atS = track ? performance.now() / 1000 : video.currentTime;
    let frame: VideoFrame | ImageBitmap;
    try {
      frame =
        typeof VideoFrame === "undefined"
          ? await createImageBitmap(video)
          : new VideoFrame(video, { timestamp: Math.round(atS * 1e6) });
    } catch (error) {
      // Pixels of another origin may not be read. An element that has just been emptied has none.
      const isForeign = error instanceof DOMException && error.name === "SecurityError";
      if (isForeign) this.#tell(unchecked("unreadable", `the element's pixels can't be had: ${error.message}`));
      return;
    }
    const answer = await connection.ask("frame", { frame, atS, views: this.#views }, [frame]);
    if (isNoise(answer)) this.#tell(unchecked("canvas-noise", answer.noise));
    else await this.#judge(answer);
  }

  /** Looks a frame up, and tells the host the verdict. */
  async #judge(frame: SampledFrame): Promise<void> {
    const { fingerprint, comparable, atS } = frame;
    const unusable = this.#gate.unusable();
    if (unusable) return this.#tell(unusable);
    let lookups = 0;
    if (comparable) {
      const { lookup } = await this.#gate.ready();
      const found = await lookUpFrame(lookup, fingerprint, this.#orientations, this.#hits);
      if (this.#isStopped) return;
      if (!found) return this.#tell(this.#gate.unusable() ?? unchecked("unavailable", "the list can't be used"));
      lookups = found.lookups;
      this.#failures = 0;
      if (found.matches.length > 0) {
        const isNew = this.#hits.add(found.matches, atS);
        this.#held = true;
        const verdict = { outcome: "possible-match" as const, matches: this.#hits.matches(), lookups };
        this.#tell(this.#about(verdict, frame));
        if (isNew) void this.#confirm(frame);
        return;
      }
      if (found.tooMany) return this.#tell(this.#about(unchecked("too-many-candidates", found.tooMany), frame));
    }
    this.#tell(this.#about({ outcome: "clear", lookups, ...(!comparable && LOW_DETAIL) }, frame));
  }

  /**
   * Asks the gate's `confirm` about all candidates. The answer "not-listed" releases the stream. If further
   * candidates came during the question, asks again instead, because the answer holds only for the candidates of the
   * question.
   */
  async #confirm({ pdq, quality }: SampledFrame): Promise<void> {
    const { confirm, confirmTimeoutMs } = this.#gate;
    if (!confirm || this.#confirming) return;
    this.#confirming = true;
    try {
      for (let known = -1; known !== this.#hits.added && !this.#hits.isEmpty; ) {
        known = this.#hits.added;
        const matches = this.#hits.matches();
        const asked = { outcome: "possible-match" as const, matches, lookups: 0, pdq, quality };
        const answer = await ask(asked, confirm, confirmTimeoutMs, this.#stopping.signal);
        if (this.#isStopped) return;
        if (answer.is === "listed") {
          const confirmedBy = confirm.confirmer ?? "host";
          this.#tell({ outcome: "match", matches, lookups: 0, confirmedBy });
          return;
        }
        if (answer.is === "not-listed" && this.#hits.added === known) this.release({ dismiss: true });
      }
    } catch {
      // The watch was stopped meanwhile.
    } finally {
      this.#confirming = false;
    }
  }

  #about(verdict: Verdict, { pdq, quality, atS, atMs, width, height }: SampledFrame): LiveVerdict {
    const tookMs = performance.timeOrigin + performance.now() - atMs;
    return { ...verdict, pdq, quality, frame: { atS, width, height, tookMs } };
  }

  #tell(verdict: LiveVerdict): void {
    if (this.#isStopped) return;
    this.#verdict = verdict;
    if (this.#held) this.#enter("possible-match");
    else this.#enter(verdict.outcome === "clear" ? "clear" : "unchecked");
    this.dispatchEvent(new CustomEvent("verdict", { detail: verdict }));
  }

  #enter(state: WatchState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.dispatchEvent(new Event("statechange"));
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

const HIDDEN = "the page is hidden, so the browser shows no frames that could be checked";
const LOW_DETAIL = { caveat: "low-detail" as const };

function isNoise(answer: SampledFrame | NoisyFrame): answer is NoisyFrame {
  return "noise" in answer;
}
