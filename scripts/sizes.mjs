// What each entry point weighs, as it is in dist/: the table that `npm run build` prints and README.md shows.
// `node scripts/sizes.mjs --write` puts it into README.md.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const BEGIN = "<!-- sizes: written by scripts/sizes.mjs -->\n";
const END = "<!-- /sizes -->";
/** What the main entry fetches besides itself. */
const FETCHED = ["worker.js", "hashgate.wasm"];

/** The engines that every page loads one of, and the formats engines, which few files need. */
const MAIN = ["hashgate.wasm", "hashgate-baseline.wasm"];
export const ENGINES = [...MAIN, "hashgate-formats.wasm", "hashgate-formats-baseline.wasm"];
/** The most that a main engine may weigh: bytes, gzip. */
const MOST = 270_000;

/** Throws if an engine that every page loads has grown too large. */
export function assertSmall(gzipped = (name) => gzipSync(readFileSync(`dist/${name}`), { level: 9 }).length) {
  for (const name of MAIN) {
    const got = gzipped(name);
    if (got > MOST) throw new Error(`dist/${name}: expected at most ${MOST} bytes (gzip), got ${got}`);
  }
}

/** The entry's own file, and what it imports. */
async function filesOf(entry) {
  const options = { bundle: true, write: false, format: "esm", metafile: true, packages: "external" };
  const { metafile } = await build({ ...options, entryPoints: [entry], platform: "browser" });
  const imported = Object.keys(metafile.inputs).map((path) => basename(path));
  return [basename(entry), ...imported.filter((name) => name !== basename(entry)).sort()];
}

export async function sizes() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const rows = [];
  for (const [name, entry] of Object.entries(exports)) {
    // The others are single files that an entry fetches.
    if (typeof entry === "string") continue;
    // Entries that add types alone to another.
    if (Object.keys(exports).some((other) => other !== "." && other !== name && name.startsWith(`${other}/`))) continue;
    const files = await filesOf(entry.default);
    if (name === ".") files.push(...FETCHED);
    const contents = files.map((file) => readFileSync(`dist/${file}`));
    const sum = (pack) => contents.map((bytes) => pack(bytes).length).reduce((a, b) => a + b);
    const gzip = sum((bytes) => gzipSync(bytes, { level: 9 }));
    rows.push({
      entry: name.replace(".", "hashgate"),
      files,
      raw: sum((bytes) => bytes),
      gzip,
      brotli: sum(brotliCompressSync),
    });
  }
  const name = "hashgate-formats.wasm";
  const bytes = readFileSync(`dist/${name}`);
  rows.splice(1, 0, {
    entry: "hashgate",
    files: [name],
    when: ", if a file needs it",
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes).length,
  });
  return rows;
}

export function table(rows) {
  const kb = (bytes) => `${(bytes / 1000).toFixed(bytes < 100_000 ? 1 : 0)} kB`;
  const lines = rows.map(
    ({ entry, files, when = "", raw, gzip, brotli }) =>
      `| \`${entry}\`${when} | ${files.map((file) => `\`${file}\``).join(", ")} | ${kb(raw)} | ${kb(gzip)} | ${kb(brotli)} |\n`,
  );
  return `| entry point | files in \`dist/\` | raw | gzip | brotli |\n| --- | --- | --- | --- | --- |\n${lines.join("")}`;
}

/** README.md up to its table, the table, and the rest. */
function readme() {
  const text = readFileSync("README.md", "utf8");
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}

/** The table as README.md has it. */
export const shown = () => readme()[1];

if (process.argv[1] === import.meta.filename) {
  const made = table(await sizes());
  const [before, , after] = readme();
  if (process.argv.includes("--write")) writeFileSync("README.md", before + made + after);
  process.stdout.write(made);
}
