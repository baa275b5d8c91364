// Regression tests: ordinary pages where an earlier version of the guard let files pass unchecked, or which it broke.
// Each runs in Chromium with a real server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CSP } from "./server.mjs";
import { openApp, sample, until, violations } from "./uploads.mjs";

/** Opens a gate. After `window.wait()`, its checks wait for `window.goOn()`. */
const OPEN = `import { openGate } from "hashgate"; import { guard } from "hashgate/guard";
const gate = await openGate({ filters: ["/filters/demo.hgf"], workers: 1 });
const check = gate.check.bind(gate);
window.goOn = () => {};
let waiting = Promise.resolve();
window.wait = () => { waiting = new Promise((resolve) => { window.goOn = resolve; }); };
gate.check = async (...asked) => { await waiting; return check(...asked); };
window.gate = gate; window.events = [];
for (const type of ["hashgate-checking", "hashgate-held", "hashgate-settled"]) {
  addEventListener(type, (event) => window.events.push(type + (event.detail.file ? " " + event.detail.file.name : "")), true);
}
window.fileOf = async (path, name = path.split("/").at(-1)) => new File([await (await fetch("/samples/" + path)).blob()], name, { type: "image/jpeg" });
window.listOf = (...files) => { const data = new DataTransfer(); for (const file of files) data.items.add(file); return data.files; };
window.send = (files) => { for (const file of files) fetch("/upload", { method: "POST", body: file }); };
window.choose = (input, ...files) => {
  input.files = window.listOf(...files);
  input.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
};
window.settle = () => new Promise((done) => setTimeout(done, 0));
`;
const [CLEAN, LISTED] = [sample("clean", 1), sample("listed", 0)];
const names = (paths) => paths.toSorted();
const csp = CSP.replace("form-action 'none'", "form-action 'self'; frame-src 'self'");

/** Opens a page with a guard. `script` can use `guard`, `gate` and the other names that OPEN defines. */
async function open(context, body, script, more = {}) {
  return openApp(context, { body, script: `${OPEN}\n${script}\nwindow.ready = true;`, csp, ...more });
}

const checking = (page) => page.waitForFunction(() => window.events.includes("hashgate-checking"));
const settled = (page, count = 1) =>
  page.waitForFunction((count) => window.events.filter((type) => type === "hashgate-settled").length >= count, count);

/** The places where an input can be, each with code that makes a `target` to guard and an `input` in it. */
const PLACES = {
  "never put into the document": "const input = make(); const target = input;",
  "in an element that is in no document":
    "const target = document.createElement('div'); const input = make(); target.append(input);",
  "guarded, opened and taken out":
    "const input = make(); const target = input; document.body.append(input); window.out = () => input.remove();",
  "in a closed shadow root, guarded itself":
    "const input = make(); const target = input; host().attachShadow({ mode: 'closed' }).append(input);",
  "in a closed shadow root, which is guarded":
    "const input = make(); const target = host().attachShadow({ mode: 'closed' }); target.append(input);",
  "in an open shadow root in the document, which is guarded":
    "const target = document; const input = make(); host().attachShadow({ mode: 'open' }).append(input);",
  "in an open shadow root that comes later":
    "const target = document; const input = make(); window.later = () => host().attachShadow({ mode: 'open' }).append(input);",
  "of another window": `const frame = document.createElement('iframe'); frame.title = 'frame'; document.body.append(frame);
    const input = make(frame.contentDocument); frame.contentDocument.body.append(input); const target = input;`,
  "of another window, brought into this one": `const frame = document.createElement('iframe'); frame.title = 'frame'; document.body.append(frame);
    const input = make(frame.contentDocument); const target = document.querySelector('main'); target.append(input);`,
};

for (const [name, code] of Object.entries(PLACES)) {
  test(`an input ${name}: the page gets clean files alone`, async (context) => {
    const { page, uploads } = await open(
      context,
      "<p>text</p>",
      `const make = (of = document) => { const input = of.createElement("input"); input.type = "file"; input.multiple = true;
         input.setAttribute("aria-label", "Pictures");
         input.addEventListener("change", () => window.send(input.files)); return input; };
       const host = () => { const host = document.createElement("div"); document.querySelector("main").append(host); return host; };
       ${code}
       window.input = input; window.guarding = guard(target, gate); window.later?.();`,
    );
    const input = await page.evaluateHandle(() => window.input);
    await page.evaluate(() => window.out?.());
    await input.setInputFiles([CLEAN, LISTED]);
    await until(() => uploads.length > 0, "an upload");
    await page.evaluate(() => window.guarding.settled());
    assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
    assert.deepEqual(await violations(page), []);
  });
}

