// The types of watching a live stream.
import type { Orientations, ViewSet } from "../generated/core.js";
import type { Verdict } from "./verdict.js";

/** The sources that can be watched: a camera, a screen, a call, a playing film, or a canvas. */
export type WatchSource = MediaStream | MediaStreamTrack | HTMLVideoElement | HTMLCanvasElement;

/**
 * What a watch does in addition to dispatching events.
 *
 * - `event`: nothing. There is no `track`.
 * - `blank`: `track` shows the source. From a possible match on, and before the first verdict, it shows black.
 * - `checked-only`: `track` shows only frames that were checked, one per `everyMs`. From a possible match on it shows
 * black.
 */
export type WatchGuard = "event" | "blank" | "checked-only";

/** Options for watching a stream. */
export interface WatchOptions {
  /** Milliseconds from one checked frame to the next, at least 20. Default 1,000. */
  everyMs?: number;
  /** Stops the watch. */
  signal?: AbortSignal;
  /** Default `event`. The others need a browser with `MediaStreamTrackGenerator`. */
  guard?: WatchGuard;
  /** Default: the gate's. */
  orientations?: Orientations;
  /** Default: the gate's. */
  views?: ViewSet;
}

/**
 * The state of a watched stream.
 *
 * - `starting`: no frame was checked yet.
 * - `clear`: the last frame that was checked is on no list.
 * - `possible-match`: a frame is perhaps on a list. It stays so until {@link Watch.release}.
 * - `unchecked`: frames can't be checked; {@link Watch.verdict} says why.
 */
export type WatchState = "starting" | "clear" | "possible-match" | "unchecked";

/** A verdict on one frame of a stream. Its matches also include those of earlier frames. */
export type LiveVerdict = Verdict & {
  frame?: {
    /** The frame's own time in seconds. */
    atS: number;
    width: number;
    height: number;
    /** Milliseconds from taking the frame to the verdict. */
    tookMs: number;
  };
};

/** Watches a stream: {@link Gate.watch} returns it. Nothing of the stream leaves the device. */
export interface Watch extends EventTarget {
  /** The guarded output, to be sent in place of the source. Undefined with `guard: "event"`. */
  readonly track: MediaStreamTrack | undefined;
  readonly state: WatchState;
  /** The last verdict. */
  readonly verdict: LiveVerdict | undefined;
  /**
   * How frames are taken: from the track in the worker, from a `<video>` element of the page (browsers without
   * `MediaStreamTrackProcessor`, and a source that is such an element), or not at all.
   */
  readonly by: "track-processor" | "video-element" | "none";
  /**
   * Tells the watch that the host has dealt with the possible match. The next frame then decides the state, and `track`
   * shows the stream again once that frame is clear. If the same picture comes again, it matches again, unless
   * `dismiss` says that it isn't listed.
   */
  release(options?: { dismiss?: boolean }): void;
  /** Ends the watch and `track`. The source isn't stopped. */
  stop(): void;
  addEventListener<K extends keyof WatchEvents>(
    type: K,
    listener: (event: WatchEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** The events of a {@link Watch}. */
export interface WatchEvents {
  /** A frame was checked, or could not be: `detail` is the verdict. */
  verdict: CustomEvent<LiveVerdict>;
  /** `state` has changed. */
  statechange: Event;
  /** The source ended, or the watch was stopped. */
  end: Event;
}
