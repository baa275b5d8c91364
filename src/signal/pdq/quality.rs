//! The quality of a reduced picture.

use wide::{f32x4, i32x4};

use super::luma64::{Luma64, SIDE};

/// Sum of gradients, in per cent of white, per level of quality.
const STEPS: i32 = 90;

/// Returns the quality of a reduced picture, 0 to 100: a sum of its gradients, as in the reference.
#[must_use]
pub fn quality(small: &Luma64) -> u8 {
    const HUNDRED: f32x4 = f32x4::new([100.0; 4]);
    const WHITE: f32x4 = f32x4::new([255.0; 4]);
    // The reference truncates each gradient to a whole per cent of white before it sums them.
    let step = |u: f32x4, v: f32x4| (((u - v) * HUNDRED) / WHITE).abs().trunc_int();
    let (rows, _) = small.as_chunks::<SIDE>();
    let mut sum = 0;
    for (y, row) in rows.iter().enumerate() {
        // The last column has no neighbour to its right, so it is compared with itself.
        let mut beside = *row;
        beside.copy_within(1.., 0);
        let below = rows.get(y + 1).unwrap_or(row);
        let mut sums = i32x4::ZERO;
        for (here, (beside, below)) in
            row.as_chunks().0.iter().zip(beside.as_chunks().0.iter().zip(below.as_chunks().0))
        {
            let here = f32x4::new(*here);
            sums += step(here, f32x4::new(*below)) + step(here, f32x4::new(*beside));
        }
        sum += sums.to_array().iter().sum::<i32>();
        // No gradient is negative, so the rest can't lower the quality. In a detailed picture, a few rows are enough.
        if sum >= 100 * STEPS {
            return 100;
        }
    }
    (sum / STEPS) as u8
}
