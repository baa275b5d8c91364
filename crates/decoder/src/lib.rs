//! What the decoders of HEIC and JPEG XL share. Each decoder reads one format, is a wasm of its own in browsers and in
//! Node, and is linked into native builds.
//!
//! A decoder checks [`Limits`] before it allocates memory, and hands the rows of a picture to a [`Sink`].

mod error;
#[cfg(feature = "javascript")]
pub mod javascript;

pub use error::Error;

/// Rows that are handed over at a time.
pub const STRIP: usize = 64;

/// The largest pictures that are decoded.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest width in pixels.
    pub max_width: u32,
    /// Largest height in pixels.
    pub max_height: u32,
    /// Most pixels. At most four times as many are decoded: those of tiles or frames that reach beyond the picture.
    pub max_pixels: u64,
    /// Most bytes of samples in memory at once.
    pub max_alloc: u64,
}

/// What is known before the first row.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Bytes of a pixel: 1 (grey), 2 (grey, alpha), 3 (red, green, blue) or 4 (with alpha).
    pub channels: u32,
    /// The ICC profile, if the file has one.
    pub profile: Option<&'a [u8]>,
    /// Whether the file has further pictures in time, which aren't decoded.
    pub has_sequence: bool,
}

/// Takes a picture.
pub trait Sink {
    /// Begins the picture. Returns whether its rows are wanted.
    fn begin(&mut self, header: &Header<'_>) -> bool;
    /// Takes further rows from the top.
    fn rows(&mut self, samples: &[u8]);
}

/// Returns an error if a file asks for more than a limit.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn at_most(field: &'static str, got: u64, limit: u64) -> Result<(), Error> {
    if got <= limit { Ok(()) } else { Err(Error::TooLarge { field, limit, got }) }
}
