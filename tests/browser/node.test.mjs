// Tests the package in Node, as used for checks on a server. Imports it by its name, as an app does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  createReadStream,
  mkdtempSync,
  openAsBlob,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { GateError, openGate } from "hashgate";
import { serve } from "./server.mjs";

test("verdicts in Node are those of the browser", async () => {
  const gate = await openGate({ filters: ["target/samples/demo.hgf"] });
  assert.equal(gate.filters[0].name, "Demo list");
  for (const folder of ["listed", "edited", "clean"]) {
    for (const name of readdirSync(`target/samples/${folder}`)) {
      const { outcome } = await gate.check(readFileSync(`target/samples/${folder}/${name}`));
      assert.equal(outcome, folder === "clean" ? "clear" : "possible-match", name);
    }
  }
  gate.close();
});

test("a filter that is missing or refused rejects with its code", async () => {
  const codeOf = (filter) =>
    openGate({ filters: [filter] }).catch((error) => {
      assert.ok(error instanceof GateError);
      return error.code;
    });
  assert.equal(await codeOf("target/samples/missing.hgf"), "filter-unavailable");
  assert.equal(await codeOf("target/demo.csv"), "filter-magic");
});

test("a published list in Node: from a server or a path, kept in a folder, without its server too", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  const { url, close } = await serve();
  context.after(async () => {
    await close();
    rmSync(folder, { recursive: true });
  });
  const trust = { keys: [readFileSync("target/samples/list.pub", "utf8").trim()] };
  const options = { trust, whenUnavailable: "block", workers: 1 };
  const picture = readFileSync("target/samples/listed/listed-0.jpg");
  const first = await openGate({ ...options, source: "target/samples/list/manifest.txt" });
  assert.deepEqual([first.status().state, first.status().storage], ["current", { kind: "memory" }]);
  assert.equal((await first.check(picture)).outcome, "possible-match");
  first.close();

  const source = `${url}/samples/list/manifest.txt`;
  const kept = await openGate({ ...options, source, cacheDir: folder });
  const { state, from, storage } = kept.status();
  assert.deepEqual([state, from, storage], ["current", "network", { kind: "folder" }]);
  kept.close();
  await close();
  const offline = await openGate({ ...options, source, cacheDir: folder });
  assert.deepEqual([offline.status().state, offline.status().from], ["current", "storage"]);
  assert.equal((await offline.check(picture)).outcome, "possible-match");
  let changes = 0;
  offline.addEventListener("statechange", () => {
    changes += 1;
  });
  const { lastError } = await offline.refresh();
  assert.equal(lastError.code, "manifest-unavailable");
  assert.ok(changes > 0);
  offline.close();
  await assert.rejects(offline.refresh(), { code: "closed" });

  // If the stored list is damaged, the gate reports that it has no list.
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".list"));
  const bytes = readFileSync(join(folder, file));
  bytes[bytes.length - 50] ^= 1;
  writeFileSync(join(folder, file), bytes);
  const damaged = await openGate({ ...options, source, cacheDir: folder });
  const verdict = await damaged.check(picture);
  assert.deepEqual([verdict.reason, verdict.whenUnavailable], ["unavailable", "block"]);
  damaged.close();
});

test("a file that is changed under way is unreadable, whatever it was", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  const gate = await openGate({ filters: ["target/samples/demo.hgf"] });
  context.after(() => {
    gate.close();
    rmSync(folder, { recursive: true });
  });
  for (const name of ["listed/listed-0.jpg", "clean/clean-0.png"]) {
    const path = join(folder, "picture");
    copyFileSync(`target/samples/${name}`, path);
    const file = await openAsBlob(path);
    assert.notEqual((await gate.check(file)).outcome, "unchecked");
    writeFileSync(path, "another file, and a shorter one");
    const { outcome, reason, detail } = await gate.check(file);
    assert.deepEqual([outcome, reason], ["unchecked", "unreadable"], name);
    assert.match(detail, /^the file's bytes can't be had: /);
  }
});

