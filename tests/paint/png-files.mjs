// Generates odd PNG files: with missing, moved, doubled or damaged chunks, with transparency, and animations.
import { constants, crc32, deflateSync } from "node:zlib";
import { ascii, dice, join, patched, spliced, u16, u32, zeros } from "./bytes.mjs";
import { exif } from "./exif.mjs";
import { dim, mirages, shadow } from "./mirages.mjs";
import { decoy, indexed, interleaved, listed, lumaOf, other, PALETTE } from "./pictures.mjs";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const TYPES = { grey: [0, 1], rgb: [2, 3], palette: [3, 1], "grey-alpha": [4, 2], rgba: [6, 4] };

/** Returns the samples of a picture for a colour type, 8 bits per sample. */
function samplesOf(picture, type, alpha = () => 255) {
  if (type === "rgb") return interleaved(picture);
  if (type === "rgba") return interleaved(picture, alpha);
  if (type === "palette") return indexed(picture);
  const luma = Uint8Array.from(lumaOf(picture), Math.round);
  return type === "grey"
    ? luma
    : Uint8Array.from({ length: 2 * luma.length }, (_, at) => (at % 2 ? alpha(at >> 1) : luma[at >> 1]));
}

const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** Returns rows with their filter bytes: of a plain picture, or in the seven passes of Adam7. */
function rowsOf(samples, width, height, bytesPerPixel, { interlaced = false, filter = 0, deep = false } = {}) {
  const rows = [];
  for (const [x0, y0, dx, dy] of interlaced ? PASSES : [[0, 0, 1, 1]]) {
    const columns = Math.ceil((width - x0) / dx);
    for (let y = y0; y < height; y += dy) {
      const row = new Uint8Array(1 + columns * bytesPerPixel * (deep ? 2 : 1));
      row[0] = filter;
      let to = 1;
      for (let x = x0; x < width; x += dx) {
        for (let at = 0; at < bytesPerPixel; at += 1) {
          const value = samples[(y * width + x) * bytesPerPixel + at];
          row[to++] = value;
          if (deep) row[to++] = value;
        }
      }
      if (columns > 0) rows.push(row);
    }
  }
  return join(...rows);
}

export function pngChunk(type, data = new Uint8Array()) {
  return { type, data };
}
const header = (width, height, colour, { depth = 8, interlaced = false } = {}) =>
  pngChunk("IHDR", join(u32(width), u32(height), depth, colour, 0, 0, interlaced ? 1 : 0));

/** Returns the chunks of a PNG. */
export function pngChunks({
  picture,
  type = "rgb",
  samples,
  alpha,
  palette = PALETTE,
  before = [],
  level = 3,
  ...options
}) {
  const { width, height } = picture;
  const [colour, bytes] = TYPES[type];
  samples ??= samplesOf(picture, type, alpha);
  const data = deflateSync(rowsOf(samples, width, height, bytes, options), { level });
  const deep = options.deep ? { depth: 16 } : {};
  return [
    header(width, height, colour, { ...options, ...deep }),
    ...before,
    ...(type === "palette" ? [pngChunk("PLTE", palette)] : []),
    pngChunk("IDAT", data),
    pngChunk("IEND"),
  ];
}

/**
 * Turns chunks into bytes. A chunk's own `length` or `crc` replaces the correct one. A chunk `{ raw }` is written
 * unchanged.
 */
export function assemblePng(chunks, signature = SIGNATURE) {
  return join(
    signature,
    ...chunks.map(({ raw, type, data, length, crc }) => {
      if (raw) return [raw];
      const body = join(ascii(type), data);
      return [u32(length ?? data.length), body, u32(crc ?? crc32(body))];
    }),
  );
}
export const png = (options) => assemblePng(pngChunks(options));

export function* pngFiles() {
  yield* colourTypes();
  yield* chunks();
  yield* palettes();
  yield* transparency();
  yield* data();
  yield* animations();
  yield* cut();
}

function* colourTypes() {
  for (const type of Object.keys(TYPES)) {
    for (const interlaced of [false, true]) {
      for (const deep of type === "palette" ? [false] : [false, true]) {
        yield {
          kind: "png-colour",
          name: `${type}${interlaced ? "-adam7" : ""}${deep ? "-16" : ""}`,
          make: () => png({ picture: listed("small"), type, interlaced, deep }),
        };
      }
    }
  }
}

