// Paints files in every browser, has every reader check them, and says what was shown and what was said.
import { BROWSERS, Painter, servePainting } from "./painter.mjs";
import { buildFilter, checkNatively, shown, word } from "./judge.mjs";

const BATCH = 24;

/** Starts the browsers. `judge(files)` yields a row for each of `{ kind, name, type, make }`. */
export async function openOracle({ browsers = BROWSERS } = {}) {
  const { filter, hashes } = buildFilter();
  const server = await servePainting(filter);
  const painters = Object.fromEntries(browsers.map((name) => [name, new Painter(name, server)]));
  return {
    hashes,
    async *judge(files, { check = true } = {}) {
      for (const batch of batches(files)) {
        const made = batch.map((file) => ({ ...file, bytes: file.make() }));
        const painting = browsers.map((name) => painters[name].run(made, { check }));
        const native = checkNatively(made);
        const painted = await Promise.all(painting);
        for (const [at, { kind, name, type, bytes }] of made.entries()) {
          const paintings = Object.fromEntries(browsers.map((browser, n) => [browser, painted[n][at].painted]));
          const verdicts = { cli: native[at] };
          for (const [n, browser] of browsers.entries()) if (check) verdicts[browser] = painted[n][at].verdict;
          const words = Object.fromEntries(Object.entries(verdicts).map(([reader, verdict]) => [reader, word(verdict)]));
          const lost = browsers.filter((_, n) => painted[n][at].lost);
          yield { kind, name, type, bytes, paintings, verdicts, words, shown: shown(paintings, hashes), lost };
        }
      }
    },
    async close() {
      await Promise.all(Object.values(painters).map((painter) => painter.close()));
      await server.close();
    },
  };
}

/** Groups files into batches, smaller ones where files are large. */
function* batches(files) {
  let batch = [];
  for (const file of files) {
    batch.push(file);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
