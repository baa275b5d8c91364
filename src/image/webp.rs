//! Reads WebP with the `image-webp` crate.
//!
//! This module reads the container itself, for three reasons: the crate doesn't notice that a file is cut, doesn't read
//! frames smaller than the canvas, and doesn't clear frames that ask for it. It passes each frame's bitstream to the
//! crate as a file of its own.

mod bits;
mod frame;
mod lines;
mod luma;
mod macroblock;
mod residual;
mod tables;
mod transform;

use std::borrow::Cow;
use std::io::Cursor;

use ::image_webp::WebPDecoder;

use self::frame::Stop;
use super::animation::{Blend, Canvas, Dispose, Rect};
use super::caveat::{Caveat, NotOrdinary};
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_alloc, check_plausible, check_size};
use super::picture::{DecodedBy, Picture};
use super::profile::Profile;
use super::sample::{FrameHead, Sample, reach};
use super::surfaces::{Surfaces, still};

/// Largest number of pixels per byte of a file; a file with more is refused. The format sets no limit: in a lossless
/// WebP, pixels of a single colour take no bits at all. Real pictures have far fewer pixels per byte.
const PIXELS_PER_BYTE: u64 = 16_384;

/// If a frame's duration is at most 10 milliseconds, browsers show it for this long.
const DEFAULT_MS: u32 = 100;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Webp, message)
}

/// Least short side of a picture of which only the luma is read. A smaller picture feels what that leaves out.
const MIN_SIDE_OF_LUMA: u32 = 900;

/// Which pixels of a lossy still picture are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The luma alone, if the picture is large.
    Luma,
    /// The colours.
    Full,
}

pub(super) fn read(bytes: &[u8], depth: Depth, limits: &Limits) -> Result<Picture, IntakeError> {
    let container = Container::of(bytes)?;
    let chunks = &container.chunks;
    let find = |name: &[u8; 4]| chunks.iter().find(|chunk| &chunk.name == name);
    let extended = find(b"VP8X").map(|chunk| &*chunk.data);
    let flags = extended.and_then(|data| data.first()).copied().unwrap_or(0);
    let (width, height) = match extended {
        Some(data) => (number(data, 4)? + 1, number(data, 7)? + 1),
        None => Bitstream::of(chunks, true)?.size()?,
    };
    check_size(Format::Webp, width, height, limits)?;
    let pixels = u64::from(width) * u64::from(height);
    check_plausible(Format::Webp, pixels, PIXELS_PER_BYTE, bytes.len())?;

    let mut disputed = None;
    let is_animated = flags & 0x02 != 0;
    let profile = find(b"ICCP").map(|chunk| Profile::of(&chunk.data));
    let (conversion, odd_profile) = profile.unwrap_or(Profile::Usual).split(Format::Webp)?;
    let mut picture = if is_animated && (find(b"ANMF").is_some() || !chunks.iter().any(Chunk::is_bitstream)) {
        let mut picture = animation(chunks, (width, height), limits)?;
        // An animation's profile isn't applied to its frames.
        picture.not_ordinary = odd_profile.map(|_| NotOrdinary::ColourProfile { applied: false });
        picture
    } else {
        // Decoders ignore an alpha chunk if the flag for it isn't set (WebP container specification, VP8X).
        let bitstream = Bitstream::of(chunks, flags & 0x10 != 0)?;
        if bitstream.size()? != (width, height) {
            return Err(unreadable("container and bitstream differ in size"));
        }
        disputed = bitstream.disputed();
        let may_use_luma = depth == Depth::Luma && conversion.is_none();
        let luma = if may_use_luma { bitstream.luma((width, height)) } else { Err(Stop::Faulty) };
        if let Err(Stop::Disputed(reason)) = luma {
            disputed = Some(reason);
        }
        let decoded_by = if luma.is_ok() { DecodedBy::LumaOnly } else { DecodedBy::General };
        let surfaces = match luma {
            Ok(surfaces) => surfaces,
            Err(_) => {
                let mut surfaces = Surfaces::new(width, height);
                surfaces.manage(conversion);
                bitstream.decode(limits, |y, channels, row| surfaces.push(y, channels, row))?;
                surfaces
            }
        };
        let mut picture = Picture { decoded_by, ..still(Format::Webp, width, height, surfaces) };
        picture.not_ordinary = odd_profile;
        if bitstream.is_cut() {
            picture.damaged = Some("its bitstream ends early".into());
        }
        picture
    };
    if container.malformed {
        picture.admit(Caveat::Malformed);
    }
    if let Some(reason) = container.oddity.or_else(|| oddity(chunks, extended.is_some(), flags)).or(disputed) {
        picture.breaks_a_rule(reason);
    }
    Ok(picture)
}

