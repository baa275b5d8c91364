// node bench/libheif.mjs [FILE.heic…]
// Compares the processor time of hashgate-heic.wasm with that of libheif-js, file by file, in turn, in Node. Prints the
// smallest of four rounds, and the linear memory after the file. Without files, takes the grid that `npm run bench` draws.
//
// libheif-js is under the LGPL and isn't among this package's dependencies: `npm install --no-save libheif-js@1.23.2`.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { __wbg_reset_state, decode, initSync } from "../dist/bindings/heic.js";
import { FOLDER } from "./million.mjs";

const ROUNDS = 4;
const LIMITS = Float64Array.of(65_535, 65_535, 150e6, 2 ** 30);
const { default: libheif } = await import("libheif-js/wasm-bundle.js").catch(() => {
  throw new Error("expected libheif-js; run `npm install --no-save libheif-js@1.23.2`");
});
const module = new WebAssembly.Module(readFileSync("dist/hashgate-heic.wasm"));
const files = process.argv.length > 2 ? process.argv.slice(2) : [`${FOLDER}/12mp-grid.heic`];

/** Decodes a file in an instance of its own. Returns the bytes of its linear memory. */
function byHashgate(file) {
  const { memory } = initSync({ module });
  const failure = decode(
    file,
    LIMITS,
    () => true,
    () => {},
  );
  if (failure) throw new Error(failure);
  const bytes = memory.buffer.byteLength;
  __wbg_reset_state();
  return bytes;
}

async function byLibheif(file) {
  const [image] = new libheif.HeifDecoder().decode(file);
  const [width, height] = [image.get_width(), image.get_height()];
  const data = new Uint8ClampedArray(4 * width * height);
  await new Promise((resolve, reject) => {
    image.display({ data, width, height }, (shown) => (shown ? resolve() : reject(new Error("libheif-js failed"))));
  });
  image.free();
}

/** Returns the processor time of `work` in milliseconds. */
async function measured(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

for (const path of files) {
  const file = readFileSync(path);
  const [ours, theirs] = [[], []];
  let memory = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(
      await measured(() => {
        memory = byHashgate(file);
      }),
    );
    theirs.push(await measured(() => byLibheif(file)));
  }
  const [own, other] = [Math.min(...ours), Math.min(...theirs)];
  console.log(
    `${basename(path)}: ${own.toFixed(0)} ms, libheif-js ${other.toFixed(0)} ms, ratio ${(own / other).toFixed(2)}, ` +
      `linear memory ${(memory / 2 ** 20).toFixed(1)} MiB`,
  );
}