test("a form in an open shadow root, whose file a script set", async (context) => {
  const { page, uploads } = await open(
    context,
    `<div id="host"></div><iframe name="frame" title="answer"></iframe>`,
    `const tree = document.querySelector("#host").attachShadow({ mode: "open" });
     tree.innerHTML = '<form action="/upload" method="post" enctype="multipart/form-data" target="frame"><input type="file" name="f" multiple></form>';
     guard(document, gate);
     window.submit = async (...paths) => {
       tree.querySelector("input").files = window.listOf(...await Promise.all(paths.map((path) => window.fileOf(path))));
       tree.querySelector("form").requestSubmit();
     };`,
  );
  await page.evaluate(() => window.submit("listed/listed-0.jpg"));
  await settled(page);
  await page.evaluate(() => window.submit("clean/clean-1.jpg"));
  await until(() => uploads.length === 1, "the upload");
  assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
});

test("what can't be guarded is refused", async (context) => {
  const { page } = await open(context, "<iframe></iframe>", "window.guard = guard;");
  const said = await page.evaluate(() =>
    [
      null,
      "form",
      document.createTextNode(""),
      new DocumentFragment(),
      document.querySelectorAll("p"),
      document.querySelector("iframe"),
    ].map((target) => {
      try {
        window.guard(target, window.gate);
        return "guarded";
      } catch (error) {
        return error.message;
      }
    }),
  );
  for (const message of said) assert.match(message, /^guard: expected an element/);
  assert.match(said.at(-1), /<iframe>: guard its contentDocument instead/);
});

test("files that were chosen before the guard came are taken at once", async (context) => {
  const { page, uploads } = await open(
    context,
    `<form><label>Pictures <input type="file" id="input" multiple></label></form><input type="file" form="other" id="far" aria-label="far"><form id="other"></form>`,
    `for (const input of document.querySelectorAll("input")) input.addEventListener("change", () => window.send(input.files));
     window.begin = () => { guard(document.querySelector("form"), gate); guard(document.querySelector("#other"), gate); };
     window.early = async () => {
       document.querySelector("#input").files = window.listOf(await window.fileOf("clean/clean-1.jpg"), await window.fileOf("listed/listed-0.jpg"));
       document.querySelector("#far").files = window.listOf(await window.fileOf("listed/listed-1.jpg"));
     };`,
  );
  await page.evaluate(async () => {
    window.wait();
    await window.early();
    window.begin();
  });
  assert.equal(
    await page.evaluate(
      () => document.querySelector("#input").files.length + document.querySelector("#far").files.length,
    ),
    0,
  );
  await page.evaluate(() => window.goOn());
  await settled(page, 2);
  await until(() => uploads.length === 1, "the upload");
  assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
});

test("files that a script puts into an input during a check are checked too", async (context) => {
  const { page, uploads } = await open(
    context,
    `<label>Pictures <input type="file" id="input" multiple></label>`,
    `window.input = document.querySelector("input"); window.input.addEventListener("change", () => window.send(window.input.files));
     guard(document, gate);`,
  );
  await page.evaluate(() => window.wait());
  await page.setInputFiles("#input", CLEAN);
  await checking(page);
  await page.evaluate(async () => {
    window.input.files = window.listOf(
      await window.fileOf("listed/listed-0.jpg"),
      await window.fileOf("clean/clean-2.jpg"),
    );
    window.goOn();
  });
  await until(() => uploads.length === 2, "two uploads");
  await settled(page, 2);
  assert.deepEqual(names(uploads), ["clean/clean-1.jpg", "clean/clean-2.jpg"]);
});

