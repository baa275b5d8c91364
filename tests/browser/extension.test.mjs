// Tests the extension, loaded unpacked into real Chromium, on local pages whose policy forbids WebAssembly, inline
// styles and foreign frames. Files are chosen, dropped and pasted, and keys pressed, through the browser's own input.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";
import { buildExtension, folderOf, zipped } from "../../scripts/extension.mjs";
import { PICKERS, pickersScript } from "./input-openers.mjs";
import { film } from "./uploads.mjs";

const LISTED = resolve("target/samples/listed/listed-0.jpg");
const EDITED = resolve("target/samples/edited/listed-2-mirrored.jpg");
const CLEAN = resolve("target/samples/clean/clean-1.jpg");
const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src *; form-action 'self'";

/**
 * The page's script. It records the names of all files that the page's listeners see. The listeners are in the
 * capturing phase and are added before those of any other script of the page.
 */
const PAGE_SCRIPT = `
  window.seen = [];
  const note = (event, files) => { for (const file of files ?? []) seen.push(event.type + " " + file.name); };
  for (const type of ["input", "change"]) addEventListener(type, (event) => note(event, event.target.files), true);
  addEventListener("drop", (event) => { event.preventDefault(); note(event, event.dataTransfer.files); }, true);
  addEventListener("dragover", (event) => event.preventDefault(), true);
  addEventListener("paste", (event) => note(event, event.clipboardData.files), true);
  setInterval(() => { for (const input of document.querySelectorAll("input[type=file]"))
    for (const file of input.files) if (!seen.includes("poll " + file.name)) seen.push("poll " + file.name); }, 1);
  document.querySelector("#detached")?.addEventListener("click", () => {
    const input = document.createElement("input");
    input.type = "file";
    input.onchange = () => seen.push("detached " + [...input.files].map(({ name }) => name));
    input.click();
  });
  const host = document.querySelector("#closed");
  if (host) {
    const tree = host.attachShadow({ mode: "closed" });
    tree.innerHTML = "<input type=file>";
    tree.firstChild.addEventListener("change", ({ target }) => { for (const { name } of target.files) seen.push("closed " + name); });
    window.inClosed = tree.firstChild;
  }
`;
const PAGES = {
  "/form.html": `<form method="post" action="/upload" enctype="multipart/form-data">
    <input type="file" name="file" multiple><button id="send">send</button></form>
    <button id="detached">choose</button><div id="closed"></div>`,
  "/drop.html": `<div id="zone" style="height: 200px">drop here</div>`,
  "/paste.html": `<div id="text" contenteditable="true">text</div>`,
  "/pickers.html": Object.keys(PICKERS)
    .map((name) => `<button name="${name}">${name}</button>`)
    .join(""),
  "/frames.html": `<iframe id="other" width="600" height="400"></iframe>`,
};

let context;
let server;
let site;
let profile;
let id;
let page;
let uploads;

