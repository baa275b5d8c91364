//! Reduces the rows of a picture to the 64x64 picture that PDQ hashes.
//!
//! The reference blurs with two box passes per axis (Jarosz filters), then keeps 64x64 samples. Both steps are linear
//! and separable. So together they equal a multiplication by one sparse matrix per axis. Each matrix has 64 rows, one
//! per sample. A row contains the weights of its sample, which rise and fall linearly like a tent. The matrices are
//! applied to each row of pixels as it arrives, so the full picture is never in memory.
//!
//! The weights can be summed over blocks of pixels. So the same filter also reduces a [`Plane`] of block means. Such
//! planes come from the DC coefficients of a JPEG, or from [`LumaBuilder`] for the views.

use bytemuck::cast;
use wide::{f32x4, i8x16, i32x4, u8x16};

use super::luma64::{Luma64, MIN_SIDE, SIDE};

/// Whether this processor has vectors of bytes. Without them, scalar code is as fast and shorter.
pub(crate) const HAS_VECTORS: bool = cfg!(all(
    target_endian = "little",
    any(target_feature = "sse2", target_feature = "simd128", target_feature = "neon")
));

/// Largest side, in cells, of the reduced plane that is kept for the views.
const MAX_PLANE_SIDE: u32 = 512;

/// A luma picture reduced to the means of blocks of pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// Width of a block in pixels; the last column may be narrower.
    pub block_width: u32,
    /// Height of a block in pixels; the last row may be lower.
    pub block_height: u32,
    /// `ceil(width / block_width) * ceil(height / block_height)` means, row by row, 0 to 255.
    pub cells: Vec<f32>,
}

impl Plane {
    /// Cells in a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.width.div_ceil(self.block_width) as usize
    }

    /// Rows of cells, top to bottom.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.cells.chunks_exact(self.columns())
    }

    /// Filters a window of the picture as if the window were the whole picture. Outside the picture, its edge is
    /// repeated.
    #[must_use]
    pub fn small(&self, window: &Window) -> Luma64 {
        let across = Axis::new(window.width, window.x, self.width, self.block_width);
        let down = Axis::new(window.height, window.y, self.height, self.block_height);
        // The starts and the ends of the samples ascend.
        let first = across.samples[0].start;
        let end = across.samples.last().map_or(first, |last| last.start + last.weights.len());
        let mut small = [0.0; SIDE * SIDE];
        let mut filtered = vec![0.0; end - first];
        // Columns are filtered first, because the rows of a plane are short.
        for (line, sample) in small.chunks_exact_mut(SIDE).zip(&down.samples) {
            filtered.fill(0.0);
            for (weight, row) in sample.weights.iter().zip(self.rows().skip(sample.start)) {
                add_scaled(&mut filtered, *weight, &row[first..end]);
            }
            for (value, sample) in line.iter_mut().zip(&across.samples) {
                *value = dot(&sample.weights, &filtered[sample.start - first..]);
            }
        }
        small
    }
}

/// A rectangle in pixels of the full-size picture. It may reach outside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Left edge.
    pub x: i64,
    /// Top edge.
    pub y: i64,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

/// The luma of a frame: the reduced picture that PDQ hashes, and a reduced plane for the derived views.
#[derive(Debug, Clone, PartialEq)]
pub struct Luma {
    /// The reduced picture of the whole frame.
    pub small: Box<Luma64>,
    /// The reduced frame.
    pub plane: Plane,
}

impl Luma {
    /// Makes the luma of a frame whose block means are known.
    #[must_use]
    pub fn from_plane(plane: Plane) -> Self {
        let whole = Window { x: 0, y: 0, width: plane.width, height: plane.height };
        Self { small: Box::new(plane.small(&whole)), plane }
    }
}

/// Reduces a frame that arrives row by row, in any order. A row may be pushed in several parts. The parts are summed,
/// so the pixels that belong to another part must be black.
#[derive(Clone)]
pub struct LumaBuilder {
    sum: TentSum,
    plane: Plane,
    row: Vec<f32>,
}

