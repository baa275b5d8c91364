// Tests the fake gate of hashgate/testing in Node, loaded both by `import` and by `require`.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { test } from "node:test";
import { load } from "./load.mjs";

const { fakeGate, HeldError } = await load("testing/testing");
const file = (name, text = name) => new File([text], name);

test("files are clear, held or unchecked by name", async () => {
  const gate = fakeGate({
    held: ["listed.jpg"],
    unchecked: { "broken.jpg": "unreadable", "song.mp3": "not-a-picture" },
  });
  assert.equal((await gate.check(file("cat.jpg"))).outcome, "clear");
  const held = await gate.check(file("listed.jpg"));
  assert.equal(held.outcome, "possible-match");
  assert.equal(held.matches.length, 1);
  const broken = await gate.check(file("broken.jpg"));
  assert.deepEqual([broken.outcome, broken.reason], ["unchecked", "unreadable"]);
  assert.equal(gate.checked.length, 3);
  assert.equal(gate.report().totals.checked, 3);
});

test("a file is known by its digest, whatever its name", async () => {
  const sha256 = createHash("sha256").update("secret").digest("hex").toUpperCase();
  const gate = fakeGate({ held: [sha256] });
  assert.equal((await gate.check(file("any.png", "secret"))).outcome, "possible-match");
  assert.equal((await gate.check(new TextEncoder().encode("secret"))).outcome, "possible-match");
  assert.equal((await gate.check(file("any.png", "other"))).outcome, "clear");
});

test("admit gives the very file, or throws as the real gate does", async () => {
  const gate = fakeGate({
    held: ["listed.jpg"],
    unchecked: { "broken.jpg": "unreadable", "song.mp3": "not-a-picture" },
  });
  const clean = file("cat.jpg");
  const { file: admitted, verdict } = await gate.admit(clean);
  assert.equal(admitted, clean);
  assert.equal(verdict.file, clean);
  for (const name of ["listed.jpg", "broken.jpg"]) {
    await assert.rejects(gate.admit(file(name)), (error) => error instanceof HeldError && error.code === "held");
  }
  await gate.admit(file("song.mp3"));
  await gate.admit(file("broken.jpg"), { unchecked: "allow" });
});

test("checks can be aborted, and end when the gate is closed", async () => {
  const gate = fakeGate({ delayMs: 50 });
  const abort = new AbortController();
  const checking = gate.check(file("cat.jpg"), { signal: abort.signal });
  abort.abort();
  await assert.rejects(checking, { name: "AbortError" });
  gate.close();
  await assert.rejects(gate.check(file("cat.jpg")), { code: "closed" });
});

test("the built package gives it to require too, and require of the package itself says what to do", async () => {
  const require = createRequire(import.meta.url);
  const { fakeGate: required } = require("../../dist/testing.cjs");
  assert.equal((await required().check(file("cat.jpg"))).outcome, "clear");
  assert.throws(() => require("../../dist/require.cjs"), /await import\("hashgate"\)/);
});

test("a watched stream has the state that the options name", async () => {
  for (const live of ["clear", "possible-match", "unchecked"]) {
    const watch = fakeGate({ live }).watch({});
    assert.equal(watch.state, "starting");
    const { detail } = await new Promise((resolve) => watch.addEventListener("verdict", resolve, { once: true }));
    assert.deepEqual([watch.state, detail.outcome], [live, live]);
    const ended = new Promise((resolve) => watch.addEventListener("end", () => resolve("end")));
    watch.stop();
    assert.equal(await ended, "end");
  }
});
