//! Measures the confirm index over 1,000,000 hashes, against a scan of the same hashes: time, memory, misses. Then
//! counts how many pairs of unrelated drawn pictures differ in few enough bits for the confirm service's ring-key rule.
//!
//! `cargo run --release -p hashgate-bench --bin confirm-index -- [LIST.hex]`; on one core with `taskset -c 0 ...`.
//!
//! LIST.hex has one hash of 64 hexadecimal digits per line. Without it, numbered hashes are used.
//! `bench/second_oracle.py` times Meta's own index on the same kind of list.

use std::f32::consts::TAU;
use std::hint::black_box;
use std::time::{Duration, Instant};

use hashgate::ImageHashes;
use hashgate::confirm::{Index, REST};
use hashgate::digest::Sha256Digest;
use hashgate::filter::{RING_KEY_BITS, ring_key};
use hashgate::image::{Format, read_rgba};
use hashgate::pdq::{Orientation, PdqHash};
use hashgate::{Limits, ViewSet};
use hashgate_testkit::numbered_hash;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const QUERIES: u32 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let list: Vec<PdqHash> = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?.lines().map(str::parse).collect::<Result<_, _>>()?,
        None => (0..1_000_000).map(numbered_hash).collect(),
    };
    let (start, before) = (Instant::now(), MEMORY.current_usage_as_mb());
    let index = Index::new(&list);
    println!(
        "{} hashes: indexed in {:.2} s, {:.0} MB",
        list.len(),
        start.elapsed().as_secs_f64(),
        MEMORY.current_usage_as_mb() - before
    );
    // Of the questions, half are about unlisted hashes, and half about hashes at distances 0 to 31 from a listed hash.
    let asked: Vec<PdqHash> = (0..QUERIES)
        .map(|n| {
            let mut hash = list[n as usize * 499 % list.len()];
            if n % 2 == 0 {
                return numbered_hash(u32::MAX - n);
            }
            let mut random =
                Sha256Digest::of(&n.to_le_bytes()).0.into_iter().cycle().zip(1u8..).map(|(a, b)| a.wrapping_mul(b));
            let mut bits = std::collections::BTreeSet::new();
            while bits.len() < (n / 2 % 32) as usize {
                bits.insert(random.next().unwrap_or(0));
            }
            bits.iter().for_each(|bit| hash.0[usize::from(bit / 8)] ^= 1 << (bit % 8));
            hash
        })
        .collect();
    asked.iter().for_each(|hash| _ = black_box(index.nearest(hash)));
    let (indexed, by_index) = timed(&asked, |hash| index.nearest(hash));
    let (scanned, by_scan) = timed(&asked[..400], |hash| index.scan(hash));
    let misses = asked[..400].iter().zip(&scanned).zip(&indexed).filter(|((_, scan), index)| scan != index).count();
    let found = indexed.iter().flatten().count();
    println!("index: {}; {found} of {QUERIES} found", show(&by_index));
    println!("scan:  {}; {misses} of {} answers differ", show(&by_scan), scanned.len());
    println!(
        "index / scan = {:.4}",
        by_index[by_index.len() / 2].as_secs_f64() / by_scan[by_scan.len() / 2].as_secs_f64()
    );
    drawn()
}

/// Compares unrelated drawn pictures: counts the bits in which their hashes differ outside of one ring key.
fn drawn() -> Result<(), Box<dyn std::error::Error>> {
    const PICTURES: u32 = 1_500;
    let drawn = (0..PICTURES).map(picture).collect::<Result<Vec<_>, _>>()?;
    let mut rests = [0u64; 257];
    for (number, turned) in drawn.iter().enumerate() {
        for other in &drawn[..number] {
            for (hash, ring) in turned.iter().flat_map(|hash| [(hash, 0), (hash, 1)]) {
                let key = |of| ring_key(of, ring, *RING_KEY_BITS.start());
                let apart = (key(hash) ^ key(&other[0])).count_ones();
                rests[(hash.distance(&other[0]) - apart) as usize] += 1;
            }
        }
    }
    let all: u64 = rests.iter().sum();
    println!(
        "{all} rests between unrelated drawn pictures, the nearest at {:?}",
        rests.iter().position(|&count| count > 0)
    );
    for bound in [REST - 8, REST - 4, REST, REST + 4, REST + 8] {
        let within: u64 = rests[..=bound as usize].iter().sum();
        println!("  within {bound}: {within} ({:.1e})", within as f64 / all as f64);
    }
    Ok(())
}

/// Draws a picture with detail at every scale, and returns its hashes in all orientations.
fn picture(seed: u32) -> Result<Vec<PdqHash>, Box<dyn std::error::Error>> {
    const SIDE: u32 = 96;
    let random = |n: u32| {
        let digest = Sha256Digest::of(&[seed.to_le_bytes(), n.to_le_bytes()].concat()).0;
        [0, 1, 2].map(|at| f32::from(u16::from_le_bytes([digest[2 * at], digest[2 * at + 1]])) / 65_536.0)
    };
    let waves: Vec<[f32; 4]> = (0..40)
        .map(|n| {
            let [more, angle, phase] = random(n);
            let frequency = 1.0 + 14.0 * (n as f32 / 40.0).powi(2) + more;
            let (sine, cosine) = (angle * TAU).sin_cos();
            [frequency * cosine, frequency * sine, phase * TAU, frequency.powf(-0.9)]
        })
        .collect();
    let rgba: Vec<u8> = (0..SIDE * SIDE)
        .flat_map(|at| {
            let (u, v) = ((at % SIDE) as f32 / SIDE as f32, (at / SIDE) as f32 / SIDE as f32);
            let sum: f32 =
                waves.iter().map(|[a, b, phase, strength]| strength * (TAU * (a * u + b * v) + phase).sin()).sum();
            let grey = (128.0 + 50.0 * sum).clamp(0.0, 255.0) as u8;
            [grey, grey, grey, 255]
        })
        .collect();
    let picture = read_rgba(Format::Png, SIDE, SIDE, &rgba, &Limits::default())?;
    let coefficients = &ImageHashes::of(&picture, ViewSet::Plain).frames[0].views[0].coefficients;
    Ok(Orientation::ALL.map(|orientation| coefficients.oriented(orientation).hash()).to_vec())
}

/// Asks every question. Returns the answers, and the times in ascending order.
fn timed<T>(asked: &[PdqHash], answer: impl Fn(&PdqHash) -> T) -> (Vec<T>, Vec<Duration>) {
    let (answers, mut times): (Vec<_>, Vec<_>) = asked
        .iter()
        .map(|hash| {
            let start = Instant::now();
            (answer(black_box(hash)), start.elapsed())
        })
        .unzip();
    times.sort_unstable();
    (answers, times)
}

fn show(times: &[Duration]) -> String {
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
    format!("median {:.3} ms, 99th percentile {:.3} ms", at(0.5), at(0.99))
}
