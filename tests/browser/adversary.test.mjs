// A scripted adversary: seeded interleavings of all that a page and a person can do while files are being checked, against
// a real server in real Chromium. No held Blob and no unjudged one is ever uploaded, and no clean one is lost.
// `HASHGATE_INTERLEAVINGS` says how many are made of each kind; the default keeps the whole under a minute or so.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openApp } from "./uploads.mjs";
import { APP } from "./uppy-adversary.mjs";

const COUNT = Number(process.env.HASHGATE_INTERLEAVINGS ?? 40);
const STEPS = 25;

/** Returns what each upload was, by the serial number in its last bytes. */
const serialOf = (bytes) => {
  for (let at = bytes.length - 8; at >= 0; at -= 1) {
    if (bytes.readUInt32LE(at) === 0x4847) return bytes.readUInt32LE(at + 4);
  }
  return undefined;
};

for (const version of [6, 5]) {
  test(`Uppy ${version}: ${COUNT} interleavings`, { timeout: 600_000 }, async (context) => {
    const arrived = new Map();
    const alias = version === 5 ? { "@uppy/core": "uppy5-core", "@uppy/xhr-upload": "uppy5-xhr-upload" } : {};
    const { page } = await openApp(context, {
      script: APP,
      body: "",
      alias,
      onUpload: (bytes, { searchParams }) => {
        const run = searchParams.get("run");
        arrived.set(run, [...(arrived.get(run) ?? []), serialOf(bytes)]);
      },
    });
    let uploads = 0;
    for (let seed = Number(process.env.HASHGATE_SEED ?? 1); seed <= COUNT; seed += 1) {
      const { log, lost, done, released, kinds } = await page.evaluate(
        ([seed, steps]) => window.run(seed, steps),
        [seed, STEPS],
      );
      const kindOf = new Map(kinds);
      const sent = arrived.get(String(seed)) ?? [];
      uploads += sent.length;
      const wrong = sent.filter((serial) => kindOf.get(serial) !== "clean" && !released.includes(serial));
      assert.deepEqual(
        wrong,
        [],
        `seed ${seed}: uploaded although held or unjudged (${wrong.map((serial) => kindOf.get(serial))}), after ${log.join(", ")}`,
      );
      assert.deepEqual(lost, [], `seed ${seed}: lost, after ${log.join(", ")}`);
      const missing = done.filter((serial) => !sent.includes(serial));
      assert.deepEqual(missing, [], `seed ${seed}: said to be uploaded, but did not arrive, after ${log.join(", ")}`);
    }
    // An adversary that uploads nothing proves nothing.
    assert.ok(uploads > COUNT, `${uploads} uploads`);
  });
}
