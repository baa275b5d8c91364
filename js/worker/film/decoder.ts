// Decodes stretches of a film's track by WebCodecs, and hands over the frames that are wanted.
import type { IsDisposable } from "./disposable.js";
import type { Sample, Segment } from "./plan.js";

/** The decoder failed, so a part of the film is left out. */
export class CannotDecode extends Error {}

/**
 * How many samples the decoder may have in work. Usually many, because each of its answers waits for a turn of the
 * worker's event loop. Fewer if the frames of several samples are wanted, or if the samples are large: together at most
 * so many bytes.
 */
const [MOST_IN_WORK, FEWER_IN_WORK, MOST_BYTES_IN_WORK] = [64, 12, 16 * 1024 * 1024];
/** Decoded frames that may wait for hashing. */
const MOST_WAITING = 3;
/**
 * Number of samples that are decoded although their time is after the last wanted time. In the file, a frame that is
 * shown earlier can be stored after a frame that is shown later. H.264 allows such a distance of 16 frames; encoders
 * use up to 4.
 */
const REORDERED = 5;
/** Number of samples that are read at once, and number of samples before them whose times are kept. */
const [AT_ONCE, REMEMBERED] = [64, 32];
/** Times of frames that are less than this many seconds apart are the same. */
const SAME_S = 1e-4;
/** Milliseconds without an answer after which a decoder is given up. */
const SILENCE_MS = 20_000;

/** Gives the samples of a segment, and their bytes. */
export interface Packets {
  /** Returns up to `count` samples from a number on, in the order of decoding. */
  samples(from: number, count: number): Sample[];
  bytes(sample: Sample): Uint8Array;
}

export class TrackDecoder {
  readonly #config: VideoDecoderConfig;
  readonly #packets: Packets;
  readonly #isDisposable: IsDisposable | undefined;
  #decoder: VideoDecoder | undefined;
  #failed: CannotDecode | undefined;
  #frames: VideoFrame[] = [];
  #targets: number[] = [];
  /** Number of samples in work whose frames are wanted. */
  #wanted = 0;
  #wake: (() => void) | undefined;

  /**
   * With `isDisposable`, leaves out samples whose frame isn't wanted and that no other sample needs.
   */
  constructor(config: VideoDecoderConfig, packets: Packets, isDisposable?: IsDisposable) {
    this.#config = config;
    this.#packets = packets;
    this.#isDisposable = isDisposable;
  }

