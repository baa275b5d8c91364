//! The transforms of blocks of 4 x 4 coefficients (RFC 6386, 14).

use wide::i32x4;

/// Returns the DC terms of the 16 blocks of luma, from the block that holds them (14.3).
pub(super) fn hadamard(block: [i32; 16]) -> [i32; 16] {
    fn pass(rows: [i32x4; 4], rounding: i32x4) -> [i32x4; 4] {
        let [a, b] = [rows[0] + rounding + rows[3], rows[1] + rows[2]];
        let [c, d] = [rows[1] - rows[2], rows[0] + rounding - rows[3]];
        [a + b, c + d, a - b, d - c]
    }
    let columns = pass(rows(&block), i32x4::ZERO);
    let terms = i32x4::transpose(pass(i32x4::transpose(columns), i32x4::new([3; 4])));
    let [a, b, c, d] = terms.map(|row: i32x4| {
        let row: i32x4 = row >> 3;
        row.to_array()
    });
    let mut dc = [0; 16];
    dc.as_chunks_mut::<4>().0.copy_from_slice(&[a, b, c, d]);
    dc
}

fn rows(block: &[i32; 16]) -> [i32x4; 4] {
    let rows = block.as_chunks::<4>().0;
    [0, 1, 2, 3].map(|row: usize| i32x4::new(rows[row]))
}

/// Turns the coefficients of a block into differences of pixels (14.4). Returns its rows.
pub(super) fn cosine(block: &[i32; 16]) -> [i32x4; 4] {
    // sqrt(2) cos(pi / 8) - 1, and half of sqrt(2) sin(pi / 8), in 65,536ths. The second factor would overflow otherwise.
    let (cosine, half_sine) = (i32x4::new([20_091; 4]), i32x4::new([35_468 / 2; 4]));
    let pass = |rows: [i32x4; 4], rounding: i32x4| {
        let [a, b] = [rows[0] + rounding + rows[2], rows[0] + rounding - rows[2]];
        let by_cosine = |row: i32x4| row + ((row * cosine) >> 16);
        let by_sine = |row: i32x4| (row * half_sine) >> 15;
        let c = by_sine(rows[1]) - by_cosine(rows[3]);
        let d = by_cosine(rows[1]) + by_sine(rows[3]);
        [a + d, b + c, b - c, a - d]
    };
    let columns = pass(rows(block), i32x4::ZERO);
    i32x4::transpose(pass(i32x4::transpose(columns), i32x4::new([4; 4]))).map(|row| row >> 3)
}
