// npm run build: makes dist/ and prints what it weighs.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const run = (command, ...args) => execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });

run("cargo", "run", "--quiet", "--locked", "--package", "xtask", "--", "wasm");
run(process.execPath, "node_modules/typescript/bin/tsc", "--project", ".");
const common = { bundle: true, format: "esm", target: "es2022", outdir: "dist" };
await build({ ...common, platform: "browser", entryPoints: ["js/index.ts", "js/worker.ts"] });
// Small and sharing pieces with each other: one file of each, and bundlers of apps put them together.
const parts = ["confirm"].map((name) => `js/${name}.ts`);
await build({ ...common, bundle: false, entryPoints: parts });
await build({ ...common, platform: "node", entryPoints: ["js/node.ts", "js/node-worker.ts"] });

console.log(`${"".padEnd(24)}${["raw", "gzip", "brotli"].map((name) => name.padStart(10)).join("")}`);
for (const file of readdirSync("dist").filter((name) => /\.(wasm|js)$/.test(name))) {
  const bytes = readFileSync(`dist/${file}`);
  const sizes = [bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)].map((made) => made.length);
  console.log(file.padEnd(24) + sizes.map((size) => String(size).padStart(10)).join(""));
}
