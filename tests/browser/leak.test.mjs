// Many checks in one page must leak no memory, nor may leaving the page during a check. The long run is 10 times this
// one: HASHGATE_CHECKS=10000 node --test tests/browser/leak.test.mjs
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { serve } from "./server.mjs";

const CHECKS = Number(process.env.HASHGATE_CHECKS ?? 1000);
/**
 * How many bytes a heap may grow, whatever the number of checks. The browser goes on storing optimised code for a
 * while.
 */
const SLACK_BYTES = 96 * 1024;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
window.openGate = openGate;
window.files = await Promise.all(["listed/listed-0.jpg", "clean/clean-1.jpg", "edited/listed-1-half-size.jpg"].map(
  async (name) => new File([await (await fetch("/samples/" + name)).blob()], name)));
// Damaged files, so that failing checks are part of the test.
window.files.push(new File([await window.files[1].slice(0, 9000).arrayBuffer()], "cut.jpg"), new File(["text"], "text.jpg"));
window.ready = true;`;
const page = (title) => `<!doctype html><meta charset="utf-8"><title>${title}</title>`;

let browser;
let server;
before(async () => {
  server = await serve({
    extra: {
      "/leak.html": { body: `${page("checks")}<script type="module" src="/leak.js"></script>`, type: "text/html" },
      "/leak.js": { body: SCRIPT, type: "text/javascript" },
      // The package's worker, preceded by a script that exposes the engine's memory to the test.
      "/worker.js": { body: `import "/memory.js"; import "/hashgate/worker.js";`, type: "text/javascript" },
      "/memory.js": {
        body: `const { Instance } = WebAssembly;
          WebAssembly.Instance = function (...given) {
            const made = new Instance(...given);
            self.memory = made.exports.memory;
            return made;
          };
          WebAssembly.Instance.prototype = Instance.prototype;`,
        type: "text/javascript",
      },
      "/lendless.js": { body: `import "/lendless-streams.js"; import "/hashgate/worker.js";`, type: "text/javascript" },
      "/lendless-streams.js": {
        body: `const { getReader } = ReadableStream.prototype;
          ReadableStream.prototype.getReader = function (options) {
            if (options?.mode) throw new TypeError("not a byte stream");
            return getReader.call(this);
          };`,
        type: "text/javascript",
      },
      "/elsewhere.html": { body: page("elsewhere"), type: "text/html" },
    },
  });
  browser = await puppeteer.launch({
    ...CHROMIUM,
    protocolTimeout: 3_600_000,
  });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Returns the bytes of heap, buffers and wasm memory of the page and of each worker, after garbage collection. */
async function measure(tab) {
  const contexts = [{ name: "page", client: await tab.createCDPSession() }];
  for (const worker of tab.workers())
    contexts.push({ name: `worker ${contexts.length}`, client: worker.client, worker });
  const sizes = {};
  for (const { name, client, worker } of contexts) {
    // Collects several times, because objects that one collection frees may refer to objects that only the next one
    // finds.
    for (let time = 0; time < 3; time += 1) await client.send("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize } = await client.send("Runtime.getHeapUsage");
    sizes[name] = { heap: usedSize, buffers: backingStorageSize };
    if (worker) sizes[name].wasm = await worker.evaluate(() => self.memory.buffer.byteLength);
  }
  return sizes;
}

test(`${CHECKS} checks in one page: heaps and wasm memories stay as they are`, async (context) => {
  const tab = await browser.newPage();
  context.after(() => tab.close());
  await tab.goto(`${server.url}/leak.html`);
  await tab.waitForFunction(() => window.ready);
  await tab.evaluate(async () => {
    window.gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 1, workerUrl: "/worker.js" });
    // Passes the same signal to all checks, as a page with one "cancel all" button does. A check that is over must not
    // keep a listener on it.
    window.giveUp = new AbortController();
    const { signal } = window.giveUp;
    window.run = async (checks) => {
      const counts = {};
      for (let index = 0; index < checks; index += 1) {
        const file = window.files[index % window.files.length];
        // Checks files and byte arrays in turn. Every 50th check is aborted before it begins.
        const input = index % 2 ? file : await file.arrayBuffer();
        const given = index % 50 === 49 ? AbortSignal.abort() : signal;
        const { outcome } = await window.gate.check(input, { signal: given }).catch(({ name }) => ({ outcome: name }));
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      }
      return counts;
    };
  });
  // There are 3 workers: one for lookups, and one for hashing with each of the two engines.
  await tab.evaluate(() => window.run(300));
  assert.equal(tab.workers().length, 3);
  const before = await measure(tab);
  const counts = await tab.evaluate((checks) => window.run(checks), CHECKS);
  const after = await measure(tab);
  console.log(JSON.stringify({ checks: CHECKS, counts, before, after }));
  assert.deepEqual(Object.keys(counts).sort(), ["AbortError", "clear", "possible-match", "unchecked"]);
  assert.equal(tab.workers().length, 3);
  for (const [name, { heap, buffers, wasm }] of Object.entries(after)) {
    assert.equal(wasm, before[name].wasm, `wasm memory of ${name}`);
    const grown = heap - before[name].heap;
    assert.ok(grown < SLACK_BYTES, `the heap of ${name} grew by ${grown} bytes`);
    assert.ok(buffers <= before[name].buffers + 4096, `buffers of ${name}: ${before[name].buffers}, then ${buffers}`);
  }
});

for (const [what, workerUrl] of [
  ["", undefined],
  [", where readers can't be lent a buffer", "/lendless.js"],
])
  test(`files whose pieces make the browser collect garbage are read to their ends${what}`, async (context) => {
    const tab = await browser.newPage();
    context.after(() => tab.close());
    await tab.goto(`${server.url}/leak.html`);
    await tab.waitForFunction(() => window.ready);
    const seen = await tab.evaluate(async (workerUrl) => {
      const options = { filters: ["/samples/demo.hgf"], workers: 1, timeoutMs: 5000, workerUrl };
      const gate = await window.openGate(options);
      // The bytes after a JPEG's end are part of the file. There are 300 kB of them, so that the worker's buffers are
      // collected more than once in 600 checks.
      const file = new File([window.files[0], new Uint8Array(300_000)], "long.jpg");
      for (let index = 0; index < 600; index += 1) {
        const { outcome, detail } = await gate.check(file);
        if (outcome !== "possible-match") return `${index}: ${outcome}, ${detail}`;
      }
      gate.close();
      return "all";
    }, workerUrl);
    assert.equal(seen, "all");
  });

test("leaving the page in the middle of checks leaves no worker behind", async () => {
  const tab = await browser.newPage();
  await tab.goto(`${server.url}/leak.html`);
  await tab.waitForFunction(() => window.ready);
  const session = await browser.target().createCDPSession();
  const workers = async () => {
    const { targetInfos } = await session.send("Target.getTargets", { filter: [{ type: "worker", exclude: false }] });
    return targetInfos.filter(({ url }) => url.startsWith(server.url)).map(({ url }) => url);
  };
  await tab.evaluate(async () => {
    const gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 2 });
    window.gate = gate;
    await Promise.all([gate.check(window.files[0]), gate.check(window.files[1])]);
    // Checks files again and again.
    window.checking = 0;
    const forever = async (file) => {
      for (;;) {
        window.checking += 1;
        await gate.check(file);
      }
    };
    for (const file of window.files.slice(0, 3)) void forever(file);
  });
  const script = `${server.url}/hashgate/worker.js`;
  assert.deepEqual(await workers(), [script, script, script]);
  assert.ok((await tab.evaluate(() => window.checking)) >= 3);
  await tab.goto(`${server.url}/elsewhere.html`);
  let left;
  for (let wait = 0; wait < 100; wait += 1) {
    left = await workers();
    if (left.length === 0) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.deepEqual(left, []);
  // A check that the page requested as it was left must not start a worker either.
  await new Promise((done) => setTimeout(done, 1000));
  assert.deepEqual(await workers(), []);
  assert.equal(await tab.title(), "elsewhere");

  // The browser keeps the page for the back button. Its gate still answers, and the checks that were cut short aren't
  // clear.
  await tab.goBack();
  const back = await tab.evaluate(async () => {
    const { outcome } = await window.gate.check(window.files[0]);
    window.gate.close();
    return outcome;
  });
  assert.equal(back, "possible-match");
});
