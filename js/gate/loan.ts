// Lends a file to a worker that can't receive Blobs: the worker requests the bytes piece by piece, so that neither side
// holds the whole file.
import { describe } from "../errors.js";
import type { LentFile } from "../protocol.js";

/** Bytes. Smaller files are sent to the worker as a whole, which is faster; larger ones are lent. */
export const LEND_FROM = 8 << 20;
/** Bytes per piece. */
const PIECE = 1 << 18;

/** A file that was lent to a worker. */
export interface Loan {
  file: LentFile;
  /** Ends the loan. A worker that still reads the file gets no answer any more. */
  end(): void;
}

export function lend(blob: Blob): Loan {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = async ({ data: at }: MessageEvent<number>) => {
    try {
      const bytes = await blob.slice(at, at + PIECE).arrayBuffer();
      port1.postMessage({ at, bytes }, [bytes]);
    } catch (error) {
      port1.postMessage({ at, error: describe(error) });
    }
  };
  return { file: { size: blob.size, port: port2 }, end: () => port1.close() };
}
