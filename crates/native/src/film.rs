//! Decodes films with the system's `ffmpeg`, chooses frames of them, and hashes these frames.

mod cover;
mod ffmpeg;

pub use cover::{Chosen, Every, choose, shared};
pub use ffmpeg::{Ffmpeg, Stage, TakenFrame};
