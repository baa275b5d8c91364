// Tests how a gate in Node reads streams, and that all streams together keep within the memory limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { Arrivals } = await load("gate/arrivals");
const MB = 1_000_000;

/** Returns a stream of `chunks` chunks of 100 kB each. Adds the bytes that were read to `given`. */
function streamOf(chunks, given) {
  let left = chunks;
  return {
    async next() {
      if (left === 0) return { done: true };
      left -= 1;
      given.bytes += 100_000;
      return { done: false, value: new Uint8Array(100_000).fill(left) };
    },
    end() {
      given.ended = (given.ended ?? 0) + 1;
    },
  };
}

test("many streams take no more than the budget and one stream, and all of them end", async () => {
  const arrivals = new Arrivals({ budget: 3 * MB, timeoutMs: 5000 });
  const given = { bytes: 0 };
  let taken = 0;
  let most = 0;
  const check = async () => {
    const arrival = arrivals.begin(streamOf(20, given));
    assert.equal(await arrival.readPast(50 * MB), true);
    most = Math.max(most, given.bytes - taken);
    // A stream's bytes count towards the bound until its check is over.
    await new Promise((done) => setTimeout(done, 5));
    assert.deepEqual([arrival.length, arrival.take().length], [2 * MB, 2 * MB]);
    taken += 2 * MB;
    arrival.release();
  };
  await Promise.all(Array.from({ length: 30 }, check));
  assert.equal(taken, 60 * MB);
  // Memory may exceed the bound a little: a block can be larger than its bytes, and each waiting stream may have read
  // one more chunk.
  assert.ok(most >= 2 * MB && most < 9 * MB, `${most}`);
});

test("bytes come out as they came in, whatever their chunks", async () => {
  const arrivals = new Arrivals({ budget: MB, timeoutMs: 5000 });
  for (const step of [7, 777, 65_536, 65_537, 300_000]) {
    const all = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);
    let at = 0;
    const next = async () => {
      const value = all.subarray(at, at + step);
      at += step;
      return { done: value.length === 0, value };
    };
    const arrival = arrivals.begin({ next, end() {} });
    await arrival.readPast(100);
    const start = Math.min(step * Math.ceil(101 / step), 65_536);
    assert.deepEqual(arrival.head(), all.slice(0, start));
    await arrival.readPast(MB);
    // Short chunks take at most twice their bytes in memory, because they are copied into blocks.
    assert.ok(arrival.held <= 2 * all.length, `${arrival.held}`);
    assert.ok(Buffer.from(all).equals(arrival.take()), `${step}`);
    arrival.release();
  }
});

test("what is too long is read no further, what stops is given up, and others have the room again", async () => {
  const arrivals = new Arrivals({ budget: MB, timeoutMs: 50 });
  const given = { bytes: 0 };
  const long = arrivals.begin(streamOf(1000, given));
  assert.equal(await long.readPast(MB), false);
  assert.equal(given.bytes, 1_100_000);
  const silent = arrivals.begin({ next: () => new Promise(() => {}), end: () => (given.stopped = true) });
  const waiting = silent.readPast(MB);
  long.release();
  assert.equal(given.ended, 1);
  await assert.rejects(waiting, { message: "the stream broke off: it brought no bytes for 0.05 s" });
  silent.release();
  assert.equal(given.stopped, true);
  const text = arrivals.begin({ next: async () => ({ value: "text" }), end() {} });
  await assert.rejects(text.readPast(MB), /expected chunks of bytes, got string/);
});
