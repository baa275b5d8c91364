//! From DC coefficients to the plane of block means.

use crate::pdq::Plane;

use super::super::frame::Frame;
use super::super::part::Outside;

/// The blocks of a component, in rows of whole units.
#[derive(Default)]
pub(super) struct Terms {
    pub(super) columns: usize,
    pub(super) values: Vec<Term>,
}

/// What is known of a block: in the low 16 bits its DC coefficient, quantized; in the high ones a bound on the variance of
/// its samples, 65,535 for more. One number for both, so that a vector takes four blocks at once.
pub(super) type Term = i32;

/// The DC coefficient of a block.
#[inline(always)]
pub(super) fn dc(term: Term) -> i16 {
    term as i16
}

/// The bound on the variance of a block's samples.
#[inline(always)]
pub(super) fn variance(term: Term) -> u16 {
    (term >> 16) as u16
}

/// Sets the DC coefficient of a block.
#[inline(always)]
pub(super) fn set_dc(term: &mut Term, dc: i16) {
    *term = *term & !0xffff | i32::from(dc as u16);
}

/// Adds AC coefficients whose squares, dequantized, sum up to `energy` at most.
#[inline(always)]
pub(super) fn add_energy(term: &mut Term, energy: u64) {
    // The transform keeps the sum of squares (T.81, A.3.3), here over 64 samples.
    let sum = (u64::from(variance(*term)) + (energy >> 6)).min(u16::MAX.into());
    *term = *term & 0xffff | (sum as i32) << 16;
}

impl Terms {
    pub(super) fn row(&self, y: usize) -> &[Term] {
        self.values.get(y * self.columns..).and_then(|rest| rest.get(..self.columns)).unwrap_or_default()
    }
}

/// What is needed of a quantization table.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    /// Of the DC term.
    pub(super) first: u16,
    /// The least luma DC step beside which the AC steps are ordinary.
    least: u16,
    /// At `k`: the largest square of the AC steps before the `k`th place; at 0 that of all.
    pub(super) squares: [u32; 64],
}

impl Steps {
    pub(super) fn of(table: &[u16; 64]) -> Self {
        let mut steps = Self { first: 0, least: 0, squares: [0; 64] };
        let mut square = 0;
        for (place, &step) in (0..).zip(table) {
            if place == 0 {
                steps.first = step;
            }
            // What 250 tables of cameras and programs stay under: twice as much as the coarsest of T.81's own (annex K).
            let least = u32::from(step.saturating_sub(2)).div_ceil(3 + place / 2) as u16;
            steps.least = steps.least.max(least);
            if place > 0 {
                // A step of 1024 is beyond all samples' reach, so larger ones need no distinction.
                square = square.max(u32::from(step.min(1024)).pow(2));
                steps.squares[(place as usize + 1) & 63] = square;
            }
        }
        steps
    }
}

/// Makes the plane of Y's block means.
pub(super) fn plane(frame: &Frame, tables: &[Option<Steps>; 4], terms: &[Terms; 3]) -> Result<Plane, Outside> {
    let mut steps = [0.0; 3];
    let mut luma_step = 0;
    for (step, component) in steps.iter_mut().zip(&frame.components) {
        let table = tables.get(component.quantization).copied().flatten().ok_or(Outside)?;
        luma_step = if luma_step == 0 { table.first } else { luma_step };
        // Steps that no encoder takes make terms that clip the pixels, and then means aren't in the DC terms.
        if table.first == 0 || luma_step < table.least {
            return Err(Outside);
        }
        *step = f32::from(table.first) / 8.0;
    }
    let (columns, rows) = (frame.width.div_ceil(8) as usize, frame.height.div_ceil(8) as usize);
    let (across, down) = (frame.components[0].across as usize, frame.components[0].down as usize);
    let row = |place: usize, y: usize| terms[place].row(y);
    // No encoder makes means far outside of what pixels can have. Here the mean of clipped pixels can be anything, so the
    // pixels have to be looked at.
    let mut strange = false;
    let mut mean = |term: i16, step: f32| {
        let mean = step * f32::from(term);
        strange |= mean.abs() > 128.0 + step + 16.0;
        mean.clamp(-128.0, 127.0)
    };
    // Most blocks are of a colour that doesn't clip, whatever the signs.
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

/// The luma of a colour once its red, green and blue are clipped (JFIF's conversion).
#[cold]
fn clipped(luma: f32, blue: f32, red: f32) -> f32 {
    let surplus = |value: f32| value - value.clamp(0.0, 255.0);
    let green = luma - 0.344_136 * blue - 0.714_136 * red;
    luma - 0.299 * surplus(luma + 1.402 * red) - 0.587 * surplus(green) - 0.114 * surplus(luma + 1.772 * blue)
}
