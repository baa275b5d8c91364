//! Builds a filter of 1,000,000 PDQ hashes and 100,000 SHA-256 digests. Measures time and memory, and whether the
//! false-positive rate is the requested one.
//!
//! `cargo run --release -p hashgate-bench --bin million [-- DIR]`
//!
//! With `-- DIR` the pictures are windows of the photographs in a folder; otherwise they are drawn.
//!
//! At the default image false-positive rate, about one lookup in 10^10 is wrong, which no benchmark can observe. So
//! rates are measured on filters of the same list for which the owner asks for a higher rate, or for a smaller lookup
//! budget at a high rate.

use std::path::Path;
use std::time::Instant;

use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::image::{Format, read, read_rgba};
use hashgate::pdq::{Luma, MIN_QUALITY, Plane};
use hashgate::{Filter, Fingerprint, ImageHashes, Limits, Orientations, Outcome, ViewSet, look_up};
use hashgate_testkit::numbered_hash;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const PICTURES: u64 = 3000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digest = |n: u32| Sha256Digest::of(&n.to_le_bytes());
    let entries = || Entries {
        pdq: (0..1_000_000).map(numbered_hash).collect(),
        sha256: (1_000_000..1_100_000).map(digest).collect(),
        md5: Vec::new(),
    };
    let build = |request: &Request| -> Result<(Plan, Vec<u8>), Box<dyn std::error::Error>> {
        let mut entries = entries();
        entries.normalise();
        let plan = Plan::new(request, &entries)?;
        let file = write(request, &plan, &entries)?;
        Ok((plan, file))
    };

    MEMORY.reset_peak_usage();
    let start = Instant::now();
    let (plan, file) = build(&Request::new("million", "numbered hashes"))?;
    println!(
        "e = 1e-4: built in {:.1} s, peak memory {:.0} MB",
        start.elapsed().as_secs_f64(),
        MEMORY.peak_usage_as_mb()
    );
    println!(
        "  {} bytes, {:.2} a hash, {:.2} bits a key, k = {}, {} lookups a picture",
        file.len(),
        file.len() as f64 / 1_100_000.0,
        plan.bits_per_item(),
        plan.k,
        plan.lookups
    );
    let start = Instant::now();
    let filter = Filter::open(file)?;
    println!("  opened and verified in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let bits = &filter.bytes()[filter.bytes().len() - 32 - (u64::from(plan.k) * plan.slice_bits / 8) as usize..];
    let rate: f64 = bits[..bits.len() - 32]
        .chunks_exact((plan.slice_bits / 8) as usize)
        .map(|slice| slice.iter().map(|byte| byte.count_ones()).sum::<u32>() as f64 / plan.slice_bits as f64)
        .product();
    println!(
        "  false positives a lookup: asked for at most {:.3e}, the slices' fill gives {rate:.3e} ({:.3} of it)",
        plan.allowed_rate,
        rate / plan.allowed_rate
    );

    let (kind, pictures) = match std::env::args_os().nth(1) {
        Some(folder) => ("windows of photographs", windows(Path::new(&folder))?),
        None => ("drawn pictures", (0..PICTURES).map(noise).collect::<Result<_, _>>()?),
    };
    println!("{} {kind}, none of them on the list:", pictures.len());
    println!(
        "{:>7}{:>9}{:>11}{:>11}{:>9}{:>11}{:>11}{:>8}{:>7}",
        "budget", "rate", "bits/item", "matched", "measured", "a lookup", "measured", "ratio", "sigma"
    );
    for (budget, rate) in
        [(64, 0.5), (512, 0.5), (8192, 0.5), (8192, 0.1), (8192, 0.03), (8192, 0.01), (8192, 0.001), (8192, 0.0001)]
    {
        let defaults = Request::new("million", "numbered hashes");
        let (plan, file) = build(
            &defaults
                .with_image_false_positive_rate(rate)
                .with_lookup_budget(budget)
                .with_view_lookup_budget(budget / 4),
        )?;
        let filters = [Filter::open(file)?];
        let (mut lookups, mut hits) = (0, 0);
        for picture in &pictures {
            let verdict = look_up(picture, &filters, Orientations::All);
            lookups += verdict.lookups;
            hits += u64::from(matches!(verdict.outcome, Outcome::PossibleMatch { .. }));
        }
        let share = hits as f64 / pictures.len() as f64;
        let measured = hits as f64 / lookups as f64;
        println!(
            "{budget:>7}{rate:>9}{:>11.2}{hits:>11}{share:>9.5}{:>11.2e}{measured:>11.2e}{:>8.3}{:>7.3}",
            plan.bits_per_item(),
            plan.expected_rate,
            measured / plan.expected_rate,
            1.0 / (hits.max(1) as f64).sqrt()
        );
    }
    Ok(())
}

/// Cuts windows out of the photographs in a folder and hashes them. A window counts as a picture: it has the statistics
/// of photographs.
fn windows(folder: &Path) -> Result<Vec<Fingerprint>, Box<dyn std::error::Error>> {
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    paths.retain(|path| path.is_file());
    let mut state = 1u64;
    let mut random = |least: usize, most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        least + (state >> 33) as usize % (most - least + 1)
    };
    let mut prints = Vec::new();
    for path in &paths {
        let Ok(mut picture) = read(&std::fs::read(path)?, &Limits::default()) else { continue };
        let plane = picture.frames[0].luma.plane.clone();
        let (columns, rows) = (plane.columns(), plane.rows().count());
        for _ in 0..(PICTURES as usize).div_ceil(paths.len()) {
            let (width, height) = (random(columns / 3, columns * 4 / 5), random(rows / 3, rows * 4 / 5));
            let (left, top) = (random(0, columns - width), random(0, rows - height));
            let cells = plane.rows().skip(top).take(height).flat_map(|row| row[left..left + width].iter().copied());
            picture.frames.truncate(1);
            picture.frames[0].luma = Luma::from_plane(Plane {
                width: width as u32 * plane.block_width,
                height: height as u32 * plane.block_height,
                cells: cells.collect(),
                ..plane
            });
            let hashed = ImageHashes::of(&picture, ViewSet::All);
            if hashed.frames[0].views[0].quality >= MIN_QUALITY {
                prints.push(Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashed)) });
            }
        }
    }
    Ok(prints)
}

/// Draws a picture of random noise and hashes it. Each seed gives another picture.
fn noise(seed: u64) -> Result<Fingerprint, Box<dyn std::error::Error>> {
    let mut state = seed + 1;
    let rgba: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let grey = (state >> 56) as u8;
        [grey, grey, grey, 255]
    })
    .take(96 * 96)
    .flatten()
    .collect();
    let picture = read_rgba(Format::Png, 96, 96, &rgba, &Limits::default())?;
    Ok(Fingerprint { sha256: None, md5: None, picture: Some(Ok(ImageHashes::of(&picture, ViewSet::All))) })
}
