// Makes the demo list: draws the sample pictures, hashes those of the list, and publishes the list.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { attempt, run, say } from "./run.mjs";

/**
 * Writes three things into `folder`: `samples/` (the pictures, the filter `demo.hgf`, the published list and its public
 * key), `demo.csv` (the raw list), and `demo.key` (the private key). The tests use the folder `target`, the demo
 * `target/demo`, so that neither changes the other's files.
 */
export function makeDemoList(folder) {
  const hashgate = "target/debug/hashgate";
  const [samples, list, key] = [`${folder}/samples`, `${folder}/demo.csv`, `${folder}/demo.key`];
  mkdirSync(folder, { recursive: true });
  say(`drawing the sample pictures into ${samples}/`);
  run("cargo", ["run", "--quiet", "--locked", "--package", "xtask", "--", "samples", "--out", samples]);
  say("hashing them, and building the demo list's filter");
  run("cargo", ["build", "--quiet", "--locked", "--package", "hashgate-cli"]);
  writeFileSync(list, execFileSync(hashgate, ["hash", `${samples}/listed`]));
  const about = ["--name", "Demo list", "--category", "drawn sample pictures"];
  run(hashgate, ["build", list, "--out", `${samples}/demo.hgf`, ...about]);
  say("publishing it as the next release of the demo list");
  const publish = (runs) => {
    // The private key and the raw list stay outside of the served folder.
    if (!existsSync(key)) run(hashgate, ["keygen", "--out", key, "--name", "demo.test"]);
    copyFileSync(`${key}.pub`, `${samples}/list.pub`);
    return runs(hashgate, ["publish", list, "--dir", `${samples}/list`, "--key", key, ...about]);
  };
  if (publish(attempt) === undefined) return;
  say("the releases in that folder can't be continued, because another version made them; beginning anew");
  for (const path of [`${samples}/list`, key, `${key}.pub`, `${key}.memory`])
    rmSync(path, { recursive: true, force: true });
  publish(run);
}