/// Returns why other decoders may choose other chunks than this module; `None` if all choose the same.
fn oddity(chunks: &[Chunk], extended: bool, flags: u8) -> Option<&'static str> {
    let count = |name: &[u8; 4]| chunks.iter().filter(|chunk| &chunk.name == name).count();
    let (bitstreams, alphas, frames) = (count(b"VP8 ") + count(b"VP8L"), count(b"ALPH"), count(b"ANMF"));
    let is_animated = flags & 0x02 != 0;
    let first = chunks.first().map(|chunk| chunk.name);
    match () {
        () if bitstreams > 1 => Some("it holds two bitstreams"),
        () if bitstreams > 0 && frames > 0 => Some("it holds a still picture and an animation"),
        () if frames > 0 && !is_animated || frames == 0 && is_animated => Some("its header is wrong about animation"),
        () if alphas > 1 => Some("it holds two alpha channels"),
        () if alphas == 1 && (flags & 0x10 == 0 || count(b"VP8L") > 0) => Some("its header is wrong about alpha"),
        () if count(b"VP8X") > 1 || extended && first != Some(*b"VP8X") => Some("its header isn't its first chunk"),
        () if !extended && chunks.len() > 1 && !chunks[0].is_bitstream() => Some("its bitstream isn't its first chunk"),
        () => None,
    }
}

/// Composes the frames of an animation.
fn animation(chunks: &[Chunk], (width, height): (u32, u32), limits: &Limits) -> Result<Picture, IntakeError> {
    let frames = chunks.iter().filter(|chunk| &chunk.name == b"ANMF");
    let frames = frames.map(Frame::of).collect::<Result<Vec<_>, _>>()?;
    if frames.is_empty() {
        return Err(unreadable("it is an animation without frames"));
    }
    let heads: Vec<_> = frames.iter().map(|frame| frame.head).collect();
    let reach = reach(u64::from(width) * u64::from(height), &heads, limits);
    let mut sample = Sample::new(&heads[..reach as usize], limits);
    let mut canvas = Canvas::new(width, height, [0; 4], limits)?;
    let (mut damaged, mut reason) = (None, None);
    for (index, frame) in (0..reach).zip(&frames) {
        let rect = frame.head.rect;
        if !rect.fits(width, height) {
            return Err(unreadable(format!("frame {index} reaches outside the canvas")));
        }
        let drawn = Bitstream::of(&frame.chunks, true).and_then(|bitstream| {
            if bitstream.size()? != (rect.width, rect.height) {
                return Err(unreadable(format!("frame {index} and its bitstream differ in size")));
            }
            reason = reason.or(bitstream.disputed());
            canvas.begin(rect, frame.dispose);
            let blend = if index == 0 { Blend::Source } else { frame.blend };
            bitstream.decode(limits, |y, channels, row| {
                let pixels = row.chunks_exact(channels).map(|p| [p[0], p[1], p[2], p.get(3).copied().unwrap_or(255)]);
                canvas.draw((0, 1), y, pixels, blend);
            })?;
            Ok(bitstream.is_cut())
        });
        match drawn {
            Ok(is_cut) => {
                if is_cut {
                    damaged.get_or_insert_with(|| format!("the bitstream of frame {index} ends early"));
                }
                sample.take_canvas(index, &mut canvas);
            }
            // If a frame is broken, decoders show the frames before it.
            Err(error) if index > 0 => {
                damaged.get_or_insert(error.to_string());
                break;
            }
            Err(error) => return Err(error),
        }
        reason = reason
            .or(oddity(&frame.chunks, true, 0x10)
                .filter(|_| frame.chunks.iter().filter(|c| c.is_bitstream()).count() > 1));
    }
    let (kept, left_out) = sample.finish();
    let count = frames.len() as u32;
    let mut picture = Picture::new(Format::Webp, (width, height), DecodedBy::General, count, kept);
    picture.frames_skipped = count - reach;
    picture.damaged = damaged;
    if left_out {
        picture.admit(Caveat::FramesSampled);
    }
    if let Some(reason) = reason {
        picture.breaks_a_rule(reason);
    }
    Ok(picture)
}

/// Reads a little-endian number of three bytes.
fn number(data: &[u8], at: usize) -> Result<u32, IntakeError> {
    let bytes = data.get(at..at + 3).ok_or_else(|| unreadable("a header is too short"))?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]))
}

