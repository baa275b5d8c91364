// Tests that the default of each gate option is the default that the option's comment states.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const { DEFAULTS } = await load("gate/defaults");
const files = ["options", "video", "watch"].map((name) => readFileSync(`js/types/${name}.ts`, "utf8"));

test("the comment of each option names its default", () => {
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const options = files.find((text) => text.includes(`  ${name}?:`));
    assert.ok(options, `${name} is no option`);
    const [before] = options.split(`  ${name}?:`);
    const comment = before.slice(before.lastIndexOf("/**")).replace(/\s*\n\s*\*\s*/g, " ");
    const [, documented] = /Default ([\d,]+)/.exec(comment) ?? [];
    assert.equal(documented, value.toLocaleString("en"), name);
  }
});
