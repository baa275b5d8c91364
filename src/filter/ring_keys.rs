//! Ring keys: the first 52 to 64 bits of each of the four quarters of a PDQ hash, lowest frequencies first.
//!
//! A filter holds the first one to four ring keys of each listed hash. A ring key is found if all its bits are right at
//! once. So the shorter it is, the more edited copies are found by as many lookups, and the more clean pictures have a
//! listed ring key by chance. A filter takes as many bits as its list needs (`docs/explanation/near-match.md`).

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::signal::pdq::{CORNER, PdqHash};

/// Number of quarters that a hash is cut into, each of which has a ring key.
pub const MAX_RINGS: u32 = 4;
/// Bits in a quarter of a hash.
pub(crate) const QUARTER_BITS: usize = 64;
/// Numbers of bits that the ring keys of a filter may have.
pub const RING_KEY_BITS: RangeInclusive<u32> = 52..=QUARTER_BITS as u32;

/// The hash's bits in the order of the quarters: bit `b` of quarter `r` is the hash's bit at index `ORDER[64 * r + b]`.
///
/// The index of row `i` and column `j` of the coefficients is `i * 16 + j`. The indices are sorted by `max(i, j)`, then
/// `i + j`, then `i`, so that low frequencies come first.
static ORDER: LazyLock<[u8; CORNER * CORNER]> = LazyLock::new(|| {
    let mut order: [u64; CORNER * CORNER] = std::array::from_fn(|index| {
        let (i, j) = (index / CORNER, index % CORNER);
        ((i.max(j) << 16 | (i + j) << 8) | index) as u64
    });
    order.sort_unstable();
    order.map(|place| place as u8)
});

/// Returns the index in the hash (as in [`PdqHash::bit`]) of bit `bit` of quarter `ring`, and so of ring key `ring`.
pub(crate) fn position(ring: u32, bit: u8) -> usize {
    usize::from(ORDER[ring as usize * QUARTER_BITS + usize::from(bit)])
}

/// Returns quarter `ring` (0 to 3) of a hash. Its lowest bits are the ring key.
pub(crate) fn quarter(hash: &PdqHash, ring: u32) -> u64 {
    (0..QUARTER_BITS as u8).fold(0, |bits, bit| bits | u64::from(hash.bit(position(ring, bit))) << bit)
}

/// Returns the lowest `bits` bits of a quarter.
pub(crate) fn lowest(quarter: u64, bits: u32) -> u64 {
    quarter & u64::MAX >> (u64::BITS - bits)
}

/// Returns ring key `ring` (0 to 3) of a hash, of `bits` bits ([`RING_KEY_BITS`]).
///
/// # Panics
/// If `ring` is 4 or more, or `bits` is 0 or more than 64.
///
/// # Examples
/// ```
/// use hashgate::filter::ring_key;
/// use hashgate::pdq::PdqHash;
///
/// // The bit of the lowest frequency is bit 0 of ring key 0. It is printed last.
/// let hash: PdqHash = "0000000000000000000000000000000000000000000000000000000000000001".parse()?;
/// assert_eq!(ring_key(&hash, 0, 60), 1);
/// assert_eq!(ring_key(&hash, 1, 60), 0);
/// # Ok::<(), hashgate::Refusal>(())
/// ```
#[must_use]
pub fn ring_key(hash: &PdqHash, ring: u32, bits: u32) -> u64 {
    lowest(quarter(hash, ring), bits)
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
    fn the_four_quarters_are_the_whole_hash() {
        let hash: PdqHash = "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3fa".parse().unwrap();
        let ones: u32 = (0..MAX_RINGS).map(|ring| quarter(&hash, ring).count_ones()).sum();
        assert_eq!(ones, hash.distance(&PdqHash([0; 32])));
    }

    #[test]
    fn a_ring_key_leaves_out_the_highest_frequencies_of_its_quarter() {
        let mut hash = PdqHash([0; 32]);
        [(5, 7), (6, 7), (7, 5), (7, 6), (7, 7)].iter().for_each(|(row, column)| hash.flip(row * CORNER + column));
        assert_eq!((ring_key(&hash, 0, 60), quarter(&hash, 0)), (1 << 59, 0b11111 << 59));
    }
}
