//! Ring keys and soft masks: how a PDQ hash is looked up in a filter that answers exact membership.
//!
//! The 256 bits of a hash are cut into four 64-bit *ring keys*, lowest frequencies first. A filter
//! holds the first `rings` keys of each listed hash. An edited copy differs in a few bits, nearly
//! always in those whose coefficient lies nearest the median, so the asking side looks up its own
//! key with its least reliable bits flipped, the most plausible flips first: query-directed
//! multi-mask LSH (Lv et al., VLDB 2007) with the reliabilities of soft-decision decoding (Chase,
//! 1972). See `docs/near-match.md`.

use std::sync::LazyLock;

use crate::pdq::{CORNER, PdqHash};

/// A hash is cut into this many ring keys.
pub const MAX_RINGS: u32 = 4;
/// Bits in a ring key.
const KEY_BITS: usize = 64;
/// Only this many of a key's bits, the least reliable ones, are ever flipped.
pub const FLIPPABLE: usize = 24;
/// The longest mask sequence that a filter may ask for.
pub const MAX_LOOKUP_BUDGET: u32 = 1 << 16;

/// Positions `i * 16 + j` of the corner by `max(i, j)`, then `i + j`, then `i`: bit `b` of ring
/// key `r` is the hash's bit at `ORDER[64 * r + b]`.
static ORDER: LazyLock<[u8; CORNER * CORNER]> = LazyLock::new(|| {
    let mut order: [u64; CORNER * CORNER] = std::array::from_fn(|index| {
        let (i, j) = (index / CORNER, index % CORNER);
        ((i.max(j) << 16 | (i + j) << 8) | index) as u64
    });
    order.sort_unstable();
    order.map(|place| place as u8)
});

/// The hash's bit index (as in [`PdqHash::bit`]) that stands at bit `bit` of ring key `ring`.
pub(crate) fn position(ring: u32, bit: u8) -> usize {
    usize::from(ORDER[ring as usize * KEY_BITS + usize::from(bit)])
}

/// Ring key `ring` (0 to 3) of a hash.
#[must_use]
pub fn ring_key(hash: &PdqHash, ring: u32) -> u64 {
    (0..KEY_BITS as u8).fold(0, |key, bit| key | u64::from(hash.bit(position(ring, bit))) << bit)
}

/// A ring key to be looked up, with its bits' reliabilities.
pub(crate) struct SoftRingKey {
    pub ring: u32,
    pub key: u64,
    /// The key's least reliable bits, the least reliable first.
    pub weakest: [u8; FLIPPABLE],
}

impl SoftRingKey {
    /// Takes ring `ring` of a picture's margins (`Coefficients::margins`).
    pub fn new(margins: &[f32; CORNER * CORNER], ring: u32) -> Self {
        let mut key = 0;
        // Edits change low frequencies more than high ones, about with the root of the wavelength, so a margin counts
        // the more the higher its frequency. Ties by bit: the bits of a positive float order as integers.
        let mut by_margin: [u64; KEY_BITS] = std::array::from_fn(|bit| {
            let position = position(ring, bit as u8);
            let margin = margins[position];
            key |= u64::from(margin > 0.0) << bit;
            let frequency = (position / CORNER).max(position % CORNER) + 1;
            let reliability = margin.abs() * (frequency as f32).sqrt();
            u64::from(reliability.to_bits()) << 8 | bit as u64
        });
        by_margin.select_nth_unstable(FLIPPABLE - 1);
        by_margin[..FLIPPABLE].sort_unstable();
        Self { ring, key, weakest: std::array::from_fn(|rank| by_margin[rank] as u8) }
    }

    /// The key's bits that a mask flips.
    pub fn flips(&self, mask: FlipMask) -> impl Iterator<Item = u8> + '_ {
        let mut left = mask.0;
        std::iter::from_fn(move || {
            let rank = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            self.weakest.get(rank as usize).copied()
        })
    }

    /// The mask that turns this key into another.
    pub fn mask_to(&self, key: u64) -> FlipMask {
        let flipped = self.key ^ key;
        FlipMask((0..FLIPPABLE).fold(0, |ranks, rank| ranks | ((flipped >> self.weakest[rank] & 1) as u32) << rank))
    }
}

/// A set of ranks to flip: bit `r` stands for the bit of rank `r + 1`, rank 1 the least reliable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlipMask(pub u32);

impl FlipMask {
    /// How many bits it flips.
    pub fn flips(self) -> u32 {
        self.0.count_ones()
    }

    /// The sum of the flipped ranks, by which masks are ordered.
    pub fn cost(self) -> u32 {
        (0..FLIPPABLE as u32).filter(|rank| self.0 >> rank & 1 == 1).map(|rank| rank + 1).sum()
    }

    /// FlipMasks come in the order of this: by cost, then by flips, then by what is flipped. No two have one place.
    pub fn place(self) -> u64 {
        u64::from(self.cost()) << 40 | u64::from(self.flips()) << 32 | u64::from(self.0)
    }
}

