//! Draws pictures, breaks files and numbers hashes, for tests, benchmarks, fuzzers and the demo. No other place of the
//! repository does this.
//!
//! Everything is made from a seed, so that it is the same on every machine and on every run.

#![expect(missing_docs, clippy::missing_panics_doc, reason = "used by this repository's own programs alone")]

pub mod film;
pub mod heif;
pub mod hostile;
pub mod hostile_film;
pub mod jpeg;
mod photograph;
mod random;

use hashgate::digest::Sha256Digest;
use hashgate::pdq::PdqHash;

pub use photograph::photograph;
pub use random::Random;

/// Returns the `n`-th hash of an endless list of hashes that resemble no picture: the SHA-256 of `n`.
#[must_use]
pub fn numbered_hash(n: u32) -> PdqHash {
    PdqHash(Sha256Digest::of(&n.to_le_bytes()).0)
}
