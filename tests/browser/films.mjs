// Makes films in a page: draws frames on a canvas, encodes them with WebCodecs, and writes a file with mediabunny.
// `FILMS` is the source text of a module. Pages load it, and mediabunny, from the paths in `SERVED`.
import { readFileSync } from "node:fs";

export const FILMS = `
import * as bunny from "/mediabunny.mjs";
const picture = async (name) => createImageBitmap(await (await fetch("/samples/" + name + ".jpg")).blob());
export const load = async () => Object.fromEntries(await Promise.all(
  ["listed/listed-0", "listed/listed-3", "listed/listed-4", "clean/clean-2", "clean/clean-3", "clean/clean-4", "clean/clean-5"]
    .map(async (name) => [name.split("/")[1], await picture(name)])));
/** Draws one picture, slowly zoomed, so that it moves. */
export const scene = (context, image, share) => {
  const { width, height } = context.canvas;
  const edge = 0.012 * share;
  context.drawImage(image, image.width * edge, image.height * edge, image.width * (1 - 2 * edge),
    image.height * (1 - 2 * edge), 0, 0, width, height);
};
/**
 * Returns a film. \`scenes\` are [picture's name, seconds]; each begins at a keyframe only if it falls on \`keyEveryS\`.
 */
export async function film(pictures, { container = "mp4", codec = "avc", scenes, fps = 25, keyEveryS = 2, width = 640,
  height = 480, fastStart = false, draw, type }) {
  const formats = { mp4: () => new bunny.Mp4OutputFormat({ fastStart }), mov: () => new bunny.MovOutputFormat({ fastStart }),
    webm: () => new bunny.WebMOutputFormat(), mkv: () => new bunny.MkvOutputFormat() };
  const target = new bunny.BufferTarget();
  const output = new bunny.Output({ format: formats[container](), target });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const source = new bunny.CanvasSource(canvas, { codec, bitrate: 2_000_000, keyFrameInterval: keyEveryS, latencyMode: "quality" });
  output.addVideoTrack(source, { frameRate: fps });
  await output.start();
  let at = 0;
  for (const [name, seconds] of scenes) {
    for (let step = 0; step < seconds * fps; step += 1, at += 1) {
      if (draw) draw(context, name, step / (seconds * fps), pictures);
      else if (name === "black") context.clearRect(0, 0, width, height);
      else scene(context, pictures[name], step / (seconds * fps));
      await source.add(at / fps, 1 / fps);
    }
  }
  await output.finalize();
  return new File([target.buffer], "film." + container, { type: type ?? "video/" + container });
}
`;

export const SERVED = {
  "/films.js": { body: FILMS, type: "text/javascript" },
  "/mediabunny.mjs": {
    body: readFileSync("node_modules/mediabunny/dist/bundles/mediabunny.min.mjs"),
    type: "text/javascript",
  },
};
