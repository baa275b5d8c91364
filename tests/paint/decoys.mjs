// Quantized JPEG terms whose block means show one picture and whose pixels, once clipped to 0..255, show another.
import { quantized, steps, terms, transformed } from "./jpeg-coder.mjs";
import { lumaOf } from "./pictures.mjs";

/** Thresholds 0..63 of an 8 x 8 ordered dither (Bayer). */
const BAYER = Array.from({ length: 64 }, (_, at) => {
  const [x, y] = [at & 7, at >> 3];
  let threshold = 0;
  for (let bit = 0; bit < 3; bit += 1) {
    threshold = 4 * threshold + 2 * (((x ^ y) >> bit) & 1) + ((y >> bit) & 1);
  }
  return threshold;
});
/** Stripes: the low terms of each block carry them. */
const STRIPES = Array.from({ length: 64 }, (_, at) => 8 * (at & 7) + (at >> 3));

/**
 * Terms of three components (one with `grey`), all sampled alike. `most` bounds the terms beside the mean, in the units that
 * a decoder multiplies them to. Styles: `dither` and `stripes` paint through Y, `chroma` through means of chroma alone,
 * `chroma-ac` through chroma's other terms, `chroma-means` as `chroma` with a decoy of full contrast in Y.
 */
export function decoyedTerms({ listed, decoy, style, most, table = steps(16, 0), grey = false, share = 1 }) {
  const { width, height } = listed;
  const [columns, rows] = [Math.ceil(width / 8), Math.ceil(height / 8)];
  const [shown, told] = [listed, decoy].map((picture) => lumaOf(picture));
  const spread = contrast(shown, width, height, columns, rows);
  const coded = Array.from({ length: grey ? 1 : 3 }, () => new Int16Array(64 * columns * rows));
  const [samples, block] = [new Float32Array(64), new Float32Array(64)];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const at = 64 * (row * columns + column);
      const target = spread(mean(shown, width, height, row, column));
      const lie = mean(told, width, height, row, column);
      const painted = (row * columns + column) % 4 < 4 * share;
      const put = (component, values, average, bound) => {
        values.forEach((value, place) => (samples[place] = value));
        transformed(samples, block);
        bound_(block, bound);
        block[0] = 8 * average;
        quantized(block, table, coded[component].subarray(at, at + 64));
      };
      if (style === "dither" || style === "stripes") {
        const thresholds = style === "dither" ? BAYER : STRIPES;
        const level = painted ? target / 255 : 0.5;
        const pattern = thresholds.map((threshold) => (threshold + 0.5 < 64 * level ? 1 : -1) * most);
        put(0, painted ? pattern : samples.fill(0), lie - 128, most);
        continue;
      }
      const quiet = style === "chroma-means" ? lie - 128 : 0.15 * (lie - 128);
      put(0, samples.fill(0), quiet, most);
      if (style === "chroma-ac") {
        const pattern = BAYER.map((threshold) => (threshold < 32 ? 1 : -1) * most * (target / 255));
        for (const component of [1, 2]) put(component, pattern, 0, most);
      } else {
        const strength = Math.min(1, most / 1000) * 127;
        for (const component of [1, 2]) put(component, samples.fill(0), ((128 - target) / 128) * strength, most);
      }
    }
  }
  return { width, height, sampling: coded.map(() => [1, 1]), tables: [table], coded };
}

function bound_(block, most) {
  let largest = 0;
  for (let at = 1; at < 64; at += 1) largest = Math.max(largest, Math.abs(block[at]));
  if (largest > most) for (let at = 1; at < 64; at += 1) block[at] *= most / largest;
}

function mean(luma, width, height, row, column) {
  let [sum, count] = [0, 0];
  for (let y = 8 * row; y < Math.min(height, 8 * row + 8); y += 1) {
    for (let x = 8 * column; x < Math.min(width, 8 * column + 8); x += 1, count += 1) sum += luma[y * width + x];
  }
  return sum / count;
}

/** Stretches luma to the whole of 0..255. */
function contrast(luma) {
  let [least, most] = [255, 0];
  for (const value of luma) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return (value) => (255 * (value - least)) / (most - least);
}
