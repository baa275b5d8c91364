//! Reads the coefficients of a macroblock (RFC 6386, 13).

use super::bits::Bits;
use super::macroblock::{Above, Filled, Steps};
use super::tables::Tokens;
use super::transform::hadamard;

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

/// Where coefficients come from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) bits: Bits<'a>,
    /// All bits that are set in the size of a coefficient.
    pub(super) sizes: i32,
}

/// The coefficients of a macroblock that are to be read.
pub(super) struct Residual<'a, 'b> {
    pub(super) from: Source<'a>,
    pub(super) tokens: &'b [Tokens; 4],
    pub(super) steps: &'b Steps,
    pub(super) blocks: &'b mut [[i32; 16]; 24],
}

impl Residual<'_, '_> {
    /// Reads the coefficients of luma and chroma. `has_dc_block` says whether the DC terms of
    /// luma have a block of their own.
    pub(super) fn read(&mut self, has_dc_block: bool, above: &mut Above, left: &mut Above) -> [Filled; 24] {
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
