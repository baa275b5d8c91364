// Makes EXIF segments with an orientation, width and height (true or false), and a thumbnail.
import { ascii, join, le16, le32, u16, u32 } from "./bytes.mjs";

/** Returns the body of an APP1 segment. With `bare`, returns only the TIFF structure in it. */
export function exif({ orientation, width, height, resolution, thumbnail, big = true, bare = false }) {
  const [half, word] = big ? [u16, u32] : [le16, le32];
  const entry = (tag, type, count, value) => join(half(tag), half(type), word(count), value);
  const short = (tag, value) => entry(tag, 3, 1, join(half(value), half(0)));
  const long = (tag, value) => entry(tag, 4, 1, word(value));
  const first = [
    ...(width ? [long(0x0100, width), long(0x0101, height)] : []),
    ...(orientation !== undefined ? [short(0x0112, orientation)] : []),
    ...(resolution ? [short(0x0128, 2)] : []),
  ];
  const start = 8 + 2 + 12 * first.length + 4;
  const second = thumbnail ? [long(0x0201, start + 2 + 24 + 4), long(0x0202, thumbnail.length)] : [];
  return join(
    bare ? [] : [ascii("Exif\0\0")],
    ascii(big ? "MM" : "II"),
    half(42),
    word(8),
    half(first.length),
    first,
    word(thumbnail ? start : 0),
    ...(thumbnail ? [half(2), second, word(0), thumbnail] : []),
  );
}
