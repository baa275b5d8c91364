// Tests the guard in Chromium: what the page's own listeners see, and what a real server receives.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { CSP } from "./server.mjs";
import { openApp, sample, unavailableGates, until, violations } from "./uploads.mjs";

const OPEN = `import { openGate } from "hashgate"; import { guard } from "hashgate/guard";
const gate = await openGate({ filters: ["/filters/demo.hgf"], workers: 1 });
window.gate = gate; window.events = [];
for (const type of ["hashgate-held", "hashgate-unchecked", "hashgate-settled"]) {
  addEventListener(type, (event) => window.events.push([type, event.detail.file?.name ?? "", event.detail.verdict?.outcome ?? ""].join(" ").trim()));
}
const send = (files) => { for (const file of files) fetch("/upload", { method: "POST", body: file }); };
`;
const events = (page) => page.evaluate(() => window.events);
const settled = async (page, count = 1) =>
  page.waitForFunction((count) => window.events.filter((type) => type === "hashgate-settled").length >= count, count);

/** Dispatches a drop or paste event with these files. */
const bring = (page, selector, type, paths, text = "") =>
  page.evaluate(
    ({ selector, type, files, text }) => {
      const data = new DataTransfer();
      if (text) data.setData("text/plain", text);
      for (const { name, bytes } of files) {
        data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type: "image/jpeg" }));
      }
      const how = { bubbles: true, cancelable: true, composed: true };
      const event =
        type === "drop"
          ? new DragEvent("drop", { ...how, dataTransfer: data, clientX: 12 })
          : new ClipboardEvent("paste", { ...how, clipboardData: data });
      document.querySelector(selector).dispatchEvent(event);
    },
    {
      selector,
      type,
      text,
      files: paths.map((path) => ({ name: path.split("/").at(-1), bytes: readFileSync(path).toString("base64") })),
    },
  );

