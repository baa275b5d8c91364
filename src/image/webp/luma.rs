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

use bytemuck::cast;
use wide::{i16x8, i32x4, u8x16};

use super::bits::Bits;
use super::tables::{AC_STEPS, DC_STEPS, DEFAULTS, MODES, Tokens, UPDATES};

/// Pixels on a side of a macroblock.
const SIDE: usize = 16;

/// Pixels on a side of a macroblock in a plane of chroma.
const HALF: usize = 8;

/// Most levels of luma that may be clipped unnoticed.
const MAX_CLIPPED: f32 = 4.0;

/// Bytes before and after the pixels in a line of [`Lines`]: the left neighbour of the first pixel, and the right
/// neighbours of the last.
const MARGIN: usize = 16;

/// From this size on, a coefficient makes decoders disagree: sums of it need more than the 16 bits that some decoders
/// have, libwebp among them. No encoder makes one: those of pictures are below 4,096.
const MAX_SIZE: i32 = 1 << 14;

/// Why the decoder gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The file is faulty, or uses what no WebP uses.
    Faulty,
    /// Decoders show different pictures. The reason follows "it".
    Disputed(&'static str),
}

/// The arithmetic coder's range begins with 255, and its value is always below the range (RFC 6386, 7.3). So no encoder
/// writes data that begins with a byte of 255. The value then outgrows its register: what is decoded depends on the
/// register's width, which is another one in libwebp than in `image-webp`.
const BEYOND_RANGE: Stop = Stop::Disputed("its coded data begins beyond the coder's range");

const TOO_LARGE: Stop = Stop::Disputed("its coefficients are larger than some decoders' numbers");

/// The place of a coefficient in its block, by its place in the file (13).
const ZIGZAG: [usize; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

/// The group of positions that share probabilities, by position (13.3). The last entry stands for the end of a block.
const BANDS: [usize; 17] = [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0];

/// The probabilities of the bits of large numbers, by class (13.2).
const LARGE: [&[u8]; 4] = [
    &[173, 148, 140],
    &[176, 155, 140, 135],
    &[180, 157, 141, 134, 130],
    &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
];

/// The kinds of blocks that have probabilities of their own (13.3).
const LUMA_AFTER_DC: usize = 0;
const DC_OF_LUMA: usize = 1;
const CHROMA: usize = 2;
const LUMA: usize = 3;

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

/// Facts about the neighbours of macroblocks: above a column, or to the left.
#[derive(Clone, Copy, Default)]
struct Above {
    /// The modes of the four nearest blocks of 4 x 4 pixels.
    modes: [u8; 4],
    /// Whether the nearest blocks have coefficients: four of luma, two of each chroma plane.
    filled: [bool; 8],
    /// Whether the block of luma's DC terms has coefficients.
    dc_filled: bool,
}

struct Place {
    row: usize,
    column: usize,
}

/// The quantization steps of a segment: of DC and AC terms.
#[derive(Clone, Copy, Default)]
struct Steps {
    luma: [i32; 2],
    chroma: [i32; 2],
    dc_of_luma: [i32; 2],
}

struct Frame<'a> {
    width: usize,
    height: usize,
    /// Number of macroblocks in a row.
    columns: usize,
    modes: Bits<'a>,
    parts: Vec<Bits<'a>>,
    /// The probabilities of the segment's number, if macroblocks tell it.
    segments: Option<[u8; 3]>,
    steps: [Steps; 4],
    tokens: Box<[Tokens; 4]>,
    /// The probability that a macroblock has coefficients, if macroblocks tell that.
    skip: Option<u8>,
    /// The coefficients of a macroblock. They are 0 between macroblocks.
    blocks: [[i32; 16]; 24],
    /// All bits that were set in the size of a coefficient.
    sizes: i32,
}

