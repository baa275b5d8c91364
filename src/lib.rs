//! hashgate checks a picture against Bloom filters of known hashes before it is uploaded.
//!
//! Data goes one way: bytes -> luma ([`image`]) -> PDQ and digests ([`pdq`], [`digest`]) -> views
//! and ring keys ([`views`], [`keys`]) -> filter ([`filter_file`]) -> [`Verdict`]. A filter comes as
//! a signed [`release`]. The crate is pure: bytes in, values out; no clock, file, network, randomness or printing, and the same
//! results on every platform.

pub mod check;
#[cfg(feature = "build")]
pub mod confirm;
pub mod filter;
#[cfg(test)]
mod generated;
pub mod image;
pub mod release;
pub mod signal;

pub use check::fingerprint::{Failure, Fingerprint, ImageHashes, StreamingFingerprint, fingerprint};
pub use check::lookup::{Dismissed, Lookup, MAX_DISMISSED, Orientations, check, look_up, wanted};
pub use check::reason::UncheckedReason;
pub use check::verdict::{self, Match, Outcome, Verdict};
#[cfg(feature = "build")]
pub use confirm::index;
pub(crate) use filter::bloom;
pub use filter::file as filter_file;
pub use filter::file::{Filter, FilterError, FilterInfo};
pub use filter::ring_keys as keys;
pub use image::Limits;
pub use signal::views::ViewSet;
pub use signal::{Wanted, digest, hex, pdq, views};
