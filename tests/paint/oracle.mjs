// Has all browsers paint each file and all readers (the native tool and the gates in the browsers) check it. Yields
// both results.
import { createHash } from "node:crypto";
import { chromium } from "playwright-core";
import { CHROMIUM } from "../browser/chromium.mjs";
import { buildFilters, checkNatively, outcome, shown } from "./judge.mjs";
import { BROWSERS, Painter, servePainting } from "./painter.mjs";
import { interleaved } from "./pictures.mjs";
import { lossyChunk, lossyPictures } from "./webp-files.mjs";

const BATCH = 24;

/**
 * Returns whether a row is a finding: a browser paints a listed picture, but a reader says `clear` without a caveat or
 * that the file is no picture; or the native tool crashed.
 */
export const isFinding = ({ shown, words }) =>
  words.cli === "crashed" ||
  (shown.kind === "match" && Object.values(words).some((word) => word === "clear" || word === "passed"));

/**
 * Starts the browsers. The result's `judge(files)` yields a row for each file `{ kind, name, type, make }`. Without
 * `webp`, no lossy bitstreams for WebP files are encoded.
 */
export async function openOracle({ browsers = BROWSERS, webp = true } = {}) {
  const { filters, hashes } = buildFilters();
  const server = await servePainting(filters, hashes);
  const painters = Object.fromEntries(browsers.map((name) => [name, new Painter(name, server)]));
  return {
    lossy: webp ? await lossyEncoder() : () => undefined,
    async *judge(files, { check = true } = {}) {
      for (const batch of batches(files)) {
        const made = batch.map((file) => ({ ...file, bytes: file.make() }));
        const painting = browsers.map((name) => painters[name].run(made, { check }));
        const native = checkNatively(made);
        const painted = await Promise.all(painting);
        for (const [at, { make, ...file }] of made.entries()) {
          const paintings = Object.fromEntries(browsers.map((browser, n) => [browser, painted[n][at].painted]));
          const verdicts = { cli: native[at] };
          for (const [n, browser] of browsers.entries()) if (check) verdicts[browser] = painted[n][at].verdict;
          const seen = shown(paintings);
          const words = Object.fromEntries(
            Object.entries(verdicts).map(([reader, verdict]) => [reader, outcome(verdict, seen)]),
          );
          const lost = browsers.filter((_, n) => painted[n][at].lost);
          yield { ...file, paintings, verdicts, words, shown: seen, lost };
        }
      }
    },
    async close() {
      await Promise.all(Object.values(painters).map((painter) => painter.close()));
      await server.close();
    },
  };
}

/** Has Chromium encode the pictures as lossy WebP. Returns a function that gives the bitstream of a picture. */
async function lossyEncoder() {
  const browser = await chromium.launch(CHROMIUM);
  try {
    const page = await browser.newPage();
    const chunks = new Map();
    for (const picture of lossyPictures()) {
      const { width, height } = picture;
      const pixels = Buffer.from(interleaved(picture, () => 255)).toString("base64");
      const encoded = await page.evaluate(encodeWebp, { pixels, width, height });
      chunks.set(keyOf(picture), lossyChunk(Uint8Array.from(Buffer.from(encoded, "base64"))));
    }
    return (picture) => chunks.get(keyOf(picture));
  } finally {
    await browser.close();
  }
}
const keyOf = ({ width, height, planes }) =>
  createHash("sha1").update(`${width} ${height}`).update(planes[0]).update(planes[1]).update(planes[2]).digest("hex");

/** Encodes pixels as lossy WebP. This function runs in the page. */
async function encodeWebp({ pixels, width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  const data = Uint8ClampedArray.from(atob(pixels), (character) => character.charCodeAt(0));
  canvas.getContext("2d").putImageData(new ImageData(data, width, height), 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.85 })).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Groups files into batches, smaller ones if the files are large. */
function* batches(files) {
  let batch = [];
  for (const file of files) {
    batch.push(file);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
