// Tests how the host's policy and a verdict decide about a file, and the text for a file that is held for a caveat.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { decide } = await load("policy/decision");
const { Checker } = await load("integrations/checker");
const { ENGLISH, sentencesOf, titleOf } = await load("ui/strings");

const clear = (...caveats) => ({
  outcome: "clear",
  lookups: 1,
  ...(caveats.length > 0 && { caveat: caveats[0] }),
  ...(caveats.length > 1 && { caveats }),
});
const unchecked = (reason) => ({ outcome: "unchecked", reason, detail: "", lookups: 0 });

test("by default a file that is no picture passes, and a picture that could not be checked is held", () => {
  assert.equal(decide(unchecked("not-a-picture"), { unchecked: {} }), "upload");
  assert.equal(decide(unchecked("not-a-picture"), { unchecked: "block" }), "hold");
  for (const reason of ["unreadable", "unsupported-picture", "invalid-input", "unavailable", "too-many-candidates"]) {
    assert.equal(decide(unchecked(reason), { unchecked: {} }), "hold", reason);
    assert.equal(decide(unchecked(reason), { unchecked: { "not-a-picture": "allow" } }), "hold", reason);
    assert.equal(decide(unchecked(reason), { unchecked: { [reason]: "allow" } }), "upload", reason);
  }
});

test("a clear file is held for the caveats that the host names, whichever comes first", () => {
  assert.equal(decide(clear("low-detail"), { unchecked: {} }), "upload");
  assert.equal(decide(clear("low-detail"), { unchecked: {}, caveats: ["one-reading"] }), "upload");
  assert.equal(decide(clear("one-reading"), { unchecked: {}, caveats: ["one-reading"] }), "hold");
  const both = clear("one-reading", "malformed");
  assert.equal(decide(both, { unchecked: {}, caveats: ["malformed"] }), "hold");
  assert.equal(decide(both, { unchecked: {}, caveats: ["frames-sampled"] }), "upload");
  assert.equal(decide(clear(), { unchecked: {}, caveats: ["malformed"] }), "upload");
});

test("a caveat that isn't one is refused", () => {
  const wrong = /caveats: expected some of one-reading, .*low-detail, got "odd"/;
  assert.throws(() => decide(clear(), { unchecked: {}, caveats: ["odd"] }), wrong);
  assert.throws(() => decide(clear(), { unchecked: {}, caveats: "malformed" }), /caveats: expected an array/);
  assert.throws(() => new Checker("test", { check() {} }, { caveats: ["odd"] }), wrong);
});

test("an integration goes by the same policy", async () => {
  const verdicts = [unchecked("not-a-picture"), unchecked("unreadable"), clear("malformed"), clear()];
  const gate = { check: async () => verdicts.shift() };
  const checker = new Checker("test", gate, { caveats: ["malformed"] });
  const decisions = [];
  while (verdicts.length > 0) decisions.push((await checker.check(new Blob())).decision);
  assert.deepEqual(decisions, ["upload", "hold", "hold", "upload"]);
});

test("the notice says that a file which is held for a caveat could not be checked completely", () => {
  const entry = { file: { name: "a.jpg" }, verdict: clear("one-reading"), decision: "hold" };
  assert.equal(titleOf(entry, ENGLISH), "Your upload could not be checked");
  assert.deepEqual(sentencesOf(entry, ENGLISH), ["“a.jpg” could not be checked completely.", ENGLISH.uncheckedHeld]);
});