test("a form that is sent during a check, after a script has added files, keeps the person's choice", async (context) => {
  const { page, uploads } = await open(
    context,
    `<form action="/upload" method="post" enctype="multipart/form-data" target="frame">
     <label>Pictures <input type="file" id="input" name="f" multiple></label></form><iframe name="frame" title="answer"></iframe>`,
    `window.input = document.querySelector("input"); window.form = window.input.form; guard(document, gate);
     window.held = []; addEventListener("hashgate-held", (event) => { event.preventDefault(); window.held.push(event.detail); });`,
  );
  const addDuring = async (chosen, added) => {
    await page.evaluate(() => {
      window.events.length = 0;
      window.wait();
    });
    await page.setInputFiles("#input", chosen);
    await checking(page);
    await page.evaluate(async (path) => {
      window.input.files = window.listOf(await window.fileOf(path));
      window.form.requestSubmit();
      window.goOn();
    }, added);
    await settled(page, 2);
  };
  await addDuring(CLEAN, "clean/clean-2.jpg");
  await until(() => uploads.length === 2, "both uploads");
  assert.deepEqual(names(uploads), ["clean/clean-1.jpg", "clean/clean-2.jpg"]);
  // Releasing a held file puts it into the input, unless the form was reset after the file was held.
  await addDuring(LISTED, "listed/listed-1.jpg");
  await page.waitForFunction(() => window.held.length === 2);
  const left = await page.evaluate(async () => {
    window.held[0].release();
    const released = [...window.input.files].map(({ name }) => name);
    window.form.reset();
    await window.settle();
    for (const detail of window.held) detail.release();
    return [released, window.input.files.length];
  });
  assert.deepEqual(left, [["listed-0.jpg"], 0]);
  assert.equal(uploads.length, 2);
});

const FORM = `<form id="form" action="/upload" method="post" enctype="multipart/form-data" target="frame">
  <label>Picture <input type="file" id="input" name="picture" required></label><input name="elements" aria-label="text">
  <button id="send">Send</button> <button type="button" id="copy">Copy</button> <button type="reset">Reset</button></form>
  <iframe name="frame" title="answer"></iframe>`;
const FORM_SCRIPT = `const form = document.querySelector("#form"); window.form = form; window.invalid = 0;
  addEventListener("invalid", () => { window.invalid += 1; }, true);
  document.querySelector("#copy").onclick = () => fetch("/upload", { method: "POST", body: new FormData(form) });
  window.guarding = guard(form, gate);`;

test("a required input doesn't keep a form from being sent during the check, and is required again after it", async (context) => {
  const { page, uploads } = await open(context, FORM, FORM_SCRIPT);
  for (const how of ["press", "script", "keyboard"]) {
    await page.evaluate(() => {
      document.querySelector("#input").value = "";
      window.events.length = 0;
      window.wait();
    });
    await page.setInputFiles("#input", CLEAN);
    await checking(page);
    if (how === "press") await page.click("#send");
    else if (how === "script") await page.evaluate(() => HTMLFormElement.prototype.requestSubmit.call(window.form));
    else {
      await page.focus("#send");
      await page.keyboard.press("Enter");
    }
    const before = uploads.length;
    await page.evaluate(() => window.goOn());
    await until(() => uploads.length === before + 1, `the upload by ${how}`);
  }
  assert.deepEqual(uploads, Array(3).fill("clean/clean-1.jpg"));
  await settled(page);
  assert.deepEqual(await page.evaluate(() => [window.invalid, document.querySelector("#input").required]), [0, true]);
  await page.evaluate(() => {
    window.events.length = 0;
  });
  await page.setInputFiles("#input", LISTED);
  await settled(page);
  assert.deepEqual(
    await page.evaluate(() => [document.querySelector("#input").required, window.form.checkValidity()]),
    [true, false],
  );
});

test("a reset during a check ends it, unless the page cancels the reset; a release after it comes too late", async (context) => {
  const { page } = await open(
    context,
    FORM,
    `${FORM_SCRIPT}
    addEventListener("hashgate-held", (event) => { event.preventDefault(); window.held = event.detail; });`,
  );
  const filesAfter = async (reset) => {
    await page.evaluate(() => {
      window.events.length = 0;
      window.wait();
    });
    await page.setInputFiles("#input", CLEAN);
    await checking(page);
    await reset();
    return page.evaluate(async () => {
      window.goOn();
      await window.guarding.settled();
      // The result of a check may reach the page in a later turn of the event loop.
      await window.settle();
      return document.querySelector("#input").files.length;
    });
  };
  assert.equal(await filesAfter(() => page.click("[type=reset]")), 0);
  assert.equal(await filesAfter(() => page.evaluate(() => window.form.reset())), 0);
  await page.evaluate(() => window.form.addEventListener("reset", (event) => event.preventDefault(), { once: true }));
  assert.equal(await filesAfter(() => page.click("[type=reset]")), 1);
  await page.setInputFiles("#input", LISTED);
  await page.waitForFunction(() => window.held);
  await page.click("[type=reset]");
  await page.evaluate(() => window.settle().then(() => window.held.release()));
  assert.equal(await page.evaluate(() => document.querySelector("#input").files.length), 0);
});

