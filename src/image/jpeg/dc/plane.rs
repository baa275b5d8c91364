//! Makes the plane of block means from DC coefficients.

use crate::pdq::Plane;

use super::super::frame::Frame;
use super::super::part::Outside;

/// Number of AC coefficients that are decoded of a block of luma: the places 1 to 5 in zigzag order.
pub(super) const LOW: usize = 5;

/// The blocks of a component, in rows. Each row is padded to whole units.
#[derive(Default)]
pub(super) struct Terms {
    pub(super) columns: usize,
    pub(super) values: Vec<Term>,
}

/// A block: its quantized DC coefficient in the low 16 bits, and an upper bound on the variance of its samples in the
/// high 16 bits. A bound above 65,535 is stored as 65,535. Both share one number, so that a vector of four numbers
/// holds four blocks.
pub(super) type Term = i32;

/// Returns the quantized DC coefficient of a block.
#[inline(always)]
pub(super) fn dc(term: Term) -> i16 {
    term as i16
}

/// Returns the upper bound on the variance of a block's samples.
#[inline(always)]
pub(super) fn variance(term: Term) -> u16 {
    (term >> 16) as u16
}

/// Sets the DC coefficient of a block.
#[inline(always)]
pub(super) fn set_dc(term: &mut Term, dc: i16) {
    *term = *term & !0xffff | i32::from(dc as u16);
}

/// Raises the bound on a block's variance by AC coefficients. `energy` is an upper bound on the sum of the squares of
/// these coefficients after dequantization.
#[inline(always)]
pub(super) fn add_energy(term: &mut Term, energy: u64) {
    // The DCT keeps the sum of squares (T.81, A.3.3). So the 64 samples differ from their mean by `energy` in all, and
    // the variance is a 64th of that.
    let sum = (u64::from(variance(*term)) + (energy >> 6)).min(u16::MAX.into());
    *term = *term & 0xffff | (sum as i32) << 16;
}

impl Terms {
    pub(super) fn row(&self, y: usize) -> &[Term] {
        self.values.get(y * self.columns..).and_then(|rest| rest.get(..self.columns)).unwrap_or_default()
    }
}

/// The numbers of a quantization table that the low-terms decoder needs.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    /// The quantization step of the DC coefficient.
    pub(super) first: u16,
    /// Smallest DC step of luma with which the AC steps of this table are ordinary. With a smaller one, the AC steps
    /// are out of proportion, and the file is [`Outside`].
    least: u16,
    /// The quantization steps of the places 1 to 5 in zigzag order.
    pub(super) low: [u16; LOW],
    /// Entry `k` is the largest square among the AC steps before place `k` of the zigzag order. Entry 0 is the largest
    /// square of all AC steps.
    pub(super) squares: [u32; 64],
}

impl Steps {
    pub(super) fn of(table: &[u16; 64]) -> Self {
        let mut steps = Self { first: 0, least: 0, low: [0; LOW], squares: [0; 64] };
        let mut square = 0;
        for (place, &step) in (0..).zip(table) {
            if place == 0 {
                steps.first = step;
            }
            // Each AC step may be up to twice as coarse, compared with the DC step of luma, as in the coarsest table of
            // T.81, annex K. The tables of 250 cameras and programs stay below this limit.
            let least = u32::from(step.saturating_sub(2)).div_ceil(3 + place / 2) as u16;
            steps.least = steps.least.max(least);
            if let Some(low) = steps.low.get_mut((place as usize).wrapping_sub(1)) {
                *low = step;
            }
            if place > 0 {
                // Any coefficient but 0 at a step of 1024 exceeds what samples can reach, so larger steps count as
                // 1024.
                square = square.max(u32::from(step.min(1024)).pow(2));
                steps.squares[(place as usize + 1) & 63] = square;
            }
        }
        steps
    }
}

/// Makes the plane of the block means of luma. Returns [`Outside`] if the DC coefficients may not be the means that
/// viewers show.
pub(super) fn plane(frame: &Frame, tables: &[Option<Steps>; 4], terms: &[Terms; 3]) -> Result<Plane, Outside> {
    let mut steps = [0.0; 3];
    let mut luma_step = 0;
    for (step, component) in steps.iter_mut().zip(&frame.components) {
        let table = tables.get(component.quantization).copied().flatten().ok_or(Outside)?;
        luma_step = if luma_step == 0 { table.first } else { luma_step };
        // No encoder takes AC steps that are so coarse beside the DC step. Such AC coefficients can push samples out of
        // 0 to 255. Viewers clip these samples, and the mean of a clipped block isn't its DC coefficient.
        if table.first == 0 || luma_step < table.least {
            return Err(Outside);
        }
        *step = f32::from(table.first) / 8.0;
    }
    let (columns, rows) = (frame.width.div_ceil(8) as usize, frame.height.div_ceil(8) as usize);
    let (across, down) = (frame.components[0].across as usize, frame.components[0].down as usize);
    let row = |place: usize, y: usize| terms[place].row(y);
    // No encoder makes block means far outside of 0 to 255. In such a file, the mean of the clipped pixels can be
    // anything, so a decoder that reads every pixel must read the file.
    let mut strange = false;
    let mut mean = |term: i16, step: f32| {
        let mean = step * f32::from(term);
        strange |= mean.abs() > 128.0 + step + 16.0;
        mean.clamp(-128.0, 127.0)
    };
    // Most blocks have colours so weak that no channel clips, whatever the signs of the chroma means. Such blocks need
    // no conversion: their luma is the mean.
    let [of_blue, of_red] = [1.772 * steps[1], 1.402 * steps[2]];
    let mut cells = vec![0.0; columns * rows];
    for (y, cells) in cells.chunks_exact_mut(columns).enumerate() {
        let luma = row(0, y).get(..columns).ok_or(Outside)?;
        if frame.components.len() == 1 {
            cells.iter_mut().zip(luma).for_each(|(cell, term)| *cell = 128.0 + mean(dc(*term), steps[0]));
            continue;
        }
        let chroma = row(1, y / down).iter().zip(row(2, y / down));
        for ((cells, luma), (blue, red)) in cells.chunks_mut(across).zip(luma.chunks(across)).zip(chroma) {
            let room = 126.0 - f32::from(dc(*blue)).abs() * of_blue - f32::from(dc(*red)).abs() * of_red;
            for (cell, term) in cells.iter_mut().zip(luma) {
                let luma = steps[0] * f32::from(dc(*term));
                *cell = if luma.abs() <= room {
                    128.0 + luma
                } else {
                    let (blue, red) = (mean(dc(*blue), steps[1]), mean(dc(*red), steps[2]));
                    clipped(128.0 + mean(dc(*term), steps[0]), blue, red)
                };
            }
        }
    }
    if strange {
        return Err(Outside);
    }
    Ok(Plane { width: frame.width, height: frame.height, block_width: 8, block_height: 8, cells })
}

/// Returns the luma of a colour after its red, green and blue (by JFIF's conversion) were clipped to 0 to 255.
#[cold]
fn clipped(luma: f32, blue: f32, red: f32) -> f32 {
    let surplus = |value: f32| value - value.clamp(0.0, 255.0);
    let green = luma - 0.344_136 * blue - 0.714_136 * red;
    luma - 0.299 * surplus(luma + 1.402 * red) - 0.587 * surplus(green) - 0.114 * surplus(luma + 1.772 * blue)
}
