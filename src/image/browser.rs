//! Pictures that another decoder reads, such as the browser's: the size that their headers declare, and the pixels that
//! the decoder hands over.

use super::animation::Rect;
use super::caveat::Caveat;
use super::error::{IntakeError, unreadable};
use super::format::Format;
use super::limits::{Limits, at_most, check_size};
use super::picture::{DecodedBy, Picture};
use super::profile::Profile;
use super::sample::{FrameHead, Sample, reach, spread};
use super::sniff;
use super::surfaces::Surfaces;

/// Returns the format of a file that the core can't decode but a browser may (AVIF, HEIC, JPEG XL); `None` for any
/// other file.
#[must_use]
pub fn browser_format(bytes: &[u8]) -> Option<Format> {
    match sniff::sniff(bytes) {
        #[cfg(feature = "heic")]
        Ok(Format::Heic) => Some(Format::Heic),
        #[cfg(feature = "jxl")]
        Ok(Format::Jxl) => Some(Format::Jxl),
        Err(IntakeError::UnsupportedPicture { format, .. }) => format,
        _ => None,
    }
}

/// Returns an error if a file of such a format declares a size above the limits. The browser isn't asked to decode it
/// then. A file that declares no size passes.
///
/// # Errors
/// [`IntakeError::TooLarge`].
pub fn check_declared_size(format: Format, bytes: &[u8], limits: &Limits) -> Result<(), IntakeError> {
    if format == Format::Jxl {
        return jxl_size(bytes).map_or(Ok(()), |(width, height)| check_sides(width, height, limits));
    }
    // Every coded image has its own "image spatial extents" (ISO/IEC 23008-12, 6.5.3): each tile of a grid, and the
    // grid itself. So all of them are compared with the limits.
    let boxes = bytes.windows(16).filter(|part| part.starts_with(b"ispe\0\0\0\0"));
    boxes.into_iter().try_for_each(|part| {
        let [width, height] =
            [8, 12].map(|at| u32::from_be_bytes([part[at], part[at + 1], part[at + 2], part[at + 3]]));
        check_sides(width, height, limits)
    })
}

fn check_sides(width: u32, height: u32, limits: &Limits) -> Result<(), IntakeError> {
    at_most("width in pixels", width.into(), limits.max_width.into())?;
    at_most("height in pixels", height.into(), limits.max_height.into())?;
    at_most("number of pixels", u64::from(width) * u64::from(height), limits.max_pixels)
}

/// Returns the width and height in the header of a JPEG XL codestream (ISO/IEC 18181-1, SizeHeader). The codestream may
/// be the whole file or lie in a container.
fn jxl_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = match bytes {
        [0xff, 0x0a, rest @ ..] => rest,
        // A box `jxlc` contains the codestream. A box `jxlp` contains a part of it, after the part's number.
        _ => bytes.windows(10).enumerate().find_map(|(at, part)| match part {
            [b'j', b'x', b'l', b'c', 0xff, 0x0a, ..] => bytes.get(at + 6..),
            [b'j', b'x', b'l', b'p', 0, 0, 0, 0, 0xff, 0x0a] => bytes.get(at + 10..),
            _ => None,
        })?,
    };
    // The bits of each byte count from the lowest. The size takes at most 69 bits.
    let mut held = header.iter().take(16).rev().fold(0u128, |held, &byte| held << 8 | u128::from(byte));
    let mut take = |count: u32| {
        let value = (held & ((1 << count) - 1)) as u32;
        held >>= count;
        value
    };
    let small = take(1) == 1;
    let height = jxl_side(small, &mut take);
    let width = match take(3) {
        0 => jxl_side(small, &mut take),
        ratio => {
            let (across, down) = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)][ratio as usize - 1];
            (u64::from(height) * across / down) as u32
        }
    };
    Some((width, height))
}

fn jxl_side(small: bool, take: &mut impl FnMut(u32) -> u32) -> u32 {
    if small {
        return 8 * (take(5) + 1);
    }
    let count = [9, 13, 18, 30][take(2) as usize];
    take(count) + 1
}

/// Largest number of frames that a browser is asked for. Reading a frame back from a canvas is slow.
const MAX_FRAMES: u32 = 64;

/// A picture whose pixels the browser hands over, frame by frame, each frame row by row from the top.
///
/// # Examples
/// ```
/// use hashgate::Limits;
/// use hashgate::image::{BrowserPicture, Format};
///
/// let mut picture = BrowserPicture::new(Format::Avif, (100, 80), 1, &Limits::default())?;
/// for index in picture.wanted_frames().to_vec() {
///     picture.push_rows(&[128; 4 * 100 * 80]); // rows that the browser decoded
///     picture.end_frame(index)?;
/// }
/// assert_eq!(picture.finish()?.frames.len(), 5, "half transparent: plain, over white, black and two greys");
/// # Ok::<(), hashgate::image::IntakeError>(())
/// ```
pub struct BrowserPicture {
    picture: Picture,
    wanted: Vec<u32>,
    sample: Sample,
    /// The current frame, and the number of its rows so far.
    current: Option<(Surfaces, u32)>,
}

