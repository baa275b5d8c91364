// Installs and builds everything that the npm scripts need, also in a fresh clone.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { find, run, say, stop } from "./run.mjs";

/** The files and folders from which `dist/` is built. */
const SOURCES = ["Cargo.lock", "Cargo.toml", "package.json", "package-lock.json", "tsconfig.json", "src", "js"];
const CRATES = ["decoder", "film", "film-wasm", "heic", "heic-wasm", "jxl", "jxl-wasm", "wasm", "xtask"];
const SOURCES_OF_BUILD = [...CRATES.map((name) => `crates/${name}`), "scripts/build.mjs", "scripts/licences.mjs"];
/** The file with the hash of the sources from which `dist/` was built. */
const STAMP = "dist/.sources";

/** Installs the npm packages and Rust's wasm target if they are missing, and builds `dist/` if its sources changed. */
export function setUp() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) stop(`expected Node.js 20 or later, got ${process.versions.node}; install one from nodejs.org.`);
  if (!find(["cargo"])) stop("Rust is missing; install it with rustup from rustup.rs, then run this again.");
  installPackages();
  addWasmTarget();
  const sources = hashOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources) return;
  say("building dist/");
  run("npm", ["run", "--silent", "build"]);
  writeFileSync(STAMP, sources);
}

function installPackages() {
  const marker = "node_modules/.package-lock.json";
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync("package-lock.json").mtimeMs) return;
  say("installing the npm packages of package-lock.json into node_modules/");
  run("npm", ["ci", "--no-audit", "--no-fund"]);
}

function addWasmTarget() {
  // Without rustup, Rust's targets must have been installed in another way.
  if (!find(["rustup"])) return;
  const installed = execFileSync("rustup", ["target", "list", "--installed"], { encoding: "utf8" });
  if (installed.includes("wasm32-unknown-unknown")) return;
  say("adding Rust's target wasm32-unknown-unknown");
  run("rustup", ["target", "add", "wasm32-unknown-unknown"]);
}

/** Returns the SHA-256 of the paths and contents of everything that `dist/` is made of, in hexadecimal. */
function hashOfSources() {
  const hash = createHash("sha256");
  const files = [...SOURCES, ...SOURCES_OF_BUILD].flatMap((path) =>
    statSync(path).isFile()
      ? [path]
      : readdirSync(path, { recursive: true })
          .map((name) => `${path}/${name}`)
          .filter((name) => statSync(name).isFile())
          .sort(),
  );
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}