test("an input: the page's listeners get clean files alone, and find nothing meanwhile", async (context) => {
  const { page, uploads } = await openApp(context, {
    body: `<label>Pictures <input type="file" id="input" multiple></label>`,
    script: `${OPEN}
      const input = document.querySelector("input");
      window.seen = [];
      // The page listens to both events, in the capturing phase.
      document.addEventListener("input", () => window.seen.push("input " + input.files.length), true);
      input.addEventListener("change", () => { window.seen.push("change " + input.files.length); send(input.files); });
      input.addEventListener("hashgate-checking", () => window.seen.push("checking, files: " + input.files.length));
      window.guarding = guard(input, gate);
      window.ready = true;`,
  });
  const clean = [sample("clean", 0), sample("clean", 1)];
  await page.setInputFiles("#input", [clean[0], sample("listed", 0), sample("edited", 2), clean[1]]);
  await settled(page);
  await until(() => uploads.length === 2, "two uploads");
  assert.deepEqual(uploads.sort(), ["clean/clean-0.png", "clean/clean-1.jpg"]);
  assert.deepEqual(await page.evaluate(() => window.seen), ["checking, files: 0", "input 2", "change 2"]);
  assert.deepEqual(await events(page), [
    "hashgate-held listed-0.jpg possible-match",
    "hashgate-held listed-2-mirrored.jpg possible-match",
    "hashgate-settled",
  ]);
  // The page has no code that shows a notice, but the guard shows one by itself.
  const notice = page.locator("hashgate-notice");
  assert.match(
    await notice.locator("section").textContent(),
    /may match a picture on the list “Demo list” \(drawn sample/,
  );
  assert.deepEqual(await violations(page), []);

  // All chosen files are clean: the page gets the browser's own FileList, and the notice of the first choice is hidden.
  await page.setInputFiles("#input", [sample("clean", 2), sample("clean", 3)]);
  await settled(page, 2);
  await until(() => uploads.length === 4, "four uploads");
  assert.equal(await notice.locator("section").isVisible(), false);
  // All chosen files are held. The page had an earlier choice, so it gets a change event and finds the input empty.
  await page.setInputFiles("#input", sample("listed", 1));
  await settled(page, 3);
  await page.waitForFunction(() => window.seen.at(-1) === "change 0");
  assert.equal(uploads.length, 4);
  const { totals } = await page.evaluate(() => window.gate.report());
  assert.deepEqual([totals.checked, totals.clear, totals.possible], [7, 4, 3]);

  // "Choose another file" opens the input's picker. After `remove()`, the guard neither shows a notice nor stops
  // uploads.
  const chooser = page.waitForEvent("filechooser");
  await notice.getByRole("button", { name: "Choose another file" }).click();
  await chooser;
  await page.evaluate(() => window.guarding.remove());
  assert.equal(await page.locator("hashgate-notice").count(), 0);
  await page.setInputFiles("#input", sample("listed", 2));
  await until(() => uploads.length === 5, "what an unguarded page sends");
  assert.equal(uploads[4], "listed/listed-2.jpg");
});

test("`caveats` holds a clear file that has one of them, and no other", async (context) => {
  for (const [caveats, held] of [
    [[], []],
    [["one-reading"], []],
    [["ac-terms-unread"], ["hashgate-held clean-1.jpg clear"]],
  ]) {
    const { page, uploads } = await openApp(context, {
      body: `<input type="file" id="input" multiple>`,
      script: `${OPEN}
        const input = document.querySelector("input");
        input.addEventListener("change", () => send(input.files));
        guard(input, gate, { caveats: ${JSON.stringify(caveats)} });
        window.ready = true;`,
    });
    // The first picture's verdict has no caveat. The second is a progressive JPEG, which gets one: only its DC terms
    // are read.
    await page.setInputFiles("#input", [sample("clean", 0), sample("clean", 1)]);
    await settled(page);
    const arrived = held.length === 0 ? ["clean/clean-0.png", "clean/clean-1.jpg"] : ["clean/clean-0.png"];
    await until(() => uploads.length === arrived.length, `${arrived.length} uploads`);
    assert.deepEqual(uploads.sort(), arrived);
    assert.deepEqual(await events(page), [...held, "hashgate-settled"]);
    if (held.length > 0) {
      assert.match(await page.locator("hashgate-notice section").textContent(), /clean-1\.jpg/);
    }
  }
});

test("the page answers: it tells the person itself, releases, and counts an appeal", async (context) => {
  const { page, uploads } = await openApp(context, {
    body: `<label>Picture <input type="file" id="input"></label><output></output>`,
    script: `${OPEN}
      const input = document.querySelector("input");
      guard(document, gate);
      input.addEventListener("change", () => send(input.files));
      input.addEventListener("hashgate-held", (event) => {
        event.preventDefault();
        window.held = event.detail;
        document.querySelector("output").textContent = event.detail.file.name + " is held";
      });
      window.ready = true;`,
  });
  await page.setInputFiles("#input", sample("listed", 0));
  await page.waitForFunction(() => document.querySelector("output").textContent === "listed-0.jpg is held");
  assert.equal(await page.locator("hashgate-notice").count(), 0);
  await page.evaluate(() => {
    window.held.appeal();
    window.held.release();
    window.held.release();
  });
  await until(() => uploads.length === 1, "the released upload");
  const { totals, lists } = await page.evaluate(() => window.gate.report());
  assert.deepEqual([totals.appealed, totals.overridden, totals.possible], [1, 1, 1]);
  assert.deepEqual([lists[0].appealed, lists[0].overridden], [1, 1]);
  // After `withdraw()`, `release()` has no effect: the input stays empty.
  await page.setInputFiles("#input", sample("listed", 1));
  await settled(page, 2);
  await page.evaluate(() => {
    window.held.withdraw();
    window.held.release();
  });
  assert.equal(await page.evaluate(() => document.querySelector("input").files.length), 0);
  assert.equal(uploads.length, 1);
});

test("a drop zone and a paste: what is handed on is the same event without what is held", async (context) => {
  const { page, uploads } = await openApp(context, {
    body: `<div id="zone" tabindex="0" class="over">Drop here</div><div id="editor" contenteditable aria-label="text" role="textbox"></div>
      <div id="outside" tabindex="0">Outside</div>`,
    script: `${OPEN}
      window.seen = [];
      for (const zone of document.querySelectorAll("#zone, #outside")) {
        zone.addEventListener("dragleave", () => zone.classList.remove("over"));
        zone.addEventListener("drop", (event) => {
          event.preventDefault();
          window.seen.push([zone.id, event.dataTransfer.files.length, event.dataTransfer.getData("text/plain"), event.clientX].join(" "));
          send(event.dataTransfer.files);
        });
        zone.addEventListener("paste", (event) => send(event.clipboardData.files));
      }
      for (const element of document.querySelectorAll("#zone, #editor")) guard(element, gate);
      window.ready = true;`,
  });
  await bring(page, "#zone", "drop", [sample("listed", 0), sample("clean", 1)], "a caption");
  await settled(page);
  await until(() => uploads.length === 1, "one upload");
  assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
  assert.deepEqual(await page.evaluate(() => window.seen), ["zone 1 a caption 12"]);
  assert.equal(await page.getAttribute("#zone", "class"), "");
  await bring(page, "#zone", "paste", [sample("edited", 1), sample("clean", 2)]);
  await settled(page, 2);
  await until(() => uploads.length === 2, "two uploads");
  assert.deepEqual(uploads[1], "clean/clean-2.jpg");
  // A drop of text isn't delayed, and elements outside the target aren't guarded.
  await bring(page, "#zone", "drop", [], "text alone");
  await bring(page, "#outside", "drop", [sample("listed", 0)]);
  await until(() => uploads.length === 3, "three uploads");
  assert.deepEqual((await page.evaluate(() => window.seen)).slice(1), ["zone 0 text alone 12", "outside 1  12"]);
  // In editable content, the guard inserts the clean picture, as the browser would have done with the paste.
  await page.focus("#editor");
  await bring(page, "#editor", "paste", [sample("listed", 3), sample("clean", 3)]);
  await page.waitForSelector("#editor img[src^='data:image/jpeg']");
  assert.equal(await page.locator("#editor img").count(), 1);
});

test("a folder: chosen, its files keep their relative paths; dragged in, every file in it is checked", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-folder-"));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "inner", "deep"), { recursive: true });
  copyFileSync(sample("clean", 1), join(folder, "clean.jpg"));
  copyFileSync(sample("clean", 2), join(folder, "inner", "clean.jpg"));
  copyFileSync(sample("listed", 0), join(folder, "inner", "deep", "listed.jpg"));
  const { page, uploads } = await openApp(context, {
    body: `<label>A folder <input type="file" id="input" webkitdirectory></label><div id="zone" style="height: 100px">Drop here</div>`,
    script: `${OPEN}
      const [input, zone] = [document.querySelector("input"), document.querySelector("#zone")];
      window.seen = [];
      input.addEventListener("change", () => {
        window.seen.push(...[...input.files].map(({ webkitRelativePath }) => webkitRelativePath.replace(/^[^/]+/, "")));
        send(input.files);
      });
      zone.addEventListener("dragover", (event) => event.preventDefault());
      zone.addEventListener("drop", (event) => {
        event.preventDefault();
        // As pages that read folders do: entry by entry, else file by file.
        for (const item of event.dataTransfer.items) {
          const entry = item.webkitGetAsEntry();
          window.seen.push(entry ? "entry " + entry.fullPath : "file " + item.getAsFile().name);
          if (entry?.isFile) entry.file((file) => send([file]));
          else if (!entry) send([item.getAsFile()]);
        }
      });
      guard(document, gate);
      window.ready = true;`,
  });
  await page.setInputFiles("#input", folder);
  await settled(page);
  await until(() => uploads.length === 2, "two uploads");
  assert.deepEqual((await page.evaluate(() => window.seen)).toSorted(), ["/clean.jpg", "/inner/clean.jpg"]);
  await page.evaluate(() => {
    window.seen.length = 0;
  });
  const { x, y } = await page.locator("#zone").boundingBox();
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await session.send("Input.dispatchDragEvent", { type, x: x + 10, y: y + 10, data });
  }
  await settled(page, 2);
  await until(() => uploads.length === 4, "four uploads");
  assert.deepEqual(uploads.toSorted(), [
    "clean/clean-1.jpg",
    "clean/clean-1.jpg",
    "clean/clean-2.jpg",
    "clean/clean-2.jpg",
  ]);
  assert.deepEqual((await page.evaluate(() => window.seen)).toSorted(), [
    `entry /${basename(folder)}/clean.jpg`,
    `entry /${basename(folder)}/inner/clean.jpg`,
  ]);
});

