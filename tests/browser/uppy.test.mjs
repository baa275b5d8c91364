// Tests the Uppy plugin with the real Uppy, its Dashboard and its uploader, in real Chromium, against a real server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CSP } from "./server.mjs";
import { openApp, sample, unavailableGates, until } from "./uploads.mjs";

// Uppy's Dashboard sets style attributes, so the policy must allow them.
const csp = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace("blob:", "blob: data:");
const app = (options = "", gate = `await openGate({ filters: ["/filters/demo.hgf"], workers: 1 })`) => `
import Uppy from "@uppy/core"; import Dashboard from "@uppy/dashboard"; import XHRUpload from "@uppy/xhr-upload";
import "@uppy/core/css/style.min.css"; import "@uppy/dashboard/css/style.min.css";
import { openGate } from "hashgate"; import { HashgateUppy } from "hashgate/uppy";
const gate = ${gate};
const uppy = new Uppy().use(Dashboard, { inline: true, target: "#app", showProgressDetails: true })
  .use(XHRUpload, { endpoint: "/upload", shouldRetry: () => false }).use(HashgateUppy, { gate, ${options} });
window.seen = []; window.held = [];
uppy.on("preprocess-progress", (file, progress) => window.seen.push(progress.mode + " " + progress.message));
uppy.on("preprocess-complete", () => window.seen.push("complete"));
uppy.on("hashgate:held", (file, verdict) => window.held.push(file.name + " " + verdict.outcome));
uppy.on("hashgate:unchecked", (file, verdict) => window.held.push(file.name + " unchecked " + verdict.reason));
const namesOf = (files) => files.map(({ name }) => name).sort();
uppy.on("complete", ({ successful, failed }) => { window.result = { successful: namesOf(successful), failed: namesOf(failed) }; });
window.uppy = uppy; window.gate = gate; window.plugin = uppy.getPlugin("Hashgate"); window.ready = true;`;
const choose = (page, paths) => page.locator("input[type=file]").first().setInputFiles(paths);
const press = (page) => page.locator(".uppy-StatusBar-actionBtn--upload").click();
const states = (page) =>
  page.evaluate(() =>
    window.uppy
      .getFiles()
      .map(({ name, error, progress }) => `${name} ${progress.uploadComplete ? "uploaded" : (error ?? "waiting")}`),
  );

test("clean files are uploaded, listed and edited ones stay with their reason, retries check again", async (context) => {
  const { page, uploads, said } = await openApp(context, { script: app(), body: `<div id="app"></div>`, csp });
  await choose(page, [sample("clean", 0), sample("listed", 0), sample("edited", 2), sample("clean", 1)]);
  await press(page);
  await until(() => uploads.length === 2, "two uploads");
  await page.waitForFunction(() => window.held.length === 2 && window.uppy.getState().totalProgress === 100);
  assert.deepEqual(uploads.sort(), ["clean/clean-0.png", "clean/clean-1.jpg"]);
  assert.deepEqual((await page.evaluate(() => window.held)).sort(), [
    "listed-0.jpg possible-match",
    "listed-2-mirrored.jpg possible-match",
  ]);
  const seen = await page.evaluate(() => window.seen);
  assert.deepEqual(seen.slice(0, 4), Array(4).fill("indeterminate Checking on this device"));
  assert.equal(seen.filter((event) => event === "complete").length, 4);
  const [clean, listed] = await states(page);
  assert.equal(clean, "clean-0.png uploaded");
  assert.match(listed, /^listed-0\.jpg “listed-0\.jpg” may match a picture on the list “Demo list”.*possible match/);
  // The person reads the reason in the file's card. The Dashboard neither says that an upload failed nor offers a
  // retry.
  const cards = page.locator(".uppy-Dashboard-Item.is-error");
  await page.waitForFunction(() => document.querySelectorAll(".hashgate-reason").length === 2);
  assert.match(await cards.first().textContent(), /“listed-0\.jpg” may match a picture on the list/);
  await page.waitForSelector(".uppy-Informer :text('Your upload was held')");
  const dashboard = await page.locator("#app").textContent();
  assert.doesNotMatch(dashboard, /Upload failed|Failed to upload|Retry/);
  assert.equal(await page.getByRole("button", { name: /retry/i }).count(), 0);
  const result = await page.evaluate(() => window.result);
  assert.deepEqual(result, {
    successful: ["clean-0.png", "clean-1.jpg"],
    failed: ["listed-0.jpg", "listed-2-mirrored.jpg"],
  });

  // A retry checks the files again, and holds them again.
  await page.evaluate(() => window.uppy.retryAll());
  await page.waitForFunction(() => window.held.length === 4);
  assert.equal(uploads.length, 2);
  // A file that the page releases is uploaded. The report counts the appeal and the release.
  const id = await page.evaluate(() => window.uppy.getFiles()[1].id);
  await page.evaluate((id) => window.plugin.appeal(id).then(() => window.plugin.release(id)), id);
  await until(() => uploads.length === 3, "the released upload");
  assert.equal(uploads[2], "listed/listed-0.jpg");
  const { totals } = await page.evaluate(() => window.gate.report());
  assert.deepEqual([totals.appealed, totals.overridden], [1, 1]);
  assert.deepEqual(
    said.filter((line) => /hashgate|TypeError/.test(line)),
    [],
  );
});

