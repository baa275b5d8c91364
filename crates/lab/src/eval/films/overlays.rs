//! The pictures that are laid over films.

use std::path::Path;

use anyhow::Result;
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::edits::{Overlay, SCREEN, Sizes};
use crate::eval::edits::{captioned, fill, logo, write};

/// The ground that is left transparent.
const GROUND: Rgb<u8> = Rgb([127, 128, 129]);

/// Draws an overlay for a film, and saves it.
///
/// # Errors
/// It can't be written.
pub fn save(overlay: Overlay, sizes: &Sizes, seed: u64, path: &Path) -> Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (width, height) = (sizes.width, sizes.height);
    let drawn = match overlay {
        Overlay::None => RgbImage::from_pixel(2, 2, GROUND),
        Overlay::Caption => captioned(&RgbImage::from_pixel(width, height, GROUND), &mut random),
        Overlay::Logo => logo(&RgbImage::from_pixel(width, height, GROUND), &mut random),
        Overlay::Screen => screen(width, height, &mut random),
    };
    let clear = |pixel: &Rgb<u8>| if *pixel == GROUND { 0 } else { 255 };
    let pixel = |x, y| {
        let pixel = drawn.get_pixel(x, y);
        Rgba([pixel[0], pixel[1], pixel[2], clear(pixel)])
    };
    RgbaImage::from_fn(drawn.width(), drawn.height(), pixel).save(path)?;
    Ok(())
}

/// Draws a page that plays a film: a bar of addresses, the film, a text below it, and a column of small pictures.
fn screen(film_width: u32, film_height: u32, random: &mut ChaCha8Rng) -> RgbImage {
    let [w, h] = [f64::from(film_width), f64::from(film_height)];
    let [across, down, left, top] = SCREEN;
    let even = |pixels: f64| (pixels / 2.0) as u32 * 2;
    let (width, height, x, y) = (even(w * across), even(h * down), even(w * left), even(h * top));
    let mut made = RgbImage::from_pixel(width, height, Rgb([244, 245, 247]));
    let bar = y / 3;
    fill(&mut made, [0, 0, width, bar], Rgb([38, 40, 46]));
    fill(&mut made, [width / 8, bar / 4, width / 2, bar / 2], Rgb([80, 82, 88]));
    let size = (height / 28).max(8);
    write(&mut made, random, [x, bar + size / 2, x + film_width * 2 / 3, size * 3 / 2], Rgb([20; 3]));
    for line in 0..4 {
        let at = y + film_height + size + line * size * 2;
        write(&mut made, random, [x, at, x + film_width, size], Rgb([90; 3]));
    }
    let (column, thumb) = (x + film_width + x / 2, film_height / 5);
    for row in 0..5 {
        let at = y + row * (thumb + thumb / 3);
        let colour = Rgb([(); 3].map(|()| random.random_range(20..230)));
        fill(&mut made, [column, at, thumb * 3 / 2, thumb], colour);
        let text = column + thumb * 3 / 2 + size / 2;
        write(&mut made, random, [text, at, width - size / 2, size * 3 / 4], Rgb([60; 3]));
        write(&mut made, random, [text, at + size, width - size / 2, size * 3 / 4], Rgb([120; 3]));
    }
    fill(&mut made, [x, y, film_width, film_height], GROUND);
    made
}
