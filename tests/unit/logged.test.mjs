// Tests the checks of a public log that a client makes without a network, and which proof it fetches while a release is
// being published.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { assertSuccession, clockHint, fetchProof, seenAfter, statusOf } = await load("worker/list/logged");
const logged = (size, root, index, witnessedUnixS = 0) => ({
  index,
  checkpoint: { origin: "log.test", size, root, witnesses: [], witnessedUnixS, note: "signed" },
});

test("a clock is behind if witnesses say so, and ahead if a late list's server says so", () => {
  const now = 1_000_000;
  assert.equal(clockHint(now, logged(1, "a", 0, now + 600), undefined), undefined);
  assert.deepEqual(clockHint(now, logged(1, "a", 0, now + 601), undefined), {
    off: "behind",
    byS: 601,
    by: "witnesses",
  });
  assert.equal(
    clockHint(now, logged(1, "a", 0, now - 9_999_999), undefined),
    undefined,
    "an old cosignature says nothing",
  );
  assert.deepEqual(clockHint(now, undefined, now - 7200), { off: "ahead", byS: 7200, by: "server" });
  assert.equal(clockHint(now, undefined, now + 7200), undefined, "a server's time alone proves nothing");
});

test("a log has one root of each size, and doesn't shrink before a later release", () => {
  const seen = { origin: "log.test", size: 5, root: "a", index: 3 };
  const inconsistent = { code: "log-inconsistent" };
  assertSuccession("u", undefined, logged(1, "b", 0));
  assertSuccession("u", seen, logged(5, "a", 4));
  assertSuccession("u", seen, logged(9, "b", 8));
  assertSuccession("u", seen, logged(4, "c", 2));
  assert.throws(() => assertSuccession("u", seen, logged(5, "b", 4)), inconsistent);
  assert.throws(() => assertSuccession("u", seen, logged(4, "c", 4)), inconsistent);
  assertSuccession("u", { ...seen, origin: "other.test" }, logged(5, "b", 4));
  assert.equal(seenAfter(seen, logged(4, "c", 2)), seen);
  assert.deepEqual(seenAfter(seen, logged(9, "b", 8)), { origin: "log.test", size: 9, root: "b", index: 8 });
  assert.equal("witnessedUnixS" in statusOf(logged(1, "a", 0)), false);
});

/** Returns a stand-in for the network that serves `files`, and the list of requested URLs. */
function network(files) {
  const asked = [];
  const open = async (url) => {
    asked.push(url);
    const body = files[new URL(url).pathname];
    return body === undefined ? new Response("", { status: 404 }) : new Response(body);
  };
  return { asked, timeoutMs: 5000, open, progress() {}, count() {} };
}

/** A stand-in for the engine. It accepts a proof exactly if its text equals the manifest's. */
const engine = {
  verifyLogProof(proof, manifest) {
    if (String(proof) === String(manifest)) return logged(1, "a", 0);
    throw Object.assign(new Error("another"), { code: "log-not-included", expected: "one", got: "another" });
  },
};

test("while a release is published, the manifest before it is proved by its own number", async () => {
  const text = new TextEncoder().encode("two");
  const prove = (from) => fetchProof(from, engine, "https://list.test/l/manifest.txt?v=1", { text, release: 2 }, {});
  const newest = network({ "/l/manifest.tlog-proof": "two" });
  assert.equal(String((await prove(newest)).proof), String(text));
  assert.deepEqual(newest.asked, ["https://list.test/l/manifest.tlog-proof?v=1"]);
  const between = network({ "/l/manifest.tlog-proof": "three", "/l/manifest-2.tlog-proof": "two" });
  assert.equal(String((await prove(between)).proof), String(text));
  assert.equal(between.asked[1], "https://list.test/l/manifest-2.tlog-proof?v=1");
  await assert.rejects(prove(network({ "/l/manifest.tlog-proof": "three" })), { code: "log-not-included" });
  await assert.rejects(prove(network({})), { code: "log-proof-unavailable" });
  await assert.rejects(prove(network({ "/l/manifest.tlog-proof": "x".repeat(65_537) })), {
    code: "log-proof-unavailable",
  });
});
