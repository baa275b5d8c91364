// A JPEG encoder (ITU T.81) for odd files: any sampling, component ids, scans and headers, legal or not. It returns a
// list of parts. Generators and the fuzzer change these before `assemble` turns them into bytes.
import { ascii, join, u16 } from "./bytes.mjs";

const ZIGZAG = Uint8Array.from(
  // biome-ignore format: a table of the standard (figure A.6).
  [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60,
    61, 54, 47, 55, 62, 63],
);

/** For each colour model, the components that are stored, as functions of red, green and blue. */
const luma = (r, g, b) => 0.299 * r + 0.587 * g + 0.114 * b;
const blueChroma = (r, g, b) => 128 - 0.168736 * r - 0.331264 * g + 0.5 * b;
const redChroma = (r, g, b) => 128 + 0.5 * r - 0.418688 * g - 0.081312 * b;
// Adobe stores inks inverted. The black ink takes the part that even the brightest channel lacks.
const black = (r, g, b) => Math.max(r, g, b, 1);
const ink = (channel) => (r, g, b) => (255 * [r, g, b][channel]) / black(r, g, b);
const overInk = (change) => (r, g, b) => change(ink(0)(r, g, b), ink(1)(r, g, b), ink(2)(r, g, b));
const inverted = (change) => (r, g, b) => 255 - change(r, g, b);
export const MODELS = {
  grey: [luma],
  two: [luma, () => 128],
  ycc: [luma, blueChroma, redChroma],
  rgb: [(r) => r, (_, g) => g, (_r, _g, b) => b],
  bgr: [(_r, _g, b) => b, (_, g) => g, (r) => r],
  cmyk: [ink(0), ink(1), ink(2), black],
  "cmyk-plain": [ink(0), ink(1), ink(2), black].map(inverted),
  ycck: [overInk(luma), overInk(blueChroma), overInk(redChroma), black],
  "ycck-plain": [overInk(luma), overInk(blueChroma), overInk(redChroma), inverted(black)],
};

/**
 * Returns a quantization step for each term (`dc` for the mean). The steps grow by `slope` towards high frequencies.
 */
export function steps(dc, slope) {
  return Array.from({ length: 64 }, (_, at) => {
    const [x, y] = [ZIGZAG[at] % 8, ZIGZAG[at] >> 3];
    return Math.max(1, Math.min(255, Math.round(dc + slope * (x + y))));
  });
}
const DEFAULT_STEPS = steps(6, 2);

const COSINES = Float32Array.from({ length: 64 }, (_, at) => {
  const [term, place] = [at >> 3, at & 7];
  return (term === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * place + 1) * term * Math.PI) / 16);
});

/** Returns the forward DCT of 64 samples around 0, in rows of 8. */
export function transformed(samples, out = new Float32Array(64)) {
  const half = new Float32Array(64);
  for (let y = 0; y < 8; y += 1) {
    for (let u = 0; u < 8; u += 1) {
      let sum = 0;
      for (let x = 0; x < 8; x += 1) sum += samples[8 * y + x] * COSINES[8 * u + x];
      half[8 * y + u] = sum;
    }
  }
  for (let u = 0; u < 8; u += 1) {
    for (let v = 0; v < 8; v += 1) {
      let sum = 0;
      for (let y = 0; y < 8; y += 1) sum += half[8 * y + u] * COSINES[8 * v + y];
      out[8 * v + u] = sum;
    }
  }
  return out;
}

/** Quantizes a transformed block, and writes the terms in zigzag order into `out`. */
export function quantized(block, table, out) {
  for (let at = 0; at < 64; at += 1) {
    const most = at === 0 ? 1024 : 1023;
    out[at] = Math.max(-most, Math.min(most, Math.round(block[ZIGZAG[at]] / table[at])));
  }
}

