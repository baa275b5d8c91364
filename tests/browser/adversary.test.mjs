// A scripted adversary: runs random (seeded) sequences of actions of a page and a person while files are being checked,
// with a real server and Chromium. A held or unchecked Blob must never be uploaded, and a clean one must always be.
// `HASHGATE_INTERLEAVINGS` sets the number of sequences for each integration; with the default the test takes about a
// minute.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FILEPOND, GUARD } from "./page-adversary.mjs";
import { CSP } from "./server.mjs";
import { openApp } from "./uploads.mjs";
import { APP as UPPY } from "./uppy-adversary.mjs";

const COUNT = Number(process.env.HASHGATE_INTERLEAVINGS ?? 40);
/** The seed of the first sequence. Each further sequence adds 1. */
const FIRST = Number(process.env.HASHGATE_SEED ?? 1);
const STEPS = 25;

/** Returns the serial number that the page wrote into an upload's last bytes, or `undefined` for other bytes. */
const serialOf = (bytes) => {
  for (let at = bytes.length - 8; at >= 0; at -= 1) {
    if (bytes.readUInt32LE(at) === 0x4847) return bytes.readUInt32LE(at + 4);
  }
  return undefined;
};

const UPPY_5 = { "@uppy/core": "uppy5-core", "@uppy/xhr-upload": "uppy5-xhr-upload" };
const PARTS = {
  "Uppy 6": { script: UPPY },
  "Uppy 5": { script: UPPY, alias: UPPY_5 },
  guard: { script: GUARD },
  FilePond: { script: FILEPOND, csp: CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") },
};

/**
 * The number of sequences that run at the same time, each in its own frame. A sequence spends most of its time waiting.
 */
const LANES = 12;

/** Opens `count` frames of the page. Resolves to the frames when the script of each has run. */
async function openLanes(page, count) {
  await page.evaluate((frames) => {
    for (let made = 0; made < frames; made += 1) {
      const frame = document.createElement("iframe");
      frame.title = `lane ${made}`;
      frame.src = "/";
      document.body.append(frame);
    }
  }, count);
  const handles = await page.$$("iframe");
  const lanes = await Promise.all(handles.map((handle) => handle.contentFrame()));
  await Promise.all(lanes.map((lane) => lane.waitForFunction(() => window.ready)));
  return lanes;
}

for (const [name, { script, alias = {}, csp = CSP }] of Object.entries(PARTS)) {
  if (process.env.ONLY && process.env.ONLY !== name) continue;
  test(`${name}: ${COUNT} interleavings`, { timeout: 3_600_000 }, async (context) => {
    const arrived = new Map();
    const { page } = await openApp(context, {
      ...{ script, body: "", alias, csp: `${csp}; frame-src 'self'` },
      onUpload: (bytes, { searchParams }) => {
        const run = searchParams.get("run");
        arrived.set(run, [...(arrived.get(run) ?? []), serialOf(bytes)]);
      },
    });
    let uploads = 0;
    const problems = [];
    /** Runs the sequence of one seed, and records what went wrong. */
    const runOne = async (lane, seed) => {
      const result = await lane.evaluate(([seed, steps]) => window.run(seed, steps), [seed, STEPS]);
      const { log, lost, done, released, kinds } = result;
      const kindOf = new Map(kinds);
      const sent = (arrived.get(String(seed)) ?? []).filter((serial) => serial !== undefined);
      uploads += sent.length;
      const wrong = sent.filter((serial) => kindOf.get(serial) !== "clean" && !released.includes(serial));
      const missing = done.filter((serial) => !sent.includes(serial));
      const found = [
        wrong.length > 0 && `uploaded although held or unjudged: ${wrong}`,
        lost.length > 0 && `lost: ${lost}`,
        missing.length > 0 && `said to be uploaded, but did not arrive: ${missing}`,
      ].filter(Boolean);
      if (found.length > 0) problems.push(`seed ${seed}: ${found.join("; ")}, after ${log.join(", ")}`);
    };
    let next = FIRST;
    const runLane = async (lane) => {
      while (next < FIRST + COUNT && problems.length < 5) {
        const seed = next;
        next += 1;
        await runOne(lane, seed);
      }
    };
    await Promise.all((await openLanes(page, Math.min(LANES, COUNT))).map(runLane));
    assert.deepEqual(problems, []);
    // Fails if hardly anything was uploaded, because the sequences would then have tested nothing.
    assert.ok(uploads > COUNT, `${uploads} uploads`);
    context.diagnostic(`${uploads} uploads in ${COUNT} interleavings of ${STEPS} steps`);
  });
}
