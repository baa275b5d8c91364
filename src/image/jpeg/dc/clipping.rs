//! Bounds how far clipping can move the means of blocks, so that a JPEG can't show viewers another picture than its DC
//! coefficients do.
//!
//! A DC coefficient is the mean of a block before its samples are clipped to 0 to 255. Where the AC coefficients reach
//! far beyond that range, a viewer shows another mean, and a file could be made so that its DC coefficients show one
//! picture and its pixels another. The sizes of the AC coefficients bound how far the samples of a block spread around
//! the mean (Parseval), and the spread bounds how far clipping moves it (Scarf's inequality).

use wide::{f32x4, i32x4};

use super::super::frame::Frame;
use super::plane::{Steps, Term, Terms, dc, variance};

/// Number of tiles on each side of the picture, over which the contrast is measured. PDQ keeps the 16 lowest
/// frequencies, which have up to eight periods across the picture; eight periods take 16 samples.
const TILES: usize = 16;

/// Largest mean shift of luma by clipping that is accepted, as a share of the picture's contrast. A disturbance of half
/// the contrast, in the frequencies that PDQ keeps, changes about a tenth of the bits of the hash.
const MOST_SHIFT: f32 = 0.5;

/// Returns whether the block means show about the same picture as the clipped pixels, which viewers show.
///
/// Compares two numbers: the bound on the shift of luma, averaged over all blocks, and the contrast of the picture (the
/// standard deviation of its tiles). The shift must be at most [`MOST_SHIFT`] times the contrast.
pub(super) fn is_faithful(frame: &Frame, tables: &[Option<Steps>; 4], terms: &[Terms; 3]) -> bool {
    let blocks = Blocks::of(frame, tables, terms);
    let most = MOST_SHIFT * blocks.contrast();
    let count = (blocks.columns * blocks.rows) as f32;
    // Tries the rough bound first, because it takes less time: one square root per block. It is never below the close
    // bound, so a picture that passes the rough bound passes the close one, too. Most pictures do.
    blocks.rough_shifts() / count <= most || blocks.shifts() / count <= most
}

/// The blocks of a picture.
struct Blocks<'a> {
    terms: &'a [Terms; 3],
    /// For each component: by how many levels (of 255) a quantized DC coefficient of 1 raises the mean of its block.
    steps: [f32; 3],
    /// Number of luma blocks in a row, and number of such rows.
    columns: usize,
    rows: usize,
    /// Base-2 logarithms of how many luma blocks lie over one chroma block, horizontally and vertically.
    across: u32,
    down: u32,
}

impl<'a> Blocks<'a> {
    fn of(frame: &Frame, tables: &[Option<Steps>; 4], terms: &'a [Terms; 3]) -> Self {
        let mut steps = [0.0; 3];
        for (step, component) in steps.iter_mut().zip(&frame.components) {
            let table = tables.get(component.quantization).copied().flatten();
            *step = f32::from(table.map_or(0, |table| table.first)) / 8.0;
        }
        let (columns, rows) = (frame.width.div_ceil(8) as usize, frame.height.div_ceil(8) as usize);
        let (across, down) = (frame.components[0].across.trailing_zeros(), frame.components[0].down.trailing_zeros());
        Self { terms, steps, columns, rows, across, down }
    }

    /// Returns row `y` of the luma blocks.
    fn luma(&self, y: usize) -> &[Term] {
        let row = self.terms[0].row(y);
        row.get(..self.columns).unwrap_or(row)
    }

    /// Returns the blocks of both chroma components that cover row `y` of the luma blocks; none in a grey picture.
    fn chroma(&self, y: usize) -> [&[Term]; 2] {
        [1, 2].map(|place| self.terms[place].row(y >> self.down))
    }

    /// Returns the contrast: the standard deviation of the tiles' mean luma.
    fn contrast(&self) -> f32 {
        let mut tiles = [(0.0f32, 0.0f32); TILES * TILES];
        for y in 0..self.rows {
            let luma = self.luma(y);
            for (tile, (sum, count)) in tiles[y * TILES / self.rows * TILES..][..TILES].iter_mut().enumerate() {
                let columns = tile * self.columns / TILES..(tile + 1) * self.columns / TILES;
                let luma = luma.get(columns).unwrap_or_default();
                luma.iter().for_each(|term| *sum += (self.steps[0] * f32::from(dc(*term))).clamp(-128.0, 127.0));
                *count += luma.len() as f32;
            }
        }
        let means = tiles.map(|(sum, count)| sum / count);
        let mean = means.iter().sum::<f32>() / means.len() as f32;
        (means.iter().map(|tile| (tile - mean).powi(2)).sum::<f32>() / means.len() as f32).sqrt()
    }

