// Encodes a PNG whose rows a function draws.
import { crc32, deflateSync } from "node:zlib";

const CHANNELS = { rgb: [2, 3], rgba: [6, 4] };

/** Encodes a PNG. Calls `draw` with the bytes of each row and its number. */
export function png(width, height, kind, level, draw) {
  const [colour, channels] = CHANNELS[kind];
  const length = 1 + channels * width;
  const rows = Buffer.alloc(length * height);
  // The first byte of a row is its filter type. 0 means none.
  for (let y = 0; y < height; y += 1) draw(rows.subarray(y * length + 1, (y + 1) * length), y);
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, colour, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Encodes a chunk of a PNG: its length, type, data and checksum. */
export function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length, 0);
  body.copy(made, 4);
  made.writeUInt32BE(crc32(body), body.length + 4);
  return made;
}
