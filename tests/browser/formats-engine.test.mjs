// Tests the formats engine in real Chromium: when and how often it is fetched, and which verdicts files get if it can't
// be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { chunk } from "../../scripts/png.mjs";
import { CHROMIUM } from "./chromium.mjs";
import { serve } from "./server.mjs";

const ENGINE = "/hashgate/hashgate-formats.wasm";
const PAGE = `<!doctype html><meta charset="utf-8"><title>x</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
window.openGate = openGate;
window.open_ = (options) => openGate({ filters: ["/samples/demo.hgf"], workers: 2, warmUp: false, ...options });
window.blob = async (name) => (await fetch("/vectors/" + name)).blob();
window.all = async (options, names) => {
  const gate = await open_(options);
  const blobs = await Promise.all(names.map(blob));
  const verdicts = await Promise.all(blobs.map((blob) => gate.check(blob)));
  const report = gate.report();
  gate.close();
  return { verdicts: JSON.parse(JSON.stringify(verdicts)), checks: report.checks ?? report };
};
window.ready = true;`;

const ORDINARY = [
  "jpeg-420.jpg",
  "jpeg-grey.jpg",
  "jpeg-restarts.jpg",
  "png-rgb-8.png",
  "png-rgba-16-adam7.png",
  "avif-420.avif",
  "text.txt",
];
const OTHERS = [
  "apng.png",
  "gif.gif",
  "gif-animated.gif",
  "webp-lossy.webp",
  "webp-animated.webp",
  "bmp-24.bmp",
  "jpeg-cmyk.jpg",
  "jpeg-progressive.jpg",
  "embedding.svg",
  "cut.png",
  "gamma.png",
  "cut.jpg",
];

