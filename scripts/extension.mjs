// npm run extension: makes dist-extension/chromium/ and dist-extension/firefox/, which the browsers can load unpacked,
// and a zip file of each beside it. The same sources always give the same bytes.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { zipSync } from "fflate";
import { makeDemoList } from "./demo-list.mjs";
import { png } from "./png.mjs";
import { setUp } from "./setup.mjs";

const OUT = "dist-extension";

/** The differences between the browsers, apart from their manifests. */
const BROWSERS = {
  chromium: { target: "chrome148", background: "background-chromium", pages: ["offscreen"] },
  firefox: { target: "firefox142", background: "background-firefox", pages: [] },
};

/** Returns the folder of a browser's package. */
export const folderOf = (browser) => `${OUT}/${browser}`;

const json = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Makes the folders from the files of `npm run build` and the samples. */
export async function buildExtension(browsers = Object.keys(BROWSERS)) {
  for (const browser of browsers) await buildFor(browser);
}

async function buildFor(browser) {
  const { target, background, pages } = BROWSERS[browser];
  const out = folderOf(browser);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { version } = json("package.json");
  const manifest = { ...json("extension/manifest.json"), ...json(`extension/manifest.${browser}.json`), version };
  writeFileSync(`${out}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  const copied = ["_locales", "options.html", "options.css", ...pages.map((page) => `${page}.html`)];
  for (const name of copied) cpSync(`extension/${name}`, `${out}/${name}`, { recursive: true });
  cpSync("dist/worker.js", `${out}/worker.js`);
  // The extension is installed with all its files, so it always loads the engine that reads every format.
  for (const build of ["", "-baseline"]) cpSync(`dist/hashgate-formats${build}.wasm`, `${out}/hashgate${build}.wasm`);
  for (const name of ["film", "heic", "jxl"]) cpSync(`dist/hashgate-${name}.wasm`, `${out}/hashgate-${name}.wasm`);
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(name, `${out}/${name}`);
  cpSync("dist/THIRD-PARTY.txt", `${out}/THIRD-PARTY.txt`);
  cpSync("target/samples/demo.hgf", `${out}/demo.hgf`);
  for (const size of [16, 32, 48, 128]) writeFileSync(`${out}/icon-${size}.png`, icon(size));
  const common = { bundle: true, target, platform: "browser", outdir: out };
  const modules = Object.fromEntries([...pages, "options"].map((name) => [name, `extension/${name}.ts`]));
  modules.background = `extension/${background}.ts`;
  await build({ ...common, format: "esm", entryPoints: modules });
  await build({ ...common, format: "iife", entryPoints: ["extension/content.ts", "extension/page.ts"] });
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
}

/**
 * Returns a zip of a browser's package. It contains no time or path of this machine, so that builds are reproducible.
 */
export function zipped(browser) {
  const folder = folderOf(browser);
  const entries = filesOf(folder).map((path) => [path.replaceAll("\\", "/"), readFileSync(join(folder, path))]);
  return zipSync(Object.fromEntries(entries), { level: 9, mtime: new Date(1980, 0, 1), os: 3 });
}

/** Draws the icon: a gate of two posts and a beam. */
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
  for (const browser of Object.keys(BROWSERS)) {
    const zip = zipped(browser);
    writeFileSync(`${OUT}/hashgate-${browser}.zip`, zip);
    console.log(
      `hashgate: ${folderOf(browser)}/ is ready to be loaded; hashgate-${browser}.zip (${zip.length} bytes) holds the same.`,
    );
  }
}
