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

/** Thumbnails at most, and their width in pixels. */
const [MOST_THUMBNAILS, THUMBNAIL] = [8, 112];

/**
 * Returns small pictures of where a film matched, each with its time. Without a match they are of the whole film. They
 * appear as they are decoded, by the muxer's own reader; a film that it can't decode has none.
 */
export function thumbnails(film, verdict) {
  const list = document.createElement("ol");
  list.className = "thumbnails";
  const hits = (verdict.matches ?? []).flatMap(({ frames = [] }) => frames.map(({ atS }) => atS));
  const { durationS } = verdict.video;
  const times = hits.length > 0 ? hits : [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => share * durationS);
  drawThumbnails(list, film, times.toSorted((a, b) => a - b).slice(0, MOST_THUMBNAILS), hits.length > 0).catch(
    () => {},
  );
  return list;
}

async function drawThumbnails(list, film, times, isHit) {
  const bunny = await muxer;
  const input = new bunny.Input({ formats: bunny.ALL_FORMATS, source: new bunny.BlobSource(film) });
  const track = await input.getPrimaryVideoTrack();
  if (!track || !(await track.canDecode())) return;
  const sink = new bunny.CanvasSink(track, { width: THUMBNAIL });
  for (const time of times) {
    const shown = await sink.getCanvas(time);
    if (!shown) continue;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [shown.canvas.width, shown.canvas.height];
    canvas.getContext("2d").drawImage(shown.canvas, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${isHit ? "Match" : "Frame"} at ${clock(time)}`);
    const item = document.createElement("li");
    item.append(canvas, clock(time));
    if (isHit) item.className = "hit";
    list.append(item);
  }
}
