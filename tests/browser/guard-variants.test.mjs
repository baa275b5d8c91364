// Unusual pages and moments under `guard(document)`, in Chromium and Firefox with a real server. In each variant, a
// person brings a clean and a listed picture into the page in another way. The clean picture must arrive exactly once,
// the listed picture never.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CSP } from "./server.mjs";
import { openApp, openInFirefox } from "./uploads.mjs";

const csp = CSP.replace("form-action 'none'", "form-action 'self'; frame-src 'self'");
const SCRIPT = `
import { openGate } from "hashgate"; import { guard } from "hashgate/guard";
const gate = await openGate({ filters: ["/filters/demo.hgf"], workers: 1 });
const check = gate.check.bind(gate);
let waiting = Promise.resolve();
window.goOn = () => {};
/** Lets checks wait for goOn(). */
window.wait = () => { waiting = new Promise((resolve) => { window.goOn = resolve; }); };
gate.check = async (...asked) => { await waiting; return check(...asked); };
const bytesOf = async (path) => (await fetch("/samples/" + path)).blob();
const [cleanBytes, listedBytes] = [await bytesOf("clean/clean-1.jpg"), await bytesOf("listed/listed-0.jpg")];
window.clean = () => new File([cleanBytes], "clean-1.jpg", { type: "image/jpeg" });
window.listed = () => new File([listedBytes], "listed-0.jpg", { type: "image/jpeg" });
window.listOf = (files, of = window) => { const data = new of.DataTransfer(); for (const file of files) data.items.add(file); return data; };
window.put = (input, ...files) => { input.files = listOf(files).files; };
window.choose = (input, ...files) => {
  put(input, ...files);
  input.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
};
const running = [];
window.post = (body) => { running.push(fetch("/upload", { method: "POST", body })); };
window.send = (files) => { for (const file of files) post(file); };
window.make = (of = document) => Object.assign(of.createElement("input"), { type: "file", multiple: true, name: "f" });
window.main = document.querySelector("main");
window.frame = async (title = "frame") => {
  const made = document.createElement("iframe");
  Object.assign(made, { title, name: title });
  main.append(made);
  return made;
};
/** A form that navigates a frame. Resolves to the form, and \`arrived()\` resolves when the frame has the answer. */
window.navigating = async () => {
  const answer = await frame("answer");
  const form = document.createElement("form");
  Object.assign(form, { action: "/upload", method: "post", enctype: "multipart/form-data", target: "answer" });
  main.append(form);
  return { form, arrived: () => new Promise((done) => { answer.onload = done; }) };
};
window.tick = () => new Promise((done) => setTimeout(done));
const guarding = guard(document, gate);
window.settled = () => guarding.settled();
window.inPage = async (act) => {
  main.replaceChildren();
  await act();
  goOn();
  for (let round = 0; round < 3; round += 1) { await settled(); await tick(); }
  await Promise.all(running.splice(0));
};
window.ready = true;`;

