// Which samples of H.264 needn't be decoded: those that no other needs and nobody wants.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { disposableOf } = await load("worker/film/disposable");
const { isWanted } = await load("worker/film/decoder");

/** An `avcC` that says how many bytes the lengths of units have. */
const avcC = (lengthBytes) => Uint8Array.of(1, 0x64, 0, 31, 0xfc | (lengthBytes - 1), 0xe1, 0, 0);
/** Units, each by its first byte and its length, which is put before it. */
const sample = (lengthBytes, ...units) =>
  Uint8Array.from(
    units.flatMap(([header, length]) => {
      const bytes = Array.from({ length: lengthBytes }, (_, at) => (length >> (8 * (lengthBytes - 1 - at))) & 255);
      return [...bytes, header, ...Array(length - 1).fill(0x65)];
    }),
  );

test("a picture that nothing refers to is found behind other units, with lengths of any size", () => {
  const [REFERENCE, NON_REFERENCE, FRESH, INFORMATION] = [0x41, 0x01, 0x65, 0x06];
  for (const lengthBytes of [1, 2, 4]) {
    const isDisposable = disposableOf("avc1.64001f", avcC(lengthBytes));
    assert.equal(isDisposable(sample(lengthBytes, [NON_REFERENCE, 40])), true);
    assert.equal(isDisposable(sample(lengthBytes, [INFORMATION, 9], [NON_REFERENCE, 40])), true);
    assert.equal(isDisposable(sample(lengthBytes, [INFORMATION, 9], [REFERENCE, 40])), false);
    assert.equal(isDisposable(sample(lengthBytes, [FRESH, 40])), false);
    // Damaged: nothing that is a picture, or a length beyond the end.
    assert.equal(isDisposable(sample(lengthBytes, [INFORMATION, 200])), false);
    assert.equal(isDisposable(sample(lengthBytes, [INFORMATION, 200]).subarray(0, 9)), false);
    assert.equal(isDisposable(new Uint8Array()), false);
  }
});

test("other codecs, and tracks without a description, have no such samples", () => {
  assert.equal(disposableOf("vp09.00.31.08", avcC(4)), undefined);
  assert.equal(disposableOf("hvc1.1.6.L93", avcC(4)), undefined);
  assert.equal(disposableOf("avc1.64001f", undefined), undefined);
});

test("the first frame that isn't before a target is wanted, whatever the order of decoding", () => {
  // In groups as encoders write them: a frame, the one four later, the middle one, and what lies between.
  const order = [0];
  for (let group = 0; group < 60; group += 1) order.push(...[4, 2, 1, 3].map((step) => 4 * group + step));
  for (const fps of [1, 10, 25, 30, 60]) {
    const times = order.map((at) => at / fps);
    const end = Math.max(...times);
    for (const step of [0.15, 0.5, 2]) {
      const targets = Array.from({ length: Math.ceil(end / step) }, (_, at) => at * step);
      const sorted = times.toSorted((a, b) => a - b);
      const chosen = new Set(targets.map((target) => sorted.find((time) => time + 1e-4 >= target)));
      const kept = times.filter((time, at) => isWanted(time, times.slice(Math.max(0, at - 32), at + 8), targets));
      for (const time of chosen) assert.ok(kept.includes(time), `${fps} fps, every ${step} s: ${time}`);
      assert.ok(kept.length <= chosen.size * 1.1 + 2, `${fps} fps, every ${step} s: ${kept.length} of ${chosen.size}`);
    }
  }
});
