//! Reads BMP. The `image` crate isn't used: it would need the whole picture in memory, and 15 kB more of compressed
//! wasm.
//!
//! The layout is that of Microsoft's "Bitmap Storage": file header, info header, masks, palette, and rows of a multiple
//! of four bytes, the lowest row of the picture first unless the height is negative.

use super::caveat::{Caveat, NotOrdinary};
use super::complete::complete;
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_alloc, check_plausible, check_size};
use super::picture::Picture;
use super::profile::Profile;
use super::surfaces::{Surfaces, still};

/// Largest number of pixels per byte of a file; a file with more is refused. The format sets no limit: run-length coded
/// data may stop anywhere, and the remaining pixels then have the palette's first colour. Real pictures have far fewer
/// pixels per byte.
const PIXELS_PER_BYTE: u64 = 16_384;

/// Bytes of the file header, which comes before the info header.
const FILE_HEADER: usize = 14;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Bmp, message)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let short = || unreadable("it ends within its header");
    let header = Header::of(&bytes[FILE_HEADER..]).ok_or_else(short)?;
    let (width, height) = (header.width, header.height);
    check_size(Format::Bmp, width, height, limits)?;
    let declared = long(bytes, 10).ok_or_else(short)? as usize;
    let colours_end = FILE_HEADER + header.pixels_start();
    // An offset that points into the headers is invalid. Firefox then reads the pixels after the palette, and so does
    // this module. Chromium reads them from elsewhere, so the file isn't ordinary.
    let offset = if declared < FILE_HEADER + header.end { colours_end } else { declared };
    // The palette follows the info header, even if the declared pixels overlap it.
    let palette = bytes.get(FILE_HEADER + header.end..colours_end.min(bytes.len())).unwrap_or_default();
    let pixel = Pixel::of(&bytes[FILE_HEADER..], palette, &header)?;
    let data = bytes.get(offset..).unwrap_or_default();

    let (conversion, odd_profile) = header.profile(&bytes[FILE_HEADER..]).split(Format::Bmp)?;
    let mut surfaces = Surfaces::new(width, height);
    surfaces.manage(conversion);
    let mut row = Vec::new();
    let mut with_alpha = Vec::new();
    let rows = header.rows(data, bytes.len(), &mut |line, stored, drawn| {
        row.clear();
        pixel.unpack(stored, width as usize, &mut row);
        let y = if header.top_down { line } else { height - 1 - line };
        if drawn.contains(&false) {
            // Browsers leave pixels transparent that no run draws. Pillow gives them the first colour.
            with_alpha.clear();
            let pixels = row.as_chunks::<3>().0.iter().zip(drawn);
            with_alpha.extend(pixels.flat_map(|(&[r, g, b], &drawn)| [r, g, b, if drawn { 255 } else { 0 }]));
            return surfaces.push(y, 4, &with_alpha);
        }
        surfaces.push(y, row.len() / width as usize, &row);
    })?;
    if rows == 0 {
        return Err(unreadable("it ends before its first row"));
    }
    // Viewers show missing rows as white.
    let blank = vec![255; 3 * width as usize];
    for line in rows..height {
        surfaces.push(if header.top_down { line } else { height - 1 - line }, 3, &blank);
    }
    let mut picture = still(Format::Bmp, width, height, surfaces);
    picture.not_ordinary = odd_profile;
    match header.oddity(offset == declared, declared < colours_end, palette.len()) {
        Some((reason, true)) => picture.breaks_a_rule(reason),
        Some((reason, false)) => picture.mark_not_ordinary(NotOrdinary::structure(reason)),
        None => {}
    }
    let stride = header.stride();
    if offset != declared || !header.is_packed() && data.len() < stride * height as usize {
        picture.admit(Caveat::Malformed);
    }
    if rows < height {
        picture.damaged = Some(format!("{} of its {height} rows are missing", height - rows));
        complete(&mut picture, if header.top_down { 0..rows } else { height - rows..height });
    }
    Ok(picture)
}