/** Returns the samples (around 0) that a decoder computes from quantized terms, before it clips them. */
export function dequantized(terms, table) {
  const block = new Float32Array(64);
  for (let at = 0; at < 64; at += 1) block[ZIGZAG[at]] = terms[at] * table[at];
  const samples = new Float32Array(64);
  for (let y = 0; y < 8; y += 1) {
    for (let x = 0; x < 8; x += 1) {
      let sum = 0;
      for (let v = 0; v < 8; v += 1) {
        for (let u = 0; u < 8; u += 1) sum += block[8 * v + u] * COSINES[8 * u + x] * COSINES[8 * v + y];
      }
      samples[8 * y + x] = sum;
    }
  }
  return samples;
}

/**
 * Returns the numbers of blocks of each component: padded to whole interleaved units, and in a scan of its own (A.2.2).
 */
function geometry({ width, height, sampling }) {
  const across = Math.max(...sampling.map(([h]) => h));
  const down = Math.max(...sampling.map(([, v]) => v));
  const [unitColumns, unitRows] = [Math.ceil(width / (8 * across)), Math.ceil(height / (8 * down))];
  const components = sampling.map(([h, v]) => ({
    h,
    v,
    width: Math.ceil((width * h) / across),
    height: Math.ceil((height * v) / down),
    columns: unitColumns * h,
    rows: unitRows * v,
    ownColumns: Math.ceil(Math.ceil((width * h) / across) / 8),
    ownRows: Math.ceil(Math.ceil((height * v) / down) / 8),
  }));
  return { unitColumns, unitRows, components };
}

const held = new Map();
/** Gives each object a number, so that the cache of terms can use it in a key. */
const identities = new WeakMap();
let known = 0;
function identityOf(object) {
  if (!identities.has(object)) {
    known += 1;
    identities.set(object, known);
  }
  return identities.get(object);
}

/**
 * Returns the quantized terms of all components of a picture in a colour model. Caches them for further files of the
 * same picture.
 */
export function terms({ picture, model = "ycc", sampling, tables = [DEFAULT_STEPS] }) {
  const functions = MODELS[model];
  sampling ??= functions.map(() => [1, 1]);
  const key = `${identityOf(picture)} ${model} ${sampling} ${tables.map(identityOf)}`;
  if (!held.has(key)) {
    if (held.size > 24) held.delete(held.keys().next().value);
    const { width, height, planes } = picture;
    const { components } = geometry({ width, height, sampling });
    const coded = components.map((component, place) =>
      codedPlane(functions[place % functions.length], planes, width, height, component, tables[place] ?? tables[0]),
    );
    held.set(key, { width, height, sampling, tables, coded });
  }
  return held.get(key);
}

function codedPlane(value, [red, green, blue], width, height, component, table) {
  const { columns, rows } = component;
  const small = new Float32Array(component.width * component.height);
  for (let y = 0; y < component.height; y += 1) {
    const [top, bottom] = span(y, component.height, height);
    for (let x = 0; x < component.width; x += 1) {
      const [left, right] = span(x, component.width, width);
      let sum = 0;
      for (let j = top; j < bottom; j += 1) {
        for (let i = left; i < right; i += 1)
          sum += value(red[j * width + i], green[j * width + i], blue[j * width + i]);
      }
      small[y * component.width + x] = sum / ((bottom - top) * (right - left)) - 128;
    }
  }
  const blocks = new Int16Array(64 * columns * rows);
  const [samples, block] = [new Float32Array(64), new Float32Array(64)];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      for (let at = 0; at < 64; at += 1) {
        const y = Math.min(component.height - 1, 8 * row + (at >> 3));
        samples[at] = small[y * component.width + Math.min(component.width - 1, 8 * column + (at & 7))];
      }
      transformed(samples, block);
      const place = 64 * (row * columns + column);
      quantized(block, table, blocks.subarray(place, place + 64));
    }
  }
  return blocks;
}

/** Returns the range of pixels that sample `at` covers, if `count` samples cover `whole` pixels: at least one pixel. */
function span(at, count, whole) {
  const start = Math.min(whole - 1, Math.floor((at * whole) / count));
  return [start, Math.max(start + 1, Math.min(whole, Math.floor(((at + 1) * whole) / count)))];
}

// Two sets of Huffman codes: those of annex K, and "flat" ones that have a code for every symbol.

