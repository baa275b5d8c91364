// Chooses which frames of a film are decoded and hashed.

/** How many numbers the film reader returns for each sample. */
const FIELDS = 6;

/** One coded frame, and its position in the file. */
export interface Sample {
  offset: number;
  size: number;
  ptsS: number;
  key: boolean;
  index: number;
}

/** A stretch of the film that is decoded in one go, from a keyframe to the last wanted frame. */
export interface Segment {
  /** The keyframe with which decoding begins. */
  key: Sample;
  /** The number of the sample that is the next keyframe. Infinity if there is none. */
  untilIndex: number;
  /** The stretch of the film, in seconds, that the segment represents. If the segment fails, this stretch is a gap. */
  fromS: number;
  toS: number;
  /** Times in seconds. For each of them, the first frame that is not before it is wanted. */
  targets: number[];
}

/**
 * Length in seconds of the stretch after a keyframe that the first stage looks at, and the seconds between two of its
 * frames.
 */
const [BURST_S, BURST_STEP_S] = [0.45, 0.15];
/** Seconds from one frame to the next in the dense stage. */
const DENSE_S = 0.5;

export function samplesOf(flat: Float64Array): Sample[] {
  return Array.from({ length: Math.floor(flat.length / FIELDS) }, (_, at) => {
    const [offset = 0, size = 0, ptsS = 0, , key = 0, index = 0] = flat.subarray(FIELDS * at, FIELDS * (at + 1));
    return { offset, size, ptsS, key: key === 1, index };
  });
}

/**
 * Plans the first stage. It looks at each keyframe and at the frames of 0.45 s after it. After those it looks at as
 * many further frames as are needed for no gap to be longer than `maxGapS`.
 */
export function firstStage(keys: readonly Sample[], endS: number, maxGapS: number): Segment[] {
  return segments(keys, endS, (fromS, toS) => {
    const targets = [];
    // If a film has less than 7 frames a second, two targets can lead to the same frame. That frame is then decoded
    // once.
    for (let step = 0; step * BURST_STEP_S <= BURST_S + 1e-6; step += 1) targets.push(fromS + step * BURST_STEP_S);
    const behind = fromS + BURST_S;
    const parts = Math.ceil((toS - behind) / maxGapS - 1e-6);
    for (let part = 1; part < parts; part += 1) targets.push(behind + ((toS - behind) * part) / parts);
    return targets;
  });
}

/** Plans the dense stage: 2 frames a second. */
export function denseStage(keys: readonly Sample[], endS: number): Segment[] {
  return segments(keys, endS, (fromS, toS) => {
    const targets = [];
    for (let at = fromS; at < toS; at += DENSE_S) targets.push(at);
    return targets;
  });
}

function segments(
  keys: readonly Sample[],
  endS: number,
  targetsOf: (fromS: number, toS: number) => number[],
): Segment[] {
  return keys.map((key, at) => {
    const next = keys[at + 1];
    const toS = next ? Math.max(next.ptsS, key.ptsS) : Math.max(endS, key.ptsS);
    const targets = targetsOf(key.ptsS, toS).filter((time) => time < toS || time === key.ptsS);
    return { key, untilIndex: next?.index ?? Number.POSITIVE_INFINITY, fromS: key.ptsS, toS, targets };
  });
}

/** Joins ranges that touch or overlap. */
export function joined(ranges: readonly [number, number][]): [number, number][] {
  const made: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = made.at(-1);
    if (last && from <= last[1] + 0.05) last[1] = Math.max(last[1], to);
    else made.push([from, to]);
  }
  return made;
}
