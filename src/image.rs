//! Image intake: from a file's bytes to the luma of its frames, within limits.

mod animation;
mod bmp;
mod browser;
mod caveat;
mod gif;
mod jpeg;
mod jpeg_dc;
mod png;
mod sniff;
mod surfaces;
#[cfg(feature = "tiff")]
mod tiff;
mod webp;

use serde::{Deserialize, Serialize};

use crate::pdq::Luma;
pub use browser::{BrowserPicture, browser_format, check_declared_size, read_rgba};
pub use caveat::{Caveat, NotOrdinary};
use surfaces::Surfaces;

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
    /// Frames of an animation that are kept, evenly spread with the first and the last.
    pub max_frames: u32,
    /// Pixels of all of an animation's frames together that are decoded and hashed. What lies
    /// beyond is counted in [`Picture::frames_skipped`].
    pub max_animation_pixels: u64,
}

impl Default for Limits {
    /// 65,535 pixels a side, 150 megapixels, 1 GiB, 16 frames out of 250 megapixels of animation.
    /// A 100-megapixel photograph passes.
    fn default() -> Self {
        Self {
            max_width: 65_535,
            max_height: 65_535,
            max_pixels: 150_000_000,
            max_alloc: 1 << 30,
            max_frames: 16,
            max_animation_pixels: 250_000_000,
        }
    }
}

/// A picture format, told by the file's first bytes, never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JPEG (ITU T.81).
    Jpeg,
    /// PNG, animated or not.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// Windows bitmap.
    Bmp,
    /// TIFF; native builds only (feature `tiff`).
    Tiff,
    /// AVIF; read by browsers alone.
    Avif,
    /// HEIC and other HEIF; read by browsers alone.
    Heic,
    /// JPEG XL; read by browsers alone.
    Jxl,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::Jxl => "JPEG XL",
        })
    }
}

/// Who turned the bytes into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecodedBy {
    /// The DC-only decoder, which reads the block means of a JPEG and nothing else.
    DcOnly,
    /// The general decoders (`image` and what it is made of).
    General,
    /// The browser; the core was handed pixels.
    Browser,
    /// A C library such as libjpeg-turbo, in native builds.
    Native,
}

/// Which colours of a picture with transparency a frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// The colours as stored, transparency ignored (Pillow's `convert("RGB")`).
    Plain,
    /// Composed over white, as a viewer shows it.
    OverWhite,
}

/// One frame of a picture on one surface.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Position in the animation, counted from 0.
    pub index: u32,
    /// Which colours.
    pub surface: Surface,
    /// What is kept of the pixels.
    pub luma: Luma,
}

/// A picture that was read.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its format.
    pub format: Format,
    /// Width in pixels as stored, before any EXIF rotation.
    pub width: u32,
    /// Height in pixels as stored.
    pub height: u32,
    /// Who decoded it.
    pub decoded_by: DecodedBy,
    /// What a verdict must admit about this reading, in no order and without repetition. Caveats that depend on a
    /// second reading are not in here: see [`not_ordinary`](Self::not_ordinary).
    pub caveats: Vec<Caveat>,
    /// Why other decoders may show other pixels; none for an ordinary file.
    pub not_ordinary: Option<NotOrdinary>,
    /// Which pixels are missing, as a sentence without its full stop; none if all are there. The frames hold what is
    /// there: a match counts, but without one the file is unreadable.
    pub damaged: Option<String>,
    /// Frames (GIF, APNG, WebP) or pages (TIFF) in the file; 1 for a still picture.
    pub frame_count: u32,
    /// Frames at the end of the animation that were out of reach of
    /// [`Limits::max_animation_pixels`]. The kept ones are spread over those before; a file with
    /// any skipped was not looked at as promised.
    pub frames_skipped: u32,
    /// At least one; frame 0 on the plain surface comes first.
    pub frames: Vec<Frame>,
}

/// Why a file could not be read as a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum IntakeError {
    /// The content is no picture at all, such as a PDF document, a sound or a text.
    #[error("expected a picture, got {found}")]
    NotAPicture {
        /// What the content looks like, with an article.
        found: String,
    },
    /// A picture of a kind that isn't read here.
    #[error("expected a JPEG (8 bits, baseline or progressive), PNG, GIF, WebP or BMP picture, got {found}")]
    UnsupportedPicture {
        /// What the content looks like, with an article.
        found: String,
        /// The format, if a browser may be able to decode the file.
        format: Option<Format>,
    },
    /// Larger than a limit.
    #[error("{field}: expected at most {limit}, got {got}")]
    TooLarge {
        /// Which limit.
        field: String,
        /// The limit.
        limit: u64,
        /// What the file declares.
        got: u64,
    },
    /// Damaged, truncated or self-contradictory.
    #[error("the {format} file cannot be read: {message}")]
    Unreadable {
        /// The format that its first bytes announce.
        format: Format,
        /// What the decoder said.
        message: String,
    },
}

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

/// A file that arrives in pieces. What can be is read while it arrives, and isn't held: a JPEG whose block means are enough, and a
/// PNG that isn't animated. All else waits for the end.
pub struct StreamingDecoder {
    length: usize,
    limits: Limits,
    /// What is held, and how much of the file came before it.
    bytes: Vec<u8>,
    start: usize,
    jpeg: jpeg::Arriving,
    png: Option<png::Arriving>,
}

