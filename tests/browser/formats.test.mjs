// Tests formats that the engine can't decode, which real Chromium and real Firefox decode instead.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";
import { serve } from "./server.mjs";

const FOLDER = "tests/vectors";
const rows = readFileSync(`${FOLDER}/expected-browser.csv`, "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => {
    const [file, frames, frame, surface, width, height, pdq] = line.split(",");
    return { file, frames: Number(frames), frame, surface, width: Number(width), height: Number(height), pdq };
  });
const names = [...new Set(rows.map(({ file }) => file))];
const plain = (name) => rows.find(({ file, frame, surface }) => file === name && frame === "0" && surface === "plain");

const PAGE = `<!doctype html><meta charset="utf-8"><title>formats</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
window.checkAll = async (names, filter, options = {}) => {
  const gate = await openGate({ filters: [filter], workers: 1, ...options });
  const verdicts = {};
  for (const name of names) verdicts[name] = await gate.check(await (await fetch("/vectors/" + name)).blob());
  gate.close();
  return verdicts;
};
window.decodes = async (name) =>
  createImageBitmap(await (await fetch("/vectors/" + name)).blob()).then(() => true, () => false);
window.ready = true;`;

/**
 * Starts a server with the vectors and two filters: one holds the first frame of every picture, the other the last
 * frame of the animation.
 */
async function serving() {
  mkdirSync("target/formats", { recursive: true });
  const filter = (name, hashes) => {
    writeFileSync(`target/formats/${name}.txt`, `${hashes.join("\n")}\n`);
    const args = ["build", `target/formats/${name}.txt`, "--type", "pdq", "--name", name, "--category", "drawn"];
    execFileSync("target/debug/hashgate", [...args, "--out", `target/formats/${name}.hgf`]);
    return { body: readFileSync(`target/formats/${name}.hgf`) };
  };
  const last = rows.filter(({ file, frame }) => file === "avif-animated.avif" && frame === "19");
  const extra = {
    "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
    "/page.js": { body: SCRIPT, type: "text/javascript" },
    "/listed.hgf": filter(
      "listed",
      rows.filter(({ frame }) => frame === "0").map(({ pdq }) => pdq),
    ),
    "/last.hgf": filter(
      "last",
      last.map(({ pdq }) => pdq),
    ),
  };
  for (const name of names) extra[`/vectors/${name}`] = { body: readFileSync(`${FOLDER}/${name}`) };
  const whole = readFileSync(`${FOLDER}/avif-420.avif`);
  extra["/vectors/short.avif"] = { body: whole.subarray(0, 1000) };
  return serve({ extra });
}

function bitsBetween(one, two) {
  let different = BigInt(`0x${one}`) ^ BigInt(`0x${two}`);
  let bits = 0;
  for (; different > 0n; different &= different - 1n) bits += 1;
  return bits;
}

async function inChromium(context) {
  const server = await serving();
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  return { page, check: (...args) => page.evaluate((args) => window.checkAll(...args), args) };
}

/**
 * Asserts that the verdict's hash is near the hash of the pixels that Pillow decodes (at most 6 of 256 bits differ).
 */
function assertRead(name, verdict) {
  const what = `${name}: ${JSON.stringify(verdict)}`;
  assert.equal(verdict.outcome, "possible-match", what);
  assert.equal(verdict.decodedBy, "browser", what);
  const { width, height, frames, pdq } = plain(name);
  assert.deepEqual([verdict.width, verdict.height].sort(), [width, height].sort(), what);
  assert.equal(verdict.frames, frames, what);
  const [match] = verdict.matches;
  // A canvas loses the colours of fully transparent pixels. They don't show on white, so this picture matches there.
  assert.equal(match.surface, name === "avif-alpha.avif" ? "over-white" : "plain", what);
  if (name === "avif-turned.avif") assert.match(match.orientation, /^(original|rotate-90)$/);
  else assert.equal(match.orientation, "original", what);
  if (match.orientation === "original" && match.surface === "plain")
    assert.ok(bitsBetween(verdict.pdq, pdq) <= 6, what);
  // The filter has no digests, so the gate computes none.
  assert.equal(verdict.sha256, undefined);
}

function assertUnchecked(verdict, reason) {
  assert.deepEqual([verdict.outcome, verdict.reason], ["unchecked", reason], JSON.stringify(verdict));
  assert.ok(verdict.detail.length > 20);
}

test("Chromium decodes for the engine what it can, and what it can't is unsupported-picture", async (context) => {
  const { check, page } = await inChromium(context);
  const decodes = await page.evaluate((names) => Promise.all(names.map(window.decodes)), names);
  const verdicts = await check(names, "/listed.hgf");
  names.forEach((name, index) => {
    if (decodes[index]) assertRead(name, verdicts[name]);
    else assertUnchecked(verdicts[name], "unsupported-picture");
  });
  assert.ok(names.filter((_, index) => decodes[index]).every((name) => !name.endsWith(".heic")));
  assert.equal(names.filter((name, index) => decodes[index] && name.endsWith(".avif")).length, 6);
});

test("of an animated AVIF the last frame is looked at too", async (context) => {
  const { check } = await inChromium(context);
  const { "avif-animated.avif": verdict } = await check(["avif-animated.avif"], "/last.hgf");
  assert.equal(verdict.outcome, "possible-match");
  assert.equal(verdict.matches[0].frame, 19);
  const fewer = await check(["avif-animated.avif"], "/last.hgf", { limits: { maxAnimationPixels: 5 * 144 * 108 } });
  assert.equal(fewer["avif-animated.avif"].reason, "too-large");
});

test("what a browser is to decode is held against the limits, and a cut file is unreadable", async (context) => {
  const { check } = await inChromium(context);
  const verdicts = await check(names, "/listed.hgf", { limits: { maxPixels: 144 * 108 - 1 } });
  for (const name of names) assertUnchecked(verdicts[name], "too-large");
  const { "short.avif": short } = await check(["short.avif"], "/listed.hgf");
  assertUnchecked(short, "unreadable");
});

/** Checks the AVIF files in Firefox, started with these preferences. */
async function inFirefox(context, extraPrefsFirefox) {
  const server = await serving();
  const browser = await puppeteer.launch({ ...FIREFOX, extraPrefsFirefox });
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  const verdicts = await page.evaluate((args) => window.checkAll(...args), [names, "/listed.hgf"]);
  return names.filter((name) => name.endsWith(".avif")).map((name) => [name, verdicts[name]]);
}

test("Firefox decodes AVIF for the engine", async (context) => {
  for (const [name, verdict] of await inFirefox(context, {})) assertRead(name, verdict);
});

test("without ImageDecoder, pictures go through a canvas", async (context) => {
  const verdicts = await inFirefox(context, { "dom.media.webcodecs.image-decoder.enabled": false });
  for (const [name, verdict] of verdicts) {
    // Without `ImageDecoder`, the browser gives only the first frame, so an animation is unsupported.
    if (name === "avif-animated.avif") assertUnchecked(verdict, "unsupported-picture");
    else assertRead(name, verdict);
  }
});

test("where canvas read-back is noise, it isn't hashed", async (context) => {
  for (const [name, verdict] of await inFirefox(context, { "privacy.resistFingerprinting": true })) {
    assertUnchecked(verdict, name === "avif-animated.avif" ? "unsupported-picture" : "canvas-noise");
  }
});