/** The variants, each as a function that runs in the page. */
const VARIANTS = {
  "an input in open trees within each other, that come one after the other": async () => {
    let place = window.main;
    for (let depth = 0; depth < 3; depth += 1) {
      const host = document.createElement("div");
      place.append(host);
      await window.tick();
      place = host.attachShadow({ mode: "open" });
    }
    const input = window.make();
    place.append(input);
    place.addEventListener("change", () => window.send(input.files));
    window.choose(input, window.clean(), window.listed());
  },
  "an input in a slot of a closed tree": async () => {
    const host = document.createElement("div");
    host.attachShadow({ mode: "closed" }).append(document.createElement("slot"));
    const input = window.make();
    host.append(input);
    window.main.append(host);
    input.addEventListener("change", () => window.send(input.files));
    window.choose(input, window.clean(), window.listed());
  },
  "an input that is put in and taken out before its picker opens": async () => {
    const input = window.make();
    input.addEventListener("change", () => window.send(input.files));
    window.main.append(input);
    input.remove();
    await window.tick();
    window.choose(input, window.clean(), window.listed());
  },
  "an input that is taken out in a fragment, long before": async () => {
    const input = window.make();
    const label = document.createElement("label");
    label.append(input);
    window.main.append(label);
    await window.tick();
    const fragment = new DocumentFragment();
    fragment.append(label);
    fragment.addEventListener("change", () => window.send(input.files));
    window.choose(input, window.clean(), window.listed());
  },
  "an input that another document adopts during the check": async () => {
    const other = await window.frame();
    const input = window.make();
    window.main.append(input);
    input.addEventListener("change", () => window.send(input.files));
    window.wait();
    window.choose(input, window.clean(), window.listed());
    other.contentDocument.body.append(other.contentDocument.adoptNode(input));
  },
  "an input that is disabled, and of one file, during the check": async () => {
    const input = window.make();
    window.main.append(input);
    input.addEventListener("change", () => window.send(input.files));
    window.wait();
    window.choose(input, window.listed(), window.clean());
    Object.assign(input, { disabled: true, multiple: false });
  },
  "a copy of an input, made during the check and after it": async () => {
    const input = window.make();
    window.main.append(input);
    const copies = [];
    const listen = (copy) => copy.addEventListener("change", () => window.send(copy.files));
    input.addEventListener("change", () => {
      const copy = input.cloneNode(true);
      listen(copy);
      window.main.append(copy);
      copy.dispatchEvent(new Event("change", { bubbles: true }));
    });
    window.wait();
    window.choose(input, window.clean(), window.listed());
    copies.push(input.cloneNode(true));
    window.main.append(copies[0]);
    window.send(copies[0].files);
  },
  "one file in two inputs": async () => {
    const inputs = [window.make(), window.make()];
    window.main.append(...inputs);
    const sent = new Set();
    for (const input of inputs) {
      input.addEventListener("change", () => {
        for (const file of input.files) if (!sent.has(file)) window.send([file]);
        for (const file of input.files) sent.add(file);
      });
    }
    const files = [window.clean(), window.listed()];
    window.wait();
    for (const input of inputs) window.choose(input, ...files);
  },
  "a drop with a DataTransfer of another window, and one that is all of another window": async () => {
    const { contentWindow } = await window.frame();
    const zone = document.createElement("div");
    window.main.append(zone);
    zone.addEventListener("drop", (event) => window.send(event.dataTransfer.files));
    const how = { bubbles: true, composed: true, cancelable: true };
    const drop = (of, files) =>
      zone.dispatchEvent(new of.DragEvent("drop", { ...how, dataTransfer: window.listOf(files, contentWindow) }));
    drop(window, [window.listed()]);
    drop(contentWindow, [window.clean(), window.listed()]);
  },
  "a paste in open trees within each other": async () => {
    const host = document.createElement("div");
    window.main.append(host);
    const inner = document.createElement("div");
    host.attachShadow({ mode: "open" }).append(inner);
    const area = document.createElement("textarea");
    inner.attachShadow({ mode: "open" }).append(area);
    area.addEventListener("paste", (event) => window.send(event.clipboardData.files));
    const clipboardData = window.listOf([window.clean(), window.listed()]);
    clipboardData.setData("text/plain", "text");
    const paste = new ClipboardEvent("paste", { bubbles: true, composed: true, cancelable: true, clipboardData });
    // Firefox gives the event an empty DataTransfer of its own.
    if (paste.clipboardData !== clipboardData) {
      for (const file of clipboardData.files) paste.clipboardData.items.add(file);
      paste.clipboardData.setData("text/plain", "text");
    }
    area.dispatchEvent(paste);
  },
  "an input elsewhere that names its form, and a button that does": async () => {
    const { form, arrived } = await window.navigating();
    form.id = "far";
    const input = window.make();
    const button = Object.assign(document.createElement("button"), { name: "b", value: "1" });
    for (const control of [input, button]) control.setAttribute("form", "far");
    window.main.append(input, button);
    window.wait();
    window.choose(input, window.clean());
    const done = arrived();
    form.requestSubmit(button);
    window.goOn();
    await done;
    window.choose(input, window.listed());
    form.requestSubmit(button);
  },
  "a dialog that its form closes": async () => {
    const dialog = document.createElement("dialog");
    const form = Object.assign(document.createElement("form"), { method: "dialog" });
    const input = window.make();
    form.append(input);
    dialog.append(form);
    window.main.append(dialog);
    dialog.showModal();
    const closed = new Promise((done) => dialog.addEventListener("close", done));
    window.wait();
    window.choose(input, window.clean());
    form.requestSubmit();
    if (!dialog.open) throw new Error("it was closed before the check was over");
    window.goOn();
    await closed;
    window.send(input.files);
    dialog.showModal();
    window.choose(input, window.listed());
    form.requestSubmit();
    await window.settled();
    window.send(input.files);
    dialog.close();
  },
  "form.submit() with files that a script has put in": async () => {
    const { form, arrived } = await window.navigating();
    const input = window.make();
    form.append(input);
    window.put(input, window.clean(), window.listed());
    const first = arrived();
    HTMLFormElement.prototype.submit.call(form);
    await first;
    await window.settled();
    const second = arrived();
    HTMLFormElement.prototype.submit.call(form);
    await second;
  },
  "a form's data by fetch, beacon and XMLHttpRequest, with files that a script has put in": async () => {
    const form = document.createElement("form");
    const input = window.make();
    form.append(input);
    window.main.append(form);
    for (const way of [
      (body) => window.post(body),
      (body) => navigator.sendBeacon("/upload", body),
      (body) => {
        const request = new XMLHttpRequest();
        request.open("POST", "/upload");
        request.send(body);
      },
    ]) {
      window.put(input, window.listed());
      way(new FormData(form));
      await window.settled();
    }
    window.put(input, window.listed(), window.clean());
    window.post(new FormData(form));
    await window.settled();
    window.post(new FormData(form));
  },
  "a listener that adds files to the form's data by itself": async () => {
    const form = document.createElement("form");
    const input = window.make();
    input.name = "";
    form.append(input);
    window.main.append(form);
    form.addEventListener("formdata", ({ formData }) => {
      for (const file of input.files) formData.append("own", file);
    });
    window.wait();
    window.choose(input, window.listed(), window.clean());
    window.post(new FormData(form));
    window.goOn();
    await window.settled();
    window.post(new FormData(form));
  },
  "an element that gives the form the files of its inner input": async () => {
    if (!customElements.get("x-files")) {
      customElements.define(
        "x-files",
        class extends HTMLElement {
          static formAssociated = true;
          constructor() {
            super();
            const internals = this.attachInternals();
            this.input = window.make();
            this.attachShadow({ mode: "open" }).append(this.input);
            this.input.addEventListener("change", () => {
              const data = new FormData();
              for (const file of this.input.files) data.append("f", file);
              internals.setFormValue(data);
            });
          }
        },
      );
    }
    const { form, arrived } = await window.navigating();
    const element = document.createElement("x-files");
    form.append(element);
    window.wait();
    window.choose(element.input, window.clean());
    const done = arrived();
    form.requestSubmit();
    window.goOn();
    await done;
    window.choose(element.input, window.listed());
  },
  "a page that clears its input whenever it hears of files": async () => {
    const input = window.make();
    window.main.append(input);
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = "";
      window.send(files);
    });
    window.wait();
    window.choose(input, window.listed());
    window.choose(input, window.listed(), window.clean());
  },
};

for (const [browser, inBrowser] of Object.entries({ Chromium: undefined, Firefox: openInFirefox })) {
  test(`${browser}: unusual pages get clean files alone, and all of them`, async (context) => {
    const { page, uploads } = await openApp(context, {
      ...{ script: SCRIPT, body: "", csp },
      ...(inBrowser && { inBrowser }),
    });
    for (const [name, act] of Object.entries(VARIANTS)) {
      await context.test(name, async () => {
        uploads.length = 0;
        await page.evaluate(`window.inPage(${act})`);
        assert.deepEqual(uploads, ["clean/clean-1.jpg"]);
      });
    }
  });
}
