//! Draws the sample pictures that the demo page and the browser tests use: pictures for a list,
//! edited copies of them, and others; and `samples.json`, which names them.

use std::f32::consts::TAU;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder};

const SAMPLES: u32 = 8;
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 900;

pub fn write(folder: &Path) -> Result<()> {
    let save = |name: String, bytes: Vec<u8>| -> Result<()> {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().context("a sample lies in a folder")?)?;
        fs::write(&path, &bytes).with_context(|| path.display().to_string())
    };
    for made_before in ["listed", "edited", "clean"].map(|name| folder.join(name)).iter().filter(|path| path.exists()) {
        fs::remove_dir_all(made_before)?;
    }
    let [mut listed, mut copies, mut others] = [const { Vec::new() }; 3];
    let entry = |path: &str, about: String| format!(r#"{{ "path": "{path}", "about": "{about}" }}"#);
    for index in 0..SAMPLES {
        let picture = draw(index);
        let path = format!("listed/listed-{index}.jpg");
        listed.push(entry(&path, format!("listed picture {index}")));
        save(path, jpeg(&picture, 92)?)?;

        let (edit, made) = edited(&picture, index);
        let path = format!("edited/listed-{index}-{edit}.jpg");
        copies.push(entry(&path, format!("listed picture {index}, {edit}")));
        save(path, if edit == "progressive" { progressive(&made, 80)? } else { jpeg(&made, 80)? })?;

        let clean = draw(100 + index);
        let (path, bytes) = match index {
            0 => ("clean/clean-0.png".into(), png(&clean)?),
            1 => ("clean/clean-1.jpg".into(), progressive(&clean, 85)?),
            _ => (format!("clean/clean-{index}.jpg"), jpeg(&clean, 85)?),
        };
        others.push(entry(&path, format!("picture {index} that is not listed")));
        save(path, bytes)?;
    }
    let group = |title, files: &[String]| format!(r#"{{ "title": "{title}", "files": [{}] }}"#, files.join(", "));
    let groups = [group("On the list", &listed), group("Edited copies", &copies), group("Not on the list", &others)];
    save("samples.json".into(), format!("[{}]\n", groups.join(", ")).into_bytes())
}

/// One kind of edit for each of the samples.
fn edited(picture: &RgbImage, index: u32) -> (&'static str, RgbImage) {
    match index % 8 {
        0 => ("progressive", picture.clone()),
        1 => ("half-size", imageops::resize(picture, WIDTH / 2, HEIGHT / 2, imageops::FilterType::Triangle)),
        2 => ("mirrored", imageops::flip_horizontal(picture)),
        3 => ("brighter", imageops::colorops::brighten(picture, 25)),
        4 => ("turned", imageops::rotate90(picture)),
        5 => {
            let (x, y) = (WIDTH / 100, HEIGHT / 100);
            ("cropped", imageops::crop_imm(picture, x, y, WIDTH - 2 * x, HEIGHT - 2 * y).to_image())
        }
        6 => ("captioned", captioned(picture)),
        _ => ("blurred", imageops::blur(picture, 2.0)),
    }
}

/// A line of light blocks where letters would be, near the bottom.
fn captioned(picture: &RgbImage) -> RgbImage {
    let mut made = picture.clone();
    let lines = HEIGHT - 60..HEIGHT - 30;
    for (x, y, pixel) in made.enumerate_pixels_mut() {
        if lines.contains(&y) && x > 60 && x < WIDTH / 2 && (x / 9) % 3 != 0 && (x / 130) % 5 != 4 {
            *pixel = Rgb([245, 245, 240]);
        }
    }
    made
}

fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    Ok(bytes)
}

fn progressive(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_progressive(true);
    let (width, height) = (picture.width().try_into()?, picture.height().try_into()?);
    encoder.encode(picture, width, height, ColorType::Rgb)?;
    Ok(bytes)
}

fn png(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// A landscape-like picture: noise whose waves of every length are as strong as in photographs
/// (amplitude in proportion to the wavelength), in the colours of a random palette, with discs.
fn draw(seed: u32) -> RgbImage {
    let mut random = Random(u64::from(seed) + 1);
    let waves: Vec<[f32; 4]> = (0..64)
        .map(|index| {
            let frequency = 1.0 + 22.0 * (index as f32 / 64.0).powi(2) + random.unit();
            let angle = random.unit() * TAU;
            [frequency * angle.cos(), frequency * angle.sin(), random.unit() * TAU, 1.0 / frequency.powf(0.9)]
        })
        .collect();
    let discs: Vec<[f32; 4]> = (0..7)
        .map(|_| [random.unit() * 1.33, random.unit(), 0.04 + 0.14 * random.unit(), random.unit() * 2.4 - 1.2])
        .collect();
    let palette: Vec<[f32; 3]> = (0..4).map(|_| [random.unit(), random.unit(), random.unit()]).collect();
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (u, v) = (x as f32 / HEIGHT as f32, y as f32 / HEIGHT as f32);
        let mut level: f32 =
            waves.iter().map(|[fx, fy, phase, strength]| strength * ((fx * u + fy * v) * TAU + phase).sin()).sum();
        for [cx, cy, radius, shade] in &discs {
            if (u - cx).hypot(v - cy) < *radius {
                level = 0.5 * level + shade;
            }
        }
        let level = (1.0 + (0.9 * level).tanh()) / 2.0;
        let place = level * 2.999;
        let (from, to) = (&palette[place as usize], &palette[place as usize + 1]);
        let share = place.fract();
        Rgb([0, 1, 2].map(|channel| {
            let colour = from[channel] * (1.0 - share) + to[channel] * share;
            (255.0 * (0.45 * colour + 0.55 * level)) as u8
        }))
    })
}

/// SplitMix64: the same pictures everywhere, every time.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }
}