/// Sorts masks by their places. All that is sorted here is a `u64`, so that one sorting routine does, in the wasm too.
fn sort(masks: &mut [FlipMask]) {
    let mut places: Vec<_> = masks.iter().map(|mask| mask.place()).collect();
    places.sort_unstable();
    for (mask, place) in masks.iter_mut().zip(places) {
        *mask = FlipMask(place as u32);
    }
}

/// The first masks, up to a budget, and the same ones arranged for looking them up: in runs that share what they flip of the
/// ranks above [`LOWER`]. Of the lower ranks each run flips the first so many sets of [`LOWER_SETS`], because a mask's place
/// in the sequence rises with the place of its lower part.
#[derive(Debug, Clone)]
pub(crate) struct FlipMasks {
    pub sequence: Vec<FlipMask>,
    pub runs: Vec<Run>,
}

/// FlipMasks that differ in their lower ranks alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// What all of them flip.
    pub upper: FlipMask,
    /// How many there are.
    pub length: usize,
}

/// Ranks that vary within a run.
pub(crate) const LOWER: usize = 8;

/// Every set of the lower ranks, in the order of masks.
pub(crate) static LOWER_SETS: LazyLock<[FlipMask; 1 << LOWER]> = LazyLock::new(|| {
    let mut sets = std::array::from_fn(|mask| FlipMask(mask as u32));
    sort(&mut sets);
    sets
});

impl FlipMasks {
    /// The first `budget` masks.
    pub fn new(budget: u32) -> Self {
        let sequence = mask_sequence(budget);
        let mut uppers: Vec<_> = sequence.iter().map(|mask| u64::from(mask.0 >> LOWER)).collect();
        uppers.sort_unstable();
        let run = |same: &[u64]| Run { upper: FlipMask((same[0] as u32) << LOWER), length: same.len() };
        let runs = uppers.chunk_by(|a, b| a == b).map(run).collect();
        Self { sequence, runs }
    }
}

/// The first `budget` masks, the same for every picture: subsets of the ranks 1 to 24 by the sum
/// of their ranks, then by their number, then by their bit pattern. The first flips nothing.
fn mask_sequence(budget: u32) -> Vec<FlipMask> {
    fn subsets(sum: u32, largest: u32, chosen: u32, found: &mut Vec<FlipMask>) {
        if sum == 0 {
            found.push(FlipMask(chosen));
            return;
        }
        for rank in 1..=largest.min(sum) {
            subsets(sum - rank, rank - 1, chosen | 1 << (rank - 1), found);
        }
    }
    let budget = budget.min(MAX_LOOKUP_BUDGET) as usize;
    let mut sequence = Vec::new();
    let mut sum = 0;
    while sequence.len() < budget {
        let mut same_sum = Vec::new();
        subsets(sum, FLIPPABLE as u32, 0, &mut same_sum);
        sort(&mut same_sum);
        sequence.append(&mut same_sum);
        sum += 1;
    }
    sequence.truncate(budget);
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_zero_is_the_low_frequency_corner() {
        let corner: Vec<_> = (0..64).map(|bit| position(0, bit)).collect();
        assert!(corner.iter().all(|index| index / CORNER < 8 && index % CORNER < 8));
        assert_eq!(corner[..4], [0, 1, 16, 17]);
    }

    #[test]
    fn the_four_keys_are_the_whole_hash() {
        let hash: PdqHash = "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3fa".parse().unwrap();
        let ones: u32 = (0..MAX_RINGS).map(|ring| ring_key(&hash, ring).count_ones()).sum();
        assert_eq!(ones, hash.distance(&PdqHash([0; 32])));
    }

    #[test]
    fn probes_come_cheapest_first_and_none_comes_twice() {
        let sequence = mask_sequence(MAX_LOOKUP_BUDGET);
        assert_eq!(sequence.len(), 65_536);
        assert_eq!(sequence[..5], [FlipMask(0), FlipMask(1), FlipMask(2), FlipMask(4), FlipMask(3)]);
        assert!(sequence.windows(2).all(|pair| pair[0].cost() <= pair[1].cost()));
        let mut masks: Vec<_> = sequence.iter().map(|mask| mask.0).collect();
        masks.sort_unstable();
        masks.dedup();
        assert_eq!(masks.len(), sequence.len());
    }

    #[test]
    fn runs_are_the_same_probes() {
        for budget in [1, 2, 3, 100, 2048, 8192, MAX_LOOKUP_BUDGET] {
            let masks = FlipMasks::new(budget);
            let of_run = |run: Run| LOWER_SETS[..run.length].iter().map(move |lower| FlipMask(run.upper.0 | lower.0));
            let mut of_runs: Vec<_> = masks.runs.iter().copied().flat_map(of_run).collect();
            of_runs.sort_unstable_by_key(|mask| mask.place());
            assert_eq!(of_runs, masks.sequence);
        }
    }
}
