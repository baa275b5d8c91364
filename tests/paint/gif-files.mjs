// Generates odd GIF files: with missing or surplus blocks, frames of odd sizes and places, odd palettes, and long
// animations.
import { ascii, dice, join, le16, patched, spliced, zeros } from "./bytes.mjs";
import { decoy, indexed, listed, other, PALETTE } from "./pictures.mjs";

/** Encodes indices as LZW codes of variable length, in sub-blocks (GIF89a, appendix F). */
export function lzw(indices, { depth = 8, first = true, end = true, literal = false } = {}) {
  const [clear, stop] = [1 << depth, (1 << depth) + 1];
  const bytes = [];
  let [held, count, width, next, dictionary] = [0, 0, depth + 1, stop + 1, new Map()];
  const put = (code) => {
    held |= code << count;
    for (count += width; count >= 8; count -= 8, held >>>= 8) bytes.push(held & 255);
  };
  const reset = () => {
    put(clear);
    [width, next, dictionary] = [depth + 1, stop + 1, new Map()];
  };
  if (first) reset();
  let prefix = indices[0];
  for (let at = 1; at < indices.length; at += 1) {
    const key = prefix * 256 + indices[at];
    const known = literal ? undefined : dictionary.get(key);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    put(prefix);
    if (next < 4096) {
      dictionary.set(key, next);
      if (next === 1 << width && width < 12) width += 1;
      next += 1;
    } else reset();
    prefix = indices[at];
  }
  if (indices.length > 0) put(prefix);
  if (next === 1 << width && width < 12) width += 1;
  if (end) put(stop);
  if (count > 0) bytes.push(held & 255);
  return Uint8Array.from(bytes);
}

const subBlocks = (bytes, size = 255) => {
  const parts = [];
  for (let at = 0; at < bytes.length; at += size)
    parts.push(Math.min(size, bytes.length - at), bytes.subarray(at, at + size));
  return join(...parts, 0);
};

const GLOBAL = join(PALETTE, zeros(12));

const dataOf = new Map();
function compressed(picture, options) {
  const key = JSON.stringify([picture.seed, picture.width, picture.height, options]);
  const indices = () => picture.indices ?? indexed(picture);
  if (picture.seed === undefined) return lzw(indices(), options);
  if (!dataOf.has(key)) dataOf.set(key, lzw(indices(), options));
  return dataOf.get(key);
}

/** Returns the blocks of one frame: the graphic control (which an option leaves out) and the image. */
export function gifFrame({
  picture,
  x = 0,
  y = 0,
  width = picture.width,
  height = picture.height,
  delay = 10,
  disposal = 0,
  transparent,
  control = true,
  palette,
  interlaced = false,
  depth = 8,
  coding,
  data,
  flags,
}) {
  const packed = (disposal << 2) | (transparent === undefined ? 0 : 1);
  const paletteBits = palette ? 0x80 | (Math.ceil(Math.log2(palette.length / 3)) - 1) : 0;
  return [
    ...(control ? [{ name: "control", bytes: join(0x21, 0xf9, 4, packed, le16(delay), transparent ?? 0, 0) }] : []),
    {
      name: "image",
      bytes: join(
        0x2c,
        le16(x),
        le16(y),
        le16(width),
        le16(height),
        flags ?? paletteBits | (interlaced ? 0x40 : 0),
        palette ?? [],
        depth,
        subBlocks(data ?? compressed(picture, { depth, ...coding })),
      ),
    },
  ];
}

/** Returns a GIF as a list of named blocks, which tests and the fuzzer may change. */
export function gifBlocks({
  frames,
  width,
  height,
  palette = GLOBAL,
  version = "89a",
  loop = true,
  background = 0,
  flags,
}) {
  const [first] = frames;
  const bits = palette ? 0xf0 | (Math.ceil(Math.log2(palette.length / 3)) - 1) : 0x70;
  return [
    { name: "header", bytes: ascii(`GIF${version}`) },
    {
      name: "screen",
      bytes: join(
        le16(width ?? first.picture.width),
        le16(height ?? first.picture.height),
        flags ?? bits,
        background,
        0,
        palette ?? [],
      ),
    },
    ...(loop && frames.length > 1
      ? [{ name: "loop", bytes: join(0x21, 0xff, 11, ascii("NETSCAPE2.0"), 3, 1, le16(0), 0) }]
      : []),
    ...frames.flatMap(gifFrame),
    { name: "trailer", bytes: Uint8Array.of(0x3b) },
  ];
}
export const assembleGif = (blocks) => join(...blocks.map(({ bytes }) => bytes));
export const gif = (options) => assembleGif(gifBlocks(options));