test("cancelled while it is checked, nothing is uploaded, and the next batch works", async (context) => {
  const { page, uploads } = await openApp(context, { script: app(), body: `<div id="app"></div>`, csp });
  await choose(page, [sample("clean", 0), sample("clean", 1), sample("listed", 0)]);
  await page.evaluate(() => {
    window.uppy.once("preprocess-progress", () => setTimeout(() => window.uppy.cancelAll()));
    window.done = window.uppy.upload().then(
      () => "ended",
      (error) => String(error),
    );
  });
  assert.equal(await page.evaluate(() => window.done), "ended");
  assert.deepEqual([uploads, await page.evaluate(() => window.held), await states(page)], [[], [], []]);
  // One of two files is removed during the check. The other is uploaded.
  await choose(page, [sample("clean", 2), sample("clean", 3)]);
  await page.evaluate(() => {
    const [first] = window.uppy.getFiles();
    window.uppy.once("preprocess-progress", () => setTimeout(() => window.uppy.removeFile(first.id)));
    return window.uppy.upload();
  });
  assert.deepEqual(uploads, ["clean/clean-3.jpg"]);
});

test("a release uploads the bytes that were held, whatever follows it at once", async (context) => {
  const { page, uploads } = await openApp(context, { script: app(), body: `<div id="app"></div>`, csp });
  for (const then of ["replace", "change", "remove the plugin"]) {
    await choose(page, sample("listed", 0));
    await page.evaluate(() => window.uppy.upload());
    uploads.length = 0;
    await page.evaluate(async (then) => {
      const data = await (await fetch("/samples/listed/listed-1.jpg")).blob();
      const [{ id, name, type }] = window.uppy.getFiles();
      let released;
      if (then === "replace") {
        // Adds a file with other bytes whose name, size and time, and so whose id in Uppy, are those of the released
        // file.
        const old = window.uppy.getFile(id).data;
        const bytes = new Uint8Array(old.size);
        bytes.set(new Uint8Array(await data.arrayBuffer()).subarray(0, old.size));
        released = window.plugin.release(id);
        window.uppy.clear();
        const { lastModified } = old;
        const other = window.uppy.addFile({ name, type, data: new File([bytes], name, { type, lastModified }) });
        if (other !== id) throw new Error(`expected the id ${id}, got ${other}`);
      } else {
        released = window.plugin.release(id);
        window.uppy.setFileState(id, { data });
      }
      if (then === "remove the plugin") window.uppy.removePlugin(window.plugin);
      await released.catch(() => undefined);
    }, then);
    // Only the released bytes may be uploaded. If the file was replaced, nothing is uploaded.
    assert.deepEqual(uploads, then === "replace" ? [] : ["listed/listed-0.jpg"], then);
    if (then === "remove the plugin")
      await page.evaluate(() => window.uppy.use(window.plugin.constructor, window.plugin.opts));
    await page.evaluate(() => {
      window.plugin = window.uppy.getPlugin("Hashgate");
      window.uppy.cancelAll();
    });
  }
});

