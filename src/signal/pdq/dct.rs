//! The 16x16 low-frequency corner (without frequency 0) of a 64x64 DCT-II.

use std::sync::LazyLock;

use wide::f32x4;

use super::luma64::{CORNER, Luma64, SIDE};

/// `sqrt(2 / 64) * cos(k * pi / 128)` for k = 0 to 64, rounded to `f32`. It is a table, because the cosine functions of
/// two platforms may differ in the last bit, but hashes must be the same everywhere.
#[rustfmt::skip]
const QUARTER_WAVE: [f32; SIDE + 1] = [
    0.17677669, 0.17672345, 0.17656375, 0.17629771, 0.17592546, 0.17544726, 0.17486335,
    0.17417413, 0.17337999, 0.1724814, 0.17147891, 0.17037314, 0.16916475, 0.16785446,
    0.16644305, 0.16493139, 0.16332038, 0.16161098, 0.15980424, 0.15790124, 0.15590313,
    0.1538111, 0.15162642, 0.14935042, 0.14698444, 0.14452994, 0.14198837, 0.13936128,
    0.13665023, 0.13385688, 0.13098289, 0.12803, 0.125, 0.1218947, 0.11871597, 0.11546574,
    0.112145945, 0.108758606, 0.10530575, 0.10178947, 0.09821187, 0.094575115, 0.090881385,
    0.087132916, 0.08333196, 0.079480805, 0.075581774, 0.07163722, 0.06764951, 0.06362105,
    0.059554275, 0.05545162, 0.051315565, 0.0471486, 0.042953234, 0.038731992, 0.034487423,
    0.030222077, 0.025938528, 0.021639355, 0.017327147, 0.0130045, 0.008674021, 0.004338317,
    0.0,
];

/// Row `i` holds the cosine of frequency `i + 1` at the 64 pixel centres.
static BASIS: LazyLock<[[f32; SIDE]; CORNER]> = LazyLock::new(|| {
    let mut basis = [[0.0; SIDE]; CORNER];
    for (i, row) in basis.iter_mut().enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            *value = cosine((i + 1) * (2 * j + 1));
        }
    }
    basis
});

/// `sqrt(2 / 64) * cos(k * pi / 128)` for any `k`, by the symmetries of the cosine.
fn cosine(k: usize) -> f32 {
    match k % 256 {
        k @ 0..=64 => QUARTER_WAVE[k],
        k @ 65..=128 => -QUARTER_WAVE[128 - k],
        k @ 129..=192 => -QUARTER_WAVE[k - 128],
        k => QUARTER_WAVE[256 - k],
    }
}

/// [`BASIS`] transposed: entry `j` holds the 16 cosines at pixel centre `j`.
static COLUMNS: LazyLock<[Sixteen; SIDE]> =
    LazyLock::new(|| std::array::from_fn(|j| Sixteen::new(&std::array::from_fn(|i| BASIS[i][j]))));

/// Transforms columns, then rows, and returns the corner row by row. Each coefficient is summed in the order of pixels,
/// so that the result is the same with and without vector instructions.
pub(super) fn corner(small: &Luma64) -> [f32; CORNER * CORNER] {
    let columns = &*COLUMNS;
    let pixels: Vec<Sixteen> = small.as_chunks().0.iter().map(Sixteen::new).collect();
    let mut corner = [0.0; CORNER * CORNER];
    for (basis, coefficients) in BASIS.iter().zip(corner.as_chunks_mut::<CORNER>().0) {
        let mut sums = Sixteen::default();
        for part in 0..SIDE / 16 {
            let mut across = Sixteen::default();
            for (&weight, row) in basis.iter().zip(pixels.as_chunks::<{ SIDE / 16 }>().0) {
                across.add_scaled(weight, &row[part]);
            }
            for (value, column) in across.to_array().into_iter().zip(&columns[16 * part..]) {
                sums.add_scaled(value, column);
            }
        }
        *coefficients = sums.to_array();
    }
    corner
}

/// Sixteen numbers in four vectors.
#[derive(Clone, Copy, Default)]
struct Sixteen(f32x4, f32x4, f32x4, f32x4);

impl Sixteen {
    fn new(values: &[f32; 16]) -> Self {
        let (fours, _) = values.as_chunks();
        Self(f32x4::new(fours[0]), f32x4::new(fours[1]), f32x4::new(fours[2]), f32x4::new(fours[3]))
    }

    #[inline(always)]
    fn add_scaled(&mut self, weight: f32, values: &Self) {
        // `f32x4::splat` would compile to a slow loop, because the wasm is optimised for size.
        let weight = f32x4::new([weight, weight, weight, weight]);
        self.0 += weight * values.0;
        self.1 += weight * values.1;
        self.2 += weight * values.2;
        self.3 += weight * values.3;
    }

    fn to_array(self) -> [f32; 16] {
        let mut values = [0.0; 16];
        for (four, vector) in values.as_chunks_mut().0.iter_mut().zip([self.0, self.1, self.2, self.3]) {
            *four = vector.to_array();
        }
        values
    }
}
