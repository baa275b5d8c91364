// Draws a JPEG that runs the engine's hot code, so that browsers have optimised that code before the first file comes.

const SIDE = 1024;
/** The symbols of the two Huffman tables. In each table, the codes of the four symbols are 0, 10, 110 and 1110. */
const DC_SIZES = [0, 4, 5, 6];
const AC_SYMBOLS = [0x00, 0x01, 0x02, 0x11];

/** Draws a grey picture of blocks of random brightness. */
export function drawnJpeg(): Blob {
  const bytes: number[] = [0xff, 0xd8];
  const segment = (marker: number, content: number[]) => bytes.push(0xff, marker, 0, content.length + 2, ...content);
  segment(0xdb, [0, ...Array<number>(64).fill(8)]);
  segment(0xc0, [8, SIDE >> 8, 0, SIDE >> 8, 0, 1, 1, 0x11, 0]);
  const counts = [1, 1, 1, 1, ...Array<number>(12).fill(0)];
  segment(0xc4, [0x00, ...counts, ...DC_SIZES]);
  segment(0xc4, [0x10, ...counts, ...AC_SYMBOLS]);
  segment(0xda, [1, 1, 0, 0, 63, 0]);

  let pending = 0;
  let count = 0;
  const put = (value: number, bits: number) => {
    pending = (pending << bits) | value;
    for (count += bits; count >= 8; count -= 8) {
      const byte = (pending >> (count - 8)) & 0xff;
      bytes.push(byte);
      if (byte === 0xff) bytes.push(0);
    }
    pending &= 0xff;
  };
  let state = 1;
  let level = 0;
  for (let block = 0; block < (SIDE / 8) ** 2; block += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // Writes the DC difference, of four to six bits. Its sign brings the level back towards middle grey.
    const place = 1 + ((state >>> 24) % 3);
    const size = 3 + place;
    const magnitude = (1 << (size - 1)) | ((state >>> 16) & ((1 << (size - 1)) - 1));
    const down = level > 0;
    level += down ? -magnitude : magnitude;
    put((1 << (place + 1)) - 2, place + 1);
    put(down ? (1 << size) - 1 - magnitude : magnitude, size);
    // Writes six AC coefficients of 1 or -1, then the end of the block.
    for (let term = 0; term < 6; term += 1) put(0b100 | ((state >>> term) & 1), 3);
    put(0, 1);
  }
  put(0x7f, 7);
  bytes.push(0xff, 0xd9);
  // Returns a Blob, as files are, so that reading Blobs in the worker is optimised, too.
  return new Blob([Uint8Array.from(bytes)]);
}
