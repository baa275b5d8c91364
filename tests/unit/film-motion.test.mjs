// Which part of a film moves: the table that the native commands read, too (crates/native/src/film/motion.rs).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const { Motion } = await load("worker/film/motion");
const { cases } = JSON.parse(readFileSync(new URL("../vectors/film-motion.json", import.meta.url), "utf8"));

for (const { name, seed, window, steps, stepS, flat, part } of cases) {
  test(name, () => {
    const [left, top, width, height] = window;
    const motion = new Motion();
    for (let frame = 0; frame <= steps; frame += 1) {
      const small = Uint8Array.from({ length: 64 * 64 }, (_, at) => {
        const [x, y] = [at % 64, Math.floor(at / 64)];
        const moves = x >= left && x < left + width && y >= top && y < top + height;
        if (flat && !moves) return 200;
        const [column, row] = [x >> 1, y >> 1];
        const time = moves ? frame + 1 : 0;
        return (column * 7 + row * 13 + seed * 31 + time * 97 * (column + 3 * row + 1)) % 256;
      });
      motion.add(small, frame * stepS);
    }
    const found = motion.part();
    assert.deepEqual(found ? [found.x, found.y, found.width, found.height] : null, part);
  });
}
