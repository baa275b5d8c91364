// Opens the source that a watch takes frames from: the stream of frames of a track, or a `<video>` element of the page.
import { GateError, invalidOptions } from "../errors.js";
import type { Guard } from "../protocol.js";
import type { WatchSource } from "../types/types.js";

/**
 * A source whose frames a worker reads from a track. With a guard, `output` is the track that shows the frames which
 * the worker writes to `writable`.
 */
export interface TrackSource {
  by: "track-processor";
  track: MediaStreamTrack;
  readable: ReadableStream<VideoFrame>;
  writable: WritableStream<VideoFrame> | undefined;
  output: MediaStreamTrack | undefined;
}

/** An element that shows the stream. `track` is its track, if the element was made for it. */
export interface ElementSource {
  by: "video-element";
  video: HTMLVideoElement;
  track: MediaStreamTrack | undefined;
}

/** A source whose frames can't be read. `why` gives the reason. */
export interface NoSource {
  by: "none";
  why: string;
  track: MediaStreamTrack | undefined;
}

export type StreamSource = TrackSource | ElementSource | NoSource;

/** The interface of mediacapture-transform, which Chromium has on the window. */
interface Insertable {
  MediaStreamTrackProcessor?: new (init: {
    track: MediaStreamTrack;
    maxBufferSize?: number;
  }) => { readable: ReadableStream<VideoFrame> };
  MediaStreamTrackGenerator?: new (init: {
    kind: "video";
  }) => MediaStreamTrack & { writable: WritableStream<VideoFrame> };
}

/**
 * Recognises the source that the host wants to watch.
 *
 * @throws GateError `invalid-options` for any other value, `guard-unavailable` if the guard needs a track that can't be
 * made.
 */
export function sourceOf(source: unknown, guard: Guard): StreamSource {
  const { MediaStreamTrackProcessor, MediaStreamTrackGenerator } = globalThis as Insertable;
  const guarded = guard !== "event";
  if (guarded && !(MediaStreamTrackProcessor && MediaStreamTrackGenerator)) {
    throw new GateError({
      code: "guard-unavailable",
      message:
        `guard: expected a browser with MediaStreamTrackGenerator for "${guard}", got one without it; ` +
        'use "event", and stop sending when it fires',
    });
  }
  const what = kindOf(source);
  if (what === "video-element" && !guarded) return ofVideo(source as HTMLVideoElement, undefined);
  let track: MediaStreamTrack | undefined;
  try {
    track = trackOf(source, what);
  } catch (error) {
    if (error instanceof GateError) throw error;
    // A canvas or an element with pixels of another origin gives no stream.
    const why = `the source gives no stream: ${error instanceof Error ? error.message : error}`;
    if (!guarded) return { by: "none", why, track: undefined };
    throw new GateError({ code: "guard-unavailable", message: `guard: ${why}` }, { cause: error });
  }
  if (MediaStreamTrackProcessor && typeof VideoFrame !== "undefined") {
    const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 });
    const output = guarded && MediaStreamTrackGenerator ? new MediaStreamTrackGenerator({ kind: "video" }) : undefined;
    return { by: "track-processor", track, readable, writable: output?.writable, output };
  }
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  // A hidden page may refuse to play the video. Its frames come when the page is shown.
  video.play().catch(() => {});
  return ofVideo(video, track);
}

function ofVideo(video: HTMLVideoElement, track: MediaStreamTrack | undefined): StreamSource {
  if ("requestVideoFrameCallback" in video) return { by: "video-element", video, track };
  return { by: "none", why: "the browser doesn't say when a <video> shows a frame", track };
}

type Kind = "video-element" | "canvas" | "stream" | "track";

/** Recognises the source by its class's name, so that values of another frame are recognised too. */
function kindOf(source: unknown): Kind {
  const tag = Object.prototype.toString.call(source).slice("[object ".length, -1);
  if (tag === "HTMLVideoElement") return "video-element";
  if (tag === "HTMLCanvasElement") return "canvas";
  if (tag === "MediaStream" || tag === "CanvasCaptureMediaStream") return "stream";
  if (/MediaStreamTrack/.test(tag) && (source as MediaStreamTrack).kind === "video") return "track";
  const expected = "a MediaStream, a video track, a <video> or a <canvas>";
  const got = /MediaStreamTrack/.test(tag) ? "a track of sound" : tag;
  throw invalidOptions("watch", expected, got);
}

function trackOf(source: unknown, kind: Kind): MediaStreamTrack {
  if (kind === "track") return source as MediaStreamTrack;
  const capturable = source as WatchSource & { captureStream?(): MediaStream };
  const stream = kind === "stream" ? (source as MediaStream) : capturable.captureStream?.();
  const [track] = stream?.getVideoTracks() ?? [];
  if (track) return track;
  throw invalidOptions("watch", "a source with a video track", "one without");
}