  /**
   * Yields the wanted frames of a segment, each once. The caller closes them.
   *
   * @throws CannotDecode if the decoder fails; frames before the failure have been yielded.
   */
  async *frames(segment: Segment): AsyncGenerator<VideoFrame> {
    const decoder = this.#ready();
    this.#targets = [...segment.targets];
    this.#wanted = 0;
    const until = segment.targets.at(-1) ?? segment.fromS;
    let behind = 0;
    let from = segment.key.index;
    let times: number[] = [];
    try {
      feeding: for (;;) {
        const samples = this.#packets.samples(from, AT_ONCE);
        if (samples.length === 0) break;
        times = [...times.slice(-REMEMBERED), ...samples.map(({ ptsS }) => ptsS)];
        for (const sample of samples) {
          if (sample.index >= segment.untilIndex) break feeding;
          from = sample.index + 1;
          // Such a frame is shown before the keyframe but stored after it. It can't be decoded without the frames
          // before the keyframe.
          if (sample.ptsS < segment.key.ptsS) continue;
          if (sample.ptsS > until && ++behind > REORDERED) break feeding;
          const data = this.#packets.bytes(sample) as Uint8Array<ArrayBuffer>;
          if (data.length === 0) continue;
          const wanted = isWanted(sample.ptsS, times, segment.targets);
          if (!wanted && this.#isDisposable?.(data)) continue;
          if (wanted) this.#wanted += 1;
          const type = sample.index === segment.key.index || sample.key ? "key" : "delta";
          this.#try(() => decoder.decode(new EncodedVideoChunk({ type, timestamp: sample.ptsS * 1e6, data })));
          yield* this.#waiting();
          while (decoder.decodeQueueSize > this.#room(data.length) || this.#frames.length > MOST_WAITING) {
            if (this.#frames.length === 0) await this.#answer();
            yield* this.#waiting();
          }
          // All wanted frames were decoded.
          if (this.#targets.length === 0) break feeding;
        }
      }
      let flushed = this.#targets.length === 0;
      if (flushed) {
        // Drops the frames that the decoder still works on, because nobody wants them.
        this.#try(() => decoder.reset());
        this.#try(() => decoder.configure(this.#config));
      } else {
        const flushing = decoder.flush().then(
          () => {
            flushed = true;
            this.#wake?.();
          },
          (error) => this.#fail(error),
        );
        while (!flushed) {
          yield* this.#waiting();
          if (!flushed) await this.#answer();
        }
        await flushing;
      }
      yield* this.#waiting();
    } finally {
      for (const frame of this.#frames.splice(0)) frame.close();
      if (this.#failed) this.close();
    }
  }

  /** Returns how many samples the decoder may have in work, if they have this many bytes each. */
  #room(bytes: number): number {
    if (this.#wanted > MOST_WAITING) return FEWER_IN_WORK;
    return Math.max(FEWER_IN_WORK, Math.min(MOST_IN_WORK, MOST_BYTES_IN_WORK / bytes));
  }

  close(): void {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = undefined;
  }

  #ready(): VideoDecoder {
    this.#failed = undefined;
    if (this.#decoder) return this.#decoder;
    const decoder = new VideoDecoder({
      output: (frame) => {
        const time = frame.timestamp / 1e6 + SAME_S;
        if (decoder === this.#decoder && this.#targets[0] !== undefined && time >= this.#targets[0]) {
          while (this.#targets[0] !== undefined && this.#targets[0] <= time) this.#targets.shift();
          this.#wanted -= 1;
          this.#frames.push(frame);
        } else {
          frame.close();
        }
        this.#wake?.();
      },
      error: (error) => this.#fail(error),
    });
    this.#decoder = decoder;
    decoder.ondequeue = () => this.#wake?.();
    this.#try(() => decoder.configure(this.#config));
    return decoder;
  }

  *#waiting(): Generator<VideoFrame> {
    for (;;) {
      if (this.#failed) throw this.#failed;
      const frame = this.#frames.shift();
      if (!frame) return;
      yield frame;
    }
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failed) throw this.#failed;
  }

  #fail(error: unknown): void {
    this.#failed ??= new CannotDecode(error instanceof Error ? error.message : String(error));
    this.#wake?.();
  }

  /**
   * Resolves when the decoder has given a frame, taken a sample or failed. Rejects if it does nothing for `SILENCE_MS`.
   */
  #answer(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new Error(`the decoder was silent for ${SILENCE_MS} ms`));
        reject(this.#failed);
      }, SILENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        if (this.#failed) reject(this.#failed);
        else resolve();
      };
      if (this.#failed) this.#wake();
    });
  }
}

/**
 * Returns whether a frame is wanted: it is the first frame at or after one of the target times. `times` are the known
 * times of other frames. If the frame before it is missing there, the answer may be true for a frame that isn't wanted.
 */
export function isWanted(ptsS: number, times: readonly number[], targets: readonly number[]): boolean {
  const before = Math.max(...times.filter((time) => time < ptsS));
  // The last target that isn't behind the frame, by halving: a long film has many.
  let [least, most] = [0, targets.length];
  while (least < most) {
    const middle = (least + most) >> 1;
    if ((targets[middle] ?? 0) <= ptsS + 2 * SAME_S) least = middle + 1;
    else most = middle;
  }
  return (targets[least - 1] ?? Number.NEGATIVE_INFINITY) > before + SAME_S / 2;
}
