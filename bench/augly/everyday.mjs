// Counts how many everyday pictures match a list of others of their kind: pages, screens, charts, logos, templates.
//
//   python3 bench/augly/everyday.py target/everyday [--photographs FOLDER]
//   node bench/augly/everyday.mjs target/everyday [--hashgate target/release/hashgate] [--build-option OPTION]…
//
// Lists the first half of each folder, and checks the other half against that list alone, at the default rate. Nothing
// of the other half is listed, so a match is a clean picture that is held. Prints the strength of the matches, and how
// many of the asked pictures are within Hamming distance 31 of a listed one.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hashgate: { type: "string", default: "target/release/hashgate" },
    "build-option": { type: "string", multiple: true, default: [] },
  },
});
const [root] = positionals;
const scratch = mkdtempSync(join(tmpdir(), "hashgate-everyday-"));
const hashgate = (...args) => {
  const ran = spawnSync(values.hashgate, args, { encoding: "utf8", maxBuffer: 64 << 20 });
  if (ran.error) throw ran.error;
  return ran.stdout;
};
const bits = (a, b) => {
  let different = 0;
  for (let at = 0; at < 64; at += 8) {
    let word = (Number.parseInt(a.slice(at, at + 8), 16) ^ Number.parseInt(b.slice(at, at + 8), 16)) >>> 0;
    for (; word; word &= word - 1) different += 1;
  }
  return different;
};
console.log("kind              asked   held  one ring  all rings  Hamming 31 (upright)");
const sums = [0, 0, 0, 0, 0];
for (const kind of readdirSync(root).sort()) {
  const files = readdirSync(join(root, kind))
    .sort()
    .map((name) => join(root, kind, name));
  const half = files.length >> 1;
  const list = join(scratch, `${kind}.csv`);
  writeFileSync(list, hashgate("hash", ...files.slice(0, half)));
  const filter = join(scratch, `${kind}.hgf`);
  const options = ["--name", "everyday", "--category", "drawn", ...values["build-option"]];
  hashgate("build", list, "--out", filter, ...options);
  const asked = files.slice(half);
  const verdicts = hashgate("check", "--filter", filter, "--format", "jsonl", ...asked)
    .trim()
    .split("\n")
    .map(JSON.parse);
  const strengths = verdicts.map((line) => line.matches?.[0]?.strength);
  const of = (strength) => strengths.filter((found) => found === strength).length;
  const pdq = (csv) =>
    csv
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(",").at(3))
      .filter((hash) => hash?.length === 64);
  const listed = pdq(execFileSync("cat", [list], { encoding: "utf8" }));
  const near = pdq(hashgate("hash", ...asked)).filter((hash) => listed.some((other) => bits(hash, other) <= 31)).length;
  const row = [asked.length, strengths.filter(Boolean).length, of("one-ring"), of("all-rings"), near];
  row.forEach((value, at) => {
    sums[at] += value;
  });
  print(kind, row);
}
print("all", sums);
rmSync(scratch, { recursive: true });

function print(name, [asked, held, one, all, near]) {
  console.log(
    name.padEnd(16) +
      [asked, held, one, all].map((value) => String(value).padStart(8)).join("") +
      String(near).padStart(12),
  );
}