test("a restored upload is checked, and a remote file, of which there are no bytes, is never clear", async (context) => {
  const { page, uploads } = await openApp(context, { script: app(), body: `<div id="app"></div>`, csp });
  await choose(page, [sample("listed", 1), sample("clean", 1)]);
  // Sets the state of a restored session: the upload is past the pre-processors, at the uploader. It must be checked
  // again.
  await page.evaluate(() => {
    const fileIDs = window.uppy.getFiles().map(({ id }) => id);
    window.uppy.setState({ currentUploads: { restored: { fileIDs, step: 1, result: {} } } });
    return window.uppy.restore("restored");
  });
  assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
  assert.deepEqual(await page.evaluate(() => window.held), ["listed-1.jpg possible-match"]);
  const remote = await page.evaluate(async () => {
    window.uppy.cancelAll();
    window.held.length = 0;
    const remote = {
      companionUrl: "http://127.0.0.1:9",
      url: "http://127.0.0.1:9/get",
      requestClientId: "x",
      providerName: "x",
    };
    window.uppy.addFile({
      name: "far.jpg",
      type: "image/jpeg",
      source: "x",
      isRemote: true,
      data: { size: 10 },
      body: {},
      remote,
    });
    await window.uppy.upload();
    return window.held;
  });
  assert.deepEqual(remote, ["far.jpg unchecked"]);
  // After the plugin is removed, Uppy uploads without checks.
  await page.evaluate(() => {
    window.uppy.cancelAll();
    window.uppy.removePlugin(window.plugin);
  });
  await choose(page, [sample("listed", 2)]);
  await page.evaluate(() => window.uppy.upload());
  assert.deepEqual(uploads, ["clean/clean-1.jpg", "listed/listed-2.jpg"]);
});

/** A gate whose checks wait for `window.goOn()`, once `window.wait()` was called. */
const SLOW = `await (async () => {
  const gate = await openGate({ filters: ["/filters/demo.hgf"], workers: 1 });
  const check = gate.check.bind(gate);
  let waiting = Promise.resolve();
  window.goOn = () => {};
  window.wait = () => { waiting = new Promise((resolve) => { window.goOn = resolve; }); };
  gate.check = async (file, options) => { await waiting; options?.signal?.throwIfAborted(); return check(file, options); };
  window.blob = async (path) => (await fetch("/samples/" + path)).blob();
  window.settle = () => new Promise((done) => setTimeout(done, 300));
  return gate;
})()`;

for (const version of [6, 5]) {
  const alias =
    version === 5
      ? { "@uppy/core": "uppy5-core", "@uppy/dashboard": "uppy5-dashboard", "@uppy/xhr-upload": "uppy5-xhr-upload" }
      : {};
  const open = (context) => openApp(context, { script: app("", SLOW), body: `<div id="app"></div>`, csp, alias });

  test(`Uppy ${version}: what is uploaded is what was judged, whatever is changed when`, async (context) => {
    const { page, uploads } = await open(context);
    await choose(page, [sample("clean", 0), sample("clean", 1)]);
    // Changes a file while it is checked.
    await page.evaluate(async () => {
      window.wait();
      window.done = window.uppy.upload();
      await window.settle();
      const [first] = window.uppy.getFiles();
      window.uppy.setFileState(first.id, { data: await window.blob("listed/listed-0.jpg") });
      window.goOn();
      await window.done;
    });
    assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
    assert.deepEqual(await page.evaluate(() => window.held), ["clean-0.png possible-match"]);
    // A release applies only to the bytes that were held. Here the file's bytes change right after the call.
    await page.evaluate(async () => {
      const [{ id }] = window.uppy.getFiles();
      const released = window.plugin.release(id);
      window.uppy.setFileState(id, { data: await window.blob("listed/listed-1.jpg") });
      await released.catch(() => undefined);
      await window.settle();
    });
    assert.ok(!uploads.includes("listed/listed-1.jpg"), uploads.join());
    // Clears the list, then adds another file of the same name and size, which gets the same id.
    const before = uploads.length;
    await page.evaluate(async () => {
      const add = (data) => window.uppy.addFile({ name: "same", type: "image/jpeg", data });
      window.uppy.cancelAll();
      add(await window.blob("clean/clean-2.jpg"));
      await window.uppy.upload();
      window.uppy.clear();
      const listed = await window.blob("listed/listed-2.jpg");
      add(listed);
      await window.uppy.upload();
    });
    assert.deepEqual(uploads.slice(before), ["clean/clean-2.jpg"]);
  });

  test(`Uppy ${version}: a held file is not uploaded by a retry while others are checked, or without the plugin`, async (context) => {
    const { page, uploads } = await open(context);
    await choose(page, [sample("listed", 0)]);
    await page.evaluate(() => window.uppy.upload());
    await page.waitForFunction(() => window.held.length === 1);
    // The Dashboard has no file input while it shows its list, so the test adds files through Uppy.
    const add = (...paths) =>
      page.evaluate(async (paths) => {
        for (const path of paths) {
          window.uppy.addFile({ name: path.split("/")[1], type: "image/jpeg", data: await window.blob(path) });
        }
      }, paths);
    await add("clean/clean-0.png");
    await page.evaluate(async () => {
      window.wait();
      const [held, clean] = window.uppy.getFiles();
      const all = [
        window.uppy.retryUpload(held.id),
        window.uppy.retryUpload(clean.id),
        window.uppy.retryAll(),
        window.uppy.upload(),
      ];
      await window.settle();
      for (const { id } of window.uppy.getFiles()) window.uppy.setFileState(id, { error: null });
      window.goOn();
      await Promise.allSettled(all);
    });
    assert.deepEqual([...new Set(uploads)], ["clean/clean-0.png"]);
    // Removes the plugin during a check. The files of that check are then held.
    await add("clean/clean-1.jpg", "listed/listed-1.jpg");
    const count = uploads.length;
    await page.evaluate(async () => {
      window.wait();
      const done = window.uppy.upload();
      await window.settle();
      window.uppy.removePlugin(window.plugin);
      window.goOn();
      await done;
    });
    assert.equal(uploads.length, count);
  });
}

