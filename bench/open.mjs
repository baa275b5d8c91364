// npm run bench:open: measures the time from `openGate` to the first verdict in Chromium. The published list of
// 1,000,000 hashes is in the browser's storage, and its server is unreachable. Each round uses a fresh page with fresh
// workers.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { chromium as launcher } from "playwright-core";
import { makeDemoList } from "../scripts/demo-list.mjs";
import { programs } from "../scripts/programs.mjs";
import { run } from "../scripts/run.mjs";
import { setUp } from "../scripts/setup.mjs";
import { Lists } from "../tests/browser/lists.mjs";
import { serve } from "../tests/browser/server.mjs";

const HASHES = 1_000_000;
const ROUNDS = 21;
const FOLDER = "target/bench";

setUp();
makeDemoList("target");
mkdirSync(FOLDER, { recursive: true });
const list = `${FOLDER}/million.txt`;
if (!existsSync(list)) {
  const hash = (n) => createHash("sha256").update(String(n)).digest("hex");
  writeFileSync(list, `${Array.from({ length: HASHES }, (_, n) => hash(n)).join("\n")}\n`);
}
run("cargo", ["build", "--release", "--quiet", "--locked", "--package", "hashgate-cli"]);
const cli = (...args) => execFileSync("target/release/hashgate", args, { stdio: ["ignore", "ignore", "inherit"] });
const [published, key] = [`${FOLDER}/published`, `${FOLDER}/bench.key`];
for (const path of [published, key, `${key}.pub`]) rmSync(path, { recursive: true, force: true });
cli("keygen", "--out", key, "--name", "bench.test");
const names = ["--name", "million", "--category", "numbered hashes", "--type", "pdq"];
cli("publish", list, "--dir", published, "--key", key, ...names);

const page = `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="/page.js"></script>`;
const script = `import { openGate } from "/hashgate/index.js";
window.measure = async (keys) => {
  const picture = await (await fetch("/samples/clean/clean-1.jpg")).blob();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const start = performance.now();
  const gate = await openGate({ source: "/lists/million/manifest.txt", trust: { keys }, whenUnavailable: "block" });
  const opened = performance.now();
  const { outcome } = await gate.check(picture);
  const first = performance.now();
  await gate.check(picture);
  const second = performance.now();
  const { from, release, bytes, entries } = gate.status();
  gate.close();
  return { open: opened - start, verdict: first - start, check: second - first, outcome, from, release, bytes, entries };
};
window.ready = true;`;
const lists = new Lists();
const site = lists.add("million", published, 1);
const server = await serve({
  handle: lists.handle,
  extra: {
    "/page.html": { body: page, type: "text/html; charset=utf-8" },
    "/page.js": { body: script, type: "text/javascript" },
  },
});
const browser = await launcher.launch({
  executablePath: programs(["CHROMIUM_PATH"]).CHROMIUM_PATH,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
try {
  const context = await browser.newContext();
  const trust = readFileSync(`${key}.pub`, "utf8").trim();
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const tab = await context.newPage();
    await tab.goto(`${server.url}/page.html`);
    await tab.waitForFunction(() => window.ready);
    const measured = await tab.evaluate((keys) => window.measure(keys), [trust]);
    await tab.close();
    const expected = round === 0 ? "network" : "storage";
    if (measured.from !== expected || measured.outcome !== "clear") throw new Error(JSON.stringify(measured));
    if (round > 0) rounds.push(measured);
    // From here on the server doesn't answer, so the list can only come from storage.
    site.fault = { on: ["manifest", "full", "delta"], act: (request) => request.socket.destroy() };
  }
  const row = (name, of) => {
    const sorted = rounds.map(of).sort((a, b) => a - b);
    const [least, median, most] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((ms) => ms.toFixed(0));
    console.log(`${name.padEnd(44)}${median.padStart(6)} ms   (${least} to ${most})`);
  };
  const [{ entries, bytes }] = rounds;
  console.log(
    `\n${entries} hashes, ${bytes} bytes, from storage, verified; median of ${ROUNDS} fresh pages (least to most)`,
  );
  row("openGate: engine compiled, list verified", ({ open }) => open);
  row("openGate and the first verdict", ({ verdict }) => verdict);
  row("a further check of the same picture", ({ check }) => check);
  console.log(`picture: ${statSync("target/samples/clean/clean-1.jpg").size} bytes of JPEG`);
} finally {
  await browser.close();
  await server.close();
}
