//! Which decoder reads a file.

use super::error::{IntakeError, unreadable};
use super::format::Format;
use super::limits::Limits;
use super::picture::Picture;
#[cfg(feature = "tiff")]
use super::tiff;
use super::{bmp, gif, jpeg, png, sniff, webp};

/// Reads a picture.
///
/// The pixels are the stored ones, neither turned by EXIF nor colour-managed, turned to RGB as
/// Pillow's `convert("RGB")` does; `docs/decode.md` has the details. A file that ends before its
/// picture does, or contradicts itself, is unreadable; bytes after the picture's end are ignored.
///
/// # Errors
/// [`IntakeError`] says whether the format, the size or the content stood in the way.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    match sniff::sniff(bytes)? {
        Format::Jpeg => jpeg::read(bytes, limits),
        format => read_as(format, bytes, limits),
    }
}

/// Reads a picture from every pixel of it, by the general decoders alone: what the fast path for JPEG is measured against.
///
/// # Errors
/// As [`read`].
pub fn read_fully(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    read_as(sniff::sniff(bytes)?, bytes, limits)
}

fn read_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    match format {
        Format::Jpeg => jpeg::read_fully(bytes, limits),
        Format::Png => png::read(bytes, limits),
        Format::Gif => gif::read(bytes, limits),
        Format::Webp => webp::read(bytes, limits),
        Format::Bmp => bmp::read(bytes, limits),
        #[cfg(feature = "tiff")]
        Format::Tiff => tiff::read(bytes, limits),
        _ => Err(unreadable(format, "no decoder of this build reads it")),
    }
}
