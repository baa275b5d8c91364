// npm run build: makes dist/ and prints the size of each entry point.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { writeLicences } from "./licences.mjs";
import { assertSmall, DECODERS, ENGINES, FILM, sizes, table } from "./sizes.mjs";

const run = (command, ...args) => execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });

// With --js, keeps the wasm of an earlier build, for work on TypeScript.
if (!process.argv.includes("--js")) run("cargo", "run", "--quiet", "--locked", "--package", "xtask", "--", "wasm");
// Removes files of an earlier build, because they must not get into the package.
const kept = new Set(["bindings", FILM, ...DECODERS, ...ENGINES]);
for (const name of readdirSync("dist")) if (!kept.has(name)) rmSync(`dist/${name}`, { recursive: true });
assertSmall();
run(process.execPath, "node_modules/typescript/bin/tsc", "--project", ".");
// `require` needs declarations that are marked as CommonJS by their ending, .d.cts.
const declared = new Set(["index", "inline"].map((name) => `dist/types/entries/${name}.d.ts`));
declared.add("dist/types/testing/testing.d.ts");
for (const path of declared) {
  const text = readFileSync(path, "utf8").replaceAll(/"(\.{1,2}\/[^"]+)\.js"/g, (_, name) => {
    declared.add(join(dirname(path), `${name}.d.ts`));
    return `"${name}.cjs"`;
  });
  writeFileSync(path.replace(/\.ts$/, ".cts"), text);
}
const common = { bundle: true, format: "esm", target: "es2022", outdir: "dist" };
await build({
  ...common,
  platform: "browser",
  entryPoints: { index: "js/entries/index.ts", worker: "js/worker/browser-worker.ts" },
});
// Builds the small entries together: code that several of them need goes into a shared file.
await build({
  ...common,
  platform: "browser",
  splitting: true,
  packages: "external",
  chunkNames: "shared-[hash]",
  entryPoints: {
    confirm: "js/integrations/confirmers.ts",
    filepond: "js/integrations/filepond.ts",
    guard: "js/integrations/guard.ts",
    notice: "js/ui/notice.ts",
    "service-worker-page": "js/service-worker/page.ts",
    uppy: "js/integrations/uppy.ts",
    webrtc: "js/integrations/webrtc.ts",
  },
});
// A service worker must be a single file. Builds it as a module, and as a classic script for `importScripts` that
// defines `hashgate.checkUploads`.
const serviceWorker = { ...common, platform: "browser", entryPoints: ["js/service-worker/service-worker.ts"] };
await build(serviceWorker);
await build({ ...serviceWorker, format: "iife", globalName: "hashgate", outExtension: { ".js": ".classic.js" } });
// Test runners load the fake gate as a module or by `require`.
const testing = { ...common, platform: "neutral", entryPoints: ["js/testing/testing.ts"] };
await build(testing);
await build({ ...testing, format: "cjs", outExtension: { ".js": ".cjs" } });
// Where ES modules can't be required, `require("hashgate")` gets this file: it throws an error that says what to do.
writeFileSync(
  "dist/require.cjs",
  `throw new Error('hashgate is an ES module: write \`const { openGate } = await import("hashgate")\`, or use Node.js 20.19 or later.');\n`,
);
// The inline entry carries the worker and the engine.
const packed = (name) => JSON.stringify(gzipSync(readFileSync(`dist/${name}`), { level: 9 }).toString("base64"));
const define = {
  WORKER_SCRIPT: JSON.stringify(readFileSync("dist/worker.js", "utf8")),
  ENGINE: packed("hashgate-formats.wasm"),
  FILM_READER: packed(FILM),
  HEIC_DECODER: packed("hashgate-heic.wasm"),
};
await build({ ...common, platform: "browser", entryPoints: ["js/entries/inline.ts"], define });
await build({
  ...common,
  platform: "node",
  entryPoints: { node: "js/entries/node.ts", "node-worker": "js/worker/node-worker.ts" },
});
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
writeLicences(version);
process.stdout.write(table(await sizes()));
