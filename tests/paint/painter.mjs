// Has real browsers paint batches of files. A page paints many batches, and is replaced if it crashes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "../browser/chromium.mjs";
import { FIREFOX } from "../browser/firefox.mjs";
import { serve } from "../browser/server.mjs";
import { join, u32 } from "./bytes.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>paint</title><script type="module" src="/page.js"></script>`;
const LAUNCH = {
  chromium: () => chromium.launch(CHROMIUM),
  firefox: () =>
    puppeteer.launch({
      ...FIREFOX,
      protocolTimeout: 600_000,
      extraPrefsFirefox: { "browser.shell.checkDefaultBrowser": false },
    }),
};
export const BROWSERS = Object.keys(LAUNCH);

/**
 * Starts a server for the pages: it serves the batches of files, the filters for their gates, and the listed hashes.
 */
export async function servePainting(filters, hashes) {
  const batches = new Map();
  const script = readFileSync(fileURLToPath(new URL("page.js", import.meta.url)));
  const server = await serve({
    extra: {
      "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
      "/page.js": { body: script, type: "text/javascript" },
      "/hashes.json": { body: JSON.stringify(hashes), type: "application/json" },
      ...Object.fromEntries(Object.entries(filters).map(([path, body]) => [path, { body }])),
    },
    handle(_request, response, pathname) {
      const batch = batches.get(pathname);
      if (!batch) return false;
      response
        .writeHead(200, { "content-type": "application/octet-stream", "content-length": batch.length })
        .end(batch);
      return true;
    },
  });
  let count = 0;
  return {
    url: server.url,
    add(files) {
      const head = new TextEncoder().encode(
        JSON.stringify(files.map(({ name, type, bytes }) => ({ name, type, length: bytes.length }))),
      );
      count += 1;
      const path = `/batch/${count}`;
      batches.set(path, join(u32(head.length), head, ...files.map(({ bytes }) => bytes)));
      return path;
    },
    remove: (path) => batches.delete(path),
    close: () => server.close(),
  };
}

/** A browser. It starts at the first batch, and again after its page was lost. */
export class Painter {
  #name;
  #server;
  #browser;
  #page;
  #batches = 0;

  constructor(name, server) {
    this.#name = name;
    this.#server = server;
  }

  /** Paints `files`. With `check`, the page's gate checks them, too. The results are in the order of the files. */
  async run(files, { check = true } = {}) {
    const path = this.#server.add(files);
    try {
      const page = await this.#ready();
      const results = page.evaluate((path, check) => window.runBatch(path, check), ...this.#arguments(path, check));
      return JSON.parse(await limited(results, 30_000 + 4000 * files.length));
    } catch (error) {
      await this.close();
      if (files.length === 1) return [{ name: files[0].name, painted: [], lost: String(error) }];
      const half = files.length >> 1;
      return [...(await this.run(files.slice(0, half), { check })), ...(await this.run(files.slice(half), { check }))];
    } finally {
      this.#server.remove(path);
    }
  }

  /** Returns the arguments for the page's function: Playwright passes one argument, Puppeteer any number. */
  #arguments(path, check) {
    return this.#name === "chromium" ? [{ path, check }] : [path, check];
  }

  async #ready() {
    // A page keeps the verdicts of all paintings in memory, so it is replaced after 200 batches.
    this.#batches += 1;
    if (this.#page && this.#batches % 200 !== 0) return this.#page;
    await this.#page?.close();
    this.#browser ??= await LAUNCH[this.#name]();
    this.#page = await this.#browser.newPage();
    await this.#page.goto(`${this.#server.url}/page.html`);
    await this.#page.waitForFunction(() => window.ready);
    if (this.#name === "chromium") {
      await this.#page.evaluate(() => {
        const run = window.runBatch;
        window.runBatch = ({ path, check }) => run(path, check);
      });
    }
    return this.#page;
  }

  async close() {
    const browser = this.#browser;
    this.#browser = this.#page = undefined;
    await browser?.close().catch(() => {});
  }
}

function limited(promise, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result in ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
