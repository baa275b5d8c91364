// Reads a film in the worker. Reads the index of the film in pieces, and decodes the frames of a stage by WebCodecs.
import { type Film, initSync, openFilm } from "../../../dist/bindings/film.js";
import { describe, isCoded } from "../../errors.js";
import type { FilmInfo, TrackInfo } from "../../generated/film.js";
import type { Asks, FilmReading, FilmSample, Part } from "../../protocol.js";
import type { Box, FrameHasher } from "../frames.js";
import { FilmBytes, FilmUnreadable } from "./bytes.js";
import { CannotDecode, type Packets, TrackDecoder } from "./decoder.js";
import { Motion } from "./motion.js";
import { denseStage, firstStage, joined, type Sample, type Segment, samplesOf } from "./plan.js";

/** The functions that the reader of a film calls. */
export interface FilmListener {
  /**
   * Called for each hashed frame. Resolves when the next frame may be hashed. Resolves to false if no more frames are
   * wanted.
   */
  frame(frame: FilmSample): Promise<boolean>;
  progress(seconds: number, of: number): void;
}

type Problem = NonNullable<FilmReading["problem"]>;

/** If the first segments of a track all fail, and they are more than this number, the rest of the track is left out. */
const MOST_FAILURES = 3;

/** Reads one stage of a film. If the film can't be read, the answer says why. */
export async function readFilm(ask: Asks["film"], hasher: FrameHasher, listener: FilmListener): Promise<FilmReading> {
  const bytes = new FilmBytes(ask.file);
  initSync({ module: ask.module });
  let film: Film;
  try {
    film = openFilm((offset, length) => bytes.read(offset, length), bytes.size);
  } catch (error) {
    return nothing(problemOf(error));
  }
  try {
    return await new Reading(ask, film, bytes, hasher, listener).run();
  } finally {
    film.free();
  }
}

class Reading {
  readonly #ask: Asks["film"];
  readonly #film: Film;
  readonly #info: FilmInfo;
  readonly #bytes: FilmBytes;
  readonly #hasher: FrameHasher;
  readonly #listener: FilmListener;
  readonly #made: FilmReading;
  /** Whether the page has said that it wants no more frames. */
  #enough = false;

  constructor(ask: Asks["film"], film: Film, bytes: FilmBytes, hasher: FrameHasher, listener: FilmListener) {
    this.#ask = ask;
    this.#film = film;
    this.#info = film.info();
    this.#bytes = bytes;
    this.#hasher = hasher;
    this.#listener = listener;
    const { container, durationS, tracks } = this.#info;
    this.#made = { ...nothing(undefined), container, durationS, codec: tracks[0]?.codec ?? "" };
  }

