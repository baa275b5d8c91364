//! From the samples of a picture to bytes: grey, or red, green and blue.

use crate::hevc::Signal;

/// Fractional bits of the coefficients.
const SHIFT: u32 = 16;

/// Converts samples to bytes. All arithmetic is in whole numbers, so that every platform gets the same bytes.
pub struct Conversion {
    is_identity: bool,
    luma: Scale,
    chroma: Scale,
    /// What a sample of chroma adds: red by Cr, green by Cb and by Cr, blue by Cb.
    adds: [i64; 4],
}

/// Subtracts an offset and multiplies by a factor.
#[derive(Clone, Copy)]
struct Scale {
    offset: i64,
    factor: i64,
}

impl Scale {
    /// Maps samples in a range of `span` steps, in 8 bits, from `offset` to 0..=255.
    fn new(offset: u32, span: u32, depth: u8, full_range: bool) -> Self {
        let steps = 1u64 << (depth - 8);
        let span = if full_range { (256 * steps) - 1 } else { u64::from(span) * steps };
        let factor = ((255 << SHIFT) + span / 2) / span;
        Self { offset: (u64::from(offset) * steps) as i64, factor: factor as i64 }
    }

    fn apply(self, sample: u16) -> i64 {
        (i64::from(sample) - self.offset) * self.factor
    }
}

/// Rounds and clamps.
fn byte(value: i64) -> u8 {
    ((value + (1 << (SHIFT - 1))) >> SHIFT).clamp(0, 255) as u8
}

impl Conversion {
    /// Makes the conversion for samples of these depths. Returns `None` for a matrix that isn't known here.
    pub fn new(signal: Signal, depths: [u8; 2]) -> Option<Self> {
        let [luma_depth, chroma_depth] = depths.map(|depth| depth.clamp(8, 16));
        let is_identity = signal.matrix == 0;
        let full = signal.full_range;
        let luma = Scale::new(if full { 0 } else { 16 }, 219, luma_depth, full);
        let chroma = if is_identity {
            Scale::new(if full { 0 } else { 16 }, 219, chroma_depth, full)
        } else {
            Scale::new(128, 224, chroma_depth, full)
        };
        // The weights of red and blue in luma (ITU-T H.273, table 4), in millionths.
        let (red, blue) = match signal.matrix {
            0 | 2 | 5 | 6 => (299_000, 114_000),
            1 => (212_600, 72_200),
            4 => (300_000, 110_000),
            7 => (212_000, 87_000),
            9 => (262_700, 59_300),
            _ => return None,
        };
        let one: i64 = 1_000_000;
        let green = one - red - blue;
        let fraction = |over: i64, under: i64| (over << SHIFT) / under;
        let adds = [
            fraction(2 * (one - red), one),
            fraction(-2 * blue * (one - blue), green * one),
            fraction(-2 * red * (one - red), green * one),
            fraction(2 * (one - blue), one),
        ];
        Some(Self { is_identity, luma, chroma, adds })
    }

    /// Appends a row of grey.
    pub fn grey(&self, luma: &[u16], row: &mut Vec<u8>) {
        if self.luma.offset == 0 && self.luma.factor == 1 << SHIFT {
            // Samples of 8 bits in full range, as phones have them.
            row.extend(luma.iter().map(|&sample| sample as u8));
        } else {
            row.extend(luma.iter().map(|&sample| byte(self.luma.apply(sample))));
        }
    }

    /// Appends a row of red, green and blue.
    pub fn colour(&self, [luma, cb, cr]: [&[u16]; 3], row: &mut Vec<u8>) {
        let [red_cr, green_cb, green_cr, blue_cb] = self.adds;
        for ((&luma, &cb), &cr) in luma.iter().zip(cb).zip(cr) {
            let (luma, cb, cr) = (self.luma.apply(luma), self.chroma.apply(cb), self.chroma.apply(cr));
            row.extend(if self.is_identity {
                [cr, luma, cb].map(byte)
            } else {
                [
                    luma + ((red_cr * cr) >> SHIFT),
                    luma + ((green_cb * cb + green_cr * cr) >> SHIFT),
                    luma + ((blue_cb * cb) >> SHIFT),
                ]
                .map(byte)
            });
        }
    }
}

/// Whether the grey of Rec. 601 can be taken from luma alone. An unspecified matrix counts as that of Rec. 601, as
/// libheif has it.
pub fn luma_is_grey(signal: Signal) -> bool {
    matches!(signal.matrix, 2 | 5 | 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(signal: Signal, depth: u8, pixel: [u16; 3]) -> [u8; 3] {
        let mut row = Vec::new();
        let conversion = Conversion::new(signal, [depth; 2]).unwrap();
        conversion.colour([&[pixel[0]], &[pixel[1]], &[pixel[2]]], &mut row);
        row.try_into().unwrap()
    }

    #[test]
    fn samples_become_the_colours_that_the_stream_says() {
        let full = |matrix| Signal { full_range: true, matrix };
        let limited = |matrix| Signal { full_range: false, matrix };
        // Primary colours, by the formulas of H.273.
        assert_eq!(colour(full(6), 8, [76, 85, 255]), [254, 0, 0]);
        assert_eq!(colour(limited(1), 8, [63, 102, 240]), [255, 1, 0]);
        assert_eq!(colour(limited(6), 10, [940, 512, 512]), [255, 255, 255]);
        assert_eq!(colour(limited(6), 10, [64, 512, 512]), [0, 0, 0]);
        assert_eq!(colour(full(0), 8, [10, 20, 30]), [30, 10, 20]);
        assert!(Conversion::new(full(8), [8, 8]).is_none());
    }

    #[test]
    fn grey_is_luma_in_its_range() {
        let grey = |full_range, depth, samples: &[u16]| {
            let mut row = Vec::new();
            Conversion::new(Signal { full_range, matrix: 6 }, [depth; 2]).unwrap().grey(samples, &mut row);
            row
        };
        assert_eq!(grey(true, 8, &[0, 1, 128, 255]), [0, 1, 128, 255]);
        assert_eq!(grey(false, 8, &[0, 16, 126, 235, 255]), [0, 0, 128, 255, 255]);
        assert_eq!(grey(true, 10, &[0, 512, 1023]), [0, 128, 255]);
    }
}
