// Tests the FilePond plugin with the real FilePond in real Chromium, against a real server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CSP } from "./server.mjs";
import { film, openApp, sample, unavailableGates, until } from "./uploads.mjs";

// FilePond sets style attributes, and reads the files that it gets through blob: URLs. The policy must allow both.
const csp = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");
const app = (
  options = "",
  gate = `await openGate({ filters: ["/filters/demo.hgf"], workers: 1 })`,
  server = `"/upload"`,
) => `
import * as FilePond from "filepond"; import "filepond/dist/filepond.min.css";
import { openGate } from "hashgate"; import { hashgateFilePond } from "hashgate/filepond";
const gate = ${gate};
window.held = [];
FilePond.registerPlugin(hashgateFilePond(gate, {
  onHeld: (file, verdict) => window.held.push(file.name + " " + verdict.outcome),
  onUnchecked: (file, verdict) => window.held.push(file.name + " unchecked " + verdict.reason), ${options} }));
window.gate = gate;
window.pond = FilePond.create(document.querySelector("#app"), { allowMultiple: true, server: ${server} });
window.ready = true;`;
const body = `<input type="file" id="app">`;
const choose = (page, paths) => page.locator("input[type=file].filepond--browser").setInputFiles(paths);
const statuses = (page) =>
  page.evaluate(() => window.pond.getFiles().map(({ filename, status }) => [filename, status]));
// Values of `FilePond.FileStatus`.
const [PROCESSING_COMPLETE, LOAD_ERROR, PROCESSING_ERROR] = [5, 8, 6];

test("clean files are uploaded, listed and edited ones stay with their reason", async (context) => {
  // Delays the checks until the test has seen FilePond's progress, which otherwise would disappear too soon.
  const gate = `await (async () => {
    const gate = await openGate({ filters: ["/filters/demo.hgf"], workers: 1 });
    const check = gate.check.bind(gate);
    const seen = new Promise((resolve) => { window.goOn = resolve; });
    gate.check = async (...asked) => { await seen; return check(...asked); };
    return gate;
  })()`;
  const { page, uploads } = await openApp(context, { script: app("", gate), body, csp });
  await choose(page, [sample("clean", 0), sample("listed", 0), sample("edited", 2), sample("clean", 1)]);
  await page.waitForSelector(".filepond--load-indicator");
  await page.evaluate(() => window.goOn());
  await until(() => uploads.length === 2, "two uploads");
  await page.waitForFunction(
    () => window.held.length === 2 && window.pond.getFiles().filter(({ status }) => status === 5).length === 2,
  );
  assert.deepEqual(uploads.sort(), ["clean/clean-0.png", "clean/clean-1.jpg"]);
  const of = Object.fromEntries(await statuses(page));
  assert.deepEqual(of, {
    "clean-0.png": PROCESSING_COMPLETE,
    "clean-1.jpg": PROCESSING_COMPLETE,
    "listed-0.jpg": LOAD_ERROR,
    "listed-2-mirrored.jpg": LOAD_ERROR,
  });
  const item = page.locator(".filepond--item", { hasText: "listed-0.jpg" });
  await page.waitForFunction(() => document.querySelectorAll("[data-filepond-item-state='load-invalid']").length === 2);
  assert.match(await item.textContent(), /Your upload was held.*may match a picture on the list “Demo list”/);
  // The person removes the held file from the list, and continues.
  await item.getByRole("button", { name: "Remove" }).click();
  await page.waitForFunction(() => window.pond.getFiles().length === 3);
  assert.equal(uploads.length, 2);
});

test("films: a clean one is uploaded, a listed one stays, and its item says where in it", async (context) => {
  const { page, uploads } = await openApp(context, { script: app(), body, csp });
  await choose(page, [film("clean"), film("listed")]);
  await until(() => uploads.length === 1, "an upload");
  await page.waitForSelector("[data-filepond-item-state='load-invalid']");
  assert.deepEqual(
    [uploads, await page.evaluate(() => window.held)],
    [["films/clean.mp4"], ["listed.mp4 possible-match"]],
  );
  const item = page.locator(".filepond--item", { hasText: "listed.mp4" });
  assert.match(await item.textContent(), /may match a picture on the list “Demo list”.*In the film: 0:02–0:0[2345]\./);
});

