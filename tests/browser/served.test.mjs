// Tests a host's page, the published list and the confirming server together, in real Chromium: how often the page asks
// the server, and whether the file is uploaded. One of the two lists is made so that a clean picture falsely matches.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { startServer } from "../../scripts/confirming.mjs";
import { CHROMIUM } from "./chromium.mjs";
import { keygen, listedRows, publish } from "./lists.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>host</title><script type="module" src="page.js"></script>`;
const SCRIPT = `import { decide, openGate } from "/hashgate/index.js";
import { hashgateConfirmer } from "/hashgate/confirm.js";
const trust = { keys: [(await (await fetch("/list.pub")).text()).trim()] };
const options = { source: "/list/manifest.txt", trust, whenUnavailable: "block", idleMs: 2 ** 31 - 1 };
const confirm = hashgateConfirmer({ url: "/", token: "a-token-of-this-test" });
const gate = await openGate({ ...options, confirm });
const file = async (path) => (await fetch(path)).blob();
const blobs = {};
for (const path of ["clean/clean-1.jpg", "clean/clean-2.jpg", "edited/listed-1-half-size.jpg"]) blobs[path] = await file("/samples/" + path);
// Checks a file first, so that the workers' scripts are loaded before the test counts requests.
await gate.check(blobs["clean/clean-2.jpg"]);
window.upload = async (path) => {
  const verdict = await gate.check(blobs[path]);
  if (decide(verdict, { unchecked: "block" }) === "upload") await fetch("/upload", { method: "POST", body: blobs[path] });
  return verdict;
};
window.ready = true;`;

const folder = mkdtempSync(join(tmpdir(), "hashgate-served-"));
let server;
let browser;
let page;
let requests;

/**
 * Returns a PDQ hash with the same ring key 0 (the bits of the lowest frequencies) and all other bits flipped. So it
 * shares a ring key with `pdq`, but is too far from `pdq` to match.
 */
function farther(pdq) {
  const bytes = Buffer.from(pdq, "hex");
  for (let index = 0; index < 256; index += 1) {
    if (index >> 4 >= 8 || index % 16 >= 8) bytes[31 - (index >> 3)] ^= 1 << (index % 8);
  }
  return bytes.toString("hex");
}

before(async () => {
  const [, line] = String(execFileSync("target/debug/hashgate", ["hash", "target/samples/clean/clean-1.jpg"])).split(
    "\n",
  );
  const pdq = line.split(",").find((field) => /^[0-9a-f]{64}$/.test(field));
  const key = keygen(folder, "host");
  publish(join(folder, "list"), key, [...listedRows(), `${farther(pdq)},pdq`]);
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), PAGE);
  writeFileSync(join(folder, "site/page.js"), SCRIPT);
  writeFileSync(join(folder, "site/list.pub"), key.trust);
  writeFileSync(join(folder, "tokens"), "a-token-of-this-test\n");
  const site = ["--site", join(folder, "site"), "--site", "/hashgate=dist", "--site", "/samples=target/samples"];
  const list = [
    "--list",
    join(folder, "list.csv"),
    "--dir",
    join(folder, "list"),
    "--token-file",
    join(folder, "tokens"),
  ];
  server = await startServer([...list, ...site]);
  browser = await chromium.launch(CHROMIUM);
  page = await browser.newPage();
  // Answers the host's upload route, since the confirming server has none.
  await page.route("**/upload", (route) => route.fulfill({ status: 204 }));
  await page.goto(`${server.url}/`);
  await page.waitForFunction(() => window.ready);
  page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
});

after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function upload(path) {
  requests = [];
  const asked = await server.metric("hashgate_confirms_total");
  const verdict = await page.evaluate((path) => window.upload(path), path);
  return { verdict, asked: (await server.metric("hashgate_confirms_total")) - asked };
}

test("a clean picture is uploaded, and nothing else is sent", async () => {
  const { verdict, asked } = await upload("clean/clean-2.jpg");
  assert.equal(verdict.outcome, "clear");
  assert.equal(verdict.confirmedBy, undefined);
  assert.deepEqual([asked, requests], [0, ["POST /upload"]]);
});

test("an edited listed picture is asked about once, and isn't uploaded", async () => {
  const { verdict, asked } = await upload("edited/listed-1-half-size.jpg");
  assert.deepEqual([verdict.outcome, verdict.confirmedBy], ["match", "hashgate"]);
  assert.deepEqual([asked, requests], [1, ["POST /v1/confirm"]]);
});

test("of an innocent collision each candidate is asked about once; it is cleared, and uploaded", async () => {
  const { verdict, asked } = await upload("clean/clean-1.jpg");
  assert.deepEqual([verdict.outcome, verdict.confirmedBy], ["clear", "hashgate"]);
  // The plain view, which is a full view, matches first. Derived views may match, too.
  const [{ ring, rings, flips, view }] = verdict.matches;
  assert.deepEqual({ ring, rings, flips, view }, { ring: 0, rings: [0], flips: 0, view: "plain" });
  // After "not-listed" the gate looks on for other candidates: derived views of the same picture have the same ring
  // key.
  const candidates = new Set(verdict.matches.map(({ pdq, key }) => `${pdq} ${key}`)).size;
  assert.equal(asked, candidates);
  assert.deepEqual(requests, [...Array(candidates).fill("POST /v1/confirm"), "POST /upload"]);
  assert.equal(await server.metric('hashgate_confirms_total{outcome="NotListed"'), candidates);
});