  async run(): Promise<FilmReading> {
    const { tracks, durationS, container } = this.#info;
    if (tracks.length === 0)
      this.#note({ reason: "not-a-picture", detail: `a ${container} file without a video track` });
    for (const [at, track] of tracks.entries()) {
      if (this.#enough) break;
      await this.#read(at, track, (seconds) => {
        this.#listener.progress((durationS * at + seconds) / tracks.length, durationS);
      });
    }
    this.#made.gaps = joined(this.#made.gaps);
    return this.#made;
  }

  async #read(at: number, track: TrackInfo, progress: (seconds: number) => void): Promise<void> {
    const all: [number, number] = [Math.max(0, track.startS), track.endS];
    const refused = await this.#refuse(at, track);
    if (refused) return this.#leaveOut(all, refused);
    let keys: Sample[];
    try {
      keys = samplesOf(this.#film.keyframes(at));
    } catch (error) {
      return this.#leaveOut(all, problemOf(error));
    }
    if (keys.length === 0) {
      return this.#leaveOut(all, {
        reason: "unreadable",
        detail: "the track has no frame from which decoding can begin",
      });
    }
    this.#made.keyframes += keys.length;
    if (track.lostSamples > 0) {
      const detail = `${track.lostSamples} frames lie behind the end of the file, which was cut short`;
      this.#note({ reason: "unreadable", detail });
    }
    const { stage, maxGapS } = this.#ask;
    const plan = stage === "first" ? firstStage(keys, track.endS, maxGapS) : denseStage(keys, track.endS);
    const decoder = new TrackDecoder(configOf(track, this.#film.description(at)), this.#packets(at));
    const motion = new Motion();
    let failures = 0;
    try {
      for (const [place, segment] of plan.entries()) {
        const rest: [number, number] = [segment.fromS, track.endS];
        if (this.#made.frames >= this.#ask.maxFrames) {
          const detail = `frames: expected at most ${this.#ask.maxFrames} to look at, got more`;
          return this.#leaveOut(rest, { reason: "too-large", detail });
        }
        const failed = await this.#decode(at, decoder, segment, motion);
        if (this.#enough) return;
        failures = failed ? failures + 1 : 0;
        if (failed) this.#leaveOut([failed.fromS, segment.toS], failed.problem);
        // A decoder that failed for all of the first segments will fail for the rest, too.
        if (failures > MOST_FAILURES && failures === place + 1) return this.#leaveOut(rest, undefined);
        progress(segment.toS);
      }
    } finally {
      decoder.close();
    }
    this.#made.parts[at] = motion.part();
  }

  /** Returns why a track can't be decoded here, if that is known beforehand. */
  async #refuse(at: number, track: TrackInfo): Promise<Problem | undefined> {
    const unsupported = (detail: string) => ({ reason: "unsupported-film" as const, detail });
    if (track.encrypted) return unsupported("the film is encrypted");
    const { problem } = track;
    if (problem) return unsupported(`${problem.field}: expected ${problem.expected}, got ${problem.got}`);
    if (typeof VideoDecoder === "undefined") {
      return unsupported("the browser has no WebCodecs, so films can't be decoded in the worker");
    }
    try {
      const config = configOf(track, this.#film.description(at));
      const { supported } = await VideoDecoder.isConfigSupported(config);
      return supported ? undefined : unsupported(`the browser has no decoder for the codec ${track.codec}`);
    } catch (error) {
      return unsupported(`the browser has no decoder for the codec ${track.codec}: ${describe(error)}`);
    }
  }

  /**
   * Decodes and hashes a segment. If that fails, returns the error, and the time of the last frame that was hashed (the
   * start of the segment if none was).
   */
  async #decode(
    track: number,
    decoder: TrackDecoder,
    segment: Segment,
    motion: Motion,
  ): Promise<{ fromS: number; problem: Problem } | undefined> {
    let fromS = segment.fromS;
    let count = 0;
    try {
      for await (const frame of decoder.frames(segment)) {
        try {
          const atS = frame.timestamp / 1e6;
          const { small, ...signals } = await this.#hasher.hash(
            frame,
            this.#ask.views,
            boxOf(frame, this.#ask.parts[track]),
          );
          if (!this.#ask.parts[track]) motion.add(small, atS);
          const { displayWidth: width, displayHeight: height } = frame;
          this.#made.frames += 1;
          if (!signals.comparable) this.#made.lowQuality += 1;
          fromS = atS;
          count += 1;
          if (await this.#listener.frame({ ...signals, atS, atMs: 0, width, height })) continue;
          this.#enough = true;
          return undefined;
        } finally {
          frame.close();
        }
      }
    } catch (error) {
      if (error instanceof CannotDecode) {
        const detail = `a stretch of the film can't be decoded: ${error.message}`;
        return { fromS, problem: { reason: "unreadable", detail } };
      }
      if (error instanceof FilmUnreadable || isCoded(error)) return { fromS, problem: problemOf(error) };
      throw error;
    }
    if (count > 0) return undefined;
    return { fromS, problem: { reason: "unreadable", detail: "a stretch of the film gave no frame" } };
  }

  #packets(track: number): Packets {
    const prefix = this.#film.prefix(track);
    return {
      samples: (from, count) => samplesOf(this.#film.samples(track, from, count)),
      bytes: ({ offset, size }) => {
        const bytes = this.#bytes.read(offset, size);
        // A sample that is cut off isn't decoded, because decoders invent the missing part of the picture.
        if (bytes.length < size) return new Uint8Array();
        if (prefix.length === 0) return bytes;
        const whole = new Uint8Array(prefix.length + bytes.length);
        whole.set(prefix);
        whole.set(bytes, prefix.length);
        return whole;
      },
    };
  }

  #leaveOut(range: [number, number], problem: Problem | undefined): void {
    this.#made.gaps.push(range);
    if (problem) this.#note(problem);
  }

  /** Keeps the first problem. */
  #note(problem: Problem): void {
    this.#made.problem ??= problem;
  }
}

function nothing(problem: Problem | undefined): FilmReading {
  return {
    container: "mp4",
    codec: "",
    durationS: 0,
    frames: 0,
    keyframes: 0,
    lowQuality: 0,
    gaps: [],
    parts: [],
    problem,
    memoryBytes: 0,
  };
}

function configOf({ codec, width, height }: TrackInfo, description: Uint8Array | undefined): VideoDecoderConfig {
  const config: VideoDecoderConfig = { codec };
  if (description) config.description = description as Uint8Array<ArrayBuffer>;
  if (width > 0 && height > 0) Object.assign(config, { codedWidth: width, codedHeight: height });
  return config;
}

function boxOf(frame: VideoFrame, part: Part | undefined): Box | undefined {
  if (!part) return undefined;
  const { width = 0, height = 0 } = frame.visibleRect ?? {};
  const [x, y] = [Math.floor(part.x * width), Math.floor(part.y * height)];
  return { x, y, width: Math.ceil(part.width * width), height: Math.ceil(part.height * height) };
}

function problemOf(error: unknown): Problem {
  if (error instanceof FilmUnreadable) return { reason: "unreadable", detail: error.message };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const detail = describe(error);
  if (code === "film-limit") return { reason: "too-large", detail };
  if (code === "film-kind") return { reason: "unsupported-film", detail };
  if (code.startsWith("film-")) return { reason: "unreadable", detail };
  throw error;
}
