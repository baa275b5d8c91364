// The types of checking films.

/** Options for checking a film. */
export interface VideoOptions {
  /** Longest stretch in seconds from which the first stage takes no frame. Default 4. */
  maxGapS?: number;
  /**
   * Largest number of frames that are looked at. If a film has more, the rest is a gap, and the film is `unchecked`
   * with `too-large`. Default 100,000 (14 hours at 2 a second).
   */
  maxFrames?: number;
  /**
   * Least number of distinct listed keys that hold a film. Default 2. A list with a high rate of chance hits needs
   * more. With 1, a single frame holds the film.
   */
  minDistinct?: number;
  /** Whether the whole film is looked at even after it is held, so that `ranges` has every match. Default false. */
  whole?: boolean;
  /** Called while the film is read, with the seconds of it that were looked at in this stage. */
  onProgress?: (done: { seconds: number; of: number; stage: "first" | "dense" }) => void;
}

/** Facts about a film. */
export interface VideoFindings {
  container: "mp4" | "mov" | "webm" | "mkv";
  /** Codec of the first video track, as WebCodecs spells it. */
  codec: string;
  durationS: number;
  /** Frames that were hashed and looked up, in all stages. */
  frames: number;
  keyframes: number;
  /** Frames with too little detail for a comparison. */
  lowQuality: number;
  decodedBy: "webcodecs" | "video-element" | "none";
  /** Stretches in seconds that could not be looked at. */
  gaps: [fromS: number, toS: number][];
}