impl<'a> Frame<'a> {
    /// Reads the header of the frame (9.1 to 9.11).
    fn open(data: &'a [u8]) -> Result<Self, Stop> {
        let (head, rest) = data.split_first_chunk::<10>().ok_or(Stop::Faulty)?;
        let tag = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let is_shown_key_frame = tag & 0x11 == 0x10;
        if !is_shown_key_frame || tag >> 1 & 7 > 3 || head[3..6] != [0x9d, 0x01, 0x2a] {
            return Err(Stop::Faulty);
        }
        let [width, height] = [6, 8].map(|at| usize::from(u16::from_le_bytes([head[at], head[at + 1]]) & 0x3fff));
        let (first, rest) = rest.split_at_checked((tag >> 5) as usize).ok_or(Stop::Faulty)?;
        let mut bits = begun(first)?;
        let (is_reserved_colour_space, _clamps) = (bits.flag(), bits.flag());
        if width == 0 || height == 0 || is_reserved_colour_space {
            return Err(Stop::Faulty);
        }

        let (mut segments, mut levels, mut are_deltas) = (None, [0; 4], false);
        let has_segments = bits.flag();
        if has_segments {
            let (tells_segments, tells_levels) = (bits.flag(), bits.flag());
            if tells_levels {
                are_deltas = !bits.flag();
                levels = levels.map(|_| bits.optional(7));
                for _filter in 0..4 {
                    bits.optional(6);
                }
            }
            if tells_segments {
                segments = Some([0; 3].map(|_: u8| if bits.flag() { bits.number(8) as u8 } else { 255 }));
            }
        }
        let _filter = (bits.flag(), bits.number(6), bits.number(3));
        if bits.flag() && bits.flag() {
            for _adjustment in 0..8 {
                bits.optional(6);
            }
        }
        let parts = partitions(rest, 1 << bits.number(2))?;
        let level = bits.number(7);
        let [luma_dc, dc_of_luma_dc, dc_of_luma_ac, chroma_dc, chroma_ac] = [(); 5].map(|()| bits.optional(4));
        let steps = levels.map(|of_segment| {
            let base = if has_segments && !are_deltas { of_segment } else { level + of_segment };
            let dc = |delta: i32| i32::from(DC_STEPS[(base + delta).clamp(0, 127) as usize]);
            let ac = |delta: i32| i32::from(AC_STEPS[(base + delta).clamp(0, 127) as usize]);
            Steps {
                luma: [dc(luma_dc), ac(0)],
                chroma: [dc(chroma_dc).min(132), ac(chroma_ac)],
                dc_of_luma: [2 * dc(dc_of_luma_dc), (ac(dc_of_luma_ac) * 155 / 100).max(8)],
            }
        });
        let _keeps_probabilities = bits.flag();
        let mut tokens = Box::new(DEFAULTS);
        let probabilities = tokens.as_flattened_mut().as_flattened_mut().as_flattened_mut();
        for (probability, update) in probabilities.iter_mut().zip(UPDATES.as_flattened().as_flattened().as_flattened())
        {
            if bits.bit(*update) {
                *probability = bits.number(8) as u8;
            }
        }
        let skip = if bits.flag() { Some(bits.number(8) as u8) } else { None };
        let columns = width.div_ceil(SIDE);
        let blocks = [[0; 16]; 24];
        Ok(Self { width, height, columns, modes: bits, parts, segments, steps, tokens, skip, blocks, sizes: 0 })
    }

