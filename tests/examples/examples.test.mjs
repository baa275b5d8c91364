// Builds and runs every folder of examples/ with the packed npm package, as a new user would. Uses real pictures.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "../browser/chromium.mjs";
import { serve } from "../browser/server.mjs";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "hashgate-examples-")));
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", CI: "1" };
const LISTED = resolve("target/samples/listed/listed-0.jpg");
const EDITED = resolve("target/samples/edited/listed-2-mirrored.jpg");
const CLEAN = resolve("target/samples/clean/clean-1.jpg");
const FILTER = resolve("target/samples/demo.hgf");
/** The pages load styles and workers of their own, and set style attributes. */
const CSP = "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' data: blob:";

let browser;
let tarball;
before(async () => {
  const [packed] = JSON.parse(run(process.cwd(), "npm", "pack", "--json", "--pack-destination", folder));
  tarball = join(folder, packed.filename);
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

/** Copies an example and installs its packages, with the packed package as `hashgate`. */
function installed(name) {
  const at = join(folder, name);
  cpSync(`examples/${name}`, at, { recursive: true });
  run(at, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", tarball);
  return at;
}

/** Starts a server in the background and returns its address, once it has printed one. */
async function started(context, at, command, args, more = {}) {
  const server = spawn(command, args, { cwd: at, env: { ...environment, ...more } });
  context.after(async () => {
    // On SIGTERM, Next.js would wait for the connections that the browser keeps open.
    server.kill("SIGKILL");
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  });
  let printed = "";
  return new Promise((resolve, reject) => {
    const read = (data) => {
      printed += data;
      const [address] = printed.match(/http:\/\/(?:127\.0\.0\.1|localhost):\d+/) ?? [];
      if (address) resolve(address);
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.once("close", () => reject(new Error(`${command} ended:\n${printed}`)));
  });
}

/**
 * Serves a folder and the list. Also serves an address for uploads, and remembers the names of the files that arrive
 * there.
 */
async function site(context, folders) {
  const received = [];
  const server = await serve({
    folders,
    csp: CSP,
    extra: { "/filters/demo.hgf": { body: readFileSync(FILTER) } },
    handle(request, response, pathname) {
      if (pathname !== "/upload") return false;
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const names = Buffer.concat(chunks)
          .toString("latin1")
          .matchAll(/filename="([^"]+)"/g);
        for (const [, name] of names) received.push(name);
        response.writeHead(200, { "content-type": "application/json" }).end(`{"url":"/uploaded"}`);
      });
      return true;
    },
  });
  context.after(() => server.close());
  return { url: server.url, received };
}

/** Opens a page. An error in the page fails the test. */
async function open(context, url) {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  context.after(async () => {
    await page.close();
    assert.deepEqual(problems, []);
  });
  await page.goto(url);
  return page;
}

/** Waits until the notice of held files is shown. */
async function noticed(page) {
  const message = page.locator("hashgate-notice [part=message]");
  await message.getByText("listed-0.jpg").waitFor({ timeout: 30_000 });
}

test("every example has a test here", () => {
  const examples = readdirSync("examples", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const source = ["examples", "back-ends"]
    .map((name) => readFileSync(`tests/examples/${name}.test.mjs`, "utf8"))
    .join();
  for (const { name } of examples) assert.match(source, new RegExp(`test\\(["\`]${name}: `));
});

test("plain-html: the form is sent without the listed picture", async (context) => {
  const at = join(folder, "plain-html");
  cpSync("examples/plain-html", at, { recursive: true });
  run(at, "npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", tarball);
  const { url, received } = await site(context, [
    ["/hashgate/", join(at, "node_modules/hashgate/dist")],
    ["/", at],
  ]);
  const page = await open(context, `${url}/index.html`);
  await page.setInputFiles("input", [LISTED, CLEAN]);
  await noticed(page);
  await page.click("button");
  await page.waitForURL(/\/upload/);
  assert.deepEqual(received, ["clean-1.jpg"]);
});

test("vite-react-uppy: the Dashboard uploads the clean picture and keeps the listed one", async (context) => {
  const at = installed("vite-react-uppy");
  run(at, "npx", "vite", "build");
  const { url, received } = await site(context, [["/", join(at, "dist")]]);
  const page = await open(context, `${url}/index.html`);
  await page.locator("input.uppy-Dashboard-input").first().setInputFiles([EDITED, CLEAN]);
  await page.getByRole("button", { name: /upload 2 files/i }).click();
  await page.waitForFunction(() => /held/i.test(document.body.textContent), null, { timeout: 30_000 });
  const until = Date.now() + 20_000;
  while (received.length === 0 && Date.now() < until) await new Promise((later) => setTimeout(later, 100));
  assert.deepEqual(received, ["clean-1.jpg"]);
});

test("next: the page holds the listed picture, and the route handler refuses it too", async (context) => {
  const at = installed("next");
  mkdirSync(join(at, "public/filters"), { recursive: true });
  cpSync(FILTER, join(at, "public/filters/demo.hgf"));
  run(at, "npx", "next", "build");
  const url = await started(context, at, "node_modules/.bin/next", ["start", "--hostname", "127.0.0.1", "--port", "0"]);
  const post = async (path) => {
    const form = new FormData();
    form.append("pictures", new File([readFileSync(path)], "picture.jpg"));
    const response = await fetch(`${url}/api/upload`, { method: "POST", body: form });
    return [response.status, (await response.json()).outcomes];
  };
  assert.deepEqual(await post(LISTED), [451, ["possible-match"]]);
  assert.deepEqual(await post(CLEAN), [200, ["clear"]]);
  const page = await open(context, url);
  await page.waitForFunction(() => document.querySelector("form"));
  await page.setInputFiles("input", [LISTED]);
  await noticed(page);
});

test("node-express: a form and a raw body are checked", async (context) => {
  const at = installed("node-express");
  const url = await started(context, at, process.execPath, ["server.js"], { FILTER, PORT: "0" });
  for (const [path, status, outcome] of [
    [LISTED, 451, "possible-match"],
    [CLEAN, 200, "clear"],
  ]) {
    const bytes = readFileSync(path);
    const form = new FormData();
    form.append("picture", new File([bytes], "picture.jpg"));
    for (const response of [
      await fetch(`${url}/form`, { method: "POST", body: form }),
      await fetch(`${url}/raw`, { method: "PUT", body: bytes }),
    ]) {
      assert.equal(response.status, status);
      assert.equal((await response.json()).outcome, outcome);
    }
  }
  const tooLarge = await fetch(`${url}/raw`, { method: "PUT", body: Buffer.alloc(21 * 2 ** 20) });
  assert.equal(tooLarge.status, 413);
});

test("node-fastify: files of a form and a raw body are checked", async (context) => {
  const at = installed("node-fastify");
  const url = await started(context, at, process.execPath, ["server.js"], { FILTER, PORT: "0" });
  const form = (...paths) => {
    const body = new FormData();
    for (const path of paths) body.append("pictures", new File([readFileSync(path)], "picture.jpg"));
    return fetch(`${url}/form`, { method: "POST", body });
  };
  const outcomes = async (response) => (await response.json()).map(({ outcome }) => outcome);
  const passed = await form(CLEAN);
  assert.deepEqual([passed.status, await outcomes(passed)], [200, ["clear"]]);
  const held = await form(CLEAN, EDITED);
  assert.deepEqual([held.status, await outcomes(held)], [451, ["clear", "possible-match"]]);
  const raw = (body) => fetch(`${url}/raw`, { method: "PUT", headers: { "content-type": "image/jpeg" }, body });
  assert.equal((await raw(readFileSync(LISTED))).status, 451);
  assert.equal((await raw(readFileSync(CLEAN))).status, 200);
  assert.equal((await raw(Buffer.concat([readFileSync(CLEAN), Buffer.alloc(21 * 2 ** 20)]))).status, 413);
});

test("rust-check: prints the outcome of a file", () => {
  // Builds the example inside the repository, because its Cargo.toml names the crate by a relative path.
  const check = (path) =>
    run("examples/rust-check", "cargo", "run", "--quiet", "--target-dir", resolve("target"), "--", FILTER, path);
  assert.match(check(LISTED), /^PossibleMatch/);
  assert.match(check(CLEAN), /^Clear/);
});

test("publish-a-list: pictures become a signed list that finds them", () => {
  const at = join(folder, "publish-a-list");
  cpSync("examples/publish-a-list", at, { recursive: true });
  cpSync("target/samples/listed", join(at, "pictures"), { recursive: true });
  const bin = `${resolve("target/debug")}${delimiter}${process.env.PATH}`;
  const publish = () =>
    execFileSync("./publish.sh", ["pictures", "public"], {
      cwd: at,
      env: { ...environment, PATH: bin },
      stdio: "pipe",
    });
  publish();
  // Publishes a second release, as the owner of a list would the next day.
  publish();
  const filter = readdirSync(join(at, "public"))
    .filter((name) => name.endsWith(".hgf"))
    .sort()
    .at(-1);
  const found = run(process.cwd(), "target/debug/hashgate", "check", "--filter", join(at, "public", filter), CLEAN);
  assert.match(found, /clear/);
  assert.throws(() =>
    run(process.cwd(), "target/debug/hashgate", "check", "--filter", join(at, "public", filter), LISTED),
  );
});
