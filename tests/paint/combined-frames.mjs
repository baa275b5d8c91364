// Generates animations whose frames are combined at random: sizes and places, disposal, blending, transparency, own
// palettes and delays.
import { join } from "./bytes.mjs";
import { gif } from "./gif-files.mjs";
import { listed, other, PALETTE } from "./pictures.mjs";
import { animation as apng } from "./png-files.mjs";
import { animatedWebp } from "./webp-files.mjs";

const [WIDTH, HEIGHT] = [160, 120];
const shuffledPalette = join(
  PALETTE.map((value) => 255 - value),
  new Uint8Array(12),
);

/** Returns a part of a picture as a picture. */
function part(picture, x, y, width, height) {
  const plane = (from) =>
    Uint8Array.from(
      { length: width * height },
      (_, at) => from[(y + Math.floor(at / width)) * WIDTH + x + (at % width)],
    );
  return { width, height, planes: picture.planes.map(plane) };
}

/** Kind 8: chooses the frames, of which one shows the listed picture, or two show a half of it each. */
export function combinedAnimation(roll) {
  const total = roll.pick([2, 3, 5, 9, 17, 25, 40]);
  const place = roll.below(total);
  const halves = roll.chance(0.3) && place > 0;
  const L = listed("tiny", roll.below(3));
  const long = roll.chance(0.4);
  const format = roll.pick(["gif", "png", "webp"]);
  const frames = Array.from({ length: total }, (_, number) => {
    const away = roll.chance(0.3) && number !== place;
    const [width, height] = away ? [20 + 2 * roll.below(60), 20 + roll.below(90)] : [WIDTH, HEIGHT];
    const [x, y] = away ? [2 * roll.below((WIDTH - width) / 2 + 1), roll.below(HEIGHT - height + 1)] : [0, 0];
    const whole = number === place ? L : other("tiny", 200 + roll.below(40));
    const picture = away ? part(whole, x, y, width, height) : whole;
    return { picture, x, y, disposal: roll.below(4), blend: roll.below(2), delay: delayOf(number), odd: roll.next() };
  });
  function delayOf(number) {
    if (number === place && long) return 6000;
    return roll.pick([0, 1, 2, 5, 10, 100]);
  }
  if (halves) {
    // The frame at `place - 1` draws the left half and stays; the next one draws the right half beside it.
    frames[place - 1] = { ...frames[place - 1], picture: part(L, 0, 0, 80, HEIGHT), x: 0, y: 0, disposal: 1, blend: 0 };
    frames[place] = { ...frames[place], picture: part(L, 80, 0, 80, HEIGHT), x: 80, y: 0 };
  }
  const still = format === "png" && roll.chance(0.3) ? { picture: other("tiny", 300) } : undefined;
  const makers = {
    gif: () =>
      gif({
        width: WIDTH,
        height: HEIGHT,
        frames: frames.map(({ picture, odd, ...frame }) => ({
          ...frame,
          picture,
          ...(odd < 0.2 && { transparent: Math.floor(1200 * odd) }),
          ...(odd > 0.8 && { palette: odd > 0.9 ? shuffledPalette : join(PALETTE, new Uint8Array(12)) }),
          interlaced: odd > 0.5 && odd < 0.6,
          control: odd < 0.95,
        })),
      }),
    png: () =>
      apng({
        still,
        frames: frames.map(({ disposal, delay, odd, ...frame }) => ({
          ...frame,
          dispose: disposal % 3,
          delay: 10 * delay,
          ...(odd < 0.2 && frame.blend === 1 && { alpha: (at) => (at % 5 === 0 ? 0 : 255) }),
        })),
      }),
    webp: () =>
      animatedWebp(
        { width: WIDTH, height: HEIGHT },
        frames.map(({ picture, x, y, disposal, blend, delay }) => ({
          picture,
          x,
          y,
          delay: 10 * delay,
          flags: (disposal & 1) | (blend << 1),
        })),
      ),
  };
  const how = `${long ? "-long" : ""}${halves ? "-halves" : ""}${still ? "-still" : ""}`;
  return [`${format}-${place}-of-${total}${how}`, makers[format], `image/${format}`];
}
