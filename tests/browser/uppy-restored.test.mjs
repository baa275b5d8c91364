// Tests the Uppy plugin with the real Golden Retriever, in real Chromium, against a real server. The Golden Retriever
// keeps files in IndexedDB, and restores them after a reload: as other Blobs under the same ids, in uploads that may be
// past the check.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CSP } from "./server.mjs";
import { openApp, sample, until } from "./uploads.mjs";

// Uppy's own Dashboard sets style attributes.
const csp = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace("blob:", "blob: data:");
/**
 * The app's script. With `?last` in the URL, the plugin is added last, when the Golden Retriever has begun to restore.
 */
const SCRIPT = `
import Uppy from "@uppy/core"; import Dashboard from "@uppy/dashboard"; import XHRUpload from "@uppy/xhr-upload";
import GoldenRetriever from "@uppy/golden-retriever";
import "@uppy/core/css/style.min.css"; import "@uppy/dashboard/css/style.min.css";
import { openGate } from "hashgate"; import { HashgateUppy } from "hashgate/uppy";
const gate = await openGate({ filters: ["/filters/demo.hgf"], workers: 1 });
GoldenRetriever[Symbol.for("uppy test: throttleTime")] = 0;
window.held = [];
const log = (...said) => console.log(...said);
const uppy = new Uppy({ logger: { debug() {}, warn: log, error: log } })
  .use(Dashboard, { inline: true, target: "#app" })
  .use(XHRUpload, { endpoint: "/upload", shouldRetry: () => false });
uppy.on("hashgate:held", (file, verdict) => window.held.push(file.name + " " + (verdict.reason ?? verdict.outcome)));
uppy.on("restored", () => { window.restored = true; });
const protect = () => uppy.use(HashgateUppy, { gate });
const retrieve = () => uppy.use(GoldenRetriever, { indexedDB: { maxFileSize: 10 << 20 } });
if (location.search.includes("last")) {
  retrieve();
  await new Promise((resolve) => uppy.once("restored", resolve));
  protect();
} else { protect(); retrieve(); }
/** Runs act on an object store of the Golden Retriever's database. Resolves to the result of its request. */
const store = (name, mode, act) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("uppy-blobs");
  opening.onerror = reject;
  opening.onsuccess = () => {
    const transaction = opening.result.transaction(name, mode, { durability: "strict" });
    const request = act(transaction.objectStore(name));
    transaction.oncomplete = () => { opening.result.close(); resolve(request.result); };
    transaction.onerror = reject;
  };
});
window.kept = async () => (await store("files", "readonly", (all) => all.getAll())).filter(({ store }) => store);
/** Gives the list of files and uploads that the Golden Retriever has stored as JSON. */
window.snapshot = async () => {
  const [entry] = await store("metadata", "readonly", (all) => all.getAll());
  return JSON.parse(entry?.metadata ?? "{}");
};
window.keepOther = (entry) => store("files", "readwrite", (all) => all.put(entry));
window.flush = () => store("files", "readwrite", (all) => all.put({ id: "flush", store: "", data: new Blob() }));
window.lose = (id) => store("files", "readwrite", (all) => all.delete(id));
window.blob = async (path) => (await fetch("/samples/" + path)).blob();
window.uppy = uppy; window.plugin = uppy.getPlugin("Hashgate"); window.ready = true;`;

const choose = (page, paths) => page.locator("input[type=file]").first().setInputFiles(paths);

/** Waits until the Golden Retriever has stored `count` files and all of Uppy's list. */
async function kept(page, count) {
  const stored = async (count) => {
    const files = Object.keys((await window.snapshot()).files ?? {}).length;
    return (await window.kept()).length === count && files === window.uppy.getFiles().length;
  };
  await until(() => page.evaluate(stored, count), `${count} files in the Golden Retriever's database`);
  // Flushes the latest entries to the database. A reload before that would lose them.
  await page.evaluate(() => window.flush());
}

async function reload(page, search = "") {
  await page.goto(`${new URL("/", page.url())}${search}`);
  await page.waitForFunction(() => window.ready && window.restored);
}

/**
 * Presses the Dashboard's button that continues with the restored files. The button is disabled if a file has no bytes.
 */
async function goOn(page, said) {
  const button = page.locator(".uppy-StatusBar-actionBtn--upload");
  await page.waitForSelector(".uppy-Dashboard-serviceMsg");
  const ghosts = await page.evaluate(async () => [
    ...window.uppy
      .getFiles()
      .filter(({ data }) => !data)
      .map(({ id }) => id),
    (await window.kept()).map(({ fileID }) => fileID).join(),
  ]);
  assert.ok(await button.isEnabled(), [...ghosts, ...said].join("\n"));
  await button.click();
}

