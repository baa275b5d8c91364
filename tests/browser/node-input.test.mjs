// Tests the inputs that a gate accepts in Node besides Blobs and byte arrays: files by URL, and streams.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openGate } from "hashgate";

const LISTED = "target/samples/listed/listed-0.jpg";
const CLEAN = "target/samples/clean/clean-0.png";
const GIB = 2 ** 30;
const MIB = 2 ** 20;

const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
const sparse = join(folder, "long.jpg");
/** A filter without digests. With it, a gate need not read a file to its end if the file is no picture. */
const withoutDigests = join(folder, "pdq.hgf");
let gate;

before(async () => {
  // Makes a file of a gigabyte that begins with a picture. The rest is a hole that takes no space on the disk.
  writeFileSync(sparse, readFileSync(LISTED));
  truncateSync(sparse, GIB);
  const list = join(folder, "list.txt");
  writeFileSync(list, `${"0123456789abcdef".repeat(4)}\n`);
  const names = ["--name", "pdq", "--category", "test", "--type", "pdq"];
  execFileSync("target/debug/hashgate", ["build", list, "--out", withoutDigests, ...names]);
  gate = await openGate({ filters: ["target/samples/demo.hgf"], workers: 1 });
});

after(() => {
  gate?.close();
  rmSync(folder, { recursive: true });
});

test("a file's URL and every kind of stream get the verdict of the file's bytes", async () => {
  for (const [path, outcome] of [
    [LISTED, "possible-match"],
    [CLEAN, "clear"],
  ]) {
    const bytes = readFileSync(path);
    const expected = await gate.check(bytes);
    assert.equal(expected.outcome, outcome);
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += 1000) yield new Uint8Array(bytes.subarray(at, at + 1000));
    }
    const inputs = {
      url: pathToFileURL(path),
      file: createReadStream(path),
      readable: Readable.from(pieces()),
      web: Readable.toWeb(createReadStream(path)),
      blob: new Blob([bytes]).stream(),
      iterable: pieces(),
      // Imitates streams of other implementations, which have a reader but can't be iterated.
      reader: { getReader: () => new Blob([bytes]).stream().getReader() },
    };
    for (const [kind, input] of Object.entries(inputs)) assert.deepEqual(await gate.check(input), expected, kind);
  }
});

