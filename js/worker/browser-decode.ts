// Decodes a picture with the browser's decoder: a picture in a format that the engine doesn't read, or a picture that
// decoders may read differently. Passes the pixels to the engine in strips of rows, so that no second copy of the whole
// picture exists.
import type { BrowserPicture } from "../../dist/bindings/hashgate.js";
import { describe } from "../errors.js";
import type { UncheckedReason } from "../generated/core.js";
import { wholeOf } from "./read-file.js";

/** Rows of a strip. A multiple of the height of chroma blocks; in a wide picture, a strip has about a megabyte. */
const STRIP = 64;
/** Milliseconds after which to give up a decoder that finds no picture in the first bytes of a file. */
const WAIT_MS = 2000;

class Failed extends Error {
  readonly reason: UncheckedReason;
  constructor(reason: UncheckedReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** Decodes a file into `picture`. If the browser can't decode it, calls `picture.fail` with the reason. */
export async function decodeInBrowser(file: Blob | Uint8Array, picture: BrowserPicture): Promise<void> {
  const bytes = (await wholeOf(file)) as Uint8Array<ArrayBuffer>;
  try {
    if (picture.isSecondReading) await asPainted(bytes, picture);
    else if (!(await byImageDecoder(bytes, picture))) await byBitmap(bytes, picture);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    picture.fail(error.reason, error.message);
  }
}

/** Does a second reading: with the colours that the browser paints, and as much of a damaged file as it paints. */
async function asPainted(bytes: Uint8Array<ArrayBuffer>, picture: BrowserPicture): Promise<void> {
  let decoded = false;
  try {
    decoded = await byImageDecoder(bytes, picture);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    if (await inPart(bytes, picture)) return;
  }
  if (!decoded) await byBitmap(bytes, picture);
  // A browser that shows damaged files doesn't say whether pixels are missing, and the first reading failed. So assumes
  // that pixels are missing.
  if (picture.isUnsure && !(await isStrict())) picture.markDamaged();
}

function decoderOf(data: ImageBufferSource, picture: BrowserPicture): ImageDecoder {
  return new ImageDecoder({ data, type: picture.mediaType, colorSpaceConversion: conversion(picture) });
}

/** Returns whether to convert colours: a first reading takes the stored colours, a second reading the painted ones. */
function conversion(picture: BrowserPicture): "default" | "none" {
  return picture.isSecondReading ? "default" : "none";
}

async function isSupported(picture: BrowserPicture): Promise<boolean> {
  return typeof ImageDecoder !== "undefined" && (await ImageDecoder.isTypeSupported(picture.mediaType));
}

/** Decodes all wanted frames by `ImageDecoder`, without a canvas. Returns false if the browser lacks it. */
async function byImageDecoder(data: Uint8Array<ArrayBuffer>, picture: BrowserPicture): Promise<boolean> {
  if (!(await isSupported(picture))) return false;
  let decoder: ImageDecoder | undefined;
  try {
    decoder = decoderOf(data, picture);
    // Waits for the whole file, because only then are all frames of an animation known.
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
    throw new Failed("unreadable", `the browser can't decode the ${picture.mediaType} picture: ${describe(error)}`);
  } finally {
    decoder?.close();
  }
}

/**
 * Decodes the first frame of a damaged file, as far as the browser paints it. A decoder refuses a file that it knows
 * to end too early, but shows a part of the file while it expects more bytes. So this function asks for the frame
 * first, and tells the decoder only then that the file has ended. Returns false if there is nothing to show.
 */
async function inPart(bytes: Uint8Array, picture: BrowserPicture): Promise<boolean> {
  if (!(await isStrict())) return false;
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  const data = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
      controller.enqueue(bytes);
    },
  });
  const decoder = decoderOf(data, picture);
  let frame: VideoFrame | undefined;
  try {
    // The bytes are one chunk, so the decoder has all of them once it knows the tracks.
    await soon(decoder.tracks.ready);
    const decoding = decoder.decode({ frameIndex: 0, completeFramesOnly: false });
    // The decoder first shows the bytes that it has, and then learns that no bytes follow. If it can show nothing (a
    // progressive JPEG that is cut off within a scan), it would wait for more bytes. The end of the stream makes it
    // refuse at once.
    source?.close();
    const { image, complete } = await decoding;
    frame = image;
    const { width, height } = sizeOf(image);
    if (picture.begin(width, height, 1).length === 0) return true;
    if (!(await copyRows(image, new Uint8Array(4 * width * Math.min(STRIP, height)), picture))) return false;
    picture.endFrame(0);
    if (!complete) picture.markDamaged();
    return true;
  } catch {
    // The caller reports the error for the whole file, which is more helpful than this error.
    return false;
  } finally {
    frame?.close();
    decoder.close();
  }
}

