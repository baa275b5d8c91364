// Films on the demo page: draws sample films in the browser, and shows where in a film the check found something.

/** Loads the muxer. It is a tool of this page, not a part of hashgate. */
const muxer = import("/mediabunny/mediabunny.min.mjs");
muxer.catch(() => {});

const [WIDTH, HEIGHT, FPS, SCENE_S] = [640, 480, 25, 3];

/** Draws a picture, slowly zoomed. */
function scene(context, picture, share) {
  const edge = 0.012 * share;
  const [width, height] = [picture.width * (1 - 2 * edge), picture.height * (1 - 2 * edge)];
  context.drawImage(picture, picture.width * edge, picture.height * edge, width, height, 0, 0, WIDTH, HEIGHT);
}

/**
 * Makes a film of pictures, a scene of 3 s of each, by the browser's encoder.
 *
 * @param {Blob[]} pictures
 */
export async function makeFilm(pictures, name) {
  const bunny = await muxer;
  const codec = (await bunny.canEncodeVideo("avc")) ? "avc" : "vp9";
  const format = codec === "avc" ? new bunny.Mp4OutputFormat({ fastStart: "in-memory" }) : new bunny.WebMOutputFormat();
  const target = new bunny.BufferTarget();
  const output = new bunny.Output({ format, target });
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d");
  const source = new bunny.CanvasSource(canvas, { codec, bitrate: 2_000_000, keyFrameInterval: 2 });
  output.addVideoTrack(source, { frameRate: FPS });
  await output.start();
  let at = 0;
  for (const picture of pictures) {
    const bitmap = await createImageBitmap(picture);
    for (let step = 0; step < SCENE_S * FPS; step += 1, at += 1) {
      scene(context, bitmap, step / (SCENE_S * FPS));
      await source.add(at / FPS, 1 / FPS);
    }
    bitmap.close();
  }
  await output.finalize();
  return new File([target.buffer], `${name}${codec === "avc" ? ".mp4" : ".webm"}`);
}

/** Returns seconds as people write them. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Returns a timeline of a film: the stretches that matched, and those that could not be looked at. */
export function timeline(verdict) {
  const { durationS, gaps } = verdict.video;
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "timeline");
  svg.setAttribute("viewBox", "0 0 1000 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  const hits = (verdict.matches ?? []).flatMap(({ ranges = [] }) => ranges);
  const stretch = (kind, [from, to]) => {
    const rect = document.createElementNS(namespace, "rect");
    const x = (1000 * Math.max(0, from)) / Math.max(durationS, 0.1);
    rect.setAttribute("class", kind);
    rect.setAttribute("x", String(x));
    rect.setAttribute("width", String(Math.max(6, (1000 * to) / Math.max(durationS, 0.1) - x)));
    rect.setAttribute("height", "24");
    svg.append(rect);
  };
  stretch("film", [0, durationS]);
  for (const gap of gaps) stretch("gap", gap);
  for (const hit of hits) stretch("hit", hit);
  const words = hits.map(([from, to]) => `${clock(from)} to ${clock(to)}`).join(", ");
  svg.setAttribute(
    "aria-label",
    words ? `Matches at ${words} of ${clock(durationS)}` : `No match in ${clock(durationS)}`,
  );
  return svg;
}
