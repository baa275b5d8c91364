// Tests the documentation site that `npm run docs` builds: pages open in Chromium without an error, load nothing from
// other sites, the search finds things, and no link is broken. Also tests links to the documentation from the README
// and the code.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join, normalize, posix, resolve } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM } from "../browser/chromium.mjs";
import { serve } from "../browser/server.mjs";
import { violations } from "../browser/uploads.mjs";

const SITE = "dist-docs";
// A script writes the search results, and the pages of rustdoc and typedoc contain inline styles and scripts.
const CSP =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'";

before(() => {
  // `npm test` has built dist/ before this test.
  execFileSync(process.execPath, ["docs/site/build.mjs", "--no-setup"], { stdio: "pipe" });
});

/** Matches a tag that links to or loads something. rustdoc omits quotation marks around attributes. */
const TAG = /<(?:a|link|script|img)\b[^<>]*?\s(href|src)=(?:"([^"]*)"|([^\s">]+))/g;

const files = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => posix.join(folder, name))
    .filter((path) => statSync(path).isFile());
const pages = () => files(SITE).filter((path) => path.endsWith(".html") && !path.startsWith(`${SITE}/source/`));

test("all links and assets of all pages are there, their anchors included", () => {
  const anchors = new Map();
  const anchorsOf = (path) => {
    if (!anchors.has(path)) {
      const ids = [...readFileSync(path, "utf8").matchAll(/\s(?:id|name)="?([^"\s>]+)/g)].map(([, id]) => id);
      anchors.set(path, new Set(ids));
    }
    return anchors.get(path);
  };
  const broken = [];
  let links = 0;
  for (const page of pages()) {
    for (const [, attribute, quoted, bare] of readFileSync(page, "utf8").matchAll(TAG)) {
      const link = (quoted ?? bare).replaceAll("&amp;", "&");
      if (/^(https?|mailto|data|javascript):|^\\/.test(link)) {
        // Links to other sites are allowed, but nothing may be loaded from there. rustdoc also has such links inside
        // JSON.
        if (attribute === "src" && /^https?:/.test(link)) broken.push(`${page} loads ${link}`);
        continue;
      }
      links += 1;
      const [path, anchor] = link.split("#");
      const to = path === "" ? page : normalize(join(dirname(page), decodeURI(path.split("?")[0])));
      if (!existsSync(to)) broken.push(`${page}: ${link}`);
      // rustdoc makes the anchors of source lines by a script, so they aren't in the HTML.
      else if (
        anchor &&
        extname(to) === ".html" &&
        !/^\d+(-\d+)?$/.test(anchor) &&
        ![anchor, decodeURIComponent(anchor)].some((id) => anchorsOf(to).has(id))
      )
        broken.push(`${page}: ${link}, without the anchor`);
    }
  }
  assert.ok(links > 1000, `${links} links`);
  assert.deepEqual(broken.slice(0, 20), []);
});

test("opens in Chromium without an error and without a request to elsewhere, served and from the disk", async (context) => {
  const server = await serve({ folders: [["/", SITE]], csp: CSP });
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  const own = pages().filter((path) => !/^dist-docs\/(rust|typescript)\//.test(path));
  const api = ["rust/hashgate/index.html", "typescript/index.html", "typescript/modules/hashgate.html"];
  const shown = [...own.map((path) => path.slice(SITE.length + 1)), ...api];
  const disk = pathToFileURL(resolve(SITE)).href;
  for (const base of [server.url, disk]) {
    const tab = await browser.newPage();
    const problems = [];
    tab.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    tab.on("pageerror", (error) => problems.push(String(error)));
    // Requests that are aborted because the page was left are no problem.
    tab.on("requestfailed", (request) => {
      const { errorText } = request.failure();
      if (errorText !== "net::ERR_ABORTED") problems.push(`${request.url()}: ${errorText}`);
    });
    tab.on(
      "request",
      (request) => request.url().startsWith("data:") || request.url().startsWith(base) || problems.push(request.url()),
    );
    // typedoc's icons are in a separate file, which browsers don't load for a page from the disk.
    const onDisk = shown.filter((path) => !path.startsWith("typescript/"));
    for (const path of base === disk ? onDisk : shown) {
      await tab.goto(`${base}/${path}`);
      assert.deepEqual(problems, [], path);
    }
    await tab.goto(`${base}/how-to/notice.html`);
    await tab.getByRole("searchbox", { name: "Search" }).fill("ring key");
    await tab.locator("#found a", { hasText: "Glossary" }).first().waitFor();
    await tab.getByRole("searchbox", { name: "Search" }).fill("whenUnavailable");
    await tab.locator("#found a:not([href*=typescript])").first().click();
    await tab.waitForLoadState();
    assert.ok(tab.url().startsWith(base) && !tab.url().includes("notice.html"), tab.url());
    assert.deepEqual(problems, []);
    await tab.close();
  }
});

test("is accessible, in both colour schemes and on a narrow screen", async (context) => {
  const server = await serve({ folders: [["/", SITE]], csp: "" });
  const browser = await chromium.launch(CHROMIUM);
  context.after(async () => {
    await browser.close();
    await server.close();
  });
  for (const colorScheme of ["light", "dark"]) {
    const tab = await browser.newPage({
      colorScheme,
      viewport: { width: colorScheme === "dark" ? 380 : 1200, height: 800 },
    });
    for (const path of ["index.html", "explanation/system.html", "reference/filter-format.html"]) {
      await tab.goto(`${server.url}/${path}`);
      assert.deepEqual(await violations(tab), [], `${path}, ${colorScheme}`);
      const wider = await tab.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(wider, 0, `${path} is wider than the screen`);
    }
  }
});

test("links of the README are to files that both packages contain", () => {
  const [{ files: packed }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { encoding: "utf8" }));
  const inPackage = new Set(packed.map(({ path }) => path));
  const crate = execFileSync("cargo", ["package", "--list", "--allow-dirty", "--package", "hashgate"], {
    encoding: "utf8",
  });
  const inCrate = new Set(crate.split("\n"));
  const links = [...readFileSync("README.md", "utf8").matchAll(/\]\(([^)#]+)/g)].map(([, link]) => link);
  const local = links.filter((link) => !link.startsWith("https:"));
  assert.ok(local.length > 20, `${local.length} links`);
  assert.deepEqual(
    local.filter((link) => !inPackage.has(link)),
    [],
  );
  assert.deepEqual(
    local.filter((link) => !inCrate.has(link) && !link.startsWith("extension/")),
    [],
  );
});

test("pages that the code and the help name are there", () => {
  const tracked = execFileSync("git", ["ls-files"], { encoding: "utf8" }).split("\n");
  const code = tracked.filter((path) => /\.(rs|ts|mjs|js|py|md|toml|html|json)$/.test(path) && existsSync(path));
  const missing = code.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/\bdocs\/[\w/-]+\.md\b/g)]
      .map(([page]) => page)
      .filter((page) => !existsSync(page))
      .map((page) => `${path}: ${page}`),
  );
  assert.deepEqual(missing, []);
});
