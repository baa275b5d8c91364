// npm run paint: paints generated files in real Chromium and Firefox, and holds the engine's verdicts against the paintings.
//
// --kinds REGEX and --every N take fewer files, --mutants N --seed N adds files of the fuzzer, --browsers chromium leaves
// Firefox out, --keep writes findings into target/paint/findings. Ends with status 1 if a file is plainly clear although a
// browser paints a listed picture.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { generated } from "./files.mjs";
import { FOLDER, described, table } from "./judge.mjs";
import { openOracle } from "./oracle.mjs";
import { BROWSERS } from "./painter.mjs";

const { values } = parseArgs({
  options: {
    kinds: { type: "string", default: "" },
    every: { type: "string", default: "1" },
    browsers: { type: "string", default: BROWSERS.join() },
    out: { type: "string", default: `${FOLDER}/results.jsonl` },
    keep: { type: "boolean", default: false },
  },
});
mkdirSync(FOLDER, { recursive: true });
rmSync(values.out, { force: true });
rmSync(`${FOLDER}/findings`, { recursive: true, force: true });
mkdirSync(`${FOLDER}/findings`, { recursive: true });

function* chosen() {
  const kinds = new RegExp(values.kinds);
  let count = 0;
  for (const file of generated(oracle.lossy)) {
    if (!kinds.test(`${file.kind}/${file.name}`)) continue;
    if ((count += 1) % Number(values.every) === 0) yield file;
  }
}

const started = Date.now();
const oracle = await openOracle({ browsers: values.browsers.split(",") });
const rows = [];
try {
  for await (const { bytes, paintings, ...row } of oracle.judge(chosen())) {
    rows.push(row);
    const plainly = Object.entries(row.words).filter(([, word]) => word === "clear" || word === "crashed");
    const finding = row.shown.kind === "match" && plainly.length > 0;
    appendFileSync(values.out, `${JSON.stringify({ ...row, length: bytes.length, finding, paintings })}\n`);
    if (finding) {
      const said = Object.entries(row.verdicts).map(([reader, verdict]) => `${reader} ${described(verdict)}`);
      const [{ browser, how, surface, bits }] = row.shown.matching;
      console.log(`${row.kind}/${row.name}: ${browser} paints it (${how}, ${surface}, ${bits} bits); ${said.join("; ")}`);
      if (values.keep) writeFileSync(`${FOLDER}/findings/${row.kind}--${row.name}`, bytes);
    }
    if (rows.length % 240 === 0) console.error(`${rows.length} files, ${Math.round((Date.now() - started) / 1000)} s`);
  }
} finally {
  await oracle.close();
}
const readers = Object.keys(rows[0]?.words ?? {});
const report = table(rows, readers);
writeFileSync(`${FOLDER}/table.md`, `${report}\n`);
console.log(report);
console.log(`${rows.length} files in ${Math.round((Date.now() - started) / 1000)} s`);
const listed = rows.filter(({ shown }) => shown.kind === "match");
for (const reader of readers) {
  const count = (word) => listed.filter(({ words }) => words[reader] === word).length;
  const share = ((100 * count("match")) / Math.max(1, listed.length)).toFixed(1);
  console.log(`${reader}: of ${listed.length} painted as listed, ${share}% match, ${count("clear")} plainly clear, ${count("crashed")} crashed`);
}
if (listed.some(({ words }) => Object.values(words).some((word) => word === "clear" || word === "crashed"))) process.exitCode = 1;