/// So much of a file is looked at for a picture that can be read while it arrives. Then it is taken for one that is to be held.
const HEAD: usize = 1 << 20;

impl StreamingDecoder {
    /// Whether a file that begins like this may be read before its end.
    #[must_use]
    pub fn is_of_use(head: &[u8]) -> bool {
        matches!(sniff::sniff(head), Ok(Format::Jpeg | Format::Png))
    }

    /// For a file of `length` bytes.
    #[must_use]
    pub fn new(length: usize, limits: &Limits) -> Self {
        let jpeg = jpeg::Arriving::new(length, limits);
        Self { length, limits: *limits, bytes: Vec::new(), start: 0, jpeg, png: None }
    }

    /// Takes the next piece, of any length. What of it isn't needed for [`early`](Self::early) is read with the next one.
    pub fn push(&mut self, piece: &[u8]) {
        if let Some(png) = &mut self.png {
            return png.push(piece);
        }
        let before = self.bytes.len();
        self.bytes.extend_from_slice(piece);
        self.read_on(before < HEAD);
        if self.start == 0 && self.bytes.len() > HEAD {
            self.bytes.reserve_exact(self.length.saturating_sub(self.bytes.len()));
        }
    }

    /// Reads what has come, and lets go of it. `in_head` if the piece begins within [`HEAD`].
    fn read_on(&mut self, in_head: bool) {
        if self.start == 0 {
            match sniff::sniff(&self.bytes) {
                Ok(Format::Jpeg) => {}
                Ok(Format::Png) if in_head => {
                    self.png = png::Arriving::new(&mut self.bytes, self.length, &self.limits);
                    return;
                }
                _ => return,
            }
        }
        self.jpeg.advance(jpeg::Part { bytes: &self.bytes, start: self.start });
        match self.jpeg.needed_from() {
            Some(from) => {
                let read = from.saturating_sub(self.start).min(self.bytes.len());
                self.bytes.drain(..read);
                self.start += read;
            }
            // It will be needed as a whole, and is there.
            None if self.start == 0 => {}
            None => self.bytes.clear(),
        }
    }

    /// The picture, if it is known before the end: that of a progressive JPEG, after its first scans. [`read`](Self::read) gives the
    /// same one, unless what is still to come is damaged or calls for the general decoder.
    #[must_use]
    pub fn early(&self) -> Option<&Picture> {
        self.jpeg.early()
    }

    /// Reads the picture: what [`read`] makes of the bytes that have arrived. None if that takes the file as a whole, of which a part
    /// isn't held any more: it was on the fast path and turned out not to be for it.
    ///
    /// # Errors
    /// As [`read`].
    #[must_use]
    pub fn read(self) -> Option<Result<Picture, IntakeError>> {
        if let Some(png) = self.png {
            return Some(png.finish());
        }
        if self.start == 0 && !matches!(sniff::sniff(&self.bytes), Ok(Format::Jpeg)) {
            return Some(read(&self.bytes, &self.limits));
        }
        let part = jpeg::Part { bytes: &self.bytes, start: self.start };
        match self.jpeg.finish(part) {
            Some(picture) => Some(Ok(picture)),
            None if self.start == 0 => Some(jpeg::read_fully(&self.bytes, &self.limits)),
            None => None,
        }
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
        _ => Err(unreadable(format, "it is not read here")),
    }
}

/// A picture of one frame.
fn still(format: Format, width: u32, height: u32, surfaces: Surfaces) -> Picture {
    let frames = surfaces.finish(0).collect();
    let decoded_by = DecodedBy::General;
    Picture {
        format,
        width,
        height,
        decoded_by,
        caveats: Vec::new(),
        not_ordinary: None,
        damaged: None,
        frame_count: 1,
        frames_skipped: 0,
        frames,
    }
}

fn unreadable(format: Format, message: impl ToString) -> IntakeError {
    IntakeError::Unreadable { format, message: message.to_string() }
}

fn at_most(field: &str, got: u64, limit: u64) -> Result<(), IntakeError> {
    if got <= limit { Ok(()) } else { Err(IntakeError::TooLarge { field: field.into(), limit, got }) }
}

/// Holds a picture's declared size against the limits.
fn check_size(format: Format, width: u32, height: u32, limits: &Limits) -> Result<(), IntakeError> {
    if width == 0 || height == 0 {
        return Err(unreadable(format, format!("it is {width} x {height} pixels")));
    }
    at_most("width in pixels", width.into(), limits.max_width.into())?;
    at_most("height in pixels", height.into(), limits.max_height.into())?;
    at_most("number of pixels", u64::from(width) * u64::from(height), limits.max_pixels)
}

/// Holds what a decoder is going to allocate against the limit.
fn check_alloc(bytes: u64, limits: &Limits) -> Result<(), IntakeError> {
    at_most("bytes of memory to decode it", bytes, limits.max_alloc)
}

/// Refuses a file that is too short for the size it declares, before anything is allocated for it.
/// Up to 16 megapixels go through: buffers of that size harm nobody.
fn check_plausible(format: Format, pixels: u64, pixels_per_byte: u64, length: usize) -> Result<(), IntakeError> {
    let (expected, got) = (pixels / pixels_per_byte, length as u64);
    if pixels > 1 << 24 && got < expected {
        let message = format!("length in bytes: expected at least {expected} for {pixels} pixels, got {got}");
        return Err(unreadable(format, message));
    }
    Ok(())
}
