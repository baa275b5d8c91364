// Follows both tutorials as they are written, as a reader would who has only a clone of the repository.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "../browser/chromium.mjs";
import { reader, until } from "./tutorial.mjs";

test("from npm install to a held upload", async (context) => {
  const page = "docs/tutorial/first-held-upload.md";
  const { until: goOn, path, left } = reader(context, page);
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  context.after(() => rmSync(`hashgate-${version}.tgz`, { force: true }));
  const server = await goOn("node server.mjs");
  const browser = await chromium.launch(CHROMIUM);
  context.after(() => browser.close());
  const tab = await browser.newPage();
  const errors = [];
  tab.on("pageerror", (error) => errors.push(String(error)));
  const url = server.text.match(/open (http\S+)/)[1];
  const choose = (...names) =>
    tab.setInputFiles(
      "input",
      names.map((name) => path("my-app/samples", name)),
    );
  // Waits until the page shows these words. Playwright also finds text in the notice's shadow tree.
  const shown = (words) => until(() => tab.getByText(words).first().isVisible(), `"${words}" on the page`);
  const received = () => [...server.text.matchAll(/received (\S+),/g)].map(([, name]) => name);
  const tells = (words) => assert.ok(readFileSync(page, "utf8").replaceAll("\n", " ").includes(words), words);

  tells('The page says "Uploaded: listed-0.jpg", and the server says that it received the file.');
  await tab.goto(url);
  await choose("listed/listed-0.jpg");
  await shown("Uploaded: listed-0.jpg");
  await until(() => received().includes("listed-0.jpg"), "the listed picture, as nothing checks it yet");

  await goOn("guard(");
  assert.equal(left(), 0);
  await tab.goto(url);
  tells('Choose `samples/clean/clean-0.png`. The page says "Uploaded: clean-0.png".');
  await choose("clean/clean-0.png");
  await shown("Uploaded: clean-0.png");
  tells("Choose `samples/listed/listed-0.jpg`. Now the page says that the file was not uploaded");
  await choose("listed/listed-0.jpg");
  await until(() => tab.locator("hashgate-notice").count(), "a notice");
  await shown("Demo list");
  tells("Choose all files of `samples/edited`.");
  const edited = readdirSync(path("my-app/samples/edited"));
  await choose(...edited.map((name) => `edited/${name}`));
  await shown(edited.at(-1));
  assert.deepEqual(received(), ["listed-0.jpg", "clean-0.png"]);
  assert.deepEqual(errors, []);
});

test("from a folder of pictures to a published list", async (context) => {
  const port = await freePort();
  const adapt = (text) => text.replaceAll("127.0.0.1:8787", `127.0.0.1:${port}`);
  const { until: goOn, path, left } = reader(context, "docs/tutorial/publish-a-list.md", adapt);
  assert.match(await goOn("head -n 3 list.csv"), /^path,width,height,pdq,quality,sha256,md5\n/);
  assert.match(await goOn("--dir public --key list.key"), /full-1-\w+\.hgf\nmanifest-1\.txt\nmanifest\.txt\n/);
  await goOn("hashgate verify");
  const edited = await goOn("pictures/edited");
  assert.equal(edited.match(/possible match: My list/g).length, readdirSync(path("my-list/pictures/edited")).length);
  assert.doesNotMatch(await goOn("pictures/clean"), /possible match/);
  await goOn("hashgate serve");
  assert.match(await goOn("curl"), /^hashgate release v1\nname My list\n[\s\S]*release 1\n/);
  assert.match(await goOn("--seen 1"), /full-2-\w+\.hgf/);
  assert.equal(left(), 0);
  assert.ok(existsSync(path("my-list/list.key.pub")));
});

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
