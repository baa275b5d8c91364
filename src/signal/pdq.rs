//! PDQ, the perceptual hash: 256 bits from the low frequencies of a 64x64 luma picture.
//!
//! Source: Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (2019), and the reference
//! implementation in facebook/threatexchange, `pdq/cpp/hashing`. The hash and the quality are those of the reference at
//! full size, without its scaling to 512 pixels.

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
/// Lowest quality of a PDQ hash that can be compared, as the reference recommends. Below it, a hash says nothing.
pub const MIN_QUALITY: u8 = 50;
/// Smallest side in pixels of a picture with a hash. Below it, the reference gives the zero hash and quality 0
/// (`MIN_HASHABLE_DIM`).
pub const MIN_SIDE: u32 = 5;

/// A picture that was reduced to 64x64 values of luma by PDQ's filter, row by row, each 0 to 255.
pub type Luma64 = [f32; SIDE * SIDE];

/// A 256-bit PDQ hash.
///
/// The bytes are in the order in which the reference prints them: row `i`, column `j` of the transform's corner is bit
/// `(i * 16 + j) % 8` of byte `31 - (i * 16 + j) / 8`.
///
/// # Examples
/// ```
/// use hashgate::pdq::PdqHash;
///
/// let hash: PdqHash = "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3fa".parse()?;
/// let other: PdqHash = "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3f5".parse()?;
/// assert_eq!(hash.distance(&other), 4);
/// assert_eq!(hash.to_string(), "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3fa");
/// # Ok::<(), hashgate::Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PdqHash(pub [u8; 32]);

impl PdqHash {
    /// Returns the bit of row `index / 16` and column `index % 16` of the corner.
    #[must_use]
    pub fn bit(&self, index: usize) -> bool {
        self.0[31 - index / 8] >> (index % 8) & 1 == 1
    }

    /// Inverts the bit of row `index / 16` and column `index % 16` of the corner.
    pub(crate) fn flip(&mut self, index: usize) {
        self.0[31 - index / 8] ^= 1 << (index % 8);
    }

    /// Returns the Hamming distance of two hashes: the number of bits in which they differ, 0 to 256.
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

/// Returns the quality of a filtered picture, 0 to 100: a sum of its gradients, as in the reference.
#[must_use]
pub fn quality(small: &Luma64) -> u8 {
    const HUNDRED: f32x4 = f32x4::new([100.0; 4]);
    const WHITE: f32x4 = f32x4::new([255.0; 4]);
    // The reference truncates each gradient to a whole per cent of white before it sums them.
    let step = |u: f32x4, v: f32x4| (((u - v) * HUNDRED) / WHITE).abs().trunc_int();
    let (rows, _) = small.as_chunks::<SIDE>();
    let mut sums = i32x4::ZERO;
    for (y, row) in rows.iter().enumerate() {
        // The last column has no neighbour to its right, so it is compared with itself.
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

/// The 16x16 low-frequency corner of a picture's DCT, row by row.
///
/// # Examples
/// ```
/// use hashgate::pdq::{Coefficients, LumaBuilder, MIN_QUALITY, Orientation, quality};
///
/// // A picture of 64 x 64 random grey pixels.
/// let mut builder = LumaBuilder::new(64, 64);
/// let mut state = 1u32;
/// for y in 0..64 {
///     let row: Vec<u8> = (0..64).map(|_| { state = state.wrapping_mul(69_069).wrapping_add(1); (state >> 24) as u8 }).collect();
///     builder.push_grey(y, &row);
/// }
/// let luma = builder.finish();
/// assert!(quality(&luma.small) >= MIN_QUALITY);
/// let coefficients = Coefficients::of(&luma.small);
/// let turned = coefficients.oriented(Orientation::Rotate90);
/// assert!(coefficients.hash().distance(&turned.hash()) > 31, "turning changes the hash");
/// ```
///
/// # Reliability
///
/// The hash has one bit per coefficient: 1 if the coefficient is above the median. The farther a coefficient is from the
/// median, the more reliable is its bit. Lookups flip the least reliable bits first.
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

    /// Returns the coefficients of the picture turned or mirrored. This flips signs and transposes; it needs no pixels.
    #[must_use]
    pub fn oriented(&self, orientation: Orientation) -> Self {
        Self { values: dihedral::apply(&self.values, orientation) }
    }

    /// Returns the coefficients minus their median: positive where the hash has a 1.
    #[must_use]
    pub fn margins(&self) -> [f32; CORNER * CORNER] {
        let mut sorted = [0.0; CORNER * CORNER];
        sorted.copy_from_slice(&self.values);
        // The reference's median (by Torben's method) is the lower of the two middle values.
        let (_, &mut median, _) = sorted.select_nth_unstable_by(CORNER * CORNER / 2 - 1, f32::total_cmp);
        let mut margins = [0.0; CORNER * CORNER];
        for (margin, value) in margins.iter_mut().zip(&self.values) {
            *margin = value - median;
        }
        margins
    }

    /// Returns the PDQ hash.
    #[must_use]
    pub fn hash(&self) -> PdqHash {
        hash_of_margins(&self.margins())
    }

    /// Returns false if a value is missing or not finite, which happens only in a forged or damaged message.
    pub(crate) fn is_sound(&self) -> bool {
        self.values.len() == CORNER * CORNER && self.values.iter().all(|value| value.is_finite())
    }
}

/// Returns the hash whose bits are the signs of `margins`.
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
