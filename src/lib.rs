//! hashgate checks a picture against signed Bloom filters of known hashes before it is uploaded.
//!
//! Data goes one way: bytes -> luma ([`image`]) -> PDQ and digests ([`pdq`], [`digest`]) -> ring
//! keys and soft probes ([`keys`], [`views`]) -> filter ([`bloom`], [`filter_file`]) -> [`verdict`].
//! The crate is pure: bytes in, values out; no clock, file, network, randomness or printing.

pub mod digest;
pub mod hex;
pub mod image;
pub mod pdq;
