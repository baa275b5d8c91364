// Gates in unusual pages (with Trusted Types, prerendered, with storage that never answers), with unusual answers of
// servers, and with files that need not be read completely.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openGate } from "hashgate";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { png } from "../../scripts/png.mjs";
import { CHROMIUM } from "./chromium.mjs";
import { CSP, serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>hashgate</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
window.violations = [];
addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
Object.assign(window, { openGate, ready: true });`;
/**
 * A page that has the browser prerender the next page, and the script of that next page, which doesn't wait for its
 * gate.
 */
const SPECULATING = `<!doctype html><meta charset="utf-8"><title>hashgate</title><a href="/prerendered.html">next</a>
<script type="speculationrules">{ "prerender": [{ "urls": ["/prerendered.html"], "eagerness": "immediate" }] }</script>`;
const PRERENDERED = `import { openGate } from "/hashgate/index.js";
import { guard } from "/hashgate/guard.js";
window.began = document.prerendering;
window.gate = openGate({ filters: ["/samples/demo.hgf"], workers: 1 });
guard(document, window.gate);
await fetch("/began");`;
const TRUST = { keys: [readFileSync("target/samples/list.pub", "utf8").trim()] };
const FOLLOW = { source: "/samples/list/manifest.txt", trust: TRUST, whenUnavailable: "block", warmUp: false };
const [, NAME] = /^name (.*)$/m.exec(readFileSync("target/samples/list/manifest.txt", "utf8")) ?? [];

/**
 * Code for workers that makes IndexedDB hang: `open` never opens the database, `get` leaves requests without an answer.
 */
const SILENT = "{ addEventListener() {}, removeEventListener() {} }";
const HANGING = {
  open: `indexedDB.open = () => Object.setPrototypeOf(${SILENT}, IDBOpenDBRequest.prototype);`,
  get: `IDBObjectStore.prototype.get = () => Object.setPrototypeOf(${SILENT}, IDBRequest.prototype);`,
};

/** Builds a filter of one PDQ hash and no digests. */
function pdqFilter() {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  try {
    writeFileSync(join(folder, "list.txt"), `${"0f".repeat(32)}\n`);
    const args = ["build", join(folder, "list.txt"), "--type", "pdq", "--name", "one", "--category", "drawn"];
    execFileSync("target/debug/hashgate", [...args, "--out", join(folder, "one.hgf")]);
    return Uint8Array.from(readFileSync(join(folder, "one.hgf")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let server;
let browser;
before(async () => {
  const html = "text/html; charset=utf-8";
  const script = "text/javascript";
  const trusting = `${CSP}; require-trusted-types-for 'script'; trusted-types hashgate`.replace(
    "worker-src 'self'",
    "worker-src 'self' blob:",
  );
  const other = trusting.replace("trusted-types hashgate", "trusted-types another");
  const any = trusting.replace("; trusted-types hashgate", "");
  const speculating = CSP.replace("script-src 'self'", "script-src 'self' 'inline-speculation-rules'");
  const inline = SCRIPT.replace("index.js", "inline.js");
  server = await serve({
    extra: {
      "/pdq.hgf": { body: pdqFilter() },
      "/page.html": { body: PAGE, type: html },
      "/trusting.html": { body: PAGE, type: html, csp: trusting },
      "/untrusting.html": { body: PAGE, type: html, csp: other },
      "/any.html": { body: PAGE, type: html, csp: any },
      "/speculating.html": { body: SPECULATING, type: html, csp: speculating },
      "/prerendered.html": { body: PAGE.replace("page.js", "prerendered.js"), type: html },
      "/prerendered.js": { body: PRERENDERED, type: script },
      "/began": { body: "" },
      "/inline.html": { body: PAGE.replace("page.js", "inline.js"), type: html, csp: trusting },
      "/page.js": { body: SCRIPT, type: script },
      "/inline.js": { body: inline, type: script },
      ...Object.fromEntries(
        Object.entries(HANGING).flatMap(([name, body]) => [
          [`/worker-${name}.js`, { body: `import "/hang-${name}.js"; import "/hashgate/worker.js";`, type: script }],
          [`/hang-${name}.js`, { body, type: script }],
        ]),
      ),
    },
  });
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

async function opened(context, path) {
  const page = await browser.newPage();
  context.after(() => page.close());
  await page.goto(`${server.url}${path}`);
  await page.waitForFunction(() => window.ready);
  return page;
}

test("the worker starts where the page requires trusted types and allows the policy hashgate", async (context) => {
  // A page with Trusted Types refuses a worker's plain URL, the form that bundlers know. The browser reports that once
  // per worker; then the package uses a URL that its policy has approved.
  const refused = Array(2).fill("require-trusted-types-for");
  for (const [path, options, violations] of [
    ["/trusting.html", {}, refused],
    ["/trusting.html", { workerUrl: "/hashgate/worker.js" }, []],
    ["/inline.html", {}, []],
  ]) {
    const page = await opened(context, path);
    const seen = await page.evaluate(async (options) => {
      const gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 1, ...options });
      const { outcome } = await gate.check(await (await fetch("/samples/listed/listed-0.jpg")).blob());
      gate.close();
      return { outcome, violations: window.violations };
    }, options);
    assert.deepEqual(seen, { outcome: "possible-match", violations }, path);
  }
});

test("a page that requires trusted types and allows another policy alone is told what it lacks", async (context) => {
  for (const path of ["/untrusting.html", "/any.html"]) {
    const page = await opened(context, path);
    const seen = await page.evaluate(async () => {
      const gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 1 }).catch((error) => error);
      if (gate instanceof Error) return { code: gate.code, message: gate.message };
      const { outcome } = await gate.check(await (await fetch("/samples/listed/listed-0.jpg")).blob());
      gate.close();
      return { outcome };
    });
    // If the page allows all policy names, the worker starts. Otherwise opening the gate fails, and the error names the
    // setting.
    if (path === "/any.html") assert.deepEqual(seen, { outcome: "possible-match" });
    else assert.equal(seen.code, "worker-unavailable");
    if (path !== "/any.html") assert.match(seen.message, /TrustedScriptURL.*"trusted-types hashgate"/);
  }
});

test("a page that Chromium prerenders loads nothing for its gate until it is shown, and complains of nothing", async (context) => {
  // Uses Puppeteer, because Playwright starts browsers with prerendering switched off.
  const { executablePath, args } = CHROMIUM;
  const prerendering = await puppeteer.launch({ executablePath, args, headless: true });
  context.after(() => prerendering.close());
  const page = await prerendering.newPage();
  const said = [];
  // Ignores Chromium's message that the page has no icon.
  page.on("console", (message) => /favicon/.test(message.location().url) || said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  const from = server.requests.length;
  const requests = () => server.requests.slice(from);
  await page.goto(`${server.url}/speculating.html`);
  for (let wait = 0; wait < 200 && !requests().includes("GET /began"); wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(requests().includes("GET /began"), requests().join());
  await new Promise((resolve) => setTimeout(resolve, 300));
  const early = requests().filter((request) => /worker|wasm|hgf/.test(request));
  assert.deepEqual(early, []);
  await Promise.all([page.waitForNavigation(), page.click("a")]);
  const seen = await page.evaluate(async () => {
    const gate = await window.gate;
    const { outcome } = await gate.check(await (await fetch("/samples/listed/listed-0.jpg")).blob());
    return { began: window.began, outcome };
  });
  assert.deepEqual(seen, { began: true, outcome: "possible-match" });
  assert.ok(requests().filter((request) => request === "GET /prerendered.html").length === 1, "it was loaded again");
  assert.deepEqual(said, []);
});

test("a page that is prerendered opens its gate when it is shown", async (context) => {
  const page = await opened(context, "/page.html");
  const seen = await page.evaluate(async () => {
    Object.defineProperty(document, "prerendering", { value: true, configurable: true });
    const before = performance.getEntriesByType("resource").length;
    const opening = window.openGate({ filters: ["/samples/demo.hgf"], warmUp: false });
    const aborted = new AbortController();
    const ended = window.openGate({ filters: ["/samples/demo.hgf"], signal: aborted.signal }).catch(({ name }) => name);
    aborted.abort();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const requests = performance.getEntriesByType("resource").length - before;
    document.dispatchEvent(new Event("prerenderingchange"));
    const gate = await opening;
    const filters = gate.filters.length;
    gate.close();
    return { requests, filters, ended: await ended };
  });
  assert.deepEqual(seen, { requests: 0, filters: 1, ended: "AbortError" });
});

test("a worker whose script is never answered is started again", async (context) => {
  const page = await browser.newPage();
  context.after(() => page.close());
  let asked = 0;
  // Leaves the first request of the worker's script without an answer, as Firefox does if a form begins to navigate
  // while the script is loading.
  await page.route("**/hashgate/worker.js", (route) => {
    asked += 1;
    if (asked > 1) return route.continue();
  });
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  const outcome = await page.evaluate(async () => {
    const gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 1, warmUp: false });
    const file = await (await fetch("/samples/listed/listed-0.jpg")).blob();
    return (await gate.check(file)).outcome;
  });
  assert.equal(outcome, "possible-match");
  assert.equal(asked, 3, "the lookup worker's script twice, the hashing worker's once");
});

test("storage that never answers makes a gate keep its list in memory", async (context) => {
  for (const [name, message] of [
    ["open", "Silent: IndexedDB didn't open within 3000 ms"],
    ["get", "Silent: IndexedDB didn't answer within 10000 ms"],
  ]) {
    const page = await opened(context, "/page.html");
    const seen = await page.evaluate(
      async (options) => {
        const start = performance.now();
        const gate = await window.openGate(options);
        const seconds = (performance.now() - start) / 1000;
        const { outcome } = await gate.check(await (await fetch("/samples/listed/listed-0.jpg")).blob());
        const { state, storage } = gate.status();
        gate.close();
        return { seconds, outcome, state, storage };
      },
      { ...FOLLOW, workerUrl: `/worker-${name}.js` },
    );
    const { seconds, ...rest } = seen;
    const problem = { reason: "unavailable", message };
    assert.deepEqual(rest, { outcome: "possible-match", state: "current", storage: { kind: "memory", problem } });
    assert.ok(seconds < 30, `${name}: ${seconds} s`);
  }
});

test("another list that the same key signed is refused", async () => {
  const options = { ...FOLLOW, source: "target/samples/list/manifest.txt" };
  const status = async (list) => {
    const gate = await openGate({ ...options, trust: { ...TRUST, list } });
    const { state, lastError } = gate.status();
    gate.close();
    return [state, lastError?.code];
  };
  assert.deepEqual(await status({ name: NAME }), ["current", undefined]);
  assert.deepEqual(await status({ name: `${NAME}.` }), ["none", "manifest-wrong-list"]);
  assert.deepEqual(await status({ name: NAME, category: "another" }), ["none", "manifest-wrong-list"]);
  for (const list of ["demo", {}, { name: "" }, { name: NAME, category: 7 }, null]) {
    await assert.rejects(status(list), { code: "invalid-options" }, JSON.stringify(list));
  }
});

test("after a candidate that isn't listed, the lookup goes on", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const side = 256;
  const shade = (x, y) => {
    const wave = (angle, length) => Math.sin((x * Math.cos(angle) + y * Math.sin(angle)) / length);
    return 128 + 50 * wave(0.4, 17) + 40 * wave(1.9, 11) + 30 * wave(2.7, 23);
  };
  const drawing = (turned) =>
    png(side, side, "rgb", 6, (row, y) => {
      for (let x = 0; x < side; x += 1) row.fill(turned ? shade(y, side - 1 - x) : shade(x, y), 3 * x, 3 * x + 3);
    });
  const hashes = [false, true].map((turned) => {
    writeFileSync(join(folder, "a.png"), drawing(turned));
    return /[0-9a-f]{64}/.exec(
      execFileSync("target/debug/hashgate", ["hash", join(folder, "a.png")], { encoding: "utf8" }),
    )[0];
  });
  writeFileSync(join(folder, "list.txt"), `${hashes.join("\n")}\n`);
  const args = ["build", join(folder, "list.txt"), "--type", "pdq", "--name", "two", "--category", "drawn"];
  execFileSync("target/debug/hashgate", [...args, "--out", join(folder, "two.hgf")]);
  const asked = [];
  const answers = { first: "not-listed", others: "listed" };
  const confirm = async ({ orientation }) => {
    asked.push(orientation);
    return orientation === "original" ? answers.first : answers.others;
  };
  const gate = await openGate({ filters: [join(folder, "two.hgf")], workers: 1, confirm });
  const matched = await gate.check(drawing(false));
  assert.equal(matched.outcome, "match", JSON.stringify(matched));
  assert.equal(asked[0], "original");
  assert.equal(matched.matches[0].orientation, asked.at(-1));
  assert.notEqual(asked.at(-1), "original");

  asked.length = 0;
  answers.others = "not-listed";
  const clear = await gate.check(drawing(false));
  assert.deepEqual([clear.outcome, clear.confirmedBy], ["clear", "host"], JSON.stringify(clear));
  assert.ok(asked.length >= 2);
  assert.deepEqual(
    clear.matches.map(({ orientation }) => orientation),
    asked,
  );
  assert.ok(clear.lookups > matched.lookups);

  asked.length = 0;
  answers.others = "unknown";
  const open = await gate.check(drawing(false));
  assert.deepEqual([open.outcome, open.confirmation], ["possible-match", "unknown"]);
  gate.close();
});

test("the first bytes tell that a file is a film, however large it is", async (context) => {
  const page = await opened(context, "/page.html");
  const seen = await page.evaluate(async () => {
    const part = new Uint8Array(4 << 20);
    const film = new Uint8Array(64 << 10);
    film.set([0, 0, 0, 24, ...new TextEncoder().encode("ftypisom")]);
    const picture = Uint8Array.of(255, 216, 255, 224);
    const of = (head) => new File([head, ...Array(75).fill(part)], "large");
    const reasons = [];
    for (const filter of ["/pdq.hgf", "/samples/demo.hgf"]) {
      const gate = await window.openGate({ filters: [filter], workers: 1 });
      for (const head of [film, picture]) reasons.push((await gate.check(of(head))).reason);
      gate.close();
    }
    return reasons;
  });
  // The size limit doesn't apply to films. This film is `unreadable` because it has no index.
  assert.deepEqual(seen, ["unreadable", "too-large", "unreadable", "too-large"]);
});

test("in Node, files that wait for a worker are not held in memory", async () => {
  const gate = await openGate({ filters: [pdqFilter()], workers: 2 });
  // The picture is followed by zeros up to 8 MiB, which the decoder ignores.
  const size = 8 << 20;
  const picture = readFileSync("target/samples/clean/clean-1.jpg");
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const check = async () => {
    const arrayBuffer = async () => {
      const bytes = new Uint8Array(size);
      bytes.set(picture);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      return bytes.buffer;
    };
    return (await gate.check({ size, arrayBuffer })).outcome;
  };
  const outcomes = await Promise.all(Array.from({ length: 40 }, check));
  assert.deepEqual(new Set(outcomes), new Set(["clear"]));
  // Garbage is collected late. So the test only demands that the files are never all in memory: at most half of their
  // bytes.
  assert.ok(most < 20 * size, `${most / size} files at once`);

  // The gate reads only the first bytes of a film.
  const film = new Uint8Array(1 << 20);
  film.set(Buffer.from("\0\0\0\x18ftypisom", "latin1"));
  const parts = [];
  const large = {
    size: film.length,
    slice: (from, to) => {
      parts.push([from, to]);
      return new Blob([film.subarray(from, to)]);
    },
    arrayBuffer: () => assert.fail("all of it was read"),
  };
  assert.equal((await gate.check(large)).reason, "unsupported-film");
  assert.deepEqual(parts, [[0, 65_536]]);
  gate.close();
});

test("a gate for the browser alone is not opened where a framework renders pages", async () => {
  const script = `import { openGate } from "hashgate";
    openGate({ filters: ["/missing.hgf"], browserOnly: true }).then(() => console.log("open"));
    console.log("rendered");`;
  assert.equal(
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }),
    "rendered\n",
  );
});
