// Tests HEIC, which a decoder of this package reads: in real Chromium, real Firefox and Node. The command-line tool has
// the same decoder, so all give the same hashes.
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

const DECODER = "/hashgate/hashgate-heic.wasm";
const rows = readFileSync("tests/vectors/expected-heic.csv", "utf8").trim().split("\n").slice(1);
const names = [...new Set(rows.map((row) => row.split(",")[0]))];
const vector = (name) => readFileSync(`tests/vectors/${name}`);
const PAGE = `<!doctype html><meta charset="utf-8"><title>x</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
import * as inline from "/hashgate/inline.js";
window.open_ = (options) => openGate({ filters: ["/filter.hgf"], workers: 1, warmUp: false, ...options });
window.openInline = () => inline.openGate({ filters: ["/filter.hgf"], workers: 1, warmUp: false });
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
  (func (export "decodeHeic") (param i32 i32 i32 i32 externref externref) (result i32 i32 i32 i32) (unreachable)))`;

function trapping() {
  const module = binaryen.parseText(TRAP);
  module.setFeatures(binaryen.Features.All);
  return Buffer.from(module.emitBinary());
}

let browser;
let server;
/** The server's answer to requests for /late.wasm: a status code. */
let late;
before(async () => {
  const cut = vector("heic.heic").subarray(0, -200);
  const made = { "cut.heic": cut, "begin.heic": cut.subarray(0, 300) };
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
      if (pathname !== "/late.wasm") return false;
      if (late === 200)
        response.writeHead(200, { "content-type": "application/wasm" }).end(readFileSync("dist/hashgate-heic.wasm"));
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
    const { decodedBy, format, pdq, outcome, caveats } = verdicts[index];
    assert.deepEqual([outcome, format, decodedBy, caveats], ["clear", "heic", "heic", undefined], name);
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

test("the decoder is fetched once, when the first HEIC file comes, however many come at once", async () => {
  const { wasm } = await inPage(all, [{ workers: 3 }, [...names, ...names]]);
  assert.deepEqual(wasm, ["/hashgate/hashgate.wasm", DECODER]);
  const others = await inPage(all, [{}, ["jpeg-420.jpg", "webp-lossy.webp"]]);
  assert.deepEqual(others.wasm, ["/hashgate/hashgate.wasm", "/hashgate/hashgate-formats.wasm"]);
});

test("the inline entry has the decoder inside", async () => {
  const { answer, wasm } = await inPage(async () => {
    const gate = await window.openInline();
    const verdict = await gate.check(await window.blob("heic-large.heic"));
    gate.close();
    return verdict;
  });
  assert.deepEqual([answer.outcome, answer.decodedBy, wasm], ["clear", "heic", []]);
});

test("bytes are read as Blobs are, and are the caller's still; heicWasmModule asks for none", async () => {
  const { answer, wasm } = await inPage(async () => {
    const heicWasmModule = await WebAssembly.compileStreaming(fetch("/hashgate/hashgate-heic.wasm"));
    const gate = await window.open_({ heicWasmModule });
    const blob = await window.blob("heic.heic");
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const verdicts = [await gate.check(bytes), await gate.check(blob), await gate.check(bytes.buffer)];
    gate.close();
    return { verdicts, kept: bytes.byteLength === blob.size };
  });
  assert.deepEqual(wasm.sort(), [DECODER, "/hashgate/hashgate.wasm"]);
  assert.ok(answer.kept);
  assert.equal(answer.verdicts[0].decodedBy, "heic");
  assert.deepEqual(answer.verdicts[1], answer.verdicts[0]);
  assert.deepEqual(answer.verdicts[2], answer.verdicts[0]);
});

test("if the decoder can't be had the file is unchecked, others are checked, and the next file tries again", async () => {
  late = 404;
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  await page.evaluate(async () => {
    window.gate = await window.open_({ heicWasmUrl: "/late.wasm" });
    window.check = async (name) => window.gate.check(await window.blob(name));
  });
  const check = (name) => page.evaluate((name) => window.check(name), name);
  const { outcome, reason, detail } = await check("heic.heic");
  assert.deepEqual([outcome, reason], ["unchecked", "unavailable"]);
  for (const part of [`${server.url}/late.wasm`, "404", "heicWasmUrl"]) assert.ok(detail.includes(part), detail);
  assert.equal((await check("jpeg-420.jpg")).outcome, "clear");
  late = 200;
  assert.equal((await check("heic.heic")).outcome, "clear");
  const asked = server.requests.filter((request) => request.endsWith("/late.wasm")).length;
  assert.equal((await check("heic-444.heic")).outcome, "clear");
  assert.equal(server.requests.filter((request) => request.endsWith("/late.wasm")).length, asked, "it is kept");
  await page.close();
});

test("damaged and too large files have a reason, and leave the decoder fit for the next", async () => {
  const limits = { maxPixels: 144 * 108 };
  const { answer } = await inPage(all, [{ limits }, ["cut.heic", "begin.heic", "heic-large.heic", "heic.heic"]]);
  const [cut, begin, large, whole] = answer;
  assert.deepEqual([cut.outcome, cut.reason], ["unchecked", "unreadable"], cut.detail);
  assert.deepEqual([begin.outcome, begin.reason], ["unchecked", "unreadable"], begin.detail);
  assert.deepEqual([large.outcome, large.reason], ["unchecked", "too-large"], large.detail);
  assert.deepEqual([whole.outcome, whole.decodedBy], ["clear", "heic"]);
});

test("a decoder that traps costs the file, and not the worker", async () => {
  const run = async () => {
    const heicWasmModule = await WebAssembly.compileStreaming(fetch("/trap.wasm"));
    const started = window.Worker;
    let workers = 0;
    window.Worker = class extends started {
      constructor(...args) {
        super(...args);
        workers += 1;
      }
    };
    const gate = await window.open_({ heicWasmModule });
    const verdicts = [];
    for (const name of ["jpeg-420.jpg", "heic.heic", "heic-444.heic", "jpeg-420.jpg"]) {
      verdicts.push(await gate.check(await window.blob(name)));
    }
    gate.close();
    window.Worker = started;
    return { verdicts, workers };
  };
  const { answer } = await inPage(run);
  const told = answer.verdicts.map(({ outcome, reason }) => reason ?? outcome);
  assert.deepEqual(told, ["clear", "engine-failed", "engine-failed", "clear"]);
  assert.match(answer.verdicts[1].detail, /the decoder of HEIC failed at this file: .*unreachable/i);
  assert.equal(answer.workers, 2, "one for hashing, one for lookups");
});
