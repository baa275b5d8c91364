//! The subcommands, one per file. `serve` is in the crate `hashgate-server`, `witness`, `monitor` and `compare` in
//! `hashgate-log`, `eval` and `simulate` in `hashgate-lab`.

pub mod build;
pub mod check;
pub mod clean;
pub mod cosign;
pub mod diff;
pub mod hash;
pub mod help;
pub mod inspect;
pub mod keygen;
pub mod logged;
pub mod publish;
pub mod shell;
pub mod verify;