    /// Returns the sum, over all blocks, of the bound on how far clipping shifts the block's luma.
    fn shifts(&self) -> f32 {
        let mut shifts = 0.0;
        for y in 0..self.rows {
            let [blues, reds] = self.chroma(y);
            for (x, &luma) in self.luma(y).iter().enumerate() {
                shifts += match (blues.get(x >> self.across), reds.get(x >> self.across)) {
                    (Some(blue), Some(red)) => colour_shift([luma, *blue, *red], self.steps),
                    _ => {
                        let mean = f32x4::splat(128.0 + self.steps[0] * f32::from(dc(luma)));
                        shift(mean, f32x4::splat(variance(luma).into()).sqrt()).to_array()[0]
                    }
                };
            }
        }
        shifts
    }

    /// Returns an upper bound on [`shifts`](Self::shifts), in less time. Treats all three channels like the one that
    /// clips most, so that each block takes one square root, and computes four blocks at a time.
    fn rough_shifts(&self) -> f32 {
        let weights = Weights::of(self.steps);
        let zero = f32x4::splat(0.0);
        // For each group of four blocks: how far chroma moves the mean towards 0 or 255, and how much it adds to the
        // variance.
        let mut colours = vec![(zero, zero); self.columns.div_ceil(4)];
        let mut shifts = zero;
        for y in 0..self.rows {
            let [blues, reds] = self.chroma(y);
            if y & ((1 << self.down) - 1) == 0 && !blues.is_empty() {
                for (colours, x) in colours.iter_mut().zip((0..).step_by(4)) {
                    let four = |row: &[Term]| {
                        std::array::from_fn(|at| row.get((x + at) >> self.across).copied().unwrap_or_default())
                    };
                    *colours = weights.strongest_channel(four(blues), four(reds));
                }
            }
            let (fours, rest) = self.luma(y).as_chunks::<4>();
            // Fills the last group of four with empty blocks. They can only raise the bound, which stays an upper
            // bound.
            let mut last = [Term::default(); 4];
            last[..rest.len()].copy_from_slice(rest);
            for (luma, &(taken, added)) in fours.iter().chain([&last]).zip(&colours) {
                let (dc, variance) = weights.numbers(*luma);
                let room = (weights.room - (weights.steps[0] * dc).abs() - taken).fast_max(zero);
                // The square of a sum `a + b` is at most `1.5 a² + 3 b²`.
                let variance = weights.half_more * variance + added;
                // This is twice the shift that `shift` computes. The sum is halved at the end.
                shifts += (variance + room * room).sqrt() - room;
            }
        }
        0.5 * shifts.reduce_add()
    }
}

/// The constants of [`rough_shifts`](Blocks::rough_shifts), each as a vector of four equal numbers. They are made once
/// per picture. In a program that is optimised for size, making such a vector takes a loop of stores; doing this for
/// every block took two thirds of the function's time.
struct Weights {
    steps: [f32x4; 3],
    room: f32x4,
    half_more: f32x4,
    low_half: i32x4,
    blue: f32x4,
    red: f32x4,
    green: [f32x4; 2],
    /// Three times the squares of `blue` and `red`, and six times those of `green`.
    blue_squared: f32x4,
    red_squared: f32x4,
    green_squared: [f32x4; 2],
}

impl Weights {
    fn of(steps: [f32; 3]) -> Self {
        let green = [0.344, 0.714];
        Self {
            steps: steps.map(f32x4::splat),
            room: f32x4::splat(127.0),
            half_more: f32x4::splat(1.5),
            low_half: i32x4::splat(0xffff),
            blue: f32x4::splat(BLUE),
            red: f32x4::splat(RED),
            green: green.map(f32x4::splat),
            blue_squared: f32x4::splat(3.0 * BLUE * BLUE),
            red_squared: f32x4::splat(3.0 * RED * RED),
            green_squared: green.map(|weight: f32| f32x4::splat(6.0 * weight * weight)),
        }
    }

    /// Returns the quantized DC coefficients of four blocks, and the bounds on their variances.
    #[inline(always)]
    fn numbers(&self, blocks: [Term; 4]) -> (f32x4, f32x4) {
        let blocks = i32x4::from(blocks);
        let dc: i32x4 = (blocks << 16) >> 16;
        let variance: i32x4 = (blocks >> 16) & self.low_half;
        (dc.round_float(), variance.round_float())
    }

