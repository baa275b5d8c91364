//! Measures how far the hashes of the low-terms decoder are from those of a full decode.
//!
//! `cargo run --release -p hashgate-bench --bin distances -- [FILE...]`
//!
//! For each file, prints the distance of the two hashes in bits and both times in milliseconds. Without files, draws
//! pictures of many kinds (quality 50 and more) and sizes, from the smallest that the low-terms decoder reads.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use hashgate::Limits;
use hashgate::image::{DecodedBy, Picture, read, read_fully};
use hashgate::pdq::{Coefficients, quality};
use hashgate_testkit::jpeg;

/// Short side and long side of the drawn pictures, in pixels.
const SIZES: [(u16, u16); 6] = [(700, 933), (800, 1200), (900, 900), (900, 1350), (1300, 1733), (2000, 3000)];

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let mut all = Vec::new();
    for path in &files {
        all.extend(compare(&path.display().to_string(), &std::fs::read(path)?));
    }
    for (short, long) in SIZES.into_iter().filter(|_| files.is_empty()) {
        let mut distances = Vec::new();
        for (seed, kind) in (1..).zip(jpeg::kinds()) {
            // Draws each picture in portrait and in landscape format.
            for (width, height) in [(short, long), (long, short)] {
                let bytes = jpeg::draw(width, height, kind, seed + u64::from(width));
                distances.extend(compare(&format!("{kind:?}"), &bytes));
            }
        }
        summarise(&format!("{short} x {long}"), &distances);
        all.extend(distances);
    }
    summarise("all", &all);
    Ok(())
}

/// Prints the comparison. Returns the decoder that read the file, and the distance of its hash from that of a full
/// decode.
fn compare(name: &str, bytes: &[u8]) -> Option<(DecodedBy, u32)> {
    let limits = Limits::default();
    let start = Instant::now();
    let fast = read(bytes, &limits);
    let fast_time = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let full = read_fully(bytes, &limits);
    let full_time = start.elapsed().as_secs_f64() * 1e3;
    let (fast, full) = match (fast, full) {
        (Ok(fast), Ok(full)) => (fast, full),
        (fast, full) => {
            println!("{name}: {:?} and {:?}", fast.err(), full.err());
            return None;
        }
    };
    let hash = |picture: &Picture| Coefficients::of(&picture.frames[0].luma.small).hash();
    let (bits, by) = (hash(&fast).distance(&hash(&full)), fast.decoded_by);
    let quality = quality(&full.frames[0].luma.small);
    println!(
        "{name}: {} x {}, {by:?}, {bits} bits, quality {quality}, {fast_time:.1} ms and {full_time:.1} ms",
        fast.width, fast.height
    );
    (quality >= 50).then_some((by, bits))
}

fn summarise(name: &str, distances: &[(DecodedBy, u32)]) {
    let by_dc = distances.iter().filter(|(by, _)| *by == DecodedBy::LowTerms).count();
    let sum: u32 = distances.iter().map(|(_, bits)| bits).sum();
    let most = distances.iter().map(|(_, bits)| *bits).max().unwrap_or(0);
    let mean = f64::from(sum) / distances.len().max(1) as f64;
    println!(
        "= {name}: {} pictures, {by_dc} by the low-terms decoder: {mean:.2} bits on average, {most} at most",
        distances.len()
    );
}