before(async () => {
  await buildExtension(["chromium"]);
  server = createServer((request, response) => {
    const path = request.url.split("?")[0];
    const send = (type, body) =>
      response.setHeader("content-security-policy", POLICY).setHeader("content-type", type).end(body);
    if (path === "/page.js") return send("text/javascript", PAGE_SCRIPT);
    if (path === "/upload") {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      return request.on("end", () => {
        uploads.push(Buffer.concat(chunks));
        send("text/html", "<title>received</title>");
      });
    }
    if (path === "/demo.hgf" || path.startsWith("/list/")) {
      response.setHeader("access-control-allow-origin", "*");
      return response.end(readFileSync(`target/samples${path}`));
    }
    if (path === "/pickers.js") return send("text/javascript", pickersScript());
    if (!(path in PAGES)) return response.writeHead(404).end();
    send(
      "text/html; charset=utf-8",
      `<!doctype html><title>page</title>${PAGES[path]}
        <script src="/page.js"></script><script src="/pickers.js"></script>`,
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  site = `http://127.0.0.1:${server.address().port}`;
  profile = mkdtempSync(join(tmpdir(), "hashgate-extension-"));
  const extension = resolve(folderOf("chromium"));
  context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    ignoreDefaultArgs: ["--disable-extensions"],
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      // Chrome builds with this feature ignore the switch `--load-extension` below.
      "--disable-features=DisableLoadExtensionCommandLineSwitch",
      ...[`--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
    ],
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: site });
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  id = new URL(worker.url()).host;
});
after(async () => {
  await context?.close();
  server?.close();
  server?.closeAllConnections();
  if (profile) rmSync(profile, { recursive: true, force: true });
});
beforeEach(async () => {
  uploads = [];
  await page?.close();
  page = await context.newPage();
});

/** Returns the roles and texts of the notices. The developer tools can read closed shadow trees. */
async function noticesIn(target) {
  const session = await context.newCDPSession(target);
  const { root } = await session.send("DOM.getDocument", { depth: -1, pierce: true });
  await session.detach();
  const found = [];
  const textOf = (node) => (node.nodeValue ?? "") + (node.children ?? []).map(textOf).join(" ");
  const visit = (node, closed) => {
    const attributes = node.attributes ?? [];
    const role = attributes[attributes.indexOf("role") + 1];
    if (closed && attributes.includes("role")) found.push({ role, text: textOf(node) });
    for (const child of node.children ?? []) visit(child, closed);
    if (node.contentDocument) visit(node.contentDocument, false);
    for (const tree of node.shadowRoots ?? []) visit(tree, tree.shadowRootType === "closed");
  };
  visit(root, false);
  return found;
}

/** Waits for a notice with this role. */
async function notice(role, target = page) {
  for (let wait = 0; wait < 200; wait += 1) {
    const found = (await noticesIn(target)).find((one) => one.role === role);
    if (found) return found.text;
    await new Promise((done) => setTimeout(done, 50));
  }
  return assert.fail(`no notice of role ${role}`);
}

const seen = (target = page) => target.evaluate(() => window.seen);
const open = async (path) => page.goto(`${site}${path}`);
const untilSeen = (what, target = page) =>
  target.waitForFunction((what) => window.seen.includes(what), what, { timeout: 15_000 });
const badge = async () => {
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  return worker.evaluate(async () => {
    const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
    return chrome.action.getBadgeText({ tabId: tab.id });
  });
};

/** Fills in the options page, saves, and returns what the page then says about the list. */
async function setOptions(values) {
  const options = await context.newPage();
  await options.goto(`chrome-extension://${id}/options.html`);
  await options.waitForFunction(() => document.querySelector("#status").textContent.length > 20);
  for (const [name, value] of Object.entries(values)) {
    if (name === "file") await options.setInputFiles("input[name=file]", value);
    else if (["url", "manifest", "keys"].includes(name)) await options.fill(`[name=${name}]`, value);
    else await options.check(`input[name=${name}][value=${value}]`);
  }
  await options.evaluate(() => document.querySelector("#status").replaceChildren());
  await options.click("button[type=submit]");
  await options.waitForFunction(() => /“|can't be used/.test(document.querySelector("#status").textContent));
  const status = await options.textContent("#status");
  await options.close();
  return status;
}

test("it asks for one permission, and carries the same bytes whenever it is zipped", async () => {
  const manifest = JSON.parse(readFileSync(`${folderOf("chromium")}/manifest.json`, "utf8"));
  assert.deepEqual(manifest.permissions, ["offscreen"]);
  for (const key of [
    "host_permissions",
    "optional_permissions",
    "optional_host_permissions",
    "externally_connectable",
    "web_accessible_resources",
  ]) {
    assert.equal(manifest[key], undefined, key);
  }
  // Content scripts don't contain the engine, because pages may forbid WebAssembly. Only the offscreen document
  // compiles it.
  for (const script of manifest.content_scripts.flatMap(({ js }) => js)) {
    assert.doesNotMatch(readFileSync(`${folderOf("chromium")}/${script}`, "utf8"), /WebAssembly/, script);
  }
  const [first, second] = [zipped("chromium"), zipped("chromium")];
  assert.deepEqual(first, second);
  assert.equal(Buffer.from(first.subarray(0, 4)).toString("latin1"), "PK\x03\x04");
});

test("a plain form: the held file never reaches the page, the clean one does, and is what is sent", async () => {
  await open("/form.html");
  await page.setInputFiles("form input", [LISTED, CLEAN]);
  const text = await notice("alertdialog");
  assert.match(text, /listed-0\.jpg: possibly on the list “Demo list” \(drawn sample pictures\)/);
  assert.match(text, /not a finding/);
  assert.match(text, /Nothing was sent/);
  assert.deepEqual(await seen(), []);
  // The notice's first button has the focus, so Enter presses it.
  await page.keyboard.press("Enter");
  await untilSeen("change clean-1.jpg");
  const all = await seen();
  assert.deepEqual(
    all.filter((entry) => entry.includes("listed")),
    [],
  );
  assert.ok(all.includes("input clean-1.jpg"));
  await page.click("#send");
  await page.waitForFunction(() => document.title === "received");
  assert.equal(uploads.length, 1);
  assert.ok(uploads[0].includes(readFileSync(CLEAN)));
  assert.ok(!uploads[0].includes("listed-0.jpg"));
});

test("films: a listed one is held, with its seconds, and a clean one reaches the page", async () => {
  await open("/form.html");
  await page.setInputFiles(
    "form input",
    [film("listed"), film("clean")].map((path) => resolve(path)),
  );
  const text = await notice("alertdialog");
  assert.match(
    text,
    /listed\.mp4: possibly on the list “Demo list” \(drawn sample pictures\) In the film: 0:02–0:0[2345]\./,
  );
  assert.deepEqual(await seen(), []);
  await page.keyboard.press("Enter");
  await untilSeen("change clean.mp4");
  assert.deepEqual(
    (await seen()).filter((entry) => entry.includes("listed")),
    [],
  );
});

test("a person may let a held file through, which the page can't do for them", async () => {
  await open("/form.html");
  await page.setInputFiles("form input", EDITED);
  await notice("alertdialog");
  // A page can't operate the notice: its shadow tree is closed, and the notice ignores events that scripts dispatch.
  await page.evaluate(() => {
    const host = [...document.documentElement.children].at(-1);
    if (host.shadowRoot !== null) throw new Error("the tree is open");
    for (const target of [host, document.activeElement]) {
      target.click();
      target.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, composed: true }));
    }
  });
  assert.deepEqual(await seen(), []);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await untilSeen("change listed-2-mirrored.jpg");
});

test("files that are no pictures pass", async () => {
  await open("/form.html");
  const notes = { name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 not a picture") };
  await page.setInputFiles("form input", notes);
  await untilSeen("change notes.pdf");

  // Makes sparse files: longer (257 MiB) than the part of a file that the extension reads, with only the beginning on
  // disk.
  const folder = mkdtempSync(join(tmpdir(), "hashgate-long-"));
  for (const [name, head] of [
    ["sound.mp3", Buffer.from("ID3\x04\0")],
    ["picture.jpg", readFileSync(CLEAN)],
  ]) {
    writeFileSync(join(folder, name), head);
    truncateSync(join(folder, name), 257 * 2 ** 20);
    await page.setInputFiles("form input", join(folder, name));
    if (name === "sound.mp3") await untilSeen("change sound.mp3");
  }
  assert.match(await notice("alertdialog"), /picture\.jpg: not checked/);
  await page.keyboard.press("Enter");
  assert.deepEqual(
    (await seen()).filter((entry) => entry.startsWith("change")),
    ["change notes.pdf", "change sound.mp3"],
  );
  rmSync(folder, { recursive: true });
});

test("a form that is sent meanwhile waits for the answer", async () => {
  for (const keys of [["Enter"], ["Tab", "Enter"]]) {
    await open("/form.html");
    await page.setInputFiles("form input", LISTED);
    await notice("alertdialog");
    await page.evaluate(() => document.querySelector("form").requestSubmit());
    await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
    assert.equal(uploads.length, 0);
    for (const key of keys) await page.keyboard.press(key);
  }
  // In the first round the person left the file out, and the form was not sent. In the second round the person let the
  // file through, and the form is sent with it.
  await page.waitForFunction(() => document.title === "received");
  assert.equal(uploads.length, 1);
  assert.ok(uploads[0].includes(readFileSync(LISTED)));
});

test("an input that is never in the document, and one in a closed shadow tree", async () => {
  await open("/form.html");
  for (const [path, button] of [
    [LISTED, "Enter"],
    [CLEAN, undefined],
  ]) {
    const choosing = page.waitForEvent("filechooser");
    await page.click("#detached");
    await (await choosing).setFiles(path);
    if (button) {
      await notice("alertdialog");
      await page.keyboard.press(button);
    }
  }
  await untilSeen("detached clean-1.jpg");
  const inClosed = await page.evaluateHandle(() => window.inClosed);
  await inClosed.setInputFiles(LISTED);
  await notice("alertdialog");
  await page.keyboard.press("Enter");
  await inClosed.setInputFiles(CLEAN);
  await untilSeen("closed clean-1.jpg");
  assert.deepEqual(
    (await seen()).filter((entry) => entry.includes("listed")),
    [],
  );
});

for (const name of Object.keys(PICKERS)) {
  test(`a picker: an input ${name}`, async () => {
    await open("/pickers.html");
    for (const [path, held] of [
      [LISTED, true],
      [CLEAN, false],
    ]) {
      const choosing = page.waitForEvent("filechooser", { timeout: 10_000 });
      await page.click(`button[name="${name}"]`);
      await (await choosing).setFiles(path);
      if (!held) continue;
      assert.match(await notice("alertdialog"), /listed-0\.jpg/);
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

test("a drop zone", async () => {
  await open("/drop.html");
  const session = await context.newCDPSession(page);
  const drop = async (...files) => {
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await session.send("Input.dispatchDragEvent", { type, x: 50, y: 50, data });
    }
  };
  // As pages that take folders do, this one reads the items' entries.
  await page.evaluate(() => {
    window.addEventListener("drop", (event) => {
      window.entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry().fullPath);
    });
  });
  await drop(LISTED, CLEAN);
  assert.match(await notice("alertdialog"), /listed-0\.jpg/);
  assert.deepEqual(await seen(), []);
  await page.keyboard.press("Escape");
  await untilSeen("drop clean-1.jpg");
  assert.deepEqual(await page.evaluate(() => window.entries), ["/clean-1.jpg"]);
  assert.deepEqual(await seen(), ["drop clean-1.jpg"]);
});

test("a folder that is dropped is read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-folder-"));
  mkdirSync(join(folder, "inner"));
  copyFileSync(LISTED, join(folder, "inner", "in-folder.jpg"));
  copyFileSync(CLEAN, join(folder, "clean.jpg"));
  await open("/drop.html");
  const session = await context.newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await session.send("Input.dispatchDragEvent", { type, x: 50, y: 50, data });
  }
  assert.match(await notice("alertdialog"), /in-folder\.jpg: possibly on the list/);
  await page.keyboard.press("Escape");
  await untilSeen("drop clean.jpg");
  assert.deepEqual(await seen(), ["drop clean.jpg"]);
  rmSync(folder, { recursive: true });
});

test("files by a promise: showOpenFilePicker and clipboard.read", async () => {
  await page.close();
  page = await context.newPage();
  // The test can't operate the browser's own dialog, so this stand-in returns real handles of files in the page's
  // private storage.
  await page.addInitScript(() => {
    window.showOpenFilePicker = async () => {
      const root = await navigator.storage.getDirectory();
      return Promise.all(window.chosen.map((name) => root.getFileHandle(name)));
    };
  });
  await open("/paste.html");
  const files = [LISTED, CLEAN].map((path) => ({
    name: path.split("/").at(-1),
    bytes: [...readFileSync(path)],
  }));
  await page.evaluate(async (files) => {
    const root = await navigator.storage.getDirectory();
    for (const { name, bytes } of files) {
      const writable = await (await root.getFileHandle(name, { create: true })).createWritable();
      await writable.write(new Uint8Array(bytes));
      await writable.close();
    }
    const text = document.querySelector("#text");
    text.addEventListener("click", async () => {
      if (window.chosen) {
        const handles = await window.showOpenFilePicker().catch((error) => [{ name: error.name }]);
        for (const { name } of handles) window.seen.push(`handle ${name}`);
        return;
      }
      for (const item of await navigator.clipboard.read()) window.seen.push(`read ${[...item.types].sort()}`);
    });
  }, files);
  const choose = async (names) => {
    await page.evaluate((names) => {
      window.chosen = names;
    }, names);
    await page.click("#text");
  };
  await choose(["listed-0.jpg", "clean-1.jpg"]);
  assert.match(await notice("alertdialog"), /listed-0\.jpg/);
  assert.deepEqual(await seen(), []);
  await page.keyboard.press("Enter");
  await untilSeen("handle clean-1.jpg");
  await choose(["listed-0.jpg"]);
  await notice("alertdialog");
  await page.keyboard.press("Enter");
  await untilSeen("handle AbortError");
  // Without further clicks of the person, the page soon gets no answers about files, so it can't probe the list.
  await page.evaluate(async () => {
    window.chosen = ["clean-1.jpg"];
    for (let n = 0; n < 6; n += 1)
      window.seen.push((await window.showOpenFilePicker().catch(({ name }) => [{ name }]))[0].name);
  });
  assert.equal((await seen()).at(-1), "AbortError");

  const write = (path, text) =>
    page.evaluate(
      async ({ bytes, text }) => {
        window.chosen = undefined;
        window.seen.length = 0;
        const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
        const canvas = new OffscreenCanvas(picture.width, picture.height);
        canvas.getContext("2d").drawImage(picture, 0, 0);
        const png = await canvas.convertToBlob({ type: "image/png" });
        await navigator.clipboard.write([
          new ClipboardItem({ "image/png": png, "text/plain": new Blob([text], { type: "text/plain" }) }),
        ]);
      },
      { bytes: [...readFileSync(path)], text },
    );
  await write(LISTED, "words");
  await page.click("#text");
  assert.match(await notice("alertdialog"), /possibly on the list/);
  await page.keyboard.press("Enter");
  await untilSeen("read text/plain");
  await write(CLEAN, "words");
  await page.click("#text");
  await untilSeen("read image/png,text/plain");
});

test("a paste into text that can be edited", async () => {
  await open("/paste.html");
  const paste = async (path) => {
    const bytes = [...readFileSync(path)];
    await page.evaluate(async (bytes) => {
      const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      canvas.getContext("2d").drawImage(picture, 0, 0);
      const png = await canvas.convertToBlob({ type: "image/png" });
      await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    }, bytes);
    await page.click("#text");
    await page.keyboard.press("ControlOrMeta+V");
  };
  await paste(LISTED);
  assert.match(await notice("alertdialog"), /possibly on the list/);
  await page.keyboard.press("Enter");
  assert.deepEqual(await seen(), []);
  assert.equal(await page.locator("#text img").count(), 0);
  await paste(CLEAN);
  await page.waitForSelector("#text img[src^='data:image/png']");
  assert.deepEqual(await seen(), ["paste image.png"]);
});

test("a paste from a spreadsheet: the text and the table arrive, with the picture only if it may pass", async () => {
  const html = "<table><tr><td>price</td><td>12</td></tr></table>";
  for (const path of [LISTED, CLEAN]) {
    await open("/paste.html");
    await page.evaluate(
      async ({ bytes, html }) => {
        window.addEventListener("paste", (event) => {
          if (!event.isTrusted) window.seen.push([...event.clipboardData.types].sort().join());
        });
        const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
        const canvas = new OffscreenCanvas(picture.width, picture.height);
        canvas.getContext("2d").drawImage(picture, 0, 0);
        const png = await canvas.convertToBlob({ type: "image/png" });
        const text = (type, content) => [type, new Blob([content], { type })];
        const parts = [["image/png", png], text("text/html", html), text("text/plain", "price\t12")];
        await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(parts))]);
      },
      { bytes: [...readFileSync(path)], html },
    );
    await page.evaluate(() => document.querySelector("#text").replaceChildren());
    await page.click("#text");
    await page.keyboard.press("ControlOrMeta+V");
    if (path === LISTED) {
      assert.match(await notice("alertdialog"), /possibly on the list/);
      await page.keyboard.press("Enter");
    }
    await page.waitForSelector("#text td");
    assert.equal((await page.textContent("#text")).replaceAll(/\s/g, ""), "price12");
    assert.equal(await page.locator("#text img").count(), 0);
    const types = path === LISTED ? "text/html,text/plain" : "Files,text/html,text/plain";
    assert.equal((await seen()).at(-1), types);
  }
});

