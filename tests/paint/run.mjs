// npm run paint: has real Chromium and Firefox paint generated files, and compares the engine's verdicts with the
// paintings.
// --kinds REGEX, --every N and --from M select a part of the generated files.
// --mutants N adds N files of the fuzzer; --seed S chooses other files.
// --browsers chromium leaves Firefox out.
// --keep writes the findings into target/paint/findings; --out FILE writes all results.
// Exits with status 1 if a file is `clear` without a caveat although a browser paints a listed picture.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { generated } from "./files.mjs";
import { minimised, mutants } from "./fuzz.mjs";
import { described, FOLDER, table } from "./judge.mjs";
import { isFinding, openOracle } from "./oracle.mjs";
import { BROWSERS } from "./painter.mjs";

const { values } = parseArgs({
  options: {
    kinds: { type: "string", default: "" },
    every: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    mutants: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    browsers: { type: "string", default: BROWSERS.join() },
    out: { type: "string", default: `${FOLDER}/results.jsonl` },
    keep: { type: "boolean", default: false },
  },
});
mkdirSync(FOLDER, { recursive: true });
rmSync(values.out, { force: true });
rmSync(`${FOLDER}/findings`, { recursive: true, force: true });
mkdirSync(`${FOLDER}/findings`, { recursive: true });

function* chosen(lossy) {
  const kinds = new RegExp(values.kinds);
  const [every, from] = [Number(values.every), Number(values.from)];
  let count = 0;
  for (const file of generated(lossy)) {
    if (!kinds.test(`${file.kind}/${file.name}`)) continue;
    if (count % every === from) yield file;
    count += 1;
  }
  yield* mutants(Number(values.mutants), Number(values.seed), lossy);
}

function needsWebp() {
  for (const { type } of chosen(() => undefined)) if (type === "image/webp") return true;
  return false;
}

const seconds = () => Math.round((Date.now() - started) / 1000);
const started = Date.now();
const webp = needsWebp();
const oracle = await openOracle({ browsers: values.browsers.split(","), webp });
const rows = [];
const mutated = [];
try {
  for await (const { bytes, paintings, changes, number, seed, ...row } of oracle.judge(chosen(oracle.lossy))) {
    rows.push(row);
    const finding = isFinding(row);
    appendFileSync(values.out, `${JSON.stringify({ ...row, length: bytes.length, finding, paintings })}\n`);
    if (finding) {
      if (changes?.length > 1) mutated.push({ changes, number, seed });
      const said = Object.entries(row.verdicts).map(([reader, verdict]) => `${reader} ${described(verdict)}`);
      const [{ browser, how, surface, bits }] = row.shown.matching;
      console.log(
        `${row.kind}/${row.name}: ${browser} paints it (${how}, ${surface}, ${bits} bits); ${said.join("; ")}`,
      );
      if (values.keep) writeFileSync(`${FOLDER}/findings/${row.kind}--${row.name}`, bytes);
    }
    if (rows.length % 240 === 0) console.error(`${rows.length} files, ${seconds()} s`);
  }
  for (const found of mutated) {
    const { kind, name } = await minimised(found, oracle.lossy, oracle.judge, isFinding);
    console.log(`it takes no more than ${kind}/${name}`);
  }
} finally {
  await oracle.close();
}

const readers = Object.keys(rows[0]?.words ?? {});
const report = table(rows, readers);
writeFileSync(`${FOLDER}/table.md`, `${report}\n`);
console.log(report);
console.log(
  `${rows.length} files in ${seconds()} s; ${rows.filter(({ lost }) => lost.length > 0).length} lost a browser's page`,
);
const listed = rows.filter(({ shown }) => shown.kind === "match");
for (const reader of readers) {
  const count = (word) => listed.filter(({ words }) => words[reader] === word).length;
  const share = ((100 * count("match")) / Math.max(1, listed.length)).toFixed(1);
  const rest = ["clear", "passed", "crashed"].map((word) => `${count(word)} ${word}`).join(", ");
  console.log(`${reader}: of ${listed.length} painted as listed, ${share}% match; ${rest}`);
}
if (rows.some(isFinding)) process.exitCode = 1;