    /// Decodes one macroblock into `lines`.
    fn macroblock(
        &mut self,
        place: Place,
        above: &mut Above,
        left: &mut Above,
        lines: &mut Lines<SIDE>,
        chroma: &mut [Lines<HALF>; 2],
    ) {
        let bits = &mut self.modes;
        let segment = self.segments.map_or(0, |[first, low, high]| {
            if bits.bit(first) { 2 + usize::from(bits.bit(high)) } else { usize::from(bits.bit(low)) }
        });
        let is_empty = self.skip.is_some_and(|probability| bits.bit(probability));
        let whole = whole_mode(bits);
        let mut modes = [whole.map_or(0, |mode| mode as u8); 16];
        if whole.is_none() {
            for (number, mode) in modes.iter_mut().enumerate() {
                let (to_above, to_left) = (&mut above.modes[number % 4], &mut left.modes[number / 4]);
                *mode = block_mode(bits, &MODES[usize::from(*to_above)][usize::from(*to_left)]);
                (*to_above, *to_left) = (*mode, *mode);
            }
        } else {
            (above.modes, left.modes) = ([modes[0]; 4], [modes[0]; 4]);
        }
        let of_chroma = match () {
            () if !bits.bit(142) => Whole::Mean,
            () if !bits.bit(114) => Whole::Above,
            () if !bits.bit(183) => Whole::Left,
            () => Whole::Motion,
        };

        let mut filled = [Filled::Nothing; 24];
        if is_empty {
            (above.filled, left.filled) = ([false; 8], [false; 8]);
            if whole.is_some() {
                (above.dc_filled, left.dc_filled) = (false, false);
            }
        } else {
            let part = place.row % self.parts.len();
            let steps = &self.steps[segment];
            let from = Source { bits: self.parts[part], sizes: self.sizes };
            let mut residual = Residual { from, tokens: &self.tokens, steps, blocks: &mut self.blocks };
            filled = residual.read(whole.is_some(), above, left);
            self.sizes = residual.from.sizes;
            self.parts[part] = residual.from.bits;
        }

        let (blocks, blocks_of_chroma) = self.blocks.split_at_mut(16);
        let (filled, filled_of_chroma) = filled.split_at(16);
        let at = lines.place(0, place.column);
        if let Some(mode) = whole {
            lines.predict_whole(at, mode, &place);
            for (number, (block, filled)) in blocks.iter_mut().zip(filled).enumerate() {
                lines.add(lines.within(at, number), block, *filled);
            }
        } else {
            lines.spread_above(at);
            for (number, (block, filled)) in blocks.iter_mut().zip(filled).enumerate() {
                let at = lines.within(at, number);
                lines.predict(at, modes[number]);
                lines.add(at, block, *filled);
            }
        }
        let fours = blocks_of_chroma.chunks_exact_mut(4).zip(filled_of_chroma.chunks_exact(4));
        for (lines, (blocks, filled)) in chroma.iter_mut().zip(fours) {
            let at = lines.place(0, place.column);
            lines.predict_whole(at, of_chroma, &place);
            for (number, (block, filled)) in blocks.iter_mut().zip(filled).enumerate() {
                lines.add(lines.within(at, number), block, *filled);
            }
        }
    }
}

/// Returns a reader of a part of the data.
fn begun(part: &[u8]) -> Result<Bits<'_>, Stop> {
    if part.first() == Some(&255) { Err(BEYOND_RANGE) } else { Ok(Bits::new(part)) }
}

/// Splits the data after the header's partition (9.5).
fn partitions(rest: &[u8], count: usize) -> Result<Vec<Bits<'_>>, Stop> {
    let (lengths, mut rest) = rest.split_at_checked(3 * (count - 1)).ok_or(Stop::Faulty)?;
    let mut parts = Vec::with_capacity(count);
    for length in lengths.as_chunks::<3>().0 {
        let length = u32::from_le_bytes([length[0], length[1], length[2], 0]) as usize;
        let part;
        (part, rest) = rest.split_at_checked(length).ok_or(Stop::Faulty)?;
        parts.push(begun(part)?);
    }
    parts.push(begun(rest)?);
    Ok(parts)
}

/// How a whole macroblock is predicted. The numbers are those of the equal modes of blocks.
#[derive(Clone, Copy)]
enum Whole {
    Mean = 0,
    Motion = 1,
    Above = 2,
    Left = 3,
}

/// Reads how a macroblock is predicted (11.2); `None` if each block of 4 x 4 pixels has a mode of its own.
fn whole_mode(bits: &mut Bits) -> Option<Whole> {
    if !bits.bit(145) {
        return None;
    }
    Some(match (bits.bit(156), ()) {
        (false, ()) if !bits.bit(163) => Whole::Mean,
        (false, ()) => Whole::Above,
        (true, ()) if !bits.bit(128) => Whole::Left,
        (true, ()) => Whole::Motion,
    })
}

/// Reads the mode of a block of 4 x 4 pixels (11.2): its number in [`Lines::predict`].
fn block_mode(bits: &mut Bits, probabilities: &[u8; 9]) -> u8 {
    /// By branch: the next branch, or less than 0 for a mode.
    const TREE: [[i8; 2]; 9] = [[-1, 1], [-2, 2], [-3, 3], [4, 6], [-4, 5], [-6, -7], [-5, 7], [-8, 8], [-9, -10]];
    let mut branch = 0;
    loop {
        let next = TREE[branch][usize::from(bits.bit(probabilities[branch]))];
        if next < 0 {
            return (-1 - next) as u8;
        }
        branch = next as usize;
    }
}

