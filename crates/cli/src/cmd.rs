//! The subcommands, one per file. `serve` is in the crate `hashgate-server`, `eval` and `simulate` in `hashgate-lab`.

pub mod build;
pub mod check;
pub mod clean;
pub mod cosign;
pub mod diff;
pub mod hash;
pub mod inspect;
pub mod keygen;
pub mod publish;
pub mod verify;
