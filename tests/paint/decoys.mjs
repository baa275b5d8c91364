// Makes quantized JPEG coefficients that show two pictures: their block means, which the low-terms decoder reads, show
// the decoy; their pixels, once clipped to 0..255 by a full decoder, show the listed picture.
import { dequantized, quantized, steps, transformed } from "./jpeg-coder.mjs";
import { lumaOf } from "./pictures.mjs";

/**
 * Thresholds 0..63 of the pixels of an 8 x 8 block, for three patterns: ordered dithering (Bayer), stripes (which need
 * only a few DCT terms), and quarters of the block.
 */
const BAYER = Array.from({ length: 64 }, (_, at) => {
  const [x, y] = [at & 7, at >> 3];
  let threshold = 0;
  for (let bit = 0; bit < 3; bit += 1) threshold = 4 * threshold + 2 * (((x ^ y) >> bit) & 1) + ((y >> bit) & 1);
  return threshold;
});
const STRIPES = Array.from({ length: 64 }, (_, at) => 8 * (at & 7) + (at >> 3));
const BLOCKS = Array.from(
  { length: 64 },
  (_, at) => 16 * (((at >> 2) & 1) + 2 * (at >> 5)) + ((at & 3) + 4 * ((at >> 3) & 3)),
);

/**
 * Each style has the thresholds of its pattern in a block, and two contrasts around 128: `lie` for the decoy, `show`
 * for the listed picture.
 */
export const STYLES = {
  dither: { thresholds: BAYER, lie: 0.6, show: 0.9 },
  stripes: { thresholds: STRIPES, lie: 0.6, show: 0.9 },
  quarters: { thresholds: BLOCKS, lie: 0.6, show: 0.9 },
  quiet: { thresholds: BAYER, lie: 0.35, show: 0.4 },
  "quiet-stripes": { thresholds: STRIPES, lie: 0.35, show: 0.4 },
  // These styles hide the picture in the chroma: in its block means, or in its other terms.
  chroma: { lie: 0.1, show: 0.17 },
  "chroma-ac": { lie: 0.1, show: 0.2, level: 190 },
};

/**
 * Returns the terms of three components (one if `grey`), which are all sampled alike. In each block, chooses the
 * pattern whose mean after clipping is nearest to the listed picture's. `most` is the largest absolute value of the
 * dequantized AC terms. With a `share` below 1, only that share of the blocks get such a pattern.
 */
export function decoyedTerms({ listed, decoy, style, most, table = steps(16, 0), grey = false, share = 1 }) {
  const { width, height } = listed;
  const { thresholds, lie, show, level = 128 } = STYLES[style];
  const [columns, rows] = [Math.ceil(width / 8), Math.ceil(height / 8)];
  const [shown, told] = [listed, decoy].map((picture) => blockMeans(picture, columns, rows));
  const coded = Array.from({ length: grey ? 1 : 3 }, () => new Int16Array(64 * columns * rows));
  const patterns = thresholds ? lumaPatterns(thresholds, most, table) : undefined;
  const found = new Map();
  const chromas = thresholds ? undefined : chromaPatterns(style, table);
  for (let block = 0; block < columns * rows; block += 1) {
    const put = (component, terms, average) => {
      const place = 64 * block;
      if (terms) coded[component].set(terms, place);
      coded[component][place] = Math.round((8 * average) / table[0]);
    };
    const target = level === 128 ? 128 + show * (shown[block] - 128) : 170 + show * (shown[block] - 128);
    const mean = (Math.round((8 * lie * (told[block] - 128)) / table[0]) * table[0]) / 8;
    if (block % 4 >= 4 * share) {
      put(0, undefined, mean);
      continue;
    }
    // Blocks with the same mean and target get the same pattern, so it is computed once.
    const key = 4096 * Math.round(8 * mean) + Math.round(target);
    if (patterns) {
      if (!found.has(key))
        found.set(
          key,
          nearest(patterns, ({ pixels }) => clippedMean(pixels, 128 + mean), target),
        );
      const best = found.get(key);
      put(0, best.terms, mean);
    } else {
      put(0, undefined, level - 128 + mean);
      if (!found.has(key))
        found.set(
          key,
          nearest(chromas, (pattern) => pattern.luma(level + mean), target),
        );
      const best = found.get(key);
      for (const component of [1, 2]) put(component, best.terms, best.mean);
    }
  }
  return { width, height, sampling: coded.map(() => [1, 1]), tables: [table], coded };
}

