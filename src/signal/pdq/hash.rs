//! The PDQ hash as a value: its text form, its bits, and distances.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::signal::hex;

/// A 256-bit PDQ hash.
///
/// The bytes are in the order in which Meta's reference prints them: the coefficient in row `i` and column `j` has bit
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
    /// Returns the bit of the coefficient in row `index / 16` and column `index % 16`.
    #[must_use]
    pub fn bit(&self, index: usize) -> bool {
        self.0[31 - index / 8] >> (index % 8) & 1 == 1
    }

    /// Inverts the bit of the coefficient in row `index / 16` and column `index % 16`.
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
