// Runs the example of README.md unchanged in a browser.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { serve } from "./server.mjs";

test("the README's example uploads what is clear and holds the rest", async (context) => {
  const [, example] = readFileSync("README.md", "utf8").match(/```js\n(.*?)```/s);
  assert.ok(example.trim().split("\n").length <= 10, "ten lines at most");
  // An import map replaces the bundler. It must be inline, so this page has a policy that allows it.
  const page = `<!doctype html><meta charset="utf-8"><title>example</title>
    <script type="importmap">{ "imports": { "hashgate": "/hashgate/index.js" } }</script>
    <input type="file" multiple><output></output>
    <script type="module" src="/example.js"></script>`;
  const server = await serve({
    extra: {
      "/example.html": {
        body: page,
        type: "text/html; charset=utf-8",
        csp: "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
      },
      "/example.js": { body: `${example};window.ready = true;`, type: "text/javascript" },
      "/filters/demo.hgf": { body: readFileSync("target/samples/demo.hgf") },
      "/upload": { body: "" },
    },
  });
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const tab = await browser.newPage();
  await tab.goto(`${server.url}/example.html`);
  await tab.waitForFunction(() => window.ready);
  const paths = ["listed", "edited", "clean"].flatMap((folder) =>
    readdirSync(`target/samples/${folder}`).map((name) => `target/samples/${folder}/${name}`),
  );
  await tab.setInputFiles("input", paths);
  await tab.waitForFunction(
    () => document.querySelector("output").textContent.split("is held: possible-match").length === 17,
  );
  const uploads = () => server.requests.filter((request) => request === "POST /upload").length;
  for (let wait = 0; uploads() < 8 && wait < 100; wait += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(uploads(), 8);
  assert.doesNotMatch(await tab.textContent("output"), /clean-/);
});
