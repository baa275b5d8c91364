// A fuzzer that knows the formats: it splits files into segments, chunks, blocks or fields, changes a few, and joins
// them again. Each pair of seed and number always gives the same mutant.
import { crc32 } from "node:zlib";
import { bmp } from "./bmp-files.mjs";
import { ascii, dice, join, le32, patched, spliced, u16, u32, zeros } from "./bytes.mjs";
import { gifBlocks } from "./gif-files.mjs";
import { assemble, jfif, jpegParts, separateScans } from "./jpeg-coder.mjs";
import { decoy, listed } from "./pictures.mjs";
import { pngChunks } from "./png-files.mjs";
import { losslessChunk } from "./webp-files.mjs";

const H2V2 = [
  [2, 2],
  [1, 1],
  [1, 1],
];

/** Splits a JPEG into its segments; splits the data of each scan at the restart markers. */
function jpegPieces(options) {
  return jpegParts({ header: [jfif()], ...options }).flatMap(({ intervals, restarts, ...segment }) => [
    assemble([segment]),
    ...(intervals ?? []).map((bytes, at) => (at === 0 ? bytes : join(0xff, 0xd0 + restarts[at - 1], bytes))),
  ]);
}
const pngPieces = (options) => [
  Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  ...pngChunks(options).map(({ type, data }) =>
    join(u32(data.length), ascii(type), data, u32(crc32(join(ascii(type), data)))),
  ),
];
const gifPieces = (options) => gifBlocks(options).map(({ bytes }) => bytes);
const bmpPieces = (picture) => {
  const whole = bmp({ picture });
  // The byte offsets of the fields of both BMP headers.
  const fields = [0, 2, 6, 10, 14, 18, 22, 26, 28, 30, 34, 38, 42, 46, 50, 54];
  return [
    ...fields.slice(1).map((end, at) => whole.subarray(fields[at], end)),
    whole.subarray(54, 120000),
    whole.subarray(120000),
  ];
};
const webpPieces = (chunks) => [
  ascii("RIFF"),
  le32(chunks.reduce((sum, { data }) => sum + 8 + data.length + (data.length & 1), 4)),
  ascii("WEBP"),
  ...chunks.map(({ type, data }) => join(ascii(type), le32(data.length), data, data.length % 2 ? [0] : [])),
];

/** The files that mutants are made of, split into pieces, by format. Each is a function of the picture. */
const BASES = (lossy) => ({
  jpeg: [
    (picture) => jpegPieces({ picture }),
    (picture) => jpegPieces({ picture, sampling: H2V2, interval: 20 }),
    (picture) => jpegPieces({ picture, sampling: H2V2, progressive: true }),
    (picture) => jpegPieces({ picture, scans: separateScans(3), interval: 40 }),
    (picture) => jpegPieces({ picture, model: "grey", interval: 31 }),
    (picture) =>
      jpegPieces({ picture, model: "ycck", header: [{ marker: 0xee, body: join(ascii("Adobe"), zeros(6), 2) }] }),
  ],
  png: [
    (picture) => pngPieces({ picture }),
    (picture) => pngPieces({ picture, type: "palette" }),
    (picture) => pngPieces({ picture, type: "rgba", interlaced: true }),
    (picture) => pngPieces({ picture, type: "grey" }),
  ],
  gif: [
    (picture) => gifPieces({ frames: [{ picture }] }),
    (picture) => gifPieces({ frames: [{ picture: decoy("small", 1) }, { picture, x: 0 }] }),
    (picture) =>
      gifPieces({
        frames: [
          { picture, disposal: 2, transparent: 7 },
          { picture: decoy("small", 1), disposal: 3 },
        ],
      }),
  ],
  webp: [
    (picture) => webpPieces([lossy(picture) ?? losslessChunk(picture)]),
    (picture) => webpPieces([losslessChunk(picture)]),
  ],
  bmp: [(picture) => bmpPieces(picture)],
});

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 16, 64, 127, 128, 192, 224, 254, 255];

