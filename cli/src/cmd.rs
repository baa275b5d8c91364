//! The subcommands, a file each.

pub mod build;
pub mod check;
pub mod eval;
pub mod hash;
pub mod inspect;
pub mod serve;