test("a page that copies the form's data during a check waits, and never sends an empty file", async (context) => {
  const { page, uploads, requests } = await open(context, FORM, FORM_SCRIPT);
  const posts = () => requests.filter((request) => request === "POST /upload").length;
  await page.evaluate(() => window.wait());
  await page.setInputFiles("#input", CLEAN);
  await checking(page);
  assert.deepEqual(await page.evaluate(() => [...new FormData(window.form).keys()]), ["elements"]);
  await page.click("#copy");
  assert.equal(posts(), 0);
  await page.evaluate(() => window.goOn());
  await until(() => uploads.length === 1, "the upload");
  assert.equal(posts(), 1);
  // The file is held, so the guard does not repeat the click that it had stopped.
  await page.evaluate(() => {
    window.events.length = 0;
    window.wait();
  });
  await page.setInputFiles("#input", LISTED);
  await checking(page);
  await page.click("#copy");
  await page.evaluate(() => window.goOn());
  await settled(page);
  assert.equal(posts(), 1);
});

test("a button beside an input without a form waits as well", async (context) => {
  const { page, uploads } = await open(
    context,
    `<input type="file" id="input" aria-label="Picture"><button id="go">Upload</button>`,
    `document.querySelector("#go").onclick = () => { const data = new FormData(); data.append("f", document.querySelector("#input").files[0]); fetch("/upload", { method: "POST", body: data }); };
     guard(document.querySelector("#input"), gate);`,
  );
  await page.evaluate(() => window.wait());
  await page.setInputFiles("#input", CLEAN);
  await checking(page);
  await page.click("#go");
  await page.evaluate(() => window.goOn());
  await until(() => uploads.length === 1, "the upload");
  assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
});

/** Pastes the picture together with `texts`, through the real clipboard, as spreadsheets and word processors do. */
async function paste(page, selector, path, texts) {
  await page.evaluate(
    async ({ bytes, texts }) => {
      const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]));
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      canvas.getContext("2d").drawImage(picture, 0, 0);
      const png = await canvas.convertToBlob({ type: "image/png" });
      const parts = Object.entries(texts).map(([type, text]) => [type, new Blob([text], { type })]);
      await navigator.clipboard.write([new ClipboardItem({ "image/png": png, ...Object.fromEntries(parts) })]);
    },
    { bytes: readFileSync(path).toString("base64"), texts },
  );
  await page.click(selector);
  await page.keyboard.press("ControlOrMeta+V");
}
const EXCEL = {
  "text/plain": "price\t12\n",
  "text/html": `<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><style>td { color: red }</style></head><body>
    <table border=0><!--StartFragment--><tr height=20><td height=20 class=xl65 onclick="alert(1)">price</td><td>12</td></tr><!--EndFragment--></table></body></html>`,
};
const WORD = {
  "text/plain": "A report",
  "text/html": `<html xmlns:w="urn:schemas-microsoft-com:office:word"><body><!--StartFragment--><p class=MsoNormal><b>A</b> report<o:p></o:p></p>
    <img src="file:///C:/clip_image001.png"><script>window.ran = true</script><!--EndFragment--></body></html>`,
};

