//! Filters of listed hashes: the filter file, the Bloom filter in it, and the lookup of a ring key.

mod bloom;
#[cfg(feature = "build")]
pub mod build;
mod file;
mod flip_masks;
pub(crate) mod header;
mod ring_keys;
mod soft_ring_key;
pub(crate) mod text;

pub use file::Filter;
pub use flip_masks::MAX_LOOKUP_BUDGET;
pub use header::{FilterInfo, RATE_UNIT, VERSION};
pub(crate) use ring_keys::position;
pub use ring_keys::{MAX_RINGS, RING_KEY_BITS, ring_key};
#[cfg(feature = "build")]
pub(crate) use ring_keys::{lowest, quarter};
pub(crate) use soft_ring_key::SoftRingKey;
#[cfg(feature = "build")]
pub use text::{MAX_TEXT, is_invisible, is_plain_text};
