// Asks a real HMA through `hashgate serve --upstream hma`, and prints a table of the questions and answers.
//
//   HMA_PYTHON=venv/bin/python HMA_SOURCE=…/hasher-matcher-actioner/src node tests/hma/matrix.mjs
//
// No registry has HMA. HMA_SOURCE is the folder with the package OpenMediaMatch in a copy of the repository
// ThreatExchange. HMA_PYTHON is a Python with HMA's requirements, such as `threatexchange` from PyPI. Postgres must be
// on the path or in Debian's folder (`apt-get install postgresql`). HASHGATE is the path of the
// program; default target/debug/hashgate.
//
// Everything runs on this machine, in a folder that is removed at the end. If something is missing, prints that nothing
// was checked, and exits with status 0. If an answer isn't the expected one, exits with status 1.
import assert from "node:assert/strict";
import { ask, hash, near, start } from "./hashgate.mjs";
import { HmaServer, missing } from "./hma.mjs";

const lacking = missing();
if (lacking) {
  console.log(`NOT CHECKED: hashgate against a real HMA. ${lacking}`);
  process.exit(0);
}

const rows = [];
let wrong = 0;
/**
 * Adds a row to the table: the question, HMA's own answer, and the answer of `hashgate serve`, which is compared with
 * `expected`.
 */
function row(asked, hma, answer, expected) {
  const same = JSON.stringify(answer) === JSON.stringify(expected);
  if (!same) wrong += 1;
  rows.push([asked, hma, answer.join(" "), same ? "as expected" : `EXPECTED ${expected.join(" ")}`]);
}

const hma = await HmaServer.start();
try {
  const version = hma.version();
  await hma.bank("LISTED", 1, [hash("listed")]);
  await hma.bank("DISABLED", 0, [hash("disabled")]);
  const shared = Array.from({ length: 12 }, (_, n) => hash(`shared ${n}`));
  await hma.bank("SHARE", 0.5, shared);
  hma.buildIndices();

  const server = await start(hma.url);
  for (let bits = 0; bits <= 34; bits += 1) {
    const pdq = near(hash("listed"), bits);
    const own = await hma.lookup(pdq);
    const answer = await ask(server, { pdq, view: "plain" });
    const expected = bits <= 31 ? ["200", "listed", `${bits}`, "LISTED"] : ["200", "not-listed"];
    row(`a listed hash with ${bits} bits flipped, plain view`, own, answer, expected);
  }
  const far = near(hash("listed"), 32);
  for (const [asked, question, expected] of [
    ["32 bits flipped, a derived view", { pdq: far, view: "zoom-in-2" }, ["200", "unknown"]],
    ["32 bits flipped, no view given", { pdq: far }, ["200", "unknown"]],
    [
      "31 bits flipped, a derived view",
      { pdq: near(hash("listed"), 31), view: "zoom-in-2" },
      ["200", "listed", "31", "LISTED"],
    ],
    ["a hash of a disabled bank", { pdq: hash("disabled"), view: "plain" }, ["200", "not-listed"]],
    ["a digest alone", { sha256: "00".repeat(32) }, ["422", "upstream-needs-pdq"]],
  ]) {
    row(asked, question.pdq ? await hma.lookup(question.pdq) : "", await ask(server, question), expected);
  }
  // The bank is enabled for half of the lookups. The seed of a lookup is the hash, so each hash always gets the same
  // answer, however often it is asked about.
  let listed = 0;
  for (const [number, pdq] of shared.entries()) {
    const answers = new Set();
    for (let round = 0; round < 6; round += 1) answers.add((await ask(server, { pdq, view: "plain" })).join(" "));
    const own = await hma.lookup(pdq);
    listed += Number(own !== "{}");
    const expected = own === "{}" ? "200 not-listed" : "200 listed 0 SHARE";
    row(`hash ${number} of a bank enabled for half, six times`, own, [...answers], [expected]);
  }
  row("hashes of that bank that are listed: neither none nor all", "", [String(listed > 0 && listed < 12)], ["true"]);
  server.end();

  const pdq = hash("listed");
  for (const [mode, asked, expected] of [
    ["slow 1000", "HMA takes 1 s", ["200", "listed", "0", "LISTED"]],
    ["slow 3000", "HMA takes 3 s, each time", ["503", "upstream-unavailable"]],
    ["429", "a proxy before HMA answers 429", ["503", "upstream-unavailable"]],
    ["502", "a proxy before HMA answers 502", ["503", "upstream-unavailable"]],
    ["cut", "the connection ends early", ["503", "upstream-unavailable"]],
  ]) {
    const fresh = await start(hma.url);
    hma.mode = mode;
    row(asked, "", await ask(fresh, { pdq, view: "plain" }), expected);
    hma.mode = "pass";
    row(`${asked}: afterwards`, "", await ask(fresh, { pdq, view: "plain" }), ["200", "listed", "0", "LISTED"]);
    fresh.end();
  }
  const last = await start(hma.url);
  hma.stopDatabase();
  row("HMA's Postgres is down", await hma.lookup(pdq), await ask(last, { pdq, view: "plain" }), [
    "503",
    "upstream-unavailable",
  ]);
  hma.stop();
  row("HMA is down", "", await ask(last, { pdq, view: "plain" }), ["503", "upstream-unavailable"]);
  row("HMA is down: /healthz", "", [await last.health()], ["degraded"]);
  last.end();
  const width = (at) => Math.max(...rows.map((cells) => cells[at].length));
  console.log(`HMA ${version}\n`);
  for (const cells of [["asked", "HMA", "hashgate serve", ""], ...rows]) {
    console.log(`| ${cells.map((cell, at) => cell.padEnd(width(at))).join(" | ")} |`);
  }
} finally {
  await hma.end();
}
console.log(`\n${rows.length - wrong} passed, ${wrong} failed`);
assert.equal(wrong, 0, "answers differ from the expected ones");
