//! The signals that identify a picture: PDQ hashes of its views, and digests of its bytes.

pub mod digest;
mod hex;
pub mod pdq;
#[cfg(feature = "build")]
pub mod variants;
pub mod views;
mod wanted;

pub use views::{View, ViewSet};
pub use wanted::Wanted;
