// Makes ICC profiles (ICC.1:2001-04 and later): ordinary ones, and some that show another picture than is stored.
import { ascii, join, u16, u32, zeros } from "./bytes.mjs";

const fixed = (value) => u32(Math.round(value * 65536));
const xyz = (x, y, z) => join(ascii("XYZ "), zeros(4), fixed(x), fixed(y), fixed(z));
const curve = (values) => join(ascii("curv"), zeros(4), u32(values.length), ...values.map(u16));
const gamma = (value) => curve([Math.round(value * 256)]);
const inverse = curve(Array.from({ length: 256 }, (_, at) => Math.round(65535 * (1 - at / 255) ** 2.2)));
const parametric = (value) => join(ascii("para"), zeros(4), u16(0), u16(0), fixed(value));
const description = (text) => join(ascii("desc"), zeros(4), u32(text.length + 1), ascii(text), 0, zeros(78));
const copyright = join(ascii("text"), zeros(4), ascii("none\0"));
/** The XYZ colours of red, green, blue and white of sRGB, adapted to the white point D50. */
const RED = [0.4361, 0.2225, 0.0139];
const GREEN = [0.3851, 0.7169, 0.0971];
const BLUE = [0.1431, 0.0606, 0.7141];
const WHITE = [0.9642, 1, 0.8249];
const NONE = [0, 0, 0];

export function profile({
  space = "RGB ",
  tags,
  kind = "mntr",
  version = 0x02100000,
  connection = "XYZ ",
  signature = "acsp",
}) {
  const all = Object.entries({ desc: description("drawn"), cprt: copyright, wtpt: xyz(...WHITE), ...tags });
  const padded = all.map(([name, data]) => [name, join(data, zeros(-data.length & 3))]);
  let at = 128 + 4 + 12 * padded.length;
  const index = padded.map(([name, data]) => {
    const entry = join(ascii(name), u32(at), u32(data.length));
    at += data.length;
    return entry;
  });
  const header = join(
    [u32(at), zeros(4), u32(version), ascii(kind), ascii(space), ascii(connection)],
    [u16(2020), u16(1), u16(1), zeros(6), ascii(signature), zeros(4), zeros(4), zeros(4), zeros(4), zeros(8)],
    [u32(0), fixed(WHITE[0]), fixed(WHITE[1]), fixed(WHITE[2])],
  );
  return join(
    header,
    zeros(128 - header.length),
    u32(padded.length),
    index,
    padded.map(([, data]) => data),
  );
}
const matrix = (red, green, blue, tone = gamma(2.2)) =>
  profile({ tags: { rXYZ: xyz(...red), gXYZ: xyz(...green), bXYZ: xyz(...blue), rTRC: tone, gTRC: tone, bTRC: tone } });

/**
 * Makes a lookup table (`mft2`) with two points per input channel. `map(red, green, blue)` returns three numbers 0..1:
 * the XYZ or Lab colour of a point.
 */
function table(map, { connection = "XYZ ", tag = "A2B0", inputs = 3, version = 0x02100000, space = "RGB " } = {}) {
  const points = Array.from({ length: 2 ** inputs }, (_, at) =>
    map(...Array.from({ length: inputs }, (_, n) => (at >> (inputs - 1 - n)) & 1)),
  );
  const ramp = [0, 65535];
  const data = join(
    ascii("mft2"),
    zeros(4),
    [inputs, 3, 2, 0],
    [1, 0, 0, 0, 1, 0, 0, 0, 1].map(fixed),
    u16(2),
    u16(2),
    Array.from({ length: inputs }, () => ramp.map(u16)),
    points.map((point) => point.map((value) => u16(Math.round(65535 * value)))),
    [0, 1, 2].map(() => ramp.map(u16)),
  );
  return profile({ space, connection, version, tags: { [tag]: data } });
}
/** Returns a grey as Lab, in the coding of `mft2` in version 2 profiles. */
const lab = (lightness) => [lightness * (65280 / 65535), 32768 / 65535, 32768 / 65535];
const sum = (...parts) => [0, 1, 2].map((at) => parts.reduce((total, part) => total + part[at], 0));

/** Profiles of RGB pictures. They change the colours so little that the hash stays the same. */
export const PLAIN = {
  srgb: () => matrix(RED, GREEN, BLUE),
  "srgb-parametric": () => matrix(RED, GREEN, BLUE, parametric(2.2)),
  "adobe-rgb": () => matrix([0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]),
  "display-p3": () => matrix([0.5151, 0.2412, -0.0011], [0.292, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]),
  prophoto: () => matrix([0.7977, 0.288, 0], [0.1352, 0.7119, 0], [0.0313, 0.0001, 0.8249], gamma(1.8)),
  "gamma-1": () => matrix(RED, GREEN, BLUE, gamma(1)),
  "gamma-3": () => matrix(RED, GREEN, BLUE, gamma(3)),
};
/**
 * Profiles that show another picture than is stored. `stored(l, d)` computes the value to store for a pixel so that the
 * listed picture is shown. `l` and `d` are the luma of the listed picture and of the decoy.
 */
