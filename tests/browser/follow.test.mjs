// Tests in Chromium how a gate follows a published list: it stores and refreshes the list, and a misbehaving server
// can't replace the list by something else.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { answer, cosign, faults, keygen, Lists, listedRows, numberedRows, publish } from "./lists.mjs";
import { serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>hashgate</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
window.openGate = openGate;
window.gates = {};
window.arrived = {};
window.open = async (name, options) => {
  const onProgress = ({ loaded }) => { window.arrived[name] = loaded; };
  window.gates[name] = await openGate({ onProgress, source: "/lists/" + name + "/manifest.txt", whenUnavailable: "block", workers: 1, ...options });
  return window.gates[name].status();
};
window.check = async (name, text) => {
  const { outcome, reason, matches, list, whenUnavailable } = await window.gates[name].check(new TextEncoder().encode(text));
  return { outcome, reason, release: matches?.[0].release, list, whenUnavailable };
};
window.ready = true;`;

// The lists hold digests of short texts, because a check of a text takes hardly any time.
const rowOf = (text) => `${createHash("sha256").update(text).digest("hex")},sha256`;
const OLD = "listed in every release";
const NEW = "listed since release 2";

let folder;
let key;
let other;
let server;
let browser;
const lists = new Lists();
/** Additional answers of the server. Tests add to them. */
const extra = {
  "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
  "/page.js": { body: SCRIPT, type: "text/javascript" },
};

/** Publishes a list in a folder of its own: release 1, and release 2 with more entries. */
function twoReleases(name, { rows = [], grown = [] } = {}, signer = key) {
  const path = join(folder, name);
  publish(path, signer, [...listedRows(), ...rows, rowOf(OLD)]);
  publish(path, signer, [...listedRows(), ...rows, ...grown, rowOf(OLD), rowOf(NEW)]);
  return path;
}

/**
 * Returns the CLI options for a manifest that is issued `seconds` from now (negative: in the past) and valid for an
 * hour.
 */
const issued = (seconds) => ["--issued", String(Math.floor(Date.now() / 1000) + seconds), "--expires", "1h"];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  key = keygen(folder, "curator");
  other = keygen(folder, "stranger");
  server = await serve({ handle: lists.handle, extra });
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function newPage(context = undefined) {
  const page = await (context ?? (await browser.newContext())).newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  return page;
}
const open = (page, name, options = {}) =>
  page.evaluate(([name, options]) => window.open(name, options), [name, { trust: { keys: [key.trust] }, ...options }]);
const refresh = (page, name) => page.evaluate((name) => window.gates[name].refresh(), name);
const check = (page, name, text) => page.evaluate(([name, text]) => window.check(name, text), [name, text]);

/** Asserts that the gate answers from `release`: `NEW` is listed since release 2 only. */
async function assertAnswers(page, name, release) {
  const listed = await check(page, name, OLD);
  assert.deepEqual([listed.outcome, listed.release, listed.list.state], ["possible-match", release, "current"], name);
  const since2 = await check(page, name, NEW);
  assert.equal(since2.outcome, release === 1 ? "unchecked" : "possible-match", name);
  if (release === 1) assert.equal(since2.reason, "not-a-picture", name);
}

test("a server that misbehaves: each fault has its code, none its way, and a good answer heals it", async (context) => {
  const folders = { manifest: twoReleases("faulty-delta"), delta: join(folder, "faulty-delta") };
  // Release 2 gets so many more hashes that its filter has another size, for which no delta can be made.
  folders.full = twoReleases("faulty-full", { grown: numberedRows(400) });
  const page = await newPage();
  const sizeOf = { delta: /^delta 1 \S+ (\d+)/m, full: /^full \S+ (\d+)/m };
  const jobs = Object.entries(folders).flatMap(([on, path]) => {
    const manifest = readFileSync(join(path, "manifest.txt"), "utf8");
    const size = on === "manifest" ? manifest.length : Number(sizeOf[on].exec(manifest)[1]);
    return Object.entries(faults(size)).map(([name, [codes, act]]) => ({ on, path, name, codes, act }));
  });

  const scenario = async ({ on, path, name, codes, act }, index) => {
    const site = `fault-${index}`;
    const what = `${on}: ${name}`;
    const state = lists.add(site, path, 1);
    const opened = await open(page, site, { timeoutMs: 6000, refreshIntervalMs: 2 ** 31 });
    assert.deepEqual([opened.state, opened.release, opened.lastError], ["current", 1, undefined], what);
    Object.assign(state, { release: 2, fault: { on, act } });
    const faulty = await refresh(page, site);
    const code = codes[on === "manifest" ? 0 : 1];
    if (code === undefined) assert.equal(faulty.lastError, undefined, what);
    else assert.match(faulty.lastError?.code ?? "none", code instanceof RegExp ? code : new RegExp(`^${code}$`), what);
    // If only the delta is faulty, the gate downloads the full file instead. After any other fault, it keeps the last
    // good release.
    const stays = on === "delta" ? false : code !== undefined || name.startsWith("304");
    const release = stays ? 1 : 2;
    const outcome = !stays ? "updated" : code === undefined ? "unchanged" : "failed";
    assert.deepEqual([faulty.state, faulty.release, faulty.lastRefresh.outcome], ["current", release, outcome], what);
    if (on === "delta") assert.equal(faulty.lastRefresh.by, code === undefined ? "delta" : "full", what);
    await assertAnswers(page, site, release);

    state.fault = undefined;
    const healed = await refresh(page, site);
    assert.deepEqual([healed.state, healed.release, healed.lastError], ["current", 2, undefined], what);
    await assertAnswers(page, site, 2);
    await page.evaluate((site) => window.gates[site].close(), site);
  };
  const waiting = [...jobs.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await scenario(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  assert.ok(jobs.length > 150);
  context.diagnostic(`${jobs.length} faults: ${Object.keys(folders).length} kinds of file, ${jobs.length / 3} each`);
});

test("releases that a server may not hand out: each refused with its code, and the last good one kept", async (context) => {
  const good = twoReleases("good");
  const foreign = twoReleases("foreign", {}, other);
  const page = await newPage();
  const manifestOf = (path, release) => readFileSync(join(path, `manifest-${release}.txt`));
  const instead = (body) => ({ on: "manifest", act: (request, response) => answer(request, response, text(body)) });
  const text = (body) => ({ body, etag: `"${createHash("sha256").update(body).digest("hex")}"`, type: "text/plain" });

  const renamed = join(folder, "renamed");
  for (const rows of [[rowOf(OLD)], [rowOf(OLD), rowOf(NEW)], [rowOf(NEW)]]) {
    publish(renamed, key, rows, { name: "Another list" });
  }
  // The same curator has published two different releases with the number 2.
  const forked = twoReleases("forked", { rows: numberedRows(1) });
  const expired = join(folder, "expired");
  publish(expired, key, [rowOf(OLD)], { more: issued(-7200) });
  const early = join(folder, "early");
  publish(early, key, [rowOf(OLD)], { more: issued(2 * 86_400) });

  const tried = [];
  const refuse = async (name, code, fault, { release = 2 } = {}) => {
    const site = `refused-${tried.length}`;
    const state = lists.add(site, good, release);
    const before = await open(page, site);
    assert.equal(before.release, release, name);
    Object.assign(state, { release: 2, fault });
    const status = await refresh(page, site);
    assert.equal(status.lastError?.code, code, `${name}: ${JSON.stringify(status)}`);
    assert.deepEqual([status.state, status.release], ["current", release], name);
    await assertAnswers(page, site, release);
    state.fault = undefined;
    const healed = await refresh(page, site);
    assert.deepEqual([healed.state, healed.release, healed.lastError], ["current", 2, undefined], name);
    await page.evaluate((site) => window.gates[site].close(), site);
    tried.push(name);
  };
  await refuse("an old release", "manifest-rollback", instead(manifestOf(good, 1)));
  await refuse("an expired manifest", "manifest-rollback", instead(manifestOf(expired, 1)));
  await refuse("an expired manifest", "manifest-expired", instead(manifestOf(expired, 1)), { release: 1 });
  const tooEarly = instead(manifestOf(early, 1));
  await refuse("a manifest of the day after tomorrow", "manifest-not-yet-valid", tooEarly, { release: 1 });
  await refuse("someone else's signature", "manifest-wrong-key", instead(manifestOf(foreign, 2)));
  await refuse("another list of the same curator", "manifest-name", instead(manifestOf(renamed, 3)));
  await refuse("another release 2", "manifest-conflict", instead(manifestOf(forked, 2)));
  const nameOf = (path, release) => /^full (\S+)/m.exec(manifestOf(path, release))[1];
  const mixed = (path, release) => (request, response) =>
    answer(request, response, text(readFileSync(join(path, nameOf(path, release)))));
  const swapped = lists.add("swapped", good, 1);
  await open(page, "swapped");
  // The server sends another file in place of the delta and the full file: first that of another release, then that of
  // another list.
  for (const [path, release] of [
    [good, 1],
    [renamed, 3],
  ]) {
    Object.assign(swapped, { release: 2, fault: { on: ["delta", "full"], act: mixed(path, release) } });
    const status = await refresh(page, "swapped");
    assert.match(status.lastError.code, /^release-(length|digest)$/);
    assert.deepEqual([status.state, status.release], ["current", 1]);
    tried.push("swapped files");
  }
  swapped.fault = undefined;
  assert.equal((await refresh(page, "swapped")).release, 2);

  // The threshold is two keys, so one signature isn't enough. The manifest is accepted once the second key has signed
  // it.
  const cosigned = lists.add("cosigned", good, 2);
  const both = { trust: { keys: [key.trust, other.trust], threshold: 2 } };
  const few = await open(page, "cosigned", both);
  assert.deepEqual([few.state, few.lastError.code], ["none", "manifest-too-few-signatures"]);
  assert.deepEqual(await check(page, "cosigned", OLD), {
    outcome: "unchecked",
    reason: "unavailable",
    release: undefined,
    list: { state: "none", error: "manifest-too-few-signatures" },
    whenUnavailable: "block",
  });
  tried.push("too few signatures");
  const copy = join(good, "cosigned.txt");
  writeFileSync(copy, manifestOf(good, 2));
  cosign(copy, other);
  cosigned.fault = instead(readFileSync(copy));
  const enough = await refresh(page, "cosigned");
  assert.deepEqual([enough.state, enough.release, enough.signedBy.length], ["current", 2, 2]);
  context.diagnostic(`${tried.length} refused: ${tried.join(", ")}`);
});

/** Deletes a list from the browser's storage, as a browser may do, except the kinds of records in `keep`. */
const forget = (page, keep) =>
  page.evaluate(
    (keep) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("hashgate");
        request.onerror = reject;
        request.onsuccess = () => {
          const store = request.result.transaction("lists", "readwrite").objectStore("lists");
          store.getAllKeys().onsuccess = (event) => {
            for (const entry of event.target.result) if (!keep.includes(entry[0])) store.delete(entry);
          };
          store.transaction.oncomplete = () => {
            request.result.close();
            resolve();
          };
        };
      }),
    keep,
  );
/** A fault that makes the list's server drop all requests. The page's server still answers. */
const down = { on: ["manifest", "full", "delta"], act: (request) => request.socket.destroy() };

test("a reload without a network; a damaged, a lost and an evicted storage", async () => {
  const good = twoReleases("kept");
  const context = await browser.newContext();
  const page = await newPage(context);
  const state = lists.add("kept", good, 2);
  const first = await open(page, "kept");
  assert.deepEqual([first.from, first.storage], ["network", { kind: "indexeddb" }]);
  assert.ok(first.entries === listedRows().length + 2 && first.bytes > 0 && first.expiresUnixS > first.issuedUnixS);

  const reopen = async (options) => {
    await page.reload();
    await page.waitForFunction(() => window.ready);
    return open(page, "kept", options);
  };
  state.fault = down;
  const offline = await reopen();
  assert.deepEqual(
    [offline.state, offline.release, offline.from, offline.lastError],
    ["current", 2, "storage", undefined],
  );
  await assertAnswers(page, "kept", 2);
  const tried = await refresh(page, "kept");
  assert.deepEqual(
    [tried.state, tried.lastError.code, tried.lastRefresh.outcome],
    ["current", "manifest-unavailable", "failed"],
  );
  await assertAnswers(page, "kept", 2);
  // The host trusts other keys than before, as after a key rotation. The stored list is not accepted.
  const rotated = await reopen({ trust: { keys: [other.trust] } });
  assert.equal(rotated.state, "none");

  // Flips one bit of the stored file.
  const damage = (page) =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          const request = indexedDB.open("hashgate");
          request.onsuccess = () => {
            const store = request.result.transaction("lists", "readwrite").objectStore("lists");
            store.openCursor().onsuccess = (event) => {
              const cursor = event.target.result;
              if (!cursor) return;
              if (cursor.key[0] === "file") {
                cursor.value[cursor.value.length >> 1] ^= 1;
                cursor.update(cursor.value);
              }
              cursor.continue();
            };
            store.transaction.oncomplete = () => {
              request.result.close();
              resolve();
            };
          };
        }),
    );
  await damage(page);
  const damaged = await reopen({ whenUnavailable: "allow" });
  assert.deepEqual([damaged.state, damaged.lastError.code], ["none", "manifest-unavailable"]);
  const verdict = await check(page, "kept", OLD);
  assert.deepEqual([verdict.outcome, verdict.reason, verdict.whenUnavailable], ["unchecked", "unavailable", "allow"]);
  state.fault = undefined;
  assert.equal((await refresh(page, "kept")).state, "current");
  await assertAnswers(page, "kept", 2);

  // The list's file is deleted, but the record of the highest release seen is kept, so release 1 is still refused.
  await forget(page, ["highest"]);
  state.release = 1;
  const back = await reopen();
  assert.deepEqual([back.state, back.lastError.code, back.highestRelease], ["none", "manifest-rollback", 2]);
  state.release = 2;
  assert.equal((await refresh(page, "kept")).release, 2);

  // The browser evicts the storage while the gate is open.
  await forget(page, []);
  const evicted = await refresh(page, "kept");
  assert.deepEqual(
    [evicted.state, evicted.storage.kind, evicted.storage.problem.reason],
    ["current", "memory", "evicted"],
  );
  await assertAnswers(page, "kept", 2);

  await context.close();
});

test("no room in storage: from memory, and it says so", async () => {
  const path = join(folder, "roomy");
  publish(path, key, [...numberedRows(20_000), rowOf(OLD)]);
  lists.add("roomy", path, 1);
  const context = await browser.newContext();
  const page = await newPage(context);
  const session = await context.newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: server.url, quotaSize: 10_000 });
  const full = await open(page, "roomy");
  assert.deepEqual(
    [full.state, full.storage.kind, full.storage.problem?.reason],
    ["current", "memory", "quota-exceeded"],
  );
  await assertAnswers(page, "roomy", 1);
  await session.send("Storage.overrideQuotaForOrigin", { origin: server.url });
  await context.close();
});

test("without IndexedDB, locks and channels, as in a sandboxed frame: from memory, delta and all", async () => {
  const good = twoReleases("sandboxed");
  const state = lists.add("sandboxed", good, 1);
  const page = await newPage();
  const bare = `for (const name of ["indexedDB", "BroadcastChannel"]) Object.defineProperty(self, name, { value: undefined });
    Object.defineProperty(self.navigator, "locks", { value: undefined });
    ${readFileSync("dist/worker.js", "utf8")}`;
  extra["/bare-worker.js"] = { body: bare, type: "text/javascript" };
  const opened = await open(page, "sandboxed", { workerUrl: "/bare-worker.js" });
  assert.deepEqual(
    [opened.state, opened.storage.kind, opened.storage.problem.reason],
    ["current", "memory", "unavailable"],
  );
  state.release = 2;
  const updated = await refresh(page, "sandboxed");
  assert.deepEqual([updated.release, updated.lastRefresh.by], [2, "delta"]);
  await assertAnswers(page, "sandboxed", 2);
});

test("a download that breaks off goes on where it was, also in another visit, with real progress", async () => {
  const path = join(folder, "large");
  publish(path, key, [...numberedRows(150_000), rowOf(OLD)]);
  const manifest = readFileSync(join(path, "manifest.txt"), "utf8");
  const size = Number(/^full \S+ (\d+)/m.exec(manifest)[1]);
  const state = lists.add("large", path, 1);
  /**
   * Sends `length` bytes of the file, and breaks the connection once the page has received them. (Bytes still under way
   * at the break would be lost.)
   */
  const broken = async (page, name, length, rest) => {
    let asked = 0;
    let end;
    lists.sites.get(name).fault = {
      on: "full",
      act: (request, response, good) => {
        asked += 1;
        if (asked > 1) return rest(request, response, good, asked);
        response.writeHead(200, { "content-length": good.body.length, etag: good.etag });
        response.write(good.body.subarray(0, length));
        end = () => response.destroy();
      },
    };
    const opening = open(page, name);
    await page.waitForFunction(([name, length]) => window.arrived[name] >= length, [name, length]);
    end();
    return { status: await opening, asked };
  };
  const sent = Math.floor(size * 0.6);
  const page = await newPage();
  const { status: cut } = await broken(page, "large", sent, (request) => request.socket.destroy());
  assert.deepEqual([cut.state, cut.lastError.code], ["none", "release-unavailable"]);
  // Reloads the page, as a later visit of the person would.
  await page.reload();
  await page.waitForFunction(() => window.ready);
  state.fault = undefined;
  lists.requests.length = 0;
  const { status, progress } = await page.evaluate(
    async (keys) => {
      const progress = [];
      const status = await window.open("large", { trust: { keys }, onProgress: (step) => progress.push(step) });
      return { status, progress };
    },
    [key.trust],
  );
  assert.deepEqual([status.state, status.release, status.lastError], ["current", 1, undefined]);
  const [request] = lists.requests.filter(({ kind }) => kind === "full");
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range)[1]);
  assert.equal(from, sent);
  assert.ok(request.headers["if-range"], "only if the file is the same");
  assert.ok(status.lastRefresh.bytes < size - from + 10_000, "what was there wasn't loaded again");
  assert.equal(progress[0].loaded, from);
  assert.deepEqual(progress.at(-1).loaded, size);
  for (const [index, step] of progress.entries()) {
    assert.equal(step.total, size);
    assert.ok(index === 0 || step.loaded >= progress[index - 1].loaded);
  }
  await assertAnswers(page, "large", 1);

  // Breaks the download within one visit, which then continues. In the second case, the second part doesn't belong to
  // the first one: the gate downloads the whole file again.
  for (const [name, second] of [
    ["breaks", (body) => body],
    ["misfits", (body) => Buffer.alloc(body.length, 1)],
  ]) {
    lists.add(name, path, 1);
    const { status, asked } = await broken(page, name, size >> 1, (request, response, good, nth) =>
      answer(request, response, nth === 2 ? { ...good, body: second(good.body) } : good),
    );
    assert.deepEqual([status.state, status.lastError], ["current", undefined], name);
    assert.equal(asked, name === "breaks" ? 2 : 3, name);
  }
});

test("conditional requests, and no answer from the browser's cache", async () => {
  const good = twoReleases("cached");
  const state = lists.add("cached", good, 1);
  const immortal = { "cache-control": "public, max-age=31536000, immutable" };
  state.fault = { on: "manifest", act: (request, response, good) => answer(request, response, good, immortal) };
  const page = await newPage();
  await open(page, "cached");
  lists.requests.length = 0;
  const same = await refresh(page, "cached");
  assert.equal(same.lastRefresh.outcome, "unchanged");
  assert.equal(same.lastRefresh.bytes, 0);
  assert.ok(lists.requests[0].headers["if-none-match"]);
  state.release = 2;
  assert.equal((await refresh(page, "cached")).release, 2);
});

test("a refresh in the background, which ends with the gate", async () => {
  const state = lists.add("background", twoReleases("background"), 1);
  const page = await newPage();
  const before = await open(page, "background", { refreshIntervalMs: 200 });
  assert.ok(before.nextRefreshUnixS >= before.lastRefresh.atUnixS);
  state.release = 2;
  const after = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const gate = window.gates.background;
        const done = () => gate.status().release === 2 && resolve(gate.status());
        gate.addEventListener("statechange", done);
        done();
      }),
  );
  assert.deepEqual([after.from, after.lastError], ["network", undefined]);
  await page.evaluate(() => window.gates.background.close());
  await new Promise((resolve) => setTimeout(resolve, 1000));
  lists.requests.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.deepEqual(lists.requests, []);
  assert.equal(await page.evaluate(() => window.gates.background.refresh().catch((error) => error.code)), "closed");
});

test("two tabs: neither waits for the other's download, both move to the new release", async () => {
  const good = twoReleases("tabs");
  const state = lists.add("tabs", good, 1);
  // The first tab's download never ends. The second tab doesn't wait for it, and downloads the list itself.
  let first = true;
  let let_go;
  const stalled = new Promise((resolve) => {
    let_go = resolve;
  });
  state.fault = {
    on: "full",
    act: async (request, response, good) => {
      if (!first) return answer(request, response, good);
      first = false;
      await stalled;
      answer(request, response, good);
    },
  };
  const context = await browser.newContext();
  const [one, two] = [await newPage(context), await newPage(context)];
  const slow = open(one, "tabs");
  while (first) await new Promise((resolve) => setTimeout(resolve, 20));
  const quick = await open(two, "tabs");
  assert.deepEqual([quick.state, quick.release], ["current", 1]);
  await assertAnswers(two, "tabs", 1);
  let_go();
  assert.equal((await slow).release, 1);

  // One tab refreshes slowly. The other tab, which also has the list, doesn't refresh at the same time. Afterwards both
  // use the new release.
  let held;
  const arrived = new Promise((resolve) => {
    state.fault = {
      on: "delta",
      act: (request, response, good) => {
        held = () => answer(request, response, good);
        resolve();
      },
    };
  });
  state.release = 2;
  const moved = two.evaluate(
    () =>
      new Promise((resolve) => {
        const gate = window.gates.tabs;
        gate.addEventListener("statechange", () => gate.status().release === 2 && resolve(gate.status()));
      }),
  );
  const asking = refresh(one, "tabs");
  await arrived;
  lists.requests.length = 0;
  const meanwhile = await refresh(two, "tabs");
  assert.deepEqual([meanwhile.lastRefresh.outcome, meanwhile.release], ["elsewhere", 1]);
  await assertAnswers(two, "tabs", 1);
  assert.deepEqual(lists.requests, []);
  held();
  assert.deepEqual([(await asking).release, (await asking).lastRefresh.by], [2, "delta"]);
  assert.equal((await moved).from, "storage");
  await Promise.all([assertAnswers(one, "tabs", 2), assertAnswers(two, "tabs", 2)]);
  assert.deepEqual(lists.requests, [], "the second tab downloaded nothing");
  await context.close();
});

test("a list that expires in use isn't used any more, until there is a newer one", async () => {
  const path = join(folder, "brief");
  publish(path, key, [rowOf(OLD)], { more: issued(-3592) });
  const state = lists.add("brief", path, 1);
  const page = await newPage();
  const opened = await open(page, "brief");
  assert.equal(opened.state, "current");
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const gate = window.gates.brief;
        const done = () => gate.status().state === "expired" && resolve();
        gate.addEventListener("statechange", done);
        done();
      }),
  );
  const verdict = await check(page, "brief", OLD);
  assert.deepEqual(
    [verdict.outcome, verdict.reason, verdict.list],
    ["unchecked", "unavailable", { state: "expired", release: 1 }],
  );
  // The server offers nothing newer (it withholds releases, or the curator makes none) until the list expires.
  assert.equal((await refresh(page, "brief")).lastError.code, "manifest-expired");
  publish(path, key, [rowOf(OLD), rowOf(NEW)]);
  state.release = 2;
  const healed = await refresh(page, "brief");
  assert.deepEqual([healed.state, healed.release, healed.lastError], ["current", 2, undefined]);
  await assertAnswers(page, "brief", 2);
});

test("openGate with a source: what is wrong with the options rejects, what can't be had doesn't", async () => {
  lists.add("options", twoReleases("options"), 2);
  const page = await newPage();
  const codeOf = (options) =>
    page.evaluate(
      ([options, key]) =>
        window
          .openGate({
            source: "/lists/options/manifest.txt",
            trust: { keys: [key] },
            whenUnavailable: "block",
            ...options,
          })
          .then(
            (gate) => gate.status().state,
            (error) => `${error.code} ${error.message.split(":")[0]}`,
          ),
      [options, key.trust],
    );
  assert.equal(await codeOf({ whenUnavailable: null }), "invalid-options whenUnavailable");
  assert.equal(await codeOf({ trust: {} }), "invalid-options trust.keys");
  assert.equal(await codeOf({ trust: { keys: [key.trust], threshold: 2 } }), "invalid-options trust.threshold");
  assert.equal(await codeOf({ filters: ["/samples/demo.hgf"] }), "invalid-options source");
  assert.equal(await codeOf({ refreshIntervalMs: 0 }), "invalid-options refreshIntervalMs");
  assert.match(await codeOf({ trust: { keys: ["no key"] } }), /^trust-invalid/);
  lists.add("oversized", join(folder, "options"), 2);
  const oversized = await open(page, "oversized", { maxFilterBytes: 100 });
  assert.deepEqual([oversized.state, oversized.lastError.code], ["none", "release-too-large"]);
  const asked = lists.requests.filter(({ site }) => site === "oversized").map(({ kind }) => kind);
  assert.deepEqual(asked, ["manifest"], "refused before it is downloaded");
  assert.equal(await codeOf({}), "current");

  // The engine or the worker script is missing when the gate opens, and available later.
  for (const [site, missing, code] of [
    ["engineless", { wasmUrl: "/later.wasm" }, "engine-unavailable"],
    ["workerless", { workerUrl: "/later.js" }, "worker-unavailable"],
  ]) {
    lists.add(site, join(folder, "options"), 2);
    const status = await open(page, site, missing);
    assert.deepEqual([status.state, status.lastError.code], ["none", code]);
    const verdict = await check(page, site, OLD);
    assert.deepEqual([verdict.outcome, verdict.reason, verdict.whenUnavailable], ["unchecked", "unavailable", "block"]);
    const [address] = Object.values(missing);
    extra[address] =
      site === "engineless"
        ? { body: readFileSync("dist/hashgate.wasm"), type: "application/wasm" }
        : { body: readFileSync("dist/worker.js"), type: "text/javascript" };
    await assertAnswers(page, site, 2);
    assert.equal((await page.evaluate((site) => window.gates[site].status(), site)).state, "current");
  }
});
