// Collects the frames that matched, and counts distinct listed keys. A still picture in a film makes many equal frames.
// Together these are one hit, which may be a chance hit.
import type { FrameMatch, Match, Orientations } from "../types/types.js";
import type { LookupWorker } from "./lookup-worker.js";

/**
 * Two frames are distinct if their hashes differ by more than this many bits (31 is PDQ's threshold) and they are more
 * than this many seconds apart.
 */
const [NEAR_BITS, APART_S] = [31, 1];
/**
 * A match is dismissed if its key was dismissed before with a frame whose hash differs from this frame's by at most
 * this many bits.
 */
const SAME_BITS = 8;
/** Most distinct frames that are kept for each list. */
const MOST_FRAMES = 64;

type PdqMatch = Extract<Match, { signal: "pdq" }>;

interface Found {
  best: PdqMatch;
  frames: FrameMatch[];
  ranges: [number, number][];
}

export class FrameHits {
  readonly #lists = new Map<string, Found>();
  readonly #joinS: number;
  readonly #dismissed: { key: string; pdq: string }[] = [];
  #added = 0;

  /** Hits that are at most `joinS` seconds apart belong to one range. */
  constructor(joinS: number) {
    this.#joinS = joinS;
  }

  get isEmpty(): boolean {
    return this.#lists.size === 0;
  }

  /** Number of distinct frames that were added, including those that were removed by `clear` or `dismiss`. */
  get added(): number {
    return this.#added;
  }

  /** Adds the matches of a frame. Returns whether one of them is a distinct frame, or the first match of a list. */
  add(matches: readonly Match[], atS: number): boolean {
    let isNew = false;
    for (const match of matches) {
      if (match.signal !== "pdq") continue;
      const found = this.#lists.get(match.list);
      const frame = frameOf(match, atS);
      if (!found) {
        this.#lists.set(match.list, { best: match, frames: [frame], ranges: [[atS, atS]] });
        isNew = true;
        this.#added += 1;
        continue;
      }
      found.ranges = widened(found.ranges, atS, this.#joinS);
      if (match.strength === "all-rings" && found.best.strength !== "all-rings") found.best = match;
      if (found.frames.length < MOST_FRAMES && found.frames.every((other) => isDistinct(other, frame))) {
        found.frames.push(frame);
        isNew = true;
        this.#added += 1;
      }
    }
    return isNew;
  }

  /** Returns one match for each list, the strongest first. */
  matches(): (Match & { distinctKeys: number })[] {
    const matches = [...this.#lists.values()].map(({ best, frames, ranges }) => ({
      ...best,
      strength: frames.length > 1 ? ("several-frames" as const) : best.strength,
      distinctKeys: frames.length,
      frames: frames.map((frame) => ({ ...frame })),
      ranges: ranges.map(([from, to]): [number, number] => [from, to]),
    }));
    return matches.sort((a, b) => b.distinctKeys - a.distinctKeys);
  }

  clear(): void {
    this.#lists.clear();
  }

  /** Notes that the service said "not-listed" about the frames of all lists, and removes the frames. */
  dismiss(): void {
    for (const { frames } of this.#lists.values())
      this.#dismissed.push(...frames.map(({ key, pdq }) => ({ key, pdq })));
    this.clear();
  }

  /** Returns whether the service said "not-listed" about the same key in nearly the same frame. */
  isDismissed(match: Match): boolean {
    if (match.signal !== "pdq") return false;
    const { key, pdq } = match;
    return this.#dismissed.some((known) => known.key === key && distance(known.pdq, pdq) <= SAME_BITS);
  }
}

/**
 * Frames hold a film only if chance hits explain their matches with less than this probability (the tail of a Poisson
 * distribution), or less than the list's own rate of chance hits if that is larger.
 */
const FILM_RATE = 1e-4;

/**
 * Adds to each match the chance that a clean film with as many comparable frames has so many distinct keys. `rateOf` is
 * the share of clean frames that match a list by chance. The least likely match comes first.
 */
