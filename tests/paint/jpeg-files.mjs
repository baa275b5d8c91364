// Generates odd JPEG files as `{ kind, name, make }`. Most hold a listed picture, some a listed picture and a decoy.
import { colours, samplings } from "./jpeg-colours.mjs";
import { markers } from "./jpeg-markers.mjs";
import { restarts, scans } from "./jpeg-scans.mjs";
import { cut, decoys, tablesOdd } from "./jpeg-tables.mjs";
import { twice } from "./jpeg-twice.mjs";

export function* jpegFiles() {
  yield* colours();
  yield* samplings();
  yield* restarts();
  yield* scans();
  yield* markers();
  yield* twice();
  yield* decoys();
  yield* tablesOdd();
  yield* cut();
}
