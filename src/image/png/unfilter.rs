//! Undoes the filters of rows with 8-bit samples (PNG specification, third edition, 9).
//!
//! A filtered pixel depends on the pixel to its left, so the pixels of a row can only be restored one after the other.
//! That takes most of the time of reading a PNG. Hence [`two`] restores two rows at once: the second row runs one pixel
//! behind the first, because each of its pixels also depends on the pixel above.

use bytemuck::cast;
use wide::{CmpGt, i16x8, i32x4, i32x8, u8x16};

/// Most bytes of a pixel. Every pixel is read and written as so many bytes, so rows need room for them at their end.
pub(super) const PIXEL: usize = 4;

// Vectors that are made here and not where they are used: there, a build for size would make them by loops.
const ZERO: i16x8 = i16x8::new([0; 8]);
const NO_BYTES: u8x16 = u8x16::new([0; 16]);
const FIRST_ROW: i16x8 = i16x8::new([0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0]);
const BOTH_ROWS: i16x8 = i16x8::new([0xff; 8]);
const LOW_HALF: i32x4 = i32x4::new([0xffff; 4]);

/// How a row was filtered: the difference to what was stored instead of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    None,
    Sub,
    Up,
    Average,
    Paeth,
}

impl Filter {
    /// Returns the filter that a row's first byte names; `None` if there is no such filter.
    pub(super) fn of(byte: u8) -> Option<Self> {
        [Self::None, Self::Sub, Self::Up, Self::Average, Self::Paeth].get(usize::from(byte)).copied()
    }

    /// Returns whether the pixels of a row don't depend on each other.
    pub(super) fn is_straight(self) -> bool {
        matches!(self, Self::None | Self::Up)
    }
}

/// Restores a row whose filter [is straight](Filter::is_straight).
pub(super) fn straight(filter: Filter, above: &[u8], stored: &[u8], row: &mut [u8]) {
    let row = &mut row[..stored.len()];
    if filter == Filter::None {
        return row.copy_from_slice(stored);
    }
    let (rows, row_rest) = row.as_chunks_mut::<16>();
    let (stored, stored_rest) = stored.as_chunks::<16>();
    let (aboves, above_rest) = above.as_chunks::<16>();
    for ((to, &stored), &above) in rows.iter_mut().zip(stored).zip(aboves) {
        *to = (u8x16::new(stored) + u8x16::new(above)).to_array();
    }
    // The row above has room at its end, so it may have a whole chunk where the others have a rest.
    let above_rest = aboves.get(rows.len()).map_or(above_rest, |above| above);
    for ((to, stored), above) in row_rest.iter_mut().zip(stored_rest).zip(above_rest) {
        *to = stored.wrapping_add(*above);
    }
}

/// Two rows that are restored together.
pub(super) struct Two<'a> {
    pub filters: [Filter; 2],
    /// Number of pixels in a row.
    pub pixels: usize,
    /// Bytes of a pixel, 1 to [`PIXEL`].
    pub step: usize,
    /// The restored row above the first one.
    pub above: &'a [u8],
    /// The stored bytes of the first row.
    pub first: &'a [u8],
    /// The stored bytes of the second row, after `step` bytes that aren't used.
    pub second: &'a [u8],
}

/// Restores two rows. `first` receives the pixels of the first row, `second` those of the second row after `step` bytes
/// that mean nothing. Both need room for [`PIXEL`] more bytes.
pub(super) fn two(rows: &Two, first: &mut [u8], second: &mut [u8]) {
    if rows.filters.contains(&Filter::Average) {
        restore::<true>(rows, first, second);
    } else {
        restore::<false>(rows, first, second);
    }
}

/// Restores two rows. `AVERAGE` says whether one of them may have the filter of this name.
///
/// A vector has eight numbers: four samples, each of the first row and then of the second. A number of 32 bits
/// thus holds a sample of the first row in its low half and a sample of the second row in its high half.
fn restore<const AVERAGE: bool>(rows: &Two, first: &mut [u8], second: &mut [u8]) {
    // The filters `Sub`, `Up` and `None` predict what `Paeth` predicts if the other neighbours are 0.
    let mask = |of: fn(Filter) -> bool| {
        let [low, high] = rows.filters.map(|filter| if of(filter) { -1 } else { 0 });
        i16x8::new([low, high, low, high, low, high, low, high])
    };
    let with_left = mask(|filter| matches!(filter, Filter::Sub | Filter::Average | Filter::Paeth));
    let with_above = mask(|filter| matches!(filter, Filter::Up | Filter::Average | Filter::Paeth));
    let with_corner = mask(|filter| filter == Filter::Paeth);
    let with_mean = mask(|filter| filter == Filter::Average);
    // The second row has no pixel in the first step.
    let mut kept = FIRST_ROW;
    let (mut left, mut corner) = (ZERO, ZERO);
    let mut at = 0;
    for _ in 0..=rows.pixels {
        let stored = [four(rows.first, at), four(rows.second, at)];
        let stored = widened(u8x16::unpack_low(vector(stored[0]), vector(stored[1])));
        let above: i32x4 = cast(widened(cast(widened(vector(four(rows.above, at))))));
        let above: i16x8 = cast(above | (cast::<_, i32x4>(left) << 16));
        let (a, b, c) = (left & with_left, above & with_above, corner & with_corner);
        let mut predicted = paeth(a, b, c);
        if AVERAGE {
            let mean: i16x8 = (a + b) >> 1;
            predicted = with_mean.blend(mean, predicted);
        }
        (left, corner) = ((stored + predicted) & kept, above);
        kept = BOTH_ROWS;
        let parted: i32x4 = cast(left);
        let parted = i16x8::from_i32x8_saturate(cast::<[i32x4; 2], i32x8>([parted & LOW_HALF, parted >> 16]));
        let [done, behind, ..] = cast::<u8x16, [[u8; 4]; 4]>(u8x16::narrow_i16x8(parted, ZERO));
        first[at..at + PIXEL].copy_from_slice(&done);
        second[at..at + PIXEL].copy_from_slice(&behind);
        at += rows.step;
    }
}

