// Tests the packed tarball as a new user would use it: installed into an empty folder, built by each bundler without
// special configuration, and run in Chromium under a strict Content-Security-Policy on real pictures.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { shown, sizes, table } from "../../scripts/sizes.mjs";
import { CHROMIUM } from "../browser/chromium.mjs";
import { CSP, serve } from "../browser/server.mjs";
import { drawnBmp } from "./app/check.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "hashgate-packaging-")));
const installed = join(folder, "node_modules/hashgate");
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", CI: "1" };
const EXPECTED = {
  "listed/listed-0.jpg": "possible-match",
  "edited/listed-2-mirrored.jpg": "possible-match",
  "clean/clean-1.jpg": "clear",
  // BMP files need the formats engine.
  "drawn.bmp": "clear",
};
const FILM = "hashgate-film.wasm";
const DECODERS = ["hashgate-heic.wasm", "hashgate-jxl.wasm"];
/** The engines: first the two that a page with vector instructions (SIMD) loads, then the two for a page without. */
const ENGINES = ["hashgate.wasm", "hashgate-formats.wasm", "hashgate-baseline.wasm", "hashgate-formats-baseline.wasm"];
const WITH_BLOB = CSP.replace("worker-src 'self'", "worker-src blob:");

let browser;
before(async () => {
  cpSync("tests/packaging", folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
  const [tarball] = JSON.parse(run(process.cwd(), "npm", "pack", "--json", "--pack-destination", folder));
  run(folder, "npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", `./${tarball.filename}`);
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Runs a command and returns its output. If the command fails, the error contains the output. */
function run(cwd, command, ...args) {
  try {
    return execFileSync(command, args, { cwd, env: environment, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}: status ${error.status}\n${error.stdout}${error.stderr}`);
  }
}

/** Makes a project folder with the pages of app/ and these additional files. */
function project(name, files = {}) {
  const at = join(folder, name);
  cpSync(join(folder, "app"), at, { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(at, path), text);
  return { at, tool: (command, ...args) => run(at, join(folder, "node_modules/.bin", command), ...args) };
}

/** Opens a page in Chromium. Returns the verdicts that it shows, and what it loaded. */
async function verdicts(url, { simd = true } = {}) {
  const page = await browser.newPage();
  if (!simd) await page.addInitScript("WebAssembly.validate = () => false;");
  const problems = [];
  const loaded = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("response", (response) => loaded.push([response.status(), new URL(response.url()).pathname]));
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector("output")?.textContent, null, {
    timeout: 20_000,
  });
  const shown = JSON.parse(await page.textContent("output"));
  await page.close();
  assert.deepEqual(shown, EXPECTED, problems.join("\n"));
  // Browsers request /favicon.ico by themselves, so that it may be missing.
  const missing = loaded.filter(([status, path]) => status >= 400 && path !== "/favicon.ico");
  assert.deepEqual(missing, []);
  return loaded.map(([, path]) => path);
}

/**
 * Serves a bundler's output and checks the page's verdicts. Unless everything is inline, expects that the page loads
 * the worker and both engines as separate files.
 */
async function assertServed(at, { inline = false, csp = inline ? WITH_BLOB : CSP } = {}) {
  const site = await serve({
    folders: [
      ["/samples/", "target/samples"],
      ["/", at],
    ],
    csp,
  });
  try {
    const loaded = await verdicts(`${site.url}/`);
    const engines = loaded.filter((path) => path.endsWith(".wasm"));
    assert.equal(engines.length, inline ? 0 : 2, engines.join());
    if (inline) return;
    const baseline = (await verdicts(`${site.url}/`, { simd: false })).filter((path) => path.endsWith(".wasm"));
    for (const [index, name] of ENGINES.entries()) {
      assert.deepEqual(readFileSync(join(at, [...engines, ...baseline][index])), readFileSync(`dist/${name}`), name);
    }
  } finally {
    await site.close();
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a bundler's own server, runs `body`, and ends the server. */
async function whileRunning(at, command, args, body) {
  const port = await freePort();
  const server = spawn(join(folder, "node_modules/.bin", command), [...args, String(port)], {
    cwd: at,
    env: environment,
  });
  let printed = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => (printed += chunk));
  const url = `http://127.0.0.1:${port}`;
  try {
    for (let wait = 0; ; wait += 1) {
      if (await fetch(url).catch(() => undefined)) break;
      assert.ok(wait < 300 && server.exitCode === null, `${command} doesn't answer:\n${printed}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return await body(url);
  } finally {
    server.kill();
    await once(server, "close");
  }
}

/** Copies the samples into public/, whose files the bundlers' servers serve unchanged. */
function copySamples(at) {
  mkdirSync(join(at, "public"), { recursive: true });
  cpSync("target/samples", join(at, "public/samples"), { recursive: true });
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>hashgate</title><output></output>`;

test("publint and Are The Types Wrong find nothing", () => {
  run(folder, "node_modules/.bin/publint", installed, "--strict");
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  // The package has only ES modules. So the program attw is told to ignore how older versions of `require` would
  // resolve it.
  run(
    folder,
    "node_modules/.bin/attw",
    tarball,
    "--profile",
    "esm-only",
    "--exclude-entrypoints",
    "worker.js",
    "service-worker.classic.js",
    ...ENGINES,
    FILM,
    ...DECODERS,
  );
});

test("every export is in the tarball, and so are the licences", () => {
  const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const targets = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(targets));
  for (const target of targets(exports)) {
    assert.ok(readFileSync(join(installed, target)).length > 0, target);
  }
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "dist/THIRD-PARTY.txt"]) {
    assert.ok(readFileSync(join(installed, name)).length > 0, name);
  }
});

test("every crate that has left a trace in the wasm is listed with its licence", () => {
  const sbom = JSON.parse(readFileSync(join(installed, "dist/sbom.cdx.json"), "utf8"));
  const text = readFileSync(join(installed, "dist/THIRD-PARTY.txt"), "utf8");
  const listed = new Set(sbom.components.map(({ name, version }) => `${name}-${version}`));
  const names = new Set(sbom.components.map(({ name }) => name.replaceAll(/[-_]/g, "")));
  for (const { name, version, licenses, purl } of sbom.components) {
    assert.match(licenses[0].expression, /MIT|BSD|Apache/, name);
    if (purl) assert.ok(text.includes(`\n${name} ${version}: `), `${name} is in THIRD-PARTY.txt`);
  }
  // Panic messages contain the source paths of crates, with their versions.
  const sources = new Set();
  for (const engine of [...ENGINES, FILM, ...DECODERS]) {
    const bytes = readFileSync(join(installed, "dist", engine), "latin1");
    for (const [, source] of bytes.matchAll(/\/crates\/([a-z0-9_-]+?-\d[^/]*)\//g)) sources.add(source);
  }
  assert.ok(sources.size >= 10, `${sources.size} sources`);
  for (const source of sources) assert.ok(listed.has(source), source);
  // Before names are stripped, the wasm file has the names of its functions, and so of their crates. These are the
  // standard library and this project.
  const known = /^(alloc|core|std|hashbrown|hashgate|hashgate_wasm)$/;
  const linked = readFileSync("target/wasm/simd/wasm32-unknown-unknown/wasm/hashgate_wasm.wasm", "latin1");
  const crates = new Set();
  for (const [, length, rest] of linked.matchAll(/_ZN(\d+)([A-Za-z0-9_$.]+)/g))
    crates.add(rest.slice(0, Number(length)));
  const foreign = [...crates].filter((name) => /^[a-z0-9_]+$/.test(name) && !known.test(name));
  assert.ok(foreign.length >= 10, foreign.join());
  for (const name of foreign) assert.ok(names.has(name.replaceAll("_", "")), name);
});

test("the README's sizes are those of the build", async () => {
  const numbers = (text) =>
    text.split("\n").map((row) => [...row.matchAll(/([\d.]+) kB/g)].map(([, size]) => Number(size)));
  const words = (text) => text.replaceAll(/[\d.]+ kB/g, "");
  const made = table(await sizes());
  assert.equal(words(shown()), words(made), "run `node scripts/sizes.mjs --write`");
  const said = numbers(shown());
  for (const [row, values] of numbers(made).entries()) {
    for (const [column, value] of values.entries()) {
      const off = Math.abs(said[row][column] / value - 1);
      assert.ok(off < 0.05, `row ${row}: README.md says ${said[row][column]} kB, the build makes ${value} kB`);
    }
  }
});

for (const [name, ...resolution] of [
  ["bundler", "--module", "esnext", "--moduleResolution", "bundler"],
  ["nodenext", "--module", "nodenext"],
]) {
  test(`strict types, resolved as ${name}`, () => {
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--target", "es2022"];
    run(folder, "node_modules/.bin/tsc", "--noEmit", ...strict, ...resolution, "types.ts");
  });
}

test("bare <script type=module>", async () => {
  const { at } = project("bare");
  const main = readFileSync(join(at, "main.js"), "utf8").replace('"hashgate"', '"/hashgate/index.js"');
  writeFileSync(join(at, "main.js"), main);
  cpSync(join(installed, "dist"), join(at, "hashgate"), { recursive: true });
  await assertServed(at);
});

test("Vite: build", async () => {
  const { at, tool } = project("vite");
  tool("vite", "build");
  await assertServed(join(at, "dist"));
});

test("Vite: the development server", async () => {
  const { at } = project("vite-dev");
  copySamples(at);
  await whileRunning(at, "vite", ["--host", "127.0.0.1", "--strictPort", "--port"], (url) => verdicts(url));
});

test("webpack", async () => {
  const { at, tool } = project("webpack");
  tool("webpack", "--mode", "production", "--entry", "./main.js", "--no-performance");
  writeFileSync(join(at, "dist/index.html"), `${PAGE}<script src="main.js"></script>`);
  await assertServed(join(at, "dist"));
});

/**
 * Returns the digest of the import map that Parcel writes into the page inline. A strict policy must name that digest.
 */
function hashOfMap(at) {
  const [, map] = readFileSync(join(at, "index.html"), "utf8").match(/<script type=importmap>(.*?)<\/script>/s);
  return createHash("sha256").update(map).digest("base64");
}

test("Parcel: the main entry as it is, the others once it is told to read exports", async () => {
  const { at, tool } = project("parcel");
  tool("parcel", "build", "index.html", "--dist-dir", "dist", "--no-cache");
  const csp = CSP.replace("script-src", `script-src 'sha256-${hashOfMap(join(at, "dist"))}'`);
  await assertServed(join(at, "dist"), { csp });

  const app = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  app["@parcel/resolver-default"] = { packageExports: true };
  writeFileSync(join(folder, "package.json"), JSON.stringify(app));
  writeFileSync(join(at, "index.html"), `${PAGE}<script type="module" src="inline.js"></script>`);
  tool("parcel", "build", "index.html", "--dist-dir", "inlined", "--no-cache");
  await assertServed(join(at, "inlined"), { inline: true });
});

test("Rollup, with its plug-ins for packages and for assets", async () => {
  const { at, tool } = project("rollup", {
    "rollup.config.mjs": `import resolve from "@rollup/plugin-node-resolve";
      import { importMetaAssets } from "@web/rollup-plugin-import-meta-assets";
      export default { input: "main.js", output: { dir: "dist" }, plugins: [resolve({ browser: true }), importMetaAssets()] };`,
  });
  tool("rollup", "--config", "rollup.config.mjs", "--failAfterWarnings");
  writeFileSync(join(at, "dist/index.html"), `${PAGE}<script type="module" src="main.js"></script>`);
  await assertServed(join(at, "dist"));
});

test("esbuild, with the worker and the engines copied beside the bundle", async () => {
  const { at, tool } = project("esbuild");
  tool("esbuild", "main.js", "--bundle", "--format=esm", "--outdir=dist", "--log-limit=1", "--log-level=warning");
  for (const name of ["worker.js", ...ENGINES, FILM, ...DECODERS]) {
    cpSync(join(installed, "dist", name), join(at, "dist", name));
  }
  writeFileSync(join(at, "dist/index.html"), `${PAGE}<script type="module" src="main.js"></script>`);
  await assertServed(join(at, "dist"));
});

test("esbuild: the inline entry, as one classic script", async () => {
  const { at, tool } = project("esbuild-inline");
  const args = ["inline.js", "--bundle", "--minify", "--format=iife", "--outdir=dist", "--log-level=warning"];
  assert.equal(tool("esbuild", ...args), "");
  assert.deepEqual(readdirSync(join(at, "dist")), ["inline.js"]);
  writeFileSync(join(at, "dist/index.html"), `${PAGE}<script src="inline.js" defer></script>`);
  await assertServed(join(at, "dist"), { inline: true });
});

test("Rollup: the inline entry, with no plug-in for assets", async () => {
  const { at, tool } = project("rollup-inline");
  tool("rollup", "inline.js", "--plugin", "node-resolve={browser:true}", "--dir", "dist", "--failAfterWarnings");
  writeFileSync(join(at, "dist/index.html"), `${PAGE}<script type="module" src="inline.js"></script>`);
  await assertServed(join(at, "dist"), { inline: true });
});

test("Next.js: client, server rendering, and a route handler that checks again", async () => {
  const at = join(folder, "next");
  cpSync(join(folder, "app/check.js"), join(at, "check.js"));
  copySamples(at);
  run(at, join(folder, "node_modules/.bin/next"), "build");
  await whileRunning(at, "next", ["start", "--hostname", "127.0.0.1", "--port"], async (url) => {
    await verdicts(url);
    for (const [name, outcome] of Object.entries(EXPECTED)) {
      const body = name.endsWith(".bmp") ? drawnBmp() : readFileSync(`target/samples/${name}`);
      const answer = await fetch(`${url}/api/check`, { method: "POST", body });
      assert.equal((await answer.json()).outcome, outcome, name);
    }
  });
});
