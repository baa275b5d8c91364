// npm run bench -- --only film: measures the first stage of a film in Chromium and Firefox. Compares it, in one run,
// with seeking a <video> to each second and reading the frame from a canvas. The seeking is measured without hashing
// and lookups, so the real ratio is larger. The film is drawn and encoded; `--seconds 20` shortens it.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "../tests/browser/chromium.mjs";
import { SERVED } from "../tests/browser/films.mjs";
import { CSP, serve } from "../tests/browser/server.mjs";
import { millionFilter } from "./million.mjs";

const at = process.argv.indexOf("--seconds");
const SECONDS = at < 0 ? 60 : Number(process.argv[at + 1]);
/**
 * Seconds between keyframes: x264's default of 250 frames (at 30 frames per second), and the 2 seconds of streaming
 * services.
 */
const KEYS = [250 / 30, 2];
const ROUNDS = 3;

const SCRIPT = `
import { openGate } from "/hashgate/index.js";
import * as films from "/films.js";
window.gate = await openGate({ filters: ["/million.hgf"] });
window.make = async (keyEveryS, seconds) => {
  const pictures = await films.load();
  const names = ["clean-2", "clean-3", "clean-4", "clean-5"];
  const scenes = Array.from({ length: Math.ceil(seconds / 5) }, (_, at) => [names[at % 4], Math.min(5, seconds - 5 * at)]);
  const file = await films.film(pictures, { scenes, fps: 30, keyEveryS, width: 1920, height: 1080, fastStart: "in-memory" });
  return Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte)).join("");
};
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
  let sum = 0;
  for (let second = 0; second < video.duration; second += 1) {
    video.currentTime = second;
    await new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
    context.drawImage(video, 0, 0);
    sum += context.getImageData(0, 0, canvas.width, canvas.height).data[second];
  }
  URL.revokeObjectURL(video.src);
  return { firstStageMs, seekMs: performance.now() - start, outcome: verdict.outcome, video: verdict.video, lookups: verdict.lookups, sum };
};
window.ready = true;
`;
const extra = {
  ...SERVED,
  "/page.html": { body: `<!doctype html><script type="module" src="/page.js"></script>`, type: "text/html" },
  "/page.js": { body: SCRIPT, type: "text/javascript" },
  "/million.hgf": { body: readFileSync(millionFilter().filter) },
};
const server = await serve({ csp: `${CSP}; media-src blob:`, extra });
const browser = await chromium.launch(CHROMIUM);
const firefox = await puppeteer.launch({
  browser: "firefox",
  executablePath: process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr",
  protocolTimeout: 600_000,
});
try {
  const pages = { Chromium: await browser.newPage(), Firefox: await firefox.newPage() };
  for (const page of Object.values(pages)) {
    await page.goto(`${server.url}/page.html`);
    await page.waitForFunction("window.ready");
  }
  for (const keyS of KEYS) {
    const path = `/made-${keyS.toFixed(0)}.mp4`;
    const made = await pages.Chromium.evaluate(([keyS, seconds]) => window.make(keyS, seconds), [keyS, SECONDS]);
    extra[path] = { body: Buffer.from(made, "latin1"), type: "video/mp4" };
    for (const [name, page] of Object.entries(pages)) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { firstStageMs, seekMs, outcome, video, lookups } = await page.evaluate(
          (path) => window.measure(path),
          path,
        );
        const ratio = (seekMs / firstStageMs).toFixed(1);
        const ms = `first stage ${firstStageMs.toFixed(0)} ms, seek ${seekMs.toFixed(0)} ms, ratio ${ratio}`;
        console.log(
          `${name}, ${SECONDS} s of 1080p30 H.264, keyframe every ${keyS.toFixed(1)} s: ${ms} (${outcome}, ${video?.frames} frames, ${lookups} lookups)`,
        );
      }
    }
  }
} finally {
  await browser.close();
  await firefox.close();
  await server.close();
}
