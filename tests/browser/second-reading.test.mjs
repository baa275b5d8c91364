// Tests files that decoders may read differently. The gate also looks up the pixels that the browser paints (here real
// Chromium and real Firefox). The page makes each file, and the list holds what an <img> shows of it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openGate } from "hashgate";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";
import { serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>odd files</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
const SIDE = 320;
const text = (string) => [...string].map((character) => character.charCodeAt(0));
const be32 = (value) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);

/** Returns the grey value of a pixel in a test picture of soft shapes. Each seed gives another picture. */
function shade(seed, x, y) {
  const wave = (k) => Math.sign(Math.sin((x * Math.cos(seed * k) + y * Math.sin(seed * k)) / (6 + 5 * ((seed * k) % 3))));
  return 128 + 45 * wave(1) + 35 * wave(2.3) + 30 * wave(4.1);
}
function drawn(red, green, blue) {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const pixels = new ImageData(SIDE, SIDE);
  for (let at = 0; at < SIDE * SIDE; at += 1) {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    pixels.data.set([shade(red, x, y), shade(green, x, y), shade(blue, x, y), 255], 4 * at);
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}
const encoded = async (canvas, type) =>
  new Uint8Array(await (await canvas.convertToBlob({ type, quality: 0.9 })).arrayBuffer());

/** Makes an ICC profile that contains the tags. */
function profile(tags) {
  const body = [];
  const table = be32(tags.length);
  const start = 128 + 4 + 12 * tags.length;
  for (const [name, data] of tags) {
    table.push(...text(name), ...be32(start + body.length), ...be32(data.length));
    body.push(...data, ...Array((4 - (data.length % 4)) % 4).fill(0));
  }
  const header = Array(128).fill(0);
  const put = (at, bytes) => header.splice(at, bytes.length, ...bytes);
  put(0, be32(start + body.length));
  put(8, [2, 16]);
  put(12, text("mntrRGB "));
  put(36, text("acsp"));
  put(68, [...be32(63190), ...be32(65536), ...be32(54061)]);
  return { header, put, rest: [...table, ...body] };
}
const xyz = (x, y, z) => [...text("XYZ "), 0, 0, 0, 0, ...[x, y, z].flatMap((value) => be32(Math.round(value * 65536)))];
const gamma = [...text("curv"), 0, 0, 0, 0, ...be32(1), 2, 51];
const common = [
  ["desc", [...text("desc"), 0, 0, 0, 0, ...be32(2), ...text("x"), 0, ...Array(80).fill(0)]],
  ["wtpt", xyz(0.9642, 1, 0.8249)],
  ["cprt", [...text("text"), 0, 0, 0, 0, ...text("x"), 0]],
];
/** Makes a profile whose matrix shows only the blue channel. */
function matrixProfile() {
  const none = xyz(0.0001, 0.0001, 0.0001);
  const { header, put, rest } = profile([
    ...common, ["rXYZ", none], ["gXYZ", none], ["bXYZ", xyz(0.964, 0.9998, 0.8247)],
    ["rTRC", gamma], ["gTRC", gamma], ["bTRC", gamma],
  ]);
  put(20, text("XYZ "));
  return [...header, ...rest];
}
/** Makes a profile that shows only the blue channel, by a table of Lab colours at the corners of the RGB cube. */
function tableProfile() {
  const ramp = Array.from({ length: 256 }, (_, at) => at);
  const corners = Array.from({ length: 8 }, (_, at) => [at & 1 ? 255 : 0, 128, 128]).flat();
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1].flatMap((value) => be32(value * 65536));
  const lut = [...text("mft1"), 0, 0, 0, 0, 3, 3, 2, 0, ...identity, ...ramp, ...ramp, ...ramp, ...corners, ...ramp, ...ramp, ...ramp];
  const { header, put, rest } = profile([...common, ["A2B0", lut]]);
  put(20, text("Lab "));
  return [...header, ...rest];
}
/** Removes the colour profile. Some browsers put one into the JPEG that a canvas makes. */
function withoutProfile(jpeg) {
  let bytes = [...jpeg];
  for (let at = 2; bytes[at] === 255 && bytes[at + 1] !== 0xda; ) {
    const end = at + 2 + 256 * bytes[at + 2] + bytes[at + 3];
    if (bytes[at + 1] === 0xe2) bytes.splice(at, end - at);
    else at = end;
  }
  return Uint8Array.from(bytes);
}
function withProfile(jpeg, icc) {
  const length = icc.length + 16;
  const segment = [255, 226, length >> 8, length & 255, ...text("ICC_PROFILE"), 0, 1, 1, ...icc];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}
