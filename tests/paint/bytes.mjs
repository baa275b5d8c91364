// Byte arrays and repeatable random numbers for the generators of test files.

/** Joins byte arrays and single bytes. */
export function join(...parts) {
  const arrays = parts.flat(2).map((part) => (typeof part === "number" ? Uint8Array.of(part) : part));
  const joined = new Uint8Array(arrays.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of arrays) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export const ascii = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
export const u16 = (value) => Uint8Array.of((value >> 8) & 255, value & 255);
export const u32 = (value) =>
  Uint8Array.of((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
/** Returns a number as 2, 3 or 4 bytes, the lowest byte first. */
export const le16 = (value) => u16(value).reverse();
export const le24 = (value) => le32(value).subarray(0, 3);
export const le32 = (value) => u32(value).reverse();

export const zeros = (length, value = 0) => new Uint8Array(length).fill(value);

/** Returns a copy in which `replacement` replaces the bytes from `at` on. */
export function patched(bytes, at, replacement) {
  const copy = Uint8Array.from(bytes);
  copy.set(replacement, at);
  return copy;
}

/** Returns a copy in which `inserted` replaces the `removed` bytes from `at` on. */
export function spliced(bytes, at, removed, inserted = new Uint8Array()) {
  return join(bytes.subarray(0, at), inserted, bytes.subarray(at + removed));
}

/** Returns a generator of numbers from 0 to 1 (mulberry32). The same seed gives the same numbers. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns functions for random choices. The same seed gives the same choices. */
export function dice(seed) {
  const next = random(seed);
  const below = (count) => Math.floor(next() * count);
  return { next, below, pick: (list) => list[below(list.length)], chance: (share) => next() < share };
}
