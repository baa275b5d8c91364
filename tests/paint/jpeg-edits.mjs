// Changes to the parts of a JPEG that several generators use.

/**
 * Sampling factors of luma and two chromas. H2V2 halves the chroma in both directions, H2V1 horizontally only, H1V1 not
 * at all.
 */
export const H2V2 = [
  [2, 2],
  [1, 1],
  [1, 1],
];
export const H2V1 = [
  [2, 1],
  [1, 1],
  [1, 1],
];
export const H1V1 = [
  [1, 1],
  [1, 1],
  [1, 1],
];

/** Applies a change to a copy of the parts. The change edits the list in place, or returns another list. */
export const edited = (parts, edit) => {
  const copy = parts.map((part) => ({
    ...part,
    ...(part.body && { body: Uint8Array.from(part.body) }),
    ...(part.intervals && { intervals: [...part.intervals], restarts: [...part.restarts] }),
  }));
  return edit(copy) ?? copy;
};
export const firstScan = (parts) => parts.find(({ intervals }) => intervals);
export const place = (parts, marker) => parts.findIndex((part) => part.marker === marker);

/** Functions that return the frame header, and the height in it as bytes and as a number. */
export const frameOf = (parts) => parts.find(({ marker }) => marker >= 0xc0 && marker <= 0xc2);
export const heightOf = (parts) => frameOf(parts).body.slice(1, 3);
export const readHeight = (parts) => 256 * frameOf(parts).body[1] + frameOf(parts).body[2];
export function flip(share) {
  return (parts) => {
    const { intervals } = firstScan(parts);
    const bytes = Uint8Array.from(intervals[0]);
    bytes[Math.floor(bytes.length * share)] ^= 4;
    intervals[0] = bytes;
  };
}