test("frames: of another origin, and written by the page", async () => {
  await open("/frames.html");
  await page.evaluate(
    (url) => {
      document.querySelector("iframe").src = url;
    },
    `${site.replace("127.0.0.1", "localhost")}/form.html`,
  );
  await page.waitForFunction(() => frames.length === 1);
  const frame = await (async () => {
    for (;;) {
      const found = page.frames().find((one) => one.url().includes("localhost"));
      if (found) return found;
      await new Promise((done) => setTimeout(done, 20));
    }
  })();
  await frame.waitForFunction(() => window.seen);
  await frame.setInputFiles("form input", [LISTED, CLEAN]);
  assert.match(await notice("alertdialog", frame), /listed-0\.jpg/);
  await page.keyboard.press("Enter");
  await untilSeen("change clean-1.jpg", frame);
  assert.deepEqual(
    (await seen(frame)).filter((entry) => entry.includes("listed")),
    [],
  );

  await page.evaluate(() => {
    const written = document.createElement("iframe");
    written.srcdoc = "<input type=file id=written>";
    document.body.append(written);
  });
  const written = await page.waitForSelector("iframe:nth-of-type(2)").then((element) => element.contentFrame());
  await written.setInputFiles("#written", EDITED);
  assert.match(await notice("alertdialog"), /listed-2-mirrored\.jpg/);
  assert.equal(await written.evaluate(() => document.querySelector("#written").files.length), 0);
});