test("a form: it is submitted when its files may pass, with the button that was pressed", async (context) => {
  const { page, uploads, requests } = await openApp(context, {
    csp: CSP.replace("form-action 'none'", "form-action 'self'; frame-src 'self'"),
    body: `<form id="form" action="/upload" method="post" enctype="multipart/form-data" target="frame">
        <label>Picture <input type="file" id="input" name="picture"></label>
        <button id="send" name="what" value="publish">Send</button></form>
      <iframe name="frame" title="answer"></iframe>`,
    script: `${OPEN}
      window.submits = [];
      document.querySelector("form").addEventListener("submit", (event) => window.submits.push(event.submitter?.value));
      // Submits the form while the check is running.
      addEventListener("hashgate-checking", () => setTimeout(() => document.querySelector("#send").click()), { once: true });
      window.guarding = guard(document.querySelector("form"), gate);
      window.guardAgain = () => guard(document.querySelector("form"), gate);
      window.ready = true;`,
  });
  const posts = () => requests.filter((request) => request === "POST /upload").length;
  await page.setInputFiles("#input", sample("clean", 1));
  await until(() => uploads.length === 1, "the upload");
  assert.deepEqual(await page.evaluate(() => window.submits), ["publish"]);
  await page.evaluate(() => {
    addEventListener("hashgate-checking", () => setTimeout(() => document.querySelector("#send").click()), {
      once: true,
    });
  });
  await page.setInputFiles("#input", sample("edited", 3));
  await settled(page, 2);
  assert.equal(await page.evaluate(() => document.querySelector("input").files.length), 0);
  // A file that is already in the input when the guard starts is checked at once.
  await page.evaluate(() => window.guarding.remove());
  await page.setInputFiles("#input", sample("listed", 3));
  await page.evaluate(() => window.guardAgain());
  await settled(page, 3);
  assert.equal(await page.evaluate(() => document.querySelector("input").files.length), 0);
  assert.deepEqual([posts(), uploads], [1, ["clean/clean-1.jpg"]]);
});

