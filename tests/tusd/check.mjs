// Tests a real tusd whose hook (examples/back-ends/tusd-hook.py) asks `hashgate serve` about each upload. It must refuse
// listed and edited pictures and delete them, and keep clean ones.
//
//   TUSD=/usr/local/bin/tusd node tests/tusd/check.mjs
//
// Needs target/samples (npm start), target/debug/hashgate or HASHGATE, and Python 3. Without tusd, prints that nothing was
// checked, and exits with status 0.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { find } from "../../scripts/run.mjs";

const TUSD = process.env.TUSD ?? find(["tusd"]);
const HASHGATE = process.env.HASHGATE ?? "target/debug/hashgate";
const TOKEN = "0123456789abcdef";
const SAMPLES = "target/samples";
const TUS = { "Tus-Resumable": "1.0.0" };

if (!TUSD || !find(["python3"])) {
  console.log(`NOT CHECKED: uploads to tusd. Missing: ${TUSD ? "python3" : "tusd; set TUSD"}.`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "hashgate-tusd-"));
const data = join(folder, "data");
const started = [];

/** Starts `hashgate serve`. Returns the process and its address. */
async function startHashgate() {
  writeFileSync(join(folder, "tokens"), `${TOKEN}\n`);
  const args = ["serve", "--filter", `${SAMPLES}/demo.hgf`, "--token-file", join(folder, "tokens")];
  const server = spawn(HASHGATE, [...args, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  started.push(server);
  const [line] = await once(createInterface(server.stdout), "line");
  return { server, address: line.replace("listening on ", "") };
}

/** Starts tusd with the hook. Returns the address at which uploads begin. */
async function startTusd(hashgate) {
  const hooks = join(folder, "hooks");
  mkdirSync(hooks);
  copyFileSync("examples/back-ends/tusd-hook.py", join(hooks, "pre-finish"));
  chmodSync(join(hooks, "pre-finish"), 0o755);
  copyFileSync("examples/back-ends/check.py", join(hooks, "check.py"));
  const where = ["-host", "127.0.0.1", "-port", "0", "-upload-dir", data];
  const args = [...where, "-hooks-dir", hooks, "-hooks-enabled-events", "pre-finish"];
  const env = { ...process.env, HASHGATE_URL: hashgate, HASHGATE_TOKEN: TOKEN };
  const server = spawn(TUSD, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  started.push(server);
  return new Promise((resolve, reject) => {
    // Goes on reading: tusd ends if it can't print.
    createInterface(server.stdout).on("line", (line) => {
      const found = /upload files to: (\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
    server.once("exit", () => reject(new Error("tusd ended")));
  });
}

/** Sends bytes as an upload in pieces. Returns the last answer, and where the upload lies. */
async function upload(tusd, bytes, headers = {}, piece = 20_000) {
  const begun = await fetch(tusd, {
    method: "POST",
    headers: { ...TUS, "Upload-Length": String(bytes.length), ...headers },
  });
  assert.equal(begun.status, 201, await begun.text());
  const location = begun.headers.get("location");
  for (let offset = 0; ; offset += piece) {
    const body = bytes.subarray(offset, offset + piece);
    const type = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) };
    const answer = await fetch(location, { method: "PATCH", headers: { ...TUS, ...type }, body });
    const text = await answer.text();
    if (offset + piece >= bytes.length || !answer.ok) return { status: answer.status, text, location };
  }
}

let failed = 0;
let passed = 0;
let files = 0;
function check(name, { status, text }, keeps) {
  // An upload is two files: the bytes, and what tusd knows of them.
  const grown = readdirSync(data).length - files;
  files += grown;
  const good = keeps ? status < 300 && grown === 2 : status === 451 && grown === 0;
  if (good) passed += 1;
  else failed += 1;
  console.log(`${good ? "ok" : "NOT OK"}: ${name}: ${status} ${text.slice(0, 80)}; files kept: ${grown}`);
}

try {
  console.log(spawnSync(TUSD, ["-version"], { encoding: "utf8" }).stdout.trim());
  const { server, address } = await startHashgate();
  const tusd = await startTusd(address);
  const sample = (name) => readFileSync(`${SAMPLES}/${name}`);
  check("a clean picture", await upload(tusd, sample("clean/clean-1.jpg")), true);
  check("a listed picture", await upload(tusd, sample("listed/listed-0.jpg")), false);
  check("a listed picture, mirrored", await upload(tusd, sample("edited/listed-2-mirrored.jpg")), false);
  const listed = sample("listed/listed-0.jpg");
  const whole = (bytes) => ({
    "Content-Type": "application/offset+octet-stream",
    "Upload-Length": String(bytes.length),
  });
  const last = async (answer) => ({ status: answer.status, text: await answer.text() });
  const atOnce = await fetch(tusd, { method: "POST", headers: { ...TUS, ...whole(listed) }, body: listed });
  check("a listed picture, created and sent at once", await last(atOnce), false);
  const half = Math.floor(listed.length / 2);
  const parts = [];
  for (const part of [listed.subarray(0, half), listed.subarray(half)]) {
    const answer = await upload(tusd, part, { "Upload-Concat": "partial" });
    check("a part of a listed picture", answer, true);
    parts.push(new URL(answer.location).pathname);
  }
  const concat = { ...TUS, "Upload-Concat": `final;${parts.join(" ")}` };
  const joined = await fetch(tusd, { method: "POST", headers: concat });
  check("a listed picture, joined of two parts", await last(joined), false);
  server.kill();
  await once(server, "exit");
  check("a clean picture while hashgate is down", await upload(tusd, sample("clean/clean-0.png")), false);
} finally {
  for (const server of started) server.kill();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
