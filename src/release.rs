//! Releases of a list. Verifies who signed a release, whether it is current, and whether downloaded files are the ones
//! that the release names.
//!
//! A release is a manifest (a signed text) and the files that it names: the filter file, and deltas from earlier filter
//! files. Trust only a manifest that [`Manifest::verify`] returned.

mod delta;
mod grammar;
pub mod log;
mod manifest;
mod note;
#[cfg(feature = "build")]
pub mod sign;
mod trust;

pub use grammar::MAX_LINES;
pub use manifest::{DeltaFile, FullFile, MAX_AHEAD_S, Manifest};
pub use note::MAX_MANIFEST_BYTES;
pub use trust::Trust;