impl LumaBuilder {
    /// Starts a frame of `width` x `height` pixels, each at least 1.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (block_width, block_height) = (width.div_ceil(MAX_PLANE_SIDE), height.div_ceil(MAX_PLANE_SIDE));
        let cells = width.div_ceil(block_width) as usize * height.div_ceil(block_height) as usize;
        Self {
            sum: TentSum::new(Axis::new(width, 0, width, 1), Axis::new(height, 0, height, 1)),
            plane: Plane { width, height, block_width, block_height, cells: vec![0.0; cells] },
            row: vec![0.0; width as usize],
        }
    }

    /// Adds row `y` from `width` RGB pixels of one byte per channel. Uses PDQ's weights (Rec. 601).
    pub fn push_rgb(&mut self, y: u32, rgb: &[u8]) {
        let (fours, rest) = self.row.as_chunks_mut::<4>();
        let mut done = 0;
        // Sixteen bytes hold four pixels, and four bytes that aren't used.
        while HAS_VECTORS
            && let (Some(four), Some(bytes)) = (fours.get_mut(done), rgb.get(12 * done..).and_then(<[u8]>::first_chunk))
        {
            *four = lumas(spread(bytes));
            done += 1;
        }
        let lumas = fours[done..].as_flattened_mut().iter_mut().chain(rest);
        for (luma, pixel) in lumas.zip(rgb[12 * done..].chunks_exact(3)) {
            *luma = 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]);
        }
        self.add(y);
    }

    /// Adds row `y` from `width` RGBA pixels of one byte per channel, without heeding alpha.
    pub fn push_rgba(&mut self, y: u32, rgba: &[u8]) {
        let (fours, rest) = self.row.as_chunks_mut::<4>();
        let mut done = 0;
        while HAS_VECTORS
            && let (Some(four), Some(bytes)) =
                (fours.get_mut(done), rgba.get(16 * done..).and_then(<[u8]>::first_chunk::<16>))
        {
            *four = lumas(cast(*bytes));
            done += 1;
        }
        let lumas = fours[done..].as_flattened_mut().iter_mut().chain(rest);
        for (luma, pixel) in lumas.zip(rgba[16 * done..].chunks_exact(4)) {
            *luma = 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]);
        }
        self.add(y);
    }

    /// Adds row `y` from `width` grey pixels. Multiplies grey by the three weights of RGB, as the reference does. The
    /// rounded sum of the weights isn't exactly 1, so using the grey value itself would give other hashes.
    pub fn push_grey(&mut self, y: u32, grey: &[u8]) {
        let (sixteens, rest) = self.row.as_chunks_mut::<16>();
        let mut done = 0;
        while HAS_VECTORS
            && let (Some(sixteen), Some(bytes)) =
                (sixteens.get_mut(done), grey.get(16 * done..).and_then(<[u8]>::first_chunk::<16>))
        {
            // Each step puts a zero after every byte of one half, so two steps make numbers of four bytes.
            let bytes = u8x16::new(*bytes);
            let (low, high) = (u8x16::unpack_low(bytes, NO_BYTES), u8x16::unpack_high(bytes, NO_BYTES));
            let fours = sixteen.as_chunks_mut::<4>().0;
            fours[0] = lumas_of_greys(u8x16::unpack_low(low, NO_BYTES));
            fours[1] = lumas_of_greys(u8x16::unpack_high(low, NO_BYTES));
            fours[2] = lumas_of_greys(u8x16::unpack_low(high, NO_BYTES));
            fours[3] = lumas_of_greys(u8x16::unpack_high(high, NO_BYTES));
            done += 1;
        }
        let lumas = sixteens[done..].as_flattened_mut().iter_mut().chain(rest);
        for (luma, &pixel) in lumas.zip(&grey[16 * done..]) {
            let value = f32::from(pixel);
            *luma = 0.299 * value + 0.587 * value + 0.114 * value;
        }
        self.add(y);
    }

    fn add(&mut self, y: u32) {
        self.sum.add_row(y as usize, &self.row);
        let columns = self.plane.columns();
        let start = (y / self.plane.block_height) as usize * columns;
        let cells = &mut self.plane.cells[start..start + columns];
        if self.plane.block_width == 1 {
            // In a small picture every pixel is a cell. Multiplying by 1 is exact.
            return add_scaled(cells, 1.0, &self.row);
        }
        for (cell, pixels) in cells.iter_mut().zip(self.row.chunks(self.plane.block_width as usize)) {
            *cell += pixels.iter().sum::<f32>();
        }
    }

    /// Ends the frame. Rows that were never pushed count as black. As in the reference, a frame with a side under
    /// [`MIN_SIDE`] counts as black: its hash is zero and its quality 0.
    #[must_use]
    pub fn finish(mut self) -> Luma {
        let mut plane = self.plane;
        if plane.width.min(plane.height) < MIN_SIDE {
            self.sum.small.fill(0.0);
            plane.cells.fill(0.0);
        }
        let columns = plane.columns();
        // Blocks of one pixel are their own means.
        let summed = if plane.block_width * plane.block_height > 1 { plane.cells.as_mut_slice() } else { &mut [] };
        for (index, cell) in summed.iter_mut().enumerate() {
            let (x, y) = ((index % columns) as u32, (index / columns) as u32);
            let width = plane.block_width.min(plane.width - x * plane.block_width);
            let height = plane.block_height.min(plane.height - y * plane.block_height);
            *cell /= (width * height) as f32;
        }
        Luma { small: self.sum.small, plane }
    }
}

