//! JPEG: by the luma DC terms where they do, else by the general decoder, `zune-jpeg`.

use ::zune_jpeg::JpegDecoder;
use ::zune_jpeg::zune_core::bytestream::ZCursor;
use ::zune_jpeg::zune_core::colorspace::ColorSpace;
use ::zune_jpeg::zune_core::options::DecoderOptions;

use super::caveat::Caveat;
use super::error::{self, IntakeError, unsupported as unsupported_picture};
use super::format::Format;
use super::jpeg_dc;
use super::limits::{Limits, check_alloc, check_plausible, check_size};
use super::picture::{DecodedBy, Frame, Picture, Surface};
use super::surfaces::{Surfaces, still};
use crate::pdq::{Luma, Plane};
pub(super) use jpeg_dc::Part;

/// Blocks of 64 pixels take at least one bit each, for the DC term.
const PIXELS_PER_BYTE: u64 = 64 * 8;

/// Each scan may go over the whole picture. Encoders make a dozen.
const MAX_SCANS: u32 = 100;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Jpeg, message)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let whole = Part { bytes, start: 0 };
    Arriving::new(bytes.len(), limits).finish(whole).map_or_else(|| read_fully(bytes, limits), Ok)
}

/// A file that is read while it arrives, as far as the fast path does.
pub(super) struct Arriving {
    reader: Option<jpeg_dc::Reader>,
    picture: Option<Picture>,
}

impl Arriving {
    pub(super) fn new(length: usize, limits: &Limits) -> Self {
        Self { reader: Some(jpeg_dc::Reader::new(length, limits)), picture: None }
    }

    /// Reads on, up to where the picture is known or to the end. `part` is what is there of the file, from
    /// [`needed_from`](Self::needed_from) on.
    pub(super) fn advance(&mut self, part: Part) {
        let Some(reader) = &mut self.reader else { return };
        match reader.advance(part) {
            Ok(Some(plane)) => {
                let caveat = reader.is_progressive().then_some(Caveat::AcTermsUnread);
                self.picture = Some(by_luma_dc(plane, caveat));
            }
            Ok(None) => {}
            Err(jpeg_dc::Outside) => self.reader = None,
        }
    }

    /// Where what is yet to be read of the file begins; none if it is not for the fast path.
    pub(super) fn needed_from(&self) -> Option<usize> {
        self.reader.as_ref().map(jpeg_dc::Reader::needed_from)
    }

    /// The picture, if it is known while much of the file is yet to be looked at.
    pub(super) fn early(&self) -> Option<&Picture> {
        self.reader.as_ref().filter(|reader| reader.is_progressive() && !reader.has_ended())?;
        self.picture.as_ref()
    }

    /// The picture of the whole file; none if it is not for the fast path.
    pub(super) fn finish(mut self, part: Part) -> Option<Picture> {
        // The second time on from where the picture was known.
        for _ in 0..2 {
            self.advance(part);
        }
        self.picture.filter(|_| self.reader.is_some_and(|reader| reader.has_ended()))
    }
}

fn by_luma_dc(plane: Plane, caveat: Option<Caveat>) -> Picture {
    let (width, height) = (plane.width, plane.height);
    let frame = Frame { index: 0, surface: Surface::Plain, derived_views: true, luma: Luma::from_plane(plane) };
    let mut picture = Picture::new(Format::Jpeg, (width, height), DecodedBy::DcOnly, 1, vec![frame]);
    picture.caveats.extend(caveat);
    picture
}

/// Every pixel, by `zune-jpeg`.
pub(super) fn read_fully(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let outline = Outline::of(bytes)?;
    let (width, height) = (outline.width, outline.height);
    check_size(Format::Jpeg, width, height, limits)?;
    let pixels = u64::from(width) * u64::from(height);
    check_plausible(Format::Jpeg, pixels, PIXELS_PER_BYTE, bytes.len())?;
    let coefficients = if outline.whole_frame { 2 * outline.samples } else { 0 };
    let channels = if outline.grey { 1 } else { 3 };
    check_alloc(channels as u64 * pixels + coefficients, limits)?;
    if !outline.ends {
        return Err(unreadable("it ends before its end-of-image marker"));
    }

    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(65_535)
        .set_max_height(65_535)
        .jpeg_set_out_colorspace(if outline.grey { ColorSpace::Luma } else { ColorSpace::RGB });
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let samples = decoder.decode().map_err(|error| unreadable(format!("{error:?}")))?;
    if decoder.dimensions() != Some((width as usize, height as usize)) {
        return Err(unreadable("it has more than one frame header"));
    }
    let mut surfaces = Surfaces::new(width, height);
    for (y, row) in (0..).zip(samples.chunks_exact(channels * width as usize)) {
        surfaces.push(y, channels, row);
    }
    Ok(still(Format::Jpeg, width, height, surfaces))
}