test("strings are Uppy's: a locale of the plugin or of Uppy, at any time; ghosts are not remote", async (context) => {
  const script = app(
    `locale: { strings: { ...hashgateLocale("fr").strings, hashgateChecking: "Un instant" } }`,
  ).replace("{ HashgateUppy }", "{ HashgateUppy, hashgateLocale }");
  const { page } = await openApp(context, { script, body: `<div id="app"></div>`, csp });
  await choose(page, [sample("listed", 0)]);
  await page.evaluate(() => window.uppy.upload());
  assert.equal((await page.evaluate(() => window.seen))[0], "indeterminate Un instant");
  assert.match((await states(page))[0], /correspond peut-être à une image de la liste/);
  await page.evaluate(() => {
    window.plugin.setOptions({ locale: { strings: { hashgatePossible: "%{file}: %{list}?" } } });
    return window.uppy.upload();
  });
  assert.match((await states(page))[0], /listed-0\.jpg: Demo list\?/);
  const verdict = await page.evaluate(async () => {
    const [{ id }] = window.uppy.getFiles();
    window.uppy.setFileState(id, { isGhost: true, data: undefined, error: null });
    await window.uppy.upload();
    return window.plugin.verdictOf(id);
  });
  assert.equal(verdict.outcome, "unchecked");
  assert.doesNotMatch(verdict.detail, /remote/);
  // A Blob that was made in another frame (where `instanceof Blob` fails) is accepted as a Blob.
  const framed = await page.evaluate(async () => {
    window.uppy.cancelAll();
    const frame = document.createElement("iframe");
    document.body.append(frame);
    const bytes = await (await fetch("/samples/clean/clean-1.jpg")).arrayBuffer();
    const id = window.uppy.addFile({
      name: "framed.jpg",
      type: "image/jpeg",
      data: new frame.contentWindow.Blob([bytes]),
    });
    await window.uppy.upload();
    return window.plugin.verdictOf(id)?.outcome;
  });
  assert.equal(framed, "clear");
});

for (const [name, gate, options, answer] of unavailableGates()) {
  test(`the gate can't load: ${name}, and all are told`, async (context) => {
    const script = app(options, gate);
    const { page, uploads, said } = await openApp(context, { script, body: `<div id="app"></div>`, csp });
    await choose(page, [sample("clean", 0)]);
    await press(page);
    await page.waitForFunction(() => window.held.length === 1);
    const words = said.filter((line) => line.startsWith("hashgate/uppy: files can't be checked"));
    assert.equal(words.length, 1);
    if (answer === "block") {
      assert.match(words[0], /are held: .*expected.* HTTP status 200|are held: .*manifest/);
      assert.match((await states(page))[0], /not available at the moment\. It was not uploaded/);
      assert.deepEqual(uploads, []);
    } else {
      await until(() => uploads.length === 1, "the upload");
      assert.match(words[0], /are let through unchecked/);
      await page.waitForFunction(() => /could not be checked/.test(document.querySelector("#app").textContent));
    }
  });
}
