// The package in real Firefox, with its defaults and with `privacy.resistFingerprinting`, under which every canvas
// read-back is noise.
import assert from "node:assert/strict";
import { test } from "node:test";
import puppeteer from "puppeteer-core";
import { serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>hashgate</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import { openGate } from "/hashgate/index.js";
window.verdicts = async (urls) => {
  const gate = await openGate({ filters: ["/samples/demo.hgf"], workers: 1 });
  const files = await Promise.all(urls.map(async (url) => (await fetch(url)).blob()));
  // The first check starts the hashing worker, whose script is loaded then.
  await gate.check(files[0]);
  await fetch("/mark");
  const verdicts = await Promise.all(files.map((file) => gate.check(file)));
  await fetch("/mark");
  gate.close();
  return verdicts;
};
window.ready = true;`;
const URLS = {
  "/samples/listed/listed-0.jpg": "possible-match",
  "/samples/edited/listed-1-half-size.jpg": "possible-match",
  "/samples/edited/listed-2-mirrored.jpg": "possible-match",
  "/samples/clean/clean-0.png": "clear",
  "/samples/clean/clean-1.jpg": "clear",
};

for (const [name, extraPrefsFirefox] of [
  ["as it is", {}],
  ["with privacy.resistFingerprinting", { "privacy.resistFingerprinting": true }],
]) {
  test(`verdicts in Firefox ${name}; nothing leaves the page meanwhile`, async () => {
    const extra = {
      "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
      "/page.js": { body: SCRIPT, type: "text/javascript" },
    };
    const server = await serve({ extra });
    const executablePath = process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr";
    const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true, extraPrefsFirefox });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.url}/page.html`);
      await page.waitForFunction("window.ready");
      const verdicts = await page.evaluate((urls) => window.verdicts(urls), Object.keys(URLS));
      const outcomes = verdicts.map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, Object.values(URLS));
      const [first, last] = [server.requests.indexOf("GET /mark"), server.requests.lastIndexOf("GET /mark")];
      assert.deepEqual(server.requests.slice(first + 1, last), []);
    } finally {
      await browser.close();
      await server.close();
    }
  });
}
