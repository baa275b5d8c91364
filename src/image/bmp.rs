//! BMP. The `image` crate reads it too, but whole pictures only, and for 15 kB of compressed wasm.
//!
//! The layout is that of Microsoft's "Bitmap Storage": file header, info header, masks, palette, and rows
//! of a multiple of four bytes, the lowest row of the picture first unless the height is negative.

use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_plausible, check_size};
use super::picture::Picture;
use super::surfaces::{Surfaces, still};

/// Run-length coded data may stop at any time and leave the rest to the first colour. This many pixels
/// a byte are beyond any picture that has something in it.
const PIXELS_PER_BYTE: u64 = 16_384;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Bmp, message)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let header = Header::of(bytes).ok_or_else(|| unreadable("it ends within its header"))?;
    let (width, height) = (header.width, header.height);
    check_size(Format::Bmp, width, height, limits)?;
    let pixel = Pixel::of(bytes, &header)?;
    let data = bytes.get(header.offset..).unwrap_or_default();
    let mut surfaces = Surfaces::new(width, height);
    let mut row = Vec::new();
    let mut push = |line: u32, stored: &[u8]| {
        row.clear();
        pixel.unpack(stored, width as usize, &mut row);
        let y = if header.top_down { line } else { height - 1 - line };
        surfaces.push(y, row.len() / width as usize, &row);
    };
    let ended = if header.is_packed() {
        check_plausible(Format::Bmp, u64::from(width) * u64::from(height), PIXELS_PER_BYTE, bytes.len())?;
        unpack_runs(data, &header, push).is_none()
    } else {
        let stride = (u64::from(width) * u64::from(header.bits)).div_ceil(32) as usize * 4;
        let lines = data.chunks_exact(stride).take(height as usize);
        let ended = lines.len() < height as usize;
        (0..).zip(lines).for_each(|(line, stored)| push(line, stored));
        ended
    };
    if ended { Err(unreadable("it ends before its last row")) } else { Ok(still(Format::Bmp, width, height, surfaces)) }
}

struct Header {
    /// Of the pixels, from the start of the file.
    offset: usize,
    /// Of what follows this header: masks, palette.
    end: usize,
    width: u32,
    height: u32,
    top_down: bool,
    bits: u16,
    compression: u32,
    colours: u32,
    /// The oldest header has fields of two bytes and palettes of three.
    core: bool,
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl Header {
    /// `None` if the file ends first, or says that its pixels begin before its header ends.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (offset, length) = (long(bytes, 10)? as usize, long(bytes, 14)? as usize);
        let (core, end) = (length == 12, 14 + length);
        let height = if core { i32::from(short(bytes, 20)?) } else { long(bytes, 22)?.cast_signed() };
        let header = Self {
            offset,
            end,
            width: if core { short(bytes, 18)?.into() } else { long(bytes, 18)? },
            height: height.unsigned_abs(),
            top_down: height < 0,
            bits: short(bytes, if core { 24 } else { 28 })?,
            compression: if core { 0 } else { long(bytes, 30)? },
            colours: if core { 0 } else { long(bytes, 46)? },
            core,
        };
        (end <= offset).then_some(header)
    }

    fn is_packed(&self) -> bool {
        matches!(self.compression, 1 | 2)
    }
}

/// How a pixel is stored.
enum Pixel {
    /// In so many bits, as an index into red, green, blue.
    Index(u16, Vec<[u8; 3]>),
    /// In three bytes: blue, green, red.
    Bytes,
    /// In so many bytes, under the masks of red, green, blue, alpha.
    Masks(usize, [u32; 4]),
}

