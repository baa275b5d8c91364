// Checks a film. The first stage looks at few frames. If any of them matched, the dense stage looks at more frames.
import type { Verdict as CoreVerdict, FilterInfo } from "../generated/core.js";
import type {
  FilmKind,
  FilmReading,
  FilmSample,
  Fingerprinted,
  IsFilm,
  LentFile,
  NeedsDecoder,
  NeedsFormats,
  Part,
  FilmProblem as Problem,
  Wanted,
} from "../protocol.js";
import type {
  Limits,
  Match,
  Orientations,
  PossibleMatch,
  Verdict,
  VideoFindings,
  VideoOptions,
  ViewSet,
} from "../types/types.js";
import type { Connection, Meanwhile } from "./connection.js";
import { DEFAULTS } from "./defaults.js";
import { CannotShow, FilmElement } from "./film-element.js";
import { FrameHits, holdsFilm, lookUpFrame, withChance } from "./frame-hits.js";
import type { HashingPool } from "./hashing-pool.js";
import type { LookupWorker } from "./lookup-worker.js";
import { unchecked } from "./unchecked.js";

/** The parts of a gate that the check of a film uses. */
export interface FilmGate {
  pool: HashingPool;
  lookup: LookupWorker;
  filters: readonly FilterInfo[];
  /** The signals that the lists hold. */
  wanted: Wanted;
  limits: Limits;
  views: ViewSet;
  orientations: Orientations;
  /** Compiles the reader of films. Undefined where films can't be decoded, as in Node. */
  reader: (() => Promise<WebAssembly.Module>) | undefined;
  /** Asks `confirm` about a possible match, if the gate has one. */
  confirm: ((verdict: PossibleMatch) => Promise<"listed" | "not-listed" | Verdict>) | undefined;
  confirmedBy: string;
}

/** The reason, in words, why films can't be checked in Node. */
export const NO_DECODER = "films are decoded in browsers alone";
/** Matches that are at most this many seconds apart belong to one range. */
const JOIN_S = 2.5;
/**
 * If `confirm` has answered "not-listed" more often than this about one film, the film is unchecked
 * (too-many-candidates).
 */
const MOST_QUESTIONS = 8;
/**
 * The denominator of a list's `falsePositiveParts`: the list's rate of chance hits is `falsePositiveParts` divided by
 * this number.
 */
const RATE_UNIT = 1e12;

type Digests = Pick<CoreVerdict, "sha256" | "md5" | "lookups"> & { matches: Match[] };

/** The followed list can't be used any more, for example because it has expired. */
class ListLost extends Error {}

/**
 * Checks a film. Resolves to undefined if the followed list can't be used.
 *
 * @throws the pool's error: the signal's reason, or {@link WorkerLost}.
 */
export async function checkFilm(
  gate: FilmGate,
  file: Blob | Uint8Array | LentFile,
  kind: FilmKind,
  options: VideoOptions,
  signal: AbortSignal | undefined,
): Promise<Verdict | undefined> {
  const stopping = new AbortController();
  const ends = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal;
  const check = new FilmCheck(gate, file, options, ends);
  try {
    return await check.run(kind);
  } catch (error) {
    if (error instanceof ListLost) return undefined;
    throw error;
  } finally {
    // Ends work that is still running but not needed any more, such as the digests of a film that its frames already
    // hold.
    stopping.abort(new DOMException("the film is decided", "AbortError"));
  }
}

class FilmCheck {
  readonly #gate: FilmGate;
  readonly #file: Blob | Uint8Array | LentFile;
  readonly #options: VideoOptions;
  readonly #ends: AbortSignal;
  readonly #hits = new FrameHits(JOIN_S);
  #lookups = 0;
  #frames = 0;
  #lowQuality = 0;
  #first: FilmSample | undefined;
  #tooMany: string | undefined;
  /** The page's `<video>`, if the worker can't decode the film. */
  #element: Promise<FilmElement> | undefined;
  #decodedBy: "webcodecs" | "video-element" = "webcodecs";

  constructor(gate: FilmGate, file: Blob | Uint8Array | LentFile, options: VideoOptions, ends: AbortSignal) {
    this.#gate = gate;
    this.#file = file;
    this.#options = options;
    this.#ends = ends;
  }

