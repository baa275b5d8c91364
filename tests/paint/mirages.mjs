// Makes transparent pictures that show one picture over one background, and another picture over another background.
import { lumaOf, recoloured } from "./pictures.mjs";

/** Returns the picture with a quarter of its contrast. */
export const dim = (picture) => recoloured(picture, (r, g, b) => [r, g, b].map((value) => 96 + value / 4));

/**
 * Returns colours and alpha that show the luma `white` over a white background and `black` over a black one. Each pixel
 * of `black` must be at most that of `white`.
 */
function between(listed, white, black) {
  const alpha = new Uint8Array(white.length);
  const picture = recoloured(listed, (_r, _g, _b, at) => {
    const opacity = Math.max(1 / 255, Math.min(1, 1 - (white[at] - black[at]) / 255));
    alpha[at] = Math.round(255 * opacity);
    const grey = (255 * black[at]) / Math.max(1, alpha[at]);
    return [grey, grey, grey];
  });
  return { picture, alpha };
}

const scaled = (luma, from, to) => luma.map((value) => from + ((to - from) * value) / 255);

/** By name, functions of the listed picture and a decoy. Each returns `{ picture, alpha }`. */
export const mirages = {
  "white-decoy-black-listed": (listed, decoy) =>
    between(listed, scaled(lumaOf(decoy), 130, 255), scaled(lumaOf(listed), 0, 125)),
  "white-listed-black-decoy": (listed, decoy) =>
    between(listed, scaled(lumaOf(listed), 130, 255), scaled(lumaOf(decoy), 0, 125)),
  // Over mid-grey, a viewer sees the mean of the pictures over white and over black. The decoy cancels out in this
  // mean.
  "grey-listed": (listed, decoy) => {
    const [mean, lie] = [scaled(lumaOf(listed), 110, 145), scaled(lumaOf(decoy), 8, 106)];
    return between(
      listed,
      mean.map((value, at) => value + lie[at]),
      mean.map((value, at) => value - lie[at]),
    );
  },
  "listed-in-alpha-over-black": (listed) => byAlpha(listed, 255),
  "listed-in-alpha-over-white": (listed) => byAlpha(listed, 0),
  "listed-in-alpha-of-grey": (listed) => byAlpha(listed, 128),
  "decoy-colours-listed-in-alpha": (listed, decoy) => ({
    picture: recoloured(decoy, (r, g, b) => [r, g, b].map((value) => 215 + value / 7)),
    alpha: Uint8Array.from(lumaOf(listed), Math.round),
  }),
  "all-transparent-listed": (listed) => ({ picture: listed, alpha: new Uint8Array(listed.planes[0].length) }),
  "nearly-opaque-listed": (listed) => ({ picture: listed, alpha: new Uint8Array(listed.planes[0].length).fill(254) }),
  "alpha-1-listed": (listed) => ({ picture: listed, alpha: new Uint8Array(listed.planes[0].length).fill(1) }),
};

/** Returns one grey for all pixels, with the picture in the alpha channel. */
function byAlpha(listed, grey) {
  const luma = lumaOf(listed);
  const alpha = Uint8Array.from(luma, (value) => Math.round(grey === 0 ? 255 - value : value));
  return { picture: recoloured(listed, () => [grey, grey, grey]), alpha };
}

/** Returns a picture dithered to two grey values, of which one can be made transparent. */
export function shadow(picture, dark) {
  const thresholds = [8, 136, 40, 168, 200, 72, 232, 104, 56, 184, 24, 152, 248, 120, 216, 88];
  const [key, kept] = dark ? [0, 200] : [255, 60];
  return Uint8Array.from(lumaOf(picture), (value, at) => {
    const [x, y] = [at % picture.width, Math.floor(at / picture.width)];
    return value > thresholds[4 * (y & 3) + (x & 3)] === dark ? kept : key;
  });
}
