// Checks files that attack picture decoders, each through a gate in Chromium.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { serve } from "./server.mjs";

const FOLDER = "target/hostile";
const PAGE = `<!doctype html><meta charset="utf-8"><title>hostile</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
const gate = await openGate({ filters: ["/samples/demo.hgf"], workers: 2 });
window.check = async (url) => gate.check(await (await fetch(url)).blob());
window.ready = true;`;
/** Matches the names of files that are no pictures. */
const NO_PICTURES =
  /^unsupported-picture--(archive|document|empty|html|html-after-spaces|one-byte|text|zeros)\.[a-z]+$/;
/**
 * Matches files that are short for their size, because their format lets a picture of one colour be a few bytes. The
 * engine refuses to allocate 12,000 x 12,000 pixels for them (`unreadable`); a browser may paint them.
 */
const IN_FEW_BYTES = /^unreadable--(bmp-packed|webp)-12000x12000-in-few-bytes\./;

test("every hostile file is unchecked with a reason, or read; the gate goes on", async (context) => {
  // Removes the files of earlier runs: each name holds the expected outcome, so a changed outcome leaves an old file
  // behind.
  rmSync(FOLDER, { recursive: true, force: true });
  execFileSync("cargo", [
    "run",
    "--quiet",
    "--locked",
    "--package",
    "hashgate-testkit",
    "--bin",
    "make-hostile",
    FOLDER,
  ]);
  const names = readdirSync(FOLDER).sort();
  assert.ok(names.length > 100, `${names.length} hostile files`);
  const extra = {
    "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
    "/page.js": { body: SCRIPT, type: "text/javascript" },
  };
  for (const name of names) extra[`/hostile/${name}`] = { body: readFileSync(`${FOLDER}/${name}`) };
  const server = await serve({ extra });
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const page = await browser.newPage();
  const crashes = [];
  page.on("crash", () => crashes.push("the page crashed"));
  page.on("pageerror", (error) => crashes.push(String(error)));
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  for (const name of names) {
    const verdict = await page.evaluate((url) => window.check(url), `/hostile/${name}`);
    const [expected] = name.split("--");
    const got = verdict.outcome === "unchecked" ? verdict.reason : verdict.outcome;
    const what = `${name}: ${JSON.stringify(verdict)}`;
    if (verdict.outcome === "unchecked") assert.ok(verdict.detail.length > 10, what);
    if (expected === "reads") assert.match(got, /^(clear|possible-match)$/, what);
    else if (expected === "reads-partly") assert.equal(got, "too-large", what);
    // The browser decodes these formats, since the engine can't. Its error may be more or less specific.
    else if (/\.(avif|heic|jxl)$/.test(name)) assert.match(got, /^(unsupported-picture|unreadable)$/, what);
    else if (expected === "broken-film") assert.equal(got, "unreadable", what);
    else if (NO_PICTURES.test(name)) assert.equal(got, "not-a-picture", what);
    // If the browser paints the file, the verdict rests on that painting and has a caveat.
    else if (IN_FEW_BYTES.test(name) && got !== "unreadable")
      assert.deepEqual([got, verdict.caveat, verdict.secondReadingBy], ["clear", "malformed", "browser"], what);
    else assert.equal(got, expected, what);
  }
  const listed = await page.evaluate(() => window.check("/samples/listed/listed-0.jpg"));
  assert.equal(listed.outcome, "possible-match", "after all of them");
  assert.deepEqual(crashes, []);
});
