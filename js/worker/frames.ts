// Hashes the frames of films and live streams. Takes a frame's luma plane if the decoder gives one, else its RGB
// pixels.
import { type FrameLayout, HashedFrame } from "../../dist/bindings/hashgate.js";
import type { ViewSet } from "../generated/core.js";
import type { FrameSignals } from "../protocol.js";
import { contextOf, readsBackWhatWasDrawn } from "./browser-decode.js";

/** The browser answers canvas read-back with noise, so the frame's pixels can't be read. */
export class CanvasNoise extends Error {}

/** The pixel formats whose first plane is luma. The values say how the samples of that plane are stored. */
const LUMA: Record<string, FrameLayout["samples"]> = {
  I420: "luma",
  I420A: "luma",
  I422: "luma",
  I422A: "luma",
  I444: "luma",
  I444A: "luma",
  NV12: "luma",
  I420P10: "luma10",
  I420AP10: "luma10",
  I422P10: "luma10",
  I422AP10: "luma10",
  I444P10: "luma10",
  I444AP10: "luma10",
  I420P12: "luma12",
  I420AP12: "luma12",
  I422P12: "luma12",
  I422AP12: "luma12",
  I444P12: "luma12",
  I444AP12: "luma12",
};
const RGB: Record<string, FrameLayout["samples"]> = { RGBA: "rgbx", RGBX: "rgbx", BGRA: "bgrx", BGRX: "bgrx" };

/** A part of a frame in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A frame and the reduced picture that it was hashed from. */
export interface Hashed extends FrameSignals {
  /** 64 rows of 64 grey levels. */
  small: Uint8Array;
}

interface Pixels extends Omit<FrameLayout, "limited"> {
  bytes: Uint8Array;
  limited: boolean;
}

/** Reads frames. Uses one buffer for all of them, which grows to the size of the largest frame. */
export class FrameHasher {
  #buffer = new Uint8Array();

  /**
   * Hashes a frame, or the part of it in `box`. The caller closes the frame.
   *
   * @throws CanvasNoise if the pixels can only be read through a canvas, and the browser answers canvas read-back with
   * noise.
   */
  async hash(frame: VideoFrame | ImageBitmap, views: ViewSet, box?: Box): Promise<Hashed> {
    const { bytes, ...layout } = await this.#pixels(frame);
    if (box) {
      const size = { rgbx: 4, bgrx: 4, luma: 1, luma10: 2, luma12: 2 }[layout.samples];
      layout.offset += box.y * layout.stride + box.x * size;
      layout.width = Math.min(box.width, layout.width - box.x);
      layout.height = Math.min(box.height, layout.height - box.y);
    }
    const hashed = HashedFrame.of(bytes, layout, views);
    const { quality, isComparable: comparable, pdq, small } = hashed;
    const fingerprint = hashed.toBytes();
    hashed.free();
    return { fingerprint, pdq, quality, comparable, small };
  }

  async #pixels(frame: VideoFrame | ImageBitmap): Promise<Pixels> {
    if (!("copyTo" in frame)) return drawn(frame, frame.width, frame.height);
    const { width = 0, height = 0 } = frame.visibleRect ?? {};
    const format = String(frame.format);
    const samples = LUMA[format] ?? RGB[format];
    try {
      const options: VideoFrameCopyToOptions = samples ? {} : { format: "RGBA" };
      const bytes = this.#room(frame.allocationSize(options));
      const [plane] = await frame.copyTo(bytes as Uint8Array<ArrayBuffer>, options);
      const { offset = 0, stride = 4 * width } = plane ?? {};
      const isLuma = LUMA[format] !== undefined;
      // If a frame doesn't say which range of values its luma has, the range is limited (16 to 235), as it is for most
      // films.
      const limited = isLuma && frame.colorSpace.fullRange !== true;
      const end = isLuma ? offset + stride * height : bytes.length;
      return { bytes: bytes.subarray(0, end), width, height, offset, stride, samples: samples ?? "rgbx", limited };
    } catch (error) {
      // Frames of a hardware decoder may have no format, and may not be converted.
      if (samples || !(error instanceof DOMException)) throw error;
      return drawn(frame, width, height);
    }
  }

  #room(size: number): Uint8Array {
    if (this.#buffer.length < size) this.#buffer = new Uint8Array(size);
    return this.#buffer.subarray(0, size);
  }
}

/** Reads a frame through a canvas. */
async function drawn(frame: CanvasImageSource, width: number, height: number): Promise<Pixels> {
  if (typeof OffscreenCanvas === "undefined" || !(await readsBackWhatWasDrawn())) {
    throw new CanvasNoise("the browser answers canvas read-back with noise, so frames can't be hashed");
  }
  const context = contextOf(width, height);
  context.drawImage(frame, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const bytes = new Uint8Array(data.buffer);
  return { bytes, width, height, offset: 0, stride: 4 * width, samples: "rgbx", limited: false };
}
