// Watches a stream of frames in the worker. Hashes some of the frames, and passes on the frames that the guard allows.
import type { ViewSet } from "../generated/core.js";
import type { Asks, SampledFrame } from "../protocol.js";
import type { FrameHasher } from "./frames.js";

/**
 * With the guard `blank`, the stream becomes black if no judgement has come for this many sampling intervals, and for
 * at least this many milliseconds.
 */
const [LATE_INTERVALS, LATE_MS] = [4, 2000];

export class StreamWatch {
  readonly #ask: Asks["watch"];
  readonly #hasher: FrameHasher;
  readonly #post: (frame: SampledFrame) => void;
  readonly #reader: ReadableStreamDefaultReader<VideoFrame>;
  readonly #writer: WritableStreamDefaultWriter<VideoFrame> | undefined;
  readonly #black = new Black();
  readonly #views: ViewSet;
  /**
   * Whether frames are replaced by black ones. It begins with true, so that nothing passes before the first judgement.
   */
  #blank = true;
  #judgedAt = performance.now();
  #judged: (() => void) | undefined;
  #failure: { error: unknown } | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(ask: Asks["watch"], hasher: FrameHasher, post: (frame: SampledFrame) => void) {
    this.#ask = ask;
    this.#hasher = hasher;
    this.#post = post;
    this.#views = ask.views;
    this.#reader = ask.readable.getReader();
    this.#writer = ask.writable?.getWriter();
  }

  /** Resolves when the stream ends or the watch is stopped. */
  async run(): Promise<void> {
    try {
      await (this.#ask.guard === "blank" ? this.#passBeside() : this.#sampleEach());
    } finally {
      await this.#reader.cancel().catch(() => {});
      await this.#writer?.close().catch(() => {});
    }
  }

  /** Receives the page's judgement of the last sample, or the page's decision whether frames pass. */
  judged({ blank }: Asks["judged"]): void {
    this.#blank = blank;
    this.#judgedAt = performance.now();
    this.#judged?.();
    this.#judged = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
    this.#judged?.();
    void this.#reader.cancel().catch(() => {});
  }

  /** Reads a frame when one is due. With the guard `checked-only`, passes the frame on after the page has judged it. */
  async #sampleEach(): Promise<void> {
    let due = performance.now();
    while (!this.#stopped) {
      await this.#until(due);
      const { done, value: frame } = await this.#reader.read();
      if (done) return;
      due = Math.max(due + this.#ask.everyMs, performance.now());
      try {
        await this.#sample(frame);
        if (this.#writer && !this.#stopped) await this.#pass(frame);
      } finally {
        frame.close();
      }
    }
  }

  /** Passes every frame on without waiting. When a sample is due, hashes a copy of the frame at the same time. */
  async #passBeside(): Promise<void> {
    let due = 0;
    let sampling: Promise<void> | undefined;
    while (!this.#stopped) {
      const { done, value: frame } = await this.#reader.read();
      if (done) return;
      const now = performance.now();
      if (now >= due && !sampling) {
        due = Math.max(due + this.#ask.everyMs, now);
        const copy = frame.clone();
        sampling = this.#sample(copy).finally(() => {
          copy.close();
          sampling = undefined;
        });
        // A failure ends the watch at the next frame.
        sampling.catch((error) => {
          this.#failure = { error };
        });
      }
      if (this.#failure) {
        frame.close();
        throw this.#failure.error;
      }
      if (now - this.#judgedAt > Math.max(LATE_INTERVALS * this.#ask.everyMs, LATE_MS)) this.#blank = true;
      try {
        await this.#pass(frame);
      } finally {
        frame.close();
      }
    }
  }

  async #sample(frame: VideoFrame): Promise<void> {
    const atMs = performance.timeOrigin + performance.now();
    const { small: _, ...signals } = await this.#hasher.hash(frame, this.#views);
    if (this.#stopped) return;
    const { displayWidth: width, displayHeight: height } = frame;
    const judged = new Promise<void>((resolve) => {
      this.#judged = resolve;
    });
    this.#post({ ...signals, atS: frame.timestamp / 1e6, atMs, width, height });
    await judged;
  }

  async #pass(frame: VideoFrame): Promise<void> {
    await this.#writer?.ready;
    // The sink closes the frame that it gets. The caller closes its frame too, so the sink gets a clone.
    await this.#writer?.write(this.#blank ? this.#black.like(frame) : frame.clone());
  }

  #until(due: number): Promise<void> | undefined {
    const wait = due - performance.now();
    if (wait <= 0) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Makes black frames. */
class Black {
  #pixels = new Uint8Array();
  #luma = 0;

  /** Returns a black frame of the size and time of another one. */
  like({ codedWidth, codedHeight, visibleRect, timestamp, duration }: VideoFrame): VideoFrame {
    const [width, height] = [visibleRect?.width ?? codedWidth, visibleRect?.height ?? codedHeight];
    const luma = width * height;
    const size = luma + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
    if (this.#luma !== luma || this.#pixels.length !== size) {
      this.#pixels = new Uint8Array(size).fill(16, 0, luma).fill(128, luma);
      this.#luma = luma;
    }
    const times = { timestamp, ...(duration !== null && { duration }) };
    return new VideoFrame(this.#pixels, { format: "I420", codedWidth: width, codedHeight: height, ...times });
  }
}
