//! PDQ, the perceptual hash: 256 bits from the low frequencies of a 64x64 luma picture.
//!
//! Source: Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm"
//! (2019), and the reference implementation in facebook/threatexchange, `pdq/cpp/hashing`. The
//! hash and the quality are the reference's, at full size (no 512-pixel pre-scaling).

mod dct;
mod dihedral;
mod tent;

use std::fmt;

use serde::{Deserialize, Serialize};
use wide::{f32x4, i32x4};

pub use dihedral::Orientation;
pub use tent::{Luma, LumaBuilder, Plane, Window};

use super::hex;
use crate::refusal::Refusal;

/// Side of the filtered luma picture that PDQ transforms.
pub const SIDE: usize = 64;
/// Side of the corner of the transform that PDQ keeps.
pub const CORNER: usize = 16;
/// PDQ hashes of this quality or more can be compared; below it they say nothing (the
/// reference's own recommendation).
pub const MIN_QUALITY: u8 = 50;
/// Below this many pixels on a side the reference gives the zero hash and quality 0
/// (`MIN_HASHABLE_DIM`).
pub const MIN_SIDE: u32 = 5;

/// A filtered 64x64 luma picture, row by row, values 0 to 255.
pub type Luma64 = [f32; SIDE * SIDE];

/// A 256-bit PDQ hash. Bytes in the order in which the reference prints them: bit `i * 16 + j` of
/// the transform's corner (row `i`, column `j`) is bit `(i * 16 + j) % 8` of byte
/// `31 - (i * 16 + j) / 8`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PdqHash(pub [u8; 32]);

impl PdqHash {
    /// The bit that stands for row `index / 16` and column `index % 16` of the corner.
    #[must_use]
    pub fn bit(&self, index: usize) -> bool {
        self.0[31 - index / 8] >> (index % 8) & 1 == 1
    }

    /// Inverts the bit that stands for row `index / 16` and column `index % 16` of the corner.
    pub(crate) fn flip(&mut self, index: usize) {
        self.0[31 - index / 8] ^= 1 << (index % 8);
    }

    /// The number of bits, 0 to 256, in which two hashes differ (Hamming distance).
    #[must_use]
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}

impl std::str::FromStr for PdqHash {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::parse("PDQ hash", text).map(Self)
    }
}

impl fmt::Display for PdqHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for PdqHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PdqHash({self})")
    }
}

/// The reference's image-domain quality of a filtered picture, 0 to 100: a count of gradients.
#[must_use]
pub fn quality(small: &Luma64) -> u8 {
    const HUNDRED: f32x4 = f32x4::new([100.0; 4]);
    const WHITE: f32x4 = f32x4::new([255.0; 4]);
    // The reference truncates each hundredth of a gradient to an integer before it sums.
    let step = |u: f32x4, v: f32x4| (((u - v) * HUNDRED) / WHITE).abs().trunc_int();
    let (rows, _) = small.as_chunks::<SIDE>();
    let mut sums = i32x4::ZERO;
    for (y, row) in rows.iter().enumerate() {
        // The last column has no neighbour, so it is its own.
        let mut beside = *row;
        beside.copy_within(1.., 0);
        let below = rows.get(y + 1).unwrap_or(row);
        for (here, (beside, below)) in
            row.as_chunks().0.iter().zip(beside.as_chunks().0.iter().zip(below.as_chunks().0))
        {
            let here = f32x4::new(*here);
            sums += step(here, f32x4::new(*below)) + step(here, f32x4::new(*beside));
        }
    }
    let sum: i32 = sums.to_array().iter().sum();
    (sum / 90).min(100) as u8
}

/// The 16x16 low-frequency corner of a picture's DCT, row by row, in the picture's orientation.
///
/// The hash is one bit a coefficient: above the median or not. How far a coefficient is from the
/// median says how reliable its bit is, which is what soft probing works with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficients {
    values: Vec<f32>,
}

impl Coefficients {
    /// Transforms a filtered picture.
    #[must_use]
    pub fn of(small: &Luma64) -> Self {
        Self { values: dct::corner(small).to_vec() }
    }

    /// The same picture turned or mirrored: sign flips and a transposition, no pixels.
    #[must_use]
    pub fn oriented(&self, orientation: Orientation) -> Self {
        Self { values: dihedral::apply(&self.values, orientation) }
    }

    /// The coefficients less their median: positive where the hash has a 1.
    #[must_use]
    pub fn margins(&self) -> [f32; CORNER * CORNER] {
        let mut sorted = [0.0; CORNER * CORNER];
        sorted.copy_from_slice(&self.values);
        // The reference's median (Torben's method) is the lower of the two middle values.
        let (_, &mut median, _) = sorted.select_nth_unstable_by(CORNER * CORNER / 2 - 1, f32::total_cmp);
        let mut margins = [0.0; CORNER * CORNER];
        for (margin, value) in margins.iter_mut().zip(&self.values) {
            *margin = value - median;
        }
        margins
    }

    /// The PDQ hash.
    #[must_use]
    pub fn hash(&self) -> PdqHash {
        hash_of_margins(&self.margins())
    }

    /// False if a value is missing or not a number, which only a forged or damaged message can
    /// bring about.
    pub(crate) fn is_sound(&self) -> bool {
        self.values.len() == CORNER * CORNER && self.values.iter().all(|value| value.is_finite())
    }
}

/// The hash whose bits are the signs of `margins`.
#[must_use]
pub fn hash_of_margins(margins: &[f32; CORNER * CORNER]) -> PdqHash {
    let mut hash = PdqHash([0; 32]);
    for (index, &margin) in margins.iter().enumerate() {
        if margin > 0.0 {
            hash.flip(index);
        }
    }
    hash
}
