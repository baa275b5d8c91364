// Names stretches of a film as people write them.

/** Stretches that are named. */
const MOST = 5;

/** Returns stretches of seconds as text: 1:05–1:20, 2:00. */
export function rangesText(ranges: readonly (readonly [number, number])[]): string {
  return ranges.slice(0, MOST).map(rangeText).join(", ");
}

function rangeText([from, to]: readonly [number, number]): string {
  return clock(from) === clock(to) ? clock(from) : `${clock(from)}–${clock(to)}`;
}

function clock(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  const [minutes, rest] = [Math.floor(whole / 60), String(whole % 60).padStart(2, "0")];
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
