// npm run extension: makes dist-extension/, which a browser loads unpacked, and dist-extension.zip, the same bytes
// whenever the same sources are built.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { zipSync } from "fflate";
import { makeDemoList } from "./demo-list.mjs";
import { png } from "./png.mjs";
import { setUp } from "./setup.mjs";

const OUT = "dist-extension";

/** Makes the folder from what `npm run build` and the samples left. */
export async function buildExtension() {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT);
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const manifest = JSON.parse(readFileSync("extension/manifest.json", "utf8"));
  writeFileSync(`${OUT}/manifest.json`, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
  for (const name of ["_locales", "offscreen.html", "options.html", "options.css"]) {
    cpSync(`extension/${name}`, `${OUT}/${name}`, { recursive: true });
  }
  for (const name of ["worker.js", "hashgate.wasm", "hashgate-baseline.wasm"]) cpSync(`dist/${name}`, `${OUT}/${name}`);
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(name, `${OUT}/${name}`);
  cpSync("dist/THIRD-PARTY.txt", `${OUT}/THIRD-PARTY.txt`);
  cpSync("target/samples/demo.hgf", `${OUT}/demo.hgf`);
  for (const size of [16, 32, 48, 128]) writeFileSync(`${OUT}/icon-${size}.png`, icon(size));
  const common = { bundle: true, target: "chrome148", platform: "browser", outdir: OUT };
  const pages = ["background", "offscreen", "options"].map((name) => `extension/${name}.ts`);
  await build({ ...common, format: "esm", entryPoints: pages });
  await build({ ...common, format: "iife", entryPoints: ["extension/content.ts", "extension/page.ts"] });
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
}

/** A zip without anything of the machine or the hour in it. */
export function zipped() {
  const entries = filesOf(OUT).map((path) => [path.replaceAll("\\", "/"), readFileSync(join(OUT, path))]);
  return zipSync(Object.fromEntries(entries), { level: 9, mtime: new Date(1980, 0, 1), os: 3 });
}

/** A gate of two posts and a beam, in the colour of what is held. */
function icon(size) {
  const on = (x, y) => {
    const [u, v] = [(x + 0.5) / size, (y + 0.5) / size];
    const post = (u > 0.14 && u < 0.3) || (u > 0.7 && u < 0.86);
    return (post && v > 0.16 && v < 0.9) || (u > 0.08 && u < 0.92 && v > 0.16 && v < 0.34);
  };
  return png(size, size, "rgba", 9, (row, y) => {
    for (let x = 0; x < size; x += 1) row.set(on(x, y) ? [0x8a, 0x3b, 0x00, 255] : [0, 0, 0, 0], 4 * x);
  });
}

if (process.argv[1] === import.meta.filename) {
  setUp();
  makeDemoList("target");
  await buildExtension();
  const zip = zipped();
  writeFileSync(`${OUT}.zip`, zip);
  console.log(`hashgate: ${OUT}/ is ready to be loaded unpacked; ${OUT}.zip (${zip.length} bytes) holds the same.`);
}
