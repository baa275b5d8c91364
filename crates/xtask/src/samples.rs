//! Draws the sample pictures of the demo page and the browser tests: pictures for a list, edited copies of them, and
//! unrelated pictures. Also writes `samples.json`, which names them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use hashgate_testkit::photograph;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder};

const SAMPLES: u32 = 8;
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 900;

/// Writes the sample pictures and `samples.json`.
///
/// # Errors
/// A file can't be written.
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
        let picture = photograph(WIDTH, HEIGHT, index);
        let path = format!("listed/listed-{index}.jpg");
        listed.push(entry(&path, format!("listed picture {index}")));
        save(path, jpeg(&picture, 92)?)?;

        let (edit, made) = edited(&picture, index);
        let path = format!("edited/listed-{index}-{edit}.jpg");
        copies.push(entry(&path, format!("listed picture {index}, {edit}")));
        save(path, if edit == "progressive" { progressive(&made, 80)? } else { jpeg(&made, 80)? })?;

        let clean = photograph(WIDTH, HEIGHT, 100 + index);
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

/// Makes an edited copy. The index chooses one of eight edits. Returns the name of the edit and the copy.
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

/// Draws a caption near the bottom: a line of light blocks in place of letters.
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