/** Chooses one random change, and returns it as a function of the file's pieces. */
function change(format, roll, donor) {
  const { below, pick, next } = roll;
  const [one, two, share, byte, value, length] = [next(), next(), next(), below(256), pick(INTERESTING), 1 + below(6)];
  const place = (pieces) => Math.floor(one * pieces.length);
  const small = (pieces) => {
    const places = pieces.flatMap((piece, at) => (piece.length <= 600 ? [at] : []));
    return places.length > 0 ? places[Math.floor(one * places.length)] : 0;
  };
  const edit = (at, make) => (pieces) => pieces.with(at(pieces), repaired(format, make(pieces[at(pieces)])));
  const within = (piece) => Math.floor(share * share * piece.length);
  const kinds = {
    drop: (pieces) => pieces.toSpliced(place(pieces), 1),
    double: (pieces) => pieces.toSpliced(place(pieces), 0, pieces[place(pieces)]),
    swap: (pieces) => {
      if (pieces.length < 2) return pieces;
      const at = Math.min(place(pieces), pieces.length - 2);
      return pieces.toSpliced(at, 2, pieces[at + 1], pieces[at]);
    },
    move: (pieces) =>
      pieces.toSpliced(place(pieces), 1).toSpliced(Math.floor(two * pieces.length), 0, pieces[place(pieces)]),
    "set-byte": edit(small, (piece) => (piece.length > 0 ? patched(piece, within(piece), [value]) : piece)),
    "any-byte": edit(small, (piece) => (piece.length > 0 ? patched(piece, within(piece), [byte]) : piece)),
    "set-word": edit(small, (piece) =>
      piece.length > 4 ? patched(piece, Math.min(piece.length - 2, within(piece)), u16(byte << (value & 7))) : piece,
    ),
    "flip-bit": edit(place, (piece) => {
      const at = Math.min(piece.length - 1, Math.floor(share * piece.length));
      return piece.length > 0 ? patched(piece, at, [piece[at] ^ (1 << (byte & 7))]) : piece;
    }),
    "cut-piece": edit(place, (piece) => piece.subarray(0, Math.floor(share * piece.length))),
    "lose-bytes": edit(place, (piece) => spliced(piece, Math.floor(share * piece.length), length)),
    "insert-bytes": edit(place, (piece) => spliced(piece, Math.floor(share * piece.length), 0, zeros(length, byte))),
    "insert-between": (pieces) => pieces.toSpliced(place(pieces), 0, zeros(length, value)),
    "insert-marker": (pieces) => pieces.toSpliced(place(pieces), 0, Uint8Array.of(0xff, byte)),
    "cut-file": (pieces) => [
      join(...pieces).subarray(0, Math.floor((0.5 + share / 2) * pieces.reduce((sum, piece) => sum + piece.length, 0))),
    ],
    "from-other": (pieces) =>
      pieces.toSpliced(place(pieces), two < 0.5 ? 1 : 0, donor()[Math.floor(share * donor().length)]),
    "tail-of-other": (pieces) => [...pieces, ...donor().slice(Math.floor(share * donor().length))],
  };
  const name = pick(Object.keys(kinds));
  return { name, apply: kinds[name] };
}

/**
 * Corrects the checksum of a changed PNG chunk in four of five cases, because most readers stop at a wrong checksum.
 */
function repaired(format, piece) {
  if (format !== "png" || piece.length < 12 || piece[9] % 5 === 0) return piece;
  return patched(piece, piece.length - 4, u32(crc32(piece.subarray(4, piece.length - 4))));
}

/**
 * Makes mutant `number` of a seed. `only` lists which of its changes to apply, by index; by default all are applied.
 */
export function mutant(seed, number, lossy, only) {
  const roll = dice(seed * 1_000_003 + number);
  const bases = BASES(lossy);
  const format = roll.pick(["jpeg", "jpeg", "jpeg", "png", "png", "gif", "gif", "webp", "bmp"]);
  const base = roll.pick(bases[format]);
  const other = roll.pick(bases[format]);
  // The donor file is split only when a change first needs a piece of it.
  let pieces;
  const donor = () => {
    pieces ??= other(decoy("small"));
    return pieces;
  };
  const changes = Array.from({ length: 1 + roll.below(3) }, () => change(format, roll, donor));
  const made = changes.filter((_, at) => !only || only.includes(at));
  const names = made.map(({ name }) => name).join("+");
  return {
    kind: `fuzz-${format}`,
    name: `seed-${seed}-${number}-${names || "nothing"}`,
    type: `image/${format}`,
    seed,
    number,
    changes: changes.map((_, at) => at).filter((at) => !only || only.includes(at)),
    make: () =>
      join(
        ...made.reduce(
          (pieces, { apply }) => (pieces.length > 0 ? apply(pieces) : pieces),
          base(listed("small", number)),
        ),
      ),
  };
}

export function* mutants(count, seed, lossy) {
  for (let number = 0; number < count; number += 1) yield mutant(seed, number, lossy);
}

/** Tries to leave out each change in turn, and does so as long as `isFinding` is true of the resulting mutant. */
export async function minimised(found, lossy, judge, isFinding) {
  let best = found;
  for (const at of found.changes) {
    if (best.changes.length < 2) break;
    const smaller = mutant(
      found.seed,
      found.number,
      lossy,
      best.changes.filter((change) => change !== at),
    );
    for await (const row of judge([smaller])) if (isFinding(row)) best = smaller;
  }
  return best;
}