test("what may come out of a request opens no file", async () => {
  const path = resolve(LISTED);
  const inputs = [path, `file://${path}`, { path }, { href: `file://${path}`, protocol: "file:" }];
  for (const input of inputs) {
    const { reason, detail } = await gate.check(input);
    assert.deepEqual([reason, detail?.startsWith("check: expected a File, a Blob")], ["invalid-input", true], detail);
  }
  mkdirSync(join(folder, "folder"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  for (const [url, why] of [
    ["https://example.org/x.jpg", /expected a file: URL, got https:/],
    [pathToFileURL(join(folder, "folder")), /expected a file, got a folder/],
    [pathToFileURL(join(folder, "pipe")), /expected a file, got a device/],
    [pathToFileURL(join(folder, "missing")), /ENOENT/],
    ["file:///a%2Fb", /can't be opened/],
  ]) {
    const { reason, detail } = await gate.check(new URL(url));
    assert.equal(reason, "invalid-input");
    assert.match(detail, why);
  }
});

test("what is longer than the limit is too-large, read no further, and takes no memory", async () => {
  const small = await openGate({ filters: ["target/samples/demo.hgf"], workers: 1, maxFileBytes: 8 * MIB });
  const before = process.memoryUsage().rss;
  for (const open of [() => pathToFileURL(sparse), () => createReadStream(sparse)]) {
    const inputs = Array.from({ length: 8 }, open);
    for (const verdict of await Promise.all(inputs.map((input) => small.check(input)))) {
      assert.deepEqual([verdict.outcome, verdict.reason], ["unchecked", "too-large"]);
    }
    for (const input of inputs.filter((input) => input instanceof Readable)) {
      assert.ok(input.bytesRead < 10 * MIB && input.destroyed, `${input.bytesRead}`);
    }
  }
  const risen = (process.memoryUsage().rss - before) / MIB;
  assert.ok(risen < 200, `${risen} MiB more memory for 16 files of 1024 MiB`);
  small.close();
});

test("a film is told by its first bytes, if no digest of it is wanted", async () => {
  const film = join(folder, "film.mkv");
  writeFileSync(film, Buffer.concat([Buffer.from("1a45dfa3", "hex"), Buffer.alloc(1000, 7)]));
  truncateSync(film, GIB);
  const pdq = await openGate({ filters: [withoutDigests], workers: 1 });
  const stream = createReadStream(film);
  for (const input of [stream, pathToFileURL(film)]) assert.equal((await pdq.check(input)).reason, "unsupported-film");
  assert.ok(stream.bytesRead < MIB && stream.destroyed, `${stream.bytesRead}`);
  assert.equal((await pdq.check(createReadStream(CLEAN))).outcome, "clear");
  pdq.close();
});

test("a stream that breaks off, stops or was read already is no clear file", async () => {
  const brief = await openGate({ filters: ["target/samples/demo.hgf"], workers: 1, timeoutMs: 3000 });
  const bytes = readFileSync(LISTED);
  async function* breaksOff() {
    yield bytes.subarray(0, 1000);
    throw new Error("the cable was cut");
  }
  const silent = new Readable({ read() {} });
  silent.push(bytes.subarray(0, 1000));
  const used = createReadStream(LISTED);
  for await (const _ of used);
  const web = new Blob([bytes]).stream();
  await web.cancel();
  const locked = new Blob([bytes]).stream();
  locked.getReader();
  for (const [input, reason, why] of [
    [breaksOff(), "unreadable", /the cable was cut/],
    [silent, "unreadable", /it brought no bytes for 3 s/],
    [used, "invalid-input", /got one that was read/],
    [web, "invalid-input", /got one that was read/],
    [locked, "invalid-input", /the stream can't be read/],
    [createReadStream(LISTED, "latin1"), "invalid-input", /expected chunks of bytes, got string/],
    [Readable.from([{ not: "bytes" }]), "invalid-input", /expected chunks of bytes, got Object/],
  ]) {
    const verdict = await brief.check(input);
    assert.deepEqual([verdict.outcome, verdict.reason], ["unchecked", reason], verdict.detail);
    assert.match(verdict.detail, why);
  }
  assert.equal(silent.destroyed, true);
  brief.close();
});

test("abort and close end a stream that is being read", async () => {
  const own = await openGate({ filters: ["target/samples/demo.hgf"], workers: 1 });
  const silent = () => new Readable({ read() {} });
  const [aborted, closed] = [silent(), silent()];
  const controller = new AbortController();
  const checks = [own.check(aborted, { signal: controller.signal }), own.check(closed)];
  controller.abort();
  await assert.rejects(checks[0], { name: "AbortError" });
  own.close();
  await assert.rejects(checks[1], { code: "closed" });
  assert.deepEqual([aborted.destroyed, closed.destroyed], [true, true]);
});

test("a request is a stream, and its sender gets an answer although it is too long", async (context) => {
  const small = await openGate({ filters: ["target/samples/demo.hgf"], workers: 1, maxFileBytes: MIB });
  const server = createServer(async (incoming, response) => {
    const verdict = await small.check(incoming);
    response.end(verdict.reason ?? verdict.outcome);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  // Keeps the connection open. If the server closed it after its answer, a client that is still sending might not read
  // the answer.
  const agent = new Agent({ keepAlive: true });
  context.after(() => {
    small.close();
    agent.destroy();
    server.close();
  });
  const send = (body) =>
    new Promise((resolve, reject) => {
      const sending = request(
        { agent, port: server.address().port, host: "127.0.0.1", method: "PUT" },
        async (response) => {
          let text = "";
          for await (const chunk of response) text += chunk;
          resolve(text);
        },
      );
      sending.on("error", reject);
      body.pipe(sending);
    });
  assert.equal(await send(createReadStream(LISTED)), "possible-match");
  assert.equal(await send(createReadStream(sparse, { end: 3 * MIB })), "too-large");
});
