// npm run build: makes dist/ and prints what it weighs.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { writeLicences } from "./licences.mjs";
import { sizes, table } from "./sizes.mjs";

const run = (command, ...args) => execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });

run("cargo", "run", "--quiet", "--locked", "--package", "xtask", "--", "wasm");
run(process.execPath, "node_modules/typescript/bin/tsc", "--project", ".");
const common = { bundle: true, format: "esm", target: "es2022", outdir: "dist" };
await build({ ...common, platform: "browser", entryPoints: ["js/index.ts", "js/worker.ts"] });
// Small and sharing pieces with each other: one file of each, and bundlers of apps put them together.
const parts = ["confirm", "decision", "filepond", "guard", "judge", "notice", "strings", "uppy"].map(
  (name) => `js/${name}.ts`,
);
await build({ ...common, bundle: false, entryPoints: parts });
// The inline entry carries the worker and the engine.
const define = {
  WORKER_SCRIPT: JSON.stringify(readFileSync("dist/worker.js", "utf8")),
  ENGINE: JSON.stringify(gzipSync(readFileSync("dist/hashgate.wasm"), { level: 9 }).toString("base64")),
};
await build({ ...common, platform: "browser", entryPoints: ["js/inline.ts"], define });
await build({ ...common, platform: "node", entryPoints: ["js/node.ts", "js/node-worker.ts"] });
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
writeLicences(version);
process.stdout.write(table(await sizes()));
