// Generates pictures within other files (ICO, SVG), and files under a wrong media type or name.

import { bmp } from "./bmp-files.mjs";
import { ascii, join, le16, le32 } from "./bytes.mjs";
import { gif } from "./gif-files.mjs";
import { jpeg } from "./jpeg-coder.mjs";
import { decoy, listed, SIZES } from "./pictures.mjs";
import { png } from "./png-files.mjs";

/** Makes an icon file (ICO) of the entries `{ data, width, height, bits }`. */
function icon(entries, type = 1) {
  let at = 6 + 16 * entries.length;
  const index = entries.map(({ data, width, height, bits = 32 }) => {
    const entry = join(
      width & 255,
      height & 255,
      0,
      0,
      le16(type === 1 ? 1 : 0),
      le16(type === 1 ? bits : 0),
      le32(data.length),
      le32(at),
    );
    at += data.length;
    return entry;
  });
  return join(
    le16(0),
    le16(type),
    le16(entries.length),
    index,
    entries.map(({ data }) => data),
  );
}
/**
 * Returns a bitmap as icons hold it: without the file header, and with twice the height in its header, because a mask
 * follows the pixels.
 */
function iconBitmap(picture) {
  const whole = bmp({ picture }).subarray(14);
  const data = join(whole, new Uint8Array(Math.ceil(picture.width / 32) * 4 * picture.height));
  data.set(le32(2 * picture.height), 8);
  return data;
}
const base64 = (bytes) => Buffer.from(bytes).toString("base64");

export function* containerFiles() {
  const [L, D] = [listed("tiny"), decoy("tiny")];
  const [width, height] = SIZES.tiny;
  const entry = (picture, data, more = {}) => ({ data: data ?? png({ picture }), width, height, ...more });
  const small = (picture) => ({ data: png({ picture }), width: 16, height: 16 });
  const icons = {
    png: () => icon([entry(L)]),
    bmp: () => icon([entry(L, iconBitmap(L), { bits: 24 })]),
    cursor: () => icon([entry(L)], 2),
    "listed-and-decoy": () => icon([entry(L), entry(D)]),
    "decoy-and-listed": () => icon([entry(D), entry(L)]),
    "listed-said-16-decoy-said-160": () => icon([small(L), entry(D)]),
    "decoy-said-16-listed-said-160": () => icon([small(D), entry(L)]),
    "decoy-said-160-listed-said-16": () => icon([entry(D), small(L)]),
    "listed-of-24-decoy-of-32": () => icon([entry(L, undefined, { bits: 24 }), entry(D)]),
    "decoy-of-24-listed-of-32": () => icon([entry(D, undefined, { bits: 24 }), entry(L)]),
    "listed-large-png": () => icon([{ data: png({ picture: listed("small") }), width: 0, height: 0 }]),
    "bmp-first-png-second": () => icon([entry(D, iconBitmap(D), { bits: 24 }), entry(L)]),
    "png-first-bmp-second": () => icon([entry(D), entry(L, iconBitmap(L), { bits: 32 })]),
    "jpeg-inside": () => icon([entry(L, jpeg({ picture: L }))]),
    "count-0": () => patchedCount(icon([entry(L)]), 0),
    "count-more": () => patchedCount(icon([entry(L)]), 5),
  };
  for (const [name, make] of Object.entries(icons)) yield { kind: "ico", name, type: "image/x-icon", make };

  const svg = (content, more = "") =>
    ascii(
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
        `width="${width}" height="${height}" ${more}>${content}</svg>`,
    );
  const image = (bytes, type, attributes = `width="${width}" height="${height}"`) =>
    `<image ${attributes} href="data:image/${type};base64,${base64(bytes)}"/>`;
  const drawings = {
    png: () => svg(image(png({ picture: L }), "png")),
    jpeg: () => svg(image(jpeg({ picture: L }), "jpeg")),
    xlink: () => svg(image(jpeg({ picture: L }), "jpeg").replace("href", "xlink:href")),
    "decoy-under-listed": () => svg(image(jpeg({ picture: D }), "jpeg") + image(jpeg({ picture: L }), "jpeg")),
    "listed-under-decoy": () => svg(image(jpeg({ picture: L }), "jpeg") + image(jpeg({ picture: D }), "jpeg")),
    "declaration-and-comment": () =>
      join(ascii('<?xml version="1.0"?>\n<!-- drawn -->\n'), svg(image(png({ picture: L }), "png"))),
    filter: () =>
      svg(
        `<filter id="f"><feColorMatrix values="-1 0 0 0 1 0 -1 0 0 1 0 0 -1 0 1 0 0 0 1 0"/></filter>` +
          `<g filter="url(#f)">${image(png({ picture: L }), "png")}</g>`,
      ),
  };
  const plain = () => svg(image(png({ picture: L }), "png"));
  const wide = (bytes, mark, order) =>
    join(mark, ...[...bytes].map((byte) => (order === "le" ? [byte, 0] : [0, byte])));
  Object.assign(drawings, {
    "utf-16-little-endian": () => wide(plain(), [0xff, 0xfe], "le"),
    "utf-16-big-endian": () => wide(plain(), [0xfe, 0xff], "be"),
    "utf-8-mark": () => join(0xef, 0xbb, 0xbf, plain()),
    "long-comment": () => join(ascii(`<!--${" drawn".repeat(20_000)} -->`), plain()),
    doctype: () => join(ascii('<!DOCTYPE svg [<!ENTITY e "x">]>\n'), plain()),
    "prefixed-names": () => {
      const of = `width="${width}" height="${height}"`;
      const href = `data:image/png;base64,${base64(png({ picture: L }))}`;
      return ascii(`<s:svg xmlns:s="http://www.w3.org/2000/svg" ${of}><s:image ${of} href="${href}"/></s:svg>`);
    },
    "empty-lines-first": () => join(ascii("\n".repeat(3000)), plain()),
  });
  for (const [name, make] of Object.entries(drawings)) yield { kind: "svg", name, type: "image/svg+xml", make };

  const formats = {
    jpeg: jpeg({ picture: listed("small") }),
    png: png({ picture: listed("small") }),
    gif: gif({ frames: [{ picture: listed("small") }] }),
    bmp: bmp({ picture: listed("small") }),
  };
  for (const [format, bytes] of Object.entries(formats)) {
    for (const type of [
      "image/jpeg",
      "image/png",
      "image/gif",
      "image/webp",
      "image/bmp",
      "image/x-icon",
      "text/plain",
      "application/octet-stream",
      "",
    ]) {
      yield {
        kind: "media-type",
        name: `${format}-as-${type.replace("/", "-") || "nothing"}`,
        type,
        make: () => bytes,
      };
    }
  }
}

function patchedCount(bytes, count) {
  bytes.set(le16(count), 4);
  return bytes;
}
