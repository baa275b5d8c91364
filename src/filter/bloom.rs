//! A partitioned Bloom filter. It consists of k slices of equal length, and the i-th hash of an item sets one bit of
//! slice i.
//!
//! About half of the bits in each slice are ones. So half of all lookups of unlisted items end at slice 0, a quarter at
//! slice 1, and so on. A series of lookups mostly reads the first slices, which then stay in the processor's cache.
//! `docs/reference/filter-format.md` has the hash, byte by byte.

use super::flip_masks::{FlipMask, FlipMasks, LOWER, LOWER_MASKS};
use super::soft_ring_key::SoftRingKey;

/// Largest k: number of slices in a filter.
pub(crate) const MAX_K: u32 = 64;
/// Largest length of a slice, in bits. A position is made from 32 bits of hash, which can't address a longer slice.
pub(crate) const MAX_SLICE_BITS: u64 = 1 << 32;

/// The kind of an item. Each kind has hash functions of its own, so equal numbers of two kinds are different items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Ring key 0 to 3 of a PDQ hash.
    Ring(u32),
    /// First eight bytes of a SHA-256.
    Sha256,
    /// First eight bytes of an MD5.
    Md5,
    /// Canary items. Their answers are known beforehand, so a wrong one shows that the reader or the file is at fault.
    Canary,
}

impl Domain {
    fn number(self) -> u64 {
        match self {
            Self::Ring(ring) => u64::from(ring),
            Self::Sha256 => 4,
            Self::Md5 => 5,
            Self::Canary => 6,
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014; Stafford's variant 13).
fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The hash functions of one domain.
///
/// An item is hashed to one 64-bit word per two slices. Word 0 is a random linear map of the item over GF(2): flipping
/// one bit of the item flips the same bits of word 0 for every item. So word 0 of a flipped ring key is found by XOR,
/// without hashing again. The other words are `mix(item ^ constant)`.
///
/// `columns[bit]` has the bits of word 0 that flipping `bit` flips; `constants` has one constant per further word.
pub(crate) struct Hasher {
    columns: [u64; 64],
    constants: Vec<u64>,
}

impl Hasher {
    /// Draws `columns` and `constants` from SplitMix64, seeded with the salt and the domain.
    pub fn new(salt: u64, domain: Domain, k: u32) -> Self {
        let mut state = mix(salt ^ domain.number());
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        };
        let columns = std::array::from_fn(|_| next());
        let constants = (1..k.div_ceil(2)).map(|_| next()).collect();
        Self { columns, constants }
    }

    /// Returns word 0 of an item.
    fn linear(&self, item: u64) -> u64 {
        (0..64).filter(|bit| item >> bit & 1 == 1).fold(0, |word, bit| word ^ self.columns[bit])
    }

    /// Yields the words of an item.
    fn words(&self, item: u64) -> impl Iterator<Item = u64> + '_ {
        std::iter::once(self.linear(item)).chain(self.constants.iter().map(move |constant| mix(item ^ constant)))
    }

    /// Yields the positions of an item, slice by slice: the low half of each word, then its high half, each scaled from
    /// 32 bits to the length of a slice.
    pub fn positions(&self, item: u64, slice_bits: u64) -> impl Iterator<Item = u64> + '_ {
        self.words(item).flat_map(|word| [word as u32, (word >> 32) as u32]).map(move |half| scale(half, slice_bits))
    }
}

/// Scales 32 bits of hash to a position in a slice.
fn scale(half: u32, slice_bits: u64) -> u64 {
    (u64::from(half) * slice_bits) >> 32
}

/// A slice, as words of 32 bits.
type Slice<'a> = &'a [[u8; 4]];

/// Returns the word of a slice that contains `position`, shifted so that the bit at `position` is the lowest. The
/// higher bits belong to other positions: callers mask them off.
#[inline(always)]
fn word_at(slice: Slice, position: u64) -> u32 {
    u32::from_le_bytes(slice[(position >> 5) as usize]).wrapping_shr(position as u32)
}