test("of a large Blob the worker asks for pieces, with the same verdict and little memory", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "large");
  const size = 100 << 20;
  /** Writes a file of `bytes` bytes that begins with `head`. The others are zeros that take no space on the disk. */
  const write = (head, bytes = size) => {
    writeFileSync(path, head);
    truncateSync(path, bytes);
  };
  const film = Buffer.from("\0\0\0\x18ftypisom", "latin1");
  write(film);
  const digest = createHash("sha256");
  for await (const part of createReadStream(path)) digest.update(part);
  writeFileSync(join(folder, "list.txt"), `${digest.digest("hex")}\n`);
  const args = ["build", join(folder, "list.txt"), "--type", "sha256", "--name", "films", "--category", "drawn"];
  execFileSync("target/debug/hashgate", [...args, "--out", join(folder, "films.hgf")]);
  const filters = [join(folder, "films.hgf"), "target/samples/demo.hgf"];
  const gate = await openGate({ filters, workers: 2, maxFileBytes: size });
  context.after(() => gate.close());
  const { arrayBuffers } = process.memoryUsage();
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - arrayBuffers);
  }, 5);
  const found = await gate.check(await openAsBlob(path));
  clearInterval(timer);
  assert.deepEqual([found.outcome, found.matches?.[0]?.list], ["possible-match", "films"], JSON.stringify(found));
  // V8 frees the chunks when they amount to about 64 MiB. Reading the file as a whole would take twice its size.
  assert.ok(most < size, `${most} bytes`);
  // Pictures are decoded from chunks, too. The zeros after a picture's end are ignored.
  for (const [name, outcome] of [
    ["listed/listed-0.jpg", "possible-match"],
    ["listed/listed-1.jpg", "possible-match"],
    ["clean/clean-0.png", "clear"],
    ["clean/clean-1.jpg", "clear"],
  ]) {
    write(readFileSync(`target/samples/${name}`), 9 << 20);
    assert.equal((await gate.check(await openAsBlob(path))).outcome, outcome, name);
  }
  // Changes the file on the disk during a check.
  write(film);
  const changed = await openAsBlob(path);
  const checking = gate.check(changed);
  setTimeout(() => writeFileSync(path, "another"), 20);
  assert.equal((await checking).reason, "unreadable");
  assert.equal((await gate.check(changed)).reason, "unreadable");
  // An aborted check doesn't block the next check.
  write(film);
  const signal = AbortSignal.timeout(20);
  await assert.rejects(gate.check(await openAsBlob(path), { signal }), { name: "TimeoutError" });
  assert.equal((await gate.check(await openAsBlob(path))).outcome, "possible-match");
});

test("an open gate doesn't keep the process", () => {
  const script = `import { openGate } from "hashgate";
    const gate = await openGate({ filters: ["target/samples/demo.hgf"] });
    const trust = { keys: [${JSON.stringify(readFileSync("target/samples/list.pub", "utf8").trim())}] };
    const source = "target/samples/list/manifest.txt";
    await openGate({ source, trust, whenUnavailable: "allow", refreshIntervalMs: 50 });
    console.log((await gate.check(new Uint8Array(3))).reason);
    // A progressive JPEG, for which the worker also sends an early message.
    const progressive = readFileSync("target/samples/clean/clean-1.jpg");
    for (const _ of [1, 2]) console.log((await gate.check(progressive)).outcome);`;
  const code = `import { readFileSync } from "node:fs"; ${script}`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", code], { timeout: 20_000 });
  assert.equal(String(printed), "not-a-picture\nclear\nclear\n");
});

test("the browser's entry is harmless where there is no browser", async () => {
  const { openGate: inBrowser } = await import("../../dist/index.js");
  assert.equal(typeof inBrowser, "function");
  await assert.rejects(inBrowser({ filters: ["/demo.hgf"] }), { name: "GateError", code: "engine-unavailable" });
});

test("workers that have grown are replaced, idle ones are closed, lost filters are loaded again or said", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const filter = join(folder, "demo.hgf");
  copyFileSync("target/samples/demo.hgf", filter);
  const picture = readFileSync("target/samples/listed/listed-0.jpg");
  const alive = new Set();
  const hire = (worker) => {
    alive.add(worker);
    worker.once("exit", () => alive.delete(worker));
  };
  process.on("worker", hire);
  context.after(() => process.off("worker", hire));
  const settled = async (count) => {
    for (let wait = 0; alive.size !== count && wait < 100; wait += 1) await new Promise((done) => setTimeout(done, 20));
    assert.equal(alive.size, count);
  };

  const small = await openGate({ filters: [filter], workers: 1, maxIdleMemoryBytes: 1 });
  for (let check = 0; check < 3; check += 1) assert.equal((await small.check(picture)).outcome, "possible-match");
  await settled(1);
  small.close();
  await settled(0);

  const gate = await openGate({ filters: [filter], workers: 3, idleMs: 50 });
  await Promise.all([1, 2, 3].map(() => gate.check(picture)));
  await settled(2);

  // The lookup worker dies while its filter's file is missing on the disk. Later the file is back, and the gate works
  // again.
  rmSync(filter);
  await Promise.all([...alive].map((worker) => worker.terminate()));
  assert.equal((await gate.check(picture)).reason, "unavailable");
  copyFileSync("target/samples/demo.hgf", filter);
  assert.equal((await gate.check(picture)).outcome, "possible-match");
  gate.close();
  await settled(0);
});
