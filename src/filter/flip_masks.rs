//! Flip masks: the sets of bits that lookups flip in a ring key, and the order in which they are tried.
//!
//! A filter only says whether it holds exactly this ring key. But the hash of an edited copy differs in a few bits from
//! the listed hash. These are nearly always the bits whose coefficients lie nearest the median, the least reliable
//! bits. So a check also looks up the picture's ring key with sets of its least reliable bits flipped, the most
//! plausible set first. This is query-directed multi-probe LSH (Lv et al., VLDB 2007) with the reliabilities of
//! soft-decision decoding (Chase, 1972).

use std::sync::LazyLock;

/// Number of bits of a ring key that flip masks can flip: its 24 least reliable.
pub(crate) const FLIPPABLE: usize = 24;
/// Largest number of flip masks that a filter may ask for per ring key.
pub const MAX_LOOKUP_BUDGET: u32 = 1 << 16;

/// A set of ranks to flip. Bit `r` stands for the ring key's bit of rank `r + 1`; rank 1 is the least reliable bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlipMask(pub u32);

impl FlipMask {
    /// Number of bits that the mask flips.
    pub fn flips(self) -> u32 {
        self.0.count_ones()
    }

    /// The sum of the flipped ranks. Masks are tried in the order of their costs.
    pub fn cost(self) -> u32 {
        (0..FLIPPABLE as u32).filter(|rank| self.0 >> rank & 1 == 1).map(|rank| rank + 1).sum()
    }

    /// The mask's place in the order of masks: by cost, then by number of flips, then by bit pattern. No two masks have
    /// the same place.
    pub fn place(self) -> u64 {
        u64::from(self.cost()) << 40 | u64::from(self.flips()) << 32 | u64::from(self.0)
    }
}

/// Sorts masks by their places. The places are sorted as `u64`, like everything that lookups sort, so that the wasm has
/// code for one sorting routine only.
fn sort(masks: &mut [FlipMask]) {
    let mut places: Vec<_> = masks.iter().map(|mask| mask.place()).collect();
    places.sort_unstable();
    for (mask, place) in masks.iter_mut().zip(places) {
        *mask = FlipMask(place as u32);
    }
}

/// The `budget` cheapest flip masks, twice: in the order in which they are tried, and grouped into runs.
#[derive(Debug, Clone)]
pub(crate) struct FlipMasks {
    /// The masks in the order in which they are tried, the cheapest first.
    pub sequence: Vec<FlipMask>,
    /// The same masks, grouped by their ranks above [`LOWER`]. What these ranks change in the hash is computed once per
    /// run.
    pub runs: Vec<Run>,
}

/// Masks that share their ranks above [`LOWER`].
///
/// Their lower ranks are the first `length` masks of [`LOWER_MASKS`], without a gap. The reason is that masks with the
/// same upper ranks are tried in the order of their lower ranks in [`LOWER_MASKS`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// The shared upper ranks.
    pub upper: FlipMask,
    /// Number of masks in the run.
    pub length: usize,
}

/// Number of lowest ranks in which the masks of a run differ. All masks of a run have the same ranks above these.
pub(crate) const LOWER: usize = 8;

/// All masks that flip only ranks up to [`LOWER`], in the order in which masks are tried.
pub(crate) static LOWER_MASKS: LazyLock<[FlipMask; 1 << LOWER]> = LazyLock::new(|| {
    let mut masks = std::array::from_fn(|mask| FlipMask(mask as u32));
    sort(&mut masks);
    masks
});

impl FlipMasks {
    /// Groups the first masks of the [`mask_sequence`].
    pub fn new(sequence: &[FlipMask]) -> Self {
        let mut uppers: Vec<_> = sequence.iter().map(|mask| u64::from(mask.0 >> LOWER)).collect();
        uppers.sort_unstable();
        let run = |same: &[u64]| Run { upper: FlipMask((same[0] as u32) << LOWER), length: same.len() };
        let runs = uppers.chunk_by(|a, b| a == b).map(run).collect();
        Self { sequence: sequence.to_vec(), runs }
    }
}

/// Returns the cheapest `budget` masks in the order in which they are tried. The order doesn't depend on the picture.
/// The first mask flips nothing.
pub(crate) fn mask_sequence(budget: u32) -> Vec<FlipMask> {
    /// Collects every set of different ranks that are at most `largest` and add up to `sum`. Each set is merged with
    /// the ranks in `chosen`.
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
    fn masks_come_cheapest_first_and_none_comes_twice() {
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
    fn runs_are_the_same_masks() {
        for budget in [1, 2, 3, 100, 2048, 8192, MAX_LOOKUP_BUDGET] {
            let masks = FlipMasks::new(&mask_sequence(budget));
            let of_run = |run: Run| LOWER_MASKS[..run.length].iter().map(move |lower| FlipMask(run.upper.0 | lower.0));
            let mut of_runs: Vec<_> = masks.runs.iter().copied().flat_map(of_run).collect();
            of_runs.sort_unstable_by_key(|mask| mask.place());
            assert_eq!(of_runs, masks.sequence);
        }
    }
}