/// Returns whichever of `left`, `above` and `corner` (the pixel above `left`) is nearest to `left + above - corner`. Of
/// equally near ones, the first counts.
#[inline(always)]
fn paeth(left: i16x8, above: i16x8, corner: i16x8) -> i16x8 {
    let (to_left, to_above) = (above - corner, left - corner);
    let to_corner = (to_left + to_above).abs();
    let (to_left, to_above) = (to_left.abs(), to_above.abs());
    let other = to_above.cmp_gt(to_corner).blend(corner, above);
    to_left.cmp_gt(to_above.min(to_corner)).blend(other, left)
}

/// Returns four bytes of a row as a vector.
#[inline(always)]
fn vector(bytes: u32) -> u8x16 {
    cast([bytes, 0, 0, 0])
}

/// Widens the first eight bytes to numbers of 16 bits.
#[inline(always)]
fn widened(bytes: u8x16) -> i16x8 {
    cast(u8x16::unpack_low(bytes, NO_BYTES))
}

/// Returns four bytes from `at` on. Bytes beyond the end count as 0.
#[inline(always)]
fn four(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or_else(|| last(bytes, at), |four| u32::from_le_bytes(*four))
}

#[cold]
#[inline(never)]
fn last(bytes: &[u8], at: usize) -> u32 {
    let there = bytes.get(at..).unwrap_or_default();
    there.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Restores a row as the specification says it.
    fn plainly(filter: Filter, step: usize, above: &[u8], stored: &[u8]) -> Vec<u8> {
        let mut row: Vec<u8> = Vec::new();
        for (at, &byte) in stored.iter().enumerate() {
            let [left, corner] = [&row[..], above].map(|row| at.checked_sub(step).map_or(0, |at| i32::from(row[at])));
            let up = i32::from(above[at]);
            let predicted = match filter {
                Filter::None => 0,
                Filter::Sub => left,
                Filter::Up => up,
                Filter::Average => (left + up) / 2,
                Filter::Paeth => {
                    let nearest = left + up - corner;
                    *[left, up, corner].iter().min_by_key(|value| (nearest - **value).abs()).unwrap()
                }
            };
            row.push(byte.wrapping_add(predicted as u8));
        }
        row
    }

    #[test]
    fn two_rows_at_once_are_as_the_specification_says_for_every_pair_of_filters_and_every_width() {
        let mut random = 1u32;
        let mut bytes = |count: usize| -> Vec<u8> {
            let mut byte = || {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Extreme bytes are frequent, because they make the filters overflow.
                [(random >> 24) as u8, 0, 255, 128][(random >> 20) as usize % 4]
            };
            (0..count).map(|_| byte()).collect()
        };
        for step in 1..=PIXEL {
            for width in 1..=70 {
                for filters in (0..25).map(|pair| [pair / 5, pair % 5].map(|byte| Filter::of(byte).unwrap())) {
                    let length = step * width;
                    let (above, stored) = (bytes(length), [bytes(length), bytes(length)]);
                    let first = plainly(filters[0], step, &above, &stored[0]);
                    let second = plainly(filters[1], step, &first, &stored[1]);
                    let padded = [bytes(step), stored[1].clone()].concat();
                    let rows = Two { filters, pixels: width, step, above: &above, first: &stored[0], second: &padded };
                    let mut got = [vec![0; length + PIXEL], vec![0; step + length + PIXEL]];
                    let [to_first, to_second] = &mut got;
                    two(&rows, to_first, to_second);
                    assert_eq!(got[0][..length], first, "{filters:?}, {width} pixels of {step} bytes");
                    assert_eq!(got[1][step..step + length], second, "{filters:?}, {width} pixels of {step} bytes");
                    if filters[0].is_straight() {
                        let above = [above, vec![7; PIXEL]].concat();
                        straight(filters[0], &above, &stored[0], &mut got[0]);
                        assert_eq!(got[0][..length], first, "{filters:?}, {width} pixels of {step} bytes");
                    }
                }
            }
        }
        assert_eq!(Filter::of(5), None);
    }
}
