// Pages for the scripted adversary: one of plain HTML with `guard`, one of FilePond. All random choices come from a
// seed.

import { PICTURES } from "./adversary-pictures.mjs";

/**
 * Page script: `make(kind)` returns a file of that picture, with a serial number in its last bytes, and `gateOf(below)`
 * returns a gate that knows the verdicts.
 */
const COMMON = `
${PICTURES}const { setTimeout: exactly } = window;
const wait = (ms) => new Promise((done) => exactly(done, ms));
let serial = 0;
const kinds = new Map();
const make = (kind) => {
  serial += 1;
  kinds.set(serial, kind);
  const tail = new Uint8Array(new Uint32Array([0x4847, serial]).buffer);
  return new File([blobs[kind], tail], serial + ".jpg", { type: "image/jpeg" });
};
const serialOf = (file) => Number.parseInt(file.name, 10);
const isClean = (file) => kinds.get(serialOf(file)) === "clean";
/**
 * The engine has checked both pictures before. This stand-in for a gate returns those verdicts after a random delay.
 */
const gateOf = (below) => ({
  record() {},
  async check(file, { signal } = {}) {
    await wait(below(6));
    signal?.throwIfAborted();
    return structuredClone(verdicts[kinds.get(serialOf(file))]);
  },
});
const running = new Set();
const send = (seed, body) => {
  const sent = fetch("/upload?run=" + seed, { method: "POST", body }).catch(() => undefined);
  running.add(sent);
  void sent.then(() => running.delete(sent));
};
`;

