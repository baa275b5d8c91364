// Finds samples of H.264 that no other sample needs. A decoder need not get such samples unless their
// frames are wanted.

/** Returns whether no other sample needs this one. */
export type IsDisposable = (data: Uint8Array) => boolean;

/** The types of units that hold a part of a picture are 1 to 5. */
const [SLICE, LAST_SLICE] = [1, 5];

/**
 * Returns the test for a track, from its `avcC`. Undefined for other codecs: their samples aren't tested.
 */
export function disposableOf(codec: string, description: Uint8Array | undefined): IsDisposable | undefined {
  if (!/^avc[13]\./.test(codec) || !description || description.length < 5) return undefined;
  const lengthBytes = ((description[4] ?? 0) & 3) + 1;
  return (data) => {
    for (let at = 0; at + lengthBytes < data.length; ) {
      let length = 0;
      for (let byte = 0; byte < lengthBytes; byte += 1) length = 256 * length + (data[at + byte] ?? 0);
      const header = data[at + lengthBytes] ?? 0;
      const type = header & 31;
      // All slices of a picture agree on `nal_ref_idc`, the two bits behind the first.
      if (type >= SLICE && type <= LAST_SLICE) return (header & 0x60) === 0;
      at += lengthBytes + length;
    }
    return false;
  };
}