/// Number of frequencies per axis that [`TermSum`] knows: 0, 1 and 2.
const FREQUENCIES: usize = 3;

/// The basis functions of the DCT of 8 samples, for frequencies 0 to 2 (ITU T.81, A.3.3): `sqrt(1 / 8)`, and
/// `cos((2 x + 1) u pi / 16) / 2`. They are written out, because the cosines of two platforms may differ in the last
/// bit.
const BASIS: [[f64; 8]; FREQUENCIES] = {
    const FLAT: f64 = 0.353_553_390_593_273_8;
    const A: [f64; 4] =
        [0.490_392_640_201_615_2, 0.415_734_806_151_272_6, 0.277_785_116_509_801_1, 0.097_545_161_008_064_1];
    const B: [f64; 2] = [0.461_939_766_255_643_4, 0.191_341_716_182_544_9];
    [
        [FLAT; 8],
        [A[0], A[1], A[2], A[3], -A[3], -A[2], -A[1], -A[0]],
        [B[0], B[1], -B[1], -B[0], -B[0], -B[1], B[1], B[0]],
    ]
};

/// Reduces a picture whose 8x8 blocks are known by their lowest DCT terms, without making pixels.
///
/// The filter is linear. So each sample of the reduced picture is a sum of all terms, each multiplied by the sum of the
/// filter's weights times the term's basis function. Terms that are never added count as 0.
#[derive(Clone)]
pub(crate) struct TermSum {
    across: TermAxis,
    down: TermAxis,
    columns: usize,
    /// For each line of the reduced picture and each horizontal frequency: the terms of all columns of blocks, filtered
    /// vertically.
    lines: Vec<f32>,
}

/// Terms of a row of blocks: the horizontal frequency, the vertical frequency, and the term of each block.
pub(crate) type TermRow<'a> = (usize, usize, &'a [f32]);

impl TermSum {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let columns = width.div_ceil(8) as usize;
        let lines = vec![0.0; SIDE * FREQUENCIES * columns];
        Self { across: TermAxis::new(width), down: TermAxis::new(height), columns, lines }
    }

    /// Adds terms of the blocks in row `y`. Every row of terms has at least as many blocks as the picture has columns.
    /// Rows below the picture are ignored.
    pub(crate) fn add_row(&mut self, y: usize, terms: &[TermRow]) {
        let samples = &self.down.samples;
        let begin = samples.partition_point(|sample| sample.start + sample.weights[0].len() <= y);
        let end = samples.partition_point(|sample| sample.start <= y);
        for (line, sample) in samples.iter().enumerate().take(end).skip(begin) {
            for &(across, down, values) in terms {
                let weight = sample.weights[down][y - sample.start];
                let start = (line * FREQUENCIES + across) * self.columns;
                add_scaled(&mut self.lines[start..start + self.columns], weight, &values[..self.columns]);
            }
        }
    }

    /// Returns the reduced picture.
    pub(crate) fn finish(&self) -> Box<Luma64> {
        let mut small = Box::new([0.0; SIDE * SIDE]);
        for (line, filtered) in small.chunks_exact_mut(SIDE).zip(self.lines.chunks_exact(FREQUENCIES * self.columns)) {
            for (value, sample) in line.iter_mut().zip(&self.across.samples) {
                let rows = filtered.chunks_exact(self.columns);
                *value = sample.weights.iter().zip(rows).map(|(weights, row)| dot(weights, &row[sample.start..])).sum();
            }
        }
        small
    }
}

