// Tests a mixed export of a phone: a hundred files, no two alike, of which none may be left unsupported. In Chromium,
// Firefox and Node.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openGate } from "hashgate";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";
import { serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>x</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
/** Draws a photograph or a screenshot, different for each seed, and returns it as a file in base64. */
window.draw = async ([width, height], type, quality, seed, screenshot) => {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  let state = seed;
  const random = (below) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0, (state >>> 8) % below);
  context.fillStyle = screenshot ? "#fff" : "hsl(" + random(360) + " 40% 50%)";
  context.fillRect(0, 0, width, height);
  for (let shape = 0; shape < 60; shape += 1) {
    context.fillStyle = "hsl(" + random(360) + " 60% " + random(100) + "%)";
    if (screenshot) {
      context.font = 12 + random(30) + "px sans-serif";
      context.fillText("message " + random(1e6), random(width / 2), random(height));
    } else {
      context.beginPath();
      context.ellipse(random(width), random(height), 9 + random(width / 5), 9 + random(height / 5), random(6), 0, 7);
      context.fill();
    }
  }
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type, quality })).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
};
window.checkAll = async (names) => {
  const gate = await openGate({ filters: ["/samples/demo.hgf"], warmUp: false });
  const blobs = await Promise.all(names.map(async (name) => (await fetch("/export/" + name)).blob()));
  const files = blobs.map((blob, index) => new File([blob], names[index]));
  const verdicts = await Promise.all(files.map((file) => gate.check(file)));
  gate.close();
  return JSON.parse(JSON.stringify(verdicts));
};
window.ready = true;`;

const SIDES = [
  [1600, 1200],
  [900, 1200],
  [640, 480],
  [480, 854],
];
const vectors = (ending) =>
  readdirSync("tests/vectors")
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(`tests/vectors/${name}`));

/** A box that readers pass over. It makes a file differ from others with the same picture. */
function free(number) {
  const box = Buffer.from("\0\0\0\x10freeexported", "latin1");
  box.writeUInt32BE(number, 12);
  return box;
}

let browser;
let page;
let server;
/** The files: a name, the bytes, and the expected format, decoder and outcome. */
const files = [];
const extra = {
  "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
  "/page.js": { body: SCRIPT, type: "text/javascript" },
};

function add(ending, bytes, format, decodedBy, outcome = "clear") {
  const name = `IMG_${String(files.length).padStart(4, "0")}.${ending}`;
  files.push({ name, bytes, format, decodedBy, outcome });
  extra[`/export/${name}`] = { body: bytes };
}

before(async () => {
  server = await serve({ extra });
  browser = await chromium.launch(CHROMIUM);
  page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  const drawn = async (...ask) => Buffer.from(await page.evaluate((ask) => window.draw(...ask), ask), "base64");
  for (let number = 0; number < 34; number += 1) {
    const heic = vectors(".heic");
    add("HEIC", Buffer.concat([heic[number % heic.length], free(number)]), "heic", "heic");
  }
  for (let number = 0; number < 28; number += 1) {
    const sides = SIDES[number % 4];
    const bytes = await drawn(sides, "image/jpeg", 0.6 + number / 100, number + 1, false);
    add("JPG", bytes, "jpeg", Math.min(...sides) < 900 ? "general" : "low-terms");
  }
  for (let number = 0; number < 14; number += 1) {
    add("PNG", await drawn([590, 1280], "image/png", 1, number + 50, true), "png", "general");
  }
  for (let number = 0; number < 10; number += 1) {
    const bytes = await drawn(SIDES[2 + (number % 2)], "image/webp", number < 8 ? 0.8 : 1, number + 80, number > 4);
    add("webp", bytes, "webp", "general");
  }
  for (let number = 0; number < 12; number += 1) {
    const jxl = vectors(".jxl");
    add("jxl", Buffer.concat([jxl[number % jxl.length], free(number)]), "jxl", "jxl");
  }
  for (const outcome of ["clear", "possible-match"]) {
    const film = readFileSync(`tests/browser/films/${outcome === "clear" ? "clean" : "listed"}.mp4`);
    add("MP4", Buffer.concat([film, free(0)]), undefined, undefined, outcome);
  }
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Asserts the verdict of each file. Films are judged where `hasFilms` says so. */
function assertJudged(verdicts, hasFilms) {
  assert.equal(files.length, 100);
  assert.equal(new Set(files.map(({ bytes }) => createHash("sha256").update(bytes).digest("hex"))).size, 100);
  files.forEach(({ name, format, decodedBy, outcome }, index) => {
    const verdict = verdicts[index];
    const got = [verdict.outcome, verdict.format, verdict.decodedBy];
    const what = `${name}: ${JSON.stringify(verdict)}`;
    if (name.endsWith("MP4") && !hasFilms) assert.equal(verdict.outcome, "unchecked", what);
    else assert.deepEqual(got, [outcome, format, decodedBy], what);
  });
}
const names = () => files.map(({ name }) => name);

test("Chromium judges a hundred files of a phone", async () => {
  assertJudged(await page.evaluate((names) => window.checkAll(names), names()), true);
  const loaded = server.requests
    .filter((request) => request.endsWith(".wasm"))
    .map((request) => request.split("/").at(-1));
  assert.deepEqual(
    loaded.sort(),
    ["film", "formats", "heic", "jxl"]
      .map((name) => `hashgate-${name}.wasm`)
      .concat("hashgate.wasm")
      .sort(),
  );
});

test("Firefox judges them", async (context) => {
  const firefox = await puppeteer.launch(FIREFOX);
  context.after(() => firefox.close());
  const page = await firefox.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  assertJudged(await page.evaluate((names) => window.checkAll(names), names()), true);
});

// Node decodes no films.
test("Node judges the pictures among them", async () => {
  const gate = await openGate({ filters: ["target/samples/demo.hgf"] });
  const verdicts = await Promise.all(files.map(({ bytes }) => gate.check(bytes)));
  gate.close();
  assertJudged(verdicts, false);
});
