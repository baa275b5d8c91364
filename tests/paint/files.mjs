// Yields all generated files as `{ kind, name, type, make }`, in the same order and with the same bytes in each run.
import { bmpFiles } from "./bmp-files.mjs";
import { colourFiles } from "./colour-files.mjs";
import { combinedFiles } from "./combined-files.mjs";
import { containerFiles } from "./container-files.mjs";
import { gifFiles } from "./gif-files.mjs";
import { jpegFiles } from "./jpeg-files.mjs";
import { pngFiles } from "./png-files.mjs";
import { webpFiles } from "./webp-files.mjs";

/** `lossy(picture)` returns a WebP bitstream of the picture, which a browser has encoded (see `openOracle`). */
export function* generated(lossy) {
  for (const file of jpegFiles()) yield { type: "image/jpeg", ...file };
  for (const file of pngFiles()) yield { type: "image/png", ...file };
  for (const file of gifFiles()) yield { type: "image/gif", ...file };
  for (const file of webpFiles(lossy)) yield { type: "image/webp", ...file };
  for (const file of bmpFiles()) yield { type: "image/bmp", ...file };
  yield* colourFiles();
  yield* containerFiles();
  yield* combinedFiles();
}
