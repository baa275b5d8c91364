//! Changes drawn JPEG XL files at random and decodes each: that must not panic, and must be within bounds of time and memory.
//!
//! `cargo run --release -p hashgate-fuzz --bin fuzz-jxl -- [SECONDS [SEED]]`. With
//! `CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true` and `CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true`, overflows panic, too.

use std::time::{Duration, Instant};

use hashgate_jxl::{Header, Limits, Sink, decode};
use hashgate_testkit::Random;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const LIMITS: Limits = Limits { max_width: 65_535, max_height: 65_535, max_pixels: 1 << 20, max_alloc: 32 << 20 };
const MOST_TIME: Duration = Duration::from_secs(5);
const MOST_MEMORY: usize = 128 << 20;

#[derive(Default)]
struct Counted {
    expected: usize,
    got: usize,
}

impl Sink for Counted {
    fn begin(&mut self, header: &Header<'_>) -> bool {
        self.expected = (header.width * header.height * header.channels) as usize;
        true
    }

    fn rows(&mut self, samples: &[u8]) {
        self.got += samples.len();
    }
}

/// Changes one to five places: flips bits, replaces bytes or words (which may be counts or lengths), and removes,
/// doubles or moves pieces. Half of the changes are in the headers, which come first.
fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        if bytes.len() < 16 {
            return;
        }
        let within = if random.below(2) == 0 { bytes.len().min(200) } else { bytes.len() };
        let at = random.below(within - 8);
        match random.below(8) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.bits() as u8,
            3 => {
                let word = [0, 1, 7, 8, 0x7fff_ffff, 0x8000_0000, u32::MAX, bytes.len() as u32][random.below(8)];
                bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
            }
            4 => {
                let end = (at + 1 + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + 1 + random.below(256)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            6 if other.len() > 16 => {
                let from = random.below(other.len() - 8);
                let piece = &other[from..(from + 1 + random.below(200)).min(other.len())];
                let end = (at + piece.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&piece[..end - at]);
            }
            _ => bytes.truncate(random.below(bytes.len())),
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let (seconds, seed) = (arguments.next().unwrap_or(60), arguments.next().unwrap_or(1));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");
    let names = ["", "-16", "-alpha", "-animated", "-container", "-grey", "-grey-alpha", "-lossless", "-progressive"];
    let names = [&names[..], &["-squeeze", "-turned"]].concat();
    let read = |name: &&str| std::fs::read(format!("{folder}/jxl{name}.jxl")).expect("the vectors are here");
    let seeds: Vec<Vec<u8>> = names.iter().map(read).collect();

    let mut random = Random::new(seed);
    let began = Instant::now();
    let (mut files, mut whole, mut slowest, mut fattest) = (0u64, 0u64, Duration::ZERO, 0);
    while began.elapsed().as_secs() < seconds {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        let other = seeds[random.below(seeds.len())].clone();
        change(&mut bytes, &other, &mut random);
        MEMORY.reset_peak_usage();
        let (before, started) = (MEMORY.current_usage(), Instant::now());
        let mut counted = Counted::default();
        let decoded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decode(&bytes, &LIMITS, &mut counted)));
        let (took, memory) = (started.elapsed(), MEMORY.peak_usage() - before);
        let keep = |what: &str| {
            let path = std::env::temp_dir().join(format!("fuzz-jxl-{seed}-{files}.jxl"));
            std::fs::write(&path, &bytes).expect("the folder for temporary files can be written");
            println!("{what}: {}", path.display());
        };
        match decoded {
            Err(_) => keep("it panicked"),
            Ok(Ok(())) if counted.got != counted.expected => keep("rows are missing"),
            Ok(Ok(())) => whole += 1,
            Ok(Err(_)) => {}
        }
        if took > MOST_TIME {
            keep("it took too long");
        }
        if memory > MOST_MEMORY {
            keep("it took too much memory");
        }
        (files, slowest, fattest) = (files + 1, slowest.max(took), fattest.max(memory));
    }
    println!("{files} files, {whole} of them read; at most {slowest:?} and {fattest} bytes; seed {seed}");
}
