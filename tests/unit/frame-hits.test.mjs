// Tests how matching frames of a film or stream are counted.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const { FrameHits, holdsFilm, poissonTail, widened, withChance } = await load("gate/frame-hits");

/** Returns a match of a frame. The frame's hash consists of 64 equal digits. */
const match = (digit, key, strength = "one-ring", list = "one") => ({
  list,
  category: "",
  release: 1,
  signal: "pdq",
  strength,
  view: "plain",
  orientation: "original",
  ring: 0,
  rings: [0],
  key,
  pdq: digit.repeat(64),
});

test("tails are those of the core's table", () => {
  // The expected values were computed in R by `ppois(least - 1, mean, lower.tail = FALSE)`. The tests of
  // src/check/film.rs have the same rows.
  for (const [least, mean, wanted] of [
    [1, 0.0108, 1.07419e-2],
    [2, 0.0108, 5.79018e-5],
    [3, 0.09, 1.135868e-4],
    [5, 6.6, 7.872964e-1],
    [10, 0.5, 1.70967e-10],
    [1, 0, 0],
    [3, 1e6, 1],
  ]) {
    const got = poissonTail(least, mean);
    assert.ok(Math.abs(got - wanted) <= wanted * 1e-4, `${least} of ${mean}: expected ${wanted}, got ${got}`);
  }
});

test("ranges join in any order", () => {
  let ranges = [];
  for (const at of [10, 0, 20, 2, 4.5, 15, 12.4]) ranges = widened(ranges, at, 2.5);
  assert.deepEqual(ranges, [
    [0, 4.5],
    [10, 12.4],
    [15, 15],
    [20, 20],
  ]);
  for (const at of [17.5, 7]) ranges = widened(ranges, at, 2.5);
  assert.deepEqual(ranges, [
    [0, 7],
    [10, 12.4],
    [15, 20],
  ]);
});

test("a key counts once; so does a frame that is near another one in bits or in time", () => {
  const hits = new FrameHits(2.5);
  assert.ok(hits.add([match("0", "a")], 0));
  assert.ok(!hits.add([match("f", "a")], 5), "the same key");
  assert.ok(!hits.add([match("f", "b")], 0.5), "half a second later");
  assert.ok(!hits.add([match("0", "b")], 5), "the same hash");
  assert.equal(hits.matches()[0].strength, "one-ring");
  assert.ok(hits.add([match("f", "b", "all-rings")], 5));
  const [found] = hits.matches();
  assert.deepEqual([found.strength, found.distinctKeys, found.frames.length], ["several-frames", 2, 2]);
  assert.deepEqual(found.ranges, [
    [0, 0.5],
    [5, 5],
  ]);
  assert.equal(found.pdq, "f".repeat(64), "the best is of all rings");
  assert.ok(hits.add([match("0", "a", "one-ring", "two")], 0), "each list counts for itself");
});

test("what was dismissed doesn't match again, unless the frame is another one", () => {
  const hits = new FrameHits(2.5);
  hits.add([match("0", "a")], 0);
  hits.dismiss();
  assert.ok(hits.isEmpty);
  assert.ok(hits.isDismissed({ ...match("0", "a"), pdq: `f${"0".repeat(63)}` }), "4 bits away");
  assert.ok(!hits.isDismissed({ ...match("0", "a"), pdq: `fff${"0".repeat(61)}` }), "12 bits away");
  assert.ok(!hits.isDismissed(match("0", "b")));
});

const { cases } = JSON.parse(readFileSync(new URL("../vectors/film-rule.json", import.meta.url), "utf8"));
for (const { name, rate, frames, lowDetail, minDistinct, hits, distinctKeys, held, ranges, strength } of cases) {
  test(`the rule of the core: ${name}`, () => {
    const found = new FrameHits(2.5);
    for (const [atS, key, digit, level] of hits) found.add([match(digit, String(key), level)], atS);
    const matches = withChance(found.matches(), frames - lowDetail, () => rate);
    assert.equal(
      matches.some((one) => holdsFilm(one, minDistinct, rate)),
      held,
    );
    assert.equal(matches[0]?.distinctKeys ?? 0, distinctKeys);
    assert.equal(matches[0]?.strength ?? null, strength);
    assert.deepEqual(matches[0]?.ranges ?? [], ranges);
  });
}
