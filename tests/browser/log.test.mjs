// Tests the public log with real processes: a publisher, three witnesses (one is killed, one cheats), nginx, Chromium
// and Firefox. A release that is shown only to some readers must be refused, and a monitor must prove the fork.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash, createPrivateKey, sign } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { openGate } from "hashgate";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { programs } from "../../scripts/programs.mjs";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";

const CLI = resolve("target/debug/hashgate");
const rowOf = (text) => `${createHash("sha256").update(text).digest("hex")},sha256`;
const LISTED = "listed in every release";
const SECRET = "listed for some alone";

/** Makes a key pair. Returns the private key's file and both keys as text. */
function keygen(folder, name, ...more) {
  const file = join(folder, `${name}.key`);
  execFileSync(CLI, ["keygen", "--out", file, "--name", `${name}.test`, ...more], { stdio: "ignore" });
  const text = (path) => readFileSync(path, "utf8").trim();
  return { file, private: text(file), public: text(`${file}.pub`) };
}

/** Starts the product's witness as a process. Resolves once it listens. */
async function witness(folder, name, key, log) {
  const args = ["witness", "--key", key.file, "--state", join(folder, `${name}.state`), "--log", log.public];
  const child = spawn(CLI, [...args, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(child.stdout)) {
    const [, address] = /^listening on (http:\S+)/.exec(line) ?? [];
    if (address) return { child, url: address };
  }
  throw new Error(`${name} ended before it listened`);
}

/** Starts a cheating witness: it cosigns everything that it gets, and remembers nothing. */
async function cheat(key) {
  const [, name, id, secret] = /^PRIVATE\+KEY\+(.+?)\+([0-9a-f]{8})\+(.*)$/.exec(key.private);
  // The DER bytes (PKCS #8) of an Ed25519 private key: a constant head, then the 32 bytes of the seed. The key's text
  // has one more byte before the seed, its type.
  const der = Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    Buffer.from(secret, "base64").subarray(1),
  ]);
  const signing = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const note = body.slice(body.indexOf("\n\n") + 2);
      const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
      const time = BigInt(Math.floor(Date.now() / 1000));
      const stamp = Buffer.alloc(8);
      stamp.writeBigUInt64BE(time);
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), signing);
      const line = Buffer.concat([Buffer.from(id, "hex"), stamp, signature]).toString("base64");
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end(`— ${name} ${line}\n`);
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

/**
 * Starts nginx for a folder and for the package. Takes a free port from the system first, because nginx must be told
 * its port.
 */