for (const [what, texts, expected] of [
  ["a spreadsheet", EXCEL, "price12"],
  ["a word processor", WORD, "Areport"],
]) {
  test(`a paste from ${what}: the text stays, whatever becomes of the picture`, async (context) => {
    const { page } = await open(
      context,
      `<div id="rich" contenteditable role="textbox" aria-label="rich"></div><textarea id="plain" aria-label="plain"></textarea>
       <div id="text" contenteditable="plaintext-only" role="textbox" aria-label="text"></div>`,
      `guard(document, gate);
       window.pasted = [];
       addEventListener("paste", (event) => window.pasted.push([...event.clipboardData.types].sort().join()));`,
    );
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    let count = 0;
    for (const path of [CLEAN, LISTED]) {
      for (const selector of ["#rich", "#plain", "#text"]) {
        await page.evaluate((selector) => {
          const place = document.querySelector(selector);
          if ("value" in place) place.value = "";
          else place.replaceChildren();
        }, selector);
        await paste(page, selector, path, texts);
        count += 1;
        await settled(page, count);
        const content = () => {
          const place = document.querySelector(window.selector);
          return (place.value ?? place.textContent).replace(/\s/g, "");
        };
        await page.evaluate((selector) => {
          window.selector = selector;
        }, selector);
        await page.waitForFunction(`(${content})() === ${JSON.stringify(expected)}`);
      }
      assert.equal((await page.locator("#rich :is(td, b)").count()) > 0, true);
      assert.equal(await page.locator("#rich :is(img, script, [onclick])").count(), 0);
      const types = await page.evaluate(() => window.pasted.splice(0));
      const expectedTypes = path === CLEAN ? "Files,text/html,text/plain" : "text/html,text/plain";
      assert.deepEqual(types, Array(3).fill(expectedTypes));
    }
    assert.equal(await page.evaluate(() => window.ran), undefined);
  });
}

test("a pasted picture that can't be read doesn't hang, and drops on text are taken", async (context) => {
  const { page, uploads } = await open(
    context,
    `<div id="rich" contenteditable role="textbox" aria-label="rich">text</div><p id="zone">drop here</p>`,
    `guard(document, gate, { unchecked: "allow" });
     document.querySelector("#zone").addEventListener("drop", (event) => { event.preventDefault(); window.send(event.dataTransfer.files); });`,
  );
  await page.evaluate(async () => {
    // Imitates a file that was deleted from the disk after it was chosen: reading its bytes fails.
    const broken = new File(["x"], "gone.png", { type: "image/png" });
    for (const how of ["stream", "arrayBuffer"])
      broken[how] = () => Promise.reject(new DOMException("gone", "NotReadableError"));
    const data = new DataTransfer();
    data.items.add(broken);
    const how = { bubbles: true, cancelable: true, composed: true };
    document.querySelector("#rich").dispatchEvent(new ClipboardEvent("paste", { ...how, clipboardData: data }));
    const drop = new DataTransfer();
    drop.items.add(await window.fileOf("listed/listed-0.jpg"));
    drop.items.add(await window.fileOf("clean/clean-1.jpg"));
    document.querySelector("#zone").firstChild.dispatchEvent(new DragEvent("drop", { ...how, dataTransfer: drop }));
  });
  await settled(page, 2);
  await until(() => uploads.length === 1, "the upload");
  assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
});

test("a notice loses nothing: what was dropped one after the other is shown together", async (context) => {
  const { page } = await open(
    context,
    `<div id="zone">drop here</div><label>Picture <input type="file" id="input"></label>`,
    `guard(document.querySelector("main"), gate);
     window.drop = async (path) => {
       const data = new DataTransfer(); data.items.add(await window.fileOf(path));
       document.querySelector("#zone").dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
     };`,
  );
  for (const path of ["listed/listed-0.jpg", "listed/listed-1.jpg"])
    await page.evaluate((path) => window.drop(path), path);
  await settled(page, 2);
  await page.setInputFiles("#input", sample("listed", 2));
  await settled(page, 3);
  await page.setInputFiles("#input", sample("clean", 2));
  await settled(page, 4);
  const text = await page.locator("hashgate-notice section").textContent();
  assert.match(text, /listed-0\.jpg.*listed-1\.jpg/s);
  // A new choice of files replaces the notice of the previous choice.
  assert.doesNotMatch(text, /listed-2/);
  assert.deepEqual(await violations(page), []);
});

test("two guards over each other, and settled()", async (context) => {
  const { page, uploads } = await open(
    context,
    `<div id="zone">drop here</div>`,
    `const guards = [guard(document, gate), guard(document.querySelector("#zone"), gate)];
     window.drops = 0;
     document.querySelector("#zone").addEventListener("drop", (event) => { event.preventDefault(); window.drops += 1; window.send(event.dataTransfer.files); });
     window.drop = async () => {
       const data = new DataTransfer(); data.items.add(await window.fileOf("clean/clean-1.jpg"));
       document.querySelector("#zone").dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
       await window.settle();
       await Promise.all(guards.map((each) => each.settled()));
       return window.drops;
     };`,
  );
  assert.equal(await page.evaluate(() => window.drop()), 1);
  await until(() => uploads.length === 1, "the upload");
});
