// Makes the table of each entry point's size in dist/, which `npm run build` prints and README.md shows.
// `node scripts/sizes.mjs --write` puts it into README.md.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const BEGIN = "<!-- sizes: written by scripts/sizes.mjs -->\n";
const END = "<!-- /sizes -->";
/** The files that the main entry fetches when a gate is opened. */
const FETCHED = ["worker.js", "hashgate.wasm"];

/** The engines, of which every page loads one; and the formats engines, which few files need. */
const MAIN = ["hashgate.wasm", "hashgate-baseline.wasm"];
export const ENGINES = [...MAIN, "hashgate-formats.wasm", "hashgate-formats-baseline.wasm"];
/** The reader of films, which a page loads when a film comes. */
export const FILM = "hashgate-film.wasm";
/** The decoders that a page loads when a file of their format comes; and the most bytes of each after gzip. */
const MOST_OF = { "hashgate-heic.wasm": 120_000, "hashgate-jxl.wasm": 500_000 };
export const DECODERS = Object.keys(MOST_OF);
/** The most bytes that a main engine may have after gzip. */
const MOST = 270_000;

/** Throws if an engine that every page loads, or a decoder, is too large. */
export function assertSmall(gzipped = (name) => gzipSync(readFileSync(`dist/${name}`), { level: 9 }).length) {
  for (const [name, most] of [...MAIN.map((name) => [name, MOST]), ...Object.entries(MOST_OF)]) {
    const got = gzipped(name);
    if (got > most) throw new Error(`dist/${name}: expected at most ${most} bytes (gzip), got ${got}`);
  }
}

/** Returns the names of an entry's own file and of the files that it imports. */
async function filesOf(entry) {
  const options = { bundle: true, write: false, format: "esm", metafile: true, packages: "external" };
  const { metafile } = await build({ ...options, entryPoints: [entry], platform: "browser" });
  const imported = Object.keys(metafile.inputs).map((path) => basename(path));
  return [basename(entry), ...imported.filter((name) => name !== basename(entry)).sort()];
}

export async function sizes() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const rows = [];
  const seen = new Set();
  for (const [name, entry] of Object.entries(exports)) {
    const file = entry.default ?? entry;
    // Leaves out files that an entry fetches, and files that aren't JavaScript.
    if (!file.endsWith(".js") || FETCHED.includes(basename(file))) continue;
    // Leaves out entries that only add types to the script of an earlier entry, such as hashgate/notice/react.
    if (seen.has(file)) continue;
    seen.add(file);
    const files = await filesOf(file);
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
  const fetchedLater = [
    ["hashgate-formats.wasm", ", if a file needs it"],
    ["hashgate-heic.wasm", ", if a HEIC file comes"],
    ["hashgate-jxl.wasm", ", if a JPEG XL file comes"],
    [FILM, ", if a film comes"],
  ].map(([name, when]) => {
    const bytes = readFileSync(`dist/${name}`);
    const [gzip, brotli] = [gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length];
    return { entry: "hashgate", files: [name], when, raw: bytes.length, gzip, brotli };
  });
  rows.splice(1, 0, ...fetchedLater);
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

/** Splits README.md into the text before the table, the table, and the text after it. */
function readme() {
  const text = readFileSync("README.md", "utf8");
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}

/** Returns the table that README.md shows. */
export const shown = () => readme()[1];

if (process.argv[1] === import.meta.filename) {
  const made = table(await sizes());
  const [before, , after] = readme();
  if (process.argv.includes("--write")) writeFileSync("README.md", before + made + after);
  process.stdout.write(made);
}
