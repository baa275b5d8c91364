// Runs the release vectors through both builds of the engine: each vector has its expected outcome, and every flipped
// bit is refused.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = "tests/vectors/release";
const read = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));

/** Makes a separate instance of the bindings with a build of the engine. */
async function instance(build) {
  const bindings = await import(`../../dist/bindings/hashgate.js?release-${build}`);
  bindings.initSync({ module: new WebAssembly.Module(readFileSync(`dist/${build}.wasm`)) });
  return bindings;
}

/** Splits a vector file into its fields and the manifest below them. */
function vector(name) {
  const bytes = readFileSync(`${folder}/${name}`);
  const end = bytes.indexOf("---\n");
  const lines = bytes.subarray(0, end).toString().trimEnd().split("\n");
  const fields = lines.map((line) => line.split(/: (.*)/));
  const all = (field) => fields.filter(([name]) => name === field).map(([, value]) => value);
  return { all, one: (field) => all(field)[0], note: new Uint8Array(bytes.subarray(end + 4)) };
}

/** Verifies a vector's manifest. Returns "ok", or the code of the error that the engine throws. */
function outcome(engine, { all, one, note }) {
  try {
    const manifest = engine.verifyManifest(note, all("trust"), Number(one("threshold")));
    engine.checkFreshness(manifest, Number(one("now")), Number(one("seen")));
    if (one("full")) engine.verifyFull(manifest, read(one("full")));
    if (one("delta")) {
      const made = engine.applyDelta(manifest, read(one("base")), read(one("delta")));
      assert.deepEqual(made, read(one("full")));
    }
    return "ok";
  } catch (error) {
    assert.ok(error.code && error.expected && error.got, String(error));
    return error.code;
  }
}

for (const build of ["hashgate", "hashgate-baseline", "hashgate-formats", "hashgate-formats-baseline"]) {
  test(`${build}.wasm gives every release vector the outcome that it says`, async () => {
    const engine = await instance(build);
    const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));
    assert.ok(names.length > 50, `${names.length} vectors`);
    for (const name of names) {
      const made = vector(name);
      assert.equal(outcome(engine, made), made.one("expect"), name);
    }
  });

  test(`${build}.wasm refuses every flipped bit and every truncation of a manifest and of a delta`, async () => {
    const engine = await instance(build);
    const { all, note } = vector("ok-2-of-2.txt");
    const verify = (bytes) => engine.verifyManifest(bytes, all("trust"), 2);
    const refused = (call, bytes, pattern) => {
      const one = (damaged, what) =>
        assert.throws(
          () => call(damaged),
          ({ code }) => pattern.test(code),
          what,
        );
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const flipped = bytes.slice();
        flipped[bit >> 3] ^= 1 << (bit & 7);
        one(flipped, `bit ${bit} flipped`);
      }
      for (let length = 0; length < bytes.length; length += 1) one(bytes.slice(0, length), `${length} bytes`);
      one(Uint8Array.of(...bytes, 10), "one byte more");
    };
    const manifest = verify(note);
    assert.deepEqual(manifest.signedBy, ["example.org/alpha", "example.org/beta"]);
    assert.deepEqual(manifest.curators, ["Example Trust", "Example Institute"]);
    assert.deepEqual([manifest.release, manifest.pdqCount, manifest.deltas[0].from], [2, 7, 1]);
    refused(verify, note, /^manifest-/);
    const base = read("full-1.hgf");
    refused((bytes) => engine.applyDelta(manifest, base, bytes), read("delta-1-2.hgd"), /^release-(length|digest)$/);
    refused((bytes) => engine.verifyFull(manifest, bytes), read("full-2.hgf"), /^release-(length|digest)$/);
  });

  test(`${build}.wasm refuses thresholds and manifests that are none`, async () => {
    const engine = await instance(build);
    const { all, note } = vector("ok-1-of-1.txt");
    for (const threshold of [0, -1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 1]) {
      assert.throws(() => engine.verifyManifest(note, all("trust"), threshold), { code: "trust-invalid" });
    }
    assert.throws(() => engine.checkFreshness({ release: 1 }, 0, 0), { code: "invalid-options" });
  });
}
