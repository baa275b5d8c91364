// Tests HEIC and JPEG XL, which decoders of this package read: in real Chromium, real Firefox and Node. The command-line
// tool has the same decoders, so all give the same hashes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import binaryen from "binaryen";
import { openGate } from "hashgate";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";
import { CSP, serve } from "./server.mjs";

const FORMATS = ["heic", "jxl"].map((format) => {
  const rows = readFileSync(`tests/vectors/expected-${format}.csv`, "utf8").trim().split("\n").slice(1);
  return {
    format,
    called: { heic: "HEIC", jxl: "JPEG XL" }[format],
    wasm: `/hashgate/hashgate-${format}.wasm`,
    names: [...new Set(rows.map((row) => row.split(",")[0]))],
    one: `${format}.${format}`,
    other: { heic: "heic-444.heic", jxl: "jxl-lossless.jxl" }[format],
    large: `${format}-large.${format}`,
    cut: `cut.${format}`,
    begin: `begin.${format}`,
  };
});
const names = FORMATS.flatMap((format) => format.names);
const vector = (name) => readFileSync(`tests/vectors/${name}`);
const PAGE = `<!doctype html><meta charset="utf-8"><title>x</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
import * as inline from "/hashgate/inline.js";
window.open_ = (options) => openGate({ filters: ["/filter.hgf"], workers: 1, warmUp: false, ...options });
window.openInline = (options) => inline.openGate({ filters: ["/filter.hgf"], workers: 1, warmUp: false, ...options });
window.blob = async (name) => (await fetch("/vectors/" + name)).blob();
window.all = async (options, names) => {
  const gate = await open_(options);
  const blobs = await Promise.all(names.map(blob));
  const verdicts = await Promise.all(blobs.map((blob) => gate.check(blob)));
  gate.close();
  return JSON.parse(JSON.stringify(verdicts));
};
window.ready = true;`;

/** A decoder that traps at every file. */
const TRAP = `(module
  (memory (export "memory") 1 1)
  (table (export "__wbindgen_externrefs") 1 externref)
  (func (export "__wbindgen_start"))
  (func (export "__wbindgen_malloc") (param i32 i32) (result i32) (i32.const 1024))
  (func (export "decode") (param i32 i32 i32 i32 externref externref) (result i32 i32 i32 i32) (unreachable)))`;

function trapping() {
  const module = binaryen.parseText(TRAP);
  module.setFeatures(binaryen.Features.All);
  return Buffer.from(module.emitBinary());
}

