//! A filter of 1,000,000 PDQ hashes and 100,000 SHA-256: how long it takes to build, how much memory, and whether its
//! false-positive rate is the one asked for.
//!
//! `cargo run --release --features build --example million`
//!
//! At the default escalation rate a lookup is wrong about once in 10^10, which no benchmark sees. So the rate is measured on a
//! filter of the same size whose owner asks for 0.5 (shorter keys, the same hash, the same lookups).

use std::time::Instant;

use hashgate::digest::Sha256Digest;
use hashgate::filter_file::build::{Entries, Plan, Request, write};
use hashgate::image::{Format, read_rgba};
use hashgate::pdq::PdqHash;
use hashgate::verdict::{Fingerprint, Hashed};
use hashgate::{Filter, Limits, Orientations, Verdict, ViewSet, probe};

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const PICTURES: u64 = 3000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digest = |n: u32| Sha256Digest::of(&n.to_le_bytes());
    let entries = || Entries {
        pdq: (0..1_000_000).map(|n| PdqHash(digest(n).0)).collect(),
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
        plan.bits_per_key(),
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

    let (plan, file) = build(&Request { escalation: 0.5, ..Request::new("million", "numbered hashes") })?;
    let filters = [Filter::open(file)?];
    let (mut lookups, mut hits) = (0, 0);
    let start = Instant::now();
    for seed in 0..PICTURES {
        let report = probe(&noise(seed)?, &filters, Orientations::All);
        lookups += report.lookups;
        hits += u64::from(matches!(report.verdict, Verdict::PossibleMatch { .. }));
    }
    let measured = hits as f64 / lookups as f64;
    println!("e = 0.5: k = {}, {PICTURES} drawn pictures in {:.0} s", plan.k, start.elapsed().as_secs_f64());
    println!(
        "  false positives a lookup: asked for {:.3e}, measured {measured:.3e} ({:.3} of it; {hits} hits in {lookups} lookups, one sigma is {:.3})",
        plan.allowed_rate,
        measured / plan.allowed_rate,
        1.0 / (hits as f64).sqrt()
    );
    Ok(())
}

/// A picture of noise, hashed: no two are alike.
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
    Ok(Fingerprint { sha256: None, md5: None, picture: Some(Ok(Hashed::of(&picture, ViewSet::All))) })
}
