// Tests a real Synapse with the module examples/back-ends/synapse_hashgate.py. It must refuse listed and edited media,
// and accept clean media.
//
//   python3 -m venv /tmp/synapse && /tmp/synapse/bin/pip install matrix-synapse
//   SYNAPSE_PYTHON=/tmp/synapse/bin/python node tests/synapse/check.mjs
//
// Needs target/samples (npm start), and target/debug/hashgate or HASHGATE. Without Synapse, prints that nothing was
// checked, and exits with status 0.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const { SYNAPSE_PYTHON: python, HASHGATE = "target/debug/hashgate" } = process.env;
if (!python || spawnSync(python, ["-c", "import synapse"]).status !== 0) {
  console.log("NOT CHECKED: uploads to Synapse. Set SYNAPSE_PYTHON to a Python that has matrix-synapse.");
  process.exit(0);
}

const SAMPLES = "target/samples";
const folder = mkdtempSync(join(tmpdir(), "hashgate-synapse-"));
const started = [];
const port = await new Promise((resolve) => {
  const socket = createServer().listen(0, "127.0.0.1", () => {
    const { port } = socket.address();
    socket.close(() => resolve(port));
  });
});
const url = `http://127.0.0.1:${port}`;

async function startHashgate() {
  const args = ["serve", "--listen", "127.0.0.1:0", "--filter", `${SAMPLES}/demo.hgf`];
  const server = spawn(HASHGATE, args, { stdio: ["ignore", "pipe", "ignore"] });
  started.push(server);
  const [line] = await once(createInterface(server.stdout), "line");
  return { server, address: line.replace("listening on ", "") };
}

async function startSynapse(hashgate) {
  const config = join(folder, "homeserver.yaml");
  const common = ["-m", "synapse.app.homeserver", "--config-path", config];
  const env = { ...process.env, PYTHONPATH: resolve("examples/back-ends"), PYTHONDONTWRITEBYTECODE: "1" };
  const generate = ["--generate-config", "--server-name", "test", "--report-stats", "no", "--data-directory", folder];
  execFileSync(python, [...common, ...generate], { cwd: folder, env, stdio: "pipe" });
  // Replaces the generated settings. Synapse reads YAML, and every JSON text is valid YAML. The generated signing key
  // is in a file of its own.
  const settings = {
    server_name: "test",
    pid_file: join(folder, "pid"),
    listeners: [
      { port, type: "http", bind_addresses: ["127.0.0.1"], resources: [{ names: ["client"], compress: false }] },
    ],
    database: { name: "sqlite3", args: { database: join(folder, "db") } },
    media_store_path: join(folder, "media"),
    signing_key_path: join(folder, "test.signing.key"),
    registration_shared_secret: "secret",
    report_stats: false,
    trusted_key_servers: [],
    modules: [{ module: "synapse_hashgate.Hashgate", config: { url: hashgate, when_unavailable: "block" } }],
  };
  writeFileSync(config, JSON.stringify(settings));
  const server = spawn(python, common, { cwd: folder, env, stdio: "ignore" });
  started.push(server);
  for (let attempt = 0; attempt < 600; attempt += 1) {
    assert.equal(server.exitCode, null, "Synapse ended");
    if ((await fetch(`${url}/_matrix/client/versions`).catch(() => undefined))?.ok) return;
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error("Synapse doesn't answer");
}

/** Registers a user by the administrator's API, and returns the access token. */
async function register() {
  const path = `${url}/_synapse/admin/v1/register`;
  const { nonce } = await (await fetch(path)).json();
  const [username, password] = ["user", "password"];
  const mac = createHmac("sha1", "secret").update([nonce, username, password, "notadmin"].join("\0")).digest("hex");
  const body = JSON.stringify({ nonce, username, password, admin: false, mac });
  const answer = await (await fetch(path, { method: "POST", body })).json();
  return answer.access_token ?? assert.fail(JSON.stringify(answer));
}

try {
  const { server, address } = await startHashgate();
  await startSynapse(address);
  const token = await register();
  const upload = async (path) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "image/jpeg" };
    const body = readFileSync(`${SAMPLES}/${path}`);
    const response = await fetch(`${url}/_matrix/media/v3/upload?filename=a.jpg`, { method: "POST", headers, body });
    const { errcode } = await response.json();
    console.log(`${path}: ${response.status} ${errcode ?? ""}`);
    return response.status;
  };
  assert.equal(await upload("clean/clean-1.jpg"), 200);
  assert.notEqual(await upload("listed/listed-0.jpg"), 200);
  assert.notEqual(await upload("edited/listed-2-mirrored.jpg"), 200);
  server.kill();
  await once(server, "exit");
  console.log("hashgate is down:");
  assert.notEqual(await upload("clean/clean-0.png"), 200);
} finally {
  for (const server of started) server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
console.log("4 passed, 0 failed");
