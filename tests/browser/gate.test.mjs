// Tests the package in real Chromium, under a strict Content-Security-Policy, with real files over real HTTP.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>hashgate</title><script type="module" src="/page.js"></script>`;
// Puts `openGate` on `window`: the tests open gates in the page, since a gate can't be passed to Node.
const SCRIPT = `import { openGate } from "/hashgate/index.js"; window.openGate = openGate; window.ready = true;
window.file = async (url) => new File([await (await fetch(url)).blob()], url);`;
const filter = readFileSync("target/samples/demo.hgf");
const samples = (folder) =>
  readdirSync(`target/samples/${folder}`)
    .sort()
    .map((name) => `/samples/${folder}/${name}`);

let browser;
let server;
let page;

before(async () => {
  server = await serve({
    extra: {
      "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
      "/page.js": { body: SCRIPT, type: "text/javascript" },
      "/truncated.hgf": { body: filter.subarray(0, filter.length - 1) },
    },
  });
  browser = await chromium.launch(CHROMIUM);
  page = await browser.newPage();
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) violations.push(message.text());
  });
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
});
after(async () => {
  await browser?.close();
  await server?.close();
});
const violations = [];

/** Opens a gate in the page, calls the page's function named `body` with it, and closes it. */
const withGate = (options, body, argument) =>
  page.evaluate(
    async ([options, body, argument]) => {
      const gate = await window.openGate({ filters: ["/samples/demo.hgf"], ...options });
      try {
        return await window[body](gate, argument);
      } finally {
        gate.close();
      }
    },
    [options, body, argument],
  );

test("verdicts of listed, edited and clean pictures; nothing leaves the page meanwhile", async () => {
  await page.evaluate(() => {
    window.checkAll = async (gate, urls) => {
      const files = await Promise.all(urls.map(window.file));
      // Two checks at once start both hashing workers, so that their script is loaded before the first mark.
      await Promise.all([gate.check(files[0]), gate.check(files[0])]);
      await fetch("/mark");
      const verdicts = await Promise.all(files.map((file) => gate.check(file)));
      await fetch("/mark");
      return verdicts;
    };
  });
  const urls = [...samples("listed"), ...samples("edited"), ...samples("clean")];
  const verdicts = await withGate({ workers: 2 }, "checkAll", urls);
  verdicts.forEach((verdict, index) => {
    const expected = urls[index].includes("/clean/") ? "clear" : "possible-match";
    assert.equal(verdict.outcome, expected, `${urls[index]}: ${JSON.stringify(verdict)}`);
    assert.match(verdict.sha256, /^[0-9a-f]{64}$/);
    assert.match(verdict.pdq, /^[0-9a-f]{64}$/);
    if (urls[index].includes("/listed/")) assert.equal(verdict.matches[0].strength, "exact-bytes");
  });
  const first = server.requests.indexOf("GET /mark");
  const between = server.requests.slice(first + 1, server.requests.lastIndexOf("GET /mark"));
  assert.deepEqual(between, [], "requests while files were checked");
  assert.deepEqual(violations, []);
});

test("the baseline build gives the same verdicts", async () => {
  const urls = [...samples("listed"), ...samples("edited"), ...samples("clean")].filter((_, index) => index % 5 === 0);
  const baseline = await withGate({ wasmUrl: "/hashgate/hashgate-baseline.wasm" }, "checkAll", urls);
  assert.deepEqual(baseline, await withGate({}, "checkAll", urls));
});

