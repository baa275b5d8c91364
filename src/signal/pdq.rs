//! PDQ, the perceptual hash: 256 bits from the low frequencies of a 64x64 luma picture.
//!
//! Source: Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (2019), and the
//! reference implementation in facebook/threatexchange, `pdq/cpp/hashing`. The hash and the quality are those of the
//! reference at full size, without its scaling to 512 pixels.

mod coefficients;
mod dct;
mod dihedral;
mod hash;
mod luma64;
mod quality;
mod tent;

pub use coefficients::{Coefficients, hash_of_margins};
pub use dihedral::Orientation;
pub use hash::PdqHash;
pub use luma64::{CORNER, Luma64, MIN_QUALITY, MIN_SIDE, SIDE};
pub use quality::quality;
pub(crate) use tent::{HAS_VECTORS, TermSum};
pub use tent::{Luma, LumaBuilder, Plane, Window};
