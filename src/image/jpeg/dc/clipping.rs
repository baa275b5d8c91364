//! How far clipping may move the means of blocks.
//!
//! A DC coefficient is the mean of a block before its samples are clipped to 0 to 255. Where the AC coefficients reach
//! far beyond that range, a viewer shows another mean, and a file could be made so that its DC coefficients show one
//! picture and its pixels another. The sizes of the AC coefficients bound how far the samples of a block spread around
//! the mean (Parseval), and the spread bounds how far clipping moves it (Scarf's inequality).

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
    let (across, down) = (frame.components[0].across as usize, frame.components[0].down as usize);
    let mut shifts = 0.0;
    let mut tiles = [(0.0f32, 0.0f32); TILES * TILES];
    for y in 0..rows {
        let row = |place: usize, y: usize| terms[place].row(y);
        let (blues, reds) = (row(1, y / down), row(2, y / down));
        let tiles = &mut tiles[y * TILES / rows * TILES..][..TILES];
        for (x, luma) in row(0, y).iter().take(columns).enumerate() {
            let mean = steps[0] * f32::from(luma.dc);
            shifts += match (blues.get(x / across), reds.get(x / across)) {
                (Some(blue), Some(red)) => colour_shift([luma, blue, red], steps),
                _ => shift(128.0 + mean, f32::from(luma.variance).sqrt()),
            };
            let (sum, count) = &mut tiles[x * TILES / columns];
            (*sum, *count) = (*sum + mean.clamp(-128.0, 127.0), *count + 1.0);
        }
    }
    let means = tiles.map(|(sum, count)| sum / count);
    let mean = means.iter().sum::<f32>() / means.len() as f32;
    let contrast = (means.iter().map(|tile| (tile - mean).powi(2)).sum::<f32>() / means.len() as f32).sqrt();
    shifts / (columns * rows) as f32 <= MOST_SHIFT * contrast
}

/// Bounds how far the luma of a block moves as clipping moves its red, green and blue.
#[inline(always)]
fn colour_shift([luma, blue, red]: [&Term; 3], steps: [f32; 3]) -> f32 {
    let dc = [steps[0] * f32::from(luma.dc), steps[1] * f32::from(blue.dc), steps[2] * f32::from(red.dc)];
    let variances = [luma.variance, blue.variance, red.variance].map(f32::from);
    // Most blocks are far from clipping, whatever the signs. The square of a sum is at most twice the sum of squares.
    let room = 127.0 - dc[0].abs() - 1.772 * dc[1].abs() - 1.402 * dc[2].abs();
    if room > 0.0 && 2.0 * FAR * FAR * (variances[0] + 3.14 * variances[1] + 1.966 * variances[2]) <= room * room {
        return 0.0;
    }
    let [spread, of_blue, of_red] = variances.map(f32::sqrt);
    let [luma, blue, red] = dc;
    let luma = 128.0 + luma;
    0.299 * shift(luma + 1.402 * red, spread + 1.402 * of_red)
        + 0.587 * shift(luma - 0.344 * blue - 0.714 * red, spread + 0.344 * of_blue + 0.714 * of_red)
        + 0.114 * shift(luma + 1.772 * blue, spread + 1.772 * of_blue)
}

/// So many standard deviations from 0 and 255, clipping moves the mean by less than 1.3 (by `128 / 4 / FAR / FAR`).
const FAR: f32 = 5.0;

/// Bounds how far clipping to 0 to 255 moves the mean of samples with this mean and standard deviation.
#[inline(always)]
fn shift(mean: f32, spread: f32) -> f32 {
    let room = mean.min(255.0 - mean).max(0.0);
    if FAR * spread <= room {
        return 0.0;
    }
    spread * spread / (2.0 * ((spread * spread + room * room).sqrt() + room))
}
