//! Compares PDQ with Meta's reference in two ways: the bits of many drawn pictures with the Rust crate `pdqhash`, a
//! port of the reference; bits and quality with values from the PyPI package `pdqhash`, which wraps the reference
//! itself.

use hashgate::Limits;
use hashgate::image::{Format, read_rgba};
use hashgate::pdq::{Coefficients, Luma, Orientation, PdqHash, quality};
use pdqhash::image::{DynamicImage, RgbImage, imageops};

/// Draws a picture of triangle waves. It uses whole numbers only, so that a program in any language can draw the same
/// picture.
fn draw(width: u32, height: u32, amplitude: i64, seed: i64) -> RgbImage {
    let triangle = |value: i64, period: i64| {
        let phase = value % period;
        (if phase * 2 < period { phase * 2 } else { 2 * (period - phase) }) * amplitude / period
    };
    let (w, h) = (i64::from(width), i64::from(height));
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (i64::from(x), i64::from(y));
        let channel = |c: i64| {
            let stripes = triangle((3 + c) * x * 64 / w * 4 + seed * y * 64 / h * 5 + 17 * c, 97);
            let rings = triangle((x * 64 / w) * (y * 64 / h) + seed * 31, 211);
            (128 - amplitude + stripes + rings).clamp(0, 255) as u8
        };
        pdqhash::image::Rgb([channel(0), channel(1), channel(2)])
    })
}

fn luma(picture: &RgbImage) -> Luma {
    let rgba: Vec<u8> = picture.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    let mut read = read_rgba(Format::Png, picture.width(), picture.height(), &rgba, &Limits::default()).unwrap();
    read.frames.remove(0).luma
}

fn ours(picture: &RgbImage) -> (PdqHash, u8) {
    let small = luma(picture).small;
    (Coefficients::of(&small).hash(), quality(&small))
}

fn oracle(picture: &RgbImage) -> PdqHash {
    PdqHash(pdqhash::generate_pdq_full_size(&DynamicImage::ImageRgb8(picture.clone())).0)
}

#[test]
fn all_bits_are_the_ports_at_any_size() {
    let sides = [5, 6, 31, 63, 64, 65, 127, 128, 129, 300, 511, 777];
    for (index, (&width, &height)) in sides.iter().flat_map(|a| sides.iter().map(move |b| (a, b))).enumerate() {
        let picture = draw(width, height, 120, index as i64);
        let distance = ours(&picture).0.distance(&oracle(&picture));
        assert_eq!(distance, 0, "{width}x{height}, seed {index}");
    }
}

#[test]
fn bits_and_quality_are_the_references() {
    // Computed by `pdqhash.compute` of the PyPI package pdqhash 0.2.8, on the same pixels.
    let reference = [
        (640, 480, 2, 1, "9cce31ce738ee39c871c0e3c3c3c7878e0f822f86ff85ff07fc0ff00fa014003", 0),
        (333, 777, 8, 3, "739c6798c7388e381c7978f1f0f1e1e187c10fc13f83fe03f007000f003f1fff", 33),
        (641, 481, 9, 2, "398c739ca31c2fbe5f3c3c787878f0f8e1f007e11fc17f81ff01f8034007007f", 38),
        (500, 375, 10, 6, "ce638c6318e331c7e187c387870e1e0e3c1ef83ec07e00fc03fc3ff8ffe0f800", 61),
        (64, 64, 11, 5, "e631ce710c6318e370c3e1c3c38307071e077c0ff01fc03e007e03fe7ff8ffe0", 72),
        (1301, 97, 12, 4, "6319c6398e391c71387170e1e1e1c3c30f831f037c07f00fc00f003f03ffffff", 78),
        (97, 1301, 13, 8, "98ce39ce738ee79ec71c1e3c3c3cf878f0f8c1f803f00fe07fc0ff01fc010007", 91),
        (130, 4, 50, 2, "0000000000000000000000000000000000000000000000000000000000000000", 0),
        (5, 5, 90, 3, "9f27318c61d8ce7394a5bb0e96a5c6f16b5a318c9f27398c60d8ce7394a5390e", 61),
        (200, 200, 100, 7, "9ce719c631cee38ec38e871e1e1e7c3cf87ce0fc81f807f83fe0ffc0fe008000", 100),
    ];
    for (width, height, amplitude, seed, pdq, expected) in reference {
        let (hash, quality) = ours(&draw(width, height, amplitude, seed));
        assert_eq!((hash.to_string().as_str(), quality), (pdq, expected), "{width}x{height}");
    }
}

#[test]
fn orientations_are_those_of_turned_pixels() {
    let picture = draw(512, 512, 120, 5);
    let coefficients = Coefficients::of(&luma(&picture).small);
    let diagonal = |picture: &RgbImage| imageops::flip_horizontal(&imageops::rotate90(picture));
    let turned = [
        (Orientation::Original, picture.clone()),
        (Orientation::Rotate180, imageops::rotate180(&picture)),
        (Orientation::FlipX, imageops::flip_vertical(&picture)),
        (Orientation::FlipY, imageops::flip_horizontal(&picture)),
        (Orientation::FlipPlus1, diagonal(&picture)),
        (Orientation::FlipMinus1, imageops::rotate180(&diagonal(&picture))),
        (Orientation::Rotate90, imageops::rotate270(&picture)),
        (Orientation::Rotate270, imageops::rotate90(&picture)),
    ];
    for (orientation, pixels) in turned {
        // The hashes differ by a few bits, because PDQ samples the filtered picture slightly off its centre, and
        // turning the pixels moves that point.
        let distance = coefficients.oriented(orientation).hash().distance(&oracle(&pixels));
        assert!(distance <= 16, "{orientation:?}: {distance} bits");
    }
}