/// Reads a bitmap of an icon, which has no file header. Returns width, height, and the pixels as red, green, blue,
/// alpha, row by row from the top. A mask of one bit per pixel follows the colours; its ones are transparent pixels.
/// The height in the header counts the rows of both.
///
/// # Errors As [`read`]; also `Unreadable` if any row is missing.
pub(super) fn read_icon(dib: &[u8], limits: &Limits) -> Result<(u32, u32, Vec<[u8; 4]>), IntakeError> {
    let mut header = Header::of(dib).ok_or_else(|| unreadable("an icon ends within its header"))?;
    header.height /= 2;
    let (width, height) = (header.width, header.height);
    check_size(Format::Ico, width, height, limits)?;
    let start = header.pixels_start();
    let palette = dib.get(header.end..start.min(dib.len())).unwrap_or_default();
    let mut pixel = Pixel::of(dib, palette, &header)?;
    if let Pixel::Masks(4, masks) = &mut pixel {
        masks[3] = 0xff00_0000;
    }
    let stride = |bits: u16| (u64::from(width) * u64::from(bits)).div_ceil(32) as usize * 4;
    let data = dib.get(start..).unwrap_or_default();
    check_plausible(Format::Ico, u64::from(width) * u64::from(height), 8, dib.len())?;
    check_alloc(4 * u64::from(width) * u64::from(height), limits)?;
    let mut rgba = vec![[0; 4]; width as usize * height as usize];
    let mut row = Vec::new();
    let line_at = |line: u32| (if header.top_down { line } else { height - 1 - line }) as usize * width as usize;
    let rows = header.rows(data, dib.len(), &mut |line, stored, _| {
        row.clear();
        pixel.unpack(stored, width as usize, &mut row);
        let channels = row.len() / width as usize;
        for (to, from) in rgba[line_at(line)..].iter_mut().zip(row.chunks_exact(channels)) {
            *to = [from[0], from[1], from[2], from.get(3).copied().unwrap_or(255)];
        }
    })?;
    if rows < height {
        return Err(unreadable("an icon ends before its last row"));
    }
    let opaque_says_nothing = rgba.iter().all(|pixel| pixel[3] == 0);
    if header.bits < 32 || opaque_says_nothing {
        let mask = data.get(stride(header.bits) * height as usize..).unwrap_or_default();
        let mut lines = mask.chunks_exact(stride(1));
        for line in 0..height {
            let bits = lines.next().unwrap_or_default();
            for (x, pixel) in rgba[line_at(line)..].iter_mut().take(width as usize).enumerate() {
                let transparent = bits.get(x / 8).is_some_and(|byte| byte >> (7 - x % 8) & 1 == 1);
                pixel[3] = if transparent { 0 } else { 255 };
            }
        }
    }
    Ok((width, height, rgba))
}

