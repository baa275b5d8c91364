// npm run bench:lookup: measures the lookup of a clean picture in Chromium's wasm, with a filter of 1,000,000 PDQ
// hashes. Compares it with the full decode of a 12-megapixel JPEG in the same wasm, and with a scan of the raw list for
// hashes within a Hamming distance of 31.
import { readFileSync } from "node:fs";
import { chromium as launcher } from "playwright-core";
import { makeDemoList } from "../scripts/demo-list.mjs";
import { programs } from "../scripts/programs.mjs";
import { setUp } from "../scripts/setup.mjs";
import { serve } from "../tests/browser/server.mjs";
import { millionFilter } from "./million.mjs";

setUp();
makeDemoList("target");
const { filter, list } = millionFilter();

const raw = Buffer.from(readFileSync(list, "utf8").replaceAll("\n", ""), "hex");
const page = `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="/page.js"></script>`;
const script = `import { Fingerprint, initSync, Lookup } from "/hashgate/bindings/hashgate.js";
const fingerprint = (bytes, options) => {
  const made = Fingerprint.of(bytes, options);
  const print = made.toBytes();
  made.free();
  return print;
};
const bytesOf = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
initSync({ module: await WebAssembly.compileStreaming(fetch("/hashgate/hashgate.wasm")) });

/** Draws noise with the spectrum of photographs and a border of frame pixels. The browser encodes it as a JPEG. */
async function picture(width, height, seed, frame = 0) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  let state = seed;
  const random = () => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32;
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "overlay";
  for (let side = 4; side <= 4096; side *= 2) {
    const tile = new OffscreenCanvas(Math.min(side, width), Math.min(side, height));
    const paint = tile.getContext("2d");
    const pixels = paint.createImageData(tile.width, tile.height);
    for (let at = 0; at < pixels.data.length; at += 4) {
      for (let channel = 0; channel < 3; channel += 1) pixels.data[at + channel] = 256 * random();
      pixels.data[at + 3] = side === 4 ? 255 : 255 / Math.log2(side);
    }
    paint.putImageData(pixels, 0, 0);
    context.globalCompositeOperation = side === 4 ? "source-over" : "overlay";
    context.drawImage(tile, 0, 0, width, height);
  }
  context.globalCompositeOperation = "source-over";
  context.lineWidth = 2 * frame;
  if (frame > 0) context.strokeRect(0, 0, width, height);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  return new Uint8Array(await blob.arrayBuffer());
}

/** Returns the median time and the smallest one, which is nearest to that of an idle machine. */
function time(rounds, work) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    work(round);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return [times[times.length >> 1], times[0]];
}

window.measure = async () => {
  const lookup = new Lookup();
  const start = performance.now();
  lookup.addFilter(await bytesOf("/million.hgf"));
  const open = performance.now() - start;
  const wanted = { pdq: true, sha256: false, md5: false, views: "all", limits: {} };
  // The low-terms decoder reads only JPEGs whose short side is at least 900 pixels. This picture's is 889, so it is fully
  // decoded.
  const large = await picture(13_500, 889, 1);
  // The pictures have a border, so that the view without the border exists, too.
  const prints = [];
  for (let seed = 2; seed < 12; seed += 1) prints.push(fingerprint(await picture(640, 480, seed, 24), wanted));
  const verdicts = prints.map((print) => lookup.lookUp(print, undefined, "all"));
  // Warms up, so that the engine has compiled its code.
  for (const print of prints) lookup.lookUp(print, undefined, "all");
  const [lookupMs, leastMs] = time(50, (round) => lookup.lookUp(prints[round % prints.length], undefined, "all"));
  const [uprightMs] = time(50, (round) => lookup.lookUp(prints[round % prints.length], undefined, "upright"));
  const decodedBy = lookup.lookUp(fingerprint(large, { ...wanted, views: "plain" }), undefined, "all").decodedBy;
  const [decodeMs, leastDecodeMs] = time(7, () => fingerprint(large, { ...wanted, views: "plain" }));
  const photograph = await picture(4000, 3000, 1);
  fingerprint(photograph, wanted);
  const [blocksMs] = time(7, () => fingerprint(photograph, wanted));
  const list = new Uint32Array((await bytesOf("/million.bin")).buffer);
  const hash = new Uint32Array(list.slice(8, 16));
  const bits = (v) => { v -= (v >>> 1) & 0x55555555; v = (v & 0x33333333) + ((v >>> 2) & 0x33333333); return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24; };
  const scan = () => {
    let near = 0;
    for (let at = 0; at < list.length; at += 8) {
      let distance = 0;
      for (let word = 0; word < 8; word += 1) distance += bits(list[at + word] ^ hash[word]);
      near += distance <= 31;
    }
    return near;
  };
  const scanMs = 8 * time(5, scan)[0];
  return { outcomes: verdicts.map(({ outcome }) => outcome), lookups: verdicts.map(({ lookups }) => lookups), open, lookupMs, leastMs, uprightMs, decodeMs, leastDecodeMs, decodedBy, blocksMs, scanMs, megabytes: large.length / 1e6 };
};
window.ready = true;`;

const server = await serve({
  extra: {
    "/page.html": { body: page, type: "text/html; charset=utf-8" },
    "/page.js": { body: script, type: "text/javascript" },
    "/million.hgf": { body: readFileSync(filter) },
    "/million.bin": { body: raw },
  },
});
const browser = await launcher.launch({
  executablePath: programs(["CHROMIUM_PATH"]).CHROMIUM_PATH,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
try {
  const tab = await browser.newPage();
  await tab.goto(`${server.url}/page.html`);
  await tab.waitForFunction(() => window.ready);
  const m = await tab.evaluate(() => window.measure());
  const clear = m.outcomes.filter((outcome) => outcome === "clear").length;
  const most = Math.max(...m.lookups);
  console.log(`
${clear} of ${m.outcomes.length} drawn pictures are clear; most lookups ${most}
fetch, open and verify the filter   ${m.open.toFixed(0)} ms
a clean picture's lookups           ${m.lookupMs.toFixed(2)} ms (${((m.lookupMs * 1e6) / most).toFixed(1)} ns each)
the fastest of 50                   ${m.leastMs.toFixed(2)} ms (${((m.leastMs * 1e6) / most).toFixed(1)} ns each), fastest decoding ${m.leastDecodeMs.toFixed(1)} ms: ${(m.leastMs / m.leastDecodeMs).toFixed(3)}
as stored alone ("upright")         ${m.uprightMs.toFixed(2)} ms
decode 12 megapixels in full        ${m.decodeMs.toFixed(1)} ms (13,500 x 889, ${m.megabytes.toFixed(1)} MB JPEG, by ${m.decodedBy}): lookup / decode = ${(m.lookupMs / m.decodeMs).toFixed(3)}
4000 x 3000 by block means          ${m.blocksMs.toFixed(1)} ms, all views made
scan of the raw list, JavaScript    ${m.scanMs.toFixed(0)} ms for eight orientations: lookup / scan = ${(m.lookupMs / m.scanMs).toFixed(4)}`);
} finally {
  await browser.close();
  await server.close();
}
