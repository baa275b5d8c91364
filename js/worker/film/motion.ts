// Finds the part of a film that moves. In a recording of a screen, a film plays within a picture that stands still.
import type { Part } from "../../protocol.js";

const SIDE = 64;
/**
 * A place of the picture has changed if its grey level differs by more than 6 of 255. The place counts as moving if it
 * changed in more than this share of the compared pairs of frames.
 */
const [CHANGED, MOVING] = [6, 0.15];
/**
 * Least number of seconds between two compared frames; and least number of compared pairs from which `part` concludes
 * anything.
 */
const [STEP_S, FEWEST] = [0.4, 4];
/**
 * Least width and height of the moving part, in cells of which the frame has 64 by 64; and the largest share of the
 * frame's area that the part may have.
 */
const [LEAST, LARGEST] = [12, 0.9];
/**
 * If the grey levels around the moving part differ by less than this, the surroundings are a plain border. A view
 * without borders cuts it off already.
 */
const FLAT = 24;

export class Motion {
  readonly #changes = new Uint32Array(SIDE * SIDE);
  #steps = 0;
  #last: Uint8Array | undefined;
  #lastS = Number.NEGATIVE_INFINITY;

  /** Takes a frame's reduced picture. */
  add(small: Uint8Array, atS: number): void {
    if (atS - this.#lastS < STEP_S) return;
    const last = this.#last;
    if (last) {
      this.#steps += 1;
      small.forEach((value, at) => {
        if (Math.abs(value - (last[at] ?? 0)) > CHANGED) this.#changes[at] = (this.#changes[at] ?? 0) + 1;
      });
    }
    this.#last = small;
    this.#lastS = atS;
  }

  /**
   * Returns the part of the picture that moves, in shares of the frame. Returns undefined if there were too few frames,
   * if the part is too small or almost the whole frame, or if its surroundings are a plain border.
   */
  part(): Part | undefined {
    if (this.#steps < FEWEST) return undefined;
    const moves = (x: number, y: number) => (this.#changes[y * SIDE + x] ?? 0) > MOVING * this.#steps;
    const sides = Array.from({ length: SIDE }, (_, at) => at);
    const rows = bounds(sides.map((y) => sides.filter((x) => moves(x, y)).length));
    const columns = bounds(sides.map((x) => sides.filter((y) => moves(x, y)).length));
    const [width, height] = [columns.end - columns.start, rows.end - rows.start];
    if (width < LEAST || height < LEAST || width * height > LARGEST * SIDE * SIDE) return undefined;
    const isOutside = (at: number) => {
      const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
      return x < columns.start || x >= columns.end || y < rows.start || y >= rows.end;
    };
    const around = (this.#last ?? new Uint8Array()).filter((_, at) => isOutside(at));
    if (Math.max(...around) - Math.min(...around) < FLAT) return undefined;
    return { x: columns.start / SIDE, y: rows.start / SIDE, width: width / SIDE, height: height / SIDE };
  }
}

/** Returns the first and the last place (exclusive) with at least a quarter of the largest count. */
function bounds(counts: readonly number[]): { start: number; end: number } {
  const least = Math.max(1, Math.max(...counts) / 4);
  const start = counts.findIndex((count) => count >= least);
  const end = counts.findLastIndex((count) => count >= least) + 1;
  return start < 0 ? { start: 0, end: 0 } : { start, end };
}
