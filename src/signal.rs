//! What identifies a picture or a file: PDQ hashes, views and digests.

pub mod digest;
pub mod hex;
pub mod pdq;
pub mod views;