/// The sampling matrix of one axis for blocks of 8 pixels, per frequency.
#[derive(Clone)]
struct TermAxis {
    samples: Vec<TermSample>,
}

#[derive(Clone)]
struct TermSample {
    /// The first block.
    start: usize,
    /// For each frequency: the weights of the terms of consecutive blocks.
    weights: [Vec<f32>; FREQUENCIES],
}

impl TermAxis {
    fn new(length: u32) -> Self {
        let samples = Axis::new(length, 0, length, 1).samples.into_iter().map(|Sample { start, weights }| {
            let (first, last) = (start / 8, (start + weights.len() - 1) / 8);
            let of_frequency = |basis: &[f64; 8]| {
                let mut sums = vec![0.0f64; last - first + 1];
                for (x, &weight) in (start..).zip(&weights) {
                    sums[x / 8 - first] += f64::from(weight) * basis[x % 8];
                }
                sums.into_iter().map(|sum| sum as f32).collect()
            };
            TermSample { start: first, weights: BASIS.each_ref().map(of_frequency) }
        });
        Self { samples: samples.collect() }
    }
}

/// The sparse sampling matrix of one axis: for each of the 64 samples, weights of consecutive cells.
#[derive(Clone)]
struct Axis {
    samples: Vec<Sample>,
}

#[derive(Clone)]
struct Sample {
    start: usize,
    weights: Vec<f32>,
}

impl Axis {
    /// Makes the matrix for a window of `length` pixels that begins at pixel `origin`, of an axis of `full` pixels that
    /// are stored as cells of `block` pixels.
    fn new(length: u32, origin: i64, full: u32, block: u32) -> Self {
        let length = i64::from(length);
        // The reference's `computeJaroszFilterWindowSize`: a window of one 128th of the axis, rounded up.
        let window = (length + 127) / 128;
        // A window of even length reaches one pixel farther to the right than to the left.
        let right = (window + 2) / 2 - 1;
        let left = window - right - 1;
        let reach = |centre: i64| ((centre - left).max(0), (centre + right).min(length - 1));
        let (full, block) = (i64::from(full), i64::from(block));
        let pixel = |x: i64| (origin + x).clamp(0, full - 1);
        let cell = |x: i64| pixel(x) / block;
        // The cells before and after a cell, for interpolation. Cells of one pixel need no interpolation.
        let reach_of_line = i64::from(block > 1);
        let beside = |cell: i64| ((cell - reach_of_line).max(0), (cell + reach_of_line).min((full - 1) / block));

        let samples = (0..SIDE as i64).map(|sample| {
            // The reference's `decimateFloat`: the pixel under the sample's centre.
            let (first, last) = reach((2 * sample + 1) * length / (2 * SIDE as i64));
            let (low, high) = (reach(first).0, reach(last).1);
            // Two box passes: a sample is the mean, over the pixels of the outer box, of the means of inner boxes
            // around them. Each inner box is noted as a step up at its start and a step down after its end. The steps
            // are summed below.
            let mut steps = vec![0.0f64; (high - low + 2) as usize];
            for centre in first..=last {
                let (from, to) = reach(centre);
                let weight = 1.0 / ((last - first + 1) * (to - from + 1)) as f64;
                steps[(from - low) as usize] += weight;
                steps[(to - low + 1) as usize] -= weight;
            }
            let start = beside(cell(low)).0;
            let mut weights = vec![0.0f64; (beside(cell(high)).1 - start + 1) as usize];
            let (mut x, mut weight) = (low, 0.0);
            while x <= high {
                let middle = cell(x);
                let right = (middle * block + block).min(full) - 1;
                let centre = (middle * block + right) as f64 / 2.0;
                let (mut sum, mut moment) = (0.0, 0.0);
                while x <= high && pixel(x) <= right {
                    weight += steps[(x - low) as usize];
                    sum += weight;
                    moment += weight * (pixel(x) as f64 - centre);
                    x += 1;
                }
                weights[(middle - start) as usize] += sum;
                // Within a block, brightness is assumed to change linearly, with the slope between the blocks before
                // and after it.
                let (before, after) = beside(middle);
                if before < after {
                    let slope = moment / ((after - before) * block) as f64;
                    weights[(after - start) as usize] += slope;
                    weights[(before - start) as usize] -= slope;
                }
            }
            Sample { start: start as usize, weights: weights.into_iter().map(|w| w as f32).collect() }
        });
        Self { samples: samples.collect() }
    }
}

