// Generates BMP files with every header, depth, mask and compression, and with headers that contradict the pixels.
import { ascii, join, le16, le32, zeros } from "./bytes.mjs";
import { jpeg } from "./jpeg-coder.mjs";
import { mirages } from "./mirages.mjs";
import { decoy, indexed, interleaved, listed, lumaOf, PALETTE } from "./pictures.mjs";
import { png } from "./png-files.mjs";

/** Makes a BMP of 24 bits per pixel with the usual 40-byte header; its rows are stored from the bottom up. */
export function bmp({ picture, ...options }) {
  const { width, height } = picture;
  return assembled({ width, height, bits: 24, rows: rows24(picture), ...options });
}

/** Returns the rows as packed pixels, the top row first. */
function rows24(picture) {
  const { width, height } = picture;
  const pixels = interleaved(picture);
  return Array.from({ length: height }, (_, y) => {
    const row = new Uint8Array(3 * width);
    for (let x = 0; x < width; x += 1) {
      const at = 3 * (y * width + x);
      row.set([pixels[at + 2], pixels[at + 1], pixels[at]], 3 * x);
    }
    return row;
  });
}

function assembled({
  width,
  height,
  bits,
  rows = [],
  data,
  header = 40,
  compression = 0,
  palette = [],
  masks = [],
  topDown = false,
  gap = [],
  trailer = [],
  colours = 0,
  reserved = 0,
  planes = 1,
  offset,
  size,
  imageSize,
  more,
  headerLength = header,
}) {
  const padded = rows.map((row) => join(row, zeros(-row.length & 3)));
  const pixels = data ?? join(...(topDown ? padded : padded.reverse()));
  const core = join(le16(width), le16(height), le16(planes), le16(bits));
  const info = join(
    le32(width),
    le32(topDown ? -height : height),
    le16(planes),
    le16(bits),
    le32(compression),
    le32(imageSize ?? pixels.length),
    le32(2835),
    le32(2835),
    le32(colours),
    le32(0),
  );
  const fields = header === 12 ? core : info;
  const rest = more ?? [];
  const body = join(fields, rest);
  const whole = header === 12 ? body : join(body, zeros(Math.max(0, header - 4 - body.length)));
  const start = 14 + 4 + whole.length + join(masks).length + join(palette).length + join(gap).length;
  return join(
    ascii("BM"),
    le32(size ?? start + pixels.length),
    le32(reserved),
    le32(offset ?? start),
    le32(headerLength),
    whole,
    masks,
    palette,
    gap,
    pixels,
    trailer,
  );
}

export { assembled as assembleBmp };

const paletteOf = (entry, count = 252, colours = PALETTE) =>
  join(
    ...Array.from({ length: count }, (_, at) => {
      const [r = 0, g = 0, b = 0] = colours.subarray(3 * at, 3 * at + 3);
      return entry === 4 ? [b, g, r, 0] : [b, g, r];
    }),
  );

/** Returns rows of `bits` bits per pixel. `value(at)` gives the number that is stored for pixel `at`. */
function packedRows(width, height, bits, value) {
  return Array.from({ length: height }, (_, y) => {
    const row = new Uint8Array(Math.ceil((width * bits) / 8));
    for (let x = 0; x < width; x += 1) {
      const number = value(y * width + x);
      if (bits >= 8)
        for (let byte = 0; byte < bits / 8; byte += 1) row[(x * bits) / 8 + byte] = (number >>> (8 * byte)) & 255;
      else row[(x * bits) >> 3] |= number << (8 - bits - ((x * bits) % 8));
    }
    return row;
  });
}

/** Reduces a picture to `count` levels of grey, with ordered dithering. */
function levels(picture, count) {
  const luma = lumaOf(picture);
  const thresholds = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
  return luma.map((value, at) => {
    const [x, y] = [at % picture.width, Math.floor(at / picture.width)];
    return Math.min(
      count - 1,
      Math.floor((value / 255) * (count - 1) + (thresholds[4 * (y & 3) + (x & 3)] + 0.5) / 16),
    );
  });
}
const greys = (count) => Uint8Array.from({ length: 3 * count }, (_, at) => (255 * Math.floor(at / 3)) / (count - 1));

/**
 * Returns the indices as run-length-coded rows, the bottom row first. With `four`, indices have 4 bits instead of 8.
 */
function runs(indices, width, height, four = false) {
  const parts = [];
  for (let y = height - 1; y >= 0; y -= 1) {
    for (let x = 0; x < width; ) {
      const value = indices[y * width + x];
      let count = 1;
      while (x + count < width && count < 255 && indices[y * width + x + count] === value) count += 1;
      parts.push(count, four ? value * 17 : value);
      x += count;
    }
    parts.push(0, 0);
  }
  parts.push(0, 1);
  return Uint8Array.from(parts);
}

