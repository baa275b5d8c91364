// Compares the transparency report of a real gate with the JSON schema of the documentation.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import Ajv from "ajv/dist/2020.js";
import { openGate } from "../../dist/node.js";
import { sample } from "./uploads.mjs";

const documentation = readFileSync("docs/reference/transparency-report.md", "utf8");
const schema = JSON.parse(documentation.match(/```json\n(.*?)```/s)[1]);

test("a real report is what the schema says, and holds counts alone", async () => {
  const validate = new Ajv({ strict: true, allErrors: true }).compile(schema);
  const gate = await openGate({
    filters: ["target/samples/demo.hgf"],
    // A service gives the same answer about every match of a file. This stand-in recognises a file by its SHA-256
    // digest.
    confirm: async ({ sha256 }) => {
      if (!said.has(sha256)) said.set(sha256, answers.shift());
      return said.get(sha256);
    },
  });
  const answers = ["listed", "not-listed", "unknown"];
  const said = new Map();
  const valid = () => assert.ok(validate(gate.report()), JSON.stringify(validate.errors));
  valid();
  const files = [sample("edited", 0), sample("edited", 1), sample("edited", 2), sample("clean", 0), sample("clean", 1)];
  const verdicts = [];
  for (const path of files) verdicts.push(await gate.check(readFileSync(path)));
  await gate.check(Buffer.from("not a picture"));
  await gate.check(readFileSync(sample("clean", 1)).subarray(0, 9000));
  await gate.check(readFileSync(files[0]), { signal: AbortSignal.abort() }).catch(() => {});
  gate.record("overridden", verdicts[2]);
  gate.record("appealed", verdicts[0]);
  gate.record("appealed", verdicts[2]);
  assert.throws(() => gate.record("forgotten", verdicts[0]), /expected "overridden" or "appealed", got "forgotten"/);
  valid();
  const { totals, lists, from, to } = gate.report();
  const counts = { dismissed: 1, possible: 1, confirmed: 1, overridden: 1, appealed: 2 };
  assert.deepEqual(totals, { checked: 7, clear: 3, unchecked: { "not-a-picture": 1, unreadable: 1 }, ...counts });
  const [{ list, category, release, checked, ...rest }] = lists;
  assert.deepEqual([list, category, release, checked], ["Demo list", "drawn sample pictures", 1, 7]);
  assert.deepEqual(rest, counts);
  assert.ok(Date.parse(from) <= Date.parse(to) && Date.now() - Date.parse(to) < 3_600_000 + 1);
  // The report contains nothing about a file: no hash, and no numbers except counts.
  const words = JSON.stringify(gate.report());
  for (const verdict of verdicts) for (const hash of [verdict.pdq, verdict.sha256]) assert.ok(!words.includes(hash));
  gate.close();
  // The report is still available after the gate is closed.
  valid();
});

test("the schema refuses what isn't such a report", () => {
  const validate = new Ajv({ strict: true }).compile(schema);
  const totals = {
    checked: 1,
    clear: 1,
    dismissed: 0,
    possible: 0,
    confirmed: 0,
    unchecked: {},
    overridden: 0,
    appealed: 0,
  };
  const hour = "2026-01-02T03:00:00.000Z";
  const report = { format: "hashgate-report-1", from: hour, to: hour, totals, lists: [] };
  assert.ok(validate(report));
  for (const wrong of [
    { to: "2026-01-02T03:04:05.000Z" },
    { totals: { ...totals, clear: -1 } },
    { totals: { ...totals, unchecked: { forgotten: 1 } } },
    { sha256: "00" },
  ]) {
    assert.ok(!validate({ ...report, ...wrong }), JSON.stringify(wrong));
  }
});
