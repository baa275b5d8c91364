// Loads one of the package's TypeScript modules by itself, so that a test can call it without a browser, a worker or
// the wasm.
import { build } from "esbuild";

/**
 * Returns the exports of a module.
 *
 * @param {string} name its path in `js/` without the ending, such as "policy/decision"
 */
export async function load(name) {
  const { outputFiles } = await build({
    entryPoints: [`js/${name}.ts`],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
