//! Releases of a list: who signed one, whether it is current, and whether the bytes at hand are those that it names.
//!
//! A release is a manifest (a signed text) and the files that it names: the filter file, and deltas from earlier filter
//! files. [`Manifest::verify`] is the only way to a manifest whose content counts.

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