test("removed while it is checked, it is not uploaded; a failed upload is retried", async (context) => {
  const { page, uploads } = await openApp(context, {
    script: app(
      "",
      undefined,
      `{ process: (name, file, metadata, load, error, progress, abort) => {
      if (!window.failed) { window.failed = true; error("broken"); return { abort }; }
      fetch("/upload", { method: "POST", body: file }).then(() => load("1"));
      return { abort };
    } }`,
    ),
    body,
    csp,
  });
  await page.evaluate(() => {
    window.pond.on("addfilestart", ({ id, filename }) => filename === "clean-0.png" && window.pond.removeFile(id));
  });
  await choose(page, [sample("clean", 0), sample("clean", 1)]);
  await page.waitForFunction(() => window.failed);
  await page.waitForFunction((status) => window.pond.getFiles()[0]?.status === status, PROCESSING_ERROR);
  assert.deepEqual([(await statuses(page)).length, uploads], [1, []]);
  await page.getByRole("button", { name: "Retry" }).click();
  await until(() => uploads.length === 1, "the retried upload");
  assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
});

test("what a plugin makes of a file is checked before it is uploaded", async (context) => {
  const swap = `
    FilePond.registerPlugin(({ addFilter }) => {
      addFilter("PREPARE_OUTPUT", async (file) => file.name === "clean-1.jpg" ? new File([await (await fetch("/samples/listed/listed-0.jpg")).blob()], file.name, { type: file.type }) : file);
      return { options: {} };
    });`;
  const { page, uploads } = await openApp(context, {
    script: app().replace("window.pond =", `${swap}\nwindow.pond =`),
    body,
    csp,
  });
  await choose(page, [sample("clean", 0), sample("clean", 1)]);
  await until(() => uploads.length === 1, "one upload");
  await page.waitForFunction(() => window.held.length === 1);
  await page.waitForFunction(() => /Your upload was held/.test(document.querySelector(".filepond--list").textContent));
  assert.deepEqual(await page.evaluate(() => window.held), ["clean-1.jpg possible-match"]);
  assert.deepEqual(uploads, ["clean/clean-0.png"]);
});

test("stored in the form: a form or a button that is pressed meanwhile waits, and nothing empty is sent", async (context) => {
  const { page, uploads, requests } = await openApp(context, {
    csp: csp.replace("form-action 'none'", "form-action 'self'; frame-src 'self'"),
    body: `<form action="/upload" method="post" enctype="multipart/form-data" target="frame"><input type="file" id="app" name="picture">
      <button id="send">Send</button><button type="button" id="copy">Copy</button></form><iframe name="frame" title="answer"></iframe>`,
    script: `${app("", undefined, "null").replace("allowMultiple: true", "allowMultiple: true, storeAsFile: true")}
      document.querySelector("#copy").onclick = () => fetch("/upload", { method: "POST", body: new FormData(document.querySelector("form")) });`,
  });
  const posts = () => requests.filter((request) => request === "POST /upload").length;
  const during = (button) =>
    page.evaluate((button) => {
      const check = window.gate.check.bind(window.gate);
      window.gate.check = async (...asked) => {
        window.gate.check = check;
        document.querySelector(button).click();
        return check(...asked);
      };
    }, button);
  await during("#send");
  await choose(page, [sample("clean", 0)]);
  await until(() => uploads.length === 1, "the form's upload");
  await during("#copy");
  await choose(page, [sample("clean", 1)]);
  await until(() => uploads.length === 3, "the copy's uploads");
  assert.deepEqual(uploads.toSorted(), ["clean/clean-0.png", "clean/clean-0.png", "clean/clean-1.jpg"]);
  // When a file was held, the form isn't sent by itself. The person has to submit it again.
  await during("#send");
  await choose(page, [sample("listed", 0)]);
  await page.waitForFunction(() => window.held.length === 1);
  await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
  assert.deepEqual([posts(), uploads.length], [2, 3]);
});

for (const [name, gate, options, answer] of unavailableGates()) {
  test(`the gate can't load: ${name}, and all are told`, async (context) => {
    const script = app(options, gate);
    const { page, uploads, said } = await openApp(context, { script, body, csp });
    await choose(page, [sample("clean", 0)]);
    await page.waitForFunction(() => window.held.length === 1);
    const words = said.filter((line) => line.startsWith("hashgate/filepond: files can't be checked"));
    assert.equal(words.length, 1);
    if (answer === "block") {
      await page.waitForFunction(() =>
        /could not be checked.*It was not uploaded/.test(document.querySelector(".filepond--item").textContent),
      );
      assert.deepEqual(uploads, []);
    } else {
      await until(() => uploads.length === 1, "the upload");
      await page.waitForFunction(() => / · Not checked/.test(document.querySelector(".filepond--item").textContent));
      assert.match(words[0], /are let through unchecked/);
    }
  });
}
