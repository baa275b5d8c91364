//! WebP, by the `image-webp` crate.
//!
//! The container is taken apart here, for what the crate doesn't do: telling a cut file from a
//! whole one, frames whose canvas they don't fill, disposal. Each frame's bitstream goes to the
//! crate in a container of its own.

use std::io::Cursor;

use ::image_webp::WebPDecoder;

use super::animation::{Blend, Canvas, Dispose, Plan, Rect};
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_alloc, check_plausible, check_size};
use super::picture::{DecodedBy, Picture};
use super::surfaces::{Surfaces, still};

/// A picture of one colour takes no bits a pixel in a lossless WebP. This many pixels a byte are
/// beyond any picture that has something in it.
const PIXELS_PER_BYTE: u64 = 16_384;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Webp, message)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let length = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
    let body = length.checked_add(8).and_then(|end| bytes.get(12..end));
    let chunks = chunks(body.ok_or_else(|| unreadable("it ends before its container does"))?)?;
    let extended = chunks.iter().find(|chunk| &chunk.name == b"VP8X").map(|chunk| chunk.data);
    let flags = extended.and_then(|data| data.first()).copied().unwrap_or(0);
    let (width, height) = match extended {
        Some(data) => (number(data, 4)? + 1, number(data, 7)? + 1),
        None => Bitstream::of(&chunks, true)?.size()?,
    };
    check_size(Format::Webp, width, height, limits)?;
    let pixels = u64::from(width) * u64::from(height);
    check_plausible(Format::Webp, pixels, PIXELS_PER_BYTE, bytes.len())?;

    if flags & 0x02 == 0 {
        // Without its flag, an alpha chunk is none (WebP container specification, VP8X).
        let bitstream = Bitstream::of(&chunks, flags & 0x10 != 0)?;
        if bitstream.size()? != (width, height) {
            return Err(unreadable("container and bitstream differ in size"));
        }
        let mut surfaces = Surfaces::new(width, height);
        bitstream.decode(limits, |y, channels, row| surfaces.push(y, channels, row))?;
        return Ok(still(Format::Webp, width, height, surfaces));
    }

    let frames = chunks.iter().filter(|chunk| &chunk.name == b"ANMF");
    let frames = frames.map(|chunk| Frame::of(chunk.data)).collect::<Result<Vec<_>, _>>()?;
    if frames.is_empty() {
        return Err(unreadable("it is an animation without frames"));
    }
    let rects: Vec<_> = frames.iter().map(|frame| frame.rect).collect();
    let plan = Plan::new(pixels, &rects, limits);
    let mut canvas = Canvas::new(width, height, [0; 4], limits)?;
    let mut kept = Vec::new();
    for (index, frame) in (0..plan.reach).zip(&frames) {
        if !frame.rect.fits(width, height) {
            return Err(unreadable(format!("frame {index} reaches outside the canvas")));
        }
        let bitstream = Bitstream::of(&frame.chunks, true)?;
        if bitstream.size()? != (frame.rect.width, frame.rect.height) {
            return Err(unreadable(format!("frame {index} and its bitstream differ in size")));
        }
        canvas.begin(frame.rect, frame.dispose);
        let blend = if index == 0 { Blend::Source } else { frame.blend };
        bitstream.decode(limits, |y, channels, row| {
            let pixels = row.chunks_exact(channels).map(|p| [p[0], p[1], p[2], p.get(3).copied().unwrap_or(255)]);
            canvas.draw((0, 1), y, pixels, blend);
        })?;
        if plan.kept.contains(&index) {
            kept.extend(canvas.show(index));
        }
    }
    let count = frames.len() as u32;
    let mut picture = Picture::new(Format::Webp, (width, height), DecodedBy::General, count, kept);
    picture.frames_skipped = plan.skipped;
    Ok(picture)
}

/// A little-endian number of three bytes.
fn number(data: &[u8], at: usize) -> Result<u32, IntakeError> {
    let bytes = data.get(at..at + 3).ok_or_else(|| unreadable("a header is too short"))?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]))
}

struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
}

