// The defaults of a gate's options are those that the comments of the options promise.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const { DEFAULTS } = await load("gate/defaults");
const options = readFileSync("js/types/options.ts", "utf8");

test("the comment of each option names its default", () => {
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const [before] = options.split(`  ${name}?:`);
    assert.notEqual(before, options, `${name} is no option`);
    const comment = before.slice(before.lastIndexOf("/**")).replace(/\s*\n\s*\*\s*/g, " ");
    const [, documented] = /Default ([\d,]+)/.exec(comment) ?? [];
    assert.equal(documented, value.toLocaleString("en"), name);
  }
});