function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the decoder waits for more than ${WAIT_MS} ms`)), WAIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function frameOf(decoder: ImageDecoder, frameIndex: number): Promise<VideoFrame> {
  const { image } = await decoder.decode({ frameIndex, completeFramesOnly: true });
  return image;
}

function sizeOf(frame: VideoFrame): { width: number; height: number } {
  return { width: frame.visibleRect?.width ?? 0, height: frame.visibleRect?.height ?? 0 };
}

/** Passes the rows of a frame to the engine. Returns false if the browser can't convert the frame to RGBA. */
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
    picture.rows(rows, await multiplies());
  }
  return true;
}

/** Returns a function that calls `work` once and then always returns the same promise. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

/** A PNG of one half-transparent red pixel. */
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP4z8DQAAAEgQGA8wvcoAAAAABJRU5ErkJggg==";

/** Whether the browser's frames have colours premultiplied by alpha, as in Firefox. */
const multiplies = once(async () => {
  const data = Uint8Array.from(atob(PIXEL), (character) => character.charCodeAt(0));
  const decoder = new ImageDecoder({ data, type: "image/png", colorSpaceConversion: "none" });
  const frame = await frameOf(decoder, 0);
  const pixel = new Uint8Array(4);
  await frame.copyTo(pixel, { format: "RGBA" });
  frame.close();
  decoder.close();
  return (pixel[0] ?? 0) < 200;
});

/** Whether the browser's decoder refuses pictures with missing pixels. Tries a bitmap without its last row. */
const isStrict = once(async () => {
  if (typeof ImageDecoder === "undefined") return false;
  const [side, offset] = [8, 54];
  const bitmap = new DataView(new ArrayBuffer(offset + (side - 1) * side * 4));
  bitmap.setUint16(0, 0x424d);
  for (const [at, value] of [
    [2, offset + side * side * 4],
    [10, offset],
    [14, 40],
    [18, side],
    [22, side],
  ] as const)
    bitmap.setUint32(at, value, true);
  bitmap.setUint16(26, 1, true);
  bitmap.setUint16(28, 32, true);
  const decoder = new ImageDecoder({ data: bitmap, type: "image/bmp" });
  try {
    (await frameOf(decoder, 0)).close();
    return false;
  } catch {
    return true;
  } finally {
    decoder.close();
  }
});

/**
 * Decodes the picture through a canvas. Some browsers add noise when a canvas is read. A canvas stores colours
 * premultiplied by alpha, so the colours of invisible pixels are lost.
 */
async function byBitmap(bytes: Uint8Array<ArrayBuffer>, picture: BrowserPicture): Promise<void> {
  const type = picture.mediaType;
  if (typeof createImageBitmap === "undefined" || typeof OffscreenCanvas === "undefined") {
    throw new Failed("unsupported-picture", `nothing here decodes ${type}`);
  }
  if (picture.frames > 1 || isAnimated(bytes)) {
    throw new Failed("unsupported-picture", `of an animated ${type} picture, the browser gives the first frame alone`);
  }
  let bitmap: ImageBitmap;
  try {
    const colorSpaceConversion = conversion(picture);
    const premultiplyAlpha = "none";
    bitmap = await createImageBitmap(new Blob([bytes], { type }), { colorSpaceConversion, premultiplyAlpha });
  } catch (error) {
    // The browser's error doesn't say whether the format or the file is the reason.
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
      context.clearRect(0, 0, width, STRIP);
      context.drawImage(bitmap, 0, -y);
      picture.canvasRows(context.getImageData(0, 0, width, Math.min(STRIP, height - y)));
    }
    picture.endFrame(0);
  } finally {
    bitmap.close();
  }
}

export function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Failed("unsupported-picture", "the browser has no canvas in workers");
  return context;
}

/**
 * Returns whether an ISO base media file has a brand of image sequences (ISO/IEC 23008-12, B.3; AV1 Image File Format,
 * 6.3).
 */
function isAnimated(bytes: Uint8Array): boolean {
  const [, , high = 0, low = 0] = bytes;
  const brands = String.fromCharCode(...bytes.subarray(4, Math.min(high * 256 + low, 512)));
  return /^ftyp.*(avis|msf1|hevc|hevx)/s.test(brands);
}

/**
 * Whether a canvas returns the pixels that were drawn. Draws a known picture once, because a browser that adds noise
 * always does.
 */
export const readsBackWhatWasDrawn = once(async () => {
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
});