test("File, Blob, ArrayBuffer and Uint8Array give one answer, and keep their bytes", async () => {
  await page.evaluate(() => {
    window.everyKind = async (gate, url) => {
      const file = await window.file(url);
      const buffer = await file.arrayBuffer();
      const inputs = [file, new Blob([buffer]), buffer, new Uint8Array(buffer)];
      const verdicts = await Promise.all(inputs.map((input) => gate.check(input)));
      const { reason: wrong } = await gate.check("text");
      return { verdicts, wrong, kept: buffer.byteLength === file.size };
    };
  });
  const { verdicts, wrong, kept } = await withGate({}, "everyKind", samples("edited")[0]);
  for (const verdict of verdicts) assert.deepEqual(verdict, verdicts[0]);
  assert.equal(verdicts[0].outcome, "possible-match");
  assert.equal(wrong, "invalid-input");
  assert.ok(kept);
});

test("what isn't a sound picture is unchecked, with a reason", async () => {
  await page.evaluate(() => {
    window.hostile = async (gate, url) => {
      const whole = await (await window.file(url)).arrayBuffer();
      const files = {
        empty: new Uint8Array(0),
        byte: new Uint8Array(1),
        html: new TextEncoder().encode("<!doctype html><title>picture.jpg</title>"),
        truncated: whole.slice(0, whole.byteLength / 2),
      };
      const answers = {};
      for (const [name, bytes] of Object.entries(files)) {
        const { outcome, reason } = await gate.check(bytes);
        answers[name] = `${outcome} ${reason}`;
      }
      return answers;
    };
  });
  assert.deepEqual(await withGate({}, "hostile", samples("clean")[1]), {
    empty: "unchecked not-a-picture",
    byte: "unchecked not-a-picture",
    html: "unchecked not-a-picture",
    truncated: "unchecked unreadable",
  });
});

test("a file that is changed since it was chosen is unreadable, whatever it was", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  context.after(() => rmSync(folder, { recursive: true }));
  await page.evaluate(() => {
    window.choosing = async (gate, name) => (await gate.check(document.getElementById(name).files[0])).outcome;
    window.again = async (gate, name) => {
      const { outcome, reason, detail } = await gate.check(document.getElementById(name).files[0]);
      return { outcome, reason, detail };
    };
  });
  const files = { jpeg: "listed/listed-0.jpg", png: "clean/clean-0.png", empty: undefined };
  for (const [id, name] of Object.entries(files)) {
    const path = join(folder, id);
    if (name) copyFileSync(`target/samples/${name}`, path);
    else writeFileSync(path, "");
    await page.evaluate((id) => {
      document.body.append(Object.assign(document.createElement("input"), { id, type: "file" }));
    }, id);
    await page.setInputFiles(`#${id}`, path);
    assert.equal((await withGate({}, "choosing", id)) === "unchecked", name === undefined);
    writeFileSync(path, "another file, and a shorter one");
    const { outcome, reason, detail } = await withGate({}, "again", id);
    assert.deepEqual([outcome, reason], ["unchecked", "unreadable"], id);
    assert.match(detail, /^the file's bytes can't be had: /);
  }
});

test("a file that turns out to be needed as a whole is read once more", async () => {
  await page.evaluate(() => {
    window.notHeld = async (gate) => {
      const canvas = new OffscreenCanvas(1000, 1000);
      const context = canvas.getContext("2d");
      const pixels = context.createImageData(1000, 1000);
      let state = 1;
      for (let at = 0; at < 1_000_000; at += 1) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        const shape = 128 + 60 * Math.sin((at % 1000) / 47) * Math.cos(at / 61_000);
        pixels.data.set([0, 1, 2].map((channel) => shape + ((state >>> (8 + 8 * channel)) & 31)).concat(255), 4 * at);
      }
      context.putImageData(pixels, 0, 0);
      const intact = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer());
      // Sets a quantization step to an extraordinary value (255). The low-terms decoder gives up on it only when it has
      // the whole picture.
      const odd = intact.slice();
      odd[odd.findIndex((byte, at) => byte === 0xff && odd[at + 1] === 0xdb) + 5 + 63] = 255;
      const verdicts = [];
      for (const bytes of [intact, odd, intact.subarray(0, intact.length - 2)]) {
        for (const input of [new File([bytes], "a.jpg"), bytes]) {
          const { outcome, reason, decodedBy, caveat } = await gate.check(input);
          verdicts.push([outcome, reason, decodedBy, caveat]);
        }
      }
      return { verdicts, length: intact.length };
    };
  });
  const { verdicts, length } = await withGate({ workers: 1 }, "notHeld");
  assert.ok(length > 300_000, `${length} bytes`);
  const expected = [
    ["clear", undefined, "low-terms", undefined],
    ["clear", undefined, "general", undefined],
    // This file lacks its end marker, but all of its pixels can be read.
    ["clear", undefined, "general", "malformed"],
  ];
  assert.deepEqual(
    verdicts,
    expected.flatMap((verdict) => [verdict, verdict]),
  );
});

