// Tests that published files contain no folder of the machine that built them. scripts/reproducible.mjs builds twice,
// and tests that both builds have the same bytes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

/** Matches folders that compilers write into debug information and panic messages unless told not to. */
const OF_BUILDERS = /\/(?:home|Users)\/[\w.-]+\/|[\\/]\.cargo[\\/]registry|[\\/]\.rustup[\\/]toolchains/;

test("no file of dist/ names a folder of the machine that built it", () => {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const rustup = process.env.RUSTUP_HOME ?? join(homedir(), ".rustup");
  // Checks for folders below the home folder, not for the home folder itself: "/root" may occur in any text.
  const own = [process.cwd(), realpathSync("."), join(cargo, "registry"), join(rustup, "toolchains")];
  const files = readdirSync("dist", { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.filter(({ name }) => name.endsWith(".wasm")).length >= 2, "dist/ is built");
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const bytes = readFileSync(path);
    for (const folder of own) assert.ok(!bytes.includes(folder), `${path} names ${folder}`);
    assert.doesNotMatch(bytes.toString("latin1"), OF_BUILDERS, path);
  }
});
