//! Films, decoded by the `ffmpeg` of the system: which frames are taken, and what they hash to.

mod cover;
mod ffmpeg;

pub use cover::{Chosen, Every, choose, shared};
pub use ffmpeg::{Ffmpeg, Stage, TakenFrame};
