// Generates pictures within SVGs and icons, written in many ways, and pictures that few programs show.
import { gzipSync } from "node:zlib";
import { assembleBmp, bmp } from "./bmp-files.mjs";
import { ascii, join, le16, le32, u16, zeros } from "./bytes.mjs";
import { gif } from "./gif-files.mjs";
import { assemble, jpeg, jpegParts } from "./jpeg-coder.mjs";
import { decoy, indexed, listed, PALETTE } from "./pictures.mjs";
import { png } from "./png-files.mjs";
import { losslessChunk, webp } from "./webp-files.mjs";

const [WIDTH, HEIGHT] = [160, 120];
const base64 = (bytes) => Buffer.from(bytes).toString("base64");

const ENCODINGS = {
  plain: (type, bytes) => `data:${type};base64,${base64(bytes)}`,
  upper: (type, bytes) => `DATA:${type.toUpperCase()};BASE64,${base64(bytes)}`,
  charset: (type, bytes) => `data:${type};charset=utf-8;base64,${base64(bytes)}`,
  "no-type": (_type, bytes) => `data:;base64,${base64(bytes)}`,
  "wrong-type": (_type, bytes) => `data:image/gif;base64,${base64(bytes)}`,
  lines: (type, bytes) => `data:${type};base64,\n  ${base64(bytes).replace(/.{76}/g, "$&\n  ")}`,
  unpadded: (type, bytes) => `data:${type};base64,${base64(bytes).replace(/=+$/, "")}`,
  percent: (type, bytes) =>
    `data:${type},${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")}`,
  "percent-base64": (type, bytes) => `data:${type};base64,${encodeURIComponent(base64(bytes))}`,
  "spaces-around": (type, bytes) => `  data:${type};base64,${base64(bytes)}  `,
  entities: (type, bytes) => `&#100;ata:${type};base64&#x2c;${base64(bytes)}`,
};
const OF = `width="${WIDTH}" height="${HEIGHT}"`;
const PLACES = {
  image: (url) => `<image ${OF} href="${url}"/>`,
  "single-quotes": (url) => `<image ${OF} href='${url}'/>`,
  xlink: (url) => `<image ${OF} xlink:href="${url}"/>`,
  "x-prefix": (url) => `<image xmlns:q="http://www.w3.org/1999/xlink" ${OF} q:href="${url}"/>`,
  pattern: (url) =>
    `<pattern id="p" ${OF} patternUnits="userSpaceOnUse"><image ${OF} href="${url}"/></pattern><rect ${OF} fill="url(#p)"/>`,
  use: (url) => `<defs><image id="i" ${OF} href="${url}"/></defs><use href="#i"/>`,
  html: (url) => `<foreignObject ${OF}><img xmlns="http://www.w3.org/1999/xhtml" ${OF} src="${url}"/></foreignObject>`,
  style: (url) =>
    `<style>div{background:url("${url}");width:${WIDTH}px;height:${HEIGHT}px}</style><foreignObject ${OF}>` +
    `<div xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>`,
  "fe-image": (url) =>
    `<filter id="f" x="0" y="0" width="1" height="1"><feImage ${OF} href="${url}"/></filter><rect ${OF} filter="url(#f)"/>`,
  nested: (url) => `<svg ${OF}><g><image ${OF} href="${url}"/></g></svg>`,
  "svg-within": (url) =>
    `<image ${OF} href="${ENCODINGS.plain("image/svg+xml", ascii(svg(`<image ${OF} href="${url}"/>`)))}"/>`,
  set: (url) => `<image ${OF}><set attributeName="href" to="${url}"/></image>`,
};
const svg = (content) =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${OF}>${content}</svg>`;

function drawing(roll) {
  const shown = listed("tiny", roll.below(3));
  const rasters = {
    "image/png": () => png({ picture: shown }),
    "image/jpeg": () => jpeg({ picture: shown }),
    "image/gif": () => gif({ frames: [{ picture: shown }] }),
    "image/webp": () => webp([losslessChunk(shown)]),
    "image/bmp": () => bmp({ picture: shown }),
  };
  const type = roll.pick(Object.keys(rasters));
  const [encoding, place] = [roll.pick(Object.keys(ENCODINGS)), roll.pick(Object.keys(PLACES))];
  const zipped = roll.chance(0.1);
  const make = () => {
    const text = ascii(svg(PLACES[place](ENCODINGS[encoding](type, rasters[type]()))));
    return zipped ? gzipSync(text) : text;
  };
  return [`svg-${place}-${encoding}-${type.slice(6)}`, make, "image/svg+xml"];
}

/** Returns a bitmap as icons hold it, of any depth, with a mask that hides nothing or a part. */
function bitmap(picture, bits, hidden = 0) {
  const rows = {
    24: () => bmp({ picture }).subarray(14),
    32: () =>
      assembleBmp({
        width: WIDTH,
        height: HEIGHT,
        bits: 32,
        rows: Array.from({ length: HEIGHT }, (_, y) =>
          Uint8Array.from({ length: 4 * WIDTH }, (_, at) =>
            at % 4 === 3 ? hidden : picture.planes[2 - (at % 4)][y * WIDTH + (at >> 2)],
          ),
        ),
      }).subarray(14),
    8: () => {
      const indices = indexed(picture);
      const palette = Array.from({ length: 256 }, (_, at) => {
        const [r = 0, g = 0, b = 0] = PALETTE.subarray(3 * at, 3 * at + 3);
        return Uint8Array.of(b, g, r, 0);
      });
      const lines = Array.from({ length: HEIGHT }, (_, y) => indices.subarray(y * WIDTH, (y + 1) * WIDTH));
      return assembleBmp({ width: WIDTH, height: HEIGHT, bits: 8, palette, rows: lines }).subarray(14);
    },
  };
  const whole = join(rows[bits](), zeros((WIDTH / 8) * HEIGHT));
  whole.set(le32(2 * HEIGHT), 8);
  return whole;
}

function icon(roll) {
  const [L, D] = [listed("tiny", roll.below(3)), decoy("tiny", roll.below(3))];
  const makers = {
    png: (at) => [png({ picture: at }), 32],
    "png-interlaced": (at) => [png({ picture: at, interlaced: true, deep: true }), 32],
    "bitmap-8": (at) => [bitmap(at, 8), 8],
    "bitmap-24": (at) => [bitmap(at, 24), 24],
    "bitmap-32": (at) => [bitmap(at, 32, 255), 32],
    "bitmap-32-no-alpha": (at) => [bitmap(at, 32, 0), 32],
  };
  const count = 1 + roll.below(3);
  const place = roll.below(count);
  const names = Array.from({ length: count }, () => roll.pick(Object.keys(makers)));
  const saysSmall = roll.chance(0.3);
  const make = () => {
    const entries = names.map((name, at) => makers[name](at === place ? L : D));
    let start = 6 + 16 * count;
    const index = entries.map(([data, bits], at) => {
      const size = saysSmall && at !== place ? [32, 32] : [WIDTH, HEIGHT];
      const entry = join(...size, 0, 0, le16(1), le16(bits), le32(data.length), le32(start));
      start += data.length;
      return entry;
    });
    return join(
      le16(0),
      le16(roll.pick([1, 1, 2])),
      le16(count),
      index,
      entries.map(([data]) => data),
    );
  };
  return [`ico-${place}-of-${names.join("-")}`, make, "image/x-icon"];
}

/** JPEG processes that browsers don't show, and JPEG XL, JPEG 2000 and TIFF headers with a picture behind them. */
function rare(roll) {
  const shown = listed("small", roll.below(3));
  const process = roll.pick([0xc1, 0xc3, 0xc5, 0xc6, 0xc9, 0xca, 0xcb]);
  const depth = roll.pick([8, 8, 12, 16]);
  const make = () => {
    const parts = jpegParts({ picture: shown, progressive: roll.chance(0.3) });
    const frame = parts.find(({ marker }) => marker === 0xc0 || marker === 0xc2);
    frame.marker = process;
    frame.body[0] = depth;
    if (roll.chance(0.3)) frame.body.set(u16(0), 1);
    const height = { marker: 0xdc, body: u16(shown.height) };
    const scan = parts.findIndex(({ intervals }) => intervals);
    return assemble(roll.chance(0.5) ? parts.toSpliced(scan + 1, 0, height) : parts);
  };
  return [`jpeg-process-${process.toString(16)}-${depth}-bits`, make, "image/jpeg"];
}

/** Kind 10: chooses a container. */
export const combinedContainer = (roll) => roll.pick([drawing, drawing, drawing, icon, icon, rare])(roll);
