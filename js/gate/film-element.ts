// Takes frames of a film from a `<video>` of the page, for codecs that it plays and WebCodecs lacks.
import type { UncheckedReason } from "../types/types.js";

/** The element can't show the film, or not that part of it. */
export class CannotShow extends Error {
  readonly reason: UncheckedReason;

  constructor(reason: UncheckedReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Milliseconds after which an element that loads or seeks is given up. */
const SILENCE_MS = 20_000;
/**
 * Milliseconds to wait after a seek for a new frame. If the frame at the new time is shown already, the browser presents
 * no new one.
 */
const PRESENTED_MS = 250;

export class FilmElement {
  readonly #video: HTMLVideoElement;
  readonly #signal: AbortSignal;

  private constructor(video: HTMLVideoElement, signal: AbortSignal) {
    this.#video = video;
    this.#signal = signal;
  }

  /**
   * Loads a film into an element that is in no document. When `signal` aborts, the element lets go of the film.
   *
   * @throws CannotShow if there is no page, or if its `<video>` doesn't play the film.
   */
  static async open(file: Blob | Uint8Array, signal: AbortSignal): Promise<FilmElement> {
    if (typeof document === "undefined") throw new CannotShow("unsupported-film", "there is no page with a <video>");
    const video = document.createElement("video");
    const url = URL.createObjectURL(file instanceof Uint8Array ? new Blob([file as Uint8Array<ArrayBuffer>]) : file);
    const element = new FilmElement(video, signal);
    const release = () => {
      video.removeAttribute("src");
      video.load();
      URL.revokeObjectURL(url);
    };
    signal.addEventListener("abort", release, { once: true });
    video.muted = true;
    video.preload = "auto";
    await element.#until("loadeddata", () => {
      video.src = url;
    });
    // Without a picture, the element plays the sound of a film whose codec it doesn't know.
    if (video.videoWidth > 0) return element;
    throw new CannotShow("unsupported-film", "a <video> shows no picture of it");
  }

  /**
   * Returns the frame that is shown at a time. The caller closes it.
   *
   * @throws CannotShow if the element can't seek there.
   */
  async frameAt(second: number): Promise<VideoFrame | ImageBitmap> {
    const video = this.#video;
    if (document.hidden) throw new CannotShow("incomplete", "the page is hidden, so its <video> shows no frames");
    let callback = 0;
    const presented = new Promise<void>((resolve) => {
      if ("requestVideoFrameCallback" in video) callback = video.requestVideoFrameCallback(() => resolve());
    });
    await this.#until("seeked", () => {
      // A millisecond after the frame's beginning, because the element may round the time down to the frame before.
      video.currentTime = second + 1e-3;
    });
    await Promise.race([presented, new Promise((resolve) => setTimeout(resolve, PRESENTED_MS))]);
    if (callback) video.cancelVideoFrameCallback(callback);
    if (typeof VideoFrame === "undefined") return createImageBitmap(video);
    return new VideoFrame(video, { timestamp: Math.round(second * 1e6) });
  }

  /** Does something and waits for the event that it causes. */
  #until(event: "loadeddata" | "seeked", begin: () => void): Promise<void> {
    const video = this.#video;
    const signal = this.#signal;
    const listening = new AbortController();
    return new Promise<void>((resolve, reject) => {
      const on = (target: EventTarget, type: string, listener: () => void) =>
        target.addEventListener(type, listener, { signal: listening.signal });
      const fail = () => {
        const why = video.error?.message || "no reason was given";
        const hint = "does the page's Content-Security-Policy allow media-src blob:?";
        reject(
          event === "loadeddata"
            ? new CannotShow("unsupported-film", `a <video> doesn't play it: ${why} (${hint})`)
            : new CannotShow("unreadable", `a <video> can't show a part of it: ${why}`),
        );
      };
      const timer = setTimeout(
        () => reject(new CannotShow("unreadable", `a <video> was silent for ${SILENCE_MS} ms`)),
        SILENCE_MS,
      );
      listening.signal.addEventListener("abort", () => clearTimeout(timer));
      on(video, event, resolve);
      on(video, "error", fail);
      on(signal, "abort", () => reject(signal.reason));
      signal.throwIfAborted();
      begin();
    }).finally(() => listening.abort());
  }
}
