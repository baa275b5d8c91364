//! How far the fast path for JPEG is from a full decode: `cargo run --release --example distances FILE...`.
//!
//! Prints, for each file and at the end, the distance of the hashes in bits and the times in milliseconds.

use std::time::Instant;

use hashgate::Limits;
use hashgate::image::{DecodedBy, read, read_fully};
use hashgate::pdq::{Coefficients, quality};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::default();
    let mut distances = Vec::new();
    for path in std::env::args_os().skip(1) {
        let bytes = std::fs::read(&path)?;
        let path = path.display();
        let start = Instant::now();
        let fast = read(&bytes, &limits);
        let fast_time = start.elapsed().as_secs_f64() * 1e3;
        let start = Instant::now();
        let full = read_fully(&bytes, &limits);
        let full_time = start.elapsed().as_secs_f64() * 1e3;
        match (fast, full) {
            (Ok(fast), Ok(full)) => {
                let small = |picture: &hashgate::image::Picture| picture.frames[0].luma.small.clone();
                let (one, two) = (small(&fast), small(&full));
                let distance = Coefficients::of(&one).hash().distance(&Coefficients::of(&two).hash());
                println!(
                    "{path}: {} x {}, {:?}, {distance} bits, quality {} and {}, {fast_time:.1} ms and {full_time:.1} ms",
                    fast.width,
                    fast.height,
                    fast.decoded_by,
                    quality(&one),
                    quality(&two)
                );
                if fast.decoded_by == DecodedBy::LumaDc && quality(&two) >= 50 {
                    distances.push(distance);
                }
            }
            (fast, full) => println!("{path}: {:?} and {:?}", fast.err(), full.err()),
        }
    }
    let mean = f64::from(distances.iter().sum::<u32>()) / distances.len() as f64;
    println!("{} by the fast path: {mean:.2} bits on average, {:?} at most", distances.len(), distances.iter().max());
    Ok(())
}