/// A RIFF container.
struct Container<'a> {
    chunks: Vec<Chunk<'a>>,
    /// Whether the header's length differs from the length of the file.
    malformed: bool,
    oddity: Option<&'static str>,
}

impl<'a> Container<'a> {
    /// Splits a file into its chunks. If the length of the container contradicts the lengths of its chunks, the chunks'
    /// lengths count.
    fn of(bytes: &'a [u8]) -> Result<Self, IntakeError> {
        let length = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        let end = length.saturating_add(8);
        let chunks = chunks(&bytes[12..end.clamp(12, bytes.len())])?;
        if end > bytes.len() {
            return Ok(Self { chunks, malformed: true, oddity: None });
        }
        if chunks.iter().any(Chunk::is_cut)
            || !chunks.iter().any(|chunk| chunk.is_bitstream() || &chunk.name == b"ANMF")
        {
            // Chunks may follow after the declared end of the container.
            let oddity = Some("its container ends before its chunks do");
            return Ok(Self { chunks: self::chunks(&bytes[12..])?, malformed: true, oddity });
        }
        Ok(Self { chunks, malformed: false, oddity: None })
    }
}

struct Chunk<'a> {
    name: [u8; 4],
    /// The chunk's data. If a bitstream is cut, zeros fill it up to its declared length.
    data: Cow<'a, [u8]>,
    missing: usize,
}

impl Chunk<'_> {
    fn is_bitstream(&self) -> bool {
        matches!(&self.name, b"VP8 " | b"VP8L")
    }

    fn is_cut(&self) -> bool {
        self.missing > 0
    }
}

/// Splits the content of a RIFF container into chunks. The last chunk may be cut.
fn chunks(mut rest: &[u8]) -> Result<Vec<Chunk<'_>>, IntakeError> {
    let mut chunks = Vec::new();
    while let Some((header, data)) = rest.split_first_chunk::<8>() {
        let [n0, n1, n2, n3, length @ ..] = *header;
        let (name, length) = ([n0, n1, n2, n3], u32::from_le_bytes(length) as usize);
        let there = &data[..length.min(data.len())];
        let missing = length - there.len();
        let is_padded = missing > 0 && matches!(&name, b"VP8 " | b"VP8L" | b"ALPH");
        // libwebp reads zeros after the end of a cut bitstream, and so does this module. The number of zeros is
        // limited, so that a short file can't make a large buffer.
        let data_or_zeros = if is_padded && missing <= there.len().saturating_mul(8).max(1 << 16) {
            Cow::Owned([there, vec![0; missing].as_slice()].concat())
        } else {
            Cow::Borrowed(there)
        };
        chunks.push(Chunk { name, data: data_or_zeros, missing });
        // A chunk of odd length is followed by a padding byte. Some writers leave it out after the last chunk.
        rest = data.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    Ok(chunks)
}

/// A frame of an animation (WebP container specification, ANMF).
struct Frame<'a> {
    head: FrameHead,
    dispose: Dispose,
    blend: Blend,
    chunks: Vec<Chunk<'a>>,
}

impl<'a> Frame<'a> {
    fn of(chunk: &'a Chunk) -> Result<Self, IntakeError> {
        let data = &*chunk.data;
        let (x, y) = (2 * number(data, 0)?, 2 * number(data, 3)?);
        let rect = Rect { x, y, width: number(data, 6)? + 1, height: number(data, 9)? + 1 };
        let duration_ms = number(data, 12).unwrap_or(0);
        let (flags, rest) = data[12..].get(3..).and_then(<[u8]>::split_first).unwrap_or((&0, &[]));
        Ok(Self {
            head: FrameHead { rect, duration_ms: if duration_ms <= 10 { DEFAULT_MS } else { duration_ms } },
            dispose: if flags & 1 != 0 { Dispose::Background } else { Dispose::Keep },
            blend: if flags & 2 != 0 { Blend::Source } else { Blend::Over },
            chunks: chunks(rest)?,
        })
    }
}

/// The coded pixels of a picture or frame.
enum Bitstream<'a> {
    Lossy { data: &'a Chunk<'a>, alpha: Option<&'a Chunk<'a>> },
    Lossless(&'a Chunk<'a>),
}