const GATE = `openGate({ filters: ["/filters/demo.hgf"] })`;
const LAX = `<input type="file" id="input" aria-label="Picture">`;
for (const [name, gate, options, answer, app] of [
  ...unavailableGates(),
  ["block, no engine", GATE, `whenUnavailable: "block"`, "block", { lost: ["/hashgate/hashgate.wasm"] }],
  [
    "allow, a policy against workers",
    GATE,
    `whenUnavailable: "allow"`,
    "allow",
    { csp: CSP.replace("worker-src 'self'", "worker-src 'none'") },
  ],
  ["block, a policy against wasm", GATE, "", "block", { csp: CSP.replace(" 'wasm-unsafe-eval'", "") }],
  ["block, offline", `window.later.then(() => ${GATE})`, "", "block", { offline: true }],
]) {
  test(`the gate can't load: ${name}, and all are told`, async (context) => {
    const { page, uploads, said } = await openApp(context, {
      ...app,
      body: LAX,
      script: `import { openGate } from "hashgate"; import { guard } from "hashgate/guard";
        window.events = [];
        for (const type of ["hashgate-held", "hashgate-unchecked", "hashgate-settled"]) {
          addEventListener(type, (event) => window.events.push(type + " " + (event.detail.verdict?.reason ?? "")));
        }
        window.later = new Promise((resolve) => { window.go = resolve; });
        const input = document.querySelector("input");
        guard(input, ${gate}, { ${options} });
        input.addEventListener("change", () => fetch("/upload", { method: "POST", body: input.files[0] }));
        window.ready = true;`,
    });
    if (app?.offline) await page.context().setOffline(true);
    await page.evaluate(() => window.go());
    await page.setInputFiles("#input", sample("clean", 1));
    await page.waitForFunction(() => window.events.at(-1) === "hashgate-settled ");
    const text = await page.locator("hashgate-notice section").textContent();
    const words = said.filter((line) => line.startsWith("hashgate/guard: files can't be checked"));
    assert.equal(words.length, 1, said.join("\n"));
    if (answer === "block") {
      assert.deepEqual(await events(page), ["hashgate-held unavailable", "hashgate-settled "]);
      assert.match(text, /could not be checked.*not available at the moment.*It was not uploaded/);
      assert.match(words[0], /are held: /);
      assert.deepEqual(uploads, []);
    } else {
      await until(() => uploads.length === 1, "the upload");
      assert.deepEqual(await events(page), ["hashgate-unchecked unavailable", "hashgate-settled "]);
      assert.match(text, /not available at the moment.*lets such files through all the same/);
      assert.match(words[0], /are let through unchecked: /);
    }
    assert.deepEqual(await violations(page), []);
  });
}
