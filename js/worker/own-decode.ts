// Decodes a picture without the browser: by a decoder that is a wasm of its own, or with pixels from the host.
import type { BrowserPicture } from "../../dist/bindings/hashgate.js";
import * as heic from "../../dist/bindings/heic.js";
import * as jxl from "../../dist/bindings/jxl.js";
import { describe } from "../errors.js";
import type { UncheckedReason } from "../generated/core.js";
import type { HostPicture, OwnFormat } from "../protocol.js";

/** Why a picture could not be decoded. */
export interface DecodeFailure {
  reason: UncheckedReason;
  detail: string;
}

/** Rows of a strip. */
const STRIP = 64;

const BINDINGS = { heic, jxl };
/** What the formats are called in messages. */
const NAMES = { heic: "HEIC", jxl: "JPEG XL" };

/** The decoder of one format. Every file gets an instance of its own, so a trap costs that file and nothing else. */
export class OwnDecoder {
  readonly #format: OwnFormat;

  /** @throws what the platform throws if the module can't be instantiated. */
  constructor(format: OwnFormat, module: WebAssembly.Module) {
    this.#format = format;
    BINDINGS[format].initSync({ module });
  }

  /** Decodes a file into `picture`. Returns why that failed, if it did. */
  decode(file: Uint8Array, picture: BrowserPicture): DecodeFailure | undefined {
    const { decode, __wbg_reset_state } = BINDINGS[this.#format];
    let pixel = 1;
    // An error of the engine is thrown through the decoder. It must not count as an error of the decoder.
    let engineFailure: { error: unknown } | undefined;
    const inEngine = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        engineFailure = { error };
        throw error;
      }
    };
    try {
      const failure = decode(
        file,
        picture.limits(),
        (width, height, channels, profile, hasSequence) =>
          inEngine(() => {
            pixel = channels;
            return picture.beginBy(this.#format, width, height, profile, hasSequence);
          }),
        (rows) => inEngine(() => picture.samples(pixel, rows)),
      );
      if (failure === undefined) {
        picture.endFrame(0);
        return undefined;
      }
      const [reason] = failure.split(": ", 1) as [UncheckedReason];
      return { reason, detail: failure.slice(reason.length + 2) };
    } catch (error) {
      if (engineFailure) throw engineFailure.error;
      const detail = `the decoder of ${NAMES[this.#format]} failed at this file: ${describe(error)}`;
      return { reason: "engine-failed", detail };
    } finally {
      // Drops the instance with its linear memory, which may have grown, and which nothing may use after a trap.
      __wbg_reset_state();
    }
  }
}

/** Hands the pixels that the host decoded to the engine. */
export function takeHostPicture({ width, height, data }: HostPicture, picture: BrowserPicture): void {
  if (!picture.beginBy("host", width, height, undefined, false)) return;
  for (let y = 0; y < height; y += STRIP) picture.samples(4, data.subarray(4 * width * y, 4 * width * (y + STRIP)));
  picture.endFrame(0);
}