// biome-ignore format: tables of the standard (K.3).
const STANDARD = {
  dc: [[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ac: [[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
    [1, 2, 3, 0, 4, 17, 5, 18, 33, 49, 65, 6, 19, 81, 97, 7, 34, 113, 20, 50, 129, 145, 161, 8, 35, 66, 177,
    193, 21, 82,
      209, 240, 36, 51, 98, 114, 130, 9, 10, 22, 23, 24, 25, 26, 37, 38, 39, 40, 41, 42, 52, 53, 54, 55, 56,
      57, 58, 67, 68,
      69, 70, 71, 72, 73, 74, 83, 84, 85, 86, 87, 88, 89, 90, 99, 100, 101, 102, 103, 104, 105, 106, 115,
      116, 117, 118, 119,
      120, 121, 122, 131, 132, 133, 134, 135, 136, 137, 138, 146, 147, 148, 149, 150, 151, 152, 153, 154,
      162, 163, 164, 165,
      166, 167, 168, 169, 170, 178, 179, 180, 181, 182, 183, 184, 185, 186, 194, 195, 196, 197, 198, 199,
      200, 201, 202, 210,
      211, 212, 213, 214, 215, 216, 217, 218, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 241, 242,
      243, 244, 245, 246,
      247, 248, 249, 250]],
};
const FLAT = {
  dc: [[0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Array.from({ length: 12 }, (_, at) => at)],
  ac: [[0, 0, 0, 0, 0, 0, 0, 254, 2, 0, 0, 0, 0, 0, 0, 0], Array.from({ length: 256 }, (_, at) => at)],
};
const CODES = { standard: STANDARD, flat: FLAT };

function codesOf([counts, symbols]) {
  const codes = { bits: new Uint16Array(256), lengths: new Uint8Array(256) };
  let [code, at] = [0, 0];
  counts.forEach((count, place) => {
    for (let n = 0; n < count; n += 1) {
      codes.bits[symbols[at]] = code;
      codes.lengths[symbols[at]] = place + 1;
      [code, at] = [code + 1, at + 1];
    }
    code *= 2;
  });
  return codes;
}

const huffmanBody = (kind, [counts, symbols]) => join(kind, Uint8Array.from(counts), Uint8Array.from(symbols));

/** Collects bits, and inserts a zero byte after each byte 0xff (B.1.1.5). */
class Bits {
  bytes = [];
  #held = 0;
  #count = 0;

  put(value, count) {
    for (let at = count - 1; at >= 0; at -= 1) {
      this.#held = (this.#held << 1) | ((value >> at) & 1);
      this.#count += 1;
      if (this.#count === 8) this.#byte();
    }
  }

  #byte() {
    this.bytes.push(this.#held);
    if (this.#held === 255) this.bytes.push(0);
    this.#held = this.#count = 0;
  }

  /** Fills the last byte with ones, and returns all bytes. */
  end() {
    while (this.#count > 0) this.put(1, 1);
    const ended = Uint8Array.from(this.bytes);
    this.bytes = [];
    return ended;
  }
}

const size = (value) => 32 - Math.clz32(Math.abs(value));
const extra = (value, count) => (value < 0 ? value + 2 ** count - 1 : value);

/** Encodes one scan. Returns one byte array per restart interval. */
function entropyCoded(coded, scan, { dc, ac }, progressive, interval) {
  const { components, first = 0, last = 63, high = 0, low = 0 } = scan;
  const bits = new Bits();
  const symbol = (codes, value) => bits.put(codes.bits[value], codes.lengths[value]);
  const before = components.map(() => 0);

  const dcTerm = (value, place) => {
    if (high > 0) return bits.put((value >> low) & 1, 1);
    const difference = (value >> low) - before[place];
    before[place] = value >> low;
    const count = size(difference);
    symbol(dc, Math.min(count, 11));
    bits.put(extra(difference, count), Math.min(count, 11));
  };
  const scaled = (value) => (value < 0 ? -(-value >> low) : value >> low);
  const acTerms = (block) => {
    let run = 0;
    for (let at = Math.max(first, 1); at <= last; at += 1) {
      const value = scaled(block[at]);
      if (value === 0) {
        run += 1;
        continue;
      }
      for (; run > 15; run -= 16) symbol(ac, 0xf0);
      const count = size(value);
      symbol(ac, 16 * run + count);
      bits.put(extra(value, count), count);
      run = 0;
    }
    if (run > 0) symbol(ac, 0);
  };
  // A correction bit for each term that an earlier scan has made nonzero, between the codes of new terms (G.1.2.3).
  const acRefinement = (block) => {
    let run = 0;
    let corrections = [];
    let newest = 0;
    for (let at = first; at <= last; at += 1) if (Math.abs(scaled(block[at])) === 1) newest = at;
    for (let at = first; at <= last; at += 1) {
      const value = Math.abs(scaled(block[at]));
      if (value === 0) {
        run += 1;
        continue;
      }
      while (run > 15 && at <= newest) {
        symbol(ac, 0xf0);
        for (const bit of corrections) bits.put(bit, 1);
        corrections = [];
        run -= 16;
      }
      if (value > 1) {
        corrections.push(value & 1);
        continue;
      }
      symbol(ac, 16 * run + 1);
      bits.put(block[at] < 0 ? 0 : 1, 1);
      for (const bit of corrections) bits.put(bit, 1);
      corrections = [];
      run = 0;
    }
    if (run > 0 || corrections.length > 0) {
      symbol(ac, 0);
      for (const bit of corrections) bits.put(bit, 1);
    }
  };
  const block = (terms, place) => {
    if (first === 0) dcTerm(terms[0], place);
    if (last > 0 && (!progressive || first > 0)) {
      if (high > 0) acRefinement(terms);
      else acTerms(terms);
    }
  };

  const intervals = [];
  let units = 0;
  const unitBegins = () => {
    if (interval > 0 && units > 0 && units % interval === 0) {
      intervals.push(bits.end());
      before.fill(0);
    }
    units += 1;
  };
  const at = (index, row, column) => {
    const place = 64 * (row * coded.components[index].columns + column);
    return coded.blocks[index].subarray(place, place + 64);
  };
  if (components.length === 1) {
    const [index] = components;
    const { ownColumns, ownRows } = coded.components[index];
    for (let row = 0; row < ownRows; row += 1) {
      for (let column = 0; column < ownColumns; column += 1) {
        unitBegins();
        block(at(index, row, column), 0);
      }
    }
  } else {
    for (let row = 0; row < coded.unitRows; row += 1) {
      for (let column = 0; column < coded.unitColumns; column += 1) {
        unitBegins();
        components.forEach((index, place) => {
          const { h, v } = coded.components[index];
          for (let j = 0; j < v; j += 1) {
            for (let i = 0; i < h; i += 1) block(at(index, row * v + j, column * h + i), place);
          }
        });
      }
    }
  }
  intervals.push(bits.end());
  return intervals;
}

/** Returns the usual scans of a progressive file. With `deep`, each term's bits are spread over several scans. */
export function progressiveScans(count, deep = true) {
  const all = Array.from({ length: count }, (_, at) => at);
  if (!deep) return [{ components: all, last: 0 }, ...all.map((index) => ({ components: [index], first: 1 }))];
  return [
    { components: all, last: 0, low: 1 },
    ...all.map((index) => ({ components: [index], first: 1, last: 5, low: 2 })),
    ...all.map((index) => ({ components: [index], first: 6, last: 63, low: 2 })),
    ...all.map((index) => ({ components: [index], first: 1, last: 63, high: 2, low: 1 })),
    { components: all, last: 0, high: 1, low: 0 },
    ...all.map((index) => ({ components: [index], first: 1, last: 63, high: 1, low: 0 })),
  ];
}
export const separateScans = (count) => Array.from({ length: count }, (_, at) => ({ components: [at] }));

export const jfif = () => ({ marker: 0xe0, body: join(ascii("JFIF\0"), 1, 1, 0, u16(1), u16(1), 0, 0) });
export const adobe = (transform) => ({ marker: 0xee, body: join(ascii("Adobe"), u16(100), u16(0), u16(0), transform) });
export const HEADERS = {
  none: [],
  jfif: [jfif()],
  ...Object.fromEntries([0, 1, 2, 3, 255].map((transform) => [`adobe${transform}`, [adobe(transform)]])),
  ...Object.fromEntries([0, 1, 2, 3, 255].map((transform) => [`jfif-adobe${transform}`, [jfif(), adobe(transform)]])),
  ...Object.fromEntries([0, 1, 2].map((transform) => [`adobe${transform}-jfif`, [adobe(transform), jfif()]])),
};

/**
 * Returns a JPEG as a list of parts. A segment is `{ marker, body }`. A scan also has `intervals` (its data) and
 * `restarts` (the numbers of the restart markers between them). A part `{ raw }` is written unchanged.
 */
export function jpegParts({
  coded,
  picture,
  model = "ycc",
  sampling,
  tables,
  ids = [1, 2, 3, 4],
  header = [jfif()],
  progressive = false,
  scans,
  interval = 0,
  huffman = progressive ? "flat" : "standard",
  frame = progressive ? 0xc2 : 0xc0,
}) {
  coded ??= terms({ picture, model, sampling, tables });
  const { width, height } = coded;
  const { unitColumns, unitRows, components } = geometry(coded);
  const count = components.length;
  const all = components.map((_, at) => at);
  scans ??= progressive ? progressiveScans(count) : [{ components: all }];
  const kinds = coded.tables.length;
  const table = (at) => Math.min(at, kinds - 1);
  const codes = CODES[huffman];
  return [
    { marker: 0xd8 },
    ...header,
    ...coded.tables.map((steps, at) => ({ marker: 0xdb, body: join(at, Uint8Array.from(steps)) })),
    {
      marker: frame,
      body: join(
        8,
        u16(height),
        u16(width),
        count,
        ...components.map(({ h, v }, at) => [ids[at], 16 * h + v, table(at)]),
      ),
    },
    { marker: 0xc4, body: huffmanBody(0x00, codes.dc) },
    { marker: 0xc4, body: huffmanBody(0x10, codes.ac) },
    ...(interval > 0 ? [{ marker: 0xdd, body: u16(interval) }] : []),
    ...scans.map((scan) => {
      const from = scan.coded ?? coded;
      const blocks = { unitColumns, unitRows, components, blocks: from.coded };
      const compiled = { dc: codesOf(codes.dc), ac: codesOf(codes.ac) };
      const intervals = entropyCoded(blocks, scan, compiled, progressive, interval);
      const { first = 0, last = 63, high = 0, low = 0 } = scan;
      const selectors = scan.components.flatMap((index) => [ids[index], 0]);
      return {
        marker: 0xda,
        body: join(scan.components.length, Uint8Array.from(selectors), first, last, 16 * high + low),
        intervals,
        restarts: intervals.slice(1).map((_, at) => at % 8),
      };
    }),
    { marker: 0xd9 },
  ];
}

/** Returns the Huffman tables as segments, for files that have them in another place. */
export const huffmanSegments = (kind) => [
  { marker: 0xc4, body: huffmanBody(0x00, CODES[kind].dc) },
  { marker: 0xc4, body: huffmanBody(0x10, CODES[kind].ac) },
];

/** Turns parts into bytes. A segment's length field is correct unless the part has a `length`. */
export function assemble(parts) {
  return join(
    ...parts.map(({ raw, marker, body, length, intervals, restarts }) => {
      if (raw) return [raw];
      if (body === undefined) return [0xff, marker];
      const data = intervals?.flatMap((bytes, at) => {
        const number = restarts[at - 1];
        return number === undefined ? [bytes] : [Uint8Array.of(0xff, 0xd0 + number), bytes];
      });
      return [0xff, marker, u16(length ?? body.length + 2), body, ...(data ?? [])];
    }),
  );
}

export const jpeg = (options) => assemble(jpegParts(options));