/// The info header. Positions in bytes count from the start of this header.
struct Header {
    /// Where this header ends.
    end: usize,
    width: u32,
    height: u32,
    top_down: bool,
    bits: u16,
    compression: u32,
    colours: u32,
    /// Whether this is the oldest kind of header (`BITMAPCOREHEADER`): its fields have two bytes and its palette
    /// entries three.
    core: bool,
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl Header {
    /// Reads the header. Returns `None` if the file ends within it.
    fn of(dib: &[u8]) -> Option<Self> {
        let end = long(dib, 0)? as usize;
        let core = end == 12;
        // OS/2 writers leave out fields at the end of the header. Such fields are 0.
        let field = |at: usize| if at + 4 <= end { long(dib, at) } else { Some(0) };
        let height = if core { i32::from(short(dib, 6)?) } else { long(dib, 8)?.cast_signed() };
        Some(Self {
            end,
            width: if core { short(dib, 4)?.into() } else { long(dib, 4)? },
            height: height.unsigned_abs(),
            top_down: height < 0,
            bits: short(dib, if core { 10 } else { 14 })?,
            compression: if core { 0 } else { field(16)? },
            colours: if core { 0 } else { field(32)? },
            core,
        })
    }

    /// Returns the bytes of a stored row, if the rows aren't run-length coded.
    fn stride(&self) -> usize {
        (u64::from(self.width) * u64::from(self.bits)).div_ceil(32) as usize * 4
    }

    fn is_packed(&self) -> bool {
        matches!(self.compression, 1 | 2)
    }

    /// Returns the bytes of a palette entry.
    fn colour_length(&self) -> usize {
        if self.core { 3 } else { 4 }
    }

    /// Returns the number of palette entries.
    fn colour_count(&self) -> usize {
        let most = if self.bits <= 8 { 1 << self.bits } else { 0 };
        if self.colours == 0 { most } else { (self.colours as usize).min(most) }
    }

    /// Returns where the pixels begin if the file header gives no valid offset: after the masks and the palette.
    fn pixels_start(&self) -> usize {
        let masks = match (self.end, self.compression) {
            (40, 3) => 12,
            (40, 6) => 16,
            _ => 0,
        };
        self.end + masks + self.colour_count() * self.colour_length()
    }

    /// Returns how the colours of the file are converted. Longer headers may describe a colour space, or contain an ICC
    /// profile.
    fn profile(&self, dib: &[u8]) -> Profile {
        let space = if self.end >= 108 { long(dib, 56).unwrap_or(0) } else { u32::from_be_bytes(*b"sRGB") };
        match &space.to_be_bytes() {
            b"MBED" if self.end >= 124 => {
                let (start, length) = (long(dib, 112).unwrap_or(0) as usize, long(dib, 116).unwrap_or(0) as usize);
                let icc = start.checked_add(length).and_then(|end| dib.get(start..end));
                icc.map_or(Profile::Unknown, Profile::of)
            }
            [0, 0, 0, 0] => {
                let gammas = [96, 100, 104].map(|at| long(dib, at).unwrap_or(0) as f32 / 65_536.0);
                let is_usual = gammas.iter().all(|gamma| (1.6..=2.6).contains(gamma));
                // Many writers leave the fields of the colour space at zero. Such fields describe no colour space.
                let is_empty = dib.get(60..108).is_some_and(|fields| fields.iter().all(|&byte| byte == 0));
                if is_usual || is_empty { Profile::Usual } else { Profile::Unknown }
            }
            _ => Profile::Usual,
        }
    }

    /// Returns why decoders may read the file differently, and whether the file breaks a rule. Returns `None` if all
    /// decoders read it alike.
    fn oddity(&self, offset_holds: bool, overlaps: bool, palette: usize) -> Option<(&'static str, bool)> {
        let is_cut = self.bits <= 8 && palette < self.colour_count() * self.colour_length();
        match () {
            () if !offset_holds => Some(("its pixels begin within its header", true)),
            () if overlaps => Some(("its pixels begin within its palette", true)),
            () if is_cut => Some(("its palette is cut", true)),
            () if self.top_down && !matches!(self.compression, 0 | 3) => Some(("it is packed and upside down", true)),
            () if self.bits == 2 => Some(("it has two bits a pixel", true)),
            () if self.is_packed() => {
                Some(("it is run-length coded, and decoders disagree about what runs leave out", false))
            }
            () if !matches!(self.end, 12 | 40 | 108 | 124) => Some(("its header has an uncommon length", false)),
            () => None,
        }
    }

    /// Passes each row that the file holds to `push`, in the order of the file, and returns the number of rows. For
    /// run-length coded data, also tells `push` which pixels of the row were drawn by a run.
    fn rows(&self, data: &[u8], length: usize, push: Push) -> Result<u32, IntakeError> {
        if self.is_packed() {
            check_plausible(Format::Bmp, u64::from(self.width) * u64::from(self.height), PIXELS_PER_BYTE, length)?;
            return Ok(unpack_runs(data, self, push));
        }
        let stride = self.stride();
        let mut rows = 0;
        for stored in data.chunks_exact(stride.max(1)).take(self.height as usize) {
            push(rows, stored, &[]);
            rows += 1;
        }
        // The last row may lack its padding.
        let rest = &data[(rows as usize * stride).min(data.len())..];
        if rows + 1 == self.height && rest.len() >= (self.width as usize * usize::from(self.bits)).div_ceil(8) {
            let mut last = rest.to_vec();
            last.resize(stride, 0);
            push(rows, &last, &[]);
            rows += 1;
        }
        Ok(rows)
    }
}

/// A function that takes a row: its number, its bytes as a file without run-length coding stores them, and for each
/// pixel whether a run has drawn it. The last slice is empty if the file has no run-length coding.
type Push<'a> = &'a mut dyn FnMut(u32, &[u8], &[bool]);

/// How a pixel is stored.
enum Pixel {
    /// An index into the palette: its number of bits, and the palette (red, green, blue).
    Index(u16, Vec<[u8; 3]>),
    /// Three bytes: blue, green, red.
    Bytes,
    /// Bit fields: the number of bytes of a pixel, and the bit masks of red, green, blue and alpha in them.
    Masks(usize, [u32; 4]),
}

impl Pixel {
    fn of(dib: &[u8], palette: &[u8], header: &Header) -> Result<Self, IntakeError> {
        let masks = |count: usize| {
            let mask = |i: usize| if i < count { long(dib, 40 + 4 * i).unwrap_or(0) } else { 0 };
            [mask(0), mask(1), mask(2), mask(3)]
        };
        // A header of more than 40 bytes contains the masks. After a header of 40 bytes, the masks follow.
        let with_alpha = if header.end >= 56 { 4 } else { 3 };
        Ok(match (header.compression, header.bits) {
            (0, 1 | 2 | 4 | 8) | (1, 8) | (2, 4) => {
                let stored = palette.chunks_exact(header.colour_length()).take(header.colour_count());
                let mut palette: Vec<_> = stored.map(|colour| [colour[2], colour[1], colour[0]]).collect();
                palette.resize(256, [0; 3]);
                Self::Index(header.bits, palette)
            }
            (0, 24) => Self::Bytes,
            // Without fields, the masks for colours don't count. Chromium heeds the one for alpha all the same.
            (0, 16) => Self::Masks(2, [0x7c00, 0x03e0, 0x001f, masks(with_alpha)[3]]),
            (0, 32) => Self::Masks(4, [0xff_0000, 0xff00, 0xff, masks(with_alpha)[3]]),
            (3, 16 | 32) => Self::Masks(usize::from(header.bits / 8), masks(with_alpha)),
            (6, 16 | 32) => Self::Masks(usize::from(header.bits / 8), masks(4)),
            (compression, bits) => {
                let found = format!("a BMP picture of compression {compression} and {bits} bits a pixel");
                return Err(error::unsupported(&found));
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

/// Decodes run-length coded rows, passes each to `push`, and returns their number.
fn unpack_runs(data: &[u8], header: &Header, push: Push) -> u32 {
    let mut line = 0;
    // If the data ends early, the rest of the rows are missing.
    let _ = unpack_lines(data, header, &mut line, push);
    line
}

/// Passes each complete row to `push` and counts them in `line`. Returns `None` if the data ends early.
fn unpack_lines(data: &[u8], header: &Header, line: &mut u32, push: Push) -> Option<()> {
    let width = header.width as usize;
    let half = usize::from(header.bits == 4);
    // Packs indices as a file without run-length coding stores them: one byte or half a byte per pixel.
    let row = &mut vec![0u8; width.div_ceil(1 + half)][..];
    let drawn = &mut vec![false; width][..];
    let set = |row: &mut [u8], drawn: &mut [bool], x: usize, index: u8| {
        let shift = 4 * half * ((x + 1) % 2);
        if x < width {
            row[x / (1 + half)] |= index << shift;
            drawn[x] = true;
        }
    };
    let index = |bytes: &[u8], i: usize| {
        if half == 0 { bytes.get(i).copied() } else { Some(bytes.get(i / 2)? >> (4 * ((i + 1) % 2)) & 15) }
    };
    let (mut rest, mut x) = (data, 0);
    while *line < header.height {
        let (&[count, value], after) = rest.split_first_chunk()?;
        rest = after;
        let skip = match (count, value) {
            (0, 0) => {
                x = 0;
                1
            }
            (0, 1) => header.height - *line,
            (0, 2) => {
                let (&[right, down], after) = rest.split_first_chunk()?;
                rest = after;
                x += usize::from(right);
                u32::from(down)
            }
            (0, count) => {
                let count = usize::from(count);
                for i in 0..count {
                    set(row, drawn, x + i, index(rest, i)?);
                }
                x += count;
                rest = rest.get(count.div_ceil(1 + half).next_multiple_of(2)..)?;
                0
            }
            (count, _) => {
                for i in 0..usize::from(count) {
                    set(row, drawn, x + i, index(&[value], i % (1 + half))?);
                }
                x += usize::from(count);
                0
            }
        };
        for _ in 0..skip.min(header.height - *line) {
            push(*line, row, drawn);
            row.fill(0);
            drawn.fill(false);
            *line += 1;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::picture::Surface;

    #[test]
    fn a_mask_for_alpha_counts_without_masks_for_colours() {
        for bits in [16u16, 32] {
            let mut file = vec![0; 122];
            file[..2].copy_from_slice(b"BM");
            for (at, value) in [(10, 122u32), (14, 108), (18, 64), (22, 64), (66, 0xff << (bits - 8))] {
                file[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            file[26..30].copy_from_slice(&[1, 0, bits as u8, 0]);
            file.extend((0..64 * 64 * usize::from(bits / 8)).map(|at| (at * 7 / 3) as u8));
            let surfaces = |file: &[u8]| {
                let picture = read(file, &Limits::default()).unwrap();
                picture.frames.iter().map(|frame| frame.surface).collect::<Vec<_>>()
            };
            assert!(surfaces(&file).contains(&Surface::OverBlack), "{bits}");
            file[66..70].fill(0);
            assert_eq!(surfaces(&file), [Surface::Plain], "{bits}");
        }
    }
}