impl<'a> Bitstream<'a> {
    /// Returns the first bitstream, which is the one that libwebp reads. An alpha channel counts only if it comes
    /// before that.
    fn of(chunks: &'a [Chunk<'a>], with_alpha: bool) -> Result<Self, IntakeError> {
        let Some(at) = chunks.iter().position(Chunk::is_bitstream) else {
            return Err(unreadable("it has no bitstream"));
        };
        let data = &chunks[at];
        if &data.name == b"VP8L" {
            return Ok(Self::Lossless(data));
        }
        let alpha = chunks[..at].iter().find(|chunk| &chunk.name == b"ALPH").filter(|_| with_alpha);
        Ok(Self::Lossy { data, alpha })
    }

    /// Returns whether bytes of the bitstream are missing.
    fn is_cut(&self) -> bool {
        match self {
            Self::Lossy { data, alpha } => data.is_cut() || alpha.is_some_and(Chunk::is_cut),
            Self::Lossless(data) => data.is_cut(),
        }
    }

    /// Returns the width and height in the bitstream's own header (RFC 6386, 9.1; WebP lossless specification, 3).
    fn size(&self) -> Result<(u32, u32), IntakeError> {
        match self {
            Self::Lossy { data, .. } => Ok((number(&data.data, 6)? & 0x3fff, number(&data.data, 8)? & 0x3fff)),
            Self::Lossless(data) => {
                let (low, high) = (number(&data.data, 1)?, number(&data.data, 2)? >> 6);
                Ok(((low & 0x3fff) + 1, (high & 0x3fff) + 1))
            }
        }
    }

    /// Returns why decoders disagree about the bitstream, as far as its header shows.
    fn disputed(&self) -> Option<&'static str> {
        match self {
            Self::Lossy { data, .. } => luma::disputed(&data.data),
            Self::Lossless(_) => None,
        }
    }

    /// Returns the surface of the luma alone. Stops if the picture is small or lossless, if it has transparent pixels,
    /// or if the bitstream is faulty: then the general decoder reads it.
    fn luma(&self, (width, height): (u32, u32)) -> Result<Surfaces, Stop> {
        let Self::Lossy { data, alpha: None } = self else { return Err(Stop::Faulty) };
        if width.min(height) < MIN_SIDE_OF_LUMA || data.is_cut() {
            return Err(Stop::Faulty);
        }
        let mut surfaces = Surfaces::new(width, height);
        luma::decode(&data.data, |y, row| surfaces.push(y, 1, row))?;
        Ok(surfaces)
    }

    /// Passes each row to `each`, from top to bottom, with the number of channels.
    fn decode(&self, limits: &Limits, mut each: impl FnMut(u32, usize, &[u8])) -> Result<(), IntakeError> {
        let (width, height) = self.size()?;
        check_size(Format::Webp, width, height, limits)?;
        let pixels = u64::from(width) * u64::from(height);
        let (file, opaque) = match self {
            Self::Lossy { data, alpha: None } => (container(&[(b"VP8 ", &data.data)]), true),
            Self::Lossy { data, alpha: Some(alpha) } => {
                let mut header = [0; 10];
                header[0] = 0x10;
                header[4..7].copy_from_slice(&(width - 1).to_le_bytes()[..3]);
                header[7..10].copy_from_slice(&(height - 1).to_le_bytes()[..3]);
                (container(&[(b"VP8X", &header), (b"ALPH", &alpha.data), (b"VP8 ", &data.data)]), false)
            }
            Self::Lossless(data) => {
                // Sets the alpha flag in the bitstream's header. The crate then decodes the picture in place; without
                // the flag, it would need a second buffer.
                let mut data = data.data.to_vec();
                let opaque = data[4] & 0x10 == 0;
                data[4] |= 0x10;
                (container(&[(b"VP8L", &data)]), opaque)
            }
        };
        // 4 bytes per pixel for the result, and up to 3 for the planes of a lossy picture (YUV 4:2:0, alpha).
        check_alloc(7 * pixels, limits)?;
        let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(unreadable)?;
        let mut buffer = vec![0; decoder.output_buffer_size().unwrap_or(0)];
        decoder.read_image(&mut buffer).map_err(unreadable)?;
        let channels = if decoder.has_alpha() { 4 } else { 3 };
        if opaque && channels == 4 {
            buffer.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = 255);
        }
        for (y, row) in (0..).zip(buffer.chunks_exact(channels * width as usize)) {
            each(y, channels, row);
        }
        Ok(())
    }
}

/// Makes a WebP file of these chunks.
fn container(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    for (name, data) in chunks {
        file.extend_from_slice(*name);
        file.extend_from_slice(&(data.len() as u32).to_le_bytes());
        file.extend_from_slice(data);
        file.resize(file.len().next_multiple_of(2), 0);
    }
    let length = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}
