//! The pixels of a row of macroblocks in one plane, and how they are predicted (RFC 6386, 12).

use bytemuck::cast;
use wide::{i16x8, i32x4, u8x16};

use super::macroblock::{Filled, Place, Whole};
use super::transform::cosine;

/// Pixels on a side of a macroblock.
pub(super) const SIDE: usize = 16;

/// Pixels on a side of a macroblock in a plane of chroma.
pub(super) const HALF: usize = 8;

/// Bytes before and after the pixels in a line of [`Lines`]: the left neighbour of the first pixel, and the right
/// neighbours of the last.
const MARGIN: usize = 16;

/// The lines of pixels of a row of macroblocks in one plane, and the line above them. A macroblock has `SIDE` lines.
pub(super) struct Lines<const SIDE: usize> {
    pixels: Vec<u8>,
    stride: usize,
}

impl<const SIDE: usize> Lines<SIDE> {
    pub(super) fn new(columns: usize) -> Self {
        let stride = SIDE * columns + 2 * MARGIN;
        Self { pixels: vec![127; stride * (SIDE + 1)], stride }
    }

    /// Begins a row of macroblocks: the last line of the row before becomes the line above (12.2).
    pub(super) fn begin(&mut self, row: usize) {
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
    pub(super) fn line(&self, y: usize) -> &[u8] {
        &self.pixels[(y + 1) * self.stride + MARGIN..]
    }

    /// Returns the place of a macroblock's first pixel in line `y`.
    pub(super) fn place(&self, y: usize, column: usize) -> usize {
        (y + 1) * self.stride + MARGIN + SIDE * column
    }

    /// Returns the place of a block of 4 x 4 pixels, from the place of its macroblock.
    pub(super) fn within(&self, at: usize, number: usize) -> usize {
        at + 4 * (number / (SIDE / 4)) * self.stride + 4 * (number % (SIDE / 4))
    }

    /// Returns the least and the most of a macroblock's samples.
    pub(super) fn range(&self, column: usize) -> [u8; 2] {
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
    pub(super) fn spread_above(&mut self, at: usize) {
        let from = at - self.stride + SIDE;
        for line in [4, 8, 12] {
            self.pixels.copy_within(from..from + 4, from + line * self.stride);
        }
    }

    pub(super) fn predict_whole(&mut self, at: usize, mode: Whole, place: &Place) {
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
    pub(super) fn predict(&mut self, at: usize, mode: u8) {
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
    pub(super) fn add(&mut self, at: usize, block: &mut [i32; 16], filled: Filled) {
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