  async run(kind: FilmKind): Promise<Verdict> {
    const { sha256, md5, pdq } = this.#gate.wanted;
    // With several workers, the digests are computed at the same time as the frames. With one worker, they are computed
    // before the frames.
    const digesting = sha256 || md5 ? this.#digests() : Promise.resolve(undefined);
    digesting.catch(() => {});
    let dismissed: Match[] = [];
    for (let question = 0; ; question += 1) {
      const reading = pdq ? await this.#look(kind) : undefined;
      const frames = this.#matches();
      const holds = frames.length > 0 && this.#isHeld;
      // If the frames hold the film, the verdict doesn't wait for the digests.
      const digests = holds && !this.#options.whole ? undefined : await digesting;
      const findings = this.#findings(reading, digests);
      const exact = (digests?.matches ?? []).filter(({ signal }) => !dismissed.some((one) => one.signal === signal));
      const without = this.#without(reading);
      if (exact.length === 0 && !holds) {
        const weak = frames.length > 0 ? { matches: [...dismissed, ...frames] } : {};
        const confirmed = dismissed.length > 0 ? { confirmedBy: this.#gate.confirmedBy, matches: dismissed } : {};
        return { ...without, ...findings, ...weak, ...confirmed } as Verdict;
      }
      const ifNotListed = without.outcome === "unchecked" ? { ifNotListed: outcomeOf(without) } : {};
      const matches = [...exact, ...(holds ? frames : [])];
      const verdict: PossibleMatch = { outcome: "possible-match", matches, ...ifNotListed, ...findings };
      if (!this.#gate.confirm) return verdict;
      const answer = await this.#gate.confirm(verdict);
      if (answer === "listed") {
        const { ifNotListed: _, ...rest } = verdict;
        return { ...rest, outcome: "match", confirmedBy: this.#gate.confirmedBy };
      }
      if (answer !== "not-listed") return answer;
      dismissed = [...dismissed, ...matches];
      if (question === MOST_QUESTIONS) {
        const detail = `candidates: expected at most ${MOST_QUESTIONS} questions about a film, got more`;
        return { ...unchecked("too-many-candidates", detail), ...findings, matches: dismissed };
      }
      // The service said that these candidates are not listed. Looks at the film again, without them.
      this.#hits.dismiss();
      this.#frames = 0;
      this.#lowQuality = 0;
    }
  }

  /** Looks at the frames. The dense stage is used only if the first stage found a match. */
  async #look(kind: FilmKind): Promise<FilmReading | Problem> {
    const { reader } = this.#gate;
    if (kind === "other")
      return unsupported("a film of a kind that nothing here reads; MP4, QuickTime, WebM and Matroska are");
    if (!reader) return unsupported(NO_DECODER);
    const module = await reader();
    const first = await this.#stage(module, "first", []);
    if (this.#isEnough) return first;
    const parts = first.parts.some(Boolean) ? first.parts : undefined;
    if (parts) await this.#stage(module, "first", parts);
    if (this.#hits.isEmpty || this.#isEnough) return first;
    const dense = await this.#stage(module, "dense", []);
    if (parts && !this.#isEnough) await this.#stage(module, "dense", parts);
    return { ...first, gaps: [...first.gaps, ...dense.gaps], problem: first.problem ?? dense.problem };
  }

  async #stage(
    module: WebAssembly.Module,
    stage: "first" | "dense",
    parts: (Part | undefined)[],
  ): Promise<FilmReading> {
    const { pool, views } = this.#gate;
    const { maxGapS = DEFAULTS.maxGapS, maxFrames = DEFAULTS.maxFrames, onProgress } = this.#options;
    const file = this.#file;
    if ("port" in file) throw new Error("expected a film that is at hand, got one that is lent for its digests");
    const ask = { file, module, stage, views, parts, maxGapS, maxFrames };
    return pool.run(async (worker, alive) => {
      const judging: Promise<void>[] = [];
      let failed: unknown;
      const meanwhile: Meanwhile = {
        frame: (frame) => {
          alive();
          const judged = this.#judge(frame)
            .catch((error) => {
              failed ??= error;
            })
            .then(() => worker.ask("judged", { blank: false, enough: failed !== undefined || this.#isEnough }))
            .then(() => {});
          judged.catch(() => {});
          judging.push(judged);
        },
        seconds: (seconds, of) => {
          alive();
          onProgress?.({ seconds, of, stage });
        },
      };
      const reading = await worker.ask("film", ask, [], meanwhile);
      await Promise.all(judging);
      if (failed !== undefined) throw failed;
      if (!reading.undecoded || this.#isEnough) return reading;
      const shown = await this.#show(worker, file, reading.undecoded, stage, alive);
      return { ...reading, gaps: [...reading.gaps, ...shown.gaps], problem: reading.problem ?? shown.problem };
    }, this.#ends);
  }

  /** Takes the frames of a stage from a `<video>` of the page. Returns what could not be looked at. */
  async #show(
    worker: Connection,
    file: Blob | Uint8Array,
    { targets, range: [startS, endS], problem }: NonNullable<FilmReading["undecoded"]>,
    stage: "first" | "dense",
    alive: () => void,
  ): Promise<Pick<FilmReading, "gaps" | "problem">> {
    const { maxFrames = DEFAULTS.maxFrames, onProgress } = this.#options;
    let fromS = startS;
    const rest = (problem: Problem) => ({ gaps: [[fromS, endS] as [number, number]], problem });
    try {
      this.#element ??= FilmElement.open(file, this.#ends);
      const element = await this.#element;
      for (const [count, second] of targets.entries()) {
        if (count >= maxFrames) {
          return rest({ reason: "too-large", detail: `frames: expected at most ${maxFrames} to look at, got more` });
        }
        const frame = await element.frameAt(second);
        alive();
        const sampled = await worker.ask("frame", { frame, atS: second, views: this.#gate.views }, [frame]);
        if ("noise" in sampled) return rest({ reason: "canvas-noise", detail: sampled.noise });
        this.#decodedBy = "video-element";
        await this.#judge(sampled);
        fromS = second;
        onProgress?.({ seconds: second, of: endS, stage });
        if (this.#isEnough) break;
      }
      return { gaps: [], problem: undefined };
    } catch (error) {
      if (!(error instanceof CannotShow)) throw error;
      return rest({ reason: error.reason, detail: `${problem.detail}, and ${error.message}` });
    }
  }

  async #judge(frame: FilmSample): Promise<void> {
    this.#frames += 1;
    this.#first ??= frame;
    if (!frame.comparable) {
      this.#lowQuality += 1;
      return;
    }
    const found = await lookUpFrame(this.#gate.lookup, frame.fingerprint, this.#gate.orientations, this.#hits);
    if (!found) throw new ListLost();
    this.#lookups += found.lookups;
    this.#tooMany ??= found.tooMany;
    this.#hits.add(found.matches, frame.atS);
  }

  /** Whether the check can end: the frames hold the film, and the host doesn't want to know every match (`whole`). */
  get #isEnough(): boolean {
    return !this.#options.whole && this.#isHeld;
  }

  /** Whether the frames that matched hold the film. */
  get #isHeld(): boolean {
    const { minDistinct = DEFAULTS.minDistinct } = this.#options;
    return this.#matches().some((match) => holdsFilm(match, minDistinct, this.#rate(match.list)));
  }

  /** Returns the matches of each list, the least likely first. */
  #matches() {
    return withChance(this.#hits.matches(), this.#frames - this.#lowQuality, (list) => this.#rate(list));
  }

  /** Returns the share of clean frames that match the list by chance. */
  #rate(list: string): number {
    const info = this.#gate.filters.find(({ name }) => name === list);
    return info ? info.falsePositiveParts / RATE_UNIT : 1;
  }

  /** Returns the outcome for a film that no match holds. */
  #without(reading: FilmReading | Problem | undefined): CoreVerdict {
    if (this.#tooMany !== undefined) return unchecked("too-many-candidates", this.#tooMany);
    if (!reading) return { outcome: "clear", lookups: 0 };
    if ("reason" in reading) return unchecked(reading.reason, reading.detail);
    if (reading.problem) return unchecked(reading.problem.reason, `${reading.problem.detail}${within(reading.gaps)}`);
    if (reading.gaps.length > 0) return unchecked("incomplete", `frames are missing${within(reading.gaps)}`);
    if (this.#frames === this.#lowQuality) {
      return unchecked("incomplete", "every frame has too little detail for a comparison");
    }
    return { outcome: "clear", lookups: 0 };
  }

  #findings(reading: FilmReading | Problem | undefined, digests: Digests | undefined) {
    const { sha256, md5 } = digests ?? {};
    const first = this.#first;
    const decoded = reading && !("reason" in reading) ? reading : undefined;
    const video: VideoFindings | undefined = decoded && {
      container: decoded.container,
      codec: decoded.codec,
      durationS: decoded.durationS,
      frames: this.#frames,
      keyframes: decoded.keyframes,
      lowQuality: this.#lowQuality,
      decodedBy: this.#frames > 0 ? this.#decodedBy : "none",
      gaps: decoded.gaps,
    };
    return {
      ...(first && { pdq: first.pdq, quality: first.quality, width: first.width, height: first.height }),
      ...(sha256 && { sha256 }),
      ...(md5 && { md5 }),
      ...(video && { video }),
      lookups: this.#lookups + (digests?.lookups ?? 0),
    };
  }

  /** Computes and looks up the digests of the film, while it streams. */
  async #digests(): Promise<Digests | undefined> {
    const { pool, lookup, wanted, views, limits, orientations } = this.#gate;
    const ask = { file: this.#file, wanted: { ...wanted, pdq: true }, views, limits, digestsOnly: true };
    const signals = await pool.run<Fingerprinted | NeedsFormats | NeedsDecoder | IsFilm>(
      (worker: Connection, alive) =>
        worker.ask("fingerprint", ask, "port" in this.#file ? [this.#file.port] : [], { seconds: alive }),
      this.#ends,
    );
    if (!("fingerprint" in signals)) return undefined;
    const verdict = await lookup.lookUp({ signals, orientations, dismissed: [] });
    if (!verdict) throw new ListLost();
    const { sha256, md5, lookups } = verdict;
    const matches = verdict.outcome === "possible-match" ? verdict.matches : [];
    return { matches, lookups, ...(sha256 && { sha256 }), ...(md5 && { md5 }) };
  }
}

function outcomeOf({ outcome, reason, detail }: CoreVerdict & { outcome: "unchecked" }) {
  return { outcome, reason, detail };
}

function within(gaps: readonly [number, number][]): string {
  if (gaps.length === 0) return "";
  const ranges = gaps.slice(0, 5).map(([from, to]) => `${from.toFixed(1)} to ${to.toFixed(1)} s`);
  return `, from ${ranges.join(", ")}${gaps.length > 5 ? " and others" : ""}`;
}

function unsupported(detail: string): Problem {
  return { reason: "unsupported-film", detail };
}