test("an abort rejects at once, with the others unharmed", async () => {
  await page.evaluate(() => {
    window.aborting = async (gate, url) => {
      const file = await window.file(url);
      await gate.check(file);
      const controllers = [new AbortController(), new AbortController()];
      // At the time of the abort, the first file is being hashed and the second one is queued.
      const checks = controllers.map(({ signal }) => gate.check(file, { signal }).catch((error) => error.name));
      const last = gate.check(file);
      for (const controller of controllers) controller.abort();
      const before = await gate.check(file, { signal: AbortSignal.abort() }).catch((error) => error.name);
      return { names: await Promise.all(checks), before, outcome: (await last).outcome };
    };
  });
  assert.deepEqual(await withGate({ workers: 1 }, "aborting", samples("listed")[0]), {
    names: ["AbortError", "AbortError"],
    before: "AbortError",
    outcome: "possible-match",
  });
});

test("a progressive picture is looked up before its end, and the end has the say", async () => {
  await page.evaluate(() => {
    window.early = async (gate, urls) => {
      const post = Worker.prototype.postMessage;
      const seen = [];
      for (const url of urls) {
        const file = await window.file(url);
        for (const input of [file, file.slice(0, file.size - 100), new Uint8Array(await file.arrayBuffer())]) {
          const said = [];
          Worker.prototype.postMessage = function (message, ...rest) {
            said.push(message.type);
            return post.call(this, message, ...rest);
          };
          const { outcome, reason, caveat } = await gate.check(input);
          Worker.prototype.postMessage = post;
          seen.push([said.filter((type) => type !== "start").join(" "), reason ?? outcome, caveat]);
        }
        // Aborts a check after its early lookup. That must not disturb the next check.
        const controller = new AbortController();
        Worker.prototype.postMessage = function (message, ...rest) {
          post.call(this, message, ...rest);
          if (message.type === "begin") controller.abort();
        };
        const aborted = gate.check(file, { signal: controller.signal }).catch((error) => error.name);
        const [first, { outcome }] = await Promise.all([aborted, gate.check(file)]);
        Worker.prototype.postMessage = post;
        seen.push([first.outcome ?? first, outcome]);
      }
      return seen;
    };
  });
  const progressive = ["/samples/clean/clean-1.jpg", "/samples/edited/listed-0-progressive.jpg"];
  const early = "fingerprint begin lookUp";
  // A damaged picture is hashed twice: by the main engine, then by the formats engine.
  const twice = "fingerprint begin fingerprint begin lookUp";
  const unread = "ac-terms-unread";
  assert.deepEqual(
    await withGate({ workers: 1, warmUp: false }, "early", [...progressive, "/samples/clean/clean-2.jpg"]),
    [
      [early, "clear", unread],
      [twice, "unreadable", undefined],
      [early, "clear", unread],
      ["AbortError", "clear"],
      [early, "possible-match", unread],
      // This picture is damaged, but the part that can be read matches.
      [twice, "possible-match", undefined],
      [early, "possible-match", unread],
      ["AbortError", "possible-match"],
      ["fingerprint lookUp", "clear", undefined],
      ["fingerprint fingerprint lookUp", "unreadable", undefined],
      ["fingerprint lookUp", "clear", undefined],
      ["clear", "clear"],
    ],
  );
});