impl BrowserPicture {
    /// Begins a picture of this size, with `frame_count` frames.
    ///
    /// # Errors
    /// [`IntakeError::TooLarge`] beyond `limits`, [`IntakeError::Unreadable`] if it has no pixels.
    pub fn new(
        format: Format,
        (width, height): (u32, u32),
        frame_count: u32,
        limits: &Limits,
    ) -> Result<Self, IntakeError> {
        check_size(format, width, height, limits)?;
        let rect = Rect { x: 0, y: 0, width, height };
        let frame_count = frame_count.max(1);
        // `max_animation_pixels` excludes any later frames, so they aren't listed.
        let considered = u64::from(frame_count).min(limits.max_animation_pixels / rect.pixels() + 2);
        let heads = vec![FrameHead { rect, duration_ms: 0 }; considered as usize];
        let reach = reach(rect.pixels(), &heads, limits);
        let wanted = spread(reach, limits.max_frames.min(MAX_FRAMES));
        let mut picture = Picture::new(format, (width, height), DecodedBy::Browser, frame_count, Vec::new());
        picture.frames_skipped = frame_count - reach;
        if (wanted.len() as u32) < reach {
            picture.admit(Caveat::FramesSampled);
        }
        let sample = Sample::new(&heads[..reach as usize], limits);
        Ok(Self { picture, wanted, sample, current: None })
    }

    /// Returns the numbers of the frames that the browser must hand over, in this order.
    #[must_use]
    pub fn wanted_frames(&self) -> &[u32] {
        &self.wanted
    }

    /// Takes further rows of the next wanted frame. A pixel is four bytes: red, green, blue, alpha. Colours aren't
    /// premultiplied by alpha.
    pub fn push_rows(&mut self, rgba: &[u8]) {
        self.push_samples(4, rgba);
    }

    /// Takes further rows of the next wanted frame. A pixel has 1 (grey), 2 (grey, alpha), 3 (red, green, blue) or 4
    /// (with alpha) bytes.
    pub fn push_samples(&mut self, channels: u32, samples: &[u8]) {
        let (width, height) = (self.picture.width, self.picture.height);
        let channels = channels.clamp(1, 4) as usize;
        let (surfaces, y) = self.current.get_or_insert_with(|| (Surfaces::new(width, height), 0));
        for row in samples.chunks_exact(channels * width as usize).take((height - *y) as usize) {
            surfaces.push(*y, channels, row);
            *y += 1;
        }
    }

    /// Says which decoder hands the pixels over, if it isn't the browser's.
    pub fn decoded_by(&mut self, decoder: DecodedBy) {
        self.picture.decoded_by = decoder;
    }

    /// Notes the ICC profile of a picture whose colours aren't converted. If the profile changes what is shown, the
    /// picture gets the caveat [`Caveat::ColourProfile`].
    pub fn note_profile(&mut self, icc: &[u8]) {
        if !matches!(Profile::of(icc), Profile::Usual) {
            self.picture.admit(Caveat::ColourProfile);
        }
    }

    /// Notes that the file has frames that aren't handed over.
    pub fn note_unread_frames(&mut self) {
        self.picture.admit(Caveat::FramesSampled);
    }

    /// Takes further rows whose colours are premultiplied by alpha, as Firefox gives them, and undoes the
    /// multiplication. The colours of pixels with alpha 0 are lost.
    pub fn push_premultiplied_rows(&mut self, rgba: &mut [u8]) {
        for pixel in rgba.chunks_exact_mut(4) {
            let alpha = u32::from(pixel[3]);
            if alpha != 0 && alpha != 255 {
                pixel[..3].iter_mut().for_each(|it| *it = ((u32::from(*it) * 255 + alpha / 2) / alpha).min(255) as u8);
            }
        }
        self.push_rows(rgba);
    }

    /// Notes that the browser shows only a part of the picture. The file is then `unreadable` unless that part matches.
    pub fn mark_damaged(&mut self) {
        self.picture.damaged = Some("pixels: expected all of them, got those that the browser shows".into());
    }

    /// Ends a frame, the `index`th of the file.
    ///
    /// # Errors
    /// [`IntakeError::Unreadable`] if rows are missing.
    pub fn end_frame(&mut self, index: u32) -> Result<(), IntakeError> {
        let height = self.picture.height;
        match self.current.take() {
            Some((surfaces, y)) if y == height => self.sample.take_frames(index, surfaces.finish(index).collect()),
            rows => {
                let message = format!("frame {index}: expected {height} rows, got {}", rows.map_or(0, |(_, y)| y));
                return Err(unreadable(self.picture.format, message));
            }
        }
        Ok(())
    }

    /// Ends the picture.
    ///
    /// # Errors
    /// [`IntakeError::Unreadable`] if it has no frame.
    pub fn finish(mut self) -> Result<Picture, IntakeError> {
        let left_out;
        (self.picture.frames, left_out) = self.sample.finish();
        if left_out {
            self.picture.admit(Caveat::FramesSampled);
        }
        if self.picture.frames.is_empty() {
            Err(unreadable(self.picture.format, "it has no frame"))
        } else {
            Ok(self.picture)
        }
    }
}

/// Takes a picture that the browser decoded, at once: `width * height` pixels as for [`BrowserPicture::push_rows`].
///
/// # Errors
/// [`IntakeError::TooLarge`] beyond `limits`, [`IntakeError::Unreadable`] if the number of bytes
/// doesn't fit the size.
pub fn read_rgba(
    format: Format,
    width: u32,
    height: u32,
    rgba: &[u8],
    limits: &Limits,
) -> Result<Picture, IntakeError> {
    let mut picture = BrowserPicture::new(format, (width, height), 1, limits)?;
    let expected = 4 * u64::from(width) * u64::from(height);
    if rgba.len() as u64 != expected {
        let message = format!("expected {expected} bytes for {width} x {height} pixels, got {}", rgba.len());
        return Err(unreadable(format, message));
    }
    picture.push_rows(rgba);
    picture.end_frame(0)?;
    picture.finish()
}