/// Applies the matrices of both axes to rows as they arrive.
#[derive(Clone)]
struct TentSum {
    across: Axis,
    down: Axis,
    small: Box<Luma64>,
}

impl TentSum {
    fn new(across: Axis, down: Axis) -> Self {
        Self { across, down, small: Box::new([0.0; SIDE * SIDE]) }
    }

    fn add_row(&mut self, y: usize, row: &[f32]) {
        // The starts and the ends ascend with the sample's number. So the samples that use row `y` are consecutive.
        let samples = &self.down.samples;
        let begin = samples.partition_point(|sample| sample.start + sample.weights.len() <= y);
        let end = samples.partition_point(|sample| sample.start <= y);
        if begin >= end {
            return;
        }
        let mut filtered = [0.0; SIDE];
        for (value, sample) in filtered.iter_mut().zip(&self.across.samples) {
            *value = dot(&sample.weights, &row[sample.start..]);
        }
        for (index, sample) in samples[begin..end].iter().enumerate() {
            let weight = sample.weights[y - sample.start];
            let line = &mut self.small[(begin + index) * SIDE..(begin + index + 1) * SIDE];
            for (sum, value) in line.iter_mut().zip(&filtered) {
                *sum += weight * value;
            }
        }
    }
}

// Vectors that are made here and not where they are used: there, a build for size would make them by loops.
const RED: f32x4 = f32x4::new([0.299; 4]);
const GREEN: f32x4 = f32x4::new([0.587; 4]);
const BLUE: f32x4 = f32x4::new([0.114; 4]);
const NO_BYTES: u8x16 = u8x16::new([0; 16]);
const LOW_BYTE: i32x4 = i32x4::new([0xff; 4]);
/// Where the bytes of four RGB pixels go: 0, 1 and 2 to the first number, and so on. A negative place makes 0.
const PLACES: i8x16 = i8x16::new([0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1]);

/// Returns the first four RGB pixels as numbers whose lowest three bytes are red, green and blue.
#[inline(always)]
fn spread(bytes: &[u8; 16]) -> i32x4 {
    if cfg!(any(target_feature = "simd128", target_feature = "ssse3", target_feature = "neon")) {
        return cast(i8x16::new(cast(*bytes)).swizzle(PLACES));
    }
    let pixel = |at: usize| i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], 0]);
    i32x4::new([pixel(0), pixel(3), pixel(6), pixel(9)])
}

/// Returns the luma of four pixels whose lowest three bytes are red, green and blue.
#[inline(always)]
fn lumas(pixels: i32x4) -> [f32; 4] {
    let level = |number: i32x4| (number & LOW_BYTE).round_float();
    weighed(level(pixels), level(pixels >> 8), level(pixels >> 16))
}

/// Returns the luma of four grey pixels, each in the first of four bytes.
#[inline(always)]
fn lumas_of_greys(greys: u8x16) -> [f32; 4] {
    let level = cast::<u8x16, i32x4>(greys).round_float();
    weighed(level, level, level)
}

