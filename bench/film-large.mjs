// npm run bench -- --only film-large [--keep]
// A film of 2.5 GB with its index at the end, chosen by a person in Chromium: how much memory the browser's processes take
// more (their proportional set size, which counts shared pages once), and when the first frame was judged. Linux alone
// says so. ffmpeg makes the film, which is removed at the end.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { chromium } from "playwright-core";
import { CHROMIUM } from "../tests/browser/chromium.mjs";
import { CSP, serve } from "../tests/browser/server.mjs";
import { longFilm } from "./film-files.mjs";
import { FOLDER, millionFilter } from "./million.mjs";

const BYTES = 2.5e9;
const path = existsSync(`${FOLDER}/long.mp4`) ? `${FOLDER}/long.mp4` : longFilm(BYTES);
/** Milliseconds from one look at the memory to the next. */
const EVERY_MS = 200;

const SCRIPT = `
import { openGate } from "/hashgate/index.js";
window.gate = await openGate({ filters: ["/million.hgf"] });
/** Milliseconds until the first frame was judged; then the check is given up. */
window.first = async () => {
  const [file] = document.querySelector("input").files;
  const start = performance.now();
  const stopping = new AbortController();
  let ms;
  const onProgress = () => {
    ms ??= performance.now() - start;
    stopping.abort();
  };
  await window.gate.check(file, { signal: stopping.signal, video: { onProgress } }).catch(() => {});
  return ms;
};
window.measure = async () => {
  const [file] = document.querySelector("input").files;
  const start = performance.now();
  const { outcome, detail, video } = await window.gate.check(file);
  return { bytes: file.size, ms: performance.now() - start, outcome, detail, video };
};
window.ready = true;
`;
const extra = {
  "/page.html": {
    body: `<!doctype html><input type="file"><script type="module" src="/page.js"></script>`,
    type: "text/html",
  },
  "/page.js": { body: SCRIPT, type: "text/javascript" },
  "/million.hgf": { body: readFileSync(millionFilter().filter) },
};
const server = await serve({ csp: CSP, extra });
const browser = await chromium.launch(CHROMIUM);

/** Returns the bytes of memory that the browser's processes take: all that descend from this process. */
function memory() {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(pid, /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    } catch {
      // It has just ended.
    }
  }
  const descends = (pid) => pid !== undefined && (pid === String(process.pid) || descends(parents.get(pid)));
  let sum = 0;
  for (const pid of parents.keys()) {
    if (pid === String(process.pid) || !descends(pid)) continue;
    try {
      sum += 1024 * Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // It has just ended.
    }
  }
  return sum;
}

try {
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  await page.setInputFiles("input", path);
  // The gate's warming up is over.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const first = [];
  for (let round = 0; round < 5; round += 1) first.push(await page.evaluate(() => window.first()));
  console.log(`first frame judged after ${first.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  const before = memory();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, memory());
  }, EVERY_MS);
  const seen = await page.evaluate(() => window.measure());
  clearInterval(timer);
  if (seen.outcome !== "clear") throw new Error(`expected a clear film, got ${seen.outcome}: ${seen.detail}`);
  const { durationS, keyframes, frames } = seen.video;
  const mb = (bytes) => (bytes / 1e6).toFixed(0);
  console.log(`${mb(seen.bytes)} MB, ${durationS.toFixed(0)} s, ${keyframes} keyframes, index at the end:`);
  console.log(`    memory before ${mb(before)} MB, at most ${mb(most - before)} MB more`);
  console.log(`    ${frames} frames in ${(seen.ms / 1000).toFixed(0)} s`);
} finally {
  await browser.close();
  await server.close();
  if (!process.argv.includes("--keep")) rmSync(path);
}
