//! Deltas: which bits of a filter have changed between two releases of the same geometry
//! (`docs/reference/filter-format.md`).

mod header;
mod read;
mod slices;
#[cfg(feature = "build")]
mod write;

pub(super) use read::apply;
#[cfg(feature = "build")]
pub use write::{Delta, write};
