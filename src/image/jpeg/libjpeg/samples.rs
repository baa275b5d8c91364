//! Turns coefficients into rows of pixels: libjpeg's accurate inverse DCT (`jidctint.c`), its "fancy" upsampling
//! (`jdsample.c`) and its colour conversion (`jdcolor.c`).

use super::super::frame::{Component, Frame};
use super::scan::ZIGZAG;
use super::{ColourModel, Plane};

/// Turns a block's coefficients into samples, 0 to 255.
///
/// Browsers run libjpeg-turbo's vector code, which computes some sums in 16 bits. The same sums wrap at 16 bits here.
/// Otherwise a file whose sums overflow could show another picture in browsers.
pub(super) fn inverse_dct(block: &mut [i16; 64], steps: &[u16; 64]) {
    let mut work = [0i32; 64];
    for (&at, &step) in ZIGZAG.iter().zip(steps) {
        work[usize::from(at)] = i32::from(block[usize::from(at)].wrapping_mul(step as i16));
    }
    for column in 0..8 {
        transform(&mut work, column, 8, 11, 0);
    }
    for row in 0..8 {
        transform(&mut work, 8 * row, 1, 18, 128);
    }
    for (sample, &value) in block.iter_mut().zip(&work) {
        *sample = value.clamp(0, 255) as i16;
    }
}

/// Computes a one-dimensional inverse DCT of eight values in place. The values lie `stride` apart. The result is scaled
/// by the square root of 8, divided by `2 ** (shift - 13)`, and rounded.
#[inline(always)]
fn transform(values: &mut [i32; 64], start: usize, stride: usize, shift: u32, offset: i32) {
    let at = |index: usize| start + index * stride;
    let [v0, v1, v2, v3, v4, v5, v6, v7] = std::array::from_fn(|index| values[at(index)]);
    let short = |sum: i32| i32::from(sum as i16);

    let z1 = (v2 + v6) * 4433;
    let (even2, even3) = (z1 - v6 * 15137, z1 + v2 * 6270);
    let (even0, even1) = (short(v0 + v4) << 13, short(v0 - v4) << 13);
    let even = [even0 + even3, even1 + even2, even1 - even2, even0 - even3];

    let (z3, z4) = (short(v7 + v3), short(v5 + v1));
    let z5 = (z3 + z4) * 9633;
    let (z1, z2) = ((v7 + v1) * -7373, (v5 + v3) * -20995);
    let (z3, z4) = (z5 - z3 * 16069, z5 - z4 * 3196);
    let odd = [
        (v1 * 12299).wrapping_add(z1).wrapping_add(z4),
        (v3 * 25172).wrapping_add(z2).wrapping_add(z3),
        (v5 * 16819).wrapping_add(z2).wrapping_add(z4),
        (v7 * 2446).wrapping_add(z1).wrapping_add(z3),
    ];

    let mut put = |index: usize, sum: i32| {
        let rounded = sum.wrapping_add(1 << (shift - 1)) >> shift;
        values[at(index)] = rounded.clamp(i16::MIN.into(), i16::MAX.into()) + offset;
    };
    for index in 0..4 {
        put(index, even[index].wrapping_add(odd[index]));
        put(7 - index, even[index].wrapping_sub(odd[index]));
    }
}

/// The samples of a component, at the size of the picture.
pub(super) struct Upsampled<'a> {
    plane: &'a Plane,
    /// Width and height of the component in samples.
    width: usize,
    height: usize,
    /// Pixels per sample, horizontally and vertically.
    across: usize,
    down: usize,
    near: Vec<i16>,
    far: Vec<i16>,
    /// The current row of samples, one per pixel.
    pub(super) row: Vec<i16>,
}

impl<'a> Upsampled<'a> {
    /// Returns `None` if the picture isn't a whole number of times as fine as the component.
    pub(super) fn new(frame: &Frame, component: &Component, plane: &'a Plane) -> Option<Self> {
        let (across, down) = frame.most();
        if across % component.across != 0 || down % component.down != 0 {
            return None;
        }
        let (across, down) = ((across / component.across) as usize, (down / component.down) as usize);
        let (width, height) = frame.samples(component);
        let (width, height) = (width as usize, height as usize);
        let row = vec![0; width * across];
        Some(Self { plane, width, height, across, down, near: vec![0; width], far: vec![0; width], row })
    }

