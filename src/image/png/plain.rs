//! Reads the rows of plain PNGs: still, not interlaced, with samples of 8 bits and without a palette.
//!
//! The `png` crate reads the chunks and unpacks them, with its own rules about checksums and order. This module only
//! undoes the filters of the rows, which takes most of the time. It reads whole pictures alone: a file that isn't plain,
//! or that has any fault before its last row, is left to the crate's own reader.

use std::io::BufRead;

use ::png::{BitDepth, ColorType, Decoded, DecodingError, StreamingDecoder, UnfilterRegion, chunk};

use super::super::format::Format;
use super::super::limits::{Limits, check_plausible, check_size};
use super::unfilter::{Filter, PIXEL, Two, straight, two};
use super::{Input, PIXELS_PER_BYTE, decode_options};
use crate::pdq::HAS_VECTORS;

/// Most bytes that one step unpacks. It is the step of the crate's own reader.
const STEP: usize = 8 << 10;

/// Bytes that must stay in memory, because later ones may repeat them (RFC 1951, 3.2.5).
const WINDOW: usize = 32 << 10;

/// Most bytes of a row. A wider picture is left to the crate, which keeps fewer rows.
const MAX_ROW: u64 = 16 << 20;

/// Why a reader stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// All bytes that have arrived were read.
    Waiting,
    /// The file is faulty.
    Faulty,
}