test("a trap in the engine is that file's alone, and a fresh worker takes over", async () => {
  await page.evaluate(() => {
    window.trapping = async (gate, url) => {
      const file = await window.file(url);
      await gate.check(file);
      // The file (1.3 GB) is larger than the engine's memory, so the allocation traps. It begins as a GIF, which must
      // be read as a whole.
      const slab = new Uint8Array(100 << 20);
      const huge = new Blob(["GIF89a", ...Array(13).fill(slab)]);
      const [trapped, after] = await Promise.all([gate.check(huge), gate.check(file)]);
      return { reason: trapped.reason, outcome: trapped.outcome, after: after.outcome };
    };
  });
  const started = [];
  const count = (worker) => started.push(worker);
  page.on("worker", count);
  const answer = await withGate({ workers: 1, maxFileBytes: 2 ** 31 }, "trapping", samples("listed")[0]);
  page.off("worker", count);
  assert.deepEqual(answer, { outcome: "unchecked", reason: "engine-failed", after: "possible-match" });
  assert.equal(started.length, 3, "the lookup worker, the hashing worker and its replacement");
});

test("a worker that hangs is replaced, the hashing one and the lookup one", async (context) => {
  // Opens a new page, so that only the gate's two workers are in it.
  const own = await browser.newPage();
  context.after(() => own.close());
  await own.goto(`${server.url}/page.html`);
  await own.waitForFunction(() => window.ready);
  await own.evaluate(async () => {
    window.gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 1, timeoutMs: 2000 });
    window.picture = await window.file("/samples/listed/listed-0.jpg");
    await window.gate.check(window.picture);
  });
  const check = () =>
    own.evaluate(async () => {
      const { outcome, reason } = await window.gate.check(window.picture);
      return [outcome, reason];
    });
  const workers = own.workers();
  assert.equal(workers.length, 2);
  for (const worker of workers) {
    // Blocks the worker by an endless loop, so that it never answers again.
    await worker.evaluate(() => {
      setTimeout(() => {
        for (;;);
      });
    });
    assert.deepEqual(await check(), ["unchecked", "engine-failed"]);
    assert.deepEqual(await check(), ["possible-match", undefined]);
  }
});

test("an idle page warms the engine up, uncounted, unless it is told not to", async (context) => {
  const own = await browser.newPage();
  context.after(() => own.close());
  await own.goto(`${server.url}/page.html`);
  await own.waitForFunction(() => window.ready);
  const open = (warmUp) =>
    own.evaluate(async (warmUp) => {
      window.gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 1, warmUp });
    }, warmUp);
  await open(false);
  await own.evaluate(() => new Promise((resolve) => requestIdleCallback(() => setTimeout(resolve, 200))));
  assert.equal(own.workers().length, 1, "the lookup worker alone");
  await own.evaluate(() => window.gate.close());
  const started = own.waitForEvent("worker", { predicate: () => own.workers().length === 2, timeout: 30_000 });
  await open(true);
  await started;
  const { outcome, totals } = await own.evaluate(async () => {
    // The file waits for at most one check of the warm-up.
    const { outcome } = await window.gate.check(await window.file("/samples/listed/listed-0.jpg"));
    return { outcome, totals: window.gate.report().totals };
  });
  assert.equal(outcome, "possible-match");
  assert.deepEqual([totals.checked, totals.clear], [1, 0]);
});

