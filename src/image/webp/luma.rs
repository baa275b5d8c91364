//! Decodes the luma of a lossy WebP: a key frame of VP8 (RFC 6386).
//!
//! Luma never depends on chroma, and prediction uses the pixels before the loop filter. So this decoder leaves the filter
//! out: it smooths edges of blocks, which the hash of a large picture doesn't feel. It makes no colours either, except
//! where RGB would clip them: there, the luma of what is shown isn't the luma that is stored. It keeps one row of
//! macroblocks.
//!
//! The decoder gives up at any fault. The general decoder then says what is wrong with the file.
//!
//! It is code of this project, because `image-webp` (0.2.4) has no way to leave the loop filter and the colours out, and
//! takes 1.6 times as long even without them.

use super::bits::Bits;
use super::frame::{Frame, Stop};
use super::lines::{HALF, Lines, SIDE};
use super::macroblock::{Above, Place};

/// Most levels of luma that may be clipped unnoticed.
const MAX_CLIPPED: f32 = 4.0;

/// From this size on, a coefficient makes decoders disagree: sums of it need more than the 16 bits that some decoders
/// have, libwebp among them. No encoder makes one: those of pictures are below 4,096.
const MAX_SIZE: i32 = 1 << 14;

const TOO_LARGE: Stop = Stop::Disputed("its coefficients are larger than some decoders' numbers");

/// Returns why decoders disagree about a frame, as far as its header and the places of its parts show.
pub(super) fn disputed(data: &[u8]) -> Option<&'static str> {
    match Frame::open(data) {
        Err(Stop::Disputed(reason)) => Some(reason),
        _ => None,
    }
}

/// Passes the luma of each row to `each`, from top to bottom: 0 is black, 255 white.
pub(super) fn decode(data: &[u8], mut each: impl FnMut(u32, &[u8])) -> Result<(), Stop> {
    let levels: [u8; 256] = std::array::from_fn(|luma| brightness(luma as u8).round() as u8);
    let mut shown = Vec::new();
    planes(data, |y, planes| {
        shown.clear();
        let [luma, blue, red] = planes.rows(y);
        shown.extend(luma.iter().map(|&luma| levels[usize::from(luma)]));
        for (column, _) in planes.clips.iter().enumerate().filter(|(_, clips)| **clips) {
            let from = SIDE * column;
            let to = (from + SIDE).min(luma.len());
            for (x, shown) in (from..to).zip(&mut shown[from..to]) {
                *shown = clipped(luma[x], blue[x / 2], red[x / 2]);
            }
        }
        each(planes.first + y as u32, &shown);
    })
}

/// A row of macroblocks that was decoded.
struct Planes<'a> {
    /// Number of its first line of pixels.
    first: u32,
    width: usize,
    luma: &'a Lines<SIDE>,
    chroma: &'a [Lines<HALF>; 2],
    /// By macroblock: whether RGB clips its colours.
    clips: &'a [bool],
}

impl Planes<'_> {
    /// Returns the luma and the two chromas of a line of pixels, as the file stores them.
    fn rows(&self, y: usize) -> [&[u8]; 3] {
        let [blue, red] = self.chroma;
        let half = self.width.div_ceil(2);
        [&self.luma.line(y)[..self.width], &blue.line(y / 2)[..half], &red.line(y / 2)[..half]]
    }
}

/// Decodes a frame, and passes each line of pixels to `each`.
fn planes(data: &[u8], mut each: impl FnMut(usize, &Planes)) -> Result<(), Stop> {
    let mut frame = Frame::open(data)?;
    let (width, height) = (frame.width, frame.height);
    let mut luma = Lines::<SIDE>::new(frame.columns);
    let mut chroma = [(); 2].map(|()| Lines::<HALF>::new(frame.columns));
    let mut above = vec![Above::default(); frame.columns];
    let mut clips = vec![false; frame.columns];
    for row in 0..height.div_ceil(SIDE) {
        luma.begin(row);
        chroma.iter_mut().for_each(|lines| lines.begin(row));
        let mut left = Above::default();
        for (column, (above, clips)) in above.iter_mut().zip(&mut clips).enumerate() {
            frame.macroblock(Place { row, column }, above, &mut left, &mut luma, &mut chroma);
            *clips = may_clip(luma.range(column), chroma[0].range(column), chroma[1].range(column));
        }
        if frame.modes.has_overrun() || frame.parts.iter().any(Bits::has_overrun) {
            return Err(Stop::Faulty);
        }
        if frame.sizes >= MAX_SIZE {
            return Err(TOO_LARGE);
        }
        let planes = Planes { first: (SIDE * row) as u32, width, luma: &luma, chroma: &chroma, clips: &clips };
        (0..SIDE.min(height - SIDE * row)).for_each(|y| each(y, &planes));
    }
    Ok(())
}