/// The reader of a plain PNG.
pub(super) struct Plain<'a> {
    input: Input<'a>,
    decoder: StreamingDecoder,
    /// Unpacked bytes: the filtered rows, each after a byte that names its filter.
    unpacked: Vec<u8>,
    region: UnfilterRegion,
    /// Place of the next row in `unpacked`.
    next: usize,
    /// Number of bytes that are still to be unpacked.
    left: u64,
    /// Whether all chunks with pixels were read.
    has_ended: bool,
    pub width: u32,
    pub height: u32,
    /// Bytes of a pixel.
    channels: usize,
    /// Number of rows that were passed on.
    given: u32,
    /// The last row that was passed on, after bytes that mean nothing.
    above: Vec<u8>,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl<'a> Plain<'a> {
    /// Reads the header of a file of `length` bytes. Returns the input as it was if the file isn't plain, if its header
    /// is faulty, or if it is too large.
    pub(super) fn open(input: Input<'a>, length: usize, limits: &Limits) -> Result<Self, Input<'a>> {
        if !HAS_VECTORS {
            return Err(input);
        }
        match header(&input.bytes[input.at..], length, limits) {
            Some((decoder, read)) => Ok(Self::new(decoder, Input { at: input.at + read, ..input })),
            None => Err(input),
        }
    }

    fn new(decoder: StreamingDecoder, input: Input<'a>) -> Self {
        let (width, height, channels) =
            decoder.info().map_or((0, 0, 1), |info| (info.width, info.height, info.color_type.samples()));
        let row = width as usize * channels;
        // Each row has room for the pixel before it and for a pixel that is written too far.
        let [above, first, second] = [(); 3].map(|()| vec![0; row + 2 * PIXEL]);
        let left = (row as u64 + 1) * u64::from(height);
        Self {
            input,
            decoder,
            unpacked: Vec::new(),
            region: UnfilterRegion::default(),
            next: 0,
            left,
            has_ended: false,
            width,
            height,
            channels,
            given: 0,
            above,
            first,
            second,
        }
    }

    /// Passes the rest of the rows to `each`, with their number and the bytes of a pixel. After [`Stop::Waiting`], call
    /// it again when more bytes have arrived.
    pub(super) fn read_rows(&mut self, mut each: impl FnMut(u32, usize, &[u8])) -> Result<(), Stop> {
        while self.given < self.height {
            if !self.restore(&mut each)? {
                self.unpack()?;
            }
        }
        Ok(())
    }

    /// Passes one or two rows on. Returns whether they were there.
    fn restore(&mut self, each: &mut impl FnMut(u32, usize, &[u8])) -> Result<bool, Stop> {
        let (step, pixels) = (self.channels, self.width as usize);
        let row = step * pixels;
        let there = &self.unpacked[self.next..self.region.filled];
        let filter = |at: usize| there.get(at).map(|&byte| Filter::of(byte).ok_or(Stop::Faulty)).transpose();
        let (Some(filter_of_first), true) = (filter(0)?, there.len() > row) else { return Ok(false) };
        let stored = &there[1..];
        let count = if filter_of_first.is_straight() {
            straight(filter_of_first, &self.above[PIXEL..], &stored[..row], &mut self.first[PIXEL..]);
            1
        } else {
            let is_last = self.given + 1 == self.height;
            let second = filter(row + 1)?.filter(|_| !is_last && there.len() > 2 * row + 1);
            if second.is_none() && !is_last {
                return Ok(false);
            }
            let second = second.filter(|filter| !filter.is_straight());
            let rows = Two {
                filters: [filter_of_first, second.unwrap_or(Filter::None)],
                pixels,
                step,
                above: &self.above[PIXEL..],
                first: stored,
                // Without a second row, any bytes do: what is restored of them is never read.
                second: if second.is_some() { &stored[row + 1 - step..] } else { stored },
            };
            two(&rows, &mut self.first[PIXEL..], &mut self.second[PIXEL - step..]);
            if second.is_some() { 2 } else { 1 }
        };
        for _ in 0..count {
            std::mem::swap(&mut self.above, &mut self.first);
            std::mem::swap(&mut self.first, &mut self.second);
            each(self.given, step, &self.above[PIXEL..PIXEL + row]);
            self.given += 1;
            self.next += row + 1;
        }
        Ok(true)
    }

    /// Unpacks up to [`STEP`] bytes more.
    fn unpack(&mut self) -> Result<(), Stop> {
        if self.has_ended {
            return Err(Stop::Faulty);
        }
        let gone = self.next.min(self.region.available);
        // Moves the bytes only once many are gone, because moving takes time.
        if gone >= 4 * WINDOW && 2 * gone >= self.region.filled {
            self.unpacked.copy_within(gone..self.region.filled, 0);
            self.next -= gone;
            self.region.available -= gone;
            self.region.filled -= gone;
        }
        let before = self.region.filled;
        let end = before + STEP.min(usize::try_from(self.left).unwrap_or(STEP));
        // The decoder fills the buffer up to its end, so the end mustn't be beyond the last row.
        if self.unpacked.len() < end || self.left < STEP as u64 {
            self.unpacked.resize(end, 0);
        }
        let piece = self.input.fill_buf().map_err(|_| Stop::Waiting)?;
        if piece.is_empty() {
            return Err(Stop::Waiting);
        }
        let to = &mut self.region.as_buf(&mut self.unpacked);
        let (read, decoded) = self.decoder.update(piece, Some(to)).map_err(faulty)?;
        self.input.consume(read);
        self.left -= (self.region.filled - before) as u64;
        self.has_ended = matches!(decoded, Decoded::ImageDataFlushed);
        Ok(())
    }

    /// Reads the chunks after the rows. After [`Stop::Waiting`], call it again when more bytes have arrived.
    pub(super) fn finish(&mut self) -> Result<(), Stop> {
        loop {
            let piece = self.input.fill_buf().map_err(|_| Stop::Waiting)?;
            if piece.is_empty() {
                return Err(Stop::Waiting);
            }
            let (read, decoded) = self.decoder.update(piece, None).map_err(faulty)?;
            self.input.consume(read);
            if matches!(decoded, Decoded::ChunkComplete(chunk::IEND)) {
                return Ok(());
            }
        }
    }
}

fn faulty(_: DecodingError) -> Stop {
    Stop::Faulty
}

/// Reads the chunks before the pixels. Returns the decoder and the number of bytes that it read; `None` if the file of
/// `length` bytes isn't plain.
fn header(bytes: &[u8], length: usize, limits: &Limits) -> Option<(StreamingDecoder, usize)> {
    // This decoder has no limit of its own. It keeps a chunk of metadata in a buffer that doubles, so twice the length
    // of the file is the most that it takes.
    if 2 * length as u64 + 5 * MAX_ROW > limits.max_alloc {
        return None;
    }
    let mut decoder = StreamingDecoder::new_with_options(decode_options(false));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut at = 0;
    loop {
        let (read, decoded) = decoder.update(bytes.get(at..)?, None).ok()?;
        at += read;
        match decoded {
            Decoded::ChunkBegin(_, chunk::IDAT) => break,
            Decoded::ChunkComplete(chunk::IEND) => return None,
            Decoded::Nothing if at == bytes.len() => return None,
            _ => {}
        }
    }
    let info = decoder.info()?;
    let is_plain = info.bit_depth == BitDepth::Eight
        && info.color_type != ColorType::Indexed
        && !info.interlaced
        && info.trns.is_none()
        && info.animation_control.is_none()
        && info.frame_control.is_none();
    let (width, height) = info.size();
    let pixels = u64::from(width) * u64::from(height);
    let fits = info.color_type.samples() as u64 * u64::from(width) <= MAX_ROW
        && check_size(Format::Png, width, height, limits).is_ok()
        && check_plausible(Format::Png, pixels, PIXELS_PER_BYTE, length).is_ok();
    (is_plain && fits).then_some((decoder, at))
}

#[cfg(test)]
mod tests {
    use ::png::{Encoder, Filter as RowFilter};

    use super::super::{Found, Scan, read_chunks, read_plainly};
    use super::*;
    use crate::image::Picture;

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % limit
        }
    }

    /// Draws a PNG: slopes with noise, so that the filters differ in what they store.
    fn draw(width: u32, height: u32, colour: ColorType, filter: RowFilter, random: &mut Random) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(colour);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_filter(filter);
        let mut writer = encoder.write_header().unwrap();
        let row = width as usize * colour.samples();
        let noise = [1, 9, 255][random.below(3)];
        let pixels: Vec<u8> = (0..row * height as usize)
            .map(|at| (3 * (at % row) + 5 * (at / row) + random.below(noise)) as u8)
            .collect();
        writer.write_image_data(&pixels).unwrap();
        writer.finish().unwrap();
        file
    }

    fn found(file: &[u8]) -> Found {
        let mut scan = Scan::default();
        scan.push(file);
        scan.found
    }

    fn assert_equal(one: &Picture, other: &Picture, what: &str) {
        let facts = |picture: &Picture| {
            let Picture { width, height, caveats, not_ordinary, damaged, .. } = picture.clone();
            let frames: Vec<_> = picture.frames.iter().map(|frame| (frame.surface, frame.luma.clone())).collect();
            (width, height, caveats, not_ordinary, damaged, frames)
        };
        assert_eq!(facts(one), facts(other), "{what}");
    }

    const COLOURS: [ColorType; 4] = [ColorType::Grayscale, ColorType::GrayscaleAlpha, ColorType::Rgb, ColorType::Rgba];
    const FILTERS: [RowFilter; 6] =
        [RowFilter::NoFilter, RowFilter::Sub, RowFilter::Up, RowFilter::Avg, RowFilter::Paeth, RowFilter::Adaptive];

    #[test]
    fn every_width_colour_and_filter_is_read_as_by_the_crate() {
        let mut random = Random(7);
        for width in 1..=70 {
            for colour in COLOURS {
                for filter in FILTERS {
                    let height = 1 + random.below(9) as u32;
                    let file = draw(width, height, colour, filter, &mut random);
                    let (found, limits) = (found(&file), Limits::default());
                    let got = read_plainly(&file, &found, &limits).filter(|_| HAS_VECTORS);
                    let expected = read_chunks(&file, &found, &limits).unwrap();
                    let what = format!("{width} x {height} {colour:?} {filter:?}");
                    if HAS_VECTORS {
                        assert_equal(&got.expect(&what), &expected, &what);
                    }
                }
            }
        }
    }

    /// Breaks files at random. What this reader reads, the crate reads as the same. `HASHGATE_ROUNDS` says how many files.
    #[test]
    fn a_broken_file_is_read_as_by_the_crate_or_left_to_it() {
        let rounds = std::env::var("HASHGATE_ROUNDS").map_or(2000, |rounds| rounds.parse().unwrap());
        let seed = std::env::var("HASHGATE_SEED").map_or(1, |seed| seed.parse().unwrap());
        let mut random = Random(seed);
        let mut plain = 0;
        for round in 0..rounds {
            let (colour, filter) = (COLOURS[random.below(4)], FILTERS[random.below(6)]);
            // Now and then a file whose rows need more than the buffer.
            let side = if round % 50 == 0 { 400 } else { 60 };
            let (width, height) = (1 + random.below(side) as u32, 1 + random.below(side) as u32);
            let mut file = draw(width, height, colour, filter, &mut random);
            for _ in 0..random.below(3) {
                let at = random.below(file.len());
                match random.below(4) {
                    0 => file[at] ^= 1 << random.below(8),
                    1 => file[at] = random.below(256) as u8,
                    2 => file.truncate(at.max(1)),
                    _ => drop(file.splice(at..(at + random.below(9)).min(file.len()), [0xff, 0])),
                }
            }
            // Half of the broken files get right checksums, so that the faults reach the rows.
            if round % 2 == 0 {
                mend(&mut file);
            }
            let (found, limits) = (found(&file), Limits::default());
            if found.has_bad_palette() {
                continue;
            }
            if let Some(got) = read_plainly(&file, &found, &limits) {
                plain += 1;
                let expected = read_chunks(&file, &found, &limits).expect("the crate reads it");
                assert_equal(&got, &expected, &format!("round {round}"));
            }
        }
        assert!(!HAS_VECTORS || plain > rounds / 4, "{plain} of {rounds}");
    }

    /// Writes the right checksum after each chunk.
    fn mend(file: &mut [u8]) {
        let mut at = 8;
        while let Some(length) = file.get(at..at + 4) {
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
            let Some(end) = at.checked_add(length).map(|end| end + 8).filter(|end| end + 4 <= file.len()) else {
                return;
            };
            let sum = super::super::chunks::crc32(&file[at + 4..end]);
            file[end..end + 4].copy_from_slice(&sum.to_be_bytes());
            at = end + 4;
        }
    }
}
