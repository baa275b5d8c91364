//! hashgate checks a picture against Bloom filters of known hashes before it is uploaded.

pub mod check;
#[cfg(feature = "build")]
pub mod confirm;
pub mod filter;
#[cfg(test)]
mod generated;
pub mod image;
mod refusal;
pub mod release;
pub mod signal;

pub use check::{
    Dismissed, Failure, Fingerprint, FrameHashes, ImageHashes, Lookup, MAX_DISMISSED, Match, MatchedSignal,
    Orientations, Outcome, PdqMatch, Reading, StreamingFingerprint, Strength, UncheckedReason, Verdict, check,
    fingerprint, look_up, wanted,
};
pub use filter::{Filter, FilterInfo};
pub use image::Limits;
pub use refusal::{Refusal, RefusalCode};
pub use signal::{View, ViewSet, Wanted, digest, pdq, views};
