// Every generated file: `{ kind, name, type, make }`, in the same order and with the same bytes in each run.
import { bmpFiles } from "./bmp-files.mjs";
import { jpegFiles } from "./jpeg-files.mjs";

export function* generated() {
  for (const file of jpegFiles()) yield { type: "image/jpeg", ...file };
  for (const file of bmpFiles()) yield { type: "image/bmp", ...file };
}
