//! The public log of releases. Verifies the proof that a release is in the log, so that all readers were given the same
//! release. Uses no network.
//!
//! A log is a list of manifests that only grows (a Merkle tree, RFC 6962), with a signed [`Checkpoint`] of its size and
//! root. Witnesses cosign a checkpoint if it continues the one that they cosigned before. A reader that asks for the
//! cosignatures of enough witnesses can't be shown another log than everybody else. Trust only a proof that
//! [`Logged::verify`] returned. The formats are C2SP's: `tlog-checkpoint`, `tlog-cosignature`, `tlog-proof`.

mod checkpoint;
pub mod merkle;
mod proof;
#[cfg(feature = "build")]
pub mod sign;
mod trust;

pub use checkpoint::Checkpoint;
#[cfg(feature = "build")]
pub use checkpoint::{line_by, read_unverified};
pub use proof::{Logged, MAX_PROOF_BYTES};
#[cfg(feature = "build")]
pub use proof::{checkpoint_of, write_proof};
pub use trust::LogTrust;