/// Which coefficients of a block may be other than 0.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filled {
    Nothing,
    Dc,
    All,
}

/// Where coefficients come from.
#[derive(Clone, Copy)]
struct Source<'a> {
    bits: Bits<'a>,
    /// All bits that are set in the size of a coefficient.
    sizes: i32,
}

/// The coefficients of a macroblock that are to be read.
struct Residual<'a, 'b> {
    from: Source<'a>,
    tokens: &'b [Tokens; 4],
    steps: &'b Steps,
    blocks: &'b mut [[i32; 16]; 24],
}

impl Residual<'_, '_> {
    /// Reads the coefficients of luma and chroma. `has_dc_block` says whether the DC terms of
    /// luma have a block of their own.
    fn read(&mut self, has_dc_block: bool, above: &mut Above, left: &mut Above) -> [Filled; 24] {
        let mut kind = LUMA;
        if has_dc_block {
            let mut block = [0; 16];
            let neighbours = usize::from(above.dc_filled) + usize::from(left.dc_filled);
            let end = coefficients(
                &mut self.from,
                &self.tokens[DC_OF_LUMA],
                neighbours,
                0,
                self.steps.dc_of_luma,
                &mut block,
            );
            (above.dc_filled, left.dc_filled) = (end > 0, end > 0);
            if end > 0 {
                for (block, dc) in self.blocks.iter_mut().zip(hadamard(block)) {
                    block[0] = dc;
                    self.from.sizes |= dc.abs();
                }
            }
            kind = LUMA_AFTER_DC;
        }
        let first = usize::from(has_dc_block);
        let mut filled = [Filled::Nothing; 24];
        for (number, to) in filled[..16].iter_mut().enumerate() {
            let (to_above, to_left) = (&mut above.filled[number % 4], &mut left.filled[number / 4]);
            let neighbours = usize::from(*to_above) + usize::from(*to_left);
            let block = &mut self.blocks[number];
            let end = coefficients(&mut self.from, &self.tokens[kind], neighbours, first, self.steps.luma, block);
            (*to_above, *to_left) = (end > first, end > first);
            *to = match end {
                2.. => Filled::All,
                _ if block[0] != 0 => Filled::Dc,
                _ => Filled::Nothing,
            };
        }
        for number in 0..8 {
            let (column, row) = (number / 4 * 2 + number % 2, number / 2);
            let (to_above, to_left) = (&mut above.filled[4 + column], &mut left.filled[4 + row]);
            let neighbours = usize::from(*to_above) + usize::from(*to_left);
            let block = &mut self.blocks[16 + number];
            let end = coefficients(&mut self.from, &self.tokens[CHROMA], neighbours, 0, self.steps.chroma, block);
            (*to_above, *to_left) = (end > 0, end > 0);
            filled[16 + number] = match end {
                2.. => Filled::All,
                1 => Filled::Dc,
                _ => Filled::Nothing,
            };
        }
        filled
    }
}

/// Reads the coefficients of a block from position `first` on (13). Returns the position after the last one.
fn coefficients(
    from: &mut Source,
    tokens: &Tokens,
    neighbours: usize,
    first: usize,
    steps: [i32; 2],
    block: &mut [i32; 16],
) -> usize {
    let Source { mut bits, mut sizes } = *from;
    let mut at = first;
    let mut probabilities = &tokens[BANDS[at]][neighbours];
    'tokens: while at < 16 {
        if !bits.bit(probabilities[0]) {
            break;
        }
        while !bits.bit(probabilities[1]) {
            at += 1;
            if at == 16 {
                break 'tokens;
            }
            probabilities = &tokens[BANDS[at]][0];
        }
        let after = &tokens[BANDS[at + 1]];
        let number = if bits.bit(probabilities[2]) {
            let number = large(&mut bits, probabilities);
            probabilities = &after[2];
            number
        } else {
            probabilities = &after[1];
            1
        };
        let size = number * steps[usize::from(at > 0)];
        sizes |= size;
        block[ZIGZAG[at]] = bits.signed(size);
        at += 1;
    }
    (from.bits, from.sizes) = (bits, sizes);
    at
}

