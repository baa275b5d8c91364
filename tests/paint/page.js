// This script runs in the browser. It paints files in the ways that pages show them, and has gates check the painted
// pixels and the files.
import { openGate } from "/hashgate/index.js";

/** Greatest width or height, in pixels, at which pictures are painted. Larger ones are scaled down. */
const MOST = 2000;
/** Greatest number of frames of an animation that are painted. */
const MOST_FRAMES = 120;
const SURFACES = { "over-white": "#fff", "over-black": "#000", "over-grey": "#808080" };

const gate = await openGate({ filters: ["/list.hgf"], workers: 1 });
/**
 * The Hamming distance in bits up to which two PDQ hashes are of the same picture, and the least quality (0 to 100) of
 * a hash that counts.
 */
const HAMMING_THRESHOLD = 31;
const LEAST_QUALITY = 50;
const hashes = (await (await fetch("/hashes.json")).json()).map((hash) => BigInt(`0x${hash}`));
// This gate only computes the hashes of painted pixels. Its filter makes the lookup as short as possible.
const hasher = await openGate({ filters: ["/none.hgf"], workers: 1 });
const canvas = document.createElement("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });

/** Fetches a batch of files and paints each. With `check`, also has the gate check each file. */
window.runBatch = async (url, check) => {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const head = new DataView(bytes.buffer).getUint32(0);
  const files = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + head)));
  const results = [];
  let at = 4 + head;
  for (const { name, type, length } of files) {
    const file = bytes.slice(at, at + length);
    at += length;
    const painted = await paint(file, type);
    const verdict = check ? await withLimit(gate.check(new Blob([file], { type })), 30000) : undefined;
    results.push({ name, painted, verdict });
  }
  return JSON.stringify(results);
};
window.ready = true;

const withLimit = (promise, milliseconds) =>
  Promise.race([
    promise.catch((error) => ({ outcome: "threw", detail: String(error) })),
    new Promise((resolve) => setTimeout(resolve, milliseconds, { outcome: "threw", detail: "no answer in time" })),
  ]);

/** Paints a file in every way in which a page can show it. Returns one entry for each distinct painting. */
async function paint(file, type) {
  const seen = new Map();
  const blob = new Blob([file], { type });
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    const loaded = await within(10000, (resolve) => {
      image.onload = () => resolve(true);
      image.onerror = () => resolve(false);
      image.src = url;
    });
    if (loaded && image.naturalWidth > 0) {
      await within(10000, (resolve) => image.decode().then(resolve, resolve));
      await surfaces(seen, "img", image, image.naturalWidth, image.naturalHeight);
    }
    // Uses createImageBitmap only if an image element shows nothing: it takes as long and paints the same.
    const bitmap =
      seen.size === 0 &&
      (await within(10000, (resolve) => createImageBitmap(blob).then(resolve, () => resolve(undefined))));
    if (bitmap) {
      await surfaces(seen, "bitmap", bitmap, bitmap.width, bitmap.height);
      bitmap.close();
    }
    if (/gif|png|webp/.test(type)) await frames(seen, file, type);
  } finally {
    URL.revokeObjectURL(url);
  }
  return [...seen.values()];
}

/** Paints every frame of an animation, composed as a browser would show it. */
async function frames(seen, file, type) {
  if (typeof ImageDecoder === "undefined" || !(await ImageDecoder.isTypeSupported(type))) return;
  const decoder = new ImageDecoder({ data: file, type });
  try {
    const ready = await within(10000, (resolve) =>
      Promise.all([decoder.completed, decoder.tracks.ready]).then(
        () => resolve(true),
        () => resolve(false),
      ),
    );
    const count = ready ? (decoder.tracks.selectedTrack?.frameCount ?? 0) : 0;
    for (let index = 0; index < Math.min(count, MOST_FRAMES) && count > 1; index += 1) {
      const frame = await within(10000, (resolve) =>
        decoder.decode({ frameIndex: index, completeFramesOnly: false }).then(
          ({ image }) => resolve(image),
          () => resolve(undefined),
        ),
      );
      if (!frame) break;
      await surfaces(seen, `frame-${index}`, frame, frame.displayWidth, frame.displayHeight);
      frame.close();
    }
  } finally {
    decoder.close();
  }
}

const within = (milliseconds, start) =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds, undefined);
    start(resolve);
  });

/** Paints on a transparent canvas. If a pixel stays transparent, also paints over white, black and grey. */
async function surfaces(seen, how, source, width, height) {
  const scale = Math.min(1, MOST / width, MOST / height);
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const over = (colour) => {
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (colour) {
      context.fillStyle = colour;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height).data;
  };
  let pixels;
  try {
    pixels = over(undefined);
  } catch {
    return;
  }
  let opaque = true;
  for (let at = 3; at < pixels.length && opaque; at += 4) opaque = pixels[at] === 255;
  if (opaque) return note(seen, how, "opaque", pixels);
  for (const [surface, colour] of Object.entries(SURFACES)) await note(seen, how, surface, over(colour));
}

/** The results for pixels that were hashed before, by their digest. Odd files often paint the same picture. */
const known = new Map();

async function note(seen, how, surface, pixels) {
  const { width, height } = canvas;
  const digest = fingerprintOf(pixels, width);
  if (seen.has(digest)) return;
  if (!known.has(digest)) {
    const file = bitmapFile(pixels, width, height);
    const { pdq, quality = 0, detail } = await withLimit(hasher.check(file), 30000);
    const bits = pdq ? Math.min(...hashes.map((hash) => bitsOf(hash ^ BigInt(`0x${pdq}`)))) : 256;
    const near = bits <= HAMMING_THRESHOLD && quality >= LEAST_QUALITY;
    // Near the threshold, lookups find only some pictures. So asks the gate whether it finds this one.
    const match = near && (await withLimit(gate.check(file), 30000)).outcome === "possible-match";
    known.set(digest, { pdq, quality, bits, match, ...(!pdq && { detail }) });
  }
  seen.set(digest, { how, surface, width, height, ...known.get(digest) });
}

function bitsOf(number) {
  let bits = 0;
  for (let rest = number; rest > 0n; rest &= rest - 1n) bits += 1;
  return bits;
}

/** Returns a digest of the pixels: two 32-bit hashes in the manner of FNV-1a. */
function fingerprintOf(pixels, width) {
  const words = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length >> 2);
  let [one, two] = [0x811c9dc5 ^ width, 0x01000193 ^ words.length];
  for (let at = 0; at < words.length; at += 1) {
    one = Math.imul(one ^ words[at], 0x01000193);
    two = Math.imul(two ^ (words[at] >>> 7) ^ one, 0x85ebca6b);
  }
  return `${one} ${two}`;
}

/** Returns the pixels as a BMP file of 24 bits per pixel, which the engine reads without loss. */
function bitmapFile(pixels, width, height) {
  const stride = (3 * width + 3) & ~3;
  const bytes = new Uint8Array(54 + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  view.setUint32(34, stride * height, true);
  for (let y = 0; y < height; y += 1) {
    let to = 54 + stride * (height - 1 - y);
    for (let from = 4 * width * y; from < 4 * width * (y + 1); from += 4, to += 3) {
      bytes[to] = pixels[from + 2];
      bytes[to + 1] = pixels[from + 1];
      bytes[to + 2] = pixels[from];
    }
  }
  return new Blob([bytes], { type: "image/bmp" });
}
