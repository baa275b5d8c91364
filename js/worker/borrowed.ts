// Reads a file that the gate lends to this worker.
import type { LentFile } from "../protocol.js";

/** Returns a file with the methods of a Blob that `readFile` needs. */
export function borrowed<T extends object>(file: T | LentFile): T | Blob {
  return "port" in file ? (new BorrowedFile(file) as unknown as Blob) : file;
}

class BorrowedFile {
  readonly #port: MessagePort;
  readonly size: number;

  constructor({ size, port }: LentFile) {
    this.#port = port;
    this.size = size;
  }

  stream(): ReadableStream<Uint8Array> {
    let at = 0;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const bytes = await this.#piece(at);
      at += bytes.byteLength;
      // An empty answer means that the file has become shorter. Ends the stream; `readFile` notices the missing bytes.
      if (bytes.byteLength === 0) controller.close();
      else controller.enqueue(bytes);
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  #piece(at: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#port.onmessage = ({ data }) => {
        // Ignores answers to an earlier stream that was given up.
        if (data.at !== at) return;
        if ("bytes" in data) resolve(new Uint8Array(data.bytes));
        else reject(new Error(data.error));
      };
      this.#port.postMessage(at);
    });
  }
}
