// Tests in Node and in Chromium which values a gate accepts as files, and that `admit` returns the Blob that was
// checked.
import assert from "node:assert/strict";
import { Blob as NodeBlob } from "node:buffer";
import { openAsBlob, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { Window } from "happy-dom";
import { GateError, HeldError, openGate } from "hashgate";
import { JSDOM } from "jsdom";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { serve } from "./server.mjs";

const LISTED = readFileSync("target/samples/listed/listed-0.jpg");
const CLEAN = readFileSync("target/samples/clean/clean-0.png");

let gate;
before(async () => {
  gate = await openGate({ filters: ["target/samples/demo.hgf"], workers: 1 });
});
after(() => gate?.close());

test("in Node, files and bytes of every realm and implementation are read", async () => {
  const context = createContext({});
  const foreign = runInContext("new ArrayBuffer", context).constructor;
  const inRealm = (bytes) => {
    const buffer = new foreign(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  };
  const exact = Uint8Array.from(LISTED);
  const shared = new SharedArrayBuffer(LISTED.length);
  new Uint8Array(shared).set(LISTED);
  const padded = new Uint8Array(LISTED.length + 20);
  padded.set(LISTED, 10);
  const { window } = new JSDOM("");
  const happy = new Window();
  const inputs = {
    Buffer: LISTED,
    Uint8Array: exact,
    "Uint8Array of a part of a buffer": padded.subarray(10, 10 + LISTED.length),
    ArrayBuffer: exact.buffer,
    "ArrayBuffer of another realm": inRealm(LISTED),
    "Uint8Array of another realm": runInContext("(buffer) => new Uint8Array(buffer)", context)(inRealm(LISTED)),
    DataView: new DataView(exact.buffer),
    SharedArrayBuffer: shared,
    Blob: new Blob([LISTED]),
    "Blob of node:buffer": new NodeBlob([LISTED]),
    File: new File([LISTED], "a.jpg"),
    "Blob of openAsBlob": await openAsBlob("target/samples/listed/listed-0.jpg"),
    "File of jsdom": new window.File([window.Uint8Array.from(LISTED)], "a.jpg"),
    "File of happy-dom": new happy.File([LISTED], "a.jpg"),
    "something like a Blob": { size: LISTED.length, arrayBuffer: async () => exact.buffer },
  };
  for (const [name, input] of Object.entries(inputs)) {
    const verdict = await gate.check(input);
    assert.equal(verdict.outcome, "possible-match", `${name}: ${JSON.stringify(verdict)}`);
  }
  // The gate has not detached the caller's buffer.
  assert.equal(exact.byteLength, LISTED.length);
  assert.equal((await gate.check(inputs["something like a Blob"])).outcome, "possible-match");
});

test("a Blob that only a FileReader reads is read by it", async (context) => {
  const { window } = new JSDOM("");
  const file = new window.File([window.Uint8Array.from(LISTED)], "a.jpg");
  // Imitates versions of jsdom without Blob.prototype.arrayBuffer.
  delete window.Blob.prototype.arrayBuffer;
  assert.equal((await gate.check(file)).reason, "invalid-input");
  globalThis.FileReader = window.FileReader;
  context.after(() => delete globalThis.FileReader);
  assert.equal((await gate.check(file)).outcome, "possible-match");
});

test("what can't be read as a file is invalid input, which availability has no say in", async () => {
  const detached = new ArrayBuffer(8);
  structuredClone(detached, { transfer: [detached] });
  const throws = {
    size: 3,
    arrayBuffer() {
      throw new Error("no bytes");
    },
  };
  const inputs = [
    undefined,
    null,
    "picture.jpg",
    7,
    Symbol("a"),
    () => {},
    {},
    [1, 2],
    { size: 3 },
    { size: -1, arrayBuffer() {} },
    { size: 3, arrayBuffer: async () => "abc" },
    { size: 3, arrayBuffer: async () => null },
    { [Symbol.toStringTag]: "ArrayBuffer", length: 4 },
    { [Symbol.toStringTag]: "File", size: 4 },
    { getFile() {} },
    new Response("abc"),
    detached,
    throws,
  ];
  for (const input of inputs) {
    const { outcome, reason, detail } = await gate.check(input);
    assert.deepEqual([outcome, reason], ["unchecked", "invalid-input"], detail);
    assert.ok(detail.length > 10);
    await assert.rejects(gate.admit(input, { copyUpToBytes: 100 }), { name: "HeldError", code: "held" });
  }
  assert.match((await gate.check("picture.jpg")).detail, /got string; read the file first/);
  assert.match((await gate.check({ getFile() {} })).detail, /call its getFile\(\) first/);

  // With `whenUnavailable: "allow"`, files pass while there is no list, but values that are no files are held.
  const trust = { keys: [readFileSync("target/samples/list.pub", "utf8").trim()] };
  const source = "target/samples/missing/manifest.txt";
  const allowing = await openGate({ source, trust, whenUnavailable: "allow" });
  assert.equal((await allowing.check(LISTED)).reason, "unavailable");
  assert.equal((await allowing.check("picture.jpg")).reason, "invalid-input");
  await allowing.admit(LISTED);
  await assert.rejects(allowing.admit("picture.jpg"), HeldError);
  allowing.close();
});

test("what is admitted is the Blob that was judged; what is held throws with its verdict", async () => {
  const blob = new Blob([CLEAN], { type: "image/png" });
  const { file, verdict } = await gate.admit(blob);
  assert.equal(file, blob);
  assert.equal(verdict.file, blob);
  assert.equal(verdict.outcome, "clear");
  assert.ok(!("file" in structuredClone(verdict)) && !JSON.stringify(verdict).includes('"file"'));
  assert.ok(!("file" in { ...verdict }));
  assert.equal((await gate.check(CLEAN)).file, undefined);

  // If the caller changes its bytes during the check, `admit` returns the bytes that were checked.
  const bytes = Uint8Array.from(CLEAN);
  const admitting = gate.admit(bytes);
  bytes.fill(0);
  const admitted = await admitting;
  assert.deepEqual(Buffer.from(await admitted.file.arrayBuffer()), CLEAN);
  assert.equal(admitted.verdict.file, admitted.file);

  const listed = new File([LISTED], "a.jpg");
  const held = await gate.admit(listed).catch((error) => error);
  assert.ok(held instanceof HeldError);
  assert.equal(held.verdict.outcome, "possible-match");
  assert.equal(held.verdict.file, listed);
  await assert.rejects(gate.admit(Buffer.from("\xff\xd8\xff", "latin1")), { code: "held" });
  await gate.admit(Buffer.from("\xff\xd8\xff", "latin1"), { unchecked: "allow" });
  await assert.rejects(gate.admit(listed, { unchecked: "sometimes" }), TypeError);

  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(gate.admit(blob, { signal }), /enough/);
  const closed = await openGate({ filters: ["target/samples/demo.hgf"], workers: 1 });
  closed.close();
  await assert.rejects(closed.admit(blob), (error) => error instanceof GateError && error.code === "closed");
});

test("a copy is judged and admitted in the place of a small file", async () => {
  const given = new File([CLEAN], "a.png", { type: "image/png", lastModified: 1000 });
  const { file, verdict } = await gate.admit(given, { copyUpToBytes: CLEAN.length });
  assert.notEqual(file, given);
  assert.equal(verdict.file, file);
  assert.deepEqual([file.name, file.type, file.lastModified, file.size], ["a.png", "image/png", 1000, CLEAN.length]);
  assert.equal((await gate.admit(given, { copyUpToBytes: CLEAN.length - 1 })).file, given);
  const blob = await gate.admit(new Blob([CLEAN], { type: "image/png" }), { copyUpToBytes: 1e6 });
  assert.ok(!(blob.file instanceof File) && blob.file.type === "image/png");
});

test("in Chromium, files of another frame are read, and admitted as they are", async (context) => {
  const body = `<!doctype html><meta charset="utf-8"><title>hashgate</title><iframe srcdoc="<p>inner"></iframe>
    <script type="module" src="/page.js"></script>`;
  const script = `import { openGate } from "/hashgate/index.js"; window.openGate = openGate; window.ready = true;`;
  const server = await serve({
    extra: {
      "/page.html": { body, type: "text/html; charset=utf-8" },
      "/page.js": { body: script, type: "text/javascript" },
    },
  });
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  const seen = await page.evaluate(async () => {
    const gate = await window.openGate({ filters: ["/samples/demo.hgf"], workers: 1 });
    const bytes = await (await fetch("/samples/listed/listed-0.jpg")).arrayBuffer();
    const inner = document.querySelector("iframe").contentWindow;
    const innerBytes = inner.Uint8Array.from(new Uint8Array(bytes));
    const file = new inner.File([bytes], "a.jpg", { type: "image/jpeg" });
    const verdict = await gate.check(file);
    const given = [innerBytes, innerBytes.buffer, new inner.Blob([bytes]), new DataView(bytes), file];
    // Removes the frame that made the file, as happens when a dialog is closed. The file must stay readable.
    document.querySelector("iframe").remove();
    const outcomes = [];
    for (const input of given) outcomes.push((await gate.check(input)).outcome);
    const odd = [undefined, "a.jpg", {}, new Response(bytes), document.body, file.name, new Proxy(file, {})];
    const reasons = [];
    for (const input of odd) reasons.push((await gate.check(input)).reason);
    const held = await gate.admit(file).catch(({ code, verdict }) => [code, verdict.file === file]);
    return { instance: file instanceof File, same: verdict.file === file, outcomes, reasons, held };
  });
  assert.deepEqual(seen, {
    instance: false,
    same: true,
    outcomes: Array(5).fill("possible-match"),
    reasons: Array(7).fill("invalid-input"),
    held: ["held", true],
  });
});