let browser;
let server;
/** The server's answer to requests for /late.wasm: a status code, or a promise of the response. */
let late;
before(async () => {
  const vector = (name) => readFileSync(`tests/vectors/${name}`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><image href="data:image/png;base64,${vector("png-rgb-8.png").toString("base64")}"/></svg>`;
  const made = {
    "text.txt": "plain text",
    "cut.png": vector("png-rgb-8.png").subarray(0, 600),
    // Shows other colours than it stores. The chunk lies behind the header, which ends at byte 33.
    "gamma.png": Buffer.concat([
      vector("png-rgb-8.png").subarray(0, 33),
      chunk("gAMA", Buffer.from([0, 0, 0x27, 0x10])),
      vector("png-rgb-8.png").subarray(33),
    ]),
    "cut.jpg": vector("jpeg-420.jpg").subarray(0, -400),
    "embedding.svg": svg,
  };
  const extra = {
    "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
    "/page.js": { body: SCRIPT, type: "text/javascript" },
  };
  for (const name of [...ORDINARY, ...OTHERS]) extra[`/vectors/${name}`] = { body: made[name] ?? vector(name) };
  server = await serve({
    extra,
    handle(_, response, pathname) {
      if (pathname !== "/late.wasm") return false;
      const answer = late;
      if (answer === 200)
        response.writeHead(200, { "content-type": "application/wasm" }).end(readFileSync(`dist${ENGINE.slice(9)}`));
      else if (typeof answer === "number") response.writeHead(answer).end();
      else answer(response);
      return true;
    },
  });
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs `run` in a new page. Returns its result and the names of the engines that were requested meanwhile. */
async function inPage(run, argument) {
  const page = await browser.newPage();
  try {
    await page.goto(`${server.url}/page.html`);
    await page.waitForFunction(() => window.ready);
    const from = server.requests.length;
    const answer = await page.evaluate(run, argument);
    const engines = server.requests.slice(from).filter((request) => request.endsWith(".wasm"));
    return { answer, engines: engines.map((request) => request.split(" ")[1]) };
  } finally {
    await page.close();
  }
}
const all = ([options, names]) => window.all(options, names);

test("JPEG, PNG, what the browser decodes and what is no picture never ask for the formats engine", async () => {
  const { answer, engines } = await inPage(all, [{}, ORDINARY]);
  assert.deepEqual(engines, ["/hashgate/hashgate.wasm"]);
  const full = await inPage(all, [{ wasmUrl: ENGINE }, ORDINARY]);
  assert.deepEqual(answer, full.answer);
});

test("many files that need it, all at once, ask for it once; verdicts are those of the one engine that reads all", async () => {
  const names = [...OTHERS, ...ORDINARY, ...OTHERS];
  const { answer, engines } = await inPage(all, [{}, names]);
  assert.deepEqual(engines.sort(), [ENGINE, "/hashgate/hashgate.wasm"]);
  const full = await inPage(all, [{ wasmUrl: ENGINE }, names]);
  assert.deepEqual(full.engines, [ENGINE]);
  assert.deepEqual(answer, full.answer);
  const unread = answer.verdicts.filter(({ reason }) => reason === "unavailable");
  assert.deepEqual(unread, []);
});

for (const name of OTHERS) {
  test(`${name} alone asks for it`, async () => {
    const { engines } = await inPage(all, [{}, [name]]);
    assert.deepEqual(engines, ["/hashgate/hashgate.wasm", ENGINE]);
  });
}

test("formatsWasmModule asks for none; bytes are read as Blobs are, and are the caller's still", async () => {
  const { answer, engines } = await inPage(async () => {
    const formatsWasmModule = await WebAssembly.compileStreaming(fetch("/hashgate/hashgate-formats-baseline.wasm"));
    const gate = await window.open_({ formatsWasmModule, workers: 1 });
    const blob = await window.blob("webp-lossy.webp");
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const verdicts = [await gate.check(blob), await gate.check(bytes), await gate.check(bytes.buffer)];
    gate.close();
    return { verdicts, kept: bytes.byteLength === blob.size };
  });
  assert.deepEqual(engines, ["/hashgate/hashgate-formats-baseline.wasm", "/hashgate/hashgate.wasm"]);
  assert.ok(answer.kept);
  assert.equal(answer.verdicts[0].format, "webp");
  assert.deepEqual(answer.verdicts[1], answer.verdicts[0]);
  assert.deepEqual(answer.verdicts[2], answer.verdicts[0]);
});

test("if it can't be had the file is unchecked, others are checked, and the next file tries again", async () => {
  late = 404;
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  await page.evaluate(async () => {
    window.gate = await window.open_({ formatsWasmUrl: "/late.wasm" });
    window.check = async (name) => window.gate.check(await window.blob(name));
  });
  const check = (name) => page.evaluate((name) => window.check(name), name);
  for (const name of ["webp-lossy.webp", "jpeg-cmyk.jpg"]) {
    const { outcome, reason, detail } = await check(name);
    assert.deepEqual([outcome, reason], ["unchecked", "unavailable"], name);
    assert.ok(detail.includes(`${server.url}/late.wasm`) && detail.includes("404"), detail);
    assert.ok(detail.includes("formatsWasmUrl"), detail);
    assert.equal((await check("jpeg-420.jpg")).outcome, "clear");
  }
  late = 200;
  assert.equal((await check("webp-lossy.webp")).outcome, "clear");
  const asked = server.requests.filter((request) => request.endsWith("/late.wasm")).length;
  assert.equal((await check("webp-animated.webp")).outcome, "clear");
  assert.equal(server.requests.filter((request) => request.endsWith("/late.wasm")).length, asked, "it is kept");
  assert.equal((await check("jpeg-420.jpg")).outcome, "clear");
  await page.close();
});

test("what is no formats engine leaves files unchecked, and others go on", async () => {
  const { answer } = await inPage(async () => {
    const gate = await window.open_({ formatsWasmUrl: "/hashgate/hashgate-baseline.wasm" });
    const verdict = await gate.check(await window.blob("webp-lossy.webp"));
    const after = await gate.check(await window.blob("jpeg-420.jpg"));
    gate.close();
    return [verdict.outcome, verdict.reason, after.outcome];
  });
  assert.deepEqual(answer, ["unchecked", "unavailable", "clear"]);
});

test("while it is awaited: an abort, other files, a timeout, and the end of the gate", async () => {
  const held = [];
  late = (response) => held.push(response);
  const { answer } = await inPage(async () => {
    const gate = await window.open_({ formatsWasmUrl: "/late.wasm" });
    const webp = await window.blob("webp-lossy.webp");
    const controller = new AbortController();
    const first = gate.check(webp, { signal: controller.signal }).catch((error) => error.name);
    const second = gate.check(webp).catch((error) => error.code);
    const meanwhile = (await gate.check(await window.blob("jpeg-420.jpg"))).outcome;
    controller.abort();
    const aborted = await first;
    gate.close();
    const impatient = await window.open_({ formatsWasmUrl: "/late.wasm?impatient", timeoutMs: 1000 });
    const { reason } = await impatient.check(webp);
    impatient.close();
    return [meanwhile, aborted, await second, reason];
  });
  assert.deepEqual(answer, ["clear", "AbortError", "closed", "unavailable"]);
  for (const response of held) response.destroy();
});
