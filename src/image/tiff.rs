//! Reads TIFF with the `tiff` crate, which doesn't read palettes. Pages count as frames.

use std::io::Cursor;

use ::tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits as TiffLimits};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};

use super::animation::Rect;
use super::caveat::Caveat;
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_alloc, check_size};
use super::picture::{DecodedBy, Picture};
use super::sample::{FrameHead, reach, spread};
use super::surfaces::Surfaces;

/// Largest number of pages that are read.
const MAX_PAGES: u32 = 64;

fn unreadable(error: TiffError) -> IntakeError {
    error::unreadable(Format::Tiff, error)
}

fn unsupported(what: impl std::fmt::Debug) -> IntakeError {
    error::unreadable(Format::Tiff, format!("pixels of the kind {what:?} are not read"))
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let most = usize::try_from(limits.max_alloc).unwrap_or(usize::MAX);
    let mut tiff_limits = TiffLimits::default();
    tiff_limits.decoding_buffer_size = most;
    tiff_limits.intermediate_buffer_size = most;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(unreadable)?.with_limits(tiff_limits);

    let mut pages = Vec::new();
    loop {
        let (width, height) = decoder.dimensions().map_err(unreadable)?;
        check_size(Format::Tiff, width, height, limits)?;
        pages.push(FrameHead { rect: Rect { x: 0, y: 0, width, height }, duration_ms: 0 });
        if !decoder.more_images() {
            break;
        }
        decoder.next_image().map_err(unreadable)?;
    }
    let reach = reach(0, &pages, limits);
    let kept = spread(reach, limits.max_frames.min(MAX_PAGES));
    let mut frames = Vec::new();
    for &index in &kept {
        decoder.seek_to_image(index as usize).map_err(unreadable)?;
        let Rect { width, height, .. } = pages[index as usize].rect;
        let mut surfaces = Surfaces::new(width, height);
        page(&mut decoder, limits, &mut surfaces)?;
        frames.extend(surfaces.finish(index));
    }
    let size = (pages[0].rect.width, pages[0].rect.height);
    let mut picture = Picture::new(Format::Tiff, size, DecodedBy::General, pages.len() as u32, frames);
    picture.frames_skipped = pages.len() as u32 - reach;
    if (kept.len() as u32) < reach {
        picture.admit(Caveat::FramesSampled);
    }
    Ok(picture)
}

/// Reads a page in bands. A band is a strip or a row of tiles.
fn page(decoder: &mut Decoder<Cursor<&[u8]>>, limits: &Limits, surfaces: &mut Surfaces) -> Result<(), IntakeError> {
    let (width, height) = decoder.dimensions().map_err(unreadable)?;
    let pixel = Pixel::of(decoder)?;
    let planes = match decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(unreadable)? {
        Some(2) => pixel.samples,
        _ => 1,
    };
    let (across, down) = decoder.chunk_dimensions();
    if across == 0 || down == 0 {
        return Err(error::unreadable(Format::Tiff, "a tile or strip has no pixels"));
    }
    let columns = if decoder.get_chunk_type() == ChunkType::Tile { width.div_ceil(across) } else { 1 };
    let bands = height.div_ceil(down);
    let band_height = down.min(height) as usize;
    check_alloc(width as u64 * band_height as u64 * pixel.samples as u64, limits)?;
    let mut band = vec![0; width as usize * band_height * pixel.samples];
    let mut row = Vec::new();
    for band_index in 0..bands {
        for plane in 0..planes {
            for column in 0..columns {
                let chunk = (plane as u32 * bands + band_index) * columns + column;
                let data = decoder.read_chunk(chunk).map_err(unreadable)?;
                let chunk_width = across.min(width - column * across) as usize;
                let per_row = chunk_width * pixel.samples / planes;
                let data = samples(data, &pixel, per_row)?;
                let lines = band.chunks_exact_mut(width as usize * pixel.samples);
                for (to, line) in lines.zip(data.chunks_exact(per_row)) {
                    let to = to[column as usize * across as usize * pixel.samples..].iter_mut();
                    to.skip(plane).step_by(planes).zip(line).for_each(|(to, from)| *to = *from);
                }
            }
        }
        let top = band_index * down;
        for (y, line) in (top..height).zip(band.chunks_exact(width as usize * pixel.samples)) {
            row.clear();
            line.chunks_exact(pixel.samples).for_each(|samples| pixel.convert(samples, &mut row));
            surfaces.push(y, row.len() / width as usize, &row);
        }
    }
    Ok(())
}