impl Pixel {
    fn of(bytes: &[u8], header: &Header) -> Result<Self, IntakeError> {
        let masks = |count: usize| {
            let mask = |i: usize| if i < count { long(bytes, 54 + 4 * i).unwrap_or(0) } else { 0 };
            [mask(0), mask(1), mask(2), mask(3)]
        };
        // Masks are part of the longer headers, and follow the one of 40 bytes.
        let with_alpha = if header.end >= 14 + 56 { 4 } else { 3 };
        Ok(match (header.compression, header.bits) {
            (0, 1 | 2 | 4 | 8) | (1, 8) | (2, 4) => {
                let most = 1 << header.bits;
                let count = if header.colours == 0 { most } else { header.colours.min(most) };
                let stored = bytes.get(header.end..header.offset).unwrap_or_default();
                let stored = stored.chunks_exact(if header.core { 3 } else { 4 }).take(count as usize);
                let mut palette: Vec<_> = stored.map(|colour| [colour[2], colour[1], colour[0]]).collect();
                palette.resize(256, [0; 3]);
                Self::Index(header.bits, palette)
            }
            (0, 24) => Self::Bytes,
            (0, 16) => Self::Masks(2, [0x7c00, 0x03e0, 0x001f, 0]),
            (0, 32) => Self::Masks(4, [0xff_0000, 0xff00, 0xff, 0]),
            (3, 16 | 32) => Self::Masks(usize::from(header.bits / 8), masks(with_alpha)),
            (6, 16 | 32) => Self::Masks(usize::from(header.bits / 8), masks(4)),
            (compression, bits) => {
                return Err(unreadable(format!("compression {compression} of {bits} bits a pixel is not read")));
            }
        })
    }

    fn unpack(&self, stored: &[u8], width: usize, row: &mut Vec<u8>) {
        match self {
            Self::Index(bits, palette) => {
                let bits = usize::from(*bits);
                let index = |x: usize| stored[x * bits / 8] >> (8 - bits - x * bits % 8) & (255 >> (8 - bits));
                row.extend((0..width).flat_map(|x| palette[usize::from(index(x))]));
            }
            Self::Bytes => row.extend(stored.as_chunks::<3>().0.iter().take(width).flat_map(|&[b, g, r]| [r, g, b])),
            Self::Masks(bytes, masks) => {
                let channels = if masks[3] == 0 { 3 } else { 4 };
                for pixel in stored.chunks_exact(*bytes).take(width) {
                    let pixel = pixel.iter().rfold(0, |pixel, &byte| pixel << 8 | u32::from(byte));
                    row.extend(masks[..channels].iter().map(|&mask| {
                        let shift = mask.trailing_zeros().min(31);
                        // Rounded down, as in Pillow.
                        let (value, most) = (u64::from((pixel & mask) >> shift), u64::from(mask >> shift));
                        (value * 255 / most.max(1)) as u8
                    }));
                }
            }
        }
    }
}

/// Gives rows from run-length coded data; `None` if it ends early.
fn unpack_runs(data: &[u8], header: &Header, mut push: impl FnMut(u32, &[u8])) -> Option<()> {
    let width = header.width as usize;
    let half = usize::from(header.bits == 4);
    // Indices as they would be stored without runs: one byte, or half of one, a pixel.
    let mut row = vec![0; width.div_ceil(1 + half)];
    let set = |row: &mut [u8], x: usize, index: u8| {
        let shift = 4 * half * ((x + 1) % 2);
        if x < width {
            row[x / (1 + half)] |= index << shift;
        }
    };
    let index = |bytes: &[u8], i: usize| {
        if half == 0 { bytes.get(i).copied() } else { Some(bytes.get(i / 2)? >> (4 * ((i + 1) % 2)) & 15) }
    };
    let (mut rest, mut x, mut line) = (data, 0, 0);
    while line < header.height {
        let (&[count, value], after) = rest.split_first_chunk()?;
        rest = after;
        let skip = match (count, value) {
            (0, 0) => {
                x = 0;
                1
            }
            (0, 1) => header.height - line,
            (0, 2) => {
                let (&[right, down], after) = rest.split_first_chunk()?;
                rest = after;
                x += usize::from(right);
                u32::from(down)
            }
            (0, count) => {
                let count = usize::from(count);
                for i in 0..count {
                    set(&mut row, x + i, index(rest, i)?);
                }
                x += count;
                rest = rest.get(count.div_ceil(1 + half).next_multiple_of(2)..)?;
                0
            }
            (count, _) => {
                for i in 0..usize::from(count) {
                    set(&mut row, x + i, index(&[value], i % (1 + half))?);
                }
                x += usize::from(count);
                0
            }
        };
        for _ in 0..skip.min(header.height - line) {
            push(line, &row);
            row.fill(0);
            line += 1;
        }
    }
    Some(())
}
