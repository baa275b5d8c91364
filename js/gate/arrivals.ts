// Reads streams into memory before they are checked, with a limit on the memory of all streams together. A stream gets
// a worker only after it has ended, because the worker would be idle while a slow stream arrives.
import { HEAD, InvalidInput, kindOf, UnreadableFile, viewOf } from "./input.js";

/** Bytes of the smallest and of the largest block. A stream's bytes are stored in such blocks. */
const SMALLEST = 64 * 1024;
const LARGEST = 4 * 1024 * 1024;

/** A stream of bytes, with the same interface on all platforms. */
export interface ByteStream {
  /** Reads the next chunk. */
  next(): Promise<{ done?: boolean | undefined; value?: unknown }>;
  /** Stops reading the stream. */
  end(): void;
}

export interface Bounds {
  /** Bytes of memory that all streams except the oldest may take together. */
  budget: number;
  /** Milliseconds without a chunk after which a stream counts as unreadable. */
  timeoutMs: number;
}

/**
 * All streams that are being read. Together they take about `budget` bytes of memory. The oldest may exceed it by one
 * stream's length.
 */
export class Arrivals {
  readonly #budget: number;
  readonly #timeoutMs: number;
  /**
   * The streams, in the order in which they began. The oldest stream may always be read on. Otherwise no stream would
   * end once the budget is used up.
   */
  readonly #all = new Set<Arrival>();
  #waiting: (() => void)[] = [];

  constructor({ budget, timeoutMs }: Bounds) {
    this.#budget = budget;
    this.#timeoutMs = timeoutMs;
  }

  /** Begins to read a stream. The caller must call {@link Arrival.release} when the check is over. */
  begin(stream: ByteStream): Arrival {
    const arrival = new Arrival(stream, this.#timeoutMs, {
      room: () => this.#room(arrival),
      changed: () => this.#changed(),
      gone: () => void this.#all.delete(arrival),
    });
    this.#all.add(arrival);
    return arrival;
  }

  /** Resolves when `arrival` may read the next chunk. */
  async #room(arrival: Arrival): Promise<void> {
    const [first] = this.#all;
    if (first === arrival || this.#held() < this.#budget) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#room(arrival);
  }

  #held(): number {
    let sum = 0;
    for (const { held } of this.#all) sum += held;
    return sum;
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

interface Bound {
  room(): Promise<void>;
  changed(): void;
  gone(): void;
}

/** One stream that is being read, with its bytes so far. */
export class Arrival {
  readonly #stream: ByteStream;
  readonly #timeoutMs: number;
  readonly #bound: Bound;
  /** The chunks are copied into blocks, because each short chunk would take more memory than its bytes. */
  #blocks: Uint8Array[] = [];
  #room = 0;
  #ended = false;
  /** Number of bytes that have arrived. */
  length = 0;
  /** Number of bytes of memory that the blocks take. */
  held = 0;

  constructor(stream: ByteStream, timeoutMs: number, bound: Bound) {
    this.#stream = stream;
    this.#timeoutMs = timeoutMs;
    this.#bound = bound;
  }

  /**
   * Reads until more than `most` bytes have arrived, or the stream has ended. Returns whether it has ended.
   *
   * @throws UnreadableFile if the stream fails or brings no bytes for `timeoutMs`; InvalidInput if a chunk isn't bytes.
   */
  async readPast(most: number): Promise<boolean> {
    while (!this.#ended && this.length <= most) {
      await this.#bound.room();
      const { done, value } = await this.#next();
      if (done) this.#ended = true;
      else this.#push(value);
    }
    return this.#ended;
  }

  async #next(): Promise<{ done?: boolean | undefined; value?: unknown }> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = this.#timeoutMs / 1000;
      const error = () => new Error(`it brought no bytes for ${seconds} s`);
      timer = setTimeout(() => reject(error()), this.#timeoutMs);
    });
    try {
      return await Promise.race([this.#stream.next(), late]);
    } catch (error) {
      throw new UnreadableFile(`the stream broke off: ${error instanceof Error ? error.message : error}`);
    } finally {
      clearTimeout(timer);
    }
  }

  #push(value: unknown): void {
    let rest = typeof value === "object" && value !== null ? viewOf(value) : undefined;
    if (!rest) {
      throw new InvalidInput(`the stream: expected chunks of bytes, got ${kindOf(value)}; give it without an encoding`);
    }
    this.length += rest.byteLength;
    while (rest.byteLength > 0) {
      if (this.#room === 0) this.#grow();
      const block = this.#blocks.at(-1) as Uint8Array;
      const taken = rest.subarray(0, this.#room);
      block.set(taken, block.byteLength - this.#room);
      this.#room -= taken.byteLength;
      rest = rest.subarray(taken.byteLength);
    }
  }

  #grow(): void {
    const bytes = Math.min(Math.max(this.held, SMALLEST), LARGEST);
    this.#blocks.push(new Uint8Array(bytes));
    this.#room = bytes;
    this.held += bytes;
  }

  /** Returns a copy of the first 64 KiB, or of fewer if fewer have arrived. */
  head(): Uint8Array {
    return (this.#blocks[0] ?? new Uint8Array()).slice(0, Math.min(this.length, HEAD));
  }

  /** Returns all bytes that have arrived, and drops the blocks. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (let block = this.#blocks.shift(); block; block = this.#blocks.shift()) {
      bytes.set(block.subarray(0, this.length - at), at);
      at += block.byteLength;
    }
    this.#room = 0;
    return bytes;
  }

  /** Stops reading. The bytes count towards the budget until {@link release}. */
  end(): void {
    if (!this.#ended) this.#stream.end();
    this.#ended = true;
  }

  /** Stops reading, and frees the stream's share of the budget. */
  release(): void {
    this.end();
    this.#blocks = [];
    this.#bound.gone();
    this.#bound.changed();
  }
}
