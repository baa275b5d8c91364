// Tests a real pict-rs (Lemmy's picture store) that asks `hashgate serve` about each upload. It must refuse listed and
// edited pictures, and accept clean ones.
//
//   cargo install --locked pict-rs --root /tmp/pict-rs      (half an hour on two processors)
//   PICTRS=/tmp/pict-rs/bin/pict-rs node tests/pict-rs/check.mjs
//
// Needs target/samples (npm start), target/debug/hashgate or HASHGATE, and for pict-rs ffmpeg and exiftool. Without
// pict-rs, prints that nothing was checked, and exits with status 0.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { find } from "../../scripts/run.mjs";

const PICTRS = process.env.PICTRS ?? find(["pict-rs"]);
const HASHGATE = process.env.HASHGATE ?? "target/debug/hashgate";
const TOKEN = "0123456789abcdef";
const SAMPLES = "target/samples";

const missing = ["ffmpeg", "ffprobe", "exiftool"].filter((name) => !find([name]));
if (!PICTRS || missing.length > 0) {
  console.log(`NOT CHECKED: uploads to pict-rs. Missing: ${PICTRS ? missing.join(", ") : "pict-rs; set PICTRS"}.`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "hashgate-pictrs-"));
const started = [];
const freePort = () =>
  new Promise((resolve) => {
    const socket = createServer().listen(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });

/** Starts `hashgate serve` at `port`; 0 means a free port. Returns its address. */
async function startHashgate(port = 0) {
  const args = ["serve", "--filter", `${SAMPLES}/demo.hgf`, "--token-file", join(folder, "tokens")];
  const server = spawn(HASHGATE, [...args, "--listen", `127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "ignore"] });
  started.push(server);
  const [line] = await once(createInterface(server.stdout), "line");
  return { server, address: line.replace("listening on ", "") };
}

/**
 * Starts pict-rs with a validator. Returns a function that uploads a file, at once or in the background as Lemmy does, and
 * returns the status and the message.
 */
async function startPictrs(validator) {
  const port = await freePort();
  const data = join(folder, String(port));
  mkdirSync(data);
  const env = {
    ...process.env,
    PICTRS__SERVER__ADDRESS: `127.0.0.1:${port}`,
    PICTRS__SERVER__TEMPORARY_DIRECTORY: data,
    PICTRS__MEDIA__EXTERNAL_VALIDATION: validator,
    PICTRS__REPO__TYPE: "sled",
    PICTRS__REPO__PATH: join(data, "repo"),
    PICTRS__REPO__EXPORT_PATH: join(data, "exports"),
    PICTRS__STORE__TYPE: "filesystem",
    PICTRS__STORE__PATH: join(data, "files"),
    PICTRS__OLD_REPO__PATH: join(data, "old"),
  };
  const server = spawn(PICTRS, ["run"], { env, cwd: data, stdio: ["ignore", "ignore", "inherit"] });
  started.push(server);
  const address = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    assert.equal(server.exitCode, null, "pict-rs ended");
    if ((await fetch(`${address}/healthz`).catch(() => undefined))?.ok) break;
    await new Promise((later) => setTimeout(later, 100));
  }
  return async (path, inBackground = false) => {
    const form = new FormData();
    form.append("images[]", new File([readFileSync(path)], "picture.jpg", { type: "image/jpeg" }));
    const route = inBackground ? "/image/backgrounded" : "/image";
    const response = await fetch(`${address}${route}`, { method: "POST", body: form });
    const { msg, uploads } = await response.json();
    if (!inBackground || !uploads) return [response.status, msg];
    // 204 means that it isn't done yet.
    for (;;) {
      const claimed = await fetch(`${address}/image/backgrounded/claim?upload_id=${uploads[0].upload_id}`);
      if (claimed.status !== 204) return [claimed.status, (await claimed.json()).msg];
    }
  };
}

let failed = 0;
let passed = 0;
async function check(name, upload, path, accepts, inBackground = false) {
  const [status, message] = await upload(path, inBackground);
  const good = accepts ? status < 300 : status >= 400 && /validation/i.test(message);
  if (good) passed += 1;
  else failed += 1;
  console.log(`${good ? "ok" : "NOT OK"}: ${name}: ${status} ${message}`);
}

try {
  console.log(String(execFileSync(PICTRS, ["--version"])).trim());
  writeFileSync(join(folder, "tokens"), `${TOKEN}\n`);
  const { server, address } = await startHashgate();
  const upload = await startPictrs(`${address}/v1/check?token=${TOKEN}`);
  await check("a clean picture", upload, `${SAMPLES}/clean/clean-1.jpg`, true);
  await check("a listed picture", upload, `${SAMPLES}/listed/listed-0.jpg`, false);
  for (const name of readdirSync(`${SAMPLES}/edited`)) await check(name, upload, `${SAMPLES}/edited/${name}`, false);
  await check("a second clean picture", upload, `${SAMPLES}/clean/clean-0.png`, true);
  await check("a clean picture in the background", upload, `${SAMPLES}/clean/clean-2.jpg`, true, true);
  await check("a listed picture in the background", upload, `${SAMPLES}/listed/listed-1.jpg`, false, true);
  const wrong = await startPictrs(`${address}/v1/check?token=another`);
  await check("a clean picture with a wrong token", wrong, `${SAMPLES}/clean/clean-1.jpg`, false);
  server.kill();
  await once(server, "exit");
  const [status, message] = await upload(`${SAMPLES}/clean/clean-0.png`);
  console.log(`while hashgate is down: ${status} ${message}`);
  assert.ok(status >= 400, "an upload that nobody checked is refused");
  passed += 1;
} finally {
  for (const server of started) {
    if (server.exitCode !== null || server.signalCode !== null) continue;
    server.kill();
    await once(server, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