const at = (chunks, type) => chunks.findIndex((chunk) => chunk.type === type);
const insert =
  (type, ...added) =>
  (chunks) =>
    chunks.toSpliced(at(chunks, type), 0, ...added);
const append =
  (type, ...added) =>
  (chunks) =>
    chunks.toSpliced(at(chunks, type) + 1, 0, ...added);
const without = (type) => (chunks) => chunks.filter((chunk) => chunk.type !== type);
const change = (type, edit) => (chunks) =>
  chunks.map((chunk) => (chunk.type === type ? { ...chunk, ...edit(chunk) } : chunk));
const split = (sizes) => (chunks) =>
  chunks.flatMap((chunk) => {
    if (chunk.type !== "IDAT") return [chunk];
    const parts = [];
    let from = 0;
    for (let n = 0; from < chunk.data.length; n += 1) {
      const size = sizes[n % sizes.length];
      parts.push(pngChunk("IDAT", chunk.data.subarray(from, from + size)));
      from += size;
    }
    return parts;
  });
const text = pngChunk("tEXt", ascii("Comment\0drawn"));
const raw = (...bytes) => ({ raw: join(...bytes) });

function* chunks() {
  const dataOf = (picture, options = {}) => pngChunks({ picture, ...options }).find(({ type }) => type === "IDAT");
  const interrupted = (chunks) => {
    const first = at(chunks, "IDAT");
    const { data } = chunks[first];
    const half = data.length >> 1;
    return chunks.toSpliced(
      first,
      1,
      pngChunk("IDAT", data.subarray(0, half)),
      text,
      pngChunk("IDAT", data.subarray(half)),
    );
  };
  const edits = (size, type) => ({
    "no-iend": without("IEND"),
    "iend-bad-crc": change("IEND", () => ({ crc: 1 })),
    "iend-with-data": change("IEND", () => ({ data: zeros(9) })),
    "iend-cut": (chunks) => [...without("IEND")(chunks), raw(u32(0), ascii("IE"))],
    "iend-twice": append("IEND", pngChunk("IEND")),
    "iend-first": insert("IDAT", pngChunk("IEND")),
    "trailer-text": append("IEND", raw(ascii("and so on"))),
    "trailer-zeros": append("IEND", raw(zeros(5000))),
    "trailer-png": append("IEND", raw(assemblePng(pngChunks({ picture: decoy(size) })))),
    "no-iend-trailer": (chunks) => [...without("IEND")(chunks), raw(zeros(50, 0x31))],
    "ihdr-bad-crc": change("IHDR", () => ({ crc: 1 })),
    "idat-bad-crc": change("IDAT", () => ({ crc: 1 })),
    "text-bad-crc": insert("IDAT", { ...text, crc: 1 }),
    "plte-bad-crc": change("PLTE", () => ({ crc: 1 })),
    "last-idat-bad-crc": (chunks) => {
      const parts = split([9000])(chunks);
      return parts.toSpliced(parts.length - 2, 1, { ...parts.at(-2), crc: 7 });
    },
    "first-idat-bad-crc": (chunks) =>
      change("IDAT", ({ data }) => (data.length > 8000 ? { crc: 7 } : {}))(split([9000, 100])(chunks)),
    "idat-in-small-parts": split([1, 100, 3000]),
    "idat-empty-first": insert("IDAT", pngChunk("IDAT")),
    "idat-empty-last": append("IDAT", pngChunk("IDAT")),
    "idat-interrupted": interrupted,
    "idat-interrupted-by-unknown": (chunks) =>
      interrupted(chunks).map((chunk) => (chunk === text ? pngChunk("abCd", zeros(3)) : chunk)),
    "idat-then-decoy-idat": append("IDAT", dataOf(decoy(size), { type })),
    "decoy-idat-first": insert("IDAT", dataOf(decoy(size), { type })),
    "idat-text-decoy-idat": append("IDAT", text, dataOf(decoy(size), { type })),
    "decoy-idat-text-idat": insert("IDAT", dataOf(decoy(size), { type }), text),
    "idat-missing": without("IDAT"),
    "ihdr-twice": append(
      "IHDR",
      header(...Object.values({ width: listed(size).width, height: listed(size).height }), TYPES[type][0]),
    ),
    "ihdr-twice-otherwise": append("IHDR", header(20, 20, 2)),
    "ihdr-late": (chunks) => [text, ...chunks],
    "ihdr-long": change("IHDR", ({ data }) => ({ data: join(data, 0, 0) })),
    "height-less": change("IHDR", ({ data }) => ({ data: patched(data, 4, u32(listed(size).height - 40)) })),
    "height-more": change("IHDR", ({ data }) => ({ data: patched(data, 4, u32(listed(size).height + 40)) })),
    "height-twice": change("IHDR", ({ data }) => ({ data: patched(data, 4, u32(listed(size).height * 2)) })),
    "width-less": change("IHDR", ({ data }) => ({ data: patched(data, 0, u32(listed(size).width - 1)) })),
    "filter-method-1": change("IHDR", ({ data }) => ({ data: patched(data, 11, [1]) })),
    "interlace-2": change("IHDR", ({ data }) => ({ data: patched(data, 12, [2]) })),
    "interlace-said": change("IHDR", ({ data }) => ({ data: patched(data, 12, [1]) })),
    "critical-unknown": insert("IDAT", pngChunk("ABCD", zeros(4))),
    "critical-unknown-late": append("IDAT", pngChunk("ABCD", zeros(4))),
    "ancillary-unknown": insert("IDAT", pngChunk("abCD", zeros(4))),
    "type-odd": insert("IDAT", pngChunk("1234", zeros(4))),
    "type-zeros": insert("IDAT", pngChunk("\0\0\0\0", zeros(4))),
    "length-huge": insert("IDAT", { ...text, length: 0x7fffffff }),
    "length-too-much": insert("IEND", { ...text, length: 400 }),
    "bytes-between": insert("IDAT", raw(zeros(3))),
    "bytes-before-iend": insert("IEND", raw(zeros(3))),
    background: insert("IDAT", pngChunk("bKGD", zeros(type === "palette" ? 1 : 6, 0))),
    physical: insert("IDAT", pngChunk("pHYs", join(u32(1), u32(4), 0))),
    "significant-bits-0": insert("IDAT", pngChunk("sBIT", zeros(3))),
    histogram: insert("IDAT", pngChunk("hIST", zeros(4))),
    time: insert("IEND", pngChunk("tIME", zeros(7))),
    "itxt-bad": insert("IDAT", pngChunk("iTXt", zeros(4))),
    "ztxt-bad": insert("IDAT", pngChunk("zTXt", join(ascii("a\0\0"), zeros(9, 9)))),
    "exif-orientation": insert("IDAT", pngChunk("eXIf", exif({ orientation: 6, bare: true }))),
    "exif-late": insert("IEND", pngChunk("eXIf", exif({ orientation: 3, bare: true }))),
    "gamma-0": insert("IDAT", pngChunk("gAMA", u32(0))),
    cgbi: (chunks) => [pngChunk("CgBI", zeros(4)), ...chunks],
    "chunk-after-iend": append("IEND", text),
  });
  for (const [size, type] of [
    ["small", "rgb"],
    ["small", "rgba"],
    ["small", "palette"],
    ["large", "rgb"],
  ]) {
    for (const [name, edit] of Object.entries(edits(size, type))) {
      yield {
        kind: "png-chunk",
        name: `${size}-${type}-${name}`,
        make: () => assemblePng(edit(pngChunks({ picture: listed(size, 1), type }))),
      };
    }
  }
  const signatures = {
    "cr-lost": [0x89, 0x50, 0x4e, 0x47, 0x0a, 0x1a, 0x0a],
    "high-bit": [0x09, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    "last-byte": [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0b],
  };
  for (const [name, signature] of Object.entries(signatures)) {
    yield {
      kind: "png-chunk",
      name: `signature-${name}`,
      make: () => assemblePng(pngChunks({ picture: listed("small") }), Uint8Array.from(signature)),
    };
  }
}

/**
 * Finds indices that show picture `one` with one palette and picture `two` with another palette. Returns the indices
 * and both palettes.
 */
function twoPalettes(one, two) {
  const [first, second] = [lumaOf(one), lumaOf(two)];
  const level = (value, place) => Math.min(15, Math.floor((value / 255) * 15 + [0, 0.5, 0.75, 0.25][place & 3]));
  const indices = Uint8Array.from(
    first,
    (value, place) => 16 * level(value, place) + level(second[place], place + (place >> 9)),
  );
  const palette = (shift) =>
    Uint8Array.from({ length: 768 }, (_, place) => 17 * ((Math.floor(place / 3) >> shift) & 15));
  return { indices, first: palette(4), second: palette(0) };
}

function* palettes() {
  const lengths = [0, 1, 2, 3, 4, 7, 30, 299, 755, 757, 766, 768, 769, 771, 800];
  for (const length of lengths) {
    yield {
      kind: "png-palette",
      name: `length-${length}`,
      make: () =>
        png({ picture: listed("small"), type: "palette", palette: join(PALETTE, zeros(60)).subarray(0, length) }),
    };
  }
  for (const type of ["rgb", "grey", "rgba"]) {
    for (const length of [3, 5, 768, 771]) {
      yield {
        kind: "png-palette",
        name: `in-${type}-${length}`,
        make: () => png({ picture: listed("small"), type, before: [pngChunk("PLTE", zeros(length))] }),
      };
    }
  }
  yield {
    kind: "png-palette",
    name: "missing",
    make: () => assemblePng(without("PLTE")(pngChunks({ picture: listed("small"), type: "palette" }))),
  };
  yield {
    kind: "png-palette",
    name: "late",
    make: () =>
      assemblePng(
        append(
          "IDAT",
          pngChunk("PLTE", PALETTE),
        )(without("PLTE")(pngChunks({ picture: listed("small"), type: "palette" }))),
      ),
  };
  for (const order of ["decoy-listed", "listed-decoy"]) {
    const pair = () =>
      order === "decoy-listed"
        ? twoPalettes(decoy("small"), listed("small"))
        : twoPalettes(listed("small"), decoy("small"));
    const made = (edit) => () => {
      const { indices, first, second } = pair();
      const chunks = pngChunks({ picture: listed("small"), type: "palette", samples: indices, palette: first });
      return assemblePng(edit(chunks, pngChunk("PLTE", second)));
    };
    const places = {
      "two-before": (chunks, second) => insert("IDAT", second)(chunks),
      "second-after-data": (chunks, second) => append("IDAT", second)(chunks),
      "second-after-trns": (chunks, second) => insert("IDAT", pngChunk("tRNS", zeros(3, 255)), second)(chunks),
      "first-bad-crc": (chunks, second) => insert("IDAT", second)(change("PLTE", () => ({ crc: 1 }))(chunks)),
      "second-bad-crc": (chunks, second) => insert("IDAT", { ...second, crc: 1 })(chunks),
      "first-of-766": (chunks, second) =>
        insert("IDAT", second)(change("PLTE", ({ data }) => ({ data: data.subarray(0, 766) }))(chunks)),
      "suggested-splt": (chunks, second) =>
        insert("IDAT", pngChunk("sPLT", join(ascii("x\0"), 8, second.data)))(chunks),
    };
    for (const [name, edit] of Object.entries(places)) {
      yield { kind: "png-palette", name: `${order}-${name}`, make: made(edit) };
    }
    // The palette's entries differ only in alpha, so the picture is seen only through its transparency.
    yield {
      kind: "png-mirage",
      name: `palette-alpha-${order}`,
      make: () => {
        const { indices, first, second } = pair();
        const alpha = Uint8Array.from({ length: 256 }, (_, entry) => second[3 * entry]);
        const black = first.map((value) => value >> 3);
        const chunks = pngChunks({ picture: listed("small"), type: "palette", samples: indices, palette: black });
        return assemblePng(insert("IDAT", pngChunk("tRNS", alpha))(chunks));
      },
    };
  }
}

function* transparency() {
  for (const size of ["small", "large"]) {
    for (const [name, make] of Object.entries(mirages)) {
      for (const deep of [false, true]) {
        if (size === "large" && deep) continue;
        yield {
          kind: "png-mirage",
          name: `${size}-${name}${deep ? "-16" : ""}`,
          make: () => {
            const { picture, alpha } = make(listed(size), decoy(size));
            return png({ picture, type: "rgba", alpha: (place) => alpha[place], deep });
          },
        };
      }
    }
  }
  const trns = {
    "rgb-key-absent": ["rgb", join(u16(1), u16(2), u16(3))],
    "rgb-key-short": ["rgb", zeros(4)],
    "rgb-key-long": ["rgb", zeros(9)],
    "grey-key": ["grey", u16(128)],
    "grey-key-long": ["grey", zeros(6)],
    "palette-all": ["palette", zeros(252)],
    "palette-half": ["palette", Uint8Array.from({ length: 252 }, (_, entry) => (entry % 2 ? 255 : 0))],
    "palette-long": ["palette", zeros(300, 255)],
    "rgba-has-it-too": ["rgba", zeros(6)],
  };
  for (const [name, [type, data]] of Object.entries(trns)) {
    for (const place of ["before", "after", "twice"]) {
      const chunk = pngChunk("tRNS", data);
      const edit =
        place === "after"
          ? append("IDAT", chunk)
          : insert("IDAT", ...(place === "twice" ? [chunk, pngChunk("tRNS", zeros(2))] : [chunk]));
      yield {
        kind: "png-trns",
        name: `${name}-${place}`,
        make: () => assemblePng(edit(pngChunks({ picture: listed("small"), type }))),
      };
    }
  }
  // One of the two colours of a grey picture is transparent, so the page's background is seen there.
  for (const dark of [true, false]) {
    yield {
      kind: "png-mirage",
      name: `key-${dark ? "black" : "white"}`,
      make: () => {
        const samples = shadow(listed("small"), dark);
        const chunks = pngChunks({ picture: listed("small"), type: "grey", samples });
        return assemblePng(insert("IDAT", pngChunk("tRNS", u16(dark ? 0 : 255)))(chunks));
      },
    };
  }
}

/** Generates compressed data that ends early, holds too much, or breaks the rules of zlib. */
function* data() {
  const picture = () => listed("small", 2);
  const rows = (options) => rowsOf(samplesOf(picture(), "rgb"), 320, 240, 3, options);
  const made = (bytes) => assemblePng([header(320, 240, 2), pngChunk("IDAT", bytes), pngChunk("IEND")]);
  const packed = () => deflateSync(rows());
  const variants = {
    stored: () => made(deflateSync(rows(), { level: 0 })),
    fixed: () => made(deflateSync(rows(), { strategy: constants.Z_FIXED })),
    "small-window": () => made(deflateSync(rows(), { windowBits: 9 })),
    "window-said-small": () => made(patched(packed(), 0, [0x18, 0x19])),
    "header-bad": () => made(patched(packed(), 1, [packed()[1] ^ 1])),
    "preset-dictionary": () => made(patched(packed(), 0, [0x78, 0xbb])),
    "adler-bad": () => made(patched(packed(), packed().length - 4, zeros(4))),
    "adler-missing": () => made(packed().subarray(0, -4)),
    "adler-cut": () => made(packed().subarray(0, -2)),
    "end-missing": () => made(packed().subarray(0, -8)),
    "bytes-after": () => made(join(packed(), zeros(100, 5))),
    "another-stream-after": () => made(join(packed(), deflateSync(zeros(1000)))),
    "rows-more": () => made(deflateSync(join(rows(), zeros(961 * 10)))),
    "rows-less": () => made(deflateSync(rows().subarray(0, 961 * 200))),
    "rows-one-less": () => made(deflateSync(rows().subarray(0, 961 * 239))),
    "last-row-cut": () => made(deflateSync(rows().subarray(0, 961 * 239 + 500))),
    "filter-5-all": () => made(deflateSync(rows({ filter: 5 }))),
    "filter-5-last": () => made(deflateSync(patched(rows(), 961 * 239, [5]))),
    "filter-9-middle": () => made(deflateSync(patched(rows(), 961 * 120, [9]))),
    "filter-2-first": () => made(deflateSync(patched(rows(), 0, [2]))),
    "flushed-often": () =>
      made(deflateSync(rows(), { flush: constants.Z_FULL_FLUSH, finishFlush: constants.Z_SYNC_FLUSH })),
    "raw-deflate": () => made(packed().subarray(2, -4)),
    "block-type-3": () => made(spliced(packed(), Math.floor(packed().length / 2), 2, Uint8Array.of(0xff, 0xff))),
  };
  for (const [name, make] of Object.entries(variants)) yield { kind: "png-data", name, make };
  const { below } = dice(3);
  for (let n = 0; n < 12; n += 1) {
    const [share, bit] = [(n + 1) / 13, below(8)];
    yield {
      kind: "png-data",
      name: `bit-flip-${n}`,
      make: () => {
        const bytes = Uint8Array.from(packed());
        bytes[Math.floor(share * bytes.length)] ^= 1 << bit;
        return made(bytes);
      },
    };
  }
}

/**
 * Returns an animated PNG. The frames are `{ picture, x, y, delay, dispose, blend, alpha }`. With `still`, the IDAT
 * picture is not a frame of the animation.
 */
function animation({ frames, still, width = 160, height = 120, plays = 0, count, edit = (chunks) => chunks }) {
  let sequence = -1;
  const numbered = () => {
    sequence += 1;
    return sequence;
  };
  const control = ({ picture, x = 0, y = 0, delay = 100, dispose = 0, blend = 0, control = {} }) =>
    pngChunk(
      "fcTL",
      join(
        u32(control.sequence ?? numbered()),
        u32(control.width ?? picture.width),
        u32(control.height ?? picture.height),
        u32(x),
        u32(y),
        u16(delay),
        u16(control.denominator ?? 1000),
        dispose,
        blend,
      ),
    );
  const dataOf = ({ picture, alpha, type = "rgba" }) =>
    pngChunks({ picture, type, alpha, level: 1 }).find(({ type }) => type === "IDAT").data;
  const body = frames.flatMap((frame, place) => {
    const first = place === 0 && !still;
    const head = control(frame);
    if (first) return [head, pngChunk("IDAT", dataOf(frame))];
    return [head, pngChunk("fdAT", join(u32(numbered()), dataOf(frame)))];
  });
  const chunks = [
    header(width, height, 6),
    pngChunk("acTL", join(u32(count ?? frames.length), u32(plays))),
    ...(still ? [pngChunk("IDAT", dataOf(still))] : []),
    ...body,
    pngChunk("IEND"),
  ];
  return assemblePng(edit(chunks));
}

function* animations() {
  const [L, D] = [() => ({ picture: listed("tiny") }), () => ({ picture: decoy("tiny") })];
  const file = (name, make) => ({ kind: "png-animated", name, make });
  const orders = { "listed-decoy": [L, D], "decoy-listed": [D, L] };
  for (const [order, [one, two]] of Object.entries(orders)) {
    yield file(`${order}-frames`, () => animation({ frames: [one(), two()] }));
    yield file(`${order}-still-then-frames`, () => animation({ still: one(), frames: [two(), two()] }));
    yield file(`${order}-still-one-frame`, () => animation({ still: one(), frames: [two()] }));
    yield file(`${order}-ten-minutes-second`, () =>
      animation({
        frames: [
          { ...one(), delay: 10 },
          { ...two(), delay: 60000, control: { denominator: 100 } },
        ],
      }),
    );
    const broken = {
      "count-0": { count: 0 },
      "count-1": { count: 1 },
      "count-more": { count: 9 },
      "plays-1": { plays: 1 },
      "sequence-wrong": { edit: change("fdAT", ({ data }) => ({ data: patched(data, 0, u32(77)) })) },
      "control-bad-crc": { edit: change("fcTL", () => ({ crc: 1 })) },
      "actl-bad-crc": { edit: change("acTL", () => ({ crc: 1 })) },
      "actl-short": { edit: change("acTL", () => ({ data: u32(2) })) },
      "actl-missing": { edit: without("acTL") },
      "actl-late": {
        edit: (chunks) =>
          append(
            "IDAT",
            chunks.find(({ type }) => type === "acTL"),
          )(without("acTL")(chunks)),
      },
      "actl-twice": { edit: append("acTL", pngChunk("acTL", join(u32(1), u32(0)))) },
      "fdat-missing": { edit: without("fdAT") },
      "fdat-bad-crc": { edit: change("fdAT", () => ({ crc: 1 })) },
      "fdat-cut": { edit: change("fdAT", ({ data }) => ({ data: data.subarray(0, data.length >> 1) })) },
      "fctl-missing": { edit: without("fcTL") },
      "fctl-short": { edit: change("fcTL", ({ data }) => ({ data: data.subarray(0, 20) })) },
      "fctl-too-wide": { edit: change("fcTL", ({ data }) => ({ data: patched(data, 4, u32(9999)) })) },
      "fctl-zero": { edit: change("fcTL", ({ data }) => ({ data: patched(data, 4, u32(0)) })) },
      "fctl-offset-out": { edit: change("fcTL", ({ data }) => ({ data: patched(data, 12, u32(100)) })) },
      "fctl-dispose-9": { edit: change("fcTL", ({ data }) => ({ data: patched(data, 24, [9]) })) },
      "fctl-blend-9": { edit: change("fcTL", ({ data }) => ({ data: patched(data, 25, [9]) })) },
      "iend-missing": { edit: without("IEND") },
      "text-between": { edit: insert("fdAT", text) },
      "fdat-in-parts": {
        edit: (chunks) =>
          chunks.flatMap((chunk) => {
            if (chunk.type !== "fdAT") return [chunk];
            const half = chunk.data.length >> 1;
            return [
              pngChunk("fdAT", chunk.data.subarray(0, half)),
              pngChunk("fdAT", join(u32(3), chunk.data.subarray(half))),
            ];
          }),
      },
    };
    for (const [name, options] of Object.entries(broken)) {
      yield file(`${order}-${name}`, () => animation({ frames: [one(), two()], ...options }));
      yield file(`${order}-still-${name}`, () => animation({ still: one(), frames: [two(), two()], ...options }));
    }
  }
  for (const total of [17, 20, 40]) {
    for (const place of [0, 1, 3, 6, 8, 9, 13, 15, 16, 18, 25, 38, 39]) {
      if (place >= total || (total === 40 && place % 2 === 0)) continue;
      for (const long of [false, true]) {
        yield file(`frame-${place}-of-${total}${long ? "-long" : ""}`, () =>
          animation({
            frames: Array.from({ length: total }, (_, number) => ({
              picture: number === place ? listed("tiny") : other("tiny", number),
              delay: long && number === place ? 60000 : 50,
            })),
          }),
        );
      }
    }
  }
  // Each frame paints a quarter of the listed picture.
  const quarter = (picture, x, y) => ({
    width: 80,
    height: 60,
    planes: picture.planes.map((plane) =>
      Uint8Array.from({ length: 80 * 60 }, (_, place) => plane[(y + Math.floor(place / 80)) * 160 + x + (place % 80)]),
    ),
  });
  const quarters = (picture, more = {}) =>
    [
      [0, 0],
      [80, 0],
      [0, 60],
      [80, 60],
    ].map(([x, y]) => ({ picture: quarter(picture, x, y), x, y, ...more }));
  for (const dispose of [0, 1, 2]) {
    for (const blend of [0, 1]) {
      yield file(`quarters-dispose-${dispose}-blend-${blend}`, () =>
        animation({ frames: [D(), ...quarters(listed("tiny"), { dispose, blend }), { ...D(), dispose, blend }] }),
      );
    }
  }
  yield file("half-transparent-over-decoy", () =>
    animation({
      frames: [{ picture: dim(listed("tiny")) }, { picture: dim(listed("tiny")), alpha: () => 128, blend: 1 }, D()],
    }),
  );
}

function* cut() {
  for (const [base, options] of Object.entries({
    rgb: {},
    palette: { type: "palette" },
    adam7: { interlaced: true },
    rgba: { type: "rgba" },
  })) {
    for (const share of [0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999]) {
      yield {
        kind: "png-cut",
        name: `${base}-${share}`,
        make: () => {
          const whole = png({ picture: listed("small"), ...options });
          return whole.subarray(0, Math.floor(whole.length * share));
        },
      };
    }
  }
}
