// Runs the log vectors through both builds of the engine: each vector has its expected outcome, and every flipped bit
// is refused. Also compares with the second reader, which was written from the specification alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "../unit/load.mjs";

const folder = "tests/vectors/log";
const { assertSuccession } = await load("worker/list/logged");

/** Makes a separate instance of the bindings with a build of the engine. */
async function instance(build) {
  const bindings = await import(`../../dist/bindings/hashgate.js?log-${build}`);
  bindings.initSync({ module: new WebAssembly.Module(readFileSync(`dist/${build}.wasm`)) });
  return bindings;
}

/** Splits a vector file into its fields, the manifest and the proof. */
function vector(name) {
  const bytes = readFileSync(`${folder}/${name}`);
  const end = bytes.indexOf("---\n") + 4;
  const lines = bytes
    .subarray(0, end - 4)
    .toString()
    .trimEnd()
    .split("\n");
  const fields = lines.map((line) => line.split(/: (.*)/));
  const all = (field) => fields.filter(([name]) => name === field).map(([, value]) => value);
  const one = (field) => all(field)[0];
  const split = end + Number(one("manifest-bytes"));
  return {
    all,
    one,
    manifest: new Uint8Array(bytes.subarray(end, split)),
    proof: new Uint8Array(bytes.subarray(split)),
  };
}

function trustOf({ all, one }) {
  const threshold = Number(one("threshold"));
  return [[one("log"), ...(threshold > 0 ? all("witness") : [])], threshold, one("origin")];
}

/** Verifies a vector. Returns "ok", or the code of the error that the engine throws. */
function outcome(engine, made) {
  const { all, one, manifest, proof } = made;
  try {
    const list = engine.verifyManifest(manifest, all("trust"), 1);
    const trust = trustOf(made);
    const logged = engine.verifyLogProof(proof, manifest, ...trust);
    if (one("seen-log")) {
      const [size, root, index] = one("seen-log").split(" ");
      const seen = { origin: logged.checkpoint.origin, size: Number(size), root, index: Number(index) };
      assertSuccession("manifest.txt", seen, logged);
    }
    const witnessed = trust[1] > 0 ? logged.checkpoint.witnessedUnixS : undefined;
    const maxAge = one("max-age") === undefined ? undefined : Number(one("max-age"));
    engine.checkFreshness(list, Number(one("now")), 0, witnessed, maxAge);
    return "ok";
  } catch (error) {
    assert.ok(error.code && error.expected && error.got, String(error));
    return error.code;
  }
}

for (const build of ["hashgate", "hashgate-baseline"]) {
  test(`${build}.wasm gives every log vector the outcome that it says`, async () => {
    const engine = await instance(build);
    const names = readdirSync(folder);
    assert.ok(names.length > 50, `${names.length} vectors`);
    for (const name of names) {
      const made = vector(name);
      assert.equal(outcome(engine, made), made.one("expect"), name);
    }
  });

  test(`${build}.wasm refuses every flipped bit and every truncation of a proof`, async () => {
    const engine = await instance(build);
    const made = vector("ok.txt");
    const { manifest, proof } = made;
    const verify = (bytes) => engine.verifyLogProof(bytes, manifest, ...trustOf(made));
    const logged = verify(proof);
    assert.deepEqual([logged.index, logged.checkpoint.size, logged.checkpoint.witnesses.length], [4, 5, 2]);
    const refused = (bytes, what) =>
      assert.throws(
        () => verify(bytes),
        ({ code }) => /^log-/.test(code),
        what,
      );
    for (let bit = 0; bit < proof.length * 8; bit += 1) {
      const flipped = proof.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      refused(flipped, `bit ${bit} flipped`);
    }
    for (let length = 0; length < proof.length; length += 1) refused(proof.slice(0, length), `${length} bytes`);
  });
}

test("a reader that was written from the specification alone gives the same outcomes", () => {
  const said = execFileSync("python3", ["tests/vectors/log.py"], { encoding: "utf8" });
  assert.match(said, /^5\d vectors: the outcomes that they say; \d{3} flipped bits refused$/m);
});