/// Weighs colours as the scalar code does, with the same roundings.
#[inline(always)]
fn weighed(red: f32x4, green: f32x4, blue: f32x4) -> [f32; 4] {
    (RED * red + GREEN * green + BLUE * blue).to_array()
}

/// Adds `weight * value` to each sum.
fn add_scaled(sums: &mut [f32], weight: f32, values: &[f32]) {
    let weights = f32x4::new([weight, weight, weight, weight]);
    let (sums, sums_rest) = sums.as_chunks_mut();
    let (values, values_rest) = values.as_chunks();
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = (f32x4::new(*sum) + weights * f32x4::new(value)).to_array();
    }
    for (sum, value) in sums_rest.iter_mut().zip(values_rest) {
        *sum += weight * value;
    }
}

/// Returns the dot product of `weights` and as many `values`. Always sums in eight lanes, so that the order of
/// additions, and with it the rounding, is the same on every platform.
fn dot(weights: &[f32], values: &[f32]) -> f32 {
    let (weights, weights_rest) = weights.as_chunks::<8>();
    let (values, values_rest) = values[..8 * weights.len() + weights_rest.len()].as_chunks::<8>();
    let (mut low, mut high) = (f32x4::ZERO, f32x4::ZERO);
    for (weights, values) in weights.iter().zip(values) {
        let ([weights, more_weights], [values, more_values]) = (halves(weights), halves(values));
        low += weights * values;
        high += more_weights * more_values;
    }
    let rest: f32 = weights_rest.iter().zip(values_rest).map(|(w, v)| w * v).sum();
    let ([a, b, c, d], [e, f, g, h]) = (low.to_array(), high.to_array());
    a + b + c + d + e + f + g + h + rest
}

fn halves(values: &[f32; 8]) -> [f32x4; 2] {
    let (fours, _) = values.as_chunks::<4>();
    [f32x4::new(fours[0]), f32x4::new(fours[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_every_sample_sum_to_one() {
        for length in [1, 2, 5, 63, 64, 65, 127, 128, 129, 500, 4000] {
            for block in [1, 3, 8] {
                for sample in Axis::new(length, 0, length, block).samples {
                    let sum: f32 = sample.weights.iter().sum();
                    assert!((sum - 1.0).abs() < 1e-5, "length {length}, block {block}: {sum}");
                }
            }
        }
    }

    #[test]
    fn rows_are_read_alike_whatever_their_channels_and_width() {
        for width in 1..=70u32 {
            let pixels: Vec<[u8; 3]> = (0..width).map(|x| [x, 7 * x, 255 - 3 * x].map(|value| value as u8)).collect();
            let rgba: Vec<u8> = pixels.iter().flat_map(|&[red, green, blue]| [red, green, blue, green]).collect();
            let mut builders = [(); 3].map(|()| LumaBuilder::new(width, 1));
            let [of_rgb, of_rgba, of_grey] = &mut builders;
            of_rgb.push_rgb(0, pixels.as_flattened());
            of_rgba.push_rgba(0, &rgba);
            let weighed = |[red, green, blue]: [u8; 3]| {
                0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
            };
            let lumas: Vec<f32> = pixels.iter().map(|&pixel| weighed(pixel)).collect();
            assert_eq!((&of_rgb.row, &of_rgba.row), (&lumas, &lumas));
            let greys: Vec<u8> = pixels.iter().map(|pixel| pixel[1]).collect();
            of_grey.push_grey(0, &greys);
            let lumas: Vec<f32> = greys.iter().map(|&grey| weighed([grey; 3])).collect();
            assert_eq!(of_grey.row, lumas);
        }
    }

    #[test]
    fn a_window_outside_the_picture_repeats_its_edge() {
        let plane = Plane { width: 2, height: 1, block_width: 1, block_height: 1, cells: vec![10.0, 90.0] };
        let small = plane.small(&Window { x: -128, y: -3, width: 258, height: 7 });
        assert_eq!((small[0], small[SIDE - 1]), (10.0, 90.0));
    }
}
