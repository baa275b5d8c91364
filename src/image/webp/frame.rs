//! Reads the header of a VP8 key frame (RFC 6386, 9) and its macroblocks, one after the other.

use super::bits::Bits;
use super::lines::{HALF, Lines, SIDE};
use super::macroblock::{Above, Filled, Place, Steps, Whole};
use super::residual::{Residual, Source};
use super::tables::{AC_STEPS, DC_STEPS, DEFAULTS, MODES, Tokens, UPDATES};

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
pub(super) const BEYOND_RANGE: Stop = Stop::Disputed("its coded data begins beyond the coder's range");

pub(super) struct Frame<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Number of macroblocks in a row.
    pub(super) columns: usize,
    pub(super) modes: Bits<'a>,
    pub(super) parts: Vec<Bits<'a>>,
    /// The probabilities of the segment's number, if macroblocks tell it.
    segments: Option<[u8; 3]>,
    steps: [Steps; 4],
    tokens: Box<[Tokens; 4]>,
    /// The probability that a macroblock has coefficients, if macroblocks tell that.
    skip: Option<u8>,
    /// The coefficients of a macroblock. They are 0 between macroblocks.
    blocks: [[i32; 16]; 24],
    /// All bits that were set in the size of a coefficient.
    pub(super) sizes: i32,
}

impl<'a> Frame<'a> {
    /// Reads the header of the frame (9.1 to 9.11).
    pub(super) fn open(data: &'a [u8]) -> Result<Self, Stop> {
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
    pub(super) fn macroblock(
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
