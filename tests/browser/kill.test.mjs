// Kills a tab at a random moment of a download or of the swap to a new list. The list in storage must then load and
// answer correctly, or be absent.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { keygen, Lists, listedRows, numberedRows, publish } from "./lists.mjs";
import { serve } from "./server.mjs";

const ROUNDS = 20;
const SEED = 20_261_124;
const PAGE = `<!doctype html><meta charset="utf-8"><title>hashgate</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
window.open = async (keys) => {
  window.gate = await openGate({ source: "/lists/killed/manifest.txt", trust: { keys }, whenUnavailable: "block", workers: 1 });
  return window.gate.status();
};
window.check = async (url) => {
  const { outcome, matches } = await window.gate.check(await (await fetch(url)).blob());
  return [outcome, matches?.[0].release];
};
window.ready = true;`;

test("killing the tab at 20 random moments of a download or swap", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  const key = keygen(folder, "curator");
  const path = join(folder, "killed");
  const [always, ...later] = listedRows();
  publish(path, key, [...numberedRows(60_000), always]);
  publish(path, key, [...numberedRows(61_000), always, ...later]);

  const lists = new Lists();
  const state = lists.add("killed", path, 1);
  const server = await serve({
    handle: lists.handle,
    extra: {
      "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
      "/page.js": { body: SCRIPT, type: "text/javascript" },
    },
  });
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  let seed = SEED;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  /** Sends a file slowly, in 50 steps. Calls `sent` with the share (0 to 1) that was sent before each step. */
  const slowly =
    (sent) =>
    async (_, response, { body, etag, type }) => {
      response.writeHead(200, { "content-length": body.length, "content-type": type, etag });
      const step = Math.ceil(body.length / 50);
      for (let at = 0; at < body.length && !response.destroyed; at += step) {
        sent(at / body.length);
        response.write(body.subarray(at, at + step));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      response.end();
      sent(1);
    };
  const found = { none: 0, 1: 0, 2: 0 };

  for (let round = 0; round < ROUNDS; round += 1) {
    // The rounds alternate between three downloads: the first one, a full file that replaces an older release, and a
    // delta.
    const mode = ["first", "full", "delta"][round % 3];
    // The moment of the kill, as a share of the file's bytes that were sent. Above 1, the tab is verifying or swapping.
    const moment = random() * 1.5;
    const what = `round ${round}, ${mode}, at ${moment.toFixed(3)}`;
    const browsing = await browser.newContext();
    const newPage = async () => {
      const page = await browsing.newPage();
      await page.goto(`${server.url}/page.html`);
      await page.waitForFunction(() => window.ready);
      return page;
    };
    const open = (page) => page.evaluate((keys) => window.open(keys), [key.trust]);
    const page = await newPage();
    Object.assign(state, { release: mode === "first" ? 2 : 1, fault: undefined });
    if (mode !== "first") assert.equal((await open(page)).release, 1, what);
    const reached = new Promise((resolve) => {
      const act = slowly((share) => share >= Math.min(moment, 1) && resolve());
      const absent = (_, response) => response.writeHead(404).end();
      const byKind = { full: act, delta: mode === "full" ? absent : act };
      state.fault = {
        on: ["full", "delta"],
        act: (request, response, good) =>
          byKind[request.url.includes("/full-") ? "full" : "delta"](request, response, good),
      };
    });
    state.release = 2;
    const unwanted = mode === "first" ? open(page) : page.evaluate(() => window.gate.refresh());
    unwanted.catch(() => {});
    await reached;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - 1) * 400));
    if (round % 2 === 0) {
      const crashed = new Promise((resolve) => page.once("crash", resolve));
      const session = await browsing.newCDPSession(page);
      session.send("Page.crash").catch(() => {});
      await crashed;
    }
    await page.close();

    // From here on, the server drops all requests. The stored list must load and answer correctly, or be absent.
    state.fault = { on: ["manifest", "full", "delta"], act: (request) => request.socket.destroy() };
    const next = await newPage();
    const left = await open(next);
    found[left.release ?? "none"] += 1;
    if (left.release === undefined) assert.deepEqual([left.state, mode], ["none", "first"], what);
    const answers = async (release) => {
      const check = (name) => next.evaluate((url) => window.check(url), `/samples/${name}.jpg`);
      assert.deepEqual(await check("listed/listed-0"), ["possible-match", release], what);
      assert.deepEqual(
        await check("listed/listed-1"),
        release === 2 ? ["possible-match", 2] : ["clear", undefined],
        what,
      );
    };
    if (left.release) {
      assert.equal(left.state, "current", what);
      await answers(left.release);
    }
    state.fault = undefined;
    const healed = await next.evaluate(() => window.gate.refresh());
    assert.deepEqual([healed.state, healed.release, healed.lastError], ["current", 2, undefined], what);
    await answers(2);
    await browsing.close();
  }
  assert.equal(found.none + found[1] + found[2], ROUNDS);
  context.diagnostic(
    `after ${ROUNDS} kills: release 1 was left ${found[1]} times, release 2 ${found[2]}, none ${found.none}`,
  );
});
