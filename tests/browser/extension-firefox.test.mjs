// Tests the extension in real Firefox, installed by WebDriver BiDi, with the same ways to choose files as in Chromium.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import puppeteer from "puppeteer-core";
import { buildExtension, folderOf } from "../../scripts/extension.mjs";
import { FIREFOX } from "./firefox.mjs";
import { PICKERS, pickersScript } from "./input-openers.mjs";

const LISTED = resolve("target/samples/listed/listed-0.jpg");
const CLEAN = resolve("target/samples/clean/clean-1.jpg");
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'";
const PAGES = {
  "/form.html": `<form method="post" action="/upload" enctype="multipart/form-data">
    <input type="file" name="file" multiple required><button id="send">send</button></form>`,
  "/closed.html": `<div id="closed"></div>`,
  "/pickers.html": Object.keys(PICKERS)
    .map((name) => `<button name="${name}">${name}</button>`)
    .join(""),
};
const SCRIPT = `
  window.seen = [];
  const noteAll = (event) => { for (const { name } of event.target.files ?? []) seen.push(event.type + " " + name); };
  for (const type of ["input", "change"]) addEventListener(type, noteAll, true);
  const host = document.querySelector("#closed");
  if (host) {
    const tree = host.attachShadow({ mode: "closed" });
    tree.innerHTML = "<input type=file>";
    tree.firstChild.addEventListener("change", ({ target }) => { for (const { name } of target.files) seen.push("closed " + name); });
    window.inClosed = tree.firstChild;
  }
  ${pickersScript()}`;

let browser;
let server;
let page;
let site;
let uploads;

before(async () => {
  await buildExtension(["firefox"]);
  server = createServer(async (request, response) => {
    response.setHeader("content-security-policy", POLICY);
    const path = request.url.split("?")[0];
    if (path === "/page.js") return response.setHeader("content-type", "text/javascript").end(SCRIPT);
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (path === "/upload") {
      uploads.push(Buffer.concat(await request.toArray()));
      return response.end("<title>received</title>");
    }
    if (!(path in PAGES)) return response.writeHead(404).end();
    response.end(`<!doctype html><title>page</title>${PAGES[path]}<script src="/page.js"></script>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  site = `http://127.0.0.1:${server.address().port}`;
  browser = await puppeteer.launch({
    ...FIREFOX,
  });
  await browser.installExtension(resolve(folderOf("firefox")));
});
after(async () => {
  await browser?.close();
  server?.close();
  server?.closeAllConnections();
});
beforeEach(async () => {
  uploads = [];
  await page?.close();
  page = await browser.newPage();
});

const open = (path) => page.goto(`${site}${path}`);
const seen = () => page.evaluate(() => window.seen);
const untilSeen = (what) => page.waitForFunction((what) => window.seen.includes(what), { timeout: 15_000 }, what);

/**
 * Waits for the notice, and returns its text. WebDriver can read the closed shadow tree, unlike scripts of the page.
 */
async function notice() {
  await page.waitForFunction(() => document.querySelector("html > div:popover-open"), { timeout: 20_000 });
  for (let wait = 0; wait < 100; wait += 1) {
    const { result } = await browser.connection.send("script.evaluate", {
      expression: `document.querySelector("html > div:popover-open")`,
      target: { context: page.mainFrame()._id },
      awaitPromise: false,
      serializationOptions: { includeShadowTree: "all", maxDomDepth: 20 },
    });
    const textOf = ({ value }) =>
      (value?.nodeValue ?? "") +
      [...(value?.children ?? []), ...(value?.shadowRoot ? [value.shadowRoot] : [])].map(textOf).join(" ");
    const text = result.result?.value ? textOf(result.result) : "";
    if (/Held/.test(text)) return text;
    await new Promise((done) => setTimeout(done, 50));
  }
  return assert.fail("no notice");
}

test("a plain form: the held file never reaches the page, the clean one does, and is what is sent", async () => {
  await open("/form.html");
  await (await page.$("form input")).uploadFile(LISTED, CLEAN);
  assert.match(await notice(), /listed-0\.jpg: possibly on the list “Demo list”/);
  assert.deepEqual(await seen(), []);
  await page.keyboard.press("Enter");
  await untilSeen("change clean-1.jpg");
  assert.deepEqual(
    (await seen()).filter((entry) => entry.includes("listed")),
    [],
  );
  await page.click("#send");
  await page.waitForFunction(() => document.title === "received");
  assert.equal(uploads.length, 1);
  assert.ok(!uploads[0].includes("listed-0.jpg"));
});

test("an input in a closed shadow tree", async () => {
  await open("/closed.html");
  const input = await page.evaluateHandle(() => window.inClosed);
  // Clicks the input from the page's script. WebDriver then sets the files without opening the picker.
  await page.evaluate(() => window.inClosed.click());
  await input.uploadFile(LISTED);
  await notice();
  await page.keyboard.press("Enter");
  await input.uploadFile(CLEAN);
  await untilSeen("closed clean-1.jpg");
  assert.deepEqual(await seen(), ["closed clean-1.jpg"]);
});

for (const name of Object.keys(PICKERS)) {
  test(`a picker: an input ${name}`, async () => {
    await open("/pickers.html");
    for (const [path, held] of [
      [LISTED, true],
      [CLEAN, false],
    ]) {
      // WebDriver can't operate the browser's own file dialog. So the test sets the files on the input that the page
      // has just opened.
      await page.click(`button[name="${name}"]`);
      const input = await page.evaluateHandle(() => window.made);
      await input.uploadFile(path);
      if (!held) continue;
      assert.match(await notice(), /listed-0\.jpg/);
      assert.deepEqual(await seen(), []);
      await page.keyboard.press("Enter");
    }
    await untilSeen("picked clean-1.jpg");
    assert.deepEqual(
      (await seen()).filter((entry) => entry.includes("listed")),
      [],
    );
  });
}

test("what a page makes up is not checked", async () => {
  await open("/form.html");
  const names = await page.evaluate(async () => {
    const data = new DataTransfer();
    data.items.add(new File(["x"], "made-up.jpg"));
    const input = document.querySelector("form input");
    input.files = data.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 500));
    return [...input.files].map(({ name }) => name);
  });
  assert.deepEqual(names, ["made-up.jpg"]);
});