export function withChance<M extends { list: string; distinctKeys: number }>(
  matches: readonly M[],
  compared: number,
  rateOf: (list: string) => number,
): (M & { chance: number })[] {
  const judged = matches.map((match) => ({
    ...match,
    chance: poissonTail(match.distinctKeys, compared * rateOf(match.list)),
  }));
  return judged.sort((one, other) => one.chance - other.chance);
}

/**
 * Whether the frames of a match hold a film: they have at least `minDistinct` distinct keys, so many that chance hits
 * hardly explain them. The core has the same rule (`src/check/film.rs`); both are tested by
 * `tests/vectors/film-rule.json`.
 */
export function holdsFilm(
  { distinctKeys, chance }: { distinctKeys: number; chance: number },
  minDistinct: number,
  rate: number,
): boolean {
  if (distinctKeys < minDistinct) return false;
  return minDistinct <= 1 || chance < Math.max(FILM_RATE, rate);
}

/**
 * If the first lookup of a frame and this many further lookups find only dismissed matches, the frame has too many
 * candidates.
 */
const ROUNDS = 8;

/**
 * Looks a frame up. If all matches were dismissed, looks it up again without them. Resolves to undefined if the
 * followed list can't be used.
 */
export async function lookUpFrame(
  lookup: LookupWorker,
  fingerprint: Uint8Array,
  orientations: Orientations,
  hits: FrameHits,
): Promise<{ matches: Match[]; lookups: number; tooMany?: string } | undefined> {
  const signals = { fingerprint, sha256: undefined };
  const dismissed: Match[] = [];
  for (let [round, lookups] = [0, 0]; ; round += 1) {
    const verdict = await lookup.lookUp({ signals, orientations, dismissed });
    if (!verdict) return undefined;
    lookups += verdict.lookups;
    if (verdict.outcome !== "possible-match") return { matches: [], lookups };
    const matches = verdict.matches.filter((match) => !hits.isDismissed(match));
    if (matches.length > 0) return { matches, lookups };
    if (round === ROUNDS) {
      return {
        matches: [],
        lookups,
        tooMany: `candidates of a frame: expected at most ${ROUNDS} chance hits, got more`,
      };
    }
    dismissed.push(...verdict.matches);
  }
}

/** Adds a time to sorted ranges. */
export function widened(ranges: readonly [number, number][], atS: number, joinS: number): [number, number][] {
  const near = ([from, to]: [number, number]) => from - joinS <= atS && atS <= to + joinS;
  const joined = ranges.filter(near);
  const from = Math.min(atS, ...joined.map((range) => range[0]));
  const to = Math.max(atS, ...joined.map((range) => range[1]));
  return [...ranges.filter((range) => !near(range)), [from, to] as [number, number]].sort((a, b) => a[0] - b[0]);
}

/**
 * Returns the probability of at least `count` independent events if `mean` events are expected (the tail of a Poisson
 * distribution). The core has the same rule for films: src/check/film.rs.
 */
export function poissonTail(count: number, mean: number): number {
  if (count === 0) return 1;
  // Adds up the smaller of the two tails, so that a small probability isn't lost to rounding.
  const upper = count > mean;
  let term = Math.exp(-mean);
  let sum = upper ? 0 : term;
  for (let events = 1; ; events += 1) {
    term *= mean / events;
    if (upper && events >= count) {
      sum += term;
      if (term <= sum * Number.EPSILON) return sum;
    } else if (!upper) {
      if (events >= count) return Math.max(0, 1 - sum);
      sum += term;
    }
  }
}

function frameOf({ strength, view, orientation, ring, key, pdq }: PdqMatch, atS: number): FrameMatch {
  return { atS, strength, view, orientation, ring, key, pdq };
}

function isDistinct(one: FrameMatch, other: FrameMatch): boolean {
  return one.key !== other.key && Math.abs(one.atS - other.atS) >= APART_S && distance(one.pdq, other.pdq) > NEAR_BITS;
}

/** Returns the number of different bits of two hashes in hexadecimal. */
function distance(one: string, other: string): number {
  let bits = 0;
  for (let at = 0; at < one.length; at += 8) {
    let differ = Number.parseInt(one.slice(at, at + 8), 16) ^ Number.parseInt(other.slice(at, at + 8), 16);
    for (; differ !== 0; differ &= differ - 1) bits += 1;
  }
  return bits;
}
