//! Reads pictures: turns a file's bytes into the luma of its frames, within limits.
//!
//! [`read`] takes a whole file, [`StreamingDecoder`] a file that arrives in pieces, and [`BrowserPicture`] the pixels
//! that a browser decoded. This file only declares modules. The types that all share are in `format`, `error`,
//! `limits`, `caveat` and `picture`. The decoders use these types, and `dispatch` and `stream` choose among the
//! decoders.

mod animation;
mod bmp;
mod browser;
mod caveat;
mod complete;
mod dispatch;
mod error;
mod format;
mod gif;
mod ico;
mod jpeg;
mod limits;
#[cfg(any(feature = "heic", feature = "jxl"))]
mod own_decoder;
mod picture;
mod png;
mod profile;
mod sample;
mod sniff;
mod stream;
mod surfaces;
mod svg;
mod text;
#[cfg(feature = "tiff")]
mod tiff;
mod webp;

pub use browser::{BrowserPicture, browser_format, check_declared_size, read_rgba};
pub use caveat::{Caveat, NotOrdinary};
pub use dispatch::{not_a_picture, read, read_fully};
pub use error::IntakeError;
pub use format::Format;
pub use limits::Limits;
pub use picture::{DecodedBy, Frame, Picture, Surface};
pub use sniff::{FilmKind, film_kind};
pub use stream::StreamingDecoder;