    /// Returns two upper bounds for each of four blocks: how far chroma moves the mean of the channel that it moves
    /// most, and three times the largest variance that chroma adds to a channel.
    #[inline(always)]
    fn strongest_channel(&self, blues: [Term; 4], reds: [Term; 4]) -> (f32x4, f32x4) {
        let ((blue, of_blue), (red, of_red)) = (self.numbers(blues), self.numbers(reds));
        let (blue, red) = ((self.steps[1] * blue).abs(), (self.steps[2] * red).abs());
        let green = blue * self.green[0] + red * self.green[1];
        let moved = (blue * self.blue).fast_max(red * self.red).fast_max(green);
        // The spread of green is the sum of the spreads of both chroma components. The square of a sum is at most twice
        // the sum of the squares, which bounds the variance of green.
        let of_green = of_blue * self.green_squared[0] + of_red * self.green_squared[1];
        let added = (of_blue * self.blue_squared).fast_max(of_red * self.red_squared).fast_max(of_green);
        (moved, added)
    }
}

/// The factor of the blue-difference component in blue, and of the red-difference component in red (JFIF 1.02).
const BLUE: f32 = 1.772;
const RED: f32 = 1.402;

/// Returns an upper bound on how far clipping red, green and blue shifts the luma of a block.
#[inline(always)]
fn colour_shift(terms: [Term; 3], steps: [f32; 3]) -> f32 {
    let dc: [f32; 3] = std::array::from_fn(|place| steps[place] * f32::from(dc(terms[place])));
    let variances = terms.map(|term| f32::from(variance(term)));
    // Returns early for most blocks, whose colours are far from 0 and 255 whatever the signs of the coefficients.
    // Bounds the square of a sum of spreads by twice the sum of their squares.
    let room = 127.0 - dc[0].abs() - BLUE * dc[1].abs() - RED * dc[2].abs();
    if room > 0.0 && 2.0 * FAR * FAR * (variances[0] + 3.139_98 * variances[1] + 1.965_6 * variances[2]) <= room * room
    {
        return 0.0;
    }
    let [luma, blue, red] = dc;
    let [spread, of_blue, of_red, _] = f32x4::new([variances[0], variances[1], variances[2], 0.0]).sqrt().to_array();
    let means = f32x4::new([1.402 * red, -0.344 * blue - 0.714 * red, 1.772 * blue, 0.0]);
    let spreads = f32x4::new([1.402 * of_red, 0.344 * of_blue + 0.714 * of_red, 1.772 * of_blue, 0.0]);
    let shifts = shift(means + f32x4::splat(128.0 + luma), spreads + f32x4::splat(spread));
    let [red, green, blue, _] = shifts.to_array();
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// Distance of a mean from 0 and from 255, in standard deviations, at which clipping is neglected. At this distance or
/// more, clipping moves the mean by less than 3.6 levels (`127.5 / 4 / FAR / FAR`).
const FAR: f32 = 3.0;

/// Returns an upper bound on how far clipping to 0 to 255 moves the mean of samples with this mean and standard
/// deviation.
#[inline(always)]
fn shift(mean: f32x4, spread: f32x4) -> f32x4 {
    let room = mean.fast_min(f32x4::splat(255.0) - mean).fast_max(f32x4::splat(0.0));
    let reach = (spread * spread + room * room).sqrt() + room;
    // `reach` is 0 only if the spread is 0, too. Avoids the division of 0 by 0.
    spread * spread / (reach + reach).fast_max(f32x4::splat(f32::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::super::plane::{add_energy, set_dc};
    use super::*;

    /// Yields pseudorandom numbers: the high bits of Knuth's linear congruential generator for MMIX.
    fn numbers(seed: u64) -> impl FnMut() -> i32 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i32
        }
    }

    #[test]
    fn the_rough_bound_is_never_below_the_close_one() {
        for seed in 0..400 {
            let mut next = numbers(seed);
            let (across, down) = ((next() & 1) as u32, (next() & 1) as u32);
            let (columns, rows) = (1 + next() as usize % 21, 1 + next() as usize % 9);
            let largest = 1 << (next() % 17);
            let mut plane = |columns: usize, rows: usize| {
                let mut block = || {
                    let mut term = 0;
                    set_dc(&mut term, (next() % 2048 - 1024) as i16);
                    add_energy(&mut term, (next() % largest) as u64 * 64);
                    term
                };
                Terms { columns, values: (0..columns * rows).map(|_| block()).collect() }
            };
            let units = (columns.div_ceil(1 << across), rows.div_ceil(1 << down));
            let luma = plane(units.0 << across, units.1 << down);
            let grey = seed % 5 == 0;
            let chroma = [(); 2].map(|()| if grey { Terms::default() } else { plane(units.0, units.1) });
            let [blue, red] = chroma;
            let terms = [luma, blue, red];
            let steps = [1.0, 0.5, 0.25].map(|step| step * (1 + seed % 3) as f32);
            let blocks = Blocks { terms: &terms, steps, columns, rows, across, down };
            let (rough, close) = (blocks.rough_shifts(), blocks.shifts());
            assert!(rough >= close, "seed {seed}: {rough} is below {close}");
        }
    }
}
