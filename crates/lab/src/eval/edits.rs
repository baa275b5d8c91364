//! The edits that `hashgate eval` makes: those that pictures undergo when people share them, each saved by a real
//! encoder.

use std::io::Cursor;

use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// One edit: its name, what it does, and the bytes of the copy that it makes.
pub struct Edit {
    /// Name in tables.
    pub name: &'static str,
    /// What the edit does, for the readers of the report.
    pub about: &'static str,
    make: fn(&RgbImage, &mut ChaCha8Rng) -> Result<Vec<u8>>,
}

impl Edit {
    /// Returns the edited copy as the bytes of a file.
    pub fn make(&self, picture: &RgbImage, random: &mut ChaCha8Rng) -> Result<Vec<u8>> {
        (self.make)(picture, random)
    }
}

/// Defines an edit whose copy is saved as a JPEG of quality 90.
macro_rules! edit {
    ($name:literal, $about:literal, |$picture:ident| $made:expr) => {
        Edit { name: $name, about: $about, make: |$picture, _| jpeg(&$made, 90) }
    };
    ($name:literal, $about:literal, |$picture:ident, $random:ident| $made:expr) => {
        Edit { name: $name, about: $about, make: |$picture, $random| jpeg(&$made, 90) }
    };
}

/// Defines an edit that only saves the picture, with another encoder or quality.
macro_rules! save {
    ($name:literal, $about:literal, |$picture:ident| $bytes:expr) => {
        Edit { name: $name, about: $about, make: |$picture, _| $bytes }
    };
}

/// All edits, in the order of the tables.
pub const EDITS: &[Edit] = &[
    save!("jpeg-90", "saved as JPEG, quality 90", |picture| jpeg(picture, 90)),
    save!("jpeg-70", "saved as JPEG, quality 70", |picture| jpeg(picture, 70)),
    save!("jpeg-50", "saved as JPEG, quality 50", |picture| jpeg(picture, 50)),
    save!("jpeg-30", "saved as JPEG, quality 30", |picture| jpeg(picture, 30)),
    save!("jpeg-10", "saved as JPEG, quality 10", |picture| jpeg(picture, 10)),
    save!("png", "saved as PNG", |picture| encode(picture, ImageFormat::Png)),
    save!("webp", "saved as WebP, lossless", |picture| encode(picture, ImageFormat::WebP)),
    save!("gif", "saved as GIF, 256 colours", |picture| encode(picture, ImageFormat::Gif)),
    edit!("resize-50", "half the width and height", |picture| scaled(picture, 0.5, 0.5)),
    edit!("resize-25", "a quarter of the width and height", |picture| scaled(picture, 0.25, 0.25)),
    edit!("resize-150", "one and a half times the width and height", |picture| scaled(picture, 1.5, 1.5)),
    edit!("stretch", "a tenth wider", |picture| scaled(picture, 1.1, 1.0)),
    edit!("blur", "Gaussian blur, sigma 0.4% of the longer side", |picture| {
        imageops::blur(picture, 0.004 * longer(picture))
    }),
    edit!("blur-strong", "Gaussian blur, sigma 1% of the longer side", |picture| {
        imageops::blur(picture, 0.01 * longer(picture))
    }),
    edit!("noise", "noise of up to 12 levels on every channel", |picture, random| noisy(picture, random, 12)),
    edit!("noise-strong", "noise of up to 40 levels on every channel", |picture, random| noisy(picture, random, 40)),
    edit!("brighter", "30 levels brighter", |picture| map(picture, |value| value + 30.0)),
    edit!("darker", "30 levels darker", |picture| map(picture, |value| value - 30.0)),
    edit!("contrast-up", "contrast up by 30%", |picture| map(picture, |value| 128.0 + 1.3 * (value - 128.0))),
    edit!("contrast-down", "contrast down by 30%", |picture| map(picture, |value| 128.0 + 0.7 * (value - 128.0))),
    edit!("gamma-up", "gamma 0.7", |picture| map(picture, |value| 255.0 * (value / 255.0).powf(0.7))),
    edit!("gamma-down", "gamma 1.4", |picture| map(picture, |value| 255.0 * (value / 255.0).powf(1.4))),
    edit!("greyscale", "no colour", |picture| grey(picture)),
    edit!("vignette", "darker towards the corners", |picture| vignette(picture)),
    edit!("caption", "white text with a black shadow over the lower part", |picture, random| {
        captioned(picture, random)
    }),
    edit!("caption-bar", "text on a white bar over the lowest tenth", |picture, random| barred(picture, random)),
    edit!("logo", "a logo in one corner, a seventh of the shorter side", |picture, random| logo(picture, random)),
    edit!("stamp", "a white stamp across the middle", |picture, random| stamped(picture, random)),
    edit!("crop-1", "1% cut off every side", |picture| cropped(picture, 0.01)),
    edit!("crop-2", "2% cut off every side", |picture| cropped(picture, 0.02)),
    edit!("crop-5", "5% cut off every side", |picture| cropped(picture, 0.05)),
    edit!("border-1", "a border of 1% on every side", |picture, random| bordered(picture, random, 0.01, 0.01)),
    edit!("border-2", "a border of 2% on every side", |picture, random| bordered(picture, random, 0.02, 0.02)),
    edit!("border-5", "a border of 5% on every side", |picture, random| bordered(picture, random, 0.05, 0.05)),
    edit!("letterbox", "bars of 12% above and below", |picture, random| bordered(picture, random, 0.0, 0.12)),
    edit!("rotate-1", "turned by 1 degree", |picture| rotated(picture, 1.0)),
    edit!("rotate-2", "turned by 2 degrees", |picture| rotated(picture, 2.0)),
    edit!("rotate-90", "turned by 90 degrees", |picture| imageops::rotate90(picture)),
    edit!("mirror", "mirrored left to right", |picture| imageops::flip_horizontal(picture)),
    edit!("mirror-crop-2", "mirrored left to right, 2% cut off every side", |picture| {
        imageops::flip_horizontal(&cropped(picture, 0.02))
    }),
    edit!("rotate-90-crop-2", "turned by 90 degrees, 2% cut off every side", |picture| {
        imageops::rotate90(&cropped(picture, 0.02))
    }),
    Edit {
        name: "reshare",
        about: "three times made smaller and saved as JPEG of quality 60",
        make: |picture, _| {
            let mut bytes = jpeg(picture, 60)?;
            for _ in 0..3 {
                let again = image::load_from_memory(&bytes)?.to_rgb8();
                bytes = jpeg(&scaled(&again, 0.85, 0.85), 60)?;
            }
            Ok(bytes)
        },
    },
    Edit {
        name: "screenshot",
        about: "captioned, between plain bars above and below, made smaller, saved as JPEG of quality 70",
        make: |picture, random| {
            let made = bordered(&captioned(picture, random), random, 0.0, 0.15);
            jpeg(&scaled(&made, 0.7, 0.7), 70)
        },
    },
];

fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    Ok(bytes)
}

fn encode(picture: &RgbImage, format: ImageFormat) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

fn longer(picture: &RgbImage) -> f32 {
    picture.width().max(picture.height()) as f32
}

fn scaled(picture: &RgbImage, across: f32, down: f32) -> RgbImage {
    let side = |length: u32, factor: f32| ((length as f32 * factor).round() as u32).max(1);
    imageops::resize(picture, side(picture.width(), across), side(picture.height(), down), FilterType::Triangle)
}

fn map(picture: &RgbImage, change: impl Fn(f32) -> f32) -> RgbImage {
    let mut made = picture.clone();
    made.iter_mut().for_each(|value| *value = change(f32::from(*value)).round().clamp(0.0, 255.0) as u8);
    made
}

fn grey(picture: &RgbImage) -> RgbImage {
    let grey = imageops::grayscale(picture);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| Rgb([grey.get_pixel(x, y)[0]; 3]))
}

fn noisy(picture: &RgbImage, random: &mut ChaCha8Rng, most: i32) -> RgbImage {
    let mut made = picture.clone();
    made.iter_mut()
        .for_each(|value| *value = (i32::from(*value) + random.random_range(-most..=most)).clamp(0, 255) as u8);
    made
}

fn vignette(picture: &RgbImage) -> RgbImage {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let mut made = picture.clone();
    for (x, y, pixel) in made.enumerate_pixels_mut() {
        let (u, v) = (2.0 * x as f32 / w - 1.0, 2.0 * y as f32 / h - 1.0);
        let light = 1.0 - 0.3 * (u * u + v * v);
        pixel.0.iter_mut().for_each(|value| *value = (f32::from(*value) * light).clamp(0.0, 255.0) as u8);
    }
    made
}