const at = (blocks, name) => blocks.findIndex((block) => block.name === name);
const insert =
  (name, ...bytes) =>
  (blocks) =>
    blocks.toSpliced(at(blocks, name), 0, { bytes: join(...bytes) });
const append =
  (name, ...bytes) =>
  (blocks) =>
    blocks.toSpliced(at(blocks, name) + 1, 0, { bytes: join(...bytes) });
const without = (name) => (blocks) => blocks.filter((block) => block.name !== name);
const change = (name, edit) => (blocks) =>
  blocks.map((block) => (block.name === name ? { ...block, bytes: edit(block.bytes) } : block));

export function* gifFiles() {
  yield* blocks();
  yield* frames();
  yield* coding();
  yield* animations();
  yield* cut();
}

function* blocks() {
  const comment = join(0x21, 0xfe, subBlocks(ascii("drawn")));
  const edits = {
    whole: (blocks) => blocks,
    "no-trailer": without("trailer"),
    "no-trailer-zeros": (blocks) => [...without("trailer")(blocks), { bytes: zeros(20) }],
    "no-trailer-text": (blocks) => [...without("trailer")(blocks), { bytes: ascii("and so on") }],
    "zero-before-trailer": insert("trailer", 0),
    "zeros-before-trailer": insert("trailer", zeros(9)),
    "zero-before-image": insert("image", 0),
    "zero-before-control": insert("control", 0),
    "zeros-after-screen": append("screen", zeros(5)),
    "byte-7-before-trailer": insert("trailer", 7),
    "byte-7-before-image": insert("image", 7),
    "bytes-after-screen": append("screen", 1, 2, 3),
    "trailer-early": insert("image", 0x3b),
    "trailer-after-screen": append("screen", 0x3b),
    "after-trailer-text": append("trailer", ascii("and so on")),
    "after-trailer-decoy": append("trailer", gif({ frames: [{ picture: decoy("small") }] })),
    "after-trailer-frame": (blocks) => [...blocks, ...gifFrame({ picture: decoy("small") })],
    comment: insert("image", comment),
    "comment-after-control": append("control", comment),
    "comment-open": insert("trailer", comment.subarray(0, -1)),
    "plain-text": insert(
      "image",
      0x21,
      0x01,
      12,
      le16(0),
      le16(0),
      le16(100),
      le16(50),
      8,
      8,
      1,
      2,
      subBlocks(ascii("Text")),
    ),
    "unknown-extension": insert("image", 0x21, 0x42, subBlocks(zeros(9, 3))),
    "extension-00": insert("image", 0x21, 0x00, 0),
    "application-short": insert("image", 0x21, 0xff, 3, ascii("abc"), 0),
    "application-xmp": insert(
      "image",
      0x21,
      0xff,
      11,
      ascii("XMP DataXMP"),
      ascii("<x/>"),
      1,
      Uint8Array.from({ length: 256 }, (_, n) => 255 - n),
      0,
    ),
    "control-long": change("control", () => join(0x21, 0xf9, 6, zeros(6), 0)),
    "control-short": change("control", () => join(0x21, 0xf9, 2, 0, 0, 0)),
    "control-not-ended": change("control", (bytes) => bytes.subarray(0, -1)),
    "control-twice": append("control", 0x21, 0xf9, 4, 0, le16(5), 0, 0),
    "control-missing": without("control"),
    "control-last": insert("trailer", 0x21, 0xf9, 4, 0, le16(5), 0, 0),
    "version-87a": change("header", () => ascii("GIF87a")),
    "version-90a": change("header", () => ascii("GIF90a")),
    "version-lower": change("header", () => ascii("gif89a")),
    "screen-0": change("screen", (bytes) => patched(bytes, 0, zeros(4))),
    "screen-smaller": change("screen", (bytes) => patched(bytes, 0, join(le16(200), le16(150)))),
    "screen-tiny": change("screen", (bytes) => patched(bytes, 0, join(le16(1), le16(1)))),
    "screen-larger": change("screen", (bytes) => patched(bytes, 0, join(le16(400), le16(300)))),
    "screen-much-larger": change("screen", (bytes) => patched(bytes, 0, join(le16(3200), le16(2400)))),
    "background-255": change("screen", (bytes) => patched(bytes, 5, [255])),
    "aspect-odd": change("screen", (bytes) => patched(bytes, 6, [200])),
    "no-palette": (blocks) => change("screen", (bytes) => patched(bytes.subarray(0, 7), 4, [0x70]))(blocks),
    "palette-of-2": change("screen", (bytes) => patched(bytes.subarray(0, 13), 4, [0xf0])),
    "palette-of-64": change("screen", (bytes) => patched(bytes.subarray(0, 7 + 192), 4, [0xf5])),
    "palette-cut": change("screen", (bytes) => bytes.subarray(0, 300)),
  };
  for (const [name, edit] of Object.entries(edits)) {
    for (const [base, frames] of Object.entries({
      one: () => [{ picture: listed("small") }],
      two: () => [{ picture: listed("small") }, { picture: decoy("small"), delay: 30 }],
      "decoy-first": () => [{ picture: decoy("small"), delay: 30 }, { picture: listed("small") }],
    })) {
      yield {
        kind: "gif-block",
        name: `${base}-${name}`,
        make: () => assembleGif(edit(gifBlocks({ frames: frames() }))),
      };
    }
  }
}

