//! The filter: its file, its Bloom filter, and how a PDQ hash is looked up in it.

pub(crate) mod bloom;
pub mod file;
pub mod ring_keys;
