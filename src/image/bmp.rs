//! BMP, by the `image` crate.

use std::io::Cursor;

use ::image::codecs::bmp::BmpDecoder;
use ::image::{ColorType, ImageDecoder};

use super::surfaces::Surfaces;
use super::{Format, IntakeError, Limits, Picture, check_alloc, check_plausible, check_size, still};

/// Run lengths go up to 255 for two bytes, but a file may also just stop. This many pixels a byte
/// are beyond any picture that has something in it.
const PIXELS_PER_BYTE: u64 = 16_384;

/// Headers, masks and palette together are shorter than this.
const MAX_HEADER: usize = 4096;

/// Bytes decoded at once, unless a row is longer.
const STRIP: usize = 1 << 20;

fn unreadable(message: impl ToString) -> IntakeError {
    super::unreadable(Format::Bmp, message)
}

/// The decoder gives whole pictures only. But an uncompressed bitmap is rows of equal length, so
/// it is handed over in strips, each a bitmap of its own.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let header = Header::of(bytes).ok_or_else(|| unreadable("it ends within its header"))?;
    let (width, height) = (header.width, header.height);
    check_size(Format::Bmp, width, height, limits)?;
    let pixels = u64::from(width) * u64::from(height);
    if header.packed {
        check_plausible(Format::Bmp, pixels, PIXELS_PER_BYTE, bytes)?;
        check_alloc(4 * pixels, limits)?;
        let mut surfaces = Surfaces::new(width, height);
        decode(bytes, |y, channels, row| surfaces.push(y, channels, row))?;
        return Ok(still(Format::Bmp, width, height, surfaces));
    }
    if !matches!(header.bits, 1 | 2 | 4 | 8 | 16 | 24 | 32) {
        return Err(unreadable(format!("bits a pixel: expected 1, 2, 4, 8, 16, 24 or 32, got {}", header.bits)));
    }
    let stride = (u64::from(width) * u64::from(header.bits)).div_ceil(32) as usize * 4;
    let data = bytes.get(header.offset..).and_then(|data| data.get(..stride.checked_mul(height as usize)?));
    let data = data.ok_or_else(|| unreadable("it ends before its last row"))?;
    let prefix = &bytes[..header.offset.min(MAX_HEADER)];
    let rows_per_strip = (STRIP / stride).max(1);
    let mut surfaces = Surfaces::new(width, height);
    for (strip, rows) in data.chunks(stride * rows_per_strip).enumerate() {
        let count = (rows.len() / stride) as u32;
        let above = (strip * rows_per_strip) as u32;
        let first = if header.top_down { above } else { height - above - count };
        let mut file = header.with_height(prefix, count);
        file.extend_from_slice(rows);
        decode(&file, |y, channels, row| surfaces.push(first + y, channels, row))?;
    }
    Ok(still(Format::Bmp, width, height, surfaces))
}

fn decode(file: &[u8], mut each: impl FnMut(u32, usize, &[u8])) -> Result<(), IntakeError> {
    let decoder = BmpDecoder::new(Cursor::new(file)).map_err(unreadable)?;
    let width = decoder.dimensions().0 as usize;
    let channels = if decoder.color_type() == ColorType::Rgba8 { 4 } else { 3 };
    let mut buffer = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut buffer).map_err(unreadable)?;
    for (y, row) in (0..).zip(buffer.chunks_exact(channels * width)) {
        each(y, channels, row);
    }
    Ok(())
}

/// What matters of the headers (BITMAPFILEHEADER; BITMAPCOREHEADER or BITMAPINFOHEADER).
struct Header {
    /// Of the pixels, from the start of the file.
    offset: usize,
    width: u32,
    height: u32,
    top_down: bool,
    bits: u16,
    /// Run-length coded, or a kind that the decoder refuses.
    packed: bool,
    /// The old header has fields of two bytes.
    core: bool,
}

impl Header {
    fn of(bytes: &[u8]) -> Option<Self> {
        let short = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let long = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let (offset, length) = (long(10)? as usize, long(14)? as usize);
        if offset < 14 + length {
            return None;
        }
        let core = length == 12;
        let (width, height) =
            if core { (short(18)?.into(), i32::from(short(20)?)) } else { (long(18)?, long(22)?.cast_signed()) };
        Some(Self {
            offset,
            width,
            height: height.unsigned_abs(),
            top_down: height < 0,
            bits: if core { short(24)? } else { short(28)? },
            packed: !core && !matches!(long(30)?, 0 | 3),
            core,
        })
    }

    /// The headers of a bitmap of `height` rows whose pixels follow at once.
    fn with_height(&self, prefix: &[u8], height: u32) -> Vec<u8> {
        let mut file = prefix.to_vec();
        file[10..14].copy_from_slice(&(prefix.len() as u32).to_le_bytes());
        if self.core {
            file[20..22].copy_from_slice(&(height as u16).to_le_bytes());
        } else {
            let height = height.cast_signed();
            let height = if self.top_down { -height } else { height };
            file[22..26].copy_from_slice(&height.to_le_bytes());
        }
        file
    }
}