/// Reads the rest of a number that is at least 2 (13.2).
#[inline(always)]
fn large(bits: &mut Bits, probabilities: &[u8; 11]) -> i32 {
    if !bits.bit(probabilities[3]) {
        return if bits.bit(probabilities[4]) { 3 + i32::from(bits.bit(probabilities[5])) } else { 2 };
    }
    if !bits.bit(probabilities[6]) {
        if !bits.bit(probabilities[7]) {
            return 5 + i32::from(bits.bit(159));
        }
        return 7 + 2 * i32::from(bits.bit(165)) + i32::from(bits.bit(145));
    }
    let class = if bits.bit(probabilities[8]) {
        2 + usize::from(bits.bit(probabilities[10]))
    } else {
        usize::from(bits.bit(probabilities[9]))
    };
    let mut number = 0;
    for &probability in LARGE[class] {
        number = 2 * number + i32::from(bits.bit(probability));
    }
    3 + (8 << class) + number
}

/// Returns the DC terms of the 16 blocks of luma, from the block that holds them (14.3).
fn hadamard(block: [i32; 16]) -> [i32; 16] {
    fn pass(rows: [i32x4; 4], rounding: i32x4) -> [i32x4; 4] {
        let [a, b] = [rows[0] + rounding + rows[3], rows[1] + rows[2]];
        let [c, d] = [rows[1] - rows[2], rows[0] + rounding - rows[3]];
        [a + b, c + d, a - b, d - c]
    }
    let columns = pass(rows(&block), i32x4::ZERO);
    let terms = i32x4::transpose(pass(i32x4::transpose(columns), i32x4::new([3; 4])));
    let [a, b, c, d] = terms.map(|row: i32x4| {
        let row: i32x4 = row >> 3;
        row.to_array()
    });
    let mut dc = [0; 16];
    dc.as_chunks_mut::<4>().0.copy_from_slice(&[a, b, c, d]);
    dc
}

fn rows(block: &[i32; 16]) -> [i32x4; 4] {
    let rows = block.as_chunks::<4>().0;
    [0, 1, 2, 3].map(|row: usize| i32x4::new(rows[row]))
}

/// Turns the coefficients of a block into differences of pixels (14.4). Returns its rows.
fn cosine(block: &[i32; 16]) -> [i32x4; 4] {
    // sqrt(2) cos(pi / 8) - 1, and half of sqrt(2) sin(pi / 8), in 65,536ths. The second factor would overflow otherwise.
    let (cosine, half_sine) = (i32x4::new([20_091; 4]), i32x4::new([35_468 / 2; 4]));
    let pass = |rows: [i32x4; 4], rounding: i32x4| {
        let [a, b] = [rows[0] + rounding + rows[2], rows[0] + rounding - rows[2]];
        let by_cosine = |row: i32x4| row + ((row * cosine) >> 16);
        let by_sine = |row: i32x4| (row * half_sine) >> 15;
        let c = by_sine(rows[1]) - by_cosine(rows[3]);
        let d = by_cosine(rows[1]) + by_sine(rows[3]);
        [a + d, b + c, b - c, a - d]
    };
    let columns = pass(rows(block), i32x4::ZERO);
    i32x4::transpose(pass(i32x4::transpose(columns), i32x4::new([4; 4]))).map(|row| row >> 3)
}

/// The lines of pixels of a row of macroblocks in one plane, and the line above them. A macroblock has `SIDE` lines.
struct Lines<const SIDE: usize> {
    pixels: Vec<u8>,
    stride: usize,
}

impl<const SIDE: usize> Lines<SIDE> {
    fn new(columns: usize) -> Self {
        let stride = SIDE * columns + 2 * MARGIN;
        Self { pixels: vec![127; stride * (SIDE + 1)], stride }
    }

