//! Changes drawn and hostile films at random, and reads each with the film reader: it must neither panic nor take more
//! than 200 ms of processor time.
//!
//! `cargo run --release -p hashgate-fuzz --bin fuzz-film -- [SECONDS [SEED]]`

use std::time::{Duration, Instant};

use hashgate_film::Film;
use hashgate_testkit::Random;
use hashgate_testkit::film::{Mp4, film_samples, fragmented_mp4, webm};
use hashgate_testkit::hostile_film::films;

const LIMIT: Duration = Duration::from_millis(200);

/// Reads all samples of all tracks. Returns their number, or `None` if the film is refused.
fn read(bytes: &[u8]) -> Option<usize> {
    let mut film = Film::open(bytes, bytes.len() as u64).ok()?;
    let mut count = 0;
    for track in 0..film.info().tracks.len() {
        let mut from = 0;
        while let Some(last) = film.samples(track, from, 1000).ok()?.last() {
            assert!(last.index >= from && last.size > 0 && last.pts_s.is_finite());
            from = last.index + 1;
            count += 1;
        }
        let mut from = 0;
        while let Some(last) = film.keyframes(track, from, 1000).ok()?.last() {
            assert!(last.key && last.index >= from);
            from = last.index + 1;
        }
        std::hint::black_box((film.description(track), film.prefix(track)));
    }
    Some(count)
}

/// Changes one to five places: flips bits, replaces bytes or words (which may be counts or lengths), and removes,
/// doubles or moves pieces.
fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        if bytes.len() < 16 {
            return;
        }
        let at = random.below(bytes.len() - 8);
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.bits() as u8,
            2 => {
                let word = [0, 1, 7, 8, 0x7fff_ffff, 0x8000_0000, u32::MAX, bytes.len() as u32][random.below(8)];
                bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
            }
            3 => {
                let end = (at + 1 + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + 1 + random.below(256)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            5 => bytes.truncate(at),
            6 if other.len() > 16 => {
                let from = random.below(other.len() - 8);
                let piece = &other[from..(from + 1 + random.below(200)).min(other.len())];
                let end = (at + piece.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&piece[..end - at]);
            }
            _ => bytes[at..at + 8].copy_from_slice(&random.bits().to_be_bytes()),
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let (seconds, seed) = (arguments.next().unwrap_or(60), arguments.next().unwrap_or(1));
    let samples = film_samples(60, 15);
    let mut seeds =
        vec![Mp4::of(&samples).bytes(), fragmented_mp4(&samples), webm(&samples, false), webm(&samples, true)];
    // Leaves out large hostile films. They take long to copy, and they test size, which random changes hardly vary.
    seeds.extend(films().into_iter().map(|film| film.bytes).filter(|bytes| bytes.len() < 20_000));
    let mut random = Random::new(seed);
    let start = Instant::now();
    let (mut runs, mut opened) = (0_u64, 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        // Two thirds of the runs start from one of the four intact films, one third from any film.
        let kind = if random.below(3) == 0 { random.below(seeds.len()) } else { random.below(4) };
        let mut bytes = seeds[kind].clone();
        let other = random.below(seeds.len());
        change(&mut bytes, &seeds[other], &mut random);
        let began = Instant::now();
        let read_once = || std::panic::catch_unwind(|| read(&bytes));
        let found = read_once();
        let slow = began.elapsed() > LIMIT && {
            // Reads a slow film again, because other work on the machine may have slowed the first run.
            let again = Instant::now();
            let _ = read_once();
            again.elapsed() > LIMIT
        };
        if found.is_err() || slow {
            let path = format!("film-{seed}-{runs}.bin");
            std::fs::write(&path, &bytes).expect("the finding can be written");
            println!("{path}: {}", if slow { "slow" } else { "panicked" });
        }
        opened += u64::from(matches!(found, Ok(Some(_))));
        runs += 1;
    }
    println!("{runs} films, of which {opened} could be read");
}
