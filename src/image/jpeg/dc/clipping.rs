//! How far clipping may move the means of blocks.
//!
//! A DC coefficient is the mean of a block before its samples are clipped to 0 to 255. Where the AC coefficients reach
//! far beyond that range, a viewer shows another mean, and a file could be made so that its DC coefficients show one
//! picture and its pixels another. The sizes of the AC coefficients bound how far the samples of a block spread around
//! the mean (Parseval), and the spread bounds how far clipping moves it (Scarf's inequality).

use super::super::frame::Frame;
use super::plane::{Steps, Terms};

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
            let (mean, spread) = (128.0 + steps[0] * f32::from(luma.dc), f32::from(luma.spread));
            shifts += match (blues.get(x / across), reds.get(x / across)) {
                (Some(blue), Some(red)) => {
                    let (of_blue, of_red) = (f32::from(blue.spread), f32::from(red.spread));
                    let (blue, red) = (steps[1] * f32::from(blue.dc), steps[2] * f32::from(red.dc));
                    0.299 * shift(mean + 1.402 * red, spread + 1.402 * of_red)
                        + 0.587 * shift(mean - 0.344 * blue - 0.714 * red, spread + 0.344 * of_blue + 0.714 * of_red)
                        + 0.114 * shift(mean + 1.772 * blue, spread + 1.772 * of_blue)
                }
                _ => shift(mean, spread),
            };
            let (sum, count) = &mut tiles[x * TILES / columns];
            (*sum, *count) = (*sum + mean.clamp(0.0, 255.0), *count + 1.0);
        }
    }
    let means = tiles.map(|(sum, count)| sum / count);
    let mean = means.iter().sum::<f32>() / means.len() as f32;
    let contrast = (means.iter().map(|tile| (tile - mean).powi(2)).sum::<f32>() / means.len() as f32).sqrt();
    shifts / (columns * rows) as f32 <= MOST_SHIFT * contrast
}

/// Bounds how far clipping to 0 to 255 moves the mean of samples with this mean and standard deviation.
#[inline(always)]
fn shift(mean: f32, spread: f32) -> f32 {
    let room = mean.min(255.0 - mean).max(0.0);
    if 6.0 * spread <= room {
        // Less than 1.
        return 0.0;
    }
    spread * spread / (2.0 * ((spread * spread + room * room).sqrt() + room))
}