export const GUARD = `${COMMON}
import { guard } from "hashgate/guard";
window.run = async (seed, steps) => {
  const next = random(seed);
  const below = (count) => Math.floor(next() * count);
  const log = [];
  const released = new Set();
  const seen = new Set();
  const scripted = new Set();
  /** The clean files that the page must get, by the event that brought them. */
  const due = new Map();
  const main = document.querySelector("main");
  main.innerHTML = '<form><input type="file" name="a" multiple required><input type="file" name="b"><button>Send</button><button type="button" id="copy">Copy</button></form><div id="zone">zone</div>';
  const form = main.querySelector("form");
  const inputs = [...form.querySelectorAll("input")];
  const zone = main.querySelector("#zone");
  const get = (files) => { for (const file of files) { seen.add(serialOf(file)); send(seed, file); } };
  for (const input of inputs) input.addEventListener("change", () => get(input.files));
  for (const type of ["drop", "paste"]) zone.addEventListener(type, (event) => { event.preventDefault(); get((event.dataTransfer ?? event.clipboardData).files); });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(seed, new FormData(form)); });
  // Files that the page's script has put into an input, and sends itself, aren't the guard's concern. A click may be
  // repeated later than it was made.
  main.querySelector("#copy").onclick = () => {
    const own = [...inputs[0].files].some((file) => scripted.has(serialOf(file)) && !seen.has(serialOf(file)));
    if (!own) send(seed, new FormData(form));
  };
  const held = [];
  const onHeld = (event) => { event.preventDefault(); held.push(event.detail); };
  addEventListener("hashgate-held", onHeld);
  const targets = [document, main, form];
  const protect = () => [guard(document, gateOf(below)), ...(below(2) ? [guard(targets[1 + below(2)], gateOf(below))] : [])];
  let guards = protect();
  const some = () => Array.from({ length: 1 + below(3) }, () => make(below(2) ? "clean" : "listed"));
  const dataOf = (files) => { const data = new DataTransfer(); for (const file of files) data.items.add(file); return data; };
  const tell = (input) => {
    input.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  let count = 0;
  const transfer = (type) => {
    const files = some();
    const data = dataOf(files);
    const how = { bubbles: true, cancelable: true, composed: true };
    zone.dispatchEvent(type === "drop" ? new DragEvent("drop", { ...how, dataTransfer: data }) : new ClipboardEvent("paste", { ...how, clipboardData: data }));
    count += 1;
    due.set(count, files.filter(isClean).map(serialOf));
  };
  const actions = {
    choose: () => {
      const input = inputs[below(2)];
      const files = input.multiple ? some() : some().slice(0, 1);
      input.files = dataOf(files).files;
      due.set(input, files.filter(isClean).map(serialOf));
      tell(input);
    },
    drop: () => transfer("drop"),
    paste: () => transfer("paste"),
    script: () => { const [input] = inputs; input.files = dataOf(some()).files; for (const file of input.files) scripted.add(serialOf(file)); },
    submit: () => form.requestSubmit(),
    press: () => form.querySelector("button").click(),
    copy: () => main.querySelector("#copy").click(),
    reset: () => { form.reset(); for (const input of inputs) due.delete(input); },
    release: () => {
      const detail = held[below(held.length)];
      if (!detail) return;
      released.add(serialOf(detail.file));
      detail.release();
    },
    withdraw: () => { const [detail] = held.splice(below(held.length), 1); detail?.withdraw(); },
    move: () => form.append(inputs[below(2)]),
    leave: async () => { const input = inputs[below(2)]; input.remove(); await wait(below(10)); form.append(input); },
    clear: () => { inputs[below(2)].value = ""; },
    again: () => { const { file } = held[below(held.length)] ?? {}; const [input] = inputs; if (!file) return; input.files = dataOf([file]).files; due.delete(input); tell(input); },
    // The commonest way to open a picker: the page has removed the input from the document when the files come.
    picker: () => {
      const input = document.createElement("input");
      Object.assign(input, { type: "file", multiple: true });
      input.addEventListener("change", () => get(input.files));
      main.append(input);
      input.click();
      input.remove();
      const files = some();
      input.files = dataOf(files).files;
      due.set(input, files.filter(isClean).map(serialOf));
      tell(input);
    },
    replace: () => { for (const one of guards) one.remove(); guards = protect(); due.clear(); },
    wait: () => wait(below(10)),
  };
  const names = Object.keys(actions);
  const weighted = names.flatMap((name) => Array(/^(?:reset|replace)$/.test(name) ? 1 : 3).fill(name));
  for (let step = 0; step < steps; step += 1) {
    const name = weighted[below(weighted.length)];
    const from = serial;
    await actions[name]();
    log.push(name + (serial > from ? " " + (from + 1) + "-" + serial : ""));
    if (below(3) === 0) await wait(below(6));
  }
  for (let round = 0; round < 5; round += 1) { for (const one of guards) await one.settled(); await wait(10); }
  await Promise.all(running);
  for (const one of guards) one.remove();
  removeEventListener("hashgate-held", onHeld);
  const lost = [...due.values()].flat().filter((each) => !seen.has(each));
  return { log, lost, done: [...seen], released: [...released], kinds: [...kinds] };
};
window.ready = true;`;

