//! Image intake: from a file's bytes to the luma of its frames, within limits.

use serde::{Deserialize, Serialize};

use crate::pdq::{Luma, LumaBuilder};

/// What is read, at most. Checked against the file's header before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels from left to right.
    pub max_width: u32,
    /// Pixels from top to bottom.
    pub max_height: u32,
    /// Pixels in a frame.
    pub max_pixels: u64,
    /// Bytes that a decoder may allocate.
    pub max_alloc: u64,
    /// Frames of an animation that are kept, evenly spread with the first and the last.
    pub max_frames: u32,
}

impl Default for Limits {
    /// A 100-megapixel photograph passes.
    fn default() -> Self {
        Self { max_width: 32_768, max_height: 32_768, max_pixels: 150_000_000, max_alloc: 768 << 20, max_frames: 16 }
    }
}

/// A file format that the core reads, told by the file's first bytes, never by its name.
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
}

/// Who turned the bytes into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecodedBy {
    /// The reader of JPEG luma DC terms.
    LumaDc,
    /// The general decoders (`image` and what it is made of).
    General,
    /// The browser; the core was handed pixels.
    Browser,
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
    /// At least one; frame 0 on the plain surface comes first.
    pub frames: Vec<Frame>,
}

/// Why a file could not be read as a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum IntakeError {
    /// Not a format that is read here.
    #[error("expected a JPEG, PNG, GIF, WebP or BMP picture, got {found}")]
    Unsupported {
        /// What the first bytes look like.
        found: String,
    },
    /// Larger than a limit.
    #[error("{field} is {got}, the limit is {limit}")]
    TooLarge {
        /// Which limit.
        field: String,
        /// The limit.
        limit: u64,
        /// What the file declares.
        got: u64,
    },
    /// Damaged, truncated or self-contradictory.
    #[error("the {format:?} file cannot be read: {message}")]
    Unreadable {
        /// The format that its first bytes announce.
        format: Format,
        /// What the decoder said.
        message: String,
    },
}

/// Reads a picture.
///
/// # Errors
/// [`IntakeError`] says whether the format, the size or the content stood in the way.
pub fn read(bytes: &[u8], _limits: &Limits) -> Result<Picture, IntakeError> {
    let format = match image::guess_format(bytes) {
        Ok(image::ImageFormat::Jpeg) => Format::Jpeg,
        Ok(image::ImageFormat::Png) => Format::Png,
        Ok(image::ImageFormat::Gif) => Format::Gif,
        Ok(image::ImageFormat::WebP) => Format::Webp,
        Ok(image::ImageFormat::Bmp) => Format::Bmp,
        _ => return Err(IntakeError::Unsupported { found: "something else".into() }),
    };
    let rgb = image::load_from_memory(bytes)
        .map_err(|error| IntakeError::Unreadable { format, message: error.to_string() })?
        .to_rgb8();
    let (width, height) = rgb.dimensions();
    let mut builder = LumaBuilder::new(width, height);
    for (y, row) in rgb.chunks_exact(width as usize * 3).enumerate() {
        builder.push_rgb(y as u32, row);
    }
    let frame = Frame { index: 0, surface: Surface::Plain, luma: builder.finish() };
    Ok(Picture { format, width, height, decoded_by: DecodedBy::General, frames: vec![frame] })
}
