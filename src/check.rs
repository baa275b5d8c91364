//! Checks a file in two stages, from its bytes to a verdict.
//!
//! [`fingerprint`](fn@fingerprint) reads hostile bytes and knows no filter. [`look_up`] knows the filters and never
//! sees the bytes. In the browser they run in different workers. [`check`](fn@check) does both.

pub mod film;
mod fingerprint;
mod lookup;
mod orientations;
mod reason;
mod search;
mod verdict;

pub use fingerprint::{Failure, Fingerprint, FrameHashes, ImageHashes, Reading, StreamingFingerprint, fingerprint};
pub use lookup::{Lookup, check, look_up, wanted};
pub use orientations::Orientations;
pub use reason::UncheckedReason;
pub use search::{Dismissed, MAX_DISMISSED};
pub use verdict::{Match, MatchedSignal, Outcome, PdqMatch, Strength, Verdict};