/// Writes a line of random letters, each on a grid of 5 x 7 dots and `size` pixels high, from (`left`, `top`) to
/// `right`.
pub(super) fn write(made: &mut RgbImage, random: &mut ChaCha8Rng, [left, top, right, size]: [u32; 4], colour: Rgb<u8>) {
    let dot = (size / 8).max(1);
    let mut at = left;
    while at + 5 * dot < right {
        // Ends a word at random.
        if random.random_ratio(1, 6) {
            at += 4 * dot;
            continue;
        }
        let letter: u64 = random.random::<u64>() | random.random::<u64>() & 0x1_ffff;
        for (row, column) in (0..7).flat_map(|row| (0..5).map(move |column| (row, column))) {
            if letter >> (row * 5 + column) & 1 == 1 {
                fill(made, [at + column * dot, top + row * dot, dot, dot], colour);
            }
        }
        at += 6 * dot;
    }
}

pub(super) fn fill(made: &mut RgbImage, [left, top, width, height]: [u32; 4], colour: Rgb<u8>) {
    for y in top..(top + height).min(made.height()) {
        for x in left..(left + width).min(made.width()) {
            made.put_pixel(x, y, colour);
        }
    }
}

pub(super) fn captioned(picture: &RgbImage, random: &mut ChaCha8Rng) -> RgbImage {
    let mut made = picture.clone();
    let (w, h) = made.dimensions();
    let size = (h / 14).max(8);
    let shadow = (size / 16).max(1);
    let words = random.clone();
    for (offset, colour) in [(shadow, Rgb([0; 3])), (0, Rgb([255; 3]))] {
        // Writes the same letters twice, so that they have a shadow.
        let place = [w / 12 + offset, h - 2 * size + offset, w - w / 12 + offset, size];
        write(&mut made, &mut words.clone(), place, colour);
    }
    made
}

fn barred(picture: &RgbImage, random: &mut ChaCha8Rng) -> RgbImage {
    let mut made = picture.clone();
    let (w, h) = made.dimensions();
    let bar = h / 10;
    fill(&mut made, [0, h - bar, w, bar], Rgb([255; 3]));
    write(&mut made, random, [w / 30, h - bar + bar / 4, w - w / 30, bar / 2], Rgb([20; 3]));
    made
}

pub(super) fn logo(picture: &RgbImage, random: &mut ChaCha8Rng) -> RgbImage {
    let mut made = picture.clone();
    let (w, h) = made.dimensions();
    let (side, edge) = (w.min(h) / 7, w.min(h) / 40);
    let left = if random.random() { edge } else { w - side - edge };
    let top = if random.random() { edge } else { h - side - edge };
    fill(&mut made, [left, top, side, side], Rgb([230, 30, 40]));
    fill(&mut made, [left + side / 4, top + side / 4, side / 2, side / 2], Rgb([250; 3]));
    made
}

fn stamped(picture: &RgbImage, random: &mut ChaCha8Rng) -> RgbImage {
    let mut made = picture.clone();
    let (w, h) = made.dimensions();
    let size = h / 7;
    write(&mut made, random, [w / 6, h / 2 - size / 2, w - w / 6, size], Rgb([255; 3]));
    made
}

fn cropped(picture: &RgbImage, share: f32) -> RgbImage {
    let (w, h) = picture.dimensions();
    let off = |length: u32| (length as f32 * share).round() as u32;
    let (x, y) = (off(w), off(h));
    imageops::crop_imm(picture, x, y, w - 2 * x, h - 2 * y).to_image()
}

/// Puts the picture on a black, white or grey ground. The border is `across` of the width at each side, and `down` of
/// the height above and below.
fn bordered(picture: &RgbImage, random: &mut ChaCha8Rng, across: f32, down: f32) -> RgbImage {
    let (w, h) = picture.dimensions();
    let (x, y) = ((w as f32 * across).round() as u32, (h as f32 * down).round() as u32);
    let shade = [0, 255, 40][random.random_range(0..3)];
    let mut made = RgbImage::from_pixel(w + 2 * x, h + 2 * y, Rgb([shade; 3]));
    imageops::replace(&mut made, picture, i64::from(x), i64::from(y));
    made
}

/// Turns the picture about its centre and cuts it to its size. Empty corners repeat the picture's edge.
fn rotated(picture: &RgbImage, degrees: f32) -> RgbImage {
    let (w, h) = picture.dimensions();
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cx, cy) = ((w - 1) as f32 / 2.0, (h - 1) as f32 / 2.0);
    RgbImage::from_fn(w, h, |x, y| {
        let (dx, dy) = (x as f32 - cx, y as f32 - cy);
        let u = (cx + cos * dx - sin * dy).clamp(0.0, (w - 1) as f32);
        let v = (cy + sin * dx + cos * dy).clamp(0.0, (h - 1) as f32);
        imageops::interpolate_bilinear(picture, u, v).unwrap_or(Rgb([0; 3]))
    })
}