test("what a page makes up is not checked: it can't use the extension to ask about its own files", async () => {
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
  assert.deepEqual(await noticesIn(page), []);
});

test("a list that can't be loaded: held, or let through and said, as the options ask", async () => {
  assert.match(await setOptions({ from: "url", url: `${site}/missing.hgf` }), /HTTP status 404/);
  await open("/form.html");
  await page.setInputFiles("form input", CLEAN);
  assert.match(await notice("alertdialog"), /clean-1\.jpg: not checked \(.*HTTP status 404\)/);
  assert.deepEqual(await seen(), []);
  assert.equal(await badge(), "1");

  await setOptions({ unchecked: "allow" });
  await open("/form.html");
  await page.setInputFiles("form input", CLEAN);
  await untilSeen("change clean-1.jpg");
  assert.match(await notice("status"), /clean-1\.jpg: not checked/);
  assert.equal(await badge(), "!");

  assert.match(await setOptions({ url: `${site}/demo.hgf`, unchecked: "hold" }), /“Demo list”.*24 hashes/);
  await open("/form.html");
  await page.setInputFiles("form input", [LISTED]);
  await notice("alertdialog");
});

test("a list of the person's own, from a file; another's bytes are refused by name", async () => {
  const wrong = { name: "list.hgf", mimeType: "", buffer: Buffer.from("not a filter") };
  assert.match(await setOptions({ from: "file", file: wrong }), /can't be used.*magic/);
  assert.match(await setOptions({ from: "file", file: resolve("tests/vectors/filter-v2.hgf") }), /“vector”/);
  await open("/form.html");
  await page.setInputFiles("form input", LISTED);
  await untilSeen("change listed-0.jpg");
  assert.match(await setOptions({ from: "demo" }), /“Demo list”/);
});

/**
 * Makes a valid public key, as text, that has signed nothing. The text is the name, 4 bytes of the SHA-256 digest of
 * name and key, and the key after the number of its algorithm (1, Ed25519).
 */
function keyOfAnother(name) {
  const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const key = Buffer.concat([Buffer.of(1), Buffer.from(x, "base64url")]);
  const digest = createHash("sha256").update(`${name}\n`).update(key).digest("hex");
  return `${name}+${digest.slice(0, 8)}+${key.toString("base64")}`;
}

test("a published list: followed if its signature is by the given key, else held as not checked", async () => {
  const manifest = `${site}/list/manifest.txt`;
  const keys = readFileSync("target/samples/list.pub", "utf8").trim();
  assert.match(await setOptions({ from: "source", manifest, keys }), /“Demo list”/);
  await open("/form.html");
  await page.setInputFiles("form input", [LISTED, CLEAN]);
  assert.match(await notice("alertdialog"), /listed-0\.jpg: possibly on the list “Demo list”/);
  await page.keyboard.press("Enter");
  await untilSeen("change clean-1.jpg");

  assert.match(await setOptions({ keys: keyOfAnother("someone.test") }), /can't be used.*signature/s);
  await open("/form.html");
  await page.setInputFiles("form input", CLEAN);
  assert.match(await notice("alertdialog"), /clean-1\.jpg: not checked/);
  assert.match(await setOptions({ from: "demo" }), /“Demo list”/);
});

test("the options page is accessible, and in the browser's language where there is one", async () => {
  const options = await context.newPage();
  await options.goto(`chrome-extension://${id}/options.html`);
  await options.waitForFunction(() => document.querySelector("#status").textContent.includes("“"));
  for (const colorScheme of ["light", "dark"]) {
    await options.emulateMedia({ colorScheme });
    await options.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf8"));
    const { violations } = await options.evaluate(() => window.axe.run());
    assert.deepEqual(
      violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary).join()}`,
      ),
      [],
      colorScheme,
    );
  }
  await options.close();
  const [english, french] = ["en", "fr"].map((language) =>
    JSON.parse(readFileSync(`${folderOf("chromium")}/_locales/${language}/messages.json`, "utf8")),
  );
  assert.deepEqual(Object.keys(french).sort(), Object.keys(english).sort());
  // All messages that the scripts look up by name exist.
  for (const script of ["content", "options", "background"]) {
    const source = readFileSync(`${folderOf("chromium")}/${script}.js`, "utf8");
    for (const [, name] of source.matchAll(/(?:say|getMessage)\("(\w+)"/g)) assert.ok(english[name], name);
  }
});
