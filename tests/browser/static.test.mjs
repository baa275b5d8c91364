// Tests that the files of `publish` work unchanged on plain nginx and on a static server from npm: a client verifies
// and resumes downloads, and follows new releases.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openGate } from "hashgate";
import { programs } from "../../scripts/programs.mjs";

const hashgate = (...args) => execFileSync("target/debug/hashgate", args, { encoding: "utf8" });

/**
 * Publishes three releases into `folder/lists`, of which the second has other entries. Returns a function that
 * publishes the next release, and the public key.
 */
function publishThree(folder) {
  const key = join(folder, "list.key");
  hashgate("keygen", "--out", key, "--name", "example.org/list");
  const all = readFileSync("target/demo.csv", "utf8").trimEnd().split("\n");
  const publish = (lines) => {
    writeFileSync(join(folder, "list.csv"), `${lines.join("\n")}\n`);
    const to = ["--dir", join(folder, "lists"), "--key", key, "--name", "Demo", "--category", "drawn"];
    hashgate("publish", join(folder, "list.csv"), ...to, "--headroom", "100");
  };
  publish(all);
  publish(all.slice(0, -2));
  publish(all);
  return { publishNext: () => publish(all.slice(0, -1)), trust: readFileSync(`${key}.pub`, "utf8").trimEnd() };
}

/** Starts nginx as an ordinary user, with those settings of Debian's package that concern static files. */
function nginxOn(folder, port) {
  const own = join(folder, "nginx");
  mkdirSync(own);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    join(own, "nginx.conf"),
    `daemon off; pid ${own}/pid; error_log stderr;
    events {}
    http {
      include /etc/nginx/mime.types; default_type application/octet-stream; sendfile on; gzip on; access_log off;
      ${temporary.map((name) => `${name}_temp_path ${own}/${name};`).join(" ")}
      server { listen 127.0.0.1:${port}; root ${folder}/lists; location / { try_files $uri $uri/ =404; } }
    }`,
  );
  return spawn(programs(["NGINX_PATH"]).NGINX_PATH, ["-c", join(own, "nginx.conf")], { stdio: "inherit" });
}

/**
 * Starts sirv. With --dev it reads the disk for each request, so that it sees new releases; with --etag it sends ETags.
 */
function sirvOn(folder, port) {
  const options = ["--dev", "--etag", "--quiet", "--host", "127.0.0.1", "--port", String(port)];
  const script = "node_modules/sirv-cli/bin.js";
  return spawn(process.execPath, [script, join(folder, "lists"), ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function answers(url) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await fetch(url);
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

async function bytesOf(response, status = 200) {
  assert.equal(response.status, status, response.url);
  return new Uint8Array(await response.arrayBuffer());
}

for (const [server, start] of Object.entries({ nginx: nginxOn, "sirv-cli": sirvOn })) {
  test(`${server} serves releases as they were published`, async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
    // nginx's worker processes don't run as root, so they need the right to read the folder.
    chmodSync(folder, 0o755);
    const { publishNext, trust } = publishThree(folder);
    const port = await freePort();
    const running = start(folder, port);
    context.after(async () => {
      running.kill();
      await once(running, "exit");
      rmSync(folder, { recursive: true });
    });
    const url = (path) => `http://127.0.0.1:${port}/${path}`;
    const engine = await import(`../../dist/bindings/hashgate.js?static-${server}`);
    engine.initSync({ module: new WebAssembly.Module(readFileSync("dist/hashgate.wasm")) });
    const read = (bytes, seen) => {
      const manifest = engine.verifyManifest(bytes, [trust], 1);
      engine.checkFreshness(manifest, Date.now() / 1000, seen);
      return manifest;
    };

    const first = await answers(url("manifest.txt"));
    const note = await bytesOf(first);
    const manifest = read(note, 0);
    assert.deepEqual([manifest.release, manifest.deltas.map(({ from }) => from)], [3, [2, 1]]);
    const tag = first.headers.get("etag");
    const again = await fetch(url("manifest.txt"), { headers: { "if-none-match": tag } });
    assert.equal(again.status, 304);

    const full = await bytesOf(await fetch(url(manifest.full.path)));
    engine.verifyFull(manifest, full);
    const half = full.length >> 1;
    const rest = await fetch(url(manifest.full.path), { headers: { range: `bytes=${half}-` } });
    assert.deepEqual(await bytesOf(rest, 206), full.slice(half));

    const download = join(folder, "download");
    mkdirSync(download);
    writeFileSync(join(download, "manifest.txt"), note);
    writeFileSync(join(download, manifest.full.path), full);
    for (const { from, path } of manifest.deltas) {
      const earlier = engine.verifyManifest(await bytesOf(await fetch(url(`manifest-${from}.txt`))), [trust], 1);
      const base = await bytesOf(await fetch(url(earlier.full.path)));
      const delta = await bytesOf(await fetch(url(path)));
      assert.deepEqual(engine.applyDelta(manifest, base, delta), full, `from release ${from}`);
      writeFileSync(join(download, path), delta);
    }
    const verify = ["--manifest", join(download, "manifest.txt"), "--dir", download, "--trust", trust];
    assert.match(hashgate("verify", ...verify), /files {8}as signed; 0 deltas applied, 2 without/);

    // The client opens with release 3, and downloads the delta when release 4 is published.
    const options = { trust: { keys: [trust] }, whenUnavailable: "block", workers: 1 };
    const gate = await openGate({ ...options, source: url("manifest.txt") });
    context.after(() => gate.close());
    assert.deepEqual([gate.status().state, gate.status().release], ["current", 3]);
    assert.equal((await gate.refresh()).lastRefresh.bytes, 0, "a conditional request");

    publishNext();
    const moved = await gate.refresh();
    assert.deepEqual([moved.release, moved.lastRefresh.by, moved.lastError], [4, "delta", undefined]);
    const { outcome, matches } = await gate.check(readFileSync("target/samples/listed/listed-0.jpg"));
    assert.deepEqual([outcome, matches[0].release], ["possible-match", 4]);
    const renewed = await fetch(url("manifest.txt"), { headers: { "if-none-match": tag } });
    const next = read(await bytesOf(renewed), manifest.release);
    assert.equal(next.release, 4);
    const delta = await bytesOf(await fetch(url(next.deltas[0].path)));
    engine.verifyFull(next, engine.applyDelta(next, full, delta));
    assert.throws(() => read(note, next.release), { code: "manifest-rollback" });
  });
}
