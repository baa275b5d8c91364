// node scripts/reproducible.mjs: builds two clones of this commit, in folders and home folders of different names, and
// compares every file of their dist/. Also checks that no file holds a path of this machine. Builds everything twice,
// so it takes long.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
const rustupHome = process.env.RUSTUP_HOME ?? join(homedir(), ".rustup");
const place = mkdtempSync(join(tmpdir(), "hashgate-reproducible-"));

/** Builds in a fresh clone. Returns the folder of the result. */
function build(name, clone, home) {
  const folder = join(place, clone);
  const user = join(place, home);
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(user, ".cargo"), { recursive: true });
  execFileSync("git", ["clone", "--quiet", root, folder], { stdio: "inherit" });
  // Uses a fresh home folder with a copy of the downloaded crates. With a symbolic link, the real path would get into
  // the build.
  cpSync(join(cargoHome, "registry"), join(user, ".cargo/registry"), { recursive: true });
  cpSync(join(root, "node_modules"), join(folder, "node_modules"), { recursive: true, verbatimSymlinks: true });
  symlinkSync(rustupHome, join(user, ".rustup"));
  const env = {
    ...process.env,
    HOME: user,
    CARGO_HOME: join(user, ".cargo"),
    RUSTUP_HOME: join(user, ".rustup"),
    CARGO_TARGET_DIR: join(folder, "target"),
  };
  process.stdout.write(`building the ${name} clone\n`);
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
  return join(folder, "dist");
}

/** Returns the sorted paths of all files in a folder and below. */
function filesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const problems = [];
try {
  const first = build("first", "one/hashgate", "home-of-alice");
  const second = build("second", "another/much/longer/folder", "b");
  const names = filesIn(first);
  if (names.join() !== filesIn(second).join())
    problems.push("dist/: expected the same files of both builds, got others");
  const own = [place, cargoHome, rustupHome, root].map((path) => Buffer.from(path));
  for (const name of names) {
    const bytes = readFileSync(join(first, name));
    if (!bytes.equals(readFileSync(join(second, name))))
      problems.push(`dist/${name}: expected the same bytes, got others`);
    for (const path of own) {
      if (bytes.includes(path)) problems.push(`dist/${name}: expected no path of this machine, got ${path}`);
    }
  }
  if (problems.length === 0) process.stdout.write(`${names.length} files of dist/ are the same in both builds\n`);
} finally {
  rmSync(place, { recursive: true });
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
