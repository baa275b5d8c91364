//! Reads JPEG with three decoders.
//!
//! - The low-terms decoder ([`dc`]) reads only the block means of large ordinary pictures.
//! - `zune-jpeg` reads every pixel of other ordinary pictures.
//! - The decoder in [`libjpeg`] reads the files that aren't ordinary, as browsers show them.
//!
//! [`survey`] finds out whether a file is ordinary. `docs/explanation/which-reader-decides.md` states the rules.

mod dc;
mod frame;
mod icc;
mod libjpeg;
mod markers;
mod part;
mod survey;

use ::zune_jpeg::JpegDecoder;
use ::zune_jpeg::zune_core::bytestream::ZCursor;
use ::zune_jpeg::zune_core::colorspace::ColorSpace;
use ::zune_jpeg::zune_core::options::DecoderOptions;

use super::caveat::{Caveat, NotOrdinary};
use super::complete::complete;
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_alloc, check_plausible, check_size};
use super::picture::{DecodedBy, Frame, Picture, Surface};
use super::surfaces::{Surfaces, still};
use crate::pdq::Luma;
use part::Outside;
pub(super) use part::Part;
use survey::{ColourModel, Survey};

/// Largest number of pixels per byte of a file: a block of 64 pixels takes at least one bit, the code of its DC
/// coefficient.
const PIXELS_PER_BYTE: u64 = 64 * 8;

/// Largest number of scans. Each scan may cover the whole picture, so scans take time. Encoders make about a dozen.
const MAX_SCANS: u32 = 100;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Jpeg, message)
}

/// Reads a picture with the low-terms decoder, or with a decoder of every pixel if the low-terms decoder gives up.
///
/// # Errors
/// As [`read_fully`].
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let whole = Part { bytes, start: 0 };
    Arriving::new(bytes.len(), limits).finish(whole).map_or_else(|| read_fully(bytes, limits), Ok)
}

/// Reads a file with the low-terms decoder while it arrives.
pub(super) struct Arriving {
    reader: Option<dc::Reader>,
    picture: Option<Picture>,
}

impl Arriving {
    /// Begins a file of `length` bytes.
    pub(super) fn new(length: usize, limits: &Limits) -> Self {
        Self { reader: Some(dc::Reader::new(length, limits)), picture: None }
    }

    /// Continues to read until the picture is known, or to the end of `part`. `part` must hold the bytes of the file
    /// from [`needed_from`](Self::needed_from) on.
    pub(super) fn advance(&mut self, part: Part) {
        let Some(reader) = &mut self.reader else { return };
        match reader.advance(part) {
            Ok(Some(luma)) => {
                let caveat = reader.is_progressive().then_some(Caveat::AcTermsUnread);
                self.picture = Some(by_low_terms(luma, caveat));
            }
            Ok(None) => {}
            Err(Outside) => self.reader = None,
        }
    }

    /// Returns the position in the file from which bytes are still needed; `None` if the low-terms decoder gave up.
    pub(super) fn needed_from(&self) -> Option<usize> {
        self.reader.as_ref().map(dc::Reader::needed_from)
    }

    /// Returns the picture of a progressive file if it is known while the scans after it are still to be read.
    pub(super) fn early(&self) -> Option<&Picture> {
        self.reader.as_ref().filter(|reader| reader.is_progressive() && !reader.has_ended())?;
        self.picture.as_ref()
    }

    /// Returns the picture of the whole file; `None` if the low-terms decoder gave up.
    pub(super) fn finish(mut self, part: Part) -> Option<Picture> {
        // The first call stops when the picture is known. The second call reads the rest.
        for _ in 0..2 {
            self.advance(part);
        }
        self.picture.filter(|_| self.reader.is_some_and(|reader| reader.has_ended()))
    }
}

fn by_low_terms(luma: Luma, caveat: Option<Caveat>) -> Picture {
    let (width, height) = (luma.plane.width, luma.plane.height);
    let frame = Frame { index: 0, surface: Surface::Plain, derived_views: true, luma };
    let mut picture = Picture::new(Format::Jpeg, (width, height), DecodedBy::LowTerms, 1, vec![frame]);
    picture.caveats.extend(caveat);
    picture
}