export const FILEPOND = `${COMMON}
import * as FilePond from "filepond";
import { hashgateFilePond } from "hashgate/filepond";
let below = () => 0;
// FilePond animates its list by frames and short delays, which would take seconds per sequence. The page makes them 5
// times as fast.
const FASTER = 5;
let frame = 0;
// In a hidden page FilePond skips its animations and acts at once. Seven of eight sequences run in this mode.
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
window.requestAnimationFrame = (draw) => exactly(() => { frame += 17; draw(frame); }, 17 / FASTER);
window.cancelAnimationFrame = clearTimeout;
window.setTimeout = (then, ms = 0, ...given) => exactly(then, ms / FASTER, ...given);
FilePond.registerPlugin(hashgateFilePond({ record() {}, check: (...asked) => gateOf(below).check(...asked) }));
/** Changes some files before they are uploaded, as editors and compressors do. */
let changed = new Map();
FilePond.registerPlugin(({ addFilter }) => {
  addFilter("PREPARE_OUTPUT", async (file) => changed.get(serialOf(file)) ?? file);
  return { options: {} };
});
window.run = async (seed, steps) => {
  const next = random(seed);
  below = (count) => Math.floor(next() * count);
  hidden = seed % 8 > 0;
  changed = new Map();
  const log = [];
  const input = document.createElement("input");
  document.querySelector("main").replaceChildren(input);
  const instant = below(2) === 0;
  // With fewer parallel uploads, FilePond forgets files that wait for a removed file, even without this plugin.
  const pond = FilePond.create(input, {
    allowMultiple: true, instantUpload: instant, maxParallelUploads: 100, allowMinimumUploadDuration: false,
    server: { process: (name, file, metadata, load, error, progress, abort) => {
      const control = new AbortController();
      fetch("/upload?run=" + seed, { method: "POST", body: file, signal: control.signal }).then(() => load(String(serialOf(file))), () => error("lost"));
      return { abort: () => { control.abort(); abort(); } };
    }, revert: null },
  });
  const any = () => { const files = pond.getFiles(); return files[below(files.length)]; };
  const ignore = (promise) => promise?.catch?.(() => undefined);
  const actions = {
    add: () => { ignore(pond.addFile(make(below(2) ? "clean" : "listed"))); },
    addSeveral: () => ignore(pond.addFiles(Array.from({ length: 3 }, () => make(below(2) ? "clean" : "listed")))) && undefined,
    edit: () => { const file = make("clean"); changed.set(serial, make(below(2) ? "clean" : "listed")); ignore(pond.addFile(file)); },
    remove: () => { const file = any(); if (file) pond.removeFile(file.id); },
    process: () => { const file = any(); if (file) ignore(pond.processFile(file.id)); },
    processAll: () => ignore(pond.processFiles()) && undefined,
    // Presses a random button of the list: retry, cancel, undo or remove.
    press: () => { const buttons = [...pond.element.querySelectorAll(".filepond--file-action-button")]; buttons[below(buttons.length)]?.click(); },
    cancel: () => any()?.abortProcessing(),
    cancelLoad: () => any()?.abortLoad(),
    setInstant: () => { pond.instantUpload = below(2) === 0; },
    sort: () => { pond.sort(() => below(3) - 1); },
    clear: () => pond.removeFiles(),
    wait: () => wait(below(30)),
  };
  const names = Object.keys(actions);
  const weighted = names.flatMap((name) => Array(name === "clear" ? 1 : 3).fill(name));
  for (let step = 0; step < steps; step += 1) {
    const name = weighted[below(weighted.length)];
    const from = serial;
    actions[name]();
    log.push(name + (serial > from ? " " + (from + 1) + "-" + serial : ""));
    await wait(below(12));
  }
  const { IDLE, PROCESSING_ERROR, PROCESSING_COMPLETE } = FilePond.FileStatus;
  const finals = () => pond.getFiles().filter(({ file }) => file && isClean(file) && isClean(changed.get(serialOf(file)) ?? file));
  // Waits up to 60 seconds (3000 times 20 ms), because a busy machine may need long for the last uploads.
  for (let round = 0; round < 3000; round += 1) {
    const rest = finals().filter(({ status }) => status !== PROCESSING_COMPLETE);
    if (rest.length === 0) break;
    for (const { id, status } of rest) if (status === IDLE || status === PROCESSING_ERROR) ignore(pond.processFile(id));
    await wait(20);
  }
  const lost = finals().filter(({ status }) => status !== PROCESSING_COMPLETE).map(({ file, status }) => serialOf(file) + " " + status);
  const done = finals().filter(({ status }) => status === PROCESSING_COMPLETE).map(({ file }) => serialOf(changed.get(serialOf(file)) ?? file));
  pond.destroy();
  return { log, lost, done, released: [], kinds: [...kinds] };
};
window.ready = true;`;
