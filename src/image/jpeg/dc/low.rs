//! Collects the lowest AC coefficients of luma while its blocks are read.
//!
//! Block means alone are too coarse for a page of text: within 8 pixels its brightness changes often. The five lowest
//! AC coefficients tell how each block changes from one side to the other and towards its middle, which is nearly all
//! that PDQ's filter sees of a block.

use crate::pdq::{Luma, Plane, TermSum};

use super::super::frame::Frame;
use super::super::part::Outside;
use super::plane::{LOW, Steps};

/// Quantized AC coefficients of a block, times two: places 1 to 5 in zigzag order.
pub(super) type Low = [i16; LOW];

/// Short side, in pixels, from which a picture's AC coefficients aren't decoded. PDQ's filter is as wide as a 128th of
/// the side. From here on, that is so much wider than a block that means are near enough (`docs/lab/decoding.md` has
/// the distances), and decoding the coefficients would take long.
const LARGE: u32 = 2400;

/// Longest side in pixels along which the plane for the views has cells of 4 pixels instead of 8. The other decoders'
/// planes ([`LumaBuilder`](crate::pdq::LumaBuilder)) have cells of 6 pixels at this size, and smaller ones below.
const FINE_SIDE: u32 = 3072;

/// Mean of the first half of the DCT's basis function of frequency 1, times that of frequency 0 or of itself.
const HALF: f32 = 0.113_264_41;
const QUARTER: f32 = 0.102_631_45;

/// The lowest AC coefficients of luma, summed to the reduced picture row by row.
pub(super) struct LowTerms {
    /// Whether they are decoded at all.
    pub(super) wanted: bool,
    sum: Option<TermSum>,
    /// The steps of places 1 to 5, halved.
    steps: [f32; LOW],
    /// Blocks in a row of the picture, and rows.
    columns: usize,
    rows: usize,
    /// Number of cells per block across and down in the plane for the views: 1 or 2.
    fine: (usize, usize),
    /// What the AC coefficients add to the cells of that plane; empty if it has one cell per block.
    cells: Vec<f32>,
    /// The coefficients of the blocks that are being read: one row of units. Blocks in a row, padded to whole units.
    stride: usize,
    blocks: Vec<Low>,
    /// Index, among the blocks of luma, of the first of `blocks`.
    start: usize,
    /// Whether any of `blocks` was written.
    dirty: bool,
    /// For each place, whether its first scan was read.
    pub(super) seen: [bool; LOW],
    /// A row of each coefficient, dequantized.
    row: [Vec<f32>; LOW],
}

impl LowTerms {
    /// Makes the sums for a picture. Unless the picture is large or `wanted` is false, the coefficients are decoded.
    pub(super) fn new(frame: &Frame, wanted: bool) -> Self {
        let (width, height) = (frame.width, frame.height);
        let wanted = wanted && width.min(height) < LARGE;
        let (columns, rows) = (width.div_ceil(8) as usize, height.div_ceil(8) as usize);
        let stride = (frame.units().0 * frame.components[0].across) as usize;
        let fine = (1 + usize::from(width <= FINE_SIDE), 1 + usize::from(height <= FINE_SIDE));
        let cells = if !wanted || fine == (1, 1) { 0 } else { fine.0 * columns * fine.1 * rows };
        Self {
            wanted,
            sum: wanted.then(|| TermSum::new(width, height)),
            steps: [0.0; LOW],
            columns,
            rows,
            fine,
            cells: vec![0.0; cells],
            stride,
            blocks: Vec::new(),
            start: 0,
            dirty: false,
            seen: [false; LOW],
            row: std::array::from_fn(|_| vec![0.0; if wanted { columns } else { 0 }]),
        }
    }

    /// Returns whether every coefficient that is wanted had its first scan.
    pub(super) fn is_complete(&self) -> bool {
        !self.wanted || self.seen == [true; LOW]
    }

