// Tests the three places from which a gate loads its worker and engine: beside the entry file, from URLs that the host
// gives, or from inside the inline entry.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { CSP, serve } from "./server.mjs";

const ENGINES = ["/hashgate/hashgate.wasm", "/hashgate/hashgate-baseline.wasm"];
const script = (entry) => `import { openGate } from "/hashgate/${entry}.js";
window.picture = await (await fetch("/samples/edited/listed-2-mirrored.jpg")).blob();
window.outcome = async (options) => {
  try {
    const gate = await openGate({ filters: ["/samples/demo.hgf"], ...options });
    const { outcome } = await gate.check(window.picture);
    gate.close();
    return outcome;
  } catch (error) {
    return error.code + ": " + error.message;
  }
};
window.ready = true;`;
const page = (entry) =>
  `<!doctype html><meta charset="utf-8"><title>x</title><script type="module" src="/${entry}.mjs"></script>`;

let browser;
let server;
before(async () => {
  const csp = CSP.replace("worker-src 'self'", "worker-src blob:");
  server = await serve({
    extra: {
      "/index.page": { body: page("index"), type: "text/html" },
      "/inline.page": { body: page("inline"), type: "text/html", csp },
      // This page has the main entry's policy, which forbids workers from blob: URLs.
      "/forbidden.page": { body: page("inline"), type: "text/html" },
      "/index.mjs": { body: script("index"), type: "text/javascript" },
      "/inline.mjs": { body: script("inline"), type: "text/javascript" },
      "/moved/worker.js": { body: readFileSync("dist/worker.js"), type: "text/javascript" },
      "/moved/engine": { body: readFileSync("dist/hashgate-baseline.wasm") },
    },
  });
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Opens a page and runs `run` in it. Returns the result and the requests that the server got meanwhile. */
async function inPage(name, run, argument, { simd = true } = {}) {
  const tab = await browser.newPage();
  if (!simd) await tab.addInitScript("WebAssembly.validate = () => false;");
  await tab.goto(`${server.url}/${name}.page`);
  await tab.waitForFunction(() => window.ready);
  const before = server.requests.length;
  const answer = await tab.evaluate(run, argument);
  await tab.close();
  const asked = server.requests.slice(before).map((request) => request.split(" ")[1]);
  return { answer, asked };
}
const outcome = (options) => window.outcome(options);

test("beside the entry: the engine that suits the processor, and the worker", async () => {
  for (const [index, simd] of [true, false].entries()) {
    const { answer, asked } = await inPage("index", outcome, {}, { simd });
    assert.equal(answer, "possible-match");
    assert.ok(asked.includes("/hashgate/worker.js"));
    assert.deepEqual(
      asked.filter((path) => path.endsWith(".wasm")),
      [ENGINES[index]],
    );
  }
});

test("where the host says: wasmUrl and workerUrl; wasmModule asks for no engine", async () => {
  const moved = await inPage("index", outcome, { wasmUrl: "/moved/engine", workerUrl: "/moved/worker.js" });
  assert.equal(moved.answer, "possible-match");
  assert.deepEqual([...new Set(moved.asked)].sort(), ["/moved/engine", "/moved/worker.js", "/samples/demo.hgf"]);

  const compiled = await inPage("index", async () => {
    const wasmModule = await WebAssembly.compileStreaming(fetch("/hashgate/hashgate-baseline.wasm"));
    return window.outcome({ wasmModule });
  });
  assert.equal(compiled.answer, "possible-match");
  assert.deepEqual(
    compiled.asked.filter((path) => path.endsWith(".wasm")),
    ["/hashgate/hashgate-baseline.wasm"],
  );
});

test("the inline entry asks for the filter alone", async () => {
  const { answer, asked } = await inPage("inline", outcome, {});
  assert.equal(answer, "possible-match");
  assert.deepEqual(asked, ["/samples/demo.hgf"]);
});

test("the inline entry says what it lacks: vectors, or a policy that lets its worker start", async () => {
  const old = await inPage("inline", outcome, {}, { simd: false });
  assert.match(old.answer, /^engine-unavailable: .*wasmUrl to hashgate-formats-baseline\.wasm/);
  const helped = await inPage("inline", outcome, { wasmUrl: ENGINES[1] }, { simd: false });
  assert.equal(helped.answer, "possible-match");
  const forbidden = await inPage("forbidden", outcome, {});
  assert.match(forbidden.answer, /^worker-unavailable: /);
});
