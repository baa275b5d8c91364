// Tests the demo page in real Chromium and real Firefox, with real files and the real server, which also answers
// confirm requests. Firefox is also tested under `privacy.resistFingerprinting`, where every canvas returns noise.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { demoArguments, startServer } from "../../scripts/confirming.mjs";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";

const serve = () => startServer([...demoArguments("target"), "--rate", "500"]);

const files = ["listed", "edited", "clean"].flatMap((folder) =>
  readdirSync(`target/samples/${folder}`)
    .sort()
    .map((name) => ({
      path: `target/samples/${folder}/${name}`,
      name,
      expected: folder === "clean" ? "clear" : "held",
    })),
);

/** Runs in the page: reads what it shows of each picture. */
const READ = () => ({
  cards: [...document.querySelectorAll(".result")].map((card) => ({
    name: card.querySelector(".name").textContent,
    verdict: card.querySelector(".badge").textContent,
    pdq: card.querySelector(".pdq").textContent,
    quality: Number(card.querySelector(".quality").textContent),
    time: card.querySelector(".time").textContent,
  })),
  sent: document.querySelector("#sent").textContent,
  asked: document.querySelector("#asked").textContent,
  live: document.querySelector("#live").textContent,
});

/** Reads the server's counts: requests for files, and questions about possible matches. */
const counted = async (server) => ({
  files:
    (await server.metric('hashgate_requests_total{route="Site"')) +
    (await server.metric('hashgate_requests_total{route="List"')),
  confirms: await server.metric('hashgate_requests_total{route="Confirm"'),
  listed: await server.metric('hashgate_confirms_total{outcome="Listed"'),
});

/**
 * Asserts that all 24 pictures were checked, that the server was asked once about each of the 16 held ones, and that
 * nothing else was sent.
 */
async function assertShown({ cards, sent, asked, live }, server, before) {
  assert.deepEqual(
    cards.map(({ name, verdict }) => [name, verdict]),
    files.map(({ name, expected }) => [name, expected]),
  );
  for (const { pdq, quality, time } of cards) {
    assert.match(pdq, /^[0-9a-f]{64}$/);
    assert.ok(quality >= 50 && quality <= 100, `quality ${quality}`);
    assert.match(time, /^\d+ ms$/);
  }
  assert.equal(live, "All 24 pictures checked: 8 clear, 16 held, 0 not checked.");
  // Compares the page's own counters with the server's counts.
  assert.deepEqual([sent, asked], ["16", "16"]);
  const { files: same, confirms, listed } = await counted(server);
  assert.deepEqual([same, confirms - before.confirms, listed - before.listed], [before.files, 16, 16]);
}

/** Runs in the page: returns whether it has read the server's counter after the last answer. */
const ALL_ASKED = () => document.querySelector("#asked").textContent === "16";

test("the demo page in Chromium: nothing about a clean picture leaves it, a possible match is asked about once", async (context) => {
  const server = await serve();
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(`${server.url}/`);
  await page.waitForSelector("html[data-ready]");
  const requests = [];
  page.on("request", (request) => {
    const { protocol, pathname } = new URL(request.url());
    if (protocol !== "blob:") requests.push(`${request.method()} ${pathname}`);
  });
  const choose = (some) =>
    page.setInputFiles(
      "#choose",
      some.map(({ path }) => path),
    );
  let before = await counted(server);
  await choose(files.filter(({ expected }) => expected === "clear"));
  await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 8"));
  const { sent, asked } = await page.evaluate(READ);
  assert.deepEqual([sent, asked, requests], ["0", "0", []]);
  assert.deepEqual(await counted(server), before);

  await page.click("#clear");
  await choose(files);
  await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 24"));
  await page.waitForFunction(ALL_ASKED);
  await assertShown(await page.evaluate(READ), server, before);
  const sum = (path) => requests.filter((request) => request === path).length;
  assert.deepEqual([sum("POST /v1/confirm"), sum("GET /metrics"), requests.length], [16, 16, 32]);
  await page.locator(".result summary").first().click();
  assert.match(await page.locator(".result .more").first().textContent(), /its full list holds it/);
  before = await counted(server);

  await page.click("#clear");
  assert.equal(await page.locator(".result").count(), 0);
  // Drops and pastes files, by dispatching the events that a real drop and a real paste cause.
  const bytes = [...readFileSync(files[0].path)];
  await page.evaluate((bytes) => {
    const transfer = (name) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
      return data;
    };
    document
      .querySelector("#drop")
      .dispatchEvent(new DragEvent("drop", { dataTransfer: transfer("dropped.jpg"), bubbles: true, cancelable: true }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer("pasted.jpg"), bubbles: true }));
  }, bytes);
  await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 2 "));
  const { cards, live } = await page.evaluate(READ);
  assert.deepEqual(
    cards.map(({ name }) => name),
    ["dropped.jpg", "pasted.jpg"],
  );
  assert.equal(live, "All 2 pictures checked: 0 clear, 2 held, 0 not checked.");

  await page.setInputFiles("#choose", {
    name: "notes.jpg",
    mimeType: "image/jpeg",
    buffer: Buffer.from("not a picture"),
  });
  await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 3 "));
  assert.equal((await page.evaluate(READ)).cards[2].verdict, "not checked");
  await page.locator(".result summary").last().click();
  assert.match(await page.locator(".result .more").last().textContent(), /Why: .{10}/);
  const after = await counted(server);
  assert.deepEqual([after.files, after.confirms - before.confirms], [before.files, 2]);

  // Reads what the page shows about the list, before and after a refresh.
  const fact = (name) => page.locator(`#filter dt:text-is("${name}") + dd`).textContent();
  assert.match(await page.textContent("#list-state"), /^Current/);
  assert.match(await fact("release"), /^\d+$/);
  assert.equal(await fact("comes from"), "downloaded in this visit");
  assert.equal(await fact("kept in"), "indexeddb");
  assert.equal(await fact("false alarms"), "at most 1 in 10,000 clean pictures");
  await page.click("#refresh");
  await page.waitForFunction(() => document.querySelector("#filter").textContent.includes("unchanged, "));
  assert.equal(await fact("last error"), "none");
  assert.deepEqual(problems, []);
});

