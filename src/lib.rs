//! hashgate checks a picture against Bloom filters of known hashes before it is uploaded.
//!
//! Data goes one way: bytes -> luma ([`image`]) -> PDQ and digests ([`pdq`], [`digest`]) -> views
//! and ring keys ([`views`], [`keys`]) -> filter ([`filter_file`]) -> [`verdict`]. A filter comes as
//! a signed [`release`]. The crate is pure: bytes in, values out; no clock, file, network, randomness or printing, and the same
//! results on every platform.

mod bloom;
pub mod digest;
pub mod filter_file;
pub mod hex;
pub mod image;
#[cfg(feature = "build")]
pub mod index;
pub mod keys;
pub mod pdq;
pub mod release;
pub mod verdict;
pub mod views;

pub use filter_file::{Filter, FilterError, FilterInfo};
pub use image::Limits;
pub use verdict::{Fingerprint, Orientations, Report, Verdict, Wanted, check, fingerprint, probe};
pub use views::ViewSet;
