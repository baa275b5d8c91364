// Tests the option `decoders` in Node: the host decodes AVIF, for which the package has no decoder there, and JPEG XL.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openGate } from "hashgate";

const vector = (name) => readFileSync(`tests/vectors/${name}`);
const filters = ["tests/vectors/filter-v2.hgf"];
const [WIDTH, HEIGHT] = [160, 120];

/** Draws a picture as RGBA. */
function drawn() {
  const data = new Uint8Array(4 * WIDTH * HEIGHT);
  let state = 7;
  for (let at = 0; at < data.length; at += 4) {
    const [x, y] = [(at / 4) % WIDTH, Math.floor(at / 4 / WIDTH)];
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const wave = 100 * Math.sin(x / 9) * Math.cos(y / 14 + x / 40) + 110 + (state >>> 28);
    data.set([wave, wave / 2 + x / 2, 255 - wave, 255], at);
  }
  return { width: WIDTH, height: HEIGHT, data };
}

/** Makes a bitmap of the picture, which the engine decodes itself. */
function bitmap({ width, height, data }) {
  const file = Buffer.alloc(54 + 4 * width * height);
  file.write("BM");
  for (const [at, value] of [
    [2, file.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
  ])
    file.writeUInt32LE(value, at);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(32, 28);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [red, green, blue] = data.subarray(4 * (y * width + x));
      file.set([blue, green, red, 0], 54 + 4 * ((height - 1 - y) * width + x));
    }
  }
  return file;
}

async function verdictOf(input, options) {
  const gate = await openGate({ filters, workers: 1, ...options });
  try {
    return await gate.check(input);
  } finally {
    gate.close();
  }
}

test("the host's pixels are hashed as those of any other picture", async () => {
  const picture = drawn();
  const same = await verdictOf(bitmap(picture), {});
  const file = vector("avif-420.avif");
  for (const [format, name] of [
    ["avif", "avif-420.avif"],
    ["jxl", "jxl.jxl"],
  ]) {
    const got = [];
    const decode = async (bytes) => {
      got.push(Buffer.from(bytes));
      bytes.fill(0);
      return { ...picture, data: new Uint8ClampedArray(picture.data) };
    };
    const verdict = await verdictOf(vector(name), { decoders: { [format]: decode } });
    assert.deepEqual([verdict.outcome, verdict.format, verdict.decodedBy], ["clear", format, "host"]);
    assert.deepEqual([verdict.width, verdict.height, verdict.pdq], [WIDTH, HEIGHT, same.pdq]);
    assert.deepEqual(got, [vector(name)], "the function gets the file, once");
    // Of a Blob that the gate has to read, too.
    const again = await verdictOf(new Blob([vector(name)]), { decoders: { [format]: decode } });
    assert.equal(again.pdq, same.pdq);
  }
  assert.deepEqual(file, vector("avif-420.avif"));
});

test("other files never ask, and without a function the file is unsupported", async () => {
  const never = () => assert.fail("it was asked");
  for (const name of ["jpeg-420.jpg", "heic.heic", "webp-lossy.webp"]) {
    assert.equal((await verdictOf(vector(name), { decoders: { avif: never, jxl: never } })).outcome, "clear", name);
  }
  assert.equal((await verdictOf(vector("jxl.jxl"), { decoders: { avif: never } })).decodedBy, "jxl");
  const verdict = await verdictOf(vector("avif-420.avif"), { decoders: { jxl: never } });
  assert.deepEqual([verdict.outcome, verdict.reason], ["unchecked", "unsupported-picture"]);
});

test("a decoder that fails is never a clear", async () => {
  const picture = drawn();
  for (const [what, avif, reason, detail] of [
    ["throws", () => assert.fail("it is broken"), "unreadable", /decoders\.avif failed: .*it is broken/],
    ["gives nothing", () => undefined, "unreadable", /4 bytes per pixel, got 0 x 0/],
    ["gives too few bytes", () => ({ ...picture, height: 121 }), "unreadable", /got 76800 bytes|76800/],
    ["gives no bytes", () => ({ width: 4, height: 4, data: "pixels" }), "unreadable", /no bytes/],
    ["is slow", () => new Promise(() => {}), "engine-failed", /took longer than 1 s/],
  ]) {
    const verdict = await verdictOf(vector("avif-420.avif"), { decoders: { avif }, timeoutMs: 1000 });
    assert.deepEqual([verdict.outcome, verdict.reason], ["unchecked", reason], what);
    assert.match(verdict.detail, detail, what);
  }
  const limits = { maxPixels: WIDTH * HEIGHT - 1 };
  const large = await verdictOf(vector("avif-420.avif"), { decoders: { avif: () => picture }, limits });
  assert.deepEqual([large.outcome, large.reason], ["unchecked", "too-large"]);
  const declared = await verdictOf(vector("avif-420.avif"), {
    decoders: { avif: () => assert.fail("it was asked about a file that is too large") },
    limits: { maxPixels: 1000 },
  });
  assert.equal(declared.reason, "too-large");
});