const rgbNumber =
  ({ planes: [red, green, blue] }) =>
  (at) =>
    (red[at] << 16) | (green[at] << 8) | blue[at];
const channel = (value, bits) => Math.round((value * (2 ** bits - 1)) / 255);

export function* bmpFiles() {
  for (const file of plainFiles("small")) yield { ...file, name: `small-${file.name}` };
  let count = 0;
  for (const file of plainFiles("large")) {
    count += 1;
    if (count % 12 === 0) yield { ...file, name: `large-${file.name}` };
  }
  yield* cut();
}

function* plainFiles(size) {
  const [L, D] = [listed(size), decoy(size)];
  const { width, height } = L;
  const base = { width, height };
  const rgb = () => ({ ...base, bits: 24, rows: rows24(L) });
  let drawn;
  const indices = () => {
    drawn ??= indexed(L);
    return drawn;
  };
  const file = (kind, name, options) => ({ kind: `bmp-${kind}`, name, make: () => assembled(options()) });

  for (const header of [12, 16, 40, 52, 56, 64, 108, 124, 20, 41, 128, 200]) {
    yield file("header", `${header}-24`, () => ({ ...rgb(), header }));
    yield file("header", `${header}-8`, () => ({
      ...base,
      header,
      bits: 8,
      rows: packedRows(width, height, 8, (at) => indices()[at]),
      palette: paletteOf(header === 12 ? 3 : 4),
      colours: 252,
    }));
  }
  for (const bits of [1, 2, 4, 8]) {
    const count = 2 ** bits;
    const numbers = levels(L, count);
    for (const header of [12, 40, 108, 124]) {
      const entry = header === 12 ? 3 : 4;
      const options = () => ({
        ...base,
        header,
        bits,
        rows: packedRows(width, height, bits, (at) => numbers[at]),
        palette: paletteOf(entry, count, greys(count)),
      });
      yield file("depth", `${bits}-header-${header}`, options);
      if (header !== 40) continue;
      yield file("depth", `${bits}-top-down`, () => ({ ...options(), topDown: true }));
      yield file("depth", `${bits}-palette-inverted`, () => ({
        ...options(),
        palette: paletteOf(
          4,
          count,
          greys(count).map((value) => 255 - value),
        ),
      }));
      for (const colours of new Set([1, count >> 1, count - 1, count, count + 1, 256, 257, 1000])) {
        yield file("palette", `${bits}-colours-${colours}`, () => ({ ...options(), colours }));
        yield file("palette", `${bits}-colours-${colours}-held`, () => ({
          ...options(),
          colours,
          palette: paletteOf(4, colours, greys(Math.max(2, Math.min(colours, count)))),
        }));
      }
      yield file("palette", `${bits}-none`, () => ({ ...options(), palette: [] }));
    }
  }
  const masked = {
    "16-555": {
      bits: 16,
      compression: 0,
      layout: [
        [10, 5],
        [5, 5],
        [0, 5],
      ],
    },
    "16-565": {
      bits: 16,
      compression: 3,
      layout: [
        [11, 5],
        [5, 6],
        [0, 5],
      ],
    },
    "16-444": {
      bits: 16,
      compression: 3,
      layout: [
        [8, 4],
        [4, 4],
        [0, 4],
      ],
    },
    "16-odd": {
      bits: 16,
      compression: 3,
      layout: [
        [0, 5],
        [5, 5],
        [10, 6],
      ],
    },
    32: {
      bits: 32,
      compression: 0,
      layout: [
        [16, 8],
        [8, 8],
        [0, 8],
      ],
    },
    "32-fields": {
      bits: 32,
      compression: 3,
      layout: [
        [16, 8],
        [8, 8],
        [0, 8],
      ],
    },
    "32-turned": {
      bits: 32,
      compression: 3,
      layout: [
        [0, 8],
        [8, 8],
        [16, 8],
      ],
    },
    "32-high": {
      bits: 32,
      compression: 3,
      layout: [
        [24, 8],
        [16, 8],
        [8, 8],
      ],
    },
    "32-101010": {
      bits: 32,
      compression: 3,
      layout: [
        [20, 10],
        [10, 10],
        [0, 10],
      ],
    },
    "32-one-channel": {
      bits: 32,
      compression: 3,
      layout: [
        [0, 8],
        [0, 8],
        [0, 8],
      ],
    },
    "32-narrow": {
      bits: 32,
      compression: 3,
      layout: [
        [16, 3],
        [8, 3],
        [0, 3],
      ],
    },
    "32-no-green": { bits: 32, compression: 3, layout: [[16, 8], null, [0, 8]] },
  };
  const masksOf = (layout) => layout.map((field) => le32(field ? (2 ** field[1] - 1) * 2 ** field[0] : 0));
  for (const [name, { bits, compression, layout }] of Object.entries(masked)) {
    const number = (at) =>
      layout.reduce(
        (sum, field, plane) => (field ? (sum | (channel(L.planes[plane][at], field[1]) << field[0])) >>> 0 : sum),
        0,
      );
    const rows = () => packedRows(width, height, bits, number);
    const masks = compression === 3 ? masksOf(layout) : [];
    yield file("fields", name, () => ({ ...base, bits, compression, masks, rows: rows() }));
    yield file("fields", `${name}-top-down`, () => ({
      ...base,
      bits,
      compression,
      masks,
      rows: rows(),
      topDown: true,
    }));
    for (const header of [52, 56, 108, 124]) {
      if (compression === 3)
        yield file("fields", `${name}-header-${header}`, () => ({
          ...base,
          bits,
          compression,
          header,
          more: join(...masks),
          rows: rows(),
        }));
    }
    yield file("fields", `${name}-gap`, () => ({ ...base, bits, compression, masks, rows: rows(), gap: zeros(7) }));
  }
  // An alpha channel, declared in the header or not, that would show a decoy over white.
  for (const [name, make] of Object.entries(mirages)) {
    const { picture, alpha } = make(L, D);
    const rows = () => packedRows(width, height, 32, (at) => (rgbNumber(picture)(at) | (alpha[at] << 24)) >>> 0);
    const fields = join(
      ...masksOf([
        [16, 8],
        [8, 8],
        [0, 8],
      ]),
      le32(0xff000000),
    );
    yield file("mirage", `${name}-v4`, () => ({
      ...base,
      bits: 32,
      compression: 3,
      header: 108,
      more: join(fields, ascii("BGRs")),
      rows: rows(),
    }));
    yield file("mirage", `${name}-v5`, () => ({
      ...base,
      bits: 32,
      compression: 3,
      header: 124,
      more: join(fields, ascii("BGRs")),
      rows: rows(),
    }));
    yield file("mirage", `${name}-56`, () => ({
      ...base,
      bits: 32,
      compression: 3,
      header: 56,
      more: fields,
      rows: rows(),
    }));
    yield file("mirage", `${name}-unsaid`, () => ({ ...base, bits: 32, rows: rows() }));
    yield file("mirage", `${name}-alpha-fields`, () => ({
      ...base,
      bits: 32,
      compression: 6,
      masks: [fields],
      rows: rows(),
    }));
    yield file("mirage", `${name}-v4-rgb`, () => ({
      ...base,
      bits: 32,
      compression: 0,
      header: 108,
      more: join(fields, ascii("BGRs")),
      rows: rows(),
    }));
  }
  const sixteen = levels(L, 16);
  for (const [name, options] of Object.entries({
    rle8: () => ({
      ...base,
      bits: 8,
      compression: 1,
      palette: paletteOf(4, 16, greys(16)),
      colours: 16,
      data: runs(sixteen, width, height),
    }),
    rle4: () => ({
      ...base,
      bits: 4,
      compression: 2,
      palette: paletteOf(4, 16, greys(16)),
      colours: 16,
      data: runs(sixteen, width, height, true),
    }),
  })) {
    const whole = options;
    yield file("rle", name, whole);
    yield file("rle", `${name}-end-missing`, () => ({ ...whole(), data: whole().data.subarray(0, -2) }));
    yield file("rle", `${name}-ends-early`, () => ({
      ...whole(),
      data: join(whole().data.subarray(0, (whole().data.length >> 2) * 2), 0, 1),
    }));
    yield file("rle", `${name}-delta-first`, () => ({ ...whole(), data: join(0, 2, 5, 0, whole().data) }));
    yield file("rle", `${name}-delta-down`, () => ({ ...whole(), data: join(0, 2, 0, 20, whole().data) }));
    yield file("rle", `${name}-absolute`, () => ({
      ...whole(),
      data: join(0, 4, 0x11, 0x22, 0x33, 0x44, whole().data.subarray(4)),
    }));
    yield file("rle", `${name}-line-too-long`, () => ({ ...whole(), data: join(255, 0, 255, 0, whole().data) }));
    yield file("rle", `${name}-bytes-after`, () => ({ ...whole(), data: join(whole().data, zeros(50, 9)) }));
    yield file("rle", `${name}-top-down`, () => ({ ...whole(), topDown: true }));
    yield file("rle", `${name}-run-of-0`, () => ({ ...whole(), data: join(0, 0, whole().data) }));
    yield file("rle", `${name}-no-line-ends`, () => ({
      ...whole(),
      data: whole().data.filter(
        (_, at, all) =>
          !(at % 2 === 0 && all[at] === 0 && all[at + 1] === 0) &&
          !(at % 2 === 1 && all[at - 1] === 0 && all[at] === 0),
      ),
    }));
    yield file("rle", `${name}-said-8-bits`, () => ({ ...whole(), bits: 8 }));
    yield file("rle", `${name}-said-24-bits`, () => ({ ...whole(), bits: 24 }));
  }
  const said = {
    plain: {},
    "top-down": { topDown: true },
    "reserved-set": { reserved: 0xdeadbeef },
    "planes-0": { planes: 0 },
    "planes-2": { planes: 2 },
    "file-size-0": { size: 0 },
    "file-size-less": { size: 1000 },
    "file-size-most": { size: 0xffffffff },
    "image-size-0": { imageSize: 0 },
    "image-size-less": { imageSize: 100 },
    "image-size-most": { imageSize: 0xffffffff },
    "colours-300": { colours: 300 },
    "colours-2-held": { colours: 2, palette: [zeros(8, 77)] },
    "colours-100000": { colours: 100000 },
    gap: { gap: zeros(100, 3) },
    "gap-odd": { gap: zeros(13, 3) },
    trailer: { trailer: zeros(999, 1) },
    "offset-0": { offset: 0 },
    "offset-14": { offset: 14 },
    "offset-less": { offset: 50 },
    "offset-53": { offset: 53 },
    "offset-more-3": { offset: 57 },
    "offset-more-960": { offset: 54 + 960 },
    "offset-beyond": { offset: 1e7 },
    "offset-most": { offset: 0xffffffff },
    "width-negative": { width: -width },
    "width-0": { width: 0 },
    "width-less": { width: width - 4 },
    "width-more": { width: width + 4 },
    "height-0": { height: 0 },
    "height-less": { height: height - 40 },
    "height-more": { height: height + 40 },
    "height-twice": { height: 2 * height },
    "compression-3-of-24": { compression: 3 },
    "compression-9": { compression: 9 },
    "compression-11": { compression: 11 },
    "bits-0": { bits: 0 },
    "bits-25": { bits: 25 },
    "header-length-0": { headerLength: 0 },
    "header-length-44": { headerLength: 44 },
  };
  for (const [name, options] of Object.entries(said)) yield file("said", name, () => ({ ...rgb(), ...options }));
  // The file holds the pixels of two pictures. The header's offset decides which picture is shown.
  for (const [order, [first, second]] of Object.entries({ "listed-decoy": [L, D], "decoy-listed": [D, L] })) {
    const both = () => ({ ...rgb(), data: join(bmpPixels(first), bmpPixels(second)) });
    yield file("two-pictures", `${order}-offset-of-first`, both);
    yield file("two-pictures", `${order}-offset-of-second`, () => ({
      ...both(),
      offset: 54 + bmpPixels(first).length,
    }));
    yield file("two-pictures", `${order}-offset-of-second-size-said`, () => ({
      ...both(),
      offset: 54 + bmpPixels(first).length,
      imageSize: bmpPixels(first).length,
    }));
    yield {
      kind: "bmp-two-pictures",
      name: `${order}-array`,
      make: () => {
        const [one, two] = [bmp({ picture: first }), bmp({ picture: second })];
        const head = (next) => join(ascii("BA"), le32(40), le32(next), le16(0), le16(0));
        return join(head(14 + one.length), one, head(0), two);
      },
    };
    yield {
      kind: "bmp-two-pictures",
      name: `${order}-one-after-the-other`,
      make: () => join(bmp({ picture: first }), bmp({ picture: second })),
    };
    yield {
      kind: "bmp-two-pictures",
      name: `${order}-embedded-png`,
      make: () => assembled({ ...base, bits: 0, compression: 5, data: png({ picture: first }) }),
    };
    yield {
      kind: "bmp-two-pictures",
      name: `${order}-embedded-jpeg`,
      make: () => assembled({ ...base, bits: 0, compression: 4, data: jpeg({ picture: first }) }),
    };
  }
}

const bmpPixels = (picture) => bmp({ picture }).subarray(54);

function* cut() {
  for (const [base, options] of Object.entries({ plain: {}, "top-down": { topDown: true } })) {
    for (const share of [0.001, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.9999]) {
      yield {
        kind: "bmp-cut",
        name: `${base}-${share}`,
        make: () => {
          const whole = bmp({ picture: listed("small"), ...options });
          return whole.subarray(0, Math.floor(whole.length * share));
        },
      };
    }
  }
}