/// What a walk over the markers tells (ITU T.81, annex B).
struct Outline {
    width: u32,
    height: u32,
    /// One component.
    grey: bool,
    /// Samples of all components, padded to whole blocks.
    samples: u64,
    /// Progressive or in several scans, so that the coefficients are held until the end.
    whole_frame: bool,
    /// Several rows of blocks in an interleaved unit.
    tall_units: bool,
    /// Whether the end-of-image marker was found.
    ends: bool,
}

impl Outline {
    fn of(bytes: &[u8]) -> Result<Self, IntakeError> {
        let mut outline =
            Self { width: 0, height: 0, grey: false, samples: 0, whole_frame: false, tall_units: false, ends: false };
        let (mut at, mut scans) = (2, 0);
        while let Some(marker) = next_marker(bytes, &mut at) {
            match marker {
                0xd9 => {
                    outline.ends = true;
                    break;
                }
                0xc0..=0xc2 => outline.frame(marker, bytes.get(at..).unwrap_or_default())?,
                0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return Err(unsupported(marker)),
                0xda => scans += 1,
                // Standing alone, without a length.
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let Some(length) = bytes.get(at..at + 2) else { break };
            at += usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
        }
        if scans > MAX_SCANS {
            return Err(unreadable(format!("it has {scans} scans, at most {MAX_SCANS} are read")));
        }
        if scans > 1 && !outline.whole_frame && outline.tall_units {
            // `zune-jpeg` 0.5.15 puts such a picture's rows in wrong places.
            return Err(unsupported(0xda));
        }
        outline.whole_frame |= scans > 1;
        if outline.width == 0 { Err(unreadable("it has no frame header")) } else { Ok(outline) }
    }

    /// Reads a frame header (T.81, B.2.2).
    fn frame(&mut self, marker: u8, segment: &[u8]) -> Result<(), IntakeError> {
        let [_, _, precision, y1, y0, x1, x0, count, components @ ..] = segment else {
            return Err(unreadable("it ends within its frame header"));
        };
        self.width = u16::from_be_bytes([*x1, *x0]).into();
        self.height = u16::from_be_bytes([*y1, *y0]).into();
        self.grey = *count == 1;
        self.whole_frame = marker == 0xc2;
        if self.height == 0 || *precision != 8 {
            return Err(unsupported(if self.height == 0 { 0xdc } else { 0xc1 }));
        }
        let factors = components.chunks_exact(3).take((*count).into()).map(|c| (c[1] >> 4, c[1] & 15));
        let most = |factor: fn((u8, u8)) -> u8| factors.clone().map(factor).max().unwrap_or(1).max(1).into();
        let (across, down): (u32, u32) = (most(|f| f.0), most(|f| f.1));
        self.tall_units = down > 1 && !self.grey;
        let (columns, rows) = (self.width.div_ceil(8 * across), self.height.div_ceil(8 * down));
        let blocks = factors.map(|(h, v)| u64::from(h) * u64::from(v)).sum::<u64>();
        self.samples = 64 * blocks * u64::from(columns) * u64::from(rows);
        Ok(())
    }
}

/// A kind of JPEG that neither this crate nor browsers read.
fn unsupported(marker: u8) -> IntakeError {
    let found = match marker {
        0xc1 => "a JPEG picture of other than 8 bits a sample",
        0xc3 => "a lossless JPEG picture",
        0xda => "a sequential JPEG picture in several scans with its chroma sampled vertically",
        0xdc => "a JPEG picture that tells its height at the end",
        0xc5..=0xc7 => "a hierarchical JPEG picture",
        _ => "an arithmetically coded JPEG picture",
    };
    unsupported_picture(found)
}

/// The next marker at or after `at`, over anything that isn't one (entropy-coded data, stuffed
/// bytes, fill bytes); `at` then stands behind it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        *at += bytes[*at..].iter().position(|&byte| byte != 0xff)?;
        *at += 1;
        if bytes[*at - 1] != 0 {
            return Some(bytes[*at - 1]);
        }
    }
}
