// Builds the filter of the benchmarks: 1,000,000 PDQ hashes (the SHA-256 digests of the numbers 0, 1, 2, …), with
// default settings.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { run } from "../scripts/run.mjs";

const HASHES = 1_000_000;
export const FOLDER = "target/bench";

/** Builds the filter if it doesn't exist, and returns the paths of the filter and of the list. */
export function millionFilter() {
  mkdirSync(FOLDER, { recursive: true });
  const [filter, list] = [`${FOLDER}/million.hgf`, `${FOLDER}/million.txt`];
  if (!existsSync(list)) {
    const hash = (n) => createHash("sha256").update(String(n)).digest("hex");
    writeFileSync(list, `${Array.from({ length: HASHES }, (_, n) => hash(n)).join("\n")}\n`);
  }
  run("cargo", ["build", "--quiet", "--locked", "--package", "hashgate-cli"]);
  const names = ["--name", "million", "--category", "numbered hashes", "--type", "pdq"];
  console.log(String(execFileSync("target/debug/hashgate", ["build", list, "--out", filter, ...names])).trim());
  return { filter, list };
}