let browser;
let server;
/** The server's answer to requests for /late/heic.wasm and /late/jxl.wasm: a status code. */
let late;
before(async () => {
  const made = {};
  for (const { one, cut, begin } of FORMATS) {
    made[cut] = vector(one).subarray(0, -200);
    made[begin] = vector(one).subarray(0, 300);
  }
  // The inline entry starts its worker from a blob: URL.
  const csp = CSP.replace("worker-src 'self'", "worker-src 'self' blob:");
  const extra = {
    "/page.html": { body: PAGE, type: "text/html; charset=utf-8", csp },
    "/page.js": { body: SCRIPT, type: "text/javascript" },
    "/filter.hgf": { body: vector("filter-v2.hgf") },
    "/trap.wasm": { body: trapping(), type: "application/wasm" },
  };
  for (const name of [...names, "jpeg-420.jpg", "webp-lossy.webp", ...Object.keys(made)]) {
    extra[`/vectors/${name}`] = { body: made[name] ?? vector(name) };
  }
  server = await serve({
    extra,
    handle(_, response, pathname) {
      const [, format] = pathname.match(/^\/late\/(heic|jxl)\.wasm$/) ?? [];
      if (!format) return false;
      const type = { "content-type": "application/wasm" };
      if (late === 200) response.writeHead(200, type).end(readFileSync(`dist/hashgate-${format}.wasm`));
      else response.writeHead(late).end();
      return true;
    },
  });
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs `run` in a new page. Returns its result and the names of the wasm files that were requested meanwhile. */
async function inPage(run, argument, opened = browser) {
  const page = await opened.newPage();
  try {
    await page.goto(`${server.url}/page.html`);
    await page.waitForFunction(() => window.ready);
    const from = server.requests.length;
    const answer = await page.evaluate(run, argument);
    const requests = server.requests.slice(from).filter((request) => request.endsWith(".wasm"));
    return { answer, wasm: requests.map((request) => request.split(" ")[1]) };
  } finally {
    await page.close();
  }
}
const all = ([options, names]) => window.all(options, names);

/** Returns the hashes that the command-line tool makes of the pictures. */
function native() {
  const paths = names.map((name) => `tests/vectors/${name}`);
  const lines = execFileSync("target/debug/hashgate", ["hash", ...paths], { encoding: "utf8" })
    .trim()
    .split("\n");
  return names.map((name) => lines.find((line) => line.includes(`/${name}`))?.match(/[0-9a-f]{64}/)?.[0]);
}

/** Asserts that these are the verdicts on all pictures, with the hashes that the command-line tool makes. */
function assertRead(verdicts) {
  const hashes = native();
  names.forEach((name, index) => {
    const { decodedBy, format, pdq, outcome, caveat } = verdicts[index];
    const [, ending] = name.split(".");
    const expected = { "jxl-animated.jxl": "frames-sampled", "jxl-linear.jxl": "colour-profile" }[name];
    assert.deepEqual([outcome, format, decodedBy, caveat], ["clear", ending, ending, expected], name);
    assert.equal(pdq, hashes[index], name);
  });
}

test("Chromium, Firefox, Node and the command-line tool give the same hashes, bit for bit", async (context) => {
  const inChromium = await inPage(all, [{}, names]);
  assertRead(inChromium.answer);
  const firefox = await puppeteer.launch(FIREFOX);
  context.after(() => firefox.close());
  const inFirefox = await inPage(all, [{}, names], firefox);
  assert.deepEqual(inFirefox.answer, inChromium.answer);
  const gate = await openGate({ filters: ["tests/vectors/filter-v2.hgf"], workers: 2 });
  const inNode = await Promise.all(names.map((name) => gate.check(vector(name))));
  gate.close();
  assert.deepEqual(JSON.parse(JSON.stringify(inNode)), inChromium.answer);
});

test("no decoder is fetched for other files", async () => {
  const { wasm } = await inPage(all, [{}, ["jpeg-420.jpg", "webp-lossy.webp"]]);
  assert.deepEqual(wasm, ["/hashgate/hashgate.wasm", "/hashgate/hashgate-formats.wasm"]);
});

test("the inline entry has the decoder of HEIC inside, and that of JPEG XL by its URL", async () => {
  const { answer, wasm } = await inPage(async () => {
    const gate = await window.openInline({ jxlWasmUrl: "/hashgate/hashgate-jxl.wasm" });
    const verdicts = [];
    for (const name of ["heic-large.heic", "jxl-large.jxl"]) verdicts.push(await gate.check(await window.blob(name)));
    gate.close();
    return verdicts.map(({ outcome, decodedBy }) => [outcome, decodedBy]);
  });
  assert.deepEqual(answer, [
    ["clear", "heic"],
    ["clear", "jxl"],
  ]);
  assert.deepEqual(wasm, ["/hashgate/hashgate-jxl.wasm"]);
});

for (const { format, called, wasm: url, names: own, one, other, large, cut, begin } of FORMATS) {
  test(`${called}: the decoder is fetched once, when the first file comes, however many come at once`, async () => {
    const { wasm } = await inPage(all, [{ workers: 3 }, [...own, ...own]]);
    assert.deepEqual(wasm, ["/hashgate/hashgate.wasm", url]);
  });

  test(`${called}: bytes are read as Blobs are, and are the caller's still; a given module asks for none`, async () => {
    const run = async ([format, url, one]) => {
      const module = await WebAssembly.compileStreaming(fetch(url));
      const gate = await window.open_({ [`${format}WasmModule`]: module });
      const blob = await window.blob(one);
      const bytes = new Uint8Array(await blob.arrayBuffer());
      const verdicts = [await gate.check(bytes), await gate.check(blob), await gate.check(bytes.buffer)];
      gate.close();
      return { verdicts, kept: bytes.byteLength === blob.size };
    };
    const { answer, wasm } = await inPage(run, [format, url, one]);
    assert.deepEqual(wasm.sort(), [url, "/hashgate/hashgate.wasm"].sort());
    assert.ok(answer.kept);
    assert.equal(answer.verdicts[0].decodedBy, format);
    assert.deepEqual(answer.verdicts[1], answer.verdicts[0]);
    assert.deepEqual(answer.verdicts[2], answer.verdicts[0]);
  });

  test(`${called}: without the decoder the file is unchecked, others are checked, the next file tries again`, async () => {
    late = 404;
    const page = await browser.newPage();
    await page.goto(`${server.url}/page.html`);
    await page.waitForFunction(() => window.ready);
    await page.evaluate(async (format) => {
      window.gate = await window.open_({ [`${format}WasmUrl`]: `/late/${format}.wasm` });
      window.check = async (name) => window.gate.check(await window.blob(name));
    }, format);
    const check = (name) => page.evaluate((name) => window.check(name), name);
    const { outcome, reason, detail, decodedBy } = await check(one);
    // A browser that reads the format is asked in the decoder's place.
    if (decodedBy === "browser") assert.deepEqual([outcome, format], ["clear", "jxl"]);
    else {
      assert.deepEqual([outcome, reason], ["unchecked", "unavailable"]);
      const parts = [`${server.url}/late/${format}.wasm`, "404", `${format}WasmUrl`];
      for (const part of parts) assert.ok(detail.includes(part), detail);
    }
    assert.equal((await check("jpeg-420.jpg")).outcome, "clear");
    late = 200;
    assert.equal((await check(one)).decodedBy, format);
    const asked = () => server.requests.filter((request) => request.endsWith(`/late/${format}.wasm`)).length;
    const before = asked();
    assert.equal((await check(other)).decodedBy, format);
    assert.equal(asked(), before, "it is kept");
    await page.close();
  });

  test(`${called}: damaged and too large files have a reason, and leave the decoder fit for the next`, async () => {
    const limits = { maxPixels: 144 * 108 };
    const { answer } = await inPage(all, [{ limits }, [cut, begin, large, one]]);
    const told = answer.map(({ outcome, reason, detail }) => [outcome, reason, detail]);
    for (const index of [0, 1]) assert.deepEqual(told[index].slice(0, 2), ["unchecked", "unreadable"], told[index][2]);
    assert.deepEqual(told[2].slice(0, 2), ["unchecked", "too-large"], told[2][2]);
    assert.deepEqual([answer[3].outcome, answer[3].decodedBy], ["clear", format]);
  });

  test(`${called}: a decoder that traps costs the file, and not the worker`, async () => {
    const run = async ([format, names]) => {
      const module = await WebAssembly.compileStreaming(fetch("/trap.wasm"));
      const started = window.Worker;
      let workers = 0;
      window.Worker = class extends started {
        constructor(...args) {
          super(...args);
          workers += 1;
        }
      };
      const gate = await window.open_({ [`${format}WasmModule`]: module });
      const verdicts = [];
      for (const name of names) verdicts.push(await gate.check(await window.blob(name)));
      gate.close();
      window.Worker = started;
      return { verdicts, workers };
    };
    const { answer } = await inPage(run, [format, ["jpeg-420.jpg", one, other, "jpeg-420.jpg"]]);
    const told = answer.verdicts.map(({ outcome, reason }) => reason ?? outcome);
    assert.deepEqual(told, ["clear", "engine-failed", "engine-failed", "clear"]);
    assert.match(answer.verdicts[1].detail, /the decoder of (HEIC|JPEG XL) failed at this file: .*unreachable/i);
    assert.equal(answer.workers, 2, "one for hashing, one for lookups");
  });
}
