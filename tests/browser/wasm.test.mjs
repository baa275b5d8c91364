// Compares all builds of the engine with the native one, without workers or browsers: refusals and verdicts must be
// equal.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { png } from "../../scripts/png.mjs";

/** Makes a separate instance of the bindings with a build of the engine. */
async function instance(build) {
  const bindings = await import(`../../dist/bindings/hashgate.js?${build}`);
  bindings.initSync({ module: new WebAssembly.Module(readFileSync(`dist/${build}.wasm`)) });
  return bindings;
}
const open = ({ Lookup }, bytes) => {
  const lookup = new Lookup();
  const info = lookup.addFilter(bytes);
  return { lookup, info };
};

const FORMATS = ["hashgate-formats", "hashgate-formats-baseline"];

for (const build of ["hashgate", "hashgate-baseline", ...FORMATS]) {
  test(`${build}.wasm refuses every flipped bit and every truncation of a filter`, async () => {
    const engine = await instance(build);
    const file = new Uint8Array(readFileSync("tests/vectors/filter-v2.hgf"));
    const { info } = open(engine, file);
    assert.deepEqual([info.name, info.release, info.pdqCount, info.sha256Count, info.md5Count], ["vector", 7, 3, 2, 1]);
    const refused = (bytes, what) =>
      assert.throws(
        () => open(engine, bytes),
        (error) => /^filter-(magic|version|length|field|checksum|canary)$/.test(error.code),
        what,
      );
    for (let bit = 0; bit < file.length * 8; bit += 1) {
      const flipped = file.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      refused(flipped, `bit ${bit} flipped`);
    }
    for (let length = 0; length < file.length; length += 1) refused(file.slice(0, length), `${length} bytes`);
    refused(Uint8Array.of(...file, 0), "one byte more");
  });

  test(`${build}.wasm gives the native verdicts, lookup by lookup`, async () => {
    const engine = await instance(build);
    const { lookup } = open(engine, new Uint8Array(readFileSync("target/samples/demo.hgf")));
    const folders = ["listed", "edited", "clean"].map((folder) => `target/samples/${folder}`);
    // Vectors of all formats, in every variant that the browser build reads too.
    const vectors = readdirSync("tests/vectors").filter((name) => /\.(png|jpg|gif|webp|bmp)$/.test(name));
    const paths = [...folders, ...vectors.map((name) => `tests/vectors/${name}`)];
    const args = ["check", "--filter", "target/samples/demo.hgf", "--format", "jsonl", ...paths];
    let native;
    try {
      native = execFileSync("target/debug/hashgate", args, { encoding: "utf8" });
    } catch (error) {
      // Exit code 1: something matched. 2: something could not be checked.
      assert.match(String(error.status), /^[12]$/, error.stderr);
      native = error.stdout;
    }
    const lines = native.trim().split("\n").map(JSON.parse);
    assert.ok(lines.length > 24 + 60, `${lines.length} pictures`);
    const elsewhere = [];
    for (const { path, ...expected } of lines) {
      const wanted = { pdq: true, sha256: true, md5: true, views: "all", limits: {} };
      const print = engine.Fingerprint.of(new Uint8Array(readFileSync(path)), wanted);
      const fingerprint = print.toBytes();
      if (print.needsFormatsEngine) {
        elsewhere.push(path);
        // The main engine can't read this format. If the formats engine isn't asked, the verdict must be `unchecked`,
        // not `clear`.
        assert.equal(lookup.lookUp(fingerprint, undefined, "all").outcome, "unchecked", path);
        assert.equal(print.browserPicture(), undefined, path);
        continue;
      }
      // The verdicts include the flip mask, ring key and view that matched, and the number of lookups.
      const verdict = lookup.lookUp(fingerprint, undefined, "all");
      // For JPEGs the native build has libjpeg as a second decoder. The wasm build has none without a browser, which
      // its verdict reports as the caveat `one-reading`.
      const { secondReadingBy, lookups, ...first } = expected;
      if (secondReadingBy) {
        assert.ok(verdict.lookups < lookups, `${path}: ${verdict.lookups} of ${lookups} lookups`);
        assert.deepEqual(verdict, { ...first, caveat: "one-reading", lookups: verdict.lookups }, path);
      } else assert.deepEqual(verdict, expected, path);
    }
    const ordinary = (path) => /\/(?!apng)[^/]*\.png$|jpeg-(4..|grey|restarts|exif-orientation)\.jpg$/.test(path);
    assert.deepEqual(elsewhere.filter(ordinary), []);
    assert.equal(elsewhere.length > 0, !FORMATS.includes(build), elsewhere.join());
  });

  test(`${build}.wasm makes the same of a file that arrives in pieces`, async () => {
    const { StreamingFingerprint, Fingerprint, mayBePicture } = await instance(build);
    const options = { pdq: true, sha256: true, md5: true, views: "all", limits: {} };
    const jpegs = readdirSync("target/samples/listed").filter((name) => name.endsWith(".jpg"));
    for (const name of [...jpegs.map((name) => `listed/${name}`), "clean/clean-0.png"]) {
      const whole = new Uint8Array(readFileSync(`target/samples/${name}`));
      // Also reads the first half of the file. If that half can be read at all, the general decoder reads it.
      for (const bytes of [whole, whole.subarray(0, whole.length / 2)]) {
        for (const length of [997, 65_536, whole.length]) {
          const stream = StreamingFingerprint.open(bytes.subarray(0, length), bytes.length, options, false);
          for (let at = 0; at < bytes.length; at += length) {
            assert.ok(stream.push(bytes.subarray(at, at + length)));
            assert.equal(stream.early(), undefined, "there is nothing to be known before its end");
          }
          const made = stream.finish()?.toBytes();
          // The low-terms decoder doesn't read a cut JPEG, and a cut PNG needs another reading. In both cases the engine
          // asks for the whole file again.
          const again = made === undefined && bytes !== whole;
          if (!again)
            assert.deepEqual(made, Fingerprint.of(bytes, options).toBytes(), `${name}, ${length} bytes at a time`);
        }
      }
    }
    const gif = new TextEncoder().encode("GIF89a");
    assert.equal(StreamingFingerprint.open(gif, gif.length, options, false), undefined);
    assert.equal(StreamingFingerprint.open(Uint8Array.of(0xff, 0xd8, 0xff), 2 ** 32, options, false), undefined);
    const digests = { ...options, pdq: false };
    assert.equal(StreamingFingerprint.open(Uint8Array.of(0xff, 0xd8, 0xff), 3, digests, false), undefined);
    // The engine recognises a film by its first bytes. It reads the rest only for digests, and doesn't keep it in
    // memory.
    const film = new Uint8Array(200_000);
    film.set(new TextEncoder().encode("\0\0\0\u0018ftypisom"));
    assert.ok(!mayBePicture(film.subarray(0, 65_536)) && mayBePicture(gif));
    const head = film.subarray(0, 65_536);
    assert.equal(StreamingFingerprint.open(film.subarray(0, 100), film.length, options, false), undefined);
    const pdq = { ...options, sha256: false, md5: false };
    const first = StreamingFingerprint.open(head, film.length, pdq, true);
    assert.deepEqual([first.isPicture, first.push(head)], [false, false]);
    assert.deepEqual(first.finish().toBytes(), Fingerprint.of(film, pdq).toBytes());
    const all = StreamingFingerprint.open(head, film.length, options, true);
    assert.ok(all.push(head) && all.push(film.subarray(65_536)));
    assert.deepEqual(all.finish().toBytes(), Fingerprint.of(film, options).toBytes());
    assert.throws(() => StreamingFingerprint.open(gif, gif.length, { ...options, views: "some" }, false), {
      code: "invalid-options",
    });
  });

  test(`${build}.wasm reads a PNG of 24 megapixels in less than 16 MiB, however long the file`, async () => {
    const { StreamingFingerprint, initSync } = await import(`../../dist/bindings/hashgate.js?${build}, memory`);
    const { memory } = initSync({ module: new WebAssembly.Module(readFileSync(`dist/${build}.wasm`)) });
    let state = 1;
    // Noise, which PNG can't compress.
    const bytes = png(6000, 4000, "rgb", 0, (row) => {
      for (let at = 0; at < row.length; at += 1) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        row[at] = state >>> 24;
      }
    });
    assert.ok(bytes.length > 72e6, `${bytes.length} bytes`);
    const options = { pdq: true, sha256: false, md5: true, views: "all", limits: {} };
    const length = 1 << 18;
    const stream = StreamingFingerprint.open(bytes.subarray(0, length), bytes.length, options, false);
    for (let at = 0; at < bytes.length; at += length) stream.push(bytes.subarray(at, at + length));
    assert.ok(stream.finish().toBytes().length > 0);
    assert.ok(memory.buffer.byteLength < 16 * 2 ** 20, `${memory.buffer.byteLength} bytes`);
  });

  test(`${build}.wasm gives one verdict, begun early or not`, async () => {
    const engine = await instance(build);
    const { lookup } = open(engine, new Uint8Array(readFileSync("target/samples/demo.hgf")));
    const options = { pdq: true, sha256: true, md5: true, views: "all", limits: {} };
    for (const name of ["clean/clean-1.jpg", "edited/listed-0-progressive.jpg"]) {
      const bytes = new Uint8Array(readFileSync(`target/samples/${name}`));
      const stream = engine.StreamingFingerprint.open(bytes, bytes.length, options, false);
      stream.push(bytes);
      const early = stream.early();
      assert.equal(stream.early(), undefined, "once");
      const whole = stream.finish().toBytes();
      assert.deepEqual(whole, engine.Fingerprint.of(bytes, options).toBytes(), name);
      const expected = {
        all: lookup.lookUp(whole, undefined, "all"),
        upright: lookup.lookUp(whole, undefined, "upright"),
      };
      for (const [begun, asked] of [
        ["all", "all"],
        ["all", "upright"],
        ["upright", "all"],
      ]) {
        for (let times = 0; times < 20; times += 1) lookup.begin(early, begun);
        assert.deepEqual(lookup.lookUp(whole, undefined, asked), expected[asked], `${name}, ${begun}, ${asked}`);
      }
      // An early lookup that ran before the filter was added must not count.
      const another = new engine.Lookup();
      another.begin(early, "all");
      another.addFilter(new Uint8Array(readFileSync("target/samples/demo.hgf")));
      assert.deepEqual(another.lookUp(whole, undefined, "all"), expected.all, name);
    }
    assert.throws(() => lookup.begin(Uint8Array.of(1, 2, 3), "all"), { code: "invalid-fingerprint" });
  });
}
