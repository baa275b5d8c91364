// Generates odd WebP files: containers with wrong fields, with two bitstreams, with alpha, and animations.
import { createHash } from "node:crypto";
import { ascii, join, le16, le24, le32, patched, zeros } from "./bytes.mjs";
import { exif } from "./exif.mjs";
import { mirages } from "./mirages.mjs";
import { decoy, interleaved, listed, other } from "./pictures.mjs";

/** Writes bits into bytes, from the lowest bit of each byte up. */
class Bits {
  #bytes;
  #length = 0;
  #held = 0;
  #count = 0;
  constructor(most) {
    this.#bytes = new Uint8Array(most);
  }
  put(value, count) {
    this.#held |= value << this.#count;
    for (this.#count += count; this.#count >= 8; this.#count -= 8, this.#held >>>= 8) this.#byte();
  }
  #byte() {
    this.#bytes[this.#length++] = this.#held & 255;
  }
  end() {
    if (this.#count > 0) this.#byte();
    return this.#bytes.slice(0, this.#length);
  }
}

const heldStreams = new Map();
/** Returns a lossless bitstream of a picture. Caches it for further files of the same picture. */
export function lossless(picture, alpha) {
  const pixels = interleaved(picture, alpha ?? (() => 255));
  const key = `${picture.width} ${alpha === undefined} ${createHash("sha1").update(pixels).digest("hex")}`;
  if (!heldStreams.has(key)) {
    if (heldStreams.size > 40) heldStreams.delete(heldStreams.keys().next().value);
    heldStreams.set(key, encoded(picture, pixels, alpha !== undefined));
  }
  return heldStreams.get(key);
}

/**
 * Encodes a lossless bitstream without transforms. Each sample is a literal code of 8 bits; green has codes of 8 or 9
 * bits, because its alphabet also contains the codes for copy lengths.
 */
function encoded({ width, height }, pixels, alpha) {
  const bits = new Bits(2 * pixels.length + 4096);
  bits.put(0x2f, 8);
  bits.put(width - 1, 14);
  bits.put(height - 1, 14);
  bits.put(alpha ? 1 : 0, 1);
  bits.put(0, 3);
  // The bits say: no transform, no colour cache, one group of Huffman codes.
  bits.put(0, 3);
  // Code lengths are themselves coded. Only the lengths 8 and 9 occur, so each takes one bit.
  const code = (symbols, lengthOf) => {
    bits.put(0, 1);
    // The format stores code lengths in this order: 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, …
    const used = [...new Set(Array.from({ length: symbols }, (_, at) => lengthOf(at)))];
    bits.put(13 - 4, 4);
    for (const length of [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9])
      bits.put(used.includes(length) ? (used.length > 1 ? 1 : 1) : 0, 3);
    bits.put(0, 1);
    if (used.length > 1)
      for (let at = 0; at < symbols; at += 1) bits.put(lengthOf(at) === Math.max(...used) ? 1 : 0, 1);
  };
  // Green's alphabet has 256 values and 24 lengths, 280 symbols: 232 codes of 8 bits and 48 of 9 bits make a full code.
  code(280, (at) => (at < 232 ? 8 : 9));
  for (let channel = 0; channel < 3; channel += 1) code(256, () => 8);
  // The code for distances has only one symbol, because distances never occur.
  bits.put(1, 1);
  bits.put(0, 3);
  // Readers take a code from its highest bit on, so its bits are reversed.
  const turned = (value, count) => {
    let result = 0;
    for (let bit = 0; bit < count; bit += 1) result |= ((value >> bit) & 1) << (count - 1 - bit);
    return result;
  };
  const eight = Uint8Array.from({ length: 256 }, (_, value) => turned(value, 8));
  for (let at = 0; at < pixels.length; at += 4) {
    const green = pixels[at + 1];
    if (green < 232) bits.put(eight[green], 8);
    else bits.put(turned(464 + green - 232, 9), 9);
    bits.put(eight[pixels[at]], 8);
    bits.put(eight[pixels[at + 2]], 8);
    bits.put(eight[pixels[at + 3]], 8);
  }
  return bits.end();
}

export const webpChunk = (type, data) => ({ type, data });
export const losslessChunk = (picture, alpha) => webpChunk("VP8L", lossless(picture, alpha));
const writtenChunk = ({ raw, type, data, length }) =>
  raw ? raw : join(ascii(type), le32(length ?? data.length), data, data.length % 2 ? [0] : []);

/** Makes a WebP file of chunks. `more` is added to the size in the container's header. */
export function webp(chunks, { more = 0, size, magic = "WEBP", trailer = [] } = {}) {
  const body = join(ascii(magic), ...chunks.map(writtenChunk));
  return join(ascii("RIFF"), le32(size ?? body.length + more), body, trailer);
}

/** Returns the chunk with the lossy bitstream of a WebP file that a browser has encoded. */
export function lossyChunk(file) {
  for (let at = 12; at + 8 <= file.length; ) {
    const type = String.fromCharCode(...file.subarray(at, at + 4));
    const length = new DataView(file.buffer, file.byteOffset).getUint32(at + 4, true);
    if (type === "VP8 ") return webpChunk("VP8 ", file.slice(at + 8, at + 8 + length));
    at += 8 + length + (length & 1);
  }
  throw new Error("expected a WebP file with a chunk VP8, got another");
}

const FLAGS = { icc: 0x20, alpha: 0x10, exif: 8, xmp: 4, animation: 2 };
const extended = ({ width, height }, ...flags) =>
  webpChunk(
    "VP8X",
    join(
      flags.reduce((all, flag) => all | FLAGS[flag], 0),
      zeros(3),
      le24(width - 1),
      le24(height - 1),
    ),
  );
const alphaChunk = (picture, alpha) =>
  webpChunk(
    "ALPH",
    join(
      0,
      Uint8Array.from(picture.planes[0], (_, at) => alpha(at)),
    ),
  );
const animationFrame = ({ picture, chunks, x = 0, y = 0, delay = 100, flags = 0 }) =>
  webpChunk(
    "ANMF",
    join(
      le24(x >> 1),
      le24(y >> 1),
      le24(picture.width - 1),
      le24(picture.height - 1),
      le24(delay),
      flags,
      ...(chunks ?? [losslessChunk(picture)]).map(writtenChunk),
    ),
  );
const control = (loops = 0) => webpChunk("ANIM", join(le32(0), le16(loops)));

/** Returns the pictures of which `webpFiles` needs a lossy bitstream. */
export function lossyPictures() {
  return ["small", "large"].flatMap((size) => {
    const [L, D] = [listed(size), decoy(size)];
    return [L, D, decoy("tiny"), ...Object.values(mirages).map((make) => make(L, D).picture)];
  });
}

/** Yields the files. `lossy(picture)` returns a bitstream of the picture that a browser has encoded. */
export function* webpFiles(lossy) {
  const file = (kind, name, make) => ({ kind: `webp-${kind}`, name, make });
  for (const size of ["small", "large"]) {
    const [L, D] = [listed(size), decoy(size)];
    const streams = { lossy: (picture) => lossy(picture), lossless: (picture) => losslessChunk(picture) };
    for (const [stream, of] of Object.entries(streams)) {
      const named = (name) => `${size}-${stream}-${name}`;
      const simple = {
        plain: () => webp([of(L)]),
        "size-0": () => webp([of(L)], { size: 0 }),
        "size-plus-8": () => webp([of(L)], { more: 8 }),
        "size-plus-1": () => webp([of(L)], { more: 1 }),
        "size-plus-2": () => webp([of(L)], { more: 2 }),
        "size-minus-2": () => webp([of(L)], { more: -2 }),
        "size-minus-8": () => webp([of(L)], { more: -8 }),
        "size-half": () => webp([of(L)], { size: 5000 }),
        "size-huge": () => webp([of(L)], { size: 0xfffffff0 }),
        "size-most": () => webp([of(L)], { size: 0xffffffff }),
        trailer: () => webp([of(L)], { trailer: ascii("and so on") }),
        "trailer-decoy": () => webp([of(L)], { trailer: webp([of(D)]) }),
        "trailer-in-size": () => webp([of(L), { raw: zeros(30) }]),
        "chunk-length-more": () => webp([{ ...of(L), length: of(L).data.length + 100 }]),
        "chunk-length-a-little-more": () => webp([{ ...of(L), length: of(L).data.length + 2 }]),
        "chunk-length-less": () => webp([{ ...of(L), length: of(L).data.length - 10 }]),
        "chunk-length-half": () => webp([{ ...of(L), length: of(L).data.length >> 1 }]),
        "chunk-length-0": () => webp([{ ...of(L), length: 0 }]),
        "unknown-before": () => webp([webpChunk("abcd", zeros(9)), of(L)]),
        "unknown-after": () => webp([of(L), webpChunk("abcd", zeros(9))]),
        "exif-before-simple": () => webp([webpChunk("EXIF", exif({ orientation: 6, bare: true })), of(L)]),
        "same-twice-decoy-second": () => webp([of(L), of(D)]),
        "same-twice-decoy-first": () => webp([of(D), of(L)]),
        extended: () => webp([extended(L), of(L)]),
        "extended-twice": () => webp([extended(L), extended(D), of(L)]),
        "extended-reserved-bits": () => webp([webpChunk("VP8X", patched(extended(L).data, 0, [0xc1, 9, 9, 9])), of(L)]),
        "extended-long": () => webp([webpChunk("VP8X", join(extended(L).data, 1, 2, 3, 4)), of(L)]),
        "extended-short": () => webp([webpChunk("VP8X", extended(L).data.subarray(0, 8)), of(L)]),
        "extended-larger": () => webp([extended({ width: L.width + 30, height: L.height + 10 }), of(L)]),
        "extended-smaller": () => webp([extended({ width: L.width - 30, height: L.height - 10 }), of(L)]),
        "extended-unknown-before": () => webp([extended(L), webpChunk("abcd", zeros(9)), of(L)]),
        "extended-alpha-said": () => webp([extended(L, "alpha"), of(L)]),
        "extended-icc-said": () => webp([extended(L, "icc"), of(L)]),
        "extended-animation-said": () => webp([extended(L, "animation"), of(L)]),
        "extended-animation-said-with-control": () => webp([extended(L, "animation"), control(), of(L)]),
        "extended-decoy-second": () => webp([extended(L), of(L), of(D)]),
        "extended-decoy-first": () => webp([extended(L), of(D), of(L)]),
        "extended-exif-orientation": () =>
          webp([extended(L, "exif"), of(L), webpChunk("EXIF", exif({ orientation: 8, bare: true }))]),
        "extended-exif-first": () =>
          webp([extended(L, "exif"), webpChunk("EXIF", exif({ orientation: 8, bare: true })), of(L)]),
        "extended-frame-and-still": () => webp([extended(L), animationFrame({ picture: D, chunks: [of(D)] }), of(L)]),
        "extended-animation-frame-and-still": () =>
          webp([extended(L, "animation"), control(), animationFrame({ picture: D, chunks: [of(D)] }), of(L)]),
        "extended-still-and-frame": () =>
          webp([extended(L, "animation"), control(), of(D), animationFrame({ picture: L, chunks: [of(L)] })]),
        "frame-without-extended": () => webp([animationFrame({ picture: L, chunks: [of(L)] })]),
        "extended-late": () => webp([of(L), extended(L)]),
        "magic-lower": () => webp([of(L)], { magic: "webp" }),
        "bitstream-of-other-size": () => webp([extended(L), of(decoy("tiny"))]),
        "nothing-before-decoy": () => webp([webpChunk(of(L).type, new Uint8Array()), of(L)]),
        "bitstream-twice-first-cut": () => webp([webpChunk(of(D).type, of(D).data.subarray(0, 200)), of(L)]),
      };
      for (const [name, make] of Object.entries(simple)) yield file("container", named(name), make);
      for (const share of [0.02, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999]) {
        yield file("cut", named(String(share)), () => {
          const whole = webp([of(L)]);
          return whole.subarray(0, Math.floor(whole.length * share));
        });
        yield file("cut", named(`${share}-sizes-fit`), () => {
          const { type, data } = of(L);
          return webp([webpChunk(type, data.subarray(0, Math.floor(data.length * share)))]);
        });
      }
    }
    const pairs = { "listed-decoy": [L, D], "decoy-listed": [D, L] };
    for (const [order, [one, two]] of Object.entries(pairs)) {
      const mixed = {
        "lossy-lossless": [lossy(one), losslessChunk(two)],
        "lossless-lossy": [losslessChunk(one), lossy(two)],
      };
      for (const [name, chunks] of Object.entries(mixed)) {
        const named = `${size}-${order}-${name}`;
        yield file("two-bitstreams", named, () => webp(chunks));
        yield file("two-bitstreams", `${named}-extended`, () => webp([extended(L), ...chunks]));
        yield file("two-bitstreams", `${named}-extended-alpha-first`, () =>
          webp([extended(L, "alpha"), alphaChunk(L, () => 255), ...chunks]),
        );
        yield file("two-bitstreams", `${named}-extended-unknown-between`, () =>
          webp([extended(L), chunks[0], webpChunk("abcd", zeros(4)), chunks[1]]),
        );
        yield file("two-bitstreams", `${named}-in-frame`, () =>
          webp([extended(L, "animation"), control(), animationFrame({ picture: L, chunks })]),
        );
        yield file("two-bitstreams", `${named}-in-two-frames`, () =>
          webp([
            extended(L, "animation"),
            control(),
            animationFrame({ picture: L, chunks }),
            animationFrame({ picture: L, chunks: [...chunks].reverse() }),
          ]),
        );
        yield file("two-bitstreams", `${named}-size-covers-first`, () =>
          webp(chunks, { size: 4 + writtenChunk(chunks[0]).length }),
        );
        yield file("two-bitstreams", `${named}-after-animation`, () =>
          webp([extended(L, "animation"), control(), animationFrame({ picture: L, chunks: [chunks[0]] }), chunks[1]]),
        );
      }
    }
    for (const [name, make] of Object.entries(mirages)) {
      const { picture, alpha } = make(L, D);
      const alphaAt = (at) => alpha[at];
      yield file("mirage", `${size}-${name}-lossless`, () => webp([losslessChunk(picture, alphaAt)]));
      yield file("mirage", `${size}-${name}-lossless-extended`, () =>
        webp([extended(L, "alpha"), losslessChunk(picture, alphaAt)]),
      );
      yield file("mirage", `${size}-${name}-lossless-alpha-unsaid`, () =>
        webp([extended(L), losslessChunk(picture, alphaAt)]),
      );
      yield file("mirage", `${size}-${name}-lossy`, () =>
        webp([extended(L, "alpha"), alphaChunk(picture, alphaAt), lossy(picture)]),
      );
      yield file("mirage", `${size}-${name}-lossy-alpha-unsaid`, () =>
        webp([extended(L), alphaChunk(picture, alphaAt), lossy(picture)]),
      );
      yield file("mirage", `${size}-${name}-lossy-alpha-late`, () =>
        webp([extended(L, "alpha"), lossy(picture), alphaChunk(picture, alphaAt)]),
      );
      yield file("mirage", `${size}-${name}-lossy-not-extended`, () =>
        webp([alphaChunk(picture, alphaAt), lossy(picture)]),
      );
      yield file("mirage", `${size}-${name}-lossless-with-chunk`, () =>
        webp([extended(L, "alpha"), alphaChunk(picture, alphaAt), losslessChunk(picture)]),
      );
      yield file("mirage", `${size}-${name}-two-alphas`, () =>
        webp([extended(L, "alpha"), alphaChunk(picture, () => 255), alphaChunk(picture, alphaAt), lossy(picture)]),
      );
      yield file("mirage", `${size}-${name}-in-frame`, () =>
        webp([
          extended(L, "alpha", "animation"),
          control(),
          animationFrame({ picture: L, chunks: [losslessChunk(picture, alphaAt)] }),
        ]),
      );
    }
  }
  const tiny = listed("tiny");
  const animated = (frames, options = {}) =>
    webp(
      [
        extended(options.canvas ?? tiny, "animation", ...(options.flags ?? [])),
        ...(options.control ?? [control()]),
        ...frames.map(animationFrame),
      ],
      options,
    );
  for (const total of [2, 17, 40]) {
    for (const place of [0, 1, 6, 8, 9, 15, 16, 25, 38]) {
      if (place >= total) continue;
      for (const long of [false, true]) {
        yield file("animated", `frame-${place}-of-${total}${long ? "-long" : ""}`, () =>
          animated(
            Array.from({ length: total }, (_, n) => ({
              picture: n === place ? tiny : other("tiny", n),
              delay: long && n === place ? 600000 : 50,
            })),
          ),
        );
      }
    }
  }
  const [one, two] = [{ picture: tiny }, { picture: decoy("tiny") }];
  const odd = {
    "no-control": () => animated([two, one], { control: [] }),
    "control-late": () => webp([extended(tiny, "animation"), animationFrame(two), control(), animationFrame(one)]),
    "control-twice": () => animated([two, one], { control: [control(), control(1)] }),
    "flag-missing": () => webp([extended(tiny), control(), animationFrame(two), animationFrame(one)]),
    "canvas-larger": () => animated([two, one], { canvas: { width: 200, height: 200 } }),
    "canvas-smaller": () => animated([two, one], { canvas: { width: 100, height: 100 } }),
    "frame-offset": () => animated([two, { ...one, x: 40, y: 20 }], { canvas: { width: 200, height: 140 } }),
    "frame-cut": () => animated([two, one]).subarray(0, -5000),
    "first-frame-broken": () => animated([{ ...two, chunks: [webpChunk("VP8L", zeros(20))] }, one]),
    "second-frame-broken": () => animated([one, { ...two, chunks: [webpChunk("VP8L", zeros(20))] }]),
    "blend-none-dispose": () =>
      animated([
        { ...two, flags: 1 },
        { ...one, flags: 3 },
      ]),
    "delay-0": () =>
      animated([
        { ...two, delay: 0 },
        { ...one, delay: 0 },
      ]),
    "frame-says-other-size": () => animated([two, { picture: { ...tiny, width: 150 }, chunks: [losslessChunk(tiny)] }]),
    "one-frame": () => animated([one]),
    "exif-orientation": () =>
      webp([
        extended(tiny, "animation", "exif"),
        control(),
        animationFrame(one),
        webpChunk("EXIF", exif({ orientation: 5, bare: true })),
      ]),
  };
  for (const [name, make] of Object.entries(odd)) yield file("animated", name, make);
}