// The colours of BT.601 in the range from 16 to 235, as WebP has them.
const RED_OF_RED: f32 = 1.596;
const GREEN_OF_BLUE: f32 = -0.391;
const GREEN_OF_RED: f32 = -0.813;
const BLUE_OF_BLUE: f32 = 2.018;

/// Returns the level of grey that a stored luma stands for. It may be outside of 0 to 255.
fn brightness(luma: u8) -> f32 {
    (f32::from(luma) - 16.0) * (255.0 / 219.0)
}

/// Returns red, green and blue, not clipped.
fn colours(luma: u8, blue: u8, red: u8) -> [f32; 3] {
    let (grey, blue, red) = (brightness(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    [grey + RED_OF_RED * red, grey + GREEN_OF_BLUE * blue + GREEN_OF_RED * red, grey + BLUE_OF_BLUE * blue]
}

fn weighed([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// Returns the luma of a pixel whose colours are clipped.
fn clipped(luma: u8, blue: u8, red: u8) -> u8 {
    weighed(colours(luma, blue, red).map(|colour| colour.clamp(0.0, 255.0))).round() as u8
}

/// Returns whether colours within these ranges (least and most) may be clipped so much that their luma changes.
fn may_clip(luma: [u8; 2], blue: [u8; 2], red: [u8; 2]) -> bool {
    let ([least_luma, most_luma], [least_blue, most_blue], [least_red, most_red]) = (luma, blue, red);
    let [_, least_green, _] = colours(least_luma, most_blue, most_red);
    let [_, most_green, _] = colours(most_luma, least_blue, least_red);
    let [least_r, _, least_b] = colours(least_luma, least_blue, least_red);
    let [most_r, _, most_b] = colours(most_luma, most_blue, most_red);
    let below = weighed([least_r, least_green, least_b].map(|colour| (-colour).max(0.0)));
    let beyond = weighed([most_r, most_green, most_b].map(|colour| (colour - 255.0).max(0.0)));
    // Grey that is darker than black is clipped by `levels`, too.
    let (dark, bright) = ((-brightness(least_luma)).max(0.0), (brightness(most_luma) - 255.0).max(0.0));
    below - dark > MAX_CLIPPED || beyond - bright > MAX_CLIPPED
}

#[cfg(test)]
mod tests {
    use image_webp::vp8::Vp8Decoder;

    use super::super::frame::BEYOND_RANGE;
    use super::super::{Depth, read};
    use super::*;
    use crate::image::{Caveat, DecodedBy, Limits, Picture};
    use crate::pdq::Coefficients;

    /// Writes boolean values (RFC 6386, 7.3), each as probable as the other.
    struct Writer {
        bytes: Vec<u8>,
        range: u32,
        bottom: u64,
        count: u32,
    }

    impl Writer {
        fn flag(&mut self, flag: bool) {
            let split = 1 + (self.range - 1) / 2;
            if flag {
                self.bottom += u64::from(split);
                self.range -= split;
            } else {
                self.range = split;
            }
            let shift = self.range.leading_zeros() - 24;
            (self.range, self.bottom, self.count) = (self.range << shift, self.bottom << shift, self.count + shift);
            if self.count >= 8 {
                self.count -= 8;
                let byte = self.bottom >> (self.count + 8);
                self.bottom &= (1 << (self.count + 8)) - 1;
                if byte > 255 {
                    let last = self.bytes.iter().rposition(|&byte| byte < 255).unwrap();
                    self.bytes[last] += 1;
                    self.bytes[last + 1..].fill(0);
                }
                self.bytes.push(byte as u8);
            }
        }

        fn number(&mut self, number: u32, bits: u32) {
            (0..bits).rev().for_each(|bit| self.flag(number >> bit & 1 == 1));
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u32) -> u32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 33) % u64::from(limit)) as u32
        }

        fn bytes(&mut self, count: usize) -> Vec<u8> {
            (0..count).map(|_| self.below(256) as u8).collect()
        }

        fn optional(&mut self, to: &mut Writer, bits: u32) {
            let has = self.below(2) == 1;
            to.flag(has);
            if has {
                to.number(self.below(1 << (bits + 1)), bits + 1);
            }
        }
    }

    /// Makes a frame without a loop filter. Its header is written, and the rest is random: every sequence of bytes is
    /// a sequence of modes and tokens. So all of them occur as often as their probabilities say.
    fn frame(width: u32, height: u32, random: &mut Random) -> Vec<u8> {
        let mut to = Writer { bytes: Vec::new(), range: 255, bottom: 0, count: 0 };
        to.flag(false);
        to.flag(random.below(2) == 1);
        let has_segments = random.below(2) == 1;
        to.flag(has_segments);
        if has_segments {
            let (tells_segments, tells_levels) = (random.below(2) == 1, random.below(2) == 1);
            to.flag(tells_segments);
            to.flag(tells_levels);
            if tells_levels {
                to.flag(random.below(2) == 1);
                (0..4).for_each(|_| random.optional(&mut to, 7));
                (0..4).for_each(|_| random.optional(&mut to, 6));
            }
            for _ in 0..if tells_segments { 3 } else { 0 } {
                random.optional(&mut to, 7);
            }
        }
        to.flag(random.below(2) == 1);
        to.number(0, 6);
        to.number(random.below(8), 3);
        let adjusts = random.below(2) == 1;
        to.flag(adjusts);
        to.flag(adjusts);
        (0..if adjusts { 8 } else { 0 }).for_each(|_| random.optional(&mut to, 6));
        let parts = random.below(4);
        to.number(parts, 2);
        to.number(random.below(128), 7);
        (0..5).for_each(|_| random.optional(&mut to, 4));
        to.number(0, 16);

        let macroblocks = (width.div_ceil(16) * height.div_ceil(16)) as usize;
        let first = [to.bytes, random.bytes(300 + 20 * macroblocks)].concat();
        let mut data = ((first.len() as u32) << 5 | 0x10 | random.below(4) << 1).to_le_bytes()[..3].to_vec();
        data.extend([0x9d, 0x01, 0x2a]);
        data.extend((width as u16).to_le_bytes());
        data.extend((height as u16).to_le_bytes());
        data.extend(first);
        // Enough for every part, or a little too few.
        let parts: Vec<Vec<u8>> =
            (0..1 << parts).map(|_| random.bytes(macroblocks * [40, 400][random.0 as usize >> 9 & 1])).collect();
        for part in &parts[..parts.len() - 1] {
            data.extend(&(part.len() as u32).to_le_bytes()[..3]);
        }
        data.extend(parts.concat());
        data
    }

    /// Returns whether a frame has coefficients about which decoders disagree.
    fn has_large(frame: &mut Frame) -> bool {
        let mut lines = Lines::new(frame.columns);
        let mut chroma = [(); 2].map(|()| Lines::new(frame.columns));
        let mut above = vec![Above::default(); frame.columns];
        for row in 0..frame.height.div_ceil(SIDE) {
            let mut left = Above::default();
            for (column, above) in above.iter_mut().enumerate() {
                frame.macroblock(Place { row, column }, above, &mut left, &mut lines, &mut chroma);
            }
        }
        frame.sizes >= MAX_SIZE
    }

    /// Compares this decoder with `image-webp` on random frames. `HASHGATE_ROUNDS` says how many.
    #[test]
    fn samples_are_those_of_another_decoder() {
        let rounds = std::env::var("HASHGATE_ROUNDS").map_or(400, |rounds| rounds.parse().unwrap());
        let seed = std::env::var("HASHGATE_SEED").map_or(1, |seed| seed.parse().unwrap());
        let mut random = Random(seed);
        let (mut read, mut refused, mut beyond) = (0, 0, 0);
        for round in 0..rounds {
            let (width, height) = (1 + random.below(70), 1 + random.below(70));
            let mut data = frame(width, height, &mut random);
            let is_cut = round % 4 == 3;
            if is_cut {
                let length = data.len();
                data.truncate(length - random.below(length as u32) as usize);
            }
            let mut rows = Vec::new();
            let got = planes(&data, |y, planes| {
                assert_eq!(planes.first as usize + y, rows.len());
                rows.push(planes.rows(y).map(<[u8]>::to_vec));
            });
            let expected = Vp8Decoder::decode_frame(&data[..]);
            let error = expected.as_ref().err().map(ToString::to_string);
            let expected = expected.ok();
            let mut frame = Frame::open(&data);
            assert_eq!(disputed(&data).is_some(), matches!(frame, Err(Stop::Disputed(_))));
            if frame.as_ref().is_err_and(|stop| *stop == BEYOND_RANGE) {
                beyond += 1;
                assert_eq!(got, Err(BEYOND_RANGE));
                continue;
            }
            let has_large = frame.as_mut().is_ok_and(has_large);
            // Decoders may disagree about a byte that is missing at the end. The caller leaves cut files to `image-webp`.
            let is_read = expected.is_some() && !has_large;
            assert!(got.is_ok() == is_read || is_cut && got.is_ok(), "round {round}: {error:?}");
            match expected.filter(|_| !has_large) {
                None => refused += 1,
                Some(expected) => {
                    let stride = (width as usize).next_multiple_of(16);
                    for (y, [luma, blue, red]) in rows.iter().enumerate() {
                        let what = format!("round {round}, {width} x {height}, row {y}");
                        let half = y / 2 * stride / 2;
                        assert_eq!(luma[..], expected.ybuf[y * stride..][..luma.len()], "{what}");
                        assert_eq!(blue[..], expected.ubuf[half..][..blue.len()], "{what}");
                        assert_eq!(red[..], expected.vbuf[half..][..red.len()], "{what}");
                    }
                    assert_eq!(rows.len(), height as usize);
                    read += 1;
                }
            }
        }
        let what = format!("{read} were read, {refused} refused, {beyond} begin beyond the range");
        assert!(read > rounds / 4 && refused > rounds / 20 && beyond > 0, "{what}");
    }

    #[test]
    fn a_large_picture_is_read_by_its_luma_with_nearly_the_hash_of_a_full_decode() {
        let mut random = Random(3);
        let limits = Limits::default();
        let hash = |picture: &Picture| Coefficients::of(&picture.frames[0].luma.small).hash();
        for (width, height, by) in
            [(900, 1000, DecodedBy::LumaOnly), (1000, 900, DecodedBy::LumaOnly), (899, 1000, DecodedBy::General)]
        {
            let data = loop {
                let data = frame(width, height, &mut random);
                if planes(&data, |_, _| {}).is_ok() {
                    break data;
                }
            };
            let file = super::super::container(&[(b"VP8 ", &data)]);
            let [fast, full] = [Depth::Luma, Depth::Full].map(|depth| read(&file, depth, &limits).unwrap());
            assert_eq!((fast.decoded_by, full.decoded_by), (by, DecodedBy::General));
            // The colours are random, so that RGB clips many of them.
            let bits = hash(&fast).distance(&hash(&full));
            assert!(bits <= 8, "{width} x {height}: {bits} bits");

            let cut = &file[..file.len() - data.len() / 2];
            let cut = read(cut, Depth::Luma, &limits);
            assert!(cut.is_err() || cut.is_ok_and(|cut| cut.decoded_by == DecodedBy::General && cut.damaged.is_some()));
        }
    }

    #[test]
    fn a_file_about_which_decoders_disagree_is_not_ordinary() {
        let mut random = Random(5);
        let limits = Limits::default();
        for (side, only_by_header) in [(64, true), (900, true), (900, false)] {
            let data = loop {
                let data = frame(side, side, &mut random);
                let stop = planes(&data, |_, _| {}).err();
                if stop == Some(if only_by_header { BEYOND_RANGE } else { TOO_LARGE })
                    && Vp8Decoder::decode_frame(&data[..]).is_ok()
                {
                    break data;
                }
            };
            let picture = read(&super::super::container(&[(b"VP8 ", &data)]), Depth::Luma, &limits).unwrap();
            assert_eq!(picture.decoded_by, DecodedBy::General);
            assert!(picture.caveats.contains(&Caveat::Malformed) && picture.not_ordinary.is_some());
        }
    }
}
