//! The subcommands, a file each.

pub mod build;
pub mod check;
pub mod cosign;
pub mod diff;
pub mod eval;
pub mod hash;
pub mod inspect;
pub mod keygen;
pub mod publish;
pub mod serve;
pub mod simulate;
pub mod verify;
