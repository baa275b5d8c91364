//! Films, decoded by the `ffmpeg` of the system: which frames are taken, what they hash to, and how they are looked up.

mod cover;
mod ffmpeg;
mod index;
mod listed;
mod log;
mod look;
mod motion;
mod process;

pub use cover::{Chosen, Every, choose, shared};
pub use ffmpeg::{Ffmpeg, PASS_LIMIT, Stage, TakenFrame, input};
pub use index::{FilmFile, Findings};
pub use listed::{ListFrames, frames_for_list};
pub use look::look;
pub use motion::{Motion, Part};