    /// Begins a scan that reads `down` rows of luma's blocks per row of units.
    pub(super) fn begin(&mut self, steps: &Steps, down: usize) {
        self.steps = steps.low.map(|step| 0.5 * f32::from(step));
        self.blocks.clear();
        self.blocks.resize(self.stride * down, [0; LOW]);
        (self.start, self.dirty) = (0, false);
    }

    /// Returns the coefficients of the block with this index in luma.
    #[inline(always)]
    pub(super) fn block(&mut self, index: usize) -> Result<&mut Low, Outside> {
        self.dirty = true;
        self.blocks.get_mut(index.wrapping_sub(self.start)).ok_or(Outside)
    }

    /// Ends a row of units: adds its coefficients to the sums, and clears them for the next row.
    pub(super) fn end_row(&mut self) {
        let first = self.start / self.stride;
        self.start += self.blocks.len();
        let Some(sum) = self.sum.as_mut().filter(|_| std::mem::take(&mut self.dirty)) else { return };
        for (y, blocks) in (first..self.rows).zip(self.blocks.chunks_exact(self.stride)) {
            for (place, row) in self.row.iter_mut().enumerate() {
                let step = self.steps[place];
                row.iter_mut().zip(blocks).for_each(|(term, block)| *term = step * f32::from(block[place]));
            }
            let [across, down, down_twice, both, across_twice] = &self.row;
            let terms: [(_, _, &[f32]); LOW] =
                [(1, 0, across), (0, 1, down), (0, 2, down_twice), (1, 1, both), (2, 0, across_twice)];
            sum.add_row(y, &terms);
            if !self.cells.is_empty() {
                let width = self.fine.0 * self.columns;
                let cells = &mut self.cells[y * self.fine.1 * width..][..self.fine.1 * width];
                for (half, line) in cells.chunks_exact_mut(width).enumerate() {
                    let below = if self.fine.1 == 1 { 0.0 } else { 1.0 - 2.0 * half as f32 };
                    for (x, pair) in line.chunks_exact_mut(self.fine.0).enumerate() {
                        let middle = below * HALF * down[x];
                        let aside = HALF * across[x] + below * QUARTER * both[x];
                        if let [left, right] = pair {
                            (*left, *right) = (*left + middle + aside, *right + middle - aside);
                        } else {
                            pair[0] += middle;
                        }
                    }
                }
            }
        }
        self.blocks.fill([0; LOW]);
    }

    /// Makes the luma from the block means and the coefficients that were read.
    pub(super) fn luma(&mut self, means: Plane) -> Luma {
        let Some(mut sum) = self.sum.take() else { return Luma::from_plane(means) };
        let mut row = vec![0.0; self.columns];
        for (y, means) in means.rows().enumerate() {
            // The DC term of the DCT is eight times the mean.
            row.iter_mut().zip(means).for_each(|(term, mean)| *term = 8.0 * mean);
            sum.add_row(y, &[(0, 0, &row)]);
        }
        Luma { small: sum.finish(), plane: self.plane(means) }
    }

    /// Makes the plane for the views.
    fn plane(&mut self, means: Plane) -> Plane {
        if self.cells.is_empty() {
            return means;
        }
        let (block_width, block_height) = (8 / self.fine.0 as u32, 8 / self.fine.1 as u32);
        let width = self.fine.0 * self.columns;
        let mut cells = std::mem::take(&mut self.cells);
        for (y, line) in cells.chunks_exact_mut(width).enumerate() {
            let means = &means.cells[y / self.fine.1 * self.columns..][..self.columns];
            for (pair, mean) in line.chunks_exact_mut(self.fine.0).zip(means) {
                pair.iter_mut().for_each(|cell| *cell += mean);
            }
        }
        // The halves of the last blocks that lie outside the picture are no cells.
        let mut plane = Plane { block_width, block_height, cells: Vec::new(), ..means };
        let (columns, rows) = (plane.columns(), plane.height.div_ceil(block_height) as usize);
        if columns < width {
            cells = cells.chunks_exact(width).flat_map(|line| &line[..columns]).copied().collect();
        }
        cells.truncate(columns * rows);
        plane.cells = cells;
        plane
    }
}
