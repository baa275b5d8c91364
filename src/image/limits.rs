//! Limits on the size of pictures, and on the memory that decoding may take.

use super::error::{IntakeError, unreadable};
use super::format::Format;
use crate::setters::setters;

/// The largest pictures that are read. A decoder compares a file's header with the limits before it allocates memory.
///
/// # Examples
/// ```
/// use hashgate::Limits;
/// use hashgate::image::{IntakeError, read};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/png-rgb-8.png");
/// let small = Limits::default().with_max_width(50).with_max_height(50);
/// let error = read(&std::fs::read(path)?, &small).unwrap_err();
/// assert_eq!(error.to_string(), "width in pixels: expected at most 50, got 72");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Limits {
    /// Largest width of a picture in pixels. Default 65,535.
    pub max_width: u32,
    /// Largest height of a picture in pixels. Default 65,535.
    pub max_height: u32,
    /// Largest number of pixels in a frame. Default 150,000,000.
    pub max_pixels: u64,
    /// Most bytes of pixels and coefficients that a decoder may hold at once. Default 1,073,741,824 (1 GiB).
    pub max_alloc: u64,
    /// Most frames of an animation that are looked up, in all formats that have frames. Default 256. Every frame is
    /// decoded; of frames that look alike only one is looked up. If more frames than this differ, the least different
    /// ones are left out, and the verdict has the caveat `frames-sampled`.
    pub max_frames: u32,
    /// Most pixels, summed over the frames of an animation, that are decoded and hashed. Default 250,000,000. Frames
    /// beyond that are not checked, so the file is `unchecked` with `too-large` unless an earlier frame matches.
    pub max_animation_pixels: u64,
}

setters! {
    Limits {
        with_max_width, max_width: u32;
        with_max_height, max_height: u32;
        with_max_pixels, max_pixels: u64;
        with_max_alloc, max_alloc: u64;
        with_max_frames, max_frames: u32;
        with_max_animation_pixels, max_animation_pixels: u64;
    }
}

impl Default for Limits {
    /// The default of each field. A photograph of 100 megapixels passes.
    fn default() -> Self {
        Self {
            max_width: 65_535,
            max_height: 65_535,
            max_pixels: 150_000_000,
            max_alloc: 1 << 30,
            max_frames: 256,
            max_animation_pixels: 250_000_000,
        }
    }
}

pub(super) fn at_most(field: &str, got: u64, limit: u64) -> Result<(), IntakeError> {
    if got <= limit { Ok(()) } else { Err(IntakeError::TooLarge { field: field.into(), limit, got }) }
}

/// Returns an error if a picture's declared size is zero or above a limit.
pub(super) fn check_size(format: Format, width: u32, height: u32, limits: &Limits) -> Result<(), IntakeError> {
    if width == 0 || height == 0 {
        return Err(unreadable(format, format!("it is {width} x {height} pixels")));
    }
    at_most("width in pixels", width.into(), limits.max_width.into())?;
    at_most("height in pixels", height.into(), limits.max_height.into())?;
    at_most("number of pixels", u64::from(width) * u64::from(height), limits.max_pixels)
}

/// Returns an error if a decoder would allocate more bytes than the limit.
pub(super) fn check_alloc(bytes: u64, limits: &Limits) -> Result<(), IntakeError> {
    at_most("bytes of memory to decode it", bytes, limits.max_alloc)
}

/// Returns an error if a file is too short for the size that it declares, so that a few bytes can't make a decoder
/// allocate much memory. Pictures of up to 16 megapixels pass, because buffers of that size do no harm.
pub(super) fn check_plausible(
    format: Format,
    pixels: u64,
    pixels_per_byte: u64,
    length: usize,
) -> Result<(), IntakeError> {
    let (expected, got) = (pixels / pixels_per_byte, length as u64);
    if pixels > 1 << 24 && got < expected {
        let message = format!("length in bytes: expected at least {expected} for {pixels} pixels, got {got}");
        return Err(unreadable(format, message));
    }
    Ok(())
}

/// A streaming decoder reads a file while it arrives only if the pixels begin within this many bytes. It collects any
/// other file and reads it at the end.
pub(super) const HEAD: usize = 1 << 20;
