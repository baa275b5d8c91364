// A scripted adversary: random (seeded) sequences of everything that a page and a person can do while files are being
// checked, with a real server and Chromium. No held or unchecked Blob may be uploaded, and no clean one may be lost.
// `HASHGATE_INTERLEAVINGS` says how many are made of each kind; the default keeps the whole under a minute or so.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FILEPOND, GUARD } from "./page-adversary.mjs";
import { CSP } from "./server.mjs";
import { openApp } from "./uploads.mjs";
import { APP as UPPY } from "./uppy-adversary.mjs";

const COUNT = Number(process.env.HASHGATE_INTERLEAVINGS ?? 40);
/** The first seed. */
const FIRST = Number(process.env.HASHGATE_SEED ?? 1);
const STEPS = 25;

/** Returns the serial number in an upload's last bytes. */
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
  // FilePond draws in animation frames, so each of its sequences takes seconds.
  FilePond: { script: FILEPOND, share: 4, csp: CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") },
};

for (const [name, { script, alias = {}, share = 1, csp = CSP }] of Object.entries(PARTS)) {
  const count = Math.ceil(COUNT / share);
  test(`${name}: ${count} interleavings`, { timeout: 3_600_000 }, async (context) => {
    const arrived = new Map();
    const { page } = await openApp(context, {
      ...{ script, body: "", alias, csp },
      onUpload: (bytes, { searchParams }) => {
        const run = searchParams.get("run");
        arrived.set(run, [...(arrived.get(run) ?? []), serialOf(bytes)]);
      },
    });
    let uploads = 0;
    for (let seed = FIRST; seed < FIRST + count; seed += 1) {
      const result = await page.evaluate(([seed, steps]) => window.run(seed, steps), [seed, STEPS]);
      const { log, lost, done, released, kinds } = result;
      const kindOf = new Map(kinds);
      const sent = (arrived.get(String(seed)) ?? []).filter((serial) => serial !== undefined);
      uploads += sent.length;
      const after = `after ${log.join(", ")}`;
      const wrong = sent.filter((serial) => kindOf.get(serial) !== "clean" && !released.includes(serial));
      assert.deepEqual(wrong, [], `seed ${seed}: uploaded although held or unjudged, ${after}`);
      assert.deepEqual(lost, [], `seed ${seed}: lost (${lost}), ${after}`);
      const missing = done.filter((serial) => !sent.includes(serial));
      assert.deepEqual(missing, [], `seed ${seed}: said to be uploaded, but did not arrive, ${after}`);
    }
    // Makes sure that the sequences upload something; otherwise the test would prove nothing.
    assert.ok(uploads > count, `${uploads} uploads`);
  });
}
