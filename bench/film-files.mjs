// Makes the films of the benchmarks by ffmpeg: slow pans over the drawn pictures, with grain, so that they cost a decoder
// as much as a camera's film does.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { FOLDER } from "./million.mjs";

const PICTURES = ["clean-1", "clean-2", "clean-3", "clean-4", "clean-5", "clean-6", "clean-7"];
/** Seconds of each scene. An encoder begins a scene with a keyframe. */
const SCENES = [3, 7, 4, 12, 5, 9, 2, 8, 10];

/** Runs ffmpeg. Its errors show. */
function ffmpeg(...given) {
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...given], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/**
 * Returns the path of an MP4 of 1080p30 H.264 by x264's default settings, made once. `keyEveryS` undefined leaves the
 * encoder its default: 250 frames, and a keyframe at each cut.
 */
export function film({ seconds, keyEveryS, width = 1920, height = 1080 }) {
  mkdirSync(FOLDER, { recursive: true });
  const path = `${FOLDER}/film-${width}-${seconds}-${keyEveryS ?? "default"}.mp4`;
  if (existsSync(path)) return path;
  const scenes = [];
  for (let left = seconds; left > 0; left -= SCENES[(scenes.length - 1) % SCENES.length]) {
    scenes.push(Math.min(left, SCENES[scenes.length % SCENES.length]));
  }
  const [wide, high] = [1.1 * width, 1.1 * height].map((side) => 2 * Math.round(side / 2));
  const inputs = scenes.flatMap((length, at) => {
    const picture = `target/samples/clean/${PICTURES[at % PICTURES.length]}.jpg`;
    return ["-loop", "1", "-framerate", "30", "-t", String(length), "-i", picture];
  });
  const pans = scenes.map((length, at) => {
    const [x, y] = [`(iw-ow)*t/${length}`, `(ih-oh)*(0.5+0.5*sin(t))`];
    return `[${at}]scale=${wide}:${high},setsar=1,crop=${width}:${height}:'${x}':'${y}',noise=alls=5:allf=t[s${at}]`;
  });
  const joined = `${scenes.map((_, at) => `[s${at}]`).join("")}concat=n=${scenes.length},format=yuv420p`;
  const keys = keyEveryS === undefined ? [] : ["-g", String(30 * keyEveryS), "-keyint_min", String(30 * keyEveryS)];
  const cuts = keyEveryS === undefined ? [] : ["-sc_threshold", "0"];
  const made = `${path}.part.mp4`;
  ffmpeg(...inputs, "-filter_complex", `${pans.join(";")};${joined}`, "-c:v", "libx264", ...keys, ...cuts, made);
  execFileSync("mv", [made, path]);
  return path;
}

/**
 * Makes a film of at least so many bytes: a short one repeated without decoding it, its index at the end. The caller
 * removes it.
 */
export function longFilm(bytes) {
  const part = `${FOLDER}/part.mp4`;
  const [list, path] = [`${FOLDER}/parts.txt`, `${FOLDER}/long.mp4`];
  // At the rate of a good camera.
  const source = "testsrc2=size=1920x1080:rate=30:duration=6";
  const rate = ["-preset", "ultrafast", "-b:v", "60M", "-minrate", "60M", "-maxrate", "60M", "-bufsize", "60M"];
  const grain = ["-vf", "noise=alls=40:allf=t,format=yuv420p"];
  ffmpeg("-f", "lavfi", "-i", source, ...grain, "-c:v", "libx264", ...rate, "-g", "60", part);
  const size = Number(execFileSync("stat", ["-c", "%s", part]));
  const names = Array.from({ length: Math.ceil(bytes / size) }, () => "file 'part.mp4'\n");
  writeFileSync(list, names.join(""));
  ffmpeg("-f", "concat", "-i", list, "-c", "copy", path);
  for (const name of [part, list]) rmSync(name);
  return path;
}
