//! CABAC entropy decoding.

pub mod ctx;
mod engine;
mod tables;

pub use ctx::{NUM_CTX, off};
pub use engine::Cabac;
