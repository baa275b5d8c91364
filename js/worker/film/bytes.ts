// Reads pieces of a film synchronously. Reads some bytes more than asked for, because samples that follow each other in
// time are mostly close together in the file.

/** The film's bytes could not be read. */
export class FilmUnreadable extends Error {}

/** Reads a Blob at once. TypeScript has its type only in a library for workers. */
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer };

/** Least number of bytes that are read at a time. */
const AHEAD = 256 * 1024;

export class FilmBytes {
  readonly #file: Blob | Uint8Array;
  readonly #reader = new FileReaderSync();
  #window = new Uint8Array();
  #start = 0;
  readonly size: number;

  constructor(file: Blob | Uint8Array) {
    this.#file = file;
    this.size = file instanceof Uint8Array ? file.byteLength : file.size;
  }

  /**
   * Returns `length` bytes from `offset`, or fewer at the end of the file. They are valid until the next call.
   *
   * @throws FilmUnreadable if the browser can't read the file, or if it was changed.
   */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.size);
    if (end <= offset) return new Uint8Array();
    if (this.#file instanceof Uint8Array) return this.#file.subarray(offset, end);
    if (offset < this.#start || end > this.#start + this.#window.length) {
      const to = Math.min(Math.max(end, offset + AHEAD), this.size);
      try {
        this.#window = new Uint8Array(this.#reader.readAsArrayBuffer(this.#file.slice(offset, to)));
      } catch (error) {
        const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        throw new FilmUnreadable(`the film's bytes can't be had: ${why}`);
      }
      this.#start = offset;
      if (this.#window.length !== to - offset) {
        throw new FilmUnreadable(
          `the film's bytes: expected ${to - offset} from ${offset}, got ${this.#window.length}`,
        );
      }
    }
    return this.#window.subarray(offset - this.#start, end - this.#start);
  }
}
