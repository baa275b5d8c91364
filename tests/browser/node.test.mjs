// The package in Node, for the check that a server repeats; imported by its name, as a dependant does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { GateError, openGate } from "hashgate";

test("verdicts in Node are those of the browser", async () => {
  const gate = await openGate({ filters: ["target/samples/demo.hgf"] });
  assert.equal(gate.filters[0].name, "Demo list");
  for (const folder of ["listed", "edited", "clean"]) {
    for (const name of readdirSync(`target/samples/${folder}`)) {
      const { outcome } = await gate.check(readFileSync(`target/samples/${folder}/${name}`));
      assert.equal(outcome, folder === "clean" ? "clear" : "possible-match", name);
    }
  }
  gate.close();
});

test("a filter that is missing or refused rejects with its code", async () => {
  const codeOf = (filter) =>
    openGate({ filters: [filter] }).catch((error) => {
      assert.ok(error instanceof GateError);
      return error.code;
    });
  assert.equal(await codeOf("target/samples/missing.hgf"), "filter-unavailable");
  assert.equal(await codeOf("target/samples/list.csv"), "filter-magic");
});

test("an open gate doesn't keep the process", () => {
  const script = `import { openGate } from "hashgate";
    const gate = await openGate({ filters: ["target/samples/demo.hgf"] });
    console.log((await gate.check(new Uint8Array(3))).reason);`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
  assert.equal(String(printed), "unsupported\n");
});

test("the browser's entry is harmless where there is no browser", async () => {
  const { openGate: inBrowser } = await import("../../dist/index.js");
  assert.equal(typeof inBrowser, "function");
  await assert.rejects(inBrowser({ filters: ["/demo.hgf"] }), ReferenceError);
});
