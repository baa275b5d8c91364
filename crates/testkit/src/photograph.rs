use std::f32::consts::TAU;

use image::{Rgb, RgbImage};

use crate::Random;

/// Draws a picture that resembles a landscape, in the colours of a random palette. It consists of discs and of waves of
/// every length. As in photographs, a wave's amplitude is proportional to its length.
#[must_use]
pub fn photograph(width: u32, height: u32, seed: u32) -> RgbImage {
    let mut random = Random::new(u64::from(seed) + 1);
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
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / height as f32, y as f32 / height as f32);
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
