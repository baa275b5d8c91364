// npm run bench -- --only film [--seconds 20 --rounds 3]
// The first stage of a film in Chromium and Firefox, with all views and lookups against 1,000,000 hashes, against seeking a
// <video> once a second, reading each frame from a canvas, and hashing it as it is, without a lookup. Both in one run, by
// turns, because only their ratio says something on a machine that does other work. ffmpeg makes the films.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "../tests/browser/chromium.mjs";
import { FIREFOX } from "../tests/browser/firefox.mjs";
import { CSP, serve } from "../tests/browser/server.mjs";
import { film } from "./film-files.mjs";
import { millionFilter } from "./million.mjs";

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const SECONDS = argument("--seconds", 60);
const ROUNDS = argument("--rounds", 3);
/** Seconds between keyframes: x264's default of up to 250 frames and one at each cut, and the 2 s of streaming services. */
const KEYS = [undefined, 2];

const SCRIPT = `
import { openGate } from "/hashgate/index.js";
import { HashedFrame, initSync } from "/hashgate/bindings/hashgate.js";
initSync({ module: await WebAssembly.compileStreaming(fetch("/hashgate/hashgate.wasm")) });
window.gate = await openGate({ filters: ["/million.hgf"] });
window.measure = async (path) => {
  const file = await (await fetch(path)).blob();
  let start = performance.now();
  const verdict = await window.gate.check(file);
  const firstStageMs = performance.now() - start;
  start = performance.now();
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(file);
  await new Promise((resolve) => video.addEventListener("loadeddata", resolve, { once: true }));
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const layout = { width: canvas.width, height: canvas.height, offset: 0, stride: 4 * canvas.width, samples: "rgbx", limited: false };
  const hashes = new Set();
  for (let second = 0; second < video.duration; second += 1) {
    video.currentTime = second;
    await new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const hashed = HashedFrame.of(new Uint8Array(data.buffer), layout, "plain");
    hashes.add(hashed.pdq);
    hashed.free();
  }
  URL.revokeObjectURL(video.src);
  return { firstStageMs, seekMs: performance.now() - start, outcome: verdict.outcome, detail: verdict.detail, video: verdict.video, lookups: verdict.lookups, hashes: hashes.size };
};
window.ready = true;
`;
const extra = {
  "/page.html": { body: `<!doctype html><script type="module" src="/page.js"></script>`, type: "text/html" },
  "/page.js": { body: SCRIPT, type: "text/javascript" },
  "/million.hgf": { body: readFileSync(millionFilter().filter) },
};
for (const keyEveryS of KEYS) {
  extra[`/${keyEveryS}.mp4`] = { body: readFileSync(film({ seconds: SECONDS, keyEveryS })), type: "video/mp4" };
}
const server = await serve({ csp: `${CSP}; media-src blob:`, extra });
const browser = await chromium.launch(CHROMIUM);
const firefox = await puppeteer.launch({ ...FIREFOX, protocolTimeout: 600_000 });
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
try {
  const pages = { Chromium: await browser.newPage(), Firefox: await firefox.newPage() };
  for (const page of Object.values(pages)) {
    await page.goto(`${server.url}/page.html`);
    await page.waitForFunction(() => window.ready);
  }
  for (const keyEveryS of KEYS) {
    for (const [name, page] of Object.entries(pages)) {
      const keys = keyEveryS ? `every ${keyEveryS} s` : "by x264's default";
      console.log(`${name}, ${SECONDS} s of 1080p30 H.264, keyframes ${keys}:`);
      const ratios = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const seen = await page.evaluate((path) => window.measure(path), `/${keyEveryS}.mp4`);
        const { firstStageMs, seekMs, outcome, detail, video, lookups, hashes } = seen;
        if (outcome !== "clear") throw new Error(`expected a clear film, got ${outcome}: ${detail}`);
        if (round === 0) {
          const looked = `${video.keyframes} keyframes, ${video.frames} frames, ${lookups} lookups`;
          console.log(`    ${looked}; ${hashes} hashes by seeking`);
        }
        ratios.push(seekMs / firstStageMs);
        const ratio = ratios.at(-1).toFixed(1);
        console.log(`    first stage ${firstStageMs.toFixed(0)} ms, seek ${seekMs.toFixed(0)} ms, ratio ${ratio}`);
      }
      console.log(`    median ratio ${median(ratios).toFixed(1)}`);
    }
  }
} finally {
  await browser.close();
  await firefox.close();
  await server.close();
}
