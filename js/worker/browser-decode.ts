// Formats that the engine can't decode and the browser perhaps can: its pixels go to the engine in strips of rows, so
// that no second copy of the whole picture exists.
import type { BrowserPicture } from "../../dist/bindings/hashgate.js";
import type { UncheckedReason } from "../types/types.js";

/** Rows of a strip: whole blocks of chroma, and about a megabyte of a wide picture. */
const STRIP = 64;

class Failed extends Error {
  readonly reason: UncheckedReason;
  constructor(reason: UncheckedReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** Lets the browser decode a picture. What it can't do becomes the picture's failure. */
export async function decodeInBrowser(bytes: Uint8Array, picture: BrowserPicture): Promise<void> {
  const type = `image/${picture.format}`;
  try {
    if (!(await byImageDecoder(bytes, type, picture))) await byBitmap(bytes, type, picture);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    picture.fail(error.reason, error.message);
  }
}

/** All frames, and their pixels as they are: no canvas has a part in it. False where that isn't to be had. */
async function byImageDecoder(bytes: Uint8Array, type: string, picture: BrowserPicture): Promise<boolean> {
  if (typeof ImageDecoder === "undefined" || !(await ImageDecoder.isTypeSupported(type))) return false;
  let decoder: ImageDecoder | undefined;
  try {
    const data = bytes as Uint8Array<ArrayBuffer>;
    decoder = new ImageDecoder({ data, type, colorSpaceConversion: "none" });
    // All of its frames, if it is animated: what a viewer shows.
    await Promise.all([decoder.completed, decoder.tracks.ready]);
    const count = decoder.tracks.selectedTrack?.frameCount ?? 1;
    let frame = await frameOf(decoder, 0);
    try {
      const { width, height } = sizeOf(frame);
      const strip = new Uint8Array(4 * width * Math.min(STRIP, height));
      for (const index of picture.begin(width, height, count)) {
        if (index > 0) {
          frame.close();
          frame = await frameOf(decoder, index);
        }
        if (sizeOf(frame).width !== width || sizeOf(frame).height !== height) {
          throw new Failed("unreadable", `frame ${index} is of another size than the first`);
        }
        if (!(await copyRows(frame, strip, picture))) return false;
        picture.endFrame(index);
      }
    } finally {
      frame.close();
    }
    return true;
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed("unreadable", `the browser can't decode the ${type} picture: ${describe(error)}`);
  } finally {
    decoder?.close();
  }
}

async function frameOf(decoder: ImageDecoder, frameIndex: number): Promise<VideoFrame> {
  const { image } = await decoder.decode({ frameIndex, completeFramesOnly: true });
  return image;
}

function sizeOf(frame: VideoFrame): { width: number; height: number } {
  return { width: frame.visibleRect?.width ?? 0, height: frame.visibleRect?.height ?? 0 };
}

/** False if the browser can't convert the frame to RGBA. */
async function copyRows(frame: VideoFrame, strip: Uint8Array, picture: BrowserPicture): Promise<boolean> {
  const { width, height } = sizeOf(frame);
  const { x = 0, y: top = 0 } = frame.visibleRect ?? {};
  for (let y = 0; y < height; y += STRIP) {
    const rows = strip.subarray(0, 4 * width * Math.min(STRIP, height - y));
    const rect = { x, y: top + y, width, height: Math.min(STRIP, height - y) };
    try {
      await frame.copyTo(rows as Uint8Array<ArrayBuffer>, { rect, format: "RGBA" });
    } catch (error) {
      if (y === 0 && error instanceof DOMException && error.name === "NotSupportedError") return false;
      throw error;
    }
    if (await multiplies()) unmultiply(rows);
    picture.rows(rows);
  }
  return true;
}

let multiplied: Promise<boolean> | undefined;

/** A pixel of red, half transparent, as a PNG. */
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP4z8DQAAAEgQGA8wvcoAAAAABJRU5ErkJggg==";

/** Whether the browser's frames have colours multiplied by alpha, as Firefox's have. */
function multiplies(): Promise<boolean> {
  multiplied ??= (async () => {
    const data = Uint8Array.from(atob(PIXEL), (character) => character.charCodeAt(0));
    const decoder = new ImageDecoder({ data, type: "image/png", colorSpaceConversion: "none" });
    const frame = await frameOf(decoder, 0);
    const pixel = new Uint8Array(4);
    await frame.copyTo(pixel, { format: "RGBA" });
    frame.close();
    decoder.close();
    return (pixel[0] ?? 0) < 200;
  })();
  return multiplied;
}

/** Divides colours by alpha again. Those of pixels that can't be seen are lost. */
function unmultiply(rgba: Uint8Array): void {
  for (let at = 3; at < rgba.length; at += 4) {
    const alpha = rgba[at] ?? 255;
    if (alpha === 255 || alpha === 0) continue;
    for (let place = at - 3; place < at; place += 1) {
      rgba[place] = Math.min(255, Math.round(((rgba[place] ?? 0) * 255) / alpha));
    }
  }
}

/**
 * Through a canvas, which some browsers answer with noise, and which keeps colours multiplied by alpha: those of pixels that
 * can't be seen are lost.
 */
async function byBitmap(bytes: Uint8Array, type: string, picture: BrowserPicture): Promise<void> {
  if (typeof createImageBitmap === "undefined" || typeof OffscreenCanvas === "undefined") {
    throw new Failed("unsupported-picture", `nothing here decodes ${type}`);
  }
  if (isAnimated(bytes)) {
    throw new Failed("unsupported-picture", `of an animated ${type} picture, the browser gives the first frame alone`);
  }
  let bitmap: ImageBitmap;
  try {
    const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type });
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch (error) {
    // It doesn't say whether the format or the file is to blame.
    throw new Failed("unsupported-picture", `the browser doesn't decode the ${type} picture: ${describe(error)}`);
  }
  try {
    if (!(await readsBackWhatWasDrawn())) {
      throw new Failed(
        "canvas-noise",
        "the browser answers canvas read-back with noise, so its pixels can't be hashed",
      );
    }
    const { width, height } = bitmap;
    if (picture.begin(width, height, 1).length === 0) return;
    const context = contextOf(width, Math.min(STRIP, height));
    for (let y = 0; y < height; y += STRIP) {
      const rows = Math.min(STRIP, height - y);
      context.clearRect(0, 0, width, STRIP);
      context.drawImage(bitmap, 0, -y);
      picture.rows(context.getImageData(0, 0, width, rows).data as unknown as Uint8Array);
    }
    picture.endFrame(0);
  } finally {
    bitmap.close();
  }
}

function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Failed("unsupported-picture", "the browser has no canvas in workers");
  return context;
}

/** Whether an ISO base media file has a brand of image sequences (ISO/IEC 23008-12, B.3; AV1 Image File Format, 6.3). */
function isAnimated(bytes: Uint8Array): boolean {
  const [, , high = 0, low = 0] = bytes;
  const brands = String.fromCharCode(...bytes.subarray(4, Math.min(high * 256 + low, 512)));
  return /^ftyp.*(avis|msf1|hevc|hevx)/s.test(brands);
}

let honest: Promise<boolean> | undefined;

/** Draws a known picture, reads it back, and compares. Once: a browser that adds noise adds it always. */
function readsBackWhatWasDrawn(): Promise<boolean> {
  honest ??= (async () => {
    const side = 64;
    const drawn = new ImageData(side, side);
    let state = 1;
    for (let at = 0; at < drawn.data.length; at += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      drawn.data[at] = at % 4 === 3 ? 255 : state >>> 24;
    }
    const bitmap = await createImageBitmap(drawn, { colorSpaceConversion: "none" });
    const context = contextOf(side, side);
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const read = context.getImageData(0, 0, side, side).data;
    return read.every((value, at) => value === drawn.data[at]);
  })();
  return honest;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
