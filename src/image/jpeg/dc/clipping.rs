//! How far clipping may move the means of blocks.
//!
//! A DC coefficient is the mean of a block before its samples are clipped to 0 to 255. Where the AC coefficients reach
//! far beyond that range, a viewer shows another mean, and a file could be made so that its DC coefficients show one
//! picture and its pixels another. The sizes of the AC coefficients bound how far the samples of a block spread around
//! the mean (Parseval), and the spread bounds how far clipping moves it (Scarf's inequality).

use wide::f32x4;

use super::super::frame::Frame;
use super::plane::{Steps, Term, Terms};

/// Tiles on a side, over which the contrast is measured: PDQ keeps up to eight periods across a picture (its 16 lowest
/// frequencies), which take sixteen samples.
const TILES: usize = 16;

/// The most that clipping may move the luma, as a share of the contrast. A disturbance of this share in the frequencies
/// that PDQ keeps turns about a tenth of its bits.
const MOST_SHIFT: f32 = 0.5;

/// Returns whether the means of blocks show what the clipped pixels show: the mean bound on the luma's shift is small
/// beside the contrast (the standard deviation over tiles) of the picture that the means make.
pub(super) fn is_faithful(frame: &Frame, tables: &[Option<Steps>; 4], terms: &[Terms; 3]) -> bool {
    let mut steps = [0.0; 3];
    for (step, component) in steps.iter_mut().zip(&frame.components) {
        let table = tables.get(component.quantization).copied().flatten();
        *step = f32::from(table.map_or(0, |table| table.first)) / 8.0;
    }
    let (columns, rows) = (frame.width.div_ceil(8) as usize, frame.height.div_ceil(8) as usize);
    let (across, down) = (frame.components[0].across.trailing_zeros(), frame.components[0].down.trailing_zeros());
    let mut shifts = 0.0;
    let mut tiles = [(0.0f32, 0.0f32); TILES * TILES];
    for y in 0..rows {
        let row = |place: usize, y: usize| terms[place].row(y);
        let (blues, reds) = (row(1, y >> down), row(2, y >> down));
        let luma = row(0, y);
        // The tiles' columns; chroma has fewer blocks in a row, by a power of two.
        for (tile, (sum, count)) in tiles[y * TILES / rows * TILES..][..TILES].iter_mut().enumerate() {
            for x in tile * columns / TILES..(tile + 1) * columns / TILES {
                let Some(luma) = luma.get(x) else { break };
                let mean = steps[0] * f32::from(luma.dc);
                shifts += match (blues.get(x >> across), reds.get(x >> across)) {
                    (Some(blue), Some(red)) => colour_shift([luma, blue, red], steps),
                    _ => shift(f32x4::splat(128.0 + mean), f32x4::splat(luma.variance.into()).sqrt()).to_array()[0],
                };
                (*sum, *count) = (*sum + mean.clamp(-128.0, 127.0), *count + 1.0);
            }
        }
    }
    let means = tiles.map(|(sum, count)| sum / count);
    let mean = means.iter().sum::<f32>() / means.len() as f32;
    let contrast = (means.iter().map(|tile| (tile - mean).powi(2)).sum::<f32>() / means.len() as f32).sqrt();
    shifts / (columns * rows) as f32 <= MOST_SHIFT * contrast
}

/// How much blue-difference weighs in blue, and red-difference in red (JFIF 1.02).
const BLUE: f32 = 1.772;
const RED: f32 = 1.402;

/// Bounds how far the luma of a block moves as clipping moves its red, green and blue.
#[inline(always)]
fn colour_shift([luma, blue, red]: [&Term; 3], steps: [f32; 3]) -> f32 {
    let dc = [steps[0] * f32::from(luma.dc), steps[1] * f32::from(blue.dc), steps[2] * f32::from(red.dc)];
    let variances = [luma.variance, blue.variance, red.variance].map(f32::from);
    // Most blocks are far from clipping, whatever the signs. The square of a sum is at most twice the sum of squares.
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

/// So many standard deviations from 0 and 255, clipping moves the mean by less than 3.6 (`127.5 / 4 / FAR / FAR`).
const FAR: f32 = 3.0;

/// Bounds how far clipping to 0 to 255 moves the mean of samples with this mean and standard deviation.
#[inline(always)]
fn shift(mean: f32x4, spread: f32x4) -> f32x4 {
    let room = mean.fast_min(f32x4::splat(255.0) - mean).fast_max(f32x4::splat(0.0));
    let reach = (spread * spread + room * room).sqrt() + room;
    // 0 only if the spread is 0 as well.
    spread * spread / (reach + reach).fast_max(f32x4::splat(f32::MIN_POSITIVE))
}
