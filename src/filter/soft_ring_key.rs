//! A ring key that is to be looked up, with the reliabilities of its bits.

use super::flip_masks::{FLIPPABLE, FlipMask};
use super::ring_keys::{QUARTER_BITS, lowest, position};
use crate::signal::pdq::CORNER;

/// A ring key that is to be looked up, and its least reliable bits.
pub(crate) struct SoftRingKey {
    /// The ring, 0 to 3.
    pub ring: u32,
    /// The ring key.
    pub key: u64,
    /// The numbers of the key's least reliable bits, the least reliable first.
    pub weakest: [u8; FLIPPABLE],
}

impl SoftRingKey {
    /// Makes the ring key of ring `ring` (0 to 3), of `bits` bits, from a picture's margins (`Coefficients::margins`).
    pub fn new(margins: &[f32; CORNER * CORNER], ring: u32, bits: u32) -> Self {
        let mut key = 0;
        // Edits change low frequencies more than high ones, roughly with the root of the wavelength. So the reliability
        // of a bit is its margin times the root of its frequency. The reliability's float bits and the bit number are
        // put into one integer, because the bits of positive floats sort as the floats do. Of equal reliabilities, the
        // lower bit number comes first.
        let mut by_reliability: [u64; QUARTER_BITS] = std::array::from_fn(|bit| {
            let position = position(ring, bit as u8);
            let margin = margins[position];
            key |= u64::from(margin > 0.0) << bit;
            let frequency = (position / CORNER).max(position % CORNER) + 1;
            let reliability = margin.abs() * (frequency as f32).sqrt();
            u64::from(reliability.to_bits()) << 8 | bit as u64
        });
        by_reliability[bits as usize..].fill(u64::MAX);
        by_reliability.select_nth_unstable(FLIPPABLE - 1);
        by_reliability[..FLIPPABLE].sort_unstable();
        Self { ring, key: lowest(key, bits), weakest: std::array::from_fn(|rank| by_reliability[rank] as u8) }
    }

    /// Yields the numbers of the key's bits that a mask flips.
    pub fn flips(&self, mask: FlipMask) -> impl Iterator<Item = u8> + '_ {
        let mut left = mask.0;
        std::iter::from_fn(move || {
            let rank = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            self.weakest.get(rank as usize).copied()
        })
    }

    /// Returns the mask that turns this ring key into `key`, which must differ in no other bits than `weakest`.
    pub fn mask_to(&self, key: u64) -> FlipMask {
        let flipped = self.key ^ key;
        FlipMask((0..FLIPPABLE).fold(0, |ranks, rank| ranks | ((flipped >> self.weakest[rank] & 1) as u32) << rank))
    }
}
