// Draws pictures: listed ones, whose hashes are in the filter, and decoys, whose hashes aren't.
import { random } from "./bytes.mjs";

/**
 * The long and the short side in pixels. The low-terms decoder reads only JPEGs whose short side has at least 900 pixels.
 */
export const SIZES = { tiny: [160, 120], small: [320, 240], large: [1216, 912] };

const drawn = new Map();

/**
 * Draws picture number `seed` as red, green and blue planes of bytes. Each channel has its own pattern beside the
 * common one, so that a decoder that confuses channels gets another hash.
 */
export function draw(seed, size = "small") {
  const key = `${seed} ${size}`;
  if (!drawn.has(key)) drawn.set(key, paint(seed, ...SIZES[size]));
  return drawn.get(key);
}

const LISTED = [11, 12, 13];
const DECOYS = [21, 22, 23];
export const listed = (size, number = 0) => draw(LISTED[number % 3], size);
export const decoy = (size, number = 0) => draw(DECOYS[number % 3], size);
/** Returns one of many further pictures that aren't listed. */
export const other = (size, number) => draw(100 + number, size);
export const allListed = () => Object.keys(SIZES).flatMap((size) => LISTED.map((seed) => draw(seed, size)));

function paint(seed, width, height) {
  const next = random(seed * 7919);
  const common = waves(next, 14, 9);
  const own = [waves(next, 8, 7), waves(next, 8, 7), waves(next, 8, 7)];
  const spots = Array.from({ length: 9 }, () => ({
    x: next(),
    y: next(),
    radius: 0.05 + 0.12 * next(),
    colour: [next(), next(), next()].map((value) => 130 * (value - 0.5)),
  }));
  const planes = [0, 1, 2].map(() => new Uint8Array(width * height));
  const [commonAt, ...ownAt] = [common, ...own].map((pattern) => sampled(pattern, width, height));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x;
      const value = [0, 1, 2].map((channel) => 128 + 75 * commonAt[at] + 48 * ownAt[channel][at]);
      for (const { x: left, y: top, radius, colour } of spots) {
        const [across, down] = [x / width - left, 0.75 * (y / height - top)];
        if (across * across + down * down < radius * radius) {
          for (let channel = 0; channel < 3; channel += 1) value[channel] += colour[channel];
        }
      }
      for (let channel = 0; channel < 3; channel += 1) {
        planes[channel][at] = Math.max(12, Math.min(243, Math.round(value[channel])));
      }
    }
  }
  return { seed, width, height, planes };
}

/** Returns a sum of `count` cosines with at most `most` periods per side, scaled to about -1..1. */
function waves(next, count, most) {
  return Array.from({ length: count }, () => {
    const [across, down] = [Math.round(next() * most), Math.round(next() * most)];
    return { across, down, phaseX: next() * 6.283, phaseY: next() * 6.283, weight: 1.6 / Math.sqrt(count) };
  });
}

function sampled(pattern, width, height) {
  const values = new Float32Array(width * height);
  for (const { across, down, phaseX, phaseY, weight } of pattern) {
    const row = Float32Array.from({ length: width }, (_, x) => Math.cos((6.283 * across * x) / width + phaseX));
    for (let y = 0; y < height; y += 1) {
      const factor = weight * Math.cos((6.283 * down * y) / height + phaseY) * 1.4;
      for (let x = 0; x < width; x += 1) values[y * width + x] += factor * row[x];
    }
  }
  return values;
}

/** Returns the luma of each pixel, 0 to 255, with the weights that PDQ uses. */
export function lumaOf({ planes: [red, green, blue] }) {
  return Float32Array.from(red, (value, at) => 0.299 * value + 0.587 * green[at] + 0.114 * blue[at]);
}

/** Returns a picture of the same size whose pixels are given by `change(red, green, blue, at)`. */
export function recoloured(picture, change) {
  const planes = [0, 1, 2].map(() => new Uint8Array(picture.width * picture.height));
  const [red, green, blue] = picture.planes;
  for (let at = 0; at < red.length; at += 1) {
    const made = change(red[at], green[at], blue[at], at);
    for (let channel = 0; channel < 3; channel += 1) {
      planes[channel][at] = Math.max(0, Math.min(255, Math.round(made[channel])));
    }
  }
  return { ...picture, planes };
}

/** Returns the pixels row by row: as RGB, or as RGBA if `alpha(at)` is given. */
export function interleaved(picture, alpha) {
  const channels = alpha ? 4 : 3;
  const [red, green, blue] = picture.planes;
  const bytes = new Uint8Array(channels * red.length);
  for (let at = 0; at < red.length; at += 1) {
    bytes[channels * at] = red[at];
    bytes[channels * at + 1] = green[at];
    bytes[channels * at + 2] = blue[at];
    if (alpha) bytes[channels * at + 3] = alpha(at);
  }
  return bytes;
}

/**
 * A palette of 6 x 7 x 6 colours. Pictures are converted to indices into it with dithering, so that their mean colours
 * stay the same.
 */
export const PALETTE = Uint8Array.from(
  Array.from({ length: 252 }, (_, at) => [
    (at % 6) * 51,
    (Math.floor(at / 6) % 7) * 42.5,
    Math.floor(at / 42) * 51,
  ]).flat(),
);
export function indexed(picture) {
  const { width, height, planes } = picture;
  const indices = new Uint8Array(width * height);
  const level = (value, steps, x, y) => {
    const threshold = (BAYER[(y & 3) * 4 + (x & 3)] + 0.5) / 16;
    return Math.min(steps - 1, Math.floor((value / 255) * (steps - 1) + threshold));
  };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x;
      indices[at] =
        level(planes[0][at], 6, x, y) + 6 * level(planes[1][at], 7, x, y) + 42 * level(planes[2][at], 6, x, y);
    }
  }
  return indices;
}
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
