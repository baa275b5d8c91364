//! The confirm index over 1,000,000 hashes, beside a scan of them: time, memory, misses.
//!
//! `cargo run --release --features build --example confirm_index [LIST.hex]`, on one core: `taskset -c 0 ...`.
//! Without a list of hashes (64 hexadecimal digits a line) it takes numbered ones. `bench/threatexchange.py` times Meta's own
//! index on the same kind of list.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hashgate::digest::Sha256Digest;
use hashgate::index::Index;
use hashgate::pdq::PdqHash;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const QUERIES: u32 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbered = |n: u32| PdqHash(Sha256Digest::of(&n.to_le_bytes()).0);
    let list: Vec<PdqHash> = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?.lines().map(str::parse).collect::<Result<_, _>>()?,
        None => (0..1_000_000).map(numbered).collect(),
    };
    let (start, before) = (Instant::now(), MEMORY.current_usage_as_mb());
    let index = Index::new(&list);
    println!(
        "{} hashes: indexed in {:.2} s, {:.0} MB",
        list.len(),
        start.elapsed().as_secs_f64(),
        MEMORY.current_usage_as_mb() - before
    );
    // Half strangers, half near ones, at every distance from 0 to 31.
    let asked: Vec<PdqHash> = (0..QUERIES)
        .map(|n| {
            let mut hash = list[n as usize * 499 % list.len()];
            if n % 2 == 0 {
                return numbered(u32::MAX - n);
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
    Ok(())
}

/// The answers, and the times in order.
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
