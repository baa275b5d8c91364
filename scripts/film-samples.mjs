// Makes films of photographs for `hashgate eval`: shots with pans, zooms, a shaking hand and cuts between them.
//
//   node scripts/film-samples.mjs PICTURES OUT [FILMS]
//
// PICTURES is a folder of JPEG or PNG pictures, nine for each film; OUT gets film-1.mp4, film-2.mp4, ... of 480x270
// pixels, 25 frames a second and 36 seconds. Needs ffmpeg with libx264 on the PATH.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

const [SHOTS, FRAMES, FPS] = [9, 100, 25];
/** How a shot moves: the zoom, and the place of its window from 0 to 1, over `on`, the number of the frame. */
const MOVES = [
  { z: "1.15", x: `on/${FRAMES}`, y: "0.5" }, // a pan to the right
  { z: `1+0.4*on/${FRAMES}`, x: "0.5", y: "0.5" }, // a zoom in
  { z: "1.25", x: "0.5+0.3*sin(on*1.7)+0.15*sin(on*0.61)", y: "0.5+0.3*sin(on*1.3+1)" }, // a shaking hand
  { z: `1.5-0.45*on/${FRAMES}`, x: "0.3", y: "0.6" }, // a zoom out
  { z: "1.2", x: `1-on/${FRAMES}`, y: `on/${FRAMES}` }, // a pan down to the left
  { z: `1.1+0.1*sin(on/9)`, x: "0.5+0.2*sin(on*0.9)", y: `0.2+0.5*on/${FRAMES}` }, // a tilt by hand
];

const [pictures, out, films = "6"] = process.argv.slice(2);
if (!pictures || !out) {
  console.error("expected: node scripts/film-samples.mjs PICTURES OUT [FILMS]");
  process.exit(2);
}
const names = readdirSync(pictures)
  .filter((name) => /\.(jpe?g|png)$/i.test(name))
  .sort();
const wanted = SHOTS * Number(films);
if (!(names.length >= wanted)) {
  console.error(`${pictures}: expected at least ${wanted} pictures (nine for each film), got ${names.length}`);
  process.exit(2);
}
mkdirSync(out, { recursive: true });
for (let film = 0; film < Number(films); film += 1) {
  const shots = names.slice(film * SHOTS, (film + 1) * SHOTS);
  const chains = shots.map((_, at) => {
    const { z, x, y } = MOVES[(film + at) % MOVES.length];
    const window = `x='clip(${x},0,1)*(iw-iw/zoom)':y='clip(${y},0,1)*(ih-ih/zoom)'`;
    const cut = "scale=1440:810:force_original_aspect_ratio=increase,crop=1440:810";
    return `[${at}:v]${cut},zoompan=z='${z}':${window}:d=${FRAMES}:s=480x270:fps=${FPS},setsar=1[s${at}]`;
  });
  const joined = `${shots.map((_, at) => `[s${at}]`).join("")}concat=n=${SHOTS},format=yuv420p[v]`;
  execFileSync("ffmpeg", [
    ...["-hide_banner", "-loglevel", "error", "-nostdin", "-y"],
    ...shots.flatMap((name) => ["-i", join(pictures, name)]),
    ...["-filter_complex", [...chains, joined].join(";"), "-map", "[v]"],
    ...["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", join(out, `film-${film + 1}.mp4`)],
  ]);
  console.log(join(out, `film-${film + 1}.mp4`));
}