test("a filter with any bit flipped, or cut anywhere, is refused", async () => {
  const codes = await page.evaluate(async () => {
    const whole = new Uint8Array(await (await fetch("/samples/demo.hgf")).arrayBuffer());
    const codeOf = (bytes) =>
      window.openGate({ filters: [bytes] }).then(
        () => "opened",
        (error) => error.code,
      );
    const codes = [];
    const step = Math.max(1, Math.floor(whole.length / 40));
    for (let at = 0; at < whole.length; at += step) {
      const flipped = whole.slice();
      flipped[at] ^= 1 << (at % 8);
      codes.push(await codeOf(flipped), await codeOf(whole.slice(0, at)));
    }
    return codes;
  });
  assert.ok(codes.length >= 80);
  for (const code of codes) assert.match(code, /^filter-(magic|version|length|field|checksum|canary)$/);
});

test("openGate says what can't be had, and a failure isn't kept", async () => {
  const errors = await page.evaluate(async () => {
    const errorOf = (options) =>
      window.openGate({ filters: ["/samples/demo.hgf"], ...options }).then(
        () => "opened",
        (error) => [error.name, error.code, error.got, error.url && new URL(error.url).pathname],
      );
    return {
      missing: await errorOf({ filters: ["/missing.hgf"] }),
      truncated: (await errorOf({ filters: ["/truncated.hgf"] })).slice(0, 2),
      large: await errorOf({ maxFilterBytes: 10 }),
      wasm: (await errorOf({ wasmUrl: "/missing.wasm" })).slice(0, 2),
      worker: (await errorOf({ workerUrl: "/missing.js" })).slice(0, 2),
      none: (await errorOf({ filters: [] })).slice(0, 2),
      after: await errorOf({}),
    };
  });
  assert.deepEqual(errors.missing, ["GateError", "filter-unavailable", "HTTP status 404", "/missing.hgf"]);
  assert.deepEqual(errors.truncated, ["GateError", "filter-length"]);
  assert.deepEqual(errors.large, ["GateError", "filter-too-large", `${filter.length} bytes`, "/samples/demo.hgf"]);
  assert.deepEqual(errors.wasm, ["GateError", "engine-unavailable"]);
  assert.deepEqual(errors.worker, ["GateError", "worker-unavailable"]);
  assert.deepEqual(errors.none, ["GateError", "invalid-options"]);
  assert.equal(errors.after, "opened");
});

test("a closed gate rejects, and leaves no worker", async () => {
  const codes = await page.evaluate(async () => {
    const gate = await window.openGate({ filters: ["/samples/demo.hgf"] });
    const pending = gate.check(await window.file("/samples/listed/listed-0.jpg")).catch((error) => error.code);
    gate.close();
    return [await pending, await gate.check(new Uint8Array(1)).catch((error) => error.code)];
  });
  assert.deepEqual(codes, ["closed", "closed"]);
});

test("the page's thread stays free while ten 12-megapixel pictures are checked", async () => {
  await page.evaluate(() => {
    window.longest = async (gate) => {
      const canvas = new OffscreenCanvas(4000, 3000);
      const context = canvas.getContext("2d");
      const picture = await createImageBitmap(await window.file("/samples/clean/clean-1.jpg"));
      const files = [];
      for (let index = 0; index < 10; index++) {
        context.drawImage(picture, -index * 20, 0, 4400, 3000);
        files.push(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 }));
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      const tasks = [];
      const observer = new PerformanceObserver((list) =>
        tasks.push(...list.getEntries().map((entry) => entry.duration)),
      );
      observer.observe({ type: "longtask", buffered: false });
      const verdicts = await Promise.all(files.map((file) => gate.check(file)));
      await new Promise((resolve) => setTimeout(resolve, 300));
      tasks.push(...observer.takeRecords().map((entry) => entry.duration));
      return { tasks, outcomes: verdicts.map(({ outcome }) => outcome), width: verdicts[0].width };
    };
  });
  const { tasks, outcomes, width } = await withGate({}, "longest");
  assert.equal(width, 4000);
  assert.equal(outcomes.length, 10);
  for (const outcome of outcomes) assert.notEqual(outcome, "unchecked");
  // Browsers report only tasks of at least 50 ms. The gate must not have caused any in the page.
  assert.deepEqual(tasks, []);
});