const none = { seed: undefined, width: 0, height: 0, indices: new Uint8Array(1) };
const strip = (picture, x, y, width, height) => ({
  width,
  height,
  planes: picture.planes.map((plane) =>
    Uint8Array.from(
      { length: width * height },
      (_, place) => plane[(y + Math.floor(place / width)) * picture.width + x + (place % width)],
    ),
  ),
});
const quarters = (picture) => {
  const [width, height] = [picture.width / 2, picture.height / 2];
  return [
    [0, 0],
    [width, 0],
    [0, height],
    [width, height],
  ].map(([x, y]) => ({ picture: strip(picture, x, y, width, height), x, y }));
};

/**
 * Generates frames without a size, beyond the screen, with their own palettes, and frames that together show the
 * picture.
 */
function* frames() {
  const shownFrame = (more = {}) => ({ picture: listed("small"), ...more });
  const decoyFrame = (more = {}) => ({ picture: decoy("small"), ...more });
  const cases = {
    "zero-size-first": [{ picture: none }, shownFrame()],
    "zero-size-second": [shownFrame(), { picture: none }],
    "zero-size-alone": [{ picture: none }],
    "zero-width": [shownFrame({ width: 0 })],
    "zero-height-then-listed": [decoyFrame({ height: 0 }), shownFrame()],
    "width-0-data-whole-then-listed": [decoyFrame({ width: 0 }), shownFrame()],
    "height-more-than-data": [shownFrame({ height: 300 })],
    "height-less-than-data": [shownFrame({ height: 200 })],
    "offset-out": [shownFrame({ x: 400 })],
    "offset-half-out": [shownFrame({ x: 160 })],
    "offset-out-then-listed": [decoyFrame({ x: 400, y: 10 }), shownFrame()],
    interlaced: [shownFrame({ interlaced: true })],
    "local-palette": [shownFrame({ palette: GLOBAL })],
    "local-palette-inverted": [shownFrame({ palette: GLOBAL.map((value) => 255 - value) })],
    "local-palette-of-4": [shownFrame({ palette: GLOBAL.subarray(0, 12) })],
    "local-palette-of-200-said-256": [shownFrame({ palette: GLOBAL.subarray(0, 600) })],
    "transparent-0": [shownFrame({ transparent: 0 })],
    "transparent-255": [shownFrame({ transparent: 255 })],
    "transparent-half-over-decoy": [decoyFrame(), shownFrame({ transparent: 100 })],
    "delay-0": [decoyFrame({ delay: 0 }), shownFrame({ delay: 0 })],
    "delay-most": [decoyFrame({ delay: 1 }), shownFrame({ delay: 65535 })],
    "delay-most-first": [shownFrame({ delay: 65535 }), decoyFrame({ delay: 1 })],
    "data-empty": [shownFrame({ data: new Uint8Array() })],
    "data-empty-then-listed": [decoyFrame({ data: new Uint8Array() }), shownFrame()],
    "listed-then-data-empty": [shownFrame(), decoyFrame({ data: new Uint8Array() })],
  };
  for (const [name, list] of Object.entries(cases)) {
    yield { kind: "gif-frame", name, make: () => gif({ frames: list, width: 320, height: 240 }) };
    yield {
      kind: "gif-frame",
      name: `${name}-no-global-palette`,
      make: () => gif({ frames: list, width: 320, height: 240, palette: null }),
    };
  }
  for (let disposal = 0; disposal < 8; disposal += 1) {
    yield {
      kind: "gif-composed",
      name: `quarters-disposal-${disposal}`,
      make: () =>
        gif({
          frames: [...quarters(listed("small")).map((frame) => ({ ...frame, disposal })), decoyFrame({ disposal })],
        }),
    };
    yield {
      kind: "gif-composed",
      name: `decoy-then-quarters-disposal-${disposal}`,
      make: () =>
        gif({
          frames: [decoyFrame({ disposal }), ...quarters(listed("small")).map((frame) => ({ ...frame, disposal: 1 }))],
        }),
    };
    yield {
      kind: "gif-composed",
      name: `listed-under-disposal-${disposal}`,
      make: () =>
        gif({
          frames: [
            shownFrame({ disposal: 1 }),
            decoyFrame({ disposal }),
            { picture: strip(listed("small"), 0, 0, 4, 4), disposal: 1 },
          ],
          width: 320,
          height: 240,
        }),
    };
    yield {
      kind: "gif-composed",
      name: `margin-disposal-${disposal}`,
      make: () =>
        gif({
          frames: [decoyFrame({ x: 10, y: 20, disposal }), shownFrame({ x: 30, y: 5, disposal })],
          width: 400,
          height: 300,
        }),
    };
  }
  // The picture is composed of many frames, each of which changes only a small part.
  for (const pieces of [12, 24, 48]) {
    yield {
      kind: "gif-composed",
      name: `rows-${pieces}`,
      make: () => {
        const height = 240 / pieces;
        const frames = Array.from({ length: pieces }, (_, n) => ({
          picture: strip(listed("small"), 0, n * height, 320, height),
          y: n * height,
          disposal: 1,
          delay: 2,
        }));
        return gif({
          frames: [
            decoyFrame({ disposal: 1 }),
            ...frames,
            ...Array.from({ length: pieces }, (_, n) => ({
              picture: strip(decoy("small", 1), 0, n * height, 320, height),
              y: n * height,
              disposal: 1,
              delay: 2,
            })),
          ],
        });
      },
    };
  }
}

