// Code that the tests of the integrations share. It opens a page in Chromium whose script esbuild bundles as an app
// would. It also starts a real server, which accepts uploads in every form that the libraries send, and records them.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after } from "node:test";
import { FileStore } from "@tus/file-store";
import { Server as TusServer } from "@tus/server";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";
import { keygen } from "./lists.mjs";
import { CSP } from "./server.mjs";

/** One browser for all tests of a file. Each app gets its own profile. */
let browser;
after(async () => (await browser)?.close());

/** Returns the path of a sample picture; `index` counts the folder's files by name. */
export const sample = (folder, index) =>
  `target/samples/${folder}/${readdirSync(`target/samples/${folder}`).sort()[index]}`;
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
const names = new Map(
  ["listed", "edited", "clean"].flatMap((folder) =>
    readdirSync(`target/samples/${folder}`).map((name) => [
      digest(readFileSync(`target/samples/${folder}/${name}`)),
      `${folder}/${name}`,
    ]),
  ),
);

/** Bundles an app's script and styles with esbuild, as an app's author would. */
export async function bundle(contents, loader = "ts", alias = {}) {
  const { outputFiles } = await build({
    stdin: { contents, loader, resolveDir: process.cwd(), sourcefile: `app.${loader}` },
    bundle: true,
    alias,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    outdir: "target",
    write: false,
    logLevel: "error",
    // The worker isn't bundled: the package loads it from the script's folder.
    external: ["./worker.js"],
  });
  return new Map(outputFiles.map(({ path, text }) => [`/hashgate/app${extname(path)}`, text]));
}

async function openInChromium(options) {
  browser ??= chromium.launch(CHROMIUM);
  const profile = await (await browser).newContext(options);
  return { page: await profile.newPage(), close: () => profile.close() };
}

/** Opens a page in Firefox. It is Puppeteer's page, which has the same `evaluate` as Playwright's. */
let firefox;
after(async () => (await firefox)?.close());
export async function openInFirefox() {
  firefox ??= puppeteer.launch({ ...FIREFOX });
  const profile = await (await firefox).createBrowserContext();
  return { page: await profile.newPage(), close: () => profile.close() };
}

/**
 * Serves `body` with the bundled `script`, and opens it in a page. `uploads` lists the files that arrived, named after
 * the sample with the same bytes. `delayMs` delays the answer to each upload. `onUpload` is called with the bytes and
 * the URL of each upload. `alias` replaces packages by others. Paths in `lost` answer 404. `inBrowser` opens a page in
 * another browser.
 */
export async function openApp(
  context,
  {
    script,
    loader,
    body,
    csp = CSP,
    lost = [],
    delayMs = 0,
    page: options,
    alias,
    onUpload,
    inBrowser = openInChromium,
  },
) {
  const made = await bundle(script, loader, alias);
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title>
    <link rel="stylesheet" href="/hashgate/app.css"><main><h1>App</h1>${body}</main>
    <script type="module" src="/hashgate/app.js"></script>`;
  const uploads = [];
  const requests = [];
  const arrived = (bytes, url) => {
    onUpload?.(bytes, url);
    uploads.push(names.get(digest(bytes)) ?? `${bytes.length} unknown bytes`);
  };
  const folder = join("target", "tus");
  mkdirSync(folder, { recursive: true });
  const tus = new TusServer({
    path: "/tus",
    datastore: new FileStore({ directory: folder }),
    async onUploadFinish(_, { id }) {
      arrived(readFileSync(join(folder, id)));
      return {};
    },
  });
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const { pathname } = url;
    requests.push(`${request.method} ${pathname}`);
    if (pathname.startsWith("/tus")) return tus.handle(request, response);
    const send = (status, type, content) =>
      response.writeHead(status, { "content-type": type, "content-security-policy": csp }).end(content);
    if (request.method === "POST") {
      const chunks = await request.toArray().catch(() => undefined);
      // Without a body, the page has aborted the upload.
      if (!chunks) return;
      const sent = Buffer.concat(chunks);
      const type = request.headers["content-type"] ?? "";
      if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (type.startsWith("multipart/")) {
        const form = await new Response(sent, { headers: { "content-type": type } }).formData();
        const files = [...form.values()].filter((value) => typeof value !== "string" && value.size > 0);
        for (const file of files) arrived(Buffer.from(await file.arrayBuffer()), url);
      } else arrived(sent, url);
      return send(200, "application/json", '{"url":"/files/1"}');
    }
    if (lost.includes(pathname)) return send(404, "text/plain", "lost");
    if (pathname === "/") return send(200, "text/html; charset=utf-8", html);
    const types = { ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };
    const type = types[extname(pathname)] ?? "application/octet-stream";
    if (made.has(pathname)) return send(200, type, made.get(pathname));
    try {
      const path = pathname.replace(/^\/hashgate\//, "dist/").replace(/^\/(samples|filters)\//, "target/samples/");
      send(200, type, readFileSync(path));
    } catch {
      send(404, "text/plain", "not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { page, close } = await inBrowser(options);
  context.after(async () => {
    await close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => window.ready);
  return { page, uploads, requests, said };
}

/**
 * Returns gates that can't load, as `[name, gate, options, said]`. There are two kinds for each policy `said`. The
 * first kind is a promise that rejects; the integration's `whenUnavailable` then decides. The second kind follows a
 * list that doesn't exist; the gate's own `whenUnavailable` then decides.
 */
export function unavailableGates() {
  const { trust } = keygen(mkdtempSync("target/integrations-"), "key");
  return ["block", "allow"].flatMap((said) => [
    [`${said}, filters`, `openGate({ filters: ["/lost.hgf"] })`, `whenUnavailable: "${said}"`, said],
    [
      `${said}, source`,
      `openGate({ source: "/lost/manifest.txt", trust: { keys: ["${trust}"] }, whenUnavailable: "${said}" })`,
      "",
      said,
    ],
  ]);
}

/**
 * Waits until `condition` returns true or a promise of true, for at most 20 seconds. Use it for conditions in the page
 * that are promises, because `page.waitForFunction` takes any promise for true.
 */
export async function until(condition, what) {
  for (let wait = 0; wait < 400; wait += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`expected ${what}, waited 20 s`);
}

/** Runs the accessibility checker axe on the page, and returns the problems that it finds. */
export async function violations(page) {
  await page.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf8"));
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
}

/** Writes an example of the documentation as a module, in a folder where compiler and bundlers find the package. */
export function writeRecipe(name, text) {
  mkdirSync("target/recipes", { recursive: true });
  writeFileSync(`target/recipes/${name}`, text);
}
