//! Confirming a possible match by the raw list.

pub mod index;
