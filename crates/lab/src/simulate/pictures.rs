//! Draws pictures, edits them, and checks them as clients do.

use std::f32::consts::TAU;

use anyhow::{Result, bail};
use hashgate::pdq::PdqHash;
use hashgate::{Filter, Limits, Orientations, Outcome, ViewSet, Wanted, fingerprint, look_up};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// A picture that a client uploads, and the confirm request that its check leads to.
pub struct Upload {
    /// The file.
    pub bytes: Vec<u8>,
    /// The confirm request, if the picture is a possible match.
    pub question: Option<String>,
}

/// Checks a picture. Returns a confirm request if it is a possible match.
pub fn question(bytes: &[u8], filters: &[Filter]) -> Option<String> {
    let wanted = hashgate::wanted(filters, ViewSet::All);
    let verdict = look_up(&fingerprint(bytes, &Limits::default(), &wanted), filters, Orientations::All);
    let Outcome::PossibleMatch { matches } = verdict.outcome else { return None };
    let found = matches.first()?.pdq()?;
    let key = format!("{:016x}", found.ring_key);
    Some(json!({ "pdq": found.pdq.to_string(), "ring": found.ring, "key": key }).to_string())
}

/// Returns the PDQ hash of the plain view of a picture.
///
/// # Errors
/// The file can't be read.
pub fn plain(bytes: &[u8]) -> Result<PdqHash> {
    let wanted = Wanted::default().with_pdq(true).with_views(ViewSet::Plain);
    match fingerprint(bytes, &Limits::default(), &wanted).picture {
        Some(Ok(hashed)) => Ok(hashed.frames[0].views[0].coefficients.hash()),
        other => bail!("drawn picture: expected one that can be read, got {other:?}"),
    }
}

/// Draws a picture of 800 x 600 pixels with detail at every scale: a sum of waves. The longer a wave, the stronger it
/// is.
pub fn picture(number: u32, seed: u64) -> RgbImage {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(number) + 1);
    const WIDTH: u32 = 800;
    const HEIGHT: u32 = 600;
    // sin(x + y) = sin x cos y + cos x sin y, so sines are computed per row and column, not per pixel.
    let mut levels = vec![128.0_f32; (WIDTH * HEIGHT) as usize];
    for index in 0..28 {
        let frequency = 1.0 + 20.0 * (index as f32 / 28.0).powi(2) + random.random::<f32>();
        let (angle, phase) = (random.random::<f32>() * TAU, random.random::<f32>() * TAU);
        let (across, down) = (frequency * angle.cos() * TAU, frequency * angle.sin() * TAU);
        let columns: Vec<_> = (0..WIDTH).map(|x| (across * x as f32 / HEIGHT as f32 + phase).sin_cos()).collect();
        let strength = 60.0 * frequency.powf(-0.9);
        for (y, row) in levels.chunks_exact_mut(WIDTH as usize).enumerate() {
            let (row_sin, row_cos) = (down * y as f32 / HEIGHT as f32).sin_cos();
            for (level, (sin, cos)) in row.iter_mut().zip(&columns) {
                *level += strength * (sin * row_cos + cos * row_sin);
            }
        }
    }
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let level = levels[(y * WIDTH + x) as usize].clamp(0.0, 255.0) as u8;
        Rgb([level, level / 2 + 40, 255 - level])
    })
}

/// Makes an edited copy, of one of four kinds.
///
/// # Errors
/// Encoding failed.
pub fn edit(picture: &RgbImage, kind: u32) -> Result<Vec<u8>> {
    let (width, height) = picture.dimensions();
    match kind % 4 {
        0 => jpeg(picture, 40),
        1 => jpeg(&imageops::resize(picture, width / 2, height / 2, imageops::FilterType::Triangle), 75),
        2 => jpeg(&imageops::flip_horizontal(picture), 80),
        _ => {
            let (x, y) = (width / 50, height / 50);
            jpeg(&imageops::crop_imm(picture, x, y, width - 2 * x, height - 2 * y).to_image(), 75)
        }
    }
}

/// Encodes a picture as JPEG.
///
/// # Errors
/// Encoding failed.
pub fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    Ok(bytes)
}
