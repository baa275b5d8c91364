//! The coefficients, from which a hash and the reliabilities of its bits are made.

use serde::{Deserialize, Serialize};

use super::dct;
use super::dihedral::{self, Orientation};
use super::hash::PdqHash;
use super::luma64::{CORNER, Luma64};

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
/// The hash has one bit per coefficient: 1 if the coefficient is above the median. The farther a coefficient is from
/// the median, the more reliable is its bit. Lookups flip the least reliable bits first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficients {
    values: Vec<f32>,
}

impl Coefficients {
    /// Computes the coefficients of a reduced picture by a DCT.
    #[must_use]
    pub fn of(small: &Luma64) -> Self {
        Self { values: dct::corner(small).to_vec() }
    }

    /// Returns the coefficients of the turned or mirrored picture. Flips signs and transposes, so no pixels are needed.
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
