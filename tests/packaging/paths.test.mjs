// What is published names no folder of the machine that built it. That two builds are the same byte for byte takes two
// builds to see: scripts/reproducible.mjs.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

/** Folders that stand in debugging information and in messages of panics, unless they are taken out. */
const OF_BUILDERS = /\/(?:home|Users)\/[\w.-]+\/|[\\/]\.cargo[\\/]registry|[\\/]\.rustup[\\/]toolchains/;

test("no file of dist/ names a folder of the machine that built it", () => {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const rustup = process.env.RUSTUP_HOME ?? join(homedir(), ".rustup");
  // The home folder alone can be as short as "/root", which may stand in any text.
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
