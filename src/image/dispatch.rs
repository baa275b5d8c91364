//! Chooses the decoder for a file.

use super::error::{self, IntakeError, unreadable};
use super::format::Format;
use super::limits::Limits;
#[cfg(any(feature = "heic", feature = "jxl"))]
use super::own_decoder;
use super::picture::{DecodedBy, Frame, Picture};
use super::sample::Sample;
#[cfg(feature = "tiff")]
use super::tiff;
use super::{bmp, gif, ico, jpeg, png, sniff, svg, webp};

/// Reads a picture.
///
/// The pixels are those that the file stores, converted to RGB as by Pillow's `convert("RGB")`. They are neither turned
/// by EXIF nor colour-managed. If a colour profile changes the colours, or if pixels are transparent, the picture has
/// further surfaces. Bytes after the picture's end are ignored. If a file ends before its picture does, the picture
/// holds the pixels that exist, and [`Picture::damaged`] is set.
///
/// # Errors
/// [`IntakeError`] says whether the content, the format, the size or damage stood in the way.
///
/// # Examples
/// ```
/// use hashgate::image::{IntakeError, Limits, read};
///
/// let error = read(b"%PDF-1.7", &Limits::default()).unwrap_err();
/// assert!(matches!(error, IntakeError::NotAPicture { .. }));
/// assert_eq!(error.to_string(), "expected a picture, got a PDF document");
/// ```
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    contained(|| match sniff::sniff(bytes)? {
        Format::Jpeg => jpeg::read(bytes, limits),
        Format::Webp => read_webp(bytes, webp::Depth::Luma, limits),
        format => read_as(format, bytes, limits),
    })
}

/// Returns the error of a file whose first 64 KiB show that it is not a picture; `None` if it may be a picture.
#[must_use]
pub fn not_a_picture(head: &[u8]) -> Option<IntakeError> {
    sniff::sniff(head).err().filter(|error| matches!(error, IntakeError::NotAPicture { .. }))
}

/// Reads every pixel of a picture with its colours, never by the low-terms or the luma-only decoder. Hashes for lists
/// are made in this way. It is also the reference with which those decoders are compared.
///
/// # Errors
/// As [`read`].
pub fn read_fully(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    contained(|| read_as(sniff::sniff(bytes)?, bytes, limits))
}

/// Turns a panic of a decoder into an error, so that one file can't end a batch of files. This has no effect in a build
/// that aborts on panics, such as the one for browsers.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, IntakeError>) -> Result<T, IntakeError> {
    if cfg!(panic = "abort") {
        return work();
    }
    // A decoder that panicked is dropped, so nothing uses its inconsistent state afterwards.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().map(ToString::to_string);
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(IntakeError::EngineFailed { message: message.unwrap_or_else(|| "no message".into()) })
    })
}

fn read_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    if matches!(format, Format::Gif | Format::Bmp | Format::Ico | Format::Svg | Format::Tiff) {
        error::needs_every_format(format)?;
    }
    match format {
        Format::Jpeg => jpeg::read_fully(bytes, limits),
        Format::Png => png::read(bytes, limits),
        Format::Gif => gif::read(bytes, limits),
        Format::Webp => read_webp(bytes, webp::Depth::Full, limits),
        Format::Bmp => bmp::read(bytes, limits),
        Format::Ico => ico::read(bytes, limits),
        Format::Svg => read_svg(bytes, limits),
        #[cfg(feature = "tiff")]
        Format::Tiff => tiff::read(bytes, limits),
        #[cfg(feature = "heic")]
        Format::Heic => own_decoder::read((format, DecodedBy::Heic), hashgate_heic::decode, bytes, limits),
        #[cfg(feature = "jxl")]
        Format::Jxl => own_decoder::read((format, DecodedBy::Jxl), hashgate_jxl::decode, bytes, limits),
        _ => Err(unreadable(format, "no decoder of this build reads it")),
    }
}

fn read_webp(bytes: &[u8], depth: webp::Depth, limits: &Limits) -> Result<Picture, IntakeError> {
    error::needs_every_format(Format::Webp)?;
    webp::read(bytes, depth, limits)
}

/// Reads the raster pictures that an SVG embeds. Sets [`Picture::damaged`], because the drawing itself isn't read: if
/// no raster picture matches, the SVG is unchecked.
fn read_svg(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let (files, more) = svg::embedded(bytes);
    let mut sample = Sample::new(&[], limits);
    let (mut size, mut count) = ((0, 0), 0);
    for file in files {
        let format = sniff::sniff(&file).ok().filter(|&format| format != Format::Svg);
        let Some(Ok(picture)) = format.map(|format| read_as(format, &file, limits)) else { continue };
        size = if count == 0 { (picture.width, picture.height) } else { size };
        // A frame of an embedded animation counts as a picture of its own.
        let mut surfaces: Vec<Frame> = Vec::new();
        for frame in picture.frames {
            if surfaces.last().is_some_and(|last| last.index != frame.index) {
                sample.take_frames(count, numbered(std::mem::take(&mut surfaces), count));
                count += 1;
            }
            surfaces.push(frame);
        }
        sample.take_frames(count, numbered(surfaces, count));
        count += 1;
    }
    if count == 0 {
        return Err(error::unsupported("an SVG picture"));
    }
    let (frames, _) = sample.finish();
    let mut picture = Picture::new(Format::Svg, size, DecodedBy::General, count, frames);
    let seen = if more { "some of" } else { "" };
    picture.damaged = Some(
        format!("an SVG is not drawn here; only {seen} the raster pictures in it are looked up").replace("  ", " "),
    );
    Ok(picture)
}

fn numbered(frames: Vec<Frame>, index: u32) -> Vec<Frame> {
    frames.into_iter().map(|frame| Frame { index, ..frame }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_is_contained() {
        let nothing: &[u8] = &[];
        let failed = contained(|| Ok(nothing[std::hint::black_box(0)]));
        let Err(IntakeError::EngineFailed { message }) = failed else { panic!("{failed:?}") };
        assert!(message.starts_with("index out of bounds"), "{message}");
        assert_eq!(contained(|| Ok(1)), Ok(1));
    }
}
