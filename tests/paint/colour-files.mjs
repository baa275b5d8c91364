// Generates files whose colours change if a reader applies their colour profile, in each format that can hold one.
import { deflateSync } from "node:zlib";
import { assembleBmp } from "./bmp-files.mjs";
import { ascii, join, le32, u16, u32, zeros } from "./bytes.mjs";
import { jfif, jpeg } from "./jpeg-coder.mjs";
import { decoy, listed, lumaOf, recoloured } from "./pictures.mjs";
import { png, pngChunk } from "./png-files.mjs";
import { BROKEN, GREY, ODD, PLAIN, segments } from "./profiles.mjs";
import { losslessChunk, webp, webpChunk } from "./webp-files.mjs";

/** Returns the picture to store so that the profile shows the listed picture. `stored` computes its pixels. */
function storedPicture(size, stored) {
  const [shown, lie] = [lumaOf(listed(size)), lumaOf(decoy(size))];
  return recoloured(listed(size), (_r, _g, _b, at) => [stored(shown[at], lie[at])].flat().concat([0, 0]).slice(0, 3));
}

const containers = {
  jpeg: (picture, bytes) =>
    jpeg({
      picture,
      model: "rgb",
      header: [...segments(bytes), { marker: 0xee, body: join(ascii("Adobe"), u16(100), u16(0), u16(0), 0) }],
    }),
  "jpeg-ycc": (picture, bytes) => jpeg({ picture, header: [jfif(), ...segments(bytes)] }),
  "jpeg-p": (picture, bytes) => jpeg({ picture, header: [jfif(), ...segments(bytes)], progressive: true }),
  png: (picture, bytes) => png({ picture, before: [pngChunk("iCCP", join(ascii("drawn\0"), 0, deflateSync(bytes)))] }),
  webp: (picture, bytes) =>
    webp([
      webpChunk(
        "VP8X",
        join(0x20, zeros(3), le32(picture.width - 1).subarray(0, 3), le32(picture.height - 1).subarray(0, 3)),
      ),
      webpChunk("ICCP", bytes),
      losslessChunk(picture),
    ]),
  bmp: (picture, bytes) =>
    assembleBmp({
      width: picture.width,
      height: picture.height,
      bits: 24,
      header: 124,
      data: bottomUp(picture),
      // The rest of a BMP header of version 5: masks, the colour space "MBED" (embedded profile), its endpoints and
      // gammas, the intent, and the place of the profile in the file.
      more: join(
        zeros(16),
        le32(0x4d424544),
        zeros(48),
        le32(4),
        le32(124 + bottomUp(picture).length),
        le32(bytes.length),
        le32(0),
      ),
      trailer: bytes,
    }),
};
const TYPE = (name) => `image/${name.replace(/-.*/, "")}`;

function bottomUp({ width, height, planes: [red, green, blue] }) {
  const stride = (3 * width + 3) & ~3;
  const bytes = new Uint8Array(stride * height);
  for (let at = 0; at < width * height; at += 1) {
    const place = stride * (height - 1 - Math.floor(at / width)) + 3 * (at % width);
    bytes.set([blue[at], green[at], red[at]], place);
  }
  return bytes;
}

export function* colourFiles() {
  for (const [container, make] of Object.entries(containers)) {
    const type = TYPE(container);
    for (const size of ["small", "large"]) {
      if (size === "large" && !container.startsWith("jpeg")) continue;
      for (const [name, { make: profile, stored }] of Object.entries(ODD)) {
        yield {
          kind: `profile-${type.slice(6)}`,
          name: `${container}-${size}-${name}`,
          type,
          make: () => make(storedPicture(size, stored), profile()),
        };
      }
      for (const [name, profile] of Object.entries({ ...PLAIN, ...BROKEN })) {
        yield {
          kind: `profile-${type.slice(6)}`,
          name: `${container}-${size}-plain-${name}`,
          type,
          make: () => make(listed(size), profile()),
        };
      }
      // Here the listed picture is stored unchanged, so a reader that ignores the profile shows it.
      yield {
        kind: `profile-${type.slice(6)}`,
        name: `${container}-${size}-stored-listed-shown-inverted`,
        type,
        make: () => make(listed(size), ODD.inverted.make()),
      };
    }
  }
  const chunkOrders = {
    reversed: (list) => list.reverse(),
    "first-twice": (list) => [list[0], ...list],
    "last-lost": (list) => list.slice(0, -1),
    "zero-based": (list) =>
      list.map((part) => ({ ...part, body: part.body.map((byte, at) => (at === 12 ? byte - 1 : byte)) })),
  };
  for (const [name, order] of Object.entries(chunkOrders)) {
    yield {
      kind: "profile-jpeg",
      name: `parts-${name}`,
      type: "image/jpeg",
      make: () =>
        jpeg({
          picture: storedPicture("small", ODD["blue-alone"].stored),
          model: "rgb",
          header: [
            ...segments(ODD["blue-alone"].make(), { part: 150, order }),
            { marker: 0xee, body: join(ascii("Adobe"), zeros(7)) },
          ],
        }),
    };
  }
  yield {
    kind: "profile-jpeg",
    name: "between-frame-and-scan",
    type: "image/jpeg",
    make: () => jpeg({ picture: storedPicture("small", ODD.inverted.stored), header: [jfif()], scans: undefined }),
  };
  for (const [name, { make: profile, stored }] of Object.entries(GREY)) {
    const picture = () =>
      recoloured(listed("small"), (r, g, b) => Array(3).fill(stored(0.299 * r + 0.587 * g + 0.114 * b)));
    yield {
      kind: "profile-jpeg",
      name: `grey-${name}`,
      type: "image/jpeg",
      make: () => jpeg({ picture: picture(), model: "grey", header: [jfif(), ...segments(profile())] }),
    };
    yield {
      kind: "profile-png",
      name: `grey-${name}`,
      type: "image/png",
      make: () =>
        png({
          picture: picture(),
          type: "grey",
          before: [pngChunk("iCCP", join(ascii("drawn\0"), 0, deflateSync(profile())))],
        }),
    };
  }
  yield* pngColourChunks();
}

