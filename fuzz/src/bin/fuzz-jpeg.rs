//! Breaks drawn JPEGs at random, and compares the low-terms decoder with the general decoder: `cargo run --release -p
//! hashgate-fuzz --bin fuzz-jpeg -- MINUTES [SEED]`, in minutes of processor time where the system tells it.
//!
//! A panic ends the run; its file is in `target/fuzz-jpeg.jpg`. Other findings are written to `target/fuzz-jpeg-N.jpg`:
//!
//! - files that the low-terms decoder reads without a caveat and the general decoder refuses,
//! - files whose two hashes are more than 31 bits apart,
//! - files (one in eight is tried) that give another result, or another early picture, when they arrive in pieces,
//! - files that take more than ten times as long, per byte or declared pixel, as any intact file.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use hashgate::Limits;
use hashgate::image::{DecodedBy, Picture, read, read_fully};
use hashgate::pdq::{Coefficients, quality};
use hashgate_testkit::Random;
use hashgate_testkit::jpeg::{Kind, draw, kinds, mutate, read_arriving};

/// Returns CPU time, which doesn't depend on the load of other programs. Where the system doesn't report it, returns
/// the time of the clock.
fn now() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = on_processor.and_then(|line| line.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let minutes: f64 = arguments.next().ok_or("usage: fuzz-jpeg MINUTES [SEED]")?.parse()?;
    let mut random = Random::new(arguments.next().map_or(Ok(1), |seed| seed.parse())?);
    let limits = Limits::default().with_max_pixels(4_000_000);
    let sized = |kind: Kind, seed| {
        // Every fifth picture is larger, because some faults depend on the size.
        let (width, height) = if seed % 5 == 0 { (2101, 1409) } else { (1003, 907) };
        (kind.progressive, usize::from(width) * usize::from(height) / 64, draw(width, height, kind, seed))
    };
    let files: Vec<_> = (1..).zip(kinds()).map(|(seed, kind)| sized(kind, seed)).collect();
    let timed = |bytes: &[u8]| {
        let start = now();
        let picture = read(bytes, &limits).ok();
        (picture, now() - start)
    };
    // Computes the time per byte, so that files of different lengths can be compared. A cut file still takes time for
    // all pixels that it declares. So its length counts as at least one byte per 64 declared pixels. The time includes
    // that of the general decoder, which reads a file when the low-terms decoder gives up.
    let per_byte = |time: Duration, bytes: &[u8], least: usize| time.as_nanos() as f64 / bytes.len().max(least) as f64;
    let slowest = files
        .iter()
        .map(|(_, least, bytes)| {
            let start = now();
            (read(bytes, &limits), read_fully(bytes, &limits)).0.expect("an intact file is read");
            per_byte(now() - start, bytes, *least)
        })
        .fold(0.0, f64::max);
    let (mut runs, mut taken, mut refused_by_general, mut findings) = (0u64, 0u64, [0u64; 2], 0u64);
    let mut distances = [0u64; 257];
    let mut worst = 0.0f64;
    let start = now();
    while now() - start < Duration::from_secs_f64(60.0 * minutes) {
        let (progressive, least, whole) = &files[random.below(files.len())];
        let bytes = mutate(whole, &mut random);
        std::fs::write("target/fuzz-jpeg.jpg", &bytes)?;
        runs += 1;
        let (picture, mut time) = timed(&bytes);
        let mut again = 0;
        while per_byte(time, &bytes, *least) > 10.0 * slowest && again < 5 {
            // Measures a slow file again, because the machine may have been busy at first.
            time = time.min(timed(&bytes).1);
            again += 1;
        }
        let mut found = |what: String| {
            println!("run {runs}, finding {findings}: {what}");
            let copied = std::fs::write(format!("target/fuzz-jpeg-{findings}.jpg"), &bytes);
            findings += 1;
            copied
        };
        worst = worst.max(per_byte(time, &bytes, *least));
        if per_byte(time, &bytes, *least) > 10.0 * slowest {
            found(format!("{time:?} for {} bytes against {slowest:.0} ns a byte", bytes.len()))?;
        }
        if runs % 8 == 0 {
            let (early, arrived) = read_arriving(&bytes, 1 << random.below(17), &mut random, &limits);
            let arrived = arrived.ok();
            let seen = |picture: &Option<Picture>| {
                picture.as_ref().map(|picture| (picture.decoded_by, picture.frames[0].luma.clone()))
            };
            if seen(&arrived) != seen(&picture) {
                found("it reads otherwise in pieces".to_string())?;
            }
            let by_dc = |picture: &Picture| picture.decoded_by == DecodedBy::LowTerms;
            if early.is_some() && arrived.as_ref().is_some_and(by_dc) && seen(&early) != seen(&arrived) {
                found("it is another picture early than in the end".to_string())?;
            }
        }
        let Some(fast) = picture.filter(|picture| picture.decoded_by == DecodedBy::LowTerms) else { continue };
        taken += 1;
        match read_fully(&bytes, &limits) {
            Err(error) => {
                refused_by_general[usize::from(*progressive)] += 1;
                if fast.caveats.is_empty() {
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
        if runs.is_power_of_two() {
            println!("{runs} files, {:.0} s", (now() - start).as_secs_f64());
        }
    }
    let [sequential, progressive] = refused_by_general;
    println!("{runs} files, {taken} read by the low-terms decoder, {findings} findings");
    println!("refused by the general decoder alone: {sequential} sequential, {progressive} progressive");
    let far: u64 = distances[17..].iter().sum();
    println!("hashes more than 16 bits apart: {far} of {}", distances.iter().sum::<u64>());
    println!("slowest: {worst:.0} ns a byte, of intact files by both decoders together {slowest:.0}");
    Ok(())
}