async function nginx(folder) {
  const probe = createServer();
  await new Promise((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  const own = join(folder, "nginx");
  mkdirSync(own);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = temporary.map((name) => `${name}_temp_path ${own}/${name};`).join(" ");
  writeFileSync(
    join(own, "nginx.conf"),
    `daemon off; pid ${own}/pid; error_log stderr; ${process.getuid() === 0 ? "user root;" : ""}
    events {}
    http {
      include /etc/nginx/mime.types; default_type application/octet-stream; access_log off; ${paths}
      server { listen 127.0.0.1:${port}; root ${folder}/site; location /hashgate/ { alias ${resolve("dist")}/; } }
    }`,
  );
  const child = spawn(programs(["NGINX_PATH"]).NGINX_PATH, ["-c", join(own, "nginx.conf")], { stdio: "inherit" });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await fetch(url);
      return { child, url };
    } catch (error) {
      if (attempt === 600) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>hashgate</title><script type="module">
import { openGate } from "/hashgate/index.js";
window.start = async (options) => { window.gate = await openGate(options); return window.gate.status(); };
window.refresh = () => window.gate.refresh();
window.check = (text) => window.gate.check(new TextEncoder().encode(text));
window.report = () => window.gate.report({ checkpoint: true });
window.ready = true;
</script>`;

/** Opens a page in each of the two browsers. */
async function browsers(context, url) {
  const inChromium = await chromium.launch(CHROMIUM);
  context.after(() => inChromium.close());
  const inFirefox = await puppeteer.launch({ ...FIREFOX });
  context.after(() => inFirefox.close());
  const pages = { Chromium: await inChromium.newPage(), Firefox: await inFirefox.newPage() };
  for (const page of Object.values(pages)) {
    await page.goto(`${url}/page.html`);
    while (!(await page.evaluate(() => window.ready === true))) await new Promise((done) => setTimeout(done, 50));
  }
  return pages;
}

test("a list that is shown to some alone is refused in both browsers, and a monitor proves the fork", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  const children = [];
  context.after(async () => {
    for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
      child.kill();
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  });
  const list = keygen(folder, "list");
  const log = keygen(folder, "log");
  const keys = [1, 2, 3].map((number) => keygen(folder, `w${number}`, "--witness"));
  const honest = await witness(folder, "w1", keys[0], log);
  const doomed = await witness(folder, "w2", keys[1], log);
  const cheater = await cheat(keys[2]);
  context.after(() => cheater.server.close());
  children.push(honest.child, doomed.child);
  const policy = join(folder, "policy");
  const urls = [honest.url, doomed.url, cheater.url];
  const named = keys.map((key, index) => `witness w${index + 1} ${key.public} ${urls[index]}`);
  writeFileSync(policy, [`log ${log.public}`, ...named, "group two 2 w1 w2 w3", "quorum two", ""].join("\n"));

  const site = join(folder, "site");
  // Runs the CLI asynchronously: the cheating witness answers in this process, which a synchronous call would block.
  const hashgate = async (...args) => {
    const child = spawn(CLI, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    const [status] = await once(child, "close");
    return { status, said };
  };
  // nginx's ETag is made of a file's size and modification time in seconds. So each release gets its own second.
  let second = Math.floor(Date.now() / 1000) - 1000;
  const date = (dir) => {
    second += 1;
    for (const name of readdirSync(dir, { recursive: true })) utimesSync(join(dir, name), second, second);
  };
  const publish = async (to, rows, expected = 0, more = []) => {
    const csv = join(folder, "list.csv");
    writeFileSync(csv, `hash,type\n${rows.map(rowOf).join("\n")}\n`);
    const names = ["--dir", to, "--key", list.file, "--name", "Demo", "--category", "drawn"];
    const logged = ["--log", join(to, "log"), "--log-key", log.file, "--log-policy", policy];
    const about = [
      "--policy",
      "https://list.test/policy",
      "--appeals",
      "mailto:appeals@list.test",
      "--jurisdiction",
      "Freedonia",
    ];
    const { status, said } = await hashgate("publish", csv, ...names, ...logged, ...about, ...more);
    assert.equal(status, expected, said);
    date(to);
    return said;
  };
  const everyone = join(site, "lists");
  assert.match(await publish(everyone, [LISTED]), /cosigned by 3 of 3 witnesses/);
  writeFileSync(join(site, "page.html"), PAGE);

  const server = await nginx(folder);
  children.push(server.child);
  const trust = {
    keys: [list.public],
    log: { key: log.public, origin: "log.test" },
    witnesses: { keys: keys.map((key) => key.public), threshold: 2 },
  };
  const options = { source: "/lists/manifest.txt", trust, whenUnavailable: "block", workers: 1, warmUp: false };
  const pages = await browsers(context, server.url);
  for (const [name, page] of Object.entries(pages)) {
    const status = await page.evaluate((options) => window.start(options), options);
    assert.deepEqual([status.state, status.release, status.lastError], ["current", 1, undefined], name);
    const { origin, size, index, witnesses } = status.checkpoint;
    assert.deepEqual([origin, size, index, witnesses.length], ["log.test", 1, 0, 3], name);
    assert.equal(status.clock, undefined);
  }

  // Kills one witness. The quorum is two of three, so publishing and reading still work.
  doomed.child.kill("SIGKILL");
  await once(doomed.child, "exit");
  // Copies the log before the fork, to make another log from it.
  const some = join(folder, "some", "lists");
  cpSync(everyone, some, { recursive: true });
  assert.match(await publish(everyone, [LISTED, "two"]), /witness w2: [\s\S]*cosigned by 2 of 3 witnesses/);
  for (const [name, page] of Object.entries(pages)) {
    const status = await page.evaluate(() => window.refresh());
    assert.deepEqual([status.release, status.checkpoint.size, status.lastError], [2, 2, undefined], name);
  }
  const first = join(folder, "first.json");
  writeFileSync(first, JSON.stringify(await pages.Chromium.evaluate(() => window.gate.status())));

  // The curator makes a second, different release 2 for some readers. The honest witness refuses to cosign it; the
  // cheating one cosigns.
  const said = await publish(some, [LISTED, SECRET], 2);
  assert.match(said, /witness w1: status 422/);
  assert.match(said, /expected 2 of 3 to cosign, got 1/);
  // The product doesn't write a proof without a quorum. So the curator makes one for readers of the fork, with a policy
  // that needs only the cheating witness.
  const lone = join(folder, "lone");
  writeFileSync(lone, [`log ${log.public}`, named[2], "quorum w3", ""].join("\n"));
  const names = ["--dir", some, "--key", list.file, "--name", "Demo", "--category", "drawn"];
  const logged = ["--log", join(some, "log"), "--log-key", log.file, "--log-policy", lone];
  const forced = await hashgate("publish", join(folder, "list.csv"), ...names, ...logged);
  assert.equal(forced.status, 0, forced.said);
  // From now on the server offers the fork, whose log is longer than the one that the browsers hold. They must refuse
  // it.
  cpSync(some, everyone, { recursive: true, force: true });
  date(everyone);
  for (const [name, page] of Object.entries(pages)) {
    const status = await page.evaluate(() => window.refresh());
    assert.equal(status.lastError?.code, "log-too-few-witnesses", name);
    assert.deepEqual(
      [status.state, status.release, status.checkpoint.size],
      ["current", 2, 2],
      `${name}: the last good one stays`,
    );
    const { outcome, list } = await page.evaluate((text) => window.check(text), LISTED);
    assert.deepEqual([outcome, list.release, list.checkpoint.size], ["possible-match", 2, 2], name);
    assert.deepEqual(list.about.appeals, "mailto:appeals@list.test");
    const unlisted = await page.evaluate((text) => window.check(text), SECRET);
    assert.notEqual(unlisted.outcome, "possible-match", name);
    const report = await page.evaluate(() => window.report());
    assert.deepEqual(report["hashgate.checkpoint"], list.checkpoint, name);
  }
  // A reader who comes for the first time (in Node) has no earlier release to compare, but refuses the fork for lack of
  // witnesses.
  const gate = await openGate({ ...options, source: `${server.url}/lists/manifest.txt` });
  context.after(() => gate.close());
  assert.deepEqual([gate.status().state, gate.status().lastError.code], ["none", "log-too-few-witnesses"]);

  // A reader who trusts only the cheating witness accepts the fork. Its status and the honest log together prove the
  // fork.
  const naive = { ...trust, witnesses: { keys: [keys[2].public] } };
  const victim = await openGate({ ...options, trust: naive, source: `${server.url}/lists/manifest.txt` });
  context.after(() => victim.close());
  assert.equal(victim.status().state, "current");
  const other = join(folder, "second.json");
  writeFileSync(other, JSON.stringify(victim.status()));
  const log2 = join(everyone, "log");
  const compared = await hashgate("compare", first, other, "--log", log2, "--log-key", log.public);
  assert.equal(compared.status, 1, compared.said);
  assert.match(compared.said, /SPLIT: "log\.test" shows different logs/);
  context.diagnostic(compared.said);
});

test("a monitor prints a fork, a rewind and a release that isn't in the log", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const list = keygen(folder, "list");
  const log = keygen(folder, "log");
  const publish = (to, rows, ...more) => {
    const csv = join(folder, "list.csv");
    // The list has so many rows that a delta is shorter than the full file.
    const filler = Array.from({ length: 300 }, (_, number) => `filler ${number}`);
    writeFileSync(csv, `hash,type\n${[...filler, ...rows].map(rowOf).join("\n")}\n`);
    const names = ["--dir", to, "--key", list.file, "--name", "Demo", "--category", "drawn"];
    execFileSync(CLI, ["publish", csv, ...names, "--log", join(to, "log"), "--log-key", log.file, ...more], {
      stdio: "ignore",
    });
  };
  const monitor = (of, state, ...more) => {
    const args = ["monitor", join(of, "log"), "--log-key", log.public, "--trust", list.public, "--list", of];
    const run = spawnSync(CLI, [...args, "--state", join(folder, state), ...more], { encoding: "utf8" });
    return { status: run.status, said: run.stdout + run.stderr };
  };
  const [everyone, some] = [join(folder, "everyone"), join(folder, "some")];
  publish(everyone, ["a", "b"]);
  cpSync(everyone, some, { recursive: true });
  publish(everyone, ["b", "c"], "--withdrawn", "1");
  publish(some, ["b", "d"]);
  const page = join(folder, "audit.html");
  const well = monitor(everyone, "state", "--page", page);
  assert.equal(well.status, 0, well.said);
  assert.match(well.said, /release 2: 302 entries, 1 came, 1 went, \d+ bits set, \d+ cleared; signed by list\.test/);
  assert.match(readFileSync(page, "utf8"), /<svg[\s\S]*Entries over time|Entries over time[\s\S]*<svg/);
  assert.equal(monitor(everyone, "state").status, 0);
  const fork = monitor(some, "state");
  assert.equal(fork.status, 1, fork.said);
  assert.match(
    fork.said,
    /ALARM fork: the first 2 entries are no longer those that were seen: the log was forked\. Both are signed/,
  );
  assert.match(fork.said, /ALARM not-in-the-log/);
  publish(some, ["b", "d", "e"]);
  assert.match(monitor(some, "state").said, /ALARM fork: the first 2 entries are no longer those that were seen/);
  const before = join(folder, "before");
  cpSync(everyone, before, { recursive: true });
  publish(everyone, ["b", "c", "f"]);
  assert.equal(monitor(everyone, "state").status, 0);
  const rewound = monitor(before, "state");
  assert.equal(rewound.status, 1);
  assert.match(rewound.said, /ALARM rewind: the log went back from 3 entries to 2/);
  // The monitor refused the forked log. So it still accepts the honest one.
  assert.equal(monitor(everyone, "state").status, 0);
});
