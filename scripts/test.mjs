// npm test: installs and builds what is missing, then runs every test. Other commands run a part of the tests:
//
//   npm run test:unit                              the core's and the pure JavaScript modules' tests; needs no browser
//   npm run test:browser                           everything that runs in browsers
//   npm run test:browser -- guard                  one file, tests/browser/guard.test.mjs
//   npm run test:browser -- guard "a drop"         the tests of that file whose names match "a drop"
//   npm run test:runtimes                          installs Deno, Bun, workerd, Vitest and Jest, and tests in them
//   npm test -- --install                          installs Debian's packages for programs that are missing
import { readdirSync } from "node:fs";
import { makeDemoList } from "./demo-list.mjs";
import { programs } from "./programs.mjs";
import { attempt, stop } from "./run.mjs";
import { setUp } from "./setup.mjs";

const [part = "all", name, pattern] = process.argv.slice(2).filter((argument) => argument !== "--install");
const PARTS = {
  unit: { folders: ["tests/unit"] },
  browser: { folders: ["tests/browser", "tests/docs"], browsers: true },
  runtimes: { folders: ["tests/runtimes"] },
  all: { folders: ["tests/unit", "tests/browser", "tests/docs", "tests/examples", "tests/packaging"], browsers: true },
};
const chosen = PARTS[part] ?? stop(`expected one of ${Object.keys(PARTS).join(", ")}, got "${part}".`);

// Looks for missing programs first, so that a person needn't wait for the build to learn of them.
const env = { ...process.env, ...(chosen.browsers ? programs() : {}) };
setUp();
if (chosen.browsers) makeDemoList("target");
const RUST = {
  all: ["--workspace", "--no-fail-fast"],
  unit: ["--package", "hashgate", "--lib", "--features", "build"],
};
const files = chosen.folders
  .flatMap((folder) => (listed(folder) ?? []).map((file) => `${folder}/${file}`))
  .filter((file) => file.endsWith(".test.mjs"))
  .filter((file) => name === undefined || file.endsWith(`/${name}.test.mjs`));
if (files.length === 0) stop(`there is no test file "${name}" in ${chosen.folders.join(", ")}.`);
const only = pattern === undefined ? [] : [`--test-name-pattern=${pattern}`];
const concurrency = ["--test-concurrency=1", "--test-timeout=300000"];
// Both run, so that one run shows everything that fails.
const failures = [
  RUST[part] && attempt("cargo", ["test", "--locked", ...RUST[part]]),
  attempt(process.execPath, ["--test", ...concurrency, ...only, ...files], { env }),
].filter(Boolean);
if (failures.length > 0) stop(failures.join("\nhashgate: "));

/** Returns the names of a folder's files, or undefined if there is no such folder. */
function listed(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return undefined;
  }
}
