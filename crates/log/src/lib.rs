//! The public log of a list's releases, as C2SP's `tlog` specifications define it: the owner of a list writes the log
//! as static files ([`publish`]), witnesses cosign it ([`witness`]), and monitors watch it ([`monitor`], [`compare`]).
//!
//! The code that verifies a proof is not here but in the core (`hashgate::release::log`).

mod ask;
pub mod compare;
mod durable;
mod folder;
mod history;
pub mod monitor;
mod page;
pub mod policy;
pub mod publish;
mod source;
pub mod tiles;
pub mod tree;
pub mod witness;
pub mod witness_command;

pub use folder::LogFolder;
