// The page of npm run bench. It has a function for each way from a file to a hash, and runs all on the same files.
import { openGate } from "/hashgate/index.js";
import { pdq } from "./pdq.js";

const SIDE = 512;
/** Bytes that a worker reads of a file at a time. */
const PIECE = 1 << 18;
const wanted = { pdq: true, sha256: false, md5: false, views: "all", limits: {} };
const module = await WebAssembly.compileStreaming(fetch("/hashgate/hashgate.wasm"));
const gates = {};
// With a query string, the page measures the first files after opening a gate, so it opens its gates itself.
if (!location.search)
  for (const workers of [1, 2]) gates[workers] = await openGate({ filters: ["/million.hgf"], workers });
const files = new Map();

async function readOut(bitmap) {
  const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, SIDE, SIDE);
  return context.getImageData(0, 0, SIDE, SIDE).data;
}

const WAYS = {
  /** The package's gate: from a File to its verdict. */
  hashgate: (file) => gates[1].check(file),
  /** (a) As other browser hashers do: decodes by an image element, draws on a canvas, and reads the pixels back. */
  async image(file) {
    const image = new Image();
    image.src = URL.createObjectURL(file);
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
    });
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0, SIDE, SIDE);
    const hash = pdq(context.getImageData(0, 0, SIDE, SIDE).data, SIDE, SIDE);
    URL.revokeObjectURL(image.src);
    return hash;
  },
  /** (b): only decodes by createImageBitmap and reads the pixels. */
  async bitmap(file) {
    const bitmap = await createImageBitmap(file, { resizeWidth: SIDE, resizeHeight: SIDE });
    const pixels = await readOut(bitmap);
    bitmap.close();
    return pixels;
  },
  /** (c): only decodes by ImageDecoder and reads the pixels. */
  async imageDecoder(file) {
    const data = await file.arrayBuffer();
    const decoder = new ImageDecoder({ data, type: file.type, desiredWidth: SIDE, desiredHeight: SIDE });
    const { image } = await decoder.decode();
    const pixels = new Uint8Array(image.allocationSize({ format: "RGBA" }));
    await image.copyTo(pixels, { format: "RGBA" });
    image.close();
    decoder.close();
    return pixels;
  },
  /**
   * Has the browser decode the picture in full, and reads the pixels in the format in which the engine would need them.
   */
  async imageDecoderFull(file) {
    const data = await file.arrayBuffer();
    const decoder = new ImageDecoder({ data, type: file.type });
    const { image } = await decoder.decode();
    const pixels = new Uint8Array(image.allocationSize({ format: "RGBA" }));
    await image.copyTo(pixels, { format: "RGBA" });
    image.close();
    decoder.close();
    return pixels;
  },
  /** (d) Like `hashgate`, but on a copy of the file that only the engine's general decoder reads. */
  general: (file) => gates[1].check(files.get(`${file.name} general`) ?? file),
};

/**
 * Raises the first AC step of a file's quantization tables, out of proportion to the DC step. The low-terms decoder leaves
 * such a file to a general decoder; to all others it is an ordinary file, which takes as long as before to decode.
 */
async function forGeneral(file) {
  if (file.type !== "image/jpeg") return file;
  const bytes = new Uint8Array(await file.arrayBuffer());
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
    const length = 256 * bytes[at + 2] + bytes[at + 3];
    // Each table of 8-bit steps has a byte before its 64 steps.
    if (bytes[at + 1] === 0xdb) for (let table = at + 4; table < at + 2 + length; table += 65) bytes[table + 2] = 255;
    at += 2 + length;
  }
  return new File([bytes], file.name, { type: file.type });
}

/** Returns whether the browser shows the picture. */
window.isShown = async (name) => {
  const bitmap = await createImageBitmap(files.get(name)).catch(() => undefined);
  bitmap?.close();
  return bitmap !== undefined;
};

window.add = async (name, type) => {
  const file = new File([await (await fetch(`/bench/${name}`)).blob()], name, { type });
  files.set(name, file);
  files.set(`${name} general`, await forGeneral(file));
  return file.size;
};

/** Converts a picture to PNG or WebP. */
window.convert = async (from, name, type, quality) => {
  const bitmap = await createImageBitmap(files.get(from));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const file = new File([await canvas.convertToBlob({ type, quality })], name, { type });
  files.set(name, file);
  return file.size;
};

window.run = async (way, name) => {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: "longtask" });
  const start = performance.now();
  const result = await WAYS[way](files.get(name));
  const milliseconds = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 30));
  tasks.push(...observer.takeRecords().map(({ duration }) => duration));
  observer.disconnect();
  return {
    milliseconds,
    longest: Math.max(0, ...tasks),
    outcome: result.outcome,
    reason: result.reason,
    by: result.decodedBy,
  };
};

/** Returns the bytes of a fresh engine's memory after it has read one file in pieces, as the workers do. */
window.memory = async (name) => {
  const { Fingerprint, initSync, StreamingFingerprint } = await import(`/hashgate/bindings/hashgate.js?for=${name}`);
  const { memory } = initSync({ module });
  const bytes = new Uint8Array(await files.get(name).arrayBuffer());
  const stream = StreamingFingerprint.open(bytes.subarray(0, PIECE), bytes.length, wanted, false);
  for (let at = 0; stream && at < bytes.length; at += PIECE) stream.push(bytes.subarray(at, at + PIECE));
  if (!stream?.finish()) Fingerprint.of(bytes, wanted);
  return memory.buffer.byteLength;
};

/** Measures each of the first ten checks of a page, from 3 seconds after its gate has opened. */
window.first = async (name, warmUp) => {
  const gate = await openGate({ filters: ["/million.hgf"], workers: 1, warmUp });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const times = [];
  for (let number = 0; number < 10; number += 1) {
    const start = performance.now();
    const { outcome } = await gate.check(files.get(name));
    times.push(performance.now() - start);
    if (outcome === "unchecked") throw new Error("a file was not checked");
  }
  return times;
};

/** Checks ten files one after the other. */
window.inTurn = async (name, workers) => {
  const file = files.get(name);
  const start = performance.now();
  for (let number = 0; number < 10; number += 1) {
    const { outcome } = await gates[workers].check(file);
    if (outcome === "unchecked") throw new Error("a file was not checked");
  }
  return performance.now() - start;
};

/** Checks ten files at once, with this number of workers. */
window.together = async (name, workers) => {
  const file = files.get(name);
  const start = performance.now();
  const verdicts = await Promise.all(Array.from({ length: 10 }, () => gates[workers].check(file)));
  const milliseconds = performance.now() - start;
  if (verdicts.some(({ outcome }) => outcome === "unchecked")) throw new Error("a file was not checked");
  return milliseconds;
};
window.ready = true;
