// Tests that the gate finds the pictures that browsers show, with a part of the files of `npm run paint`, in Chromium
// and Firefox.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { generated } from "../paint/files.mjs";
import { mutants } from "../paint/fuzz.mjs";
import { described, FOLDER, table } from "../paint/judge.mjs";
import { isFinding, openOracle } from "../paint/oracle.mjs";

/** The test tries one in 90 of the generated files. It leaves large files out, because they take long. */
const EVERY = 90;

function* some(lossy) {
  let count = 0;
  for (const file of generated(lossy)) {
    if (/^(large|l|lp)-/.test(file.name) || file.kind === "gif-animated-long") continue;
    count += 1;
    if (count % EVERY === 0) yield file;
  }
  yield* mutants(20, 20, lossy);
}

test("no file is plainly clear while a browser paints a listed picture", async (context) => {
  mkdirSync(FOLDER, { recursive: true });
  const oracle = await openOracle();
  context.after(() => oracle.close());
  const rows = [];
  for await (const { bytes, ...row } of oracle.judge(some(oracle.lossy))) rows.push(row);

  const findings = rows.filter(isFinding).map(({ kind, name, verdicts, shown }) => {
    const said = Object.entries(verdicts).map(([reader, verdict]) => `${reader}: ${described(verdict)}`);
    return `${kind}/${name} is painted by ${shown.matching[0]?.browser}; ${said.join("; ")}`;
  });
  assert.deepEqual(findings, [], table(rows, ["cli", "chromium", "firefox"]));

  // Checks the test itself: most of these files must contain a listed picture, both browsers must paint most of them,
  // and the gate must find them.
  const listed = rows.filter(({ shown }) => shown.kind === "match");
  assert.ok(rows.length > 60, `${rows.length} files`);
  assert.ok(listed.length > rows.length / 3, `${listed.length} of ${rows.length} are painted as listed`);
  for (const browser of ["chromium", "firefox"]) {
    const painted = listed.filter(({ paintings }) => paintings[browser].length > 0).length;
    assert.ok(painted > 0.8 * listed.length, `${browser} paints ${painted} of ${listed.length}`);
    const matched = listed.filter(({ words }) => words[browser] === "match").length;
    assert.ok(matched > 0.85 * listed.length, `in ${browser}, ${matched} of ${listed.length} match`);
  }
});