/** Generates LZW data that ends early, continues after its end, or has odd codes. */
function* coding() {
  const L = listed("small");
  const whole = () => lzw(indexed(L));
  const file = (frame) => gif({ frames: [{ picture: L, ...frame }] });
  const { below } = dice(17);
  const cases = {
    "no-clear-first": () => file({ coding: { first: false } }),
    "no-end": () => file({ coding: { end: false } }),
    literal: () => file({ coding: { literal: true } }),
    "bytes-after-end": () => file({ data: join(whole(), zeros(100, 0x5a)) }),
    "another-picture-after-end": () => file({ data: join(whole(), lzw(indexed(decoy("small")))) }),
    "two-streams-one-frame": () =>
      assembleGif(
        gifBlocks({ frames: [{ picture: L }] }).flatMap((block) =>
          block.name === "image" ? [{ bytes: join(block.bytes, subBlocks(lzw(indexed(decoy("small"))))) }] : [block],
        ),
      ),
    "data-of-half": () => file({ data: lzw(indexed(L).subarray(0, 38400)) }),
    "data-of-nine-tenths": () => file({ data: lzw(indexed(L).subarray(0, 69120)) }),
    "data-of-all-but-one": () => file({ data: lzw(indexed(L).subarray(0, 76799)) }),
    "data-cut-at-half": () => file({ data: whole().subarray(0, whole().length >> 1) }),
    "depth-7-said": () => file({ depth: 7, data: whole() }),
    "depth-9-said": () => file({ depth: 9, data: whole() }),
    "depth-12-said": () => file({ depth: 12, data: whole() }),
    "depth-0-said": () => file({ depth: 0, data: whole() }),
    "depth-255-said": () => file({ depth: 255, data: whole() }),
    "depth-9": () => file({ depth: 9 }),
    "depth-11": () => file({ depth: 11 }),
    "blocks-of-1": () => file({ data: whole().subarray(0, 200) }),
    "code-beyond-table": () => file({ data: patched(whole(), whole().length >> 1, [0xff, 0xff, 0xff]) }),
    "block-length-0-in-middle": () => {
      const image = gifFrame({ picture: L, control: false })[0].bytes;
      const place = 11 + 256 * Math.floor((image.length - 11) / 512);
      return assembleGif(
        gifBlocks({ frames: [{ picture: L }] }).map((block) =>
          block.name === "image" ? { bytes: spliced(image, place, 0, Uint8Array.of(0)) } : block,
        ),
      );
    },
    "block-terminator-missing": () =>
      assembleGif(change("image", (bytes) => bytes.subarray(0, -1))(gifBlocks({ frames: [{ picture: L }] }))),
    "blocks-of-17": () => {
      const head = gifFrame({ picture: L, control: false, data: new Uint8Array() })[0].bytes.subarray(0, -1);
      return assembleGif(
        change("image", () => join(head, subBlocks(whole(), 17)))(gifBlocks({ frames: [{ picture: L }] })),
      );
    },
  };
  for (const [name, make] of Object.entries(cases)) yield { kind: "gif-coding", name, make };
  for (let n = 0; n < 12; n += 1) {
    const bit = below(8);
    yield {
      kind: "gif-coding",
      name: `bit-flip-${n}`,
      make: () => {
        const bytes = Uint8Array.from(whole());
        bytes[Math.floor(((n + 1) / 13) * bytes.length)] ^= 1 << bit;
        return file({ data: bytes });
      },
    };
  }
}

