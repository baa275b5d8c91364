//! How much is read of a file at most.

use super::error::{IntakeError, unreadable};
use super::format::Format;

/// What is read, at most. Checked against the file's header before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels from left to right.
    pub max_width: u32,
    /// Pixels from top to bottom.
    pub max_height: u32,
    /// Pixels in a frame.
    pub max_pixels: u64,
    /// Bytes of pixels and coefficients that a decoder may hold at once.
    pub max_alloc: u64,
    /// Frames of an animation that are looked up. Every frame is decoded; one that looks like another counts once. If
    /// more frames differ, those nearest to another are left out and the verdict says `frames-sampled`.
    pub max_frames: u32,
    /// Pixels of all of an animation's frames together that are decoded and hashed. What lies
    /// beyond is counted in [`Picture::frames_skipped`](super::Picture::frames_skipped).
    pub max_animation_pixels: u64,
}

impl Default for Limits {
    /// 65,535 pixels a side, 150 megapixels, 1 GiB, 256 frames out of 250 megapixels of animation.
    /// A 100-megapixel photograph passes.
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

/// Holds a picture's declared size against the limits.
pub(super) fn check_size(format: Format, width: u32, height: u32, limits: &Limits) -> Result<(), IntakeError> {
    if width == 0 || height == 0 {
        return Err(unreadable(format, format!("it is {width} x {height} pixels")));
    }
    at_most("width in pixels", width.into(), limits.max_width.into())?;
    at_most("height in pixels", height.into(), limits.max_height.into())?;
    at_most("number of pixels", u64::from(width) * u64::from(height), limits.max_pixels)
}

/// Holds what a decoder is going to allocate against the limit.
pub(super) fn check_alloc(bytes: u64, limits: &Limits) -> Result<(), IntakeError> {
    at_most("bytes of memory to decode it", bytes, limits.max_alloc)
}

/// Refuses a file that is too short for the size it declares, before anything is allocated for it.
/// Up to 16 megapixels go through: buffers of that size harm nobody.
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

/// Bytes at the start of a file in which a picture's pixels must begin for the file to be read while it arrives. Any
/// other file is collected first.
pub(super) const HEAD: usize = 1 << 20;