function nearest(patterns, value, target) {
  let [best, least] = [patterns[0], Infinity];
  for (const pattern of patterns) {
    const off = Math.abs(value(pattern) - target);
    if (off < least) [best, least] = [pattern, off];
  }
  return best;
}

function clippedMean(pixels, mean) {
  let sum = 0;
  for (const pixel of pixels) sum += Math.max(0, Math.min(255, pixel + mean));
  return sum / 64;
}

/**
 * Returns patterns for each number of bright pixels and three strengths: the quantized terms, and the pixels (around 0)
 * that a decoder makes of them.
 */
function lumaPatterns(thresholds, most, table) {
  const patterns = [{ terms: new Int16Array(64), pixels: new Float32Array(64) }];
  for (let bright = 1; bright < 64; bright += 1) {
    for (const strength of [1, 0.6, 0.3]) {
      const block = transformed(thresholds.map((threshold) => (threshold < bright ? 1 : -1)));
      block[0] = 0;
      const scale = (strength * most) / Math.max(...block.map(Math.abs));
      const terms = new Int16Array(64);
      quantized(
        block.map((term) => term * scale),
        table,
        terms,
      );
      terms[0] = 0;
      patterns.push({ terms, pixels: dequantized(terms, table) });
    }
  }
  return patterns;
}

/**
 * Returns patterns of both chroma components: one value everywhere, or a checkerboard with mean 0. A pattern's `luma`
 * gives the block's mean luma after clipping, for a given mean of Y.
 */
function chromaPatterns(style, table) {
  const lumaAt = (y, chroma) => {
    const [r, g, b] = [y + 1.402 * chroma, y - 1.058272 * chroma, y + 1.772 * chroma].map((v) =>
      Math.max(0, Math.min(255, v)),
    );
    return 0.299 * r + 0.587 * g + 0.114 * b;
  };
  return Array.from({ length: style === "chroma" ? 128 : 64 }, (_, at) => {
    if (style === "chroma") {
      const mean = (Math.round((8 * (2 * at - 127)) / table[0]) * table[0]) / 8;
      return { terms: undefined, mean, luma: (y) => lumaAt(y, mean) };
    }
    const terms = new Int16Array(64);
    quantized(
      transformed(Array.from({ length: 64 }, (_, place) => (((place & 7) + (place >> 3)) & 1 ? 2 : -2) * at)),
      table,
      terms,
    );
    const pixels = dequantized(terms, table);
    return {
      terms,
      mean: 0,
      luma: (y) => pixels.reduce((sum, chroma) => sum + lumaAt(y, Math.max(-128, Math.min(127, chroma))), 0) / 64,
    };
  });
}

/** Returns the mean luma of each 8 x 8 block, stretched to 0..255. */
function blockMeans(picture, columns, rows) {
  const { width, height } = picture;
  const luma = lumaOf(picture);
  const means = new Float32Array(columns * rows);
  for (let block = 0; block < means.length; block += 1) {
    let [sum, count] = [0, 0];
    const [left, top] = [8 * (block % columns), 8 * Math.floor(block / columns)];
    for (let y = top; y < Math.min(height, top + 8); y += 1) {
      for (let x = left; x < Math.min(width, left + 8); x += 1, count += 1) sum += luma[y * width + x];
    }
    means[block] = sum / count;
  }
  const [least, most] = [Math.min(...means), Math.max(...means)];
  return means.map((value) => (255 * (value - least)) / (most - least));
}