/// The chunks of a RIFF container, all of them whole.
fn chunks(mut rest: &[u8]) -> Result<Vec<Chunk<'_>>, IntakeError> {
    let mut chunks = Vec::new();
    while let Some((header, data)) = rest.split_first_chunk::<8>() {
        let [n0, n1, n2, n3, length @ ..] = *header;
        let length = u32::from_le_bytes(length) as usize;
        let chunk = data.get(..length).ok_or_else(|| unreadable("it ends within a chunk"))?;
        chunks.push(Chunk { name: [n0, n1, n2, n3], data: chunk });
        // Padded to even length; writers forget that at the end.
        rest = data.get(length + length % 2..).unwrap_or_default();
    }
    Ok(chunks)
}

/// A frame of an animation (WebP container specification, ANMF).
struct Frame<'a> {
    rect: Rect,
    dispose: Dispose,
    blend: Blend,
    chunks: Vec<Chunk<'a>>,
}

impl<'a> Frame<'a> {
    fn of(data: &'a [u8]) -> Result<Self, IntakeError> {
        let (x, y) = (2 * number(data, 0)?, 2 * number(data, 3)?);
        let rect = Rect { x, y, width: number(data, 6)? + 1, height: number(data, 9)? + 1 };
        let (flags, rest) = data[12..].get(3..).and_then(<[u8]>::split_first).unwrap_or((&0, &[]));
        Ok(Self {
            rect,
            dispose: if flags & 1 != 0 { Dispose::Background } else { Dispose::Keep },
            blend: if flags & 2 != 0 { Blend::Source } else { Blend::Over },
            chunks: chunks(rest)?,
        })
    }
}

/// The coded pixels of a picture or frame.
enum Bitstream<'a> {
    Lossy { data: &'a [u8], alpha: Option<&'a [u8]> },
    Lossless(&'a [u8]),
}

impl<'a> Bitstream<'a> {
    fn of(chunks: &[Chunk<'a>], with_alpha: bool) -> Result<Self, IntakeError> {
        let find = |name: &[u8; 4]| chunks.iter().find(|chunk| &chunk.name == name).map(|chunk| chunk.data);
        match (find(b"VP8 "), find(b"VP8L")) {
            (Some(data), _) => Ok(Self::Lossy { data, alpha: find(b"ALPH").filter(|_| with_alpha) }),
            (None, Some(data)) => Ok(Self::Lossless(data)),
            (None, None) => Err(unreadable("it has no bitstream")),
        }
    }

    /// Width and height by its own header (RFC 6386, 9.1; WebP lossless specification, 3).
    fn size(&self) -> Result<(u32, u32), IntakeError> {
        match self {
            Self::Lossy { data, .. } => Ok((number(data, 6)? & 0x3fff, number(data, 8)? & 0x3fff)),
            Self::Lossless(data) => {
                let (low, high) = (number(data, 1)?, number(data, 2)? >> 6);
                Ok(((low & 0x3fff) + 1, (high & 0x3fff) + 1))
            }
        }
    }

    /// Gives the rows, top to bottom, with their number of channels.
    fn decode(&self, limits: &Limits, mut each: impl FnMut(u32, usize, &[u8])) -> Result<(), IntakeError> {
        let (width, height) = self.size()?;
        check_size(Format::Webp, width, height, limits)?;
        let pixels = u64::from(width) * u64::from(height);
        let (file, opaque) = match self {
            Self::Lossy { data, alpha: None } => (container(&[(b"VP8 ", data)]), true),
            Self::Lossy { data, alpha: Some(alpha) } => {
                let mut header = [0; 10];
                header[0] = 0x10;
                header[4..7].copy_from_slice(&(width - 1).to_le_bytes()[..3]);
                header[7..10].copy_from_slice(&(height - 1).to_le_bytes()[..3]);
                (container(&[(b"VP8X", &header), (b"ALPH", alpha), (b"VP8 ", data)]), false)
            }
            Self::Lossless(data) => {
                // Said to have alpha, it is decoded in place; otherwise through a second buffer.
                let mut data = data.to_vec();
                let opaque = data[4] & 0x10 == 0;
                data[4] |= 0x10;
                (container(&[(b"VP8L", &data)]), opaque)
            }
        };
        // The pixels, and beside them the planes of a lossy picture (YUV 4:2:0, alpha).
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

/// A WebP file of these chunks.
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