    /// Begins a row of macroblocks: the last line of the row before becomes the line above (12.2).
    fn begin(&mut self, row: usize) {
        let last = SIDE * self.stride;
        if row > 0 {
            self.pixels.copy_within(last.., 0);
            let end = self.stride - MARGIN;
            let corner = self.pixels[end - 1];
            self.pixels[end..end + 4].fill(corner);
        }
        for (line, pixels) in self.pixels.chunks_exact_mut(self.stride).enumerate() {
            if line > 0 || row > 0 {
                pixels[MARGIN - 1] = 129;
            }
        }
    }

    /// Returns a line of the row of macroblocks.
    fn line(&self, y: usize) -> &[u8] {
        &self.pixels[(y + 1) * self.stride + MARGIN..]
    }

    /// Returns the place of a macroblock's first pixel in line `y`.
    fn place(&self, y: usize, column: usize) -> usize {
        (y + 1) * self.stride + MARGIN + SIDE * column
    }

    /// Returns the place of a block of 4 x 4 pixels, from the place of its macroblock.
    fn within(&self, at: usize, number: usize) -> usize {
        at + 4 * (number / (SIDE / 4)) * self.stride + 4 * (number % (SIDE / 4))
    }

    /// Returns the least and the most of a macroblock's samples.
    fn range(&self, column: usize) -> [u8; 2] {
        let (mut least, mut most) = (u8x16::new([255; 16]), u8x16::new([0; 16]));
        for y in 0..SIDE {
            // A line of chroma fills the vector twice.
            let mut samples = [0; 16];
            let line = &self.pixels[self.place(y, column)..][..SIDE];
            samples.chunks_exact_mut(SIDE).for_each(|samples| samples.copy_from_slice(line));
            let samples = u8x16::new(samples);
            (least, most) = (least.min(samples), most.max(samples));
        }
        let (least, most) = (least.to_array(), most.to_array());
        [least.into_iter().fold(255, u8::min), most.into_iter().fold(0, u8::max)]
    }

    /// Writes the pixels above the next macroblock to the right of this one's blocks, because that is where the
    /// prediction of the last column of blocks looks for them (12.3).
    fn spread_above(&mut self, at: usize) {
        let from = at - self.stride + SIDE;
        for line in [4, 8, 12] {
            self.pixels.copy_within(from..from + 4, from + line * self.stride);
        }
    }

    fn predict_whole(&mut self, at: usize, mode: Whole, place: &Place) {
        let stride = self.stride;
        let above: [u8; SIDE] = std::array::from_fn(|x| self.pixels[at - stride + x]);
        let left: [u8; SIDE] = std::array::from_fn(|y| self.pixels[at + y * stride - 1]);
        let corner = i32::from(self.pixels[at - stride - 1]);
        let sum = |pixels: [u8; SIDE]| pixels.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
        let count = SIDE as u32;
        let mean = match (place.row > 0, place.column > 0) {
            (true, true) => (sum(above) + sum(left) + count) / (2 * count),
            (true, false) => (sum(above) + count / 2) / count,
            (false, true) => (sum(left) + count / 2) / count,
            (false, false) => 128,
        };
        for (y, left) in left.into_iter().enumerate() {
            let line = &mut self.pixels[at + y * stride..][..SIDE];
            match mode {
                Whole::Mean => line.fill(mean as u8),
                Whole::Above => line.copy_from_slice(&above),
                Whole::Left => line.fill(left),
                Whole::Motion => {
                    let difference = i32::from(left) - corner;
                    for (pixel, above) in line.iter_mut().zip(above) {
                        *pixel = (i32::from(above) + difference).clamp(0, 255) as u8;
                    }
                }
            }
        }
    }