/** Generates long animations with the listed picture in one frame, which is shown for an instant or for minutes. */
function* animations() {
  const alike = (number) => other("tiny", number % 3);
  for (const total of [2, 5, 16, 17, 18, 20, 33, 40, 100]) {
    const { below } = dice(total);
    const places = new Set([0, 1, total - 2, total - 1, total >> 1, ...Array.from({ length: 9 }, () => below(total))]);
    for (const place of places) {
      for (const [style, delays] of Object.entries({ even: [5, 5], long: [5, 60000], short: [100, 2] })) {
        if (style !== "even" && place % 2 === 1) continue;
        for (const still of [false, true]) {
          if (still && total < 17) continue;
          yield {
            kind: `gif-animated-${total > 16 ? "long" : "short"}`,
            name: `frame-${place}-of-${total}-${style}${still ? "-few-pictures" : ""}`,
            make: () =>
              gif({
                frames: Array.from({ length: total }, (_, number) => ({
                  picture:
                    number === place
                      ? listed("tiny")
                      : still
                        ? alike(Math.floor((3 * number) / total))
                        : other("tiny", number % 45),
                  delay: delays[number === place ? 1 : 0],
                })),
              }),
          };
        }
      }
    }
  }
}

function* cut() {
  for (const [base, frames] of Object.entries({
    one: () => [{ picture: listed("small") }],
    interlaced: () => [{ picture: listed("small"), interlaced: true }],
    two: () => [{ picture: listed("small") }, { picture: decoy("small") }],
    "decoy-first": () => [{ picture: decoy("small") }, { picture: listed("small") }],
  })) {
    for (const share of [0.02, 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.995, 0.999]) {
      yield {
        kind: "gif-cut",
        name: `${base}-${share}`,
        make: () => {
          const whole = gif({ frames: frames() });
          return whole.subarray(0, Math.floor(whole.length * share));
        },
      };
    }
  }
}