/// Converts a chunk to samples of 8 bits. Takes the high byte of samples of 16 bits, as for PNG.
fn samples(data: DecodingResult, pixel: &Pixel, per_row: usize) -> Result<Vec<u8>, IntakeError> {
    let bits = usize::from(pixel.bits);
    match data {
        DecodingResult::U8(data) if bits == 8 => Ok(data),
        DecodingResult::U8(data) => {
            let mask = (1 << bits) - 1;
            let sample = |row: &[u8], i: usize| (row[i * bits / 8] >> (8 - bits - i * bits % 8)) & mask;
            let rows = data.chunks_exact((per_row * bits).div_ceil(8));
            Ok(rows.flat_map(|row| (0..per_row).map(move |i| sample(row, i))).collect())
        }
        DecodingResult::U16(data) => Ok(data.iter().map(|sample| (sample >> 8) as u8).collect()),
        _ => Err(unsupported(pixel.colour)),
    }
}

/// How a page stores a pixel.
struct Pixel {
    colour: ColorType,
    bits: u8,
    samples: usize,
    /// Whether colours are premultiplied by alpha.
    premultiplied: bool,
}

impl Pixel {
    fn of(decoder: &mut Decoder<Cursor<&[u8]>>) -> Result<Self, IntakeError> {
        let colour = decoder.colortype().map_err(unreadable)?;
        let (bits, samples) = match colour {
            ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16)) => (bits, 1),
            ColorType::GrayA(bits @ (8 | 16)) | ColorType::Multiband { bit_depth: bits @ (8 | 16), num_samples: 2 } => {
                (bits, 2)
            }
            ColorType::RGB(bits @ (8 | 16)) | ColorType::YCbCr(bits @ 8) => (bits, 3),
            ColorType::RGBA(bits @ (8 | 16)) | ColorType::CMYK(bits @ (8 | 16)) => (bits, 4),
            ColorType::CMYKA(bits @ (8 | 16)) => (bits, 5),
            other => return Err(unsupported(other)),
        };
        let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(unreadable)?.unwrap_or_default();
        Ok(Self { colour, bits, samples, premultiplied: extra.first() == Some(&1) })
    }

    fn convert(&self, samples: &[u8], row: &mut Vec<u8>) {
        let ink = |ink: u8, key: u8| {
            let product = u32::from(255 - ink) * u32::from(255 - key) + 128;
            ((product + (product >> 8)) >> 8) as u8
        };
        match *samples {
            [grey] if self.bits < 8 => row.push((u16::from(grey) * 255 / ((1 << self.bits) - 1)) as u8),
            [y, blue, red] if matches!(self.colour, ColorType::YCbCr(_)) => {
                // Converts by JFIF's formula (BT.601, full range).
                let (y, blue, red) = (f32::from(y), f32::from(blue) - 128.0, f32::from(red) - 128.0);
                let rgb = [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue];
                row.extend(rgb.map(|value| (value + 0.5) as u8));
            }
            [c, m, y, k] | [c, m, y, k, _] if matches!(self.colour, ColorType::CMYK(_) | ColorType::CMYKA(_)) => {
                row.extend([ink(c, k), ink(m, k), ink(y, k)]);
            }
            [ref colours @ .., alpha] if self.samples.is_multiple_of(2) => {
                let straight = |&colour: &u8| match (self.premultiplied, alpha) {
                    (false, _) | (true, 0 | 255) => colour,
                    (true, _) => (u32::from(colour) * 255 / u32::from(alpha)).min(255) as u8,
                };
                row.extend(colours.iter().map(straight));
                row.push(alpha);
            }
            _ => row.extend(samples),
        }
    }
}