    fn fetch(plane: &Plane, y: usize, row: &mut [i16]) {
        let blocks = &plane.blocks[y / 8 * plane.stride..];
        for (samples, block) in row.chunks_mut(8).zip(blocks) {
            samples.copy_from_slice(&block[y % 8 * 8..][..samples.len()]);
        }
    }

    /// Makes row `y` of the picture.
    pub(super) fn make(&mut self, y: usize) {
        let Self { plane, width, height, across, down, near, far, row } = self;
        let (width, sample) = (*width, y / *down);
        Self::fetch(plane, sample, near);
        // As in libjpeg, a triangle filter doubles the size. For other factors, each sample is repeated.
        let smooth = match (*across, *down) {
            (2, 1 | 2) => width > 2,
            (1, 2) => true,
            _ => false,
        };
        if !smooth {
            for (pixels, &sample) in row.chunks_mut(*across).zip(&*near) {
                pixels.fill(sample);
            }
            return;
        }
        let upper = y.is_multiple_of(*down);
        if *down == 2 {
            let other = if upper { sample.saturating_sub(1) } else { (sample + 1).min(*height - 1) };
            Self::fetch(plane, other, far);
            near.iter_mut().zip(&*far).for_each(|(near, &far)| *near = 3 * *near + far);
        }
        match (*across, *down) {
            (1, _) => {
                let bias = if upper { 1 } else { 2 };
                row.iter_mut().zip(&*near).for_each(|(pixel, &sum)| *pixel = (sum + bias) >> 2);
            }
            (_, 1) => {
                for (x, pair) in row.chunks_exact_mut(2).enumerate() {
                    let (before, here, after) = (near[x.saturating_sub(1)], near[x], near[(x + 1).min(width - 1)]);
                    pair.copy_from_slice(&[(3 * here + before + 1) >> 2, (3 * here + after + 2) >> 2]);
                }
            }
            _ => {
                for (x, pair) in row.chunks_exact_mut(2).enumerate() {
                    let (before, here, after) = (near[x.saturating_sub(1)], near[x], near[(x + 1).min(width - 1)]);
                    pair.copy_from_slice(&[(3 * here + before + 8) >> 4, (3 * here + after + 7) >> 4]);
                }
            }
        }
    }
}

/// Turns a row of samples of all components into grey or RGB pixels.
pub(super) fn convert(model: ColourModel, components: &[Upsampled], pixels: &mut [u8]) {
    let sample = |component: usize, x: usize| i32::from(components[component].row[x]);
    match model {
        ColourModel::Grey => {
            pixels.iter_mut().enumerate().for_each(|(x, pixel)| *pixel = sample(0, x) as u8);
        }
        _ => {
            for (x, pixel) in pixels.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let colour = [sample(0, x), sample(1, x), sample(2, x)];
                let ink = |value: i32| ((value * sample(3, x) + 127) / 255) as u8;
                *pixel = match model {
                    ColourModel::YCbCr => rgb(colour).map(|value| value as u8),
                    // Browsers assume that CMYK is stored inverted, as Adobe stores it.
                    ColourModel::Cmyk => colour.map(ink),
                    ColourModel::Ycck => rgb(colour).map(|value| ink(255 - value)),
                    _ => colour.map(|value| value as u8),
                };
            }
        }
    }
}

/// Converts YCbCr to RGB by JFIF's formula, with 16 fractional bits as in libjpeg.
fn rgb([luma, blue, red]: [i32; 3]) -> [i32; 3] {
    let (blue, red) = (blue - 128, red - 128);
    [
        luma + ((91_881 * red + 32_768) >> 16),
        luma + ((-22_554 * blue - 46_802 * red + 32_768) >> 16),
        luma + ((116_130 * blue + 32_768) >> 16),
    ]
    .map(|value| value.clamp(0, 255))
}