test("the demo page is accessible, dark and light, and goes by keyboard", async (context) => {
  const server = await serve();
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  for (const colorScheme of ["light", "dark"]) {
    // Bypasses the page's policy, which would refuse the injected script of axe.
    const page = await browser.newPage({ colorScheme, bypassCSP: true });
    await page.goto(`${server.url}/`);
    await page.waitForSelector("html[data-ready]");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "choose");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.focus("#all");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 25 "));
    await page.locator(".result summary").first().press("Enter");
    await page.addScriptTag({ path: "node_modules/axe-core/axe.min.js" });
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`),
      [],
      colorScheme,
    );
    await page.close();
  }
});

test("nothing on the demo page moves by itself", async (context) => {
  const server = await serve();
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  for (const width of [1280, 390]) {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    await page.addInitScript(() => {
      window.moved = 0;
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.moved += value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(`${server.url}/`);
    await page.waitForSelector("html[data-ready]");
    await page.click("#all");
    await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 24 "));
    // Web Vitals calls a cumulative layout shift under 0.1 "good"; this page must stay below a fifth of that.
    const moved = await page.evaluate(() => window.moved);
    assert.ok(moved < 0.02, `cumulative layout shift ${moved} at ${width} pixels`);
    await page.close();
  }
});

for (const [name, extraPrefsFirefox] of [
  ["as it is", {}],
  ["with privacy.resistFingerprinting", { "privacy.resistFingerprinting": true }],
]) {
  test(`the demo page in Firefox ${name}: a possible match is asked about once, and nothing else is sent`, async (context) => {
    const server = await serve();
    const browser = await puppeteer.launch({ ...FIREFOX, extraPrefsFirefox });
    context.after(async () => {
      await browser.close();
      await server.close();
    });
    const page = await browser.newPage();
    await page.goto(`${server.url}/`);
    await page.waitForSelector("html[data-ready]");
    const before = await counted(server);
    const input = await page.$("#choose");
    await input.uploadFile(...files.map(({ path }) => path));
    await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 24"));
    await page.waitForFunction(ALL_ASKED);
    await assertShown(await page.evaluate(READ), server, before);
  });
}

test("the demo page draws films and checks them, and watches a camera", async (context) => {
  const server = await serve();
  const args = [...CHROMIUM.args, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
  const browser = await chromium.launch({ ...CHROMIUM, args });
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.url}/`);
  await page.waitForSelector("html[data-ready]");
  const requests = [];
  page.on("request", (request) => requests.push(new URL(request.url())));
  await page.click("#film-clean");
  await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 1 "));
  const sent = requests.filter(({ protocol }) => protocol !== "blob:").map(({ pathname }) => pathname);
  assert.deepEqual(sent, [], "a film that is clear needs no request");
  assert.equal(await page.locator(".result .badge").textContent(), "clear");
  assert.equal(await page.locator(".timeline .hit").count(), 0);
  await page.click("#film-listed");
  await page.waitForFunction(() => document.querySelector("#live").textContent.startsWith("All 2 "));
  assert.equal(await page.locator(".result.held").count(), 1);
  await page.locator(".result.held summary").click();
  assert.match(
    await page.locator(".result.held .more").textContent(),
    /several frames .*matched at\s*0:0[34] to 0:0[89]/s,
  );
  assert.ok((await page.locator(".timeline .hit").count()) >= 1);

  await page.click("#live-camera");
  await page.waitForFunction(() =>
    /^clear: .* ms \(by track-processor\)$/.test(document.querySelector("#live-state").textContent),
  );
  await page.click("#live-stop");
  assert.equal(await page.locator("#live-state").textContent(), "Nothing is watched.");
});