    /// Predicts a block of 4 x 4 pixels (12.3). `mode` is the number of its mode in the RFC.
    fn predict(&mut self, at: usize, mode: u8) {
        let stride = self.stride;
        let above = &self.pixels[at - stride - 1..][..9];
        // The neighbours, from the lowest on the left over the corner to the last above.
        let mut edge = [0; 13];
        for (y, pixel) in edge[..4].iter_mut().rev().enumerate() {
            *pixel = self.pixels[at + y * stride - 1];
        }
        edge[4..].copy_from_slice(above);
        let two = |at: usize| ((u32::from(edge[at]) + u32::from(edge[at + 1]) + 1) >> 1) as u8;
        let three =
            |at: usize| ((u32::from(edge[at - 1]) + 2 * u32::from(edge[at]) + u32::from(edge[at + 1]) + 2) >> 2) as u8;
        let block: [[u8; 4]; 4] = match mode {
            0 => {
                let sum: u32 = edge[..4].iter().chain(&edge[5..9]).map(|&pixel| u32::from(pixel)).sum();
                [[((sum + 4) >> 3) as u8; 4]; 4]
            }
            1 => {
                let corner = i32::from(edge[4]);
                [3, 2, 1, 0].map(|left: usize| {
                    [5, 6, 7, 8].map(|above: usize| {
                        (i32::from(edge[left]) + i32::from(edge[above]) - corner).clamp(0, 255) as u8
                    })
                })
            }
            2 => [[5, 6, 7, 8].map(three); 4],
            3 => {
                let lowest = ((u32::from(edge[1]) + 3 * u32::from(edge[0]) + 2) >> 2) as u8;
                [[three(3); 4], [three(2); 4], [three(1); 4], [lowest; 4]]
            }
            4 => {
                let last = ((u32::from(edge[11]) + 3 * u32::from(edge[12]) + 2) >> 2) as u8;
                let means: [u8; 7] = std::array::from_fn(|x| if x < 6 { three(6 + x) } else { last });
                [0, 1, 2, 3].map(|y: usize| std::array::from_fn(|x| means[y + x]))
            }
            5 => {
                let means: [u8; 7] = std::array::from_fn(|x| three(1 + x));
                [0, 1, 2, 3].map(|y: usize| std::array::from_fn(|x| means[3 - y + x]))
            }
            6 => [
                [two(4), two(5), two(6), two(7)],
                [three(4), three(5), three(6), three(7)],
                [three(3), two(4), two(5), two(6)],
                [three(2), three(4), three(5), three(6)],
            ],
            7 => [
                [two(5), two(6), two(7), two(8)],
                [three(6), three(7), three(8), three(9)],
                [two(6), two(7), two(8), three(10)],
                [three(7), three(8), three(9), three(11)],
            ],
            8 => [
                [two(3), three(4), three(5), three(6)],
                [two(2), three(3), two(3), three(4)],
                [two(1), three(2), two(2), three(3)],
                [two(0), three(1), two(1), three(2)],
            ],
            _ => {
                let lowest = edge[0];
                let near = ((u32::from(edge[1]) + 3 * u32::from(lowest) + 2) >> 2) as u8;
                [
                    [two(2), three(2), two(1), three(1)],
                    [two(1), three(1), two(0), near],
                    [two(0), near, lowest, lowest],
                    [lowest; 4],
                ]
            }
        };
        for (y, row) in block.iter().enumerate() {
            self.pixels[at + y * stride..][..4].copy_from_slice(row);
        }
    }

    /// Adds the differences of a block of 4 x 4 pixels, and sets its coefficients to 0.
    fn add(&mut self, at: usize, block: &mut [i32; 16], filled: Filled) {
        let differences = match filled {
            Filled::Nothing => return,
            Filled::Dc => [i32x4::new([(block[0] + 4) >> 3; 4]); 4],
            Filled::All => cosine(block),
        };
        *block = [0; 16];
        let place = |y: usize| at + y * self.stride..at + y * self.stride + 4;
        let mut pixels = [[0; 4]; 4];
        for (y, row) in pixels.iter_mut().enumerate() {
            row.copy_from_slice(&self.pixels[place(y)]);
        }
        let pixels: u8x16 = cast(pixels);
        let [a, b, c, d] = differences;
        let upper = i16x8::from_u8x16_low(pixels).saturating_add(i16x8::from_i32x8_saturate(cast([a, b])));
        let lower = i16x8::from_u8x16_high(pixels).saturating_add(i16x8::from_i32x8_saturate(cast([c, d])));
        let pixels: [[u8; 4]; 4] = cast(u8x16::narrow_i16x8(upper, lower));
        for (y, row) in pixels.iter().enumerate() {
            self.pixels[place(y)].copy_from_slice(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use image_webp::vp8::Vp8Decoder;

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