export const ODD = {
  "blue-alone": { make: () => matrix(NONE, NONE, WHITE), stored: (l, d) => [d, d, l] },
  "red-alone": { make: () => matrix(WHITE, NONE, NONE), stored: (l, d) => [l, d, d] },
  "red-and-blue-swapped": { make: () => matrix(BLUE, GREEN, RED), stored: (l) => [l, l, l] },
  "primaries-turned": { make: () => matrix(GREEN, BLUE, RED), stored: (l, d) => [d, l, l] },
  inverted: { make: () => matrix(RED, GREEN, BLUE, inverse), stored: (l) => [255 - l, 255 - l, 255 - l] },
  "gamma-9": {
    make: () => matrix(RED, GREEN, BLUE, gamma(9)),
    stored: (l) => Array(3).fill(255 * (l / 255) ** (2.2 / 9)),
  },
  "gamma-tenth": {
    make: () => matrix(RED, GREEN, BLUE, gamma(0.2)),
    stored: (l) => Array(3).fill(255 * (l / 255) ** 11),
  },
  "table-blue-alone": { make: () => table((_r, _g, b) => WHITE.map((v) => (v * b) / 2)), stored: (l, d) => [d, d, l] },
  "table-lab-blue-alone": {
    make: () => table((_r, _g, b) => lab(b), { connection: "Lab " }),
    stored: (l, d) => [d, d, l],
  },
  "table-lab-inverted": {
    make: () => table((r, g, b) => lab(1 - (r + g + b) / 3), { connection: "Lab " }),
    stored: (l) => Array(3).fill(255 - l),
  },
  "table-a2b1": {
    make: () => table((_r, _g, b) => lab(b), { connection: "Lab ", tag: "A2B1" }),
    stored: (l, d) => [d, d, l],
  },
  "table-version-4": {
    make: () => table((_r, _g, b) => lab(b), { connection: "Lab ", version: 0x04200000 }),
    stored: (l, d) => [d, d, l],
  },
  "negative-primaries": {
    make: () => matrix([-0.5, -0.5, -0.4], [-0.5, -0.5, -0.4], sum(WHITE, [1, 1, 0.8])),
    stored: (l, d) => [d / 2, d / 2, 128 + l / 2],
  },
  // The curve depends only on the lowest 4 bits of a sample, so these bits show the listed picture.
  "low-bits": {
    make: () =>
      matrix(
        RED,
        GREEN,
        BLUE,
        curve(Array.from({ length: 256 }, (_, at) => Math.round(65535 * ((at % 16) / 15) ** 2.2))),
      ),
    stored: (l, d) => Array(3).fill(16 * Math.round(d / 17) + Math.floor(l / 16.1)),
  },
};
export const GREY = {
  "grey-gamma": { make: () => profile({ space: "GRAY", tags: { kTRC: gamma(2.2) } }), stored: (l) => l },
  "grey-inverted": { make: () => profile({ space: "GRAY", tags: { kTRC: inverse } }), stored: (l) => 255 - l },
};
/** Profiles that are broken, or that are for another kind of picture. */
export const BROKEN = {
  empty: () => new Uint8Array(),
  short: () => PLAIN.srgb().subarray(0, 100),
  cut: () => ODD["blue-alone"].make().subarray(0, 300),
  "no-signature": () => profile({ signature: "xxxx", tags: {} }),
  "no-tags": () => profile({ tags: {} }),
  "of-cmyk": () =>
    table((c, m, y, k) => lab(1 - (c + m + y + k) / 4), { connection: "Lab ", inputs: 4, space: "CMYK" }),
  "of-grey": () => GREY["grey-inverted"].make(),
  "kind-printer": () =>
    profile({
      kind: "prtr",
      tags: {
        rXYZ: xyz(...NONE),
        gXYZ: xyz(...NONE),
        bXYZ: xyz(...WHITE),
        rTRC: gamma(2.2),
        gTRC: gamma(2.2),
        bTRC: gamma(2.2),
      },
    }),
  "kind-link": () => profile({ kind: "link", tags: {} }),
  zeros: () => zeros(500),
};

/** Returns an ICC profile as APP2 segments of a JPEG. */
export function segments(bytes, { part = 60_000, order = (list) => list } = {}) {
  const count = Math.max(1, Math.ceil(bytes.length / part));
  const list = Array.from({ length: count }, (_, at) => ({
    marker: 0xe2,
    body: join(ascii("ICC_PROFILE\0"), at + 1, count, bytes.subarray(at * part, (at + 1) * part)),
  }));
  return order(list);
}
