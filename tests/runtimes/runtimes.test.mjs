// Tests the package outside browsers: in Deno, Bun and workerd (Cloudflare Workers), and under test runners that apps
// use. docs/reference/runtimes.md lists the results for the versions in package.json.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "hashgate-runtimes-")));
const env = { ...process.env, SAMPLES: resolve("target/samples"), CI: "1", DENO_NO_UPDATE_CHECK: "1" };

before(() => {
  cpSync("tests/runtimes", folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
  mkdirSync(join(folder, "node_modules/hashgate"));
  for (const name of ["dist", "package.json"])
    cpSync(name, join(folder, "node_modules/hashgate", name), { recursive: true });
});
after(() => rmSync(folder, { recursive: true }));

/** Runs a command in the folder and returns its output. If the command fails, the error contains the output. */
function run(command, ...args) {
  try {
    return execFileSync(command, args, { cwd: folder, env, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}: status ${error.status}\n${error.stdout}${error.stderr}`);
  }
}
const tool = (name, ...args) => run(join(folder, "node_modules/.bin", name), ...args);

const SAID = [
  ["possible-match", "possible-match", "held"],
  ["possible-match", "possible-match", "held"],
  ["clear", "clear", true],
];

test("Node.js, Deno with the right to read alone, and Bun: the same verdicts, and the process ends", () => {
  const deno = ["run", "--no-prompt", "--allow-read", "--allow-env=SAMPLES", "--node-modules-dir=manual", "check.mjs"];
  // The package `bun` needs an install script, which isn't run here. So the test takes the program from Bun's package
  // for this platform.
  const bun = join(folder, "node_modules/@oven", `bun-${process.platform}-${process.arch}`, "bin/bun");
  assert.deepEqual(JSON.parse(run(process.execPath, "check.mjs")), SAID);
  assert.deepEqual(JSON.parse(tool("deno", ...deno)), SAID);
  assert.deepEqual(JSON.parse(run(bun, "run", "check.mjs")), SAID);
});

test("workerd: the package loads, and a gate says that it can't be opened there", async (context) => {
  const conditions = "--conditions=workerd,worker,browser";
  tool("esbuild", "worker.mjs", "--bundle", "--format=esm", conditions, "--outfile=made.js", "--external:./worker.js");
  const port = await freePort();
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
const main :Workerd.Worker = (modules = [(name = "main", esModule = embed "made.js")], compatibilityDate = "2026-11-01");
`;
  writeFileSync(join(folder, "config.capnp"), config);
  const program = join(folder, "node_modules/workerd/bin/workerd");
  // The package's script starts the real program. Both run in their own process group, so that ending the group ends
  // both.
  const server = spawn(program, ["serve", "config.capnp"], {
    cwd: folder,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  context.after(() => process.kill(-server.pid, "SIGKILL"));
  let printed = "";
  server.stderr.on("data", (chunk) => {
    printed += chunk;
  });
  let answer;
  for (let wait = 0; !answer; wait += 1) {
    answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    assert.ok(wait < 300 && server.exitCode === null, `workerd doesn't answer: ${printed}`);
    if (!answer) await new Promise((later) => setTimeout(later, 100));
  }
  const [decision, outcome, error, browserOnly] = await answer.json();
  assert.deepEqual([decision, outcome, browserOnly], ["hold", "possible-match", "waits"]);
  assert.deepEqual([error.name, error.code], ["GateError", "engine-unavailable"]);
  assert.match(error.message, /expected a page that can start workers/);
});

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Opening a gate on a busy machine takes longer than the five seconds that Vitest and Jest give a test. */
const TIMEOUT = "--testTimeout=120000";

for (const environment of ["node", "jsdom", "happy-dom"]) {
  test(`Vitest, environment ${environment}`, () => {
    const printed = tool("vitest", "run", "--environment", environment, "--reporter=json", TIMEOUT, "app.test.js");
    const { numPassedTests, numFailedTests } = JSON.parse(printed.slice(printed.indexOf("{")));
    assert.deepEqual([numPassedTests, numFailedTests], [2, 0]);
  });
}

for (const environment of ["node", "jsdom"]) {
  test(`Jest, environment ${environment}`, () => {
    const config = JSON.stringify({ testEnvironment: environment, testMatch: ["**/app.jest.cjs"] });
    const printed = tool("jest", "--json", TIMEOUT, "--config", config);
    const { numPassedTests, numFailedTests } = JSON.parse(printed);
    assert.deepEqual([numPassedTests, numFailedTests], [2, 0]);
  });
}

const STRICT = ["--noEmit", "--strict", "--target", "es2022"];
for (const [name, ...args] of [
  ["node10", "--module", "commonjs", "--moduleResolution", "node10", "--ignoreDeprecations", "5.0", "types.ts"],
  ["node16, CommonJS", "--module", "node16", "types.cts"],
  ["node16, ES modules", "--module", "node16", "types.ts"],
]) {
  test(`TypeScript: ${name}`, () => {
    tool("tsc", ...STRICT, ...args);
  });
}

test("require says what to do where it can't load ES modules, and loads the package where it can", () => {
  const code = "const { openGate } = require('hashgate'); process.stdout.write(typeof openGate);";
  const flags = process.features.require_module ? ["--no-experimental-require-module"] : [];
  assert.throws(() => run(process.execPath, ...flags, "-e", code), /await import\("hashgate"\)/);
  if (process.features.require_module) assert.equal(run(process.execPath, "-e", code), "function");
});

test("the page about runtimes names the versions that are tested", () => {
  const { devDependencies } = JSON.parse(readFileSync("tests/runtimes/package.json", "utf8"));
  const page = readFileSync("docs/reference/runtimes.md", "utf8");
  for (const name of ["deno", "bun", "workerd", "vitest", "jest"]) {
    assert.ok(
      page.includes(devDependencies[name]),
      `docs/reference/runtimes.md: expected ${name} ${devDependencies[name]}`,
    );
  }
});