/**
 * Generates PNG files with PNG's own chunks for colours: gamma (gAMA), primaries (cHRM), and code points of video
 * (cICP).
 */
function* pngColourChunks() {
  const file = (name, before, picture = () => listed("small")) => ({
    kind: "png-colour-chunk",
    name,
    type: "image/png",
    make: () => png({ picture: picture(), before: before() }),
  });
  const gammaOf = (value) => pngChunk("gAMA", u32(Math.round(value * 100000)));
  const primaries = (...values) => pngChunk("cHRM", join(...values.map((value) => u32(Math.round(value * 100000)))));
  const power = (exponent) => () => storedPicture("small", (l) => Array(3).fill(255 * (l / 255) ** exponent));
  for (const value of [0.01, 0.05, 0.1, 0.2, 0.45455, 1, 2, 5, 20]) {
    yield file(`gamma-${value}`, () => [gammaOf(value)]);
    yield file(`gamma-${value}-countered`, () => [gammaOf(value)], power(value / 0.45455));
    yield file(`gamma-${value}-and-srgb`, () => [gammaOf(value), pngChunk("sRGB", Uint8Array.of(0))]);
  }
  yield file("primaries-swapped", () => [gammaOf(0.45455), primaries(0.3127, 0.329, 0.15, 0.06, 0.3, 0.6, 0.64, 0.33)]);
  yield file(
    "primaries-turned",
    () => [gammaOf(0.45455), primaries(0.3127, 0.329, 0.3, 0.6, 0.15, 0.06, 0.64, 0.33)],
    () => storedPicture("small", (l, d) => [d, l, l]),
  );
  yield file("primaries-zero", () => [gammaOf(0.45455), primaries(0, 0, 0, 0, 0, 0, 0, 0)]);
  for (const [colours, transfer] of [
    [1, 13],
    [1, 8],
    [9, 16],
    [9, 18],
    [12, 13],
    [1, 16],
    [1, 18],
    [0, 0],
    [2, 2],
    [10, 8],
    [22, 13],
    [1, 4],
    [11, 17],
  ]) {
    for (const range of [1, 0]) {
      yield file(`cicp-${colours}-${transfer}-${range}`, () => [
        pngChunk("cICP", Uint8Array.of(colours, transfer, 0, range)),
      ]);
    }
  }
  yield file(
    "iccp-twice",
    () =>
      [ODD["blue-alone"], ODD.inverted].map(({ make }) =>
        pngChunk("iCCP", join(ascii("drawn\0"), 0, deflateSync(make()))),
      ),
    () => storedPicture("small", ODD["blue-alone"].stored),
  );
  yield file(
    "iccp-and-srgb",
    () => [
      pngChunk("sRGB", Uint8Array.of(0)),
      pngChunk("iCCP", join(ascii("drawn\0"), 0, deflateSync(ODD["blue-alone"].make()))),
    ],
    () => storedPicture("small", ODD["blue-alone"].stored),
  );
  yield file(
    "iccp-bad-crc",
    () => [{ ...pngChunk("iCCP", join(ascii("drawn\0"), 0, deflateSync(ODD["blue-alone"].make()))), crc: 5 }],
    () => storedPicture("small", ODD["blue-alone"].stored),
  );
}

export { storedPicture };
