//! Reads the index of a film: its video tracks, and where each frame lies in the file. Decodes nothing.
//!
//! It reads MP4, QuickTime, fragmented MP4, WebM and Matroska by slices, so the film is never held. The bytes are
//! hostile: the reader allocates nothing by a count that the file can't hold, and its time and memory are bounded by
//! the size of the file and by the limits in [`limits`].
//!
//! ```
//! use hashgate_film::{Film, FilmCode};
//!
//! let bytes: &[u8] = b"not a film";
//! let refusal = Film::open(bytes, bytes.len() as u64).err().unwrap();
//! assert_eq!(refusal.code, FilmCode::Kind);
//! ```

mod bytes;
mod codec;
mod film;
#[cfg(test)]
mod generated;
pub mod limits;
mod mkv;
mod model;
mod mp4;
mod refusal;
mod source;

pub use film::Film;
pub use model::{Container, FilmInfo, Sample, TrackInfo};
pub use refusal::{FilmCode, FilmRefusal};
pub use source::Source;