/// The slices of a filter, borrowed: `k` slices of `slice_bits` bits (a multiple of 64), one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Bloom<'a> {
    pub bits: &'a [u8],
    pub slice_bits: u64,
}

/// Number of slices that [`Bloom::fetch`] reads into the processor's cache. An unlisted item passes a slice of a full
/// filter with a chance of about one half, so of 256 lookups of unlisted items, 255 end within 8 slices (1 - 2^-8).
const FETCHED_SLICES: usize = 8;
/// If these slices have more bytes than this, [`Bloom::fetch`] reads none, because the processor's cache would not hold
/// them. The 8 slices of a list of 5,000,000 hashes take about this much.
const MOST_FETCHED: u64 = 16 << 20;

/// Largest number of ring keys that wait, after they have passed the first two slices, to be looked up in the other
/// slices together.
const BATCH: usize = 1024;

impl<'a> Bloom<'a> {
    fn slices(self) -> impl DoubleEndedIterator + ExactSizeIterator<Item = Slice<'a>> {
        self.bits.as_chunks().0.chunks_exact((self.slice_bits / 32) as usize)
    }

    /// Loads the slices in which most lookups end into the processor's cache. Reading them here from start to end is
    /// faster than letting lookups load them in random order. Does nothing if they are larger than [`MOST_FETCHED`].
    pub fn fetch(self) {
        const LINE: usize = 16;
        if FETCHED_SLICES as u64 * self.slice_bits / 8 > MOST_FETCHED {
            return;
        }
        let lines = self.slices().take(FETCHED_SLICES).rev().flat_map(|slice| slice.iter().step_by(LINE));
        std::hint::black_box(lines.fold(0, |sum, word| sum ^ word[0]));
    }

    /// Returns whether the filter holds an item. For an item that was never inserted, the answer may be true by chance
    /// (a false positive).
    pub fn holds(self, hasher: &Hasher, item: u64) -> bool {
        self.slices()
            .zip(hasher.positions(item, self.slice_bits))
            .all(|(slice, position)| word_at(slice, position) & 1 == 1)
    }

    /// Returns the index of the first of `masks` whose ring key the filter holds. Ring keys in `passed_over` don't
    /// count.
    ///
    /// Tests many ring keys against two slices before it goes on to the next slices, and keeps those that pass without
    /// a branch. Looking up one ring key after the other would be slower: each lookup would wait for memory, and the
    /// processor would mispredict half of the exits.
    pub fn first_held(
        self,
        hasher: &Hasher,
        soft: &SoftRingKey,
        masks: &FlipMasks,
        passed_over: &[u64],
    ) -> Option<usize> {
        let lower = Flipped::lower(hasher, soft);
        let mut slices = self.slices();
        let first = slices.next()?;
        // A filter of one slice has one position per item, and the second test repeats the first.
        let (second, shift) = slices.next().map_or((first, 0), |second| (second, 32));
        let word = hasher.linear(soft.key);
        let mut survivors = [0; BATCH];
        let mut count = 0;
        let mut held: Option<FlipMask> = None;
        for run in &masks.runs {
            if count + run.length > BATCH {
                held = self.first_of(hasher, soft, &mut survivors[..count], passed_over, held);
                count = 0;
            }
            let upper = Flipped::by(hasher, soft, run.upper);
            let (word, key) = (word ^ upper.word, soft.key ^ upper.key);
            for flipped in &lower[..run.length] {
                let word = word ^ flipped.word;
                let here = word_at(first, scale(word as u32, self.slice_bits));
                let there = word_at(second, scale((word >> shift) as u32, self.slice_bits));
                survivors[count] = key ^ flipped.key;
                count += (here & there & 1) as usize;
            }
        }
        let held = self.first_of(hasher, soft, &mut survivors[..count], passed_over, held)?;
        masks.sequence.binary_search_by_key(&held.place(), |mask| mask.place()).ok()
    }

    /// Looks the `survivors` (ring keys that passed the first two slices) up in the other slices. Returns the cheapest
    /// flip mask among those that the filter holds and `held`, the best of earlier batches.
    fn first_of(
        self,
        hasher: &Hasher,
        soft: &SoftRingKey,
        survivors: &mut [u64],
        passed_over: &[u64],
        held: Option<FlipMask>,
    ) -> Option<FlipMask> {
        let mut count = survivors.len();
        let mut slices = self.slices().skip(2);
        for constant in &hasher.constants {
            let (Some(even), odd) = (slices.next(), slices.next()) else { break };
            let mut kept = 0;
            for at in 0..count {
                let key = survivors[at];
                let word = mix(key ^ constant);
                let low = word_at(even, scale(word as u32, self.slice_bits));
                let high = odd.map_or(1, |odd| word_at(odd, scale((word >> 32) as u32, self.slice_bits)));
                survivors[kept] = key;
                kept += (low & high & 1) as usize;
            }
            count = kept;
        }
        let found = survivors[..count].iter().filter(|key| !passed_over.contains(key)).map(|&key| soft.mask_to(key));
        found.chain(held).min_by_key(|mask| mask.place())
    }
}