/// Reads every pixel of a picture.
///
/// # Errors
/// `UnsupportedPicture` for coding processes that browsers don't read, `TooLarge` beyond `limits`, `Unreadable` if
/// there are no pixels to look up. A picture of which only some are missing is returned, with [`Picture::damaged`] set.
pub(super) fn read_fully(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let mut survey = Survey::of(bytes)?;
    let (width, height) = (survey.frame.width, survey.frame.height);
    check_size(Format::Jpeg, width, height, limits)?;
    let pixels = u64::from(width) * u64::from(height);
    check_plausible(Format::Jpeg, pixels, PIXELS_PER_BYTE, bytes.len())?;
    let (conversion, profile_reason) = std::mem::take(&mut survey.icc).profile().split(Format::Jpeg)?;
    let mut surfaces = Surfaces::new(width, height);
    surfaces.manage(conversion);
    let mut reason = survey.odd;
    // `zune-jpeg` can't tell whether the data of a progressive file is sound, so such files go to the decoder in
    // `libjpeg`.
    if survey.odd.is_none() && !survey.misleads_zune && !survey.frame.progressive {
        if dc::is_sound(bytes, limits) && by_zune(bytes, &survey, limits, &mut surfaces)? {
            let mut picture = still(Format::Jpeg, width, height, surfaces);
            profile_reason.into_iter().for_each(|reason| picture.mark_not_ordinary(reason));
            return Ok(picture);
        }
        reason = Some("its data is damaged");
    }
    error::needs_every_format(Format::Jpeg)?;
    let decoded = libjpeg::decode(bytes, &survey, limits, &mut surfaces)?;
    let without_strays = decoded.damaged.and_then(|_| markers::without_strays(bytes));
    if decoded.surplus || decoded.damaged.is_some() {
        reason = reason.or(Some("its data is damaged"));
    }
    let mut picture = still(Format::Jpeg, width, height, surfaces);
    picture.damaged = decoded.damaged.map(String::from);
    if let Some(rows) = decoded.rows {
        complete(&mut picture, 0..rows);
    }
    if let Some(bytes) = without_strays {
        let mut surfaces = Surfaces::new(width, height);
        if libjpeg::decode(&bytes, &survey, limits, &mut surfaces).is_ok() {
            picture.frames.extend(surfaces.finish(0));
        }
    }
    let reasons = reason.map(NotOrdinary::structure).into_iter().chain(profile_reason);
    reasons.for_each(|reason| picture.mark_not_ordinary(reason));
    if decoded.damaged.is_none() && (survey.malformed || reason.is_some() && survey.odd.is_none()) {
        picture.admit(Caveat::Malformed);
    }
    Ok(picture)
}

/// Decodes an ordinary file by `zune-jpeg`, row by row into `surfaces`. Returns false, and leaves `surfaces` as they
/// were, if `zune-jpeg` finds the file damaged.
///
/// # Errors
/// `TooLarge` if decoding takes more memory than `limits` allow.
fn by_zune(bytes: &[u8], survey: &Survey, limits: &Limits, surfaces: &mut Surfaces) -> Result<bool, IntakeError> {
    let Survey { frame, holds_coefficients, .. } = survey;
    let grey = survey.model == ColourModel::Grey;
    let channels = if grey { 1 } else { 3 };
    let (width, height) = (frame.width, frame.height);
    let coefficients = if *holds_coefficients { 2 * frame.padded_samples() } else { 0 };
    check_alloc(channels as u64 * u64::from(width) * u64::from(height) + coefficients, limits)?;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(65_535)
        .set_max_height(65_535)
        .jpeg_set_out_colorspace(if grey { ColorSpace::Luma } else { ColorSpace::RGB });
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let Ok(samples) = decoder.decode() else { return Ok(false) };
    if decoder.dimensions() != Some((width as usize, height as usize)) {
        return Ok(false);
    }
    for (y, row) in (0..).zip(samples.chunks_exact(channels * width as usize)) {
        surfaces.push(y, channels, row);
    }
    Ok(true)
}