/** Removes the JFIF segment, and names the components R, G and B, so that libjpeg reads the pixels as RGB. */
function withRgbIds(jpeg) {
  const bytes = [...jpeg.subarray(0, 2), ...jpeg.subarray(4 + 256 * jpeg[4] + jpeg[5])];
  const ids = text("RGB");
  for (let at = 2; bytes[at] === 255; at += 2 + 256 * bytes[at + 2] + bytes[at + 3]) {
    if (bytes[at + 1] === 0xc0) ids.forEach((id, nth) => { bytes[at + 10 + 3 * nth] = id; });
    if (bytes[at + 1] !== 0xda) continue;
    ids.forEach((id, nth) => { bytes[at + 5 + 2 * nth] = id; });
    break;
  }
  return Uint8Array.from(bytes);
}
const part = (bytes, share) => bytes.subarray(0, Math.floor(bytes.length * share));

window.files = {};
window.draw = async () => {
  const jpeg = withoutProfile(await encoded(drawn(1.1, 1.1, 2.2), "image/jpeg"));
  const png = await encoded(drawn(3.3, 3.3, 3.3), "image/png");
  Object.assign(window.files, {
    ordinary: jpeg,
    ordinaryPng: png,
    matrix: withProfile(jpeg, matrixProfile()),
    table: withProfile(jpeg, tableProfile()),
    // If a profile occurs twice, browsers use the first one; libjpeg-turbo ignores both.
    twice: withProfile(withProfile(jpeg, matrixProfile()), matrixProfile()),
    rgbIds: withRgbIds(await encoded(drawn(4.4, 5.5, 6.6), "image/jpeg")),
    cutJpeg: part(await encoded(drawn(7.7, 7.7, 7.7), "image/jpeg"), 0.7),
    cutPng: part(png, 0.7),
    withoutEnd: png.subarray(0, -12),
  });
};
/** Returns what an <img> shows, as a PNG in base64. */
window.painting = async (name) => {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([window.files[name]]));
  await new Promise((resolve) => { image.onload = image.onerror = resolve; });
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, SIDE, SIDE);
  context.drawImage(image, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
};
window.bytesOf = (name) => Array.from(window.files[name]);
window.check = async (name, filter) => {
  const gate = await openGate({ filters: [filter], workers: 1 });
  const verdict = await gate.check(new File([window.files[name]], name));
  gate.close();
  return JSON.parse(JSON.stringify(verdict));
};
window.ready = true;`;

/** Builds a filter with one PDQ hash, that of `picture` (PNG bytes), in `folder`. */
function filterOf(folder, name, picture) {
  const path = join(folder, name);
  writeFileSync(`${path}.png`, picture);
  const hashes = execFileSync("target/debug/hashgate", ["hash", `${path}.png`], { encoding: "utf8" });
  const [hash] = /[0-9a-f]{64}/.exec(hashes) ?? [];
  assert.ok(hash, hashes);
  writeFileSync(`${path}.txt`, `${hash}\n`);
  const args = ["build", `${path}.txt`, "--type", "pdq", "--name", name, "--category", "drawn"];
  execFileSync("target/debug/hashgate", [...args, "--out", `${path}.hgf`]);
  return readFileSync(`${path}.hgf`);
}

/** Runs the checks in a page. `launch` opens the browser. */
async function run(context, launch) {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  const filters = new Map();
  const server = await serve({
    extra: {
      "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
      "/page.js": { body: SCRIPT, type: "text/javascript" },
    },
    handle(_, response, pathname) {
      const body = filters.get(pathname);
      if (body) response.end(body);
      return body !== undefined;
    },
  });
  const { page, close } = await launch();
  context.after(async () => {
    await close();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  await page.evaluate(() => window.draw());
  const names = await page.evaluate(() => Object.keys(window.files));
  const verdicts = {};
  const unlisted = {};
  for (const name of names) {
    const painted = Buffer.from(await page.evaluate((name) => window.painting(name), name), "base64");
    filters.set(`/${name}.hgf`, filterOf(folder, name, painted));
  }
  for (const name of names) {
    const check = (filter) => page.evaluate(([name, filter]) => window.check(name, filter), [name, filter]);
    verdicts[name] = await check(`/${name}.hgf`);
    // Checks the file again with a list that holds only another file's painting: the verdict must not be a match.
    unlisted[name] = await check(name === "rgbIds" ? "/ordinaryPng.hgf" : "/rgbIds.hgf");
  }
  for (const [name, verdict] of Object.entries(verdicts)) {
    assert.equal(verdict.outcome, "possible-match", `${name}: ${JSON.stringify(verdict)}`);
  }
  for (const name of ["ordinary", "ordinaryPng"]) {
    assert.equal(verdicts[name].secondReadingBy, undefined, `${name}: ${JSON.stringify(verdicts[name])}`);
    assert.deepEqual([unlisted[name].outcome, unlisted[name].caveat], ["clear", undefined], name);
  }
  for (const name of ["matrix", "table", "twice"]) {
    const what = `${name}: ${JSON.stringify(verdicts[name])}`;
    assert.equal(verdicts[name].secondReadingBy, "browser", what);
    // Browsers differ in whether they apply table profiles and second profiles. So one browser's reading doesn't prove
    // that the file is clear everywhere, and the verdict keeps a caveat.
    const caveat = name === "matrix" ? undefined : "colour-profile";
    assert.deepEqual([unlisted[name].outcome, unlisted[name].caveat], ["clear", caveat], what);
  }
  // The engine doesn't apply table profiles, so only the browser's reading has the colours that people see.
  assert.equal(verdicts.table.matches[0].reading, "second", JSON.stringify(verdicts.table));
  for (const name of ["cutJpeg", "cutPng"]) {
    const { outcome, reason } = unlisted[name];
    assert.deepEqual([outcome, reason], ["unchecked", "unreadable"], `${name}: ${JSON.stringify(unlisted[name])}`);
  }
  assert.equal(unlisted.withoutEnd.outcome, "clear", JSON.stringify(unlisted.withoutEnd));
  assert.equal(unlisted.withoutEnd.caveat, "malformed", JSON.stringify(unlisted.withoutEnd));
  return { page, folder };
}

test("in Chromium, what is painted is looked up", async (context) => {
  const browser = await chromium.launch(CHROMIUM);
  const { page, folder } = await run(context, async () => ({
    page: await browser.newPage(),
    close: () => browser.close(),
  }));

  // Node has no browser for a second reading, so the verdict has a caveat.
  const gate = await openGate({ filters: [join(folder, "rgbIds.hgf")], workers: 1 });
  const bytes = Uint8Array.from(await page.evaluate(() => window.bytesOf("table")));
  const { outcome, caveat, secondReadingBy } = await gate.check(bytes);
  assert.deepEqual([outcome, caveat, secondReadingBy], ["clear", "colour-profile", undefined]);
  gate.close();
});

test("in Firefox, what is painted is looked up", async (context) => {
  const browser = await puppeteer.launch({ ...FIREFOX });
  await run(context, async () => ({ page: await browser.newPage(), close: () => browser.close() }));
});