for (const version of [6, 5]) {
  const old = {
    "@uppy/core": "uppy5-core",
    "@uppy/dashboard": "uppy5-dashboard",
    "@uppy/xhr-upload": "uppy5-xhr-upload",
  };
  const open = (context, more) =>
    openApp(context, { script: SCRIPT, body: `<div id="app"></div>`, csp, alias: version === 5 ? old : {}, ...more });

  for (const search of ["", "?last"]) {
    test(`Uppy ${version}${search}: files that were kept are judged before they are uploaded`, async (context) => {
      const { page, uploads, said } = await open(context);
      await choose(page, [sample("clean", 1), sample("listed", 0), sample("clean", 2)]);
      await kept(page, 3);
      await reload(page, search);
      await goOn(page, said);
      await until(() => uploads.length === 2, "two uploads");
      await page.waitForFunction(() => window.held.length === 1);
      assert.deepEqual(uploads.sort(), ["clean/clean-1.jpg", "clean/clean-2.jpg"]);
      assert.deepEqual(await page.evaluate(() => window.held), ["listed-0.jpg possible-match"]);
      // The held file is stored with its error. After another reload nothing uploads it, not even a retry.
      await kept(page, 1);
      await reload(page, search);
      await page.evaluate(() => Promise.allSettled([window.uppy.retryAll(), window.uppy.upload()]));
      assert.equal(uploads.length, 2);
      assert.deepEqual(await page.evaluate(() => window.held), ["listed-0.jpg possible-match"]);
    });
  }

  test(`Uppy ${version}: an upload that was past the check, with other bytes under the ids, is checked`, async (context) => {
    let arrive;
    const { page, uploads, said } = await open(context);
    // The server never answers the uploads of the first session.
    await page.route("**/upload", (route) => (arrive ? route.continue() : undefined));
    await choose(page, [sample("clean", 1), sample("clean", 2), sample("clean", 3)]);
    await kept(page, 3);
    await page.evaluate(() => void window.uppy.upload());
    // Waits until the stored snapshot says that the upload is at its uploader (step 1).
    const begun = async () => {
      return Object.values((await window.snapshot()).currentUploads ?? {}).some(({ step }) => step === 1);
    };
    await until(() => page.evaluate(begun), "an upload in the snapshot that is at its uploader");
    await page.evaluate(async () => {
      const entries = await window.kept();
      const swap = entries.find(({ fileID }) => fileID.includes("clean/2"));
      await window.keepOther({ ...swap, data: await window.blob("listed/listed-1.jpg") });
    });
    await reload(page);
    // Only now, so that no late request of the first session arrives.
    arrive = true;
    await goOn(page, said);
    await until(() => uploads.length === 2, "two uploads");
    await page.waitForFunction(() => window.held.length === 1);
    assert.deepEqual(await page.evaluate(() => window.held), ["clean-2.jpg possible-match"]);
    assert.ok(!uploads.some((name) => name.startsWith("listed")), uploads.join());
  });

  test(`Uppy ${version}: a file whose bytes were not kept is held with its reason until it is chosen again`, async (context) => {
    const { page, uploads } = await open(context);
    await choose(page, [sample("clean", 1), sample("clean", 2), sample("listed", 2)]);
    await kept(page, 3);
    await page.evaluate(async () => {
      for (const { fileID, id } of await window.kept()) if (!/clean.1/.test(fileID)) await window.lose(id);
    });
    await reload(page);
    await page.evaluate(() => window.uppy.upload());
    await until(() => uploads.length === 1, "one upload");
    const held = await page.evaluate(() => window.held.toSorted());
    assert.deepEqual(held, ["clean-2.jpg incomplete", "listed-2.jpg incomplete"]);
    // Neither a retry nor a new upload sends the files without bytes.
    await page.evaluate(() => Promise.allSettled([window.uppy.retryAll(), window.uppy.upload()]));
    assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
    // When the person chooses such a file again, its new bytes are checked.
    await page.evaluate(async () => {
      window.held.length = 0;
      for (const { id, name } of window.uppy.getFiles().filter(({ data }) => !data)) {
        const data = await window.blob(`${name.replace(/-.*/, "")}/${name}`);
        window.uppy.setFileState(id, { data, isGhost: false });
      }
      await window.uppy.retryAll();
    });
    assert.deepEqual(uploads, ["clean/clean-1.jpg", "clean/clean-2.jpg"]);
    assert.deepEqual(await page.evaluate(() => window.held), ["listed-2.jpg possible-match"]);
  });
}
