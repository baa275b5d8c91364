// Measures recall on edits that nobody of this project wrote: those of AugLy, Meta's library of edits.
//
//   npm run augly -- FOLDER [--half tune|report] [--limit 300] [--seed 1] [--list-size 200000]
//
// Installs AugLy with the versions of requirements.txt into target/augly/venv, which needs Python 3.9 to 3.12 (the
// variable PYTHON names another than python3) and PyPI. Makes 71 edits of every photograph of one half of the folder,
// and looks them up by `hashgate eval --copies`. Prints what was found for each edit and each level, beside Hamming
// distance 31 on the raw list.
//
// Views are chosen on the half `tune`, which is the default. Look at `report` once per release: see
// docs/lab/near-match.md.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { find, run, say, stop } from "../../scripts/run.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    half: { type: "string", default: "tune" },
    limit: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    "list-size": { type: "string", default: "200000" },
  },
});
const [folder] = positionals;
if (positionals.length !== 1 || !existsSync(folder))
  stop("expected one folder of photographs; see bench/augly/run.mjs.");
if (!["tune", "report"].includes(values.half)) stop(`--half: expected tune or report, got "${values.half}".`);

const HOME = "target/augly";
const VENV = `${HOME}/venv`;
if (!existsSync(`${VENV}/installed`)) {
  const python = process.env.PYTHON ?? "python3";
  if (!find([python])) stop(`${python} is missing; install Python 3.9 to 3.12, or name one by the variable PYTHON.`);
  say(`installing AugLy into ${VENV}`);
  mkdirSync(HOME, { recursive: true });
  run(python, ["-m", "venv", "--clear", VENV]);
  run(`${VENV}/bin/python`, ["-m", "pip", "install", "--quiet", "--requirement", "bench/augly/requirements.txt"]);
  mkdirSync(`${VENV}/installed`);
}
const out = `${HOME}/${values.half}`;
rmSync(out, { recursive: true, force: true });
const choice = ["--half", values.half, "--limit", values.limit, "--seed", values.seed];
run(`${VENV}/bin/python`, ["bench/augly/copies.py", folder, out, ...choice]);
run("cargo", ["build", "--release", "--locked", "--package", "hashgate-cli"]);
const measured = execFileSync(
  "target/release/hashgate",
  ["eval", `${out}/originals`, "--copies", `${out}/copies`, "--list-size", values["list-size"], "--format", "json"],
  { encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "inherit"] },
);
print(JSON.parse(measured), readFileSync(`${out}/levels.txt`, "utf8"));

/** Prints the table of edits and levels. */
function print(figures, levels) {
  const row = (name, { copies, near, found }) => {
    const [before, ours] = [near, found].map((part) => ((100 * part) / Math.max(copies, 1)).toFixed(1));
    const behind = before - ours > 1 ? `  ${(ours - before).toFixed(1)}` : "";
    console.log(`${name.padEnd(24)}${String(copies).padStart(7)}${before.padStart(12)}${ours.padStart(10)}${behind}`);
  };
  console.log(`${figures.pictures} photographs of the half ${values.half}, a list of ${figures.listSize} hashes, `);
  console.log(`${figures.lookups} lookups at most, ${figures.bytesPerHash.toFixed(2)} bytes per hash\n`);
  console.log("found, %                 copies  Hamming 31  hashgate  behind by more than 1 point");
  for (const edit of figures.edits) row(edit.edit, edit);
  console.log();
  for (const line of levels.trim().split("\n")) {
    const [level, names] = line.split(": ");
    const of = figures.edits.filter(({ edit }) => names.split(" ").includes(edit));
    row(`level ${level}`, sum(of));
  }
  row("all", figures.all);
}

function sum(edits) {
  const add = (field) => edits.reduce((total, edit) => total + edit[field], 0);
  return { copies: add("copies"), near: add("near"), found: add("found") };
}
