//! Breaks drawn JPEGs at random and holds the fast path against the general decoder:
//! `cargo run --release --example fuzz-jpeg -- MINUTES [SEED]`.
//!
//! A panic ends the run with its file in `target/fuzz-jpeg.jpg`. Other findings are kept as `target/fuzz-jpeg-N.jpg`: a
//! sequential file that the fast path reads and the general decoder refuses, hashes more than 31 bits apart, and files that
//! take longer than the slowest intact one of their size by ten times.

#[path = "../tests/common/jpeg.rs"]
mod jpeg;

use std::time::{Duration, Instant};

use hashgate::Limits;
use hashgate::image::{DecodedBy, Picture, read, read_fully};
use hashgate::pdq::{Coefficients, quality};
use jpeg::{Random, draw, kinds, mutate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let minutes: f64 = arguments.next().ok_or("usage: fuzz-jpeg MINUTES [SEED]")?.parse()?;
    let mut random = Random(arguments.next().map_or(Ok(1), |seed| seed.parse())?);
    let limits = Limits { max_pixels: 4_000_000, ..Limits::default() };
    let files: Vec<_> =
        (1..).zip(kinds()).map(|(seed, kind)| (kind.progressive, draw(1003, 907, kind, seed))).collect();
    let timed = |bytes: &[u8]| {
        let start = Instant::now();
        let picture = read(bytes, &limits).ok();
        (picture, start.elapsed())
    };
    let slowest = files.iter().map(|(_, bytes)| timed(bytes).1).max().unwrap_or_default();
    let (mut runs, mut taken, mut refused_by_general, mut findings) = (0u64, 0u64, [0u64; 2], 0u64);
    let mut distances = [0u64; 257];
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs_f64(60.0 * minutes) {
        let (progressive, whole) = &files[random.below(files.len())];
        let bytes = mutate(whole, &mut random);
        std::fs::write("target/fuzz-jpeg.jpg", &bytes)?;
        runs += 1;
        let (picture, time) = timed(&bytes);
        let mut found = |what: String| {
            println!("run {runs}, finding {findings}: {what}");
            let copied = std::fs::write(format!("target/fuzz-jpeg-{findings}.jpg"), &bytes);
            findings += 1;
            copied
        };
        // The general decoder has its turn when the fast path gives up, so the bound is for both.
        if time > 10 * slowest.max(Duration::from_millis(50)) {
            found(format!("{time:?} against {slowest:?}"))?;
        }
        let Some(fast) = picture.filter(|picture| picture.decoded_by == DecodedBy::LumaDc) else { continue };
        taken += 1;
        match read_fully(&bytes, &limits) {
            Err(error) => {
                refused_by_general[usize::from(*progressive)] += 1;
                if !progressive {
                    found(error.to_string())?;
                }
            }
            Ok(full) if quality(&full.frames[0].luma.small) >= 50 => {
                let hash = |picture: &Picture| Coefficients::of(&picture.frames[0].luma.small).hash();
                let bits = hash(&fast).distance(&hash(&full));
                distances[bits as usize] += 1;
                if bits > 31 {
                    found(format!("{bits} bits, progressive {progressive}"))?;
                }
            }
            Ok(_) => {}
        }
    }
    let [sequential, progressive] = refused_by_general;
    println!("{runs} files, {taken} read by the fast path, {findings} findings");
    println!("refused by the general decoder alone: {sequential} sequential, {progressive} progressive");
    let far: u64 = distances[17..].iter().sum();
    println!("hashes more than 16 bits apart: {far} of {}", distances.iter().sum::<u64>());
    Ok(())
}