/// The effect of flipping bits of a ring key: the masks to XOR into the ring key and into word 0 of its hash.
#[derive(Clone, Copy)]
struct Flipped {
    key: u64,
    word: u64,
}

impl Flipped {
    /// Returns the effect of a flip mask.
    fn by(hasher: &Hasher, soft: &SoftRingKey, mask: FlipMask) -> Self {
        soft.flips(mask).fold(Self { key: 0, word: 0 }, |flipped, bit| Self {
            key: flipped.key ^ 1 << bit,
            word: flipped.word ^ hasher.columns[usize::from(bit)],
        })
    }

    /// Returns the effect of each of [`LOWER_MASKS`].
    fn lower(hasher: &Hasher, soft: &SoftRingKey) -> [Self; 1 << LOWER] {
        let mut by_mask = [Self { key: 0, word: 0 }; 1 << LOWER];
        for (rank, &bit) in soft.weakest[..LOWER].iter().enumerate() {
            let column = hasher.columns[usize::from(bit)];
            let (known, new) = by_mask[..2 << rank].split_at_mut(1 << rank);
            for (known, new) in known.iter().zip(new) {
                *new = Self { key: known.key ^ 1 << bit, word: known.word ^ column };
            }
        }
        LOWER_MASKS.map(|set| by_mask[set.0 as usize])
    }
}

/// Inserts an item into a filter's slices.
#[cfg(feature = "build")]
pub(crate) fn insert(bits: &mut [u8], slice_bits: u64, hasher: &Hasher, item: u64) {
    for (slice, position) in bits.chunks_exact_mut((slice_bits / 8) as usize).zip(hasher.positions(item, slice_bits)) {
        slice[(position >> 3) as usize] |= 1 << (position & 7);
    }
}

#[cfg(all(test, feature = "build"))]
mod tests {
    use super::*;

    #[test]
    fn the_batch_and_the_single_lookup_agree() {
        for (k, slice_bits) in [(1, 64), (2, 64), (5, 128), (33, 2880)] {
            let hasher = Hasher::new(7, Domain::Ring(1), k);
            let mut bits = vec![0; (u64::from(k) * slice_bits / 8) as usize];
            for key in 0..slice_bits * 2 / 3 {
                insert(&mut bits, slice_bits, &hasher, mix(key));
            }
            let bloom = Bloom { bits: &bits, slice_bits };
            let masks = FlipMasks::new(&super::super::flip_masks::mask_sequence(4096));
            for number in 0..64 {
                let soft = SoftRingKey {
                    ring: 1,
                    key: mix(number) ^ 0b1011 << 20,
                    weakest: std::array::from_fn(|rank| (rank * 5 % 64) as u8),
                };
                let single = masks.sequence.iter().position(|&mask| {
                    let key = soft.flips(mask).fold(soft.key, |key, bit| key ^ 1 << bit);
                    bloom.holds(&hasher, key)
                });
                assert_eq!(bloom.first_held(&hasher, &soft, &masks, &[]), single);
            }
        }
    }
}
