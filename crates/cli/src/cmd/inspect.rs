//! `hashgate inspect`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use hashgate::Filter;
use hashgate::check::film::{FILM_RATE, MIN_DISTINCT, poisson_tail};
use hashgate_native::clock;
use hashgate_native::terminal::{say, say_pretty_json};

/// Check a filter file from its first byte to its last, and show what its header says.
#[derive(clap::Args)]
pub struct Args {
    /// Filter file.
    file: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Says how many distinct keys it takes to hold a film of two hours. The browser compares 90 frames of a film per
/// minute.
fn films(rate: f64) -> String {
    const FRAMES: f64 = 2.0 * 60.0 * 90.0;
    let chance = |keys| poisson_tail(keys, FRAMES * rate);
    let keys = (MIN_DISTINCT..).find(|&keys| chance(keys) < rate.max(FILM_RATE)).unwrap_or(u32::MAX);
    format!("two hours are held by {keys} distinct keys, by chance with a probability of {:.1e}", chance(keys))
}

/// Checks the file and prints its header.
///
/// # Errors
/// The file is no filter, or damaged.
pub fn run(args: &Args) -> Result<ExitCode> {
    let name = args.file.display();
    let bytes = std::fs::read(&args.file).with_context(|| name.to_string())?;
    let filter = Filter::open(bytes).with_context(|| name.to_string())?;
    let info = filter.info();
    if args.format == Format::Json {
        say_pretty_json(info)?;
        return Ok(ExitCode::SUCCESS);
    }
    let built = match info.built_at_unix_s {
        0 => "not recorded".to_owned(),
        seconds => clock::date(seconds)?,
    };
    let rows = [
        ("list", info.name.clone()),
        ("category", info.category.clone()),
        ("release", info.release.to_string()),
        ("built", built),
        ("PDQ hashes", format!("{} (rings {}, ring keys of {} bits)", info.pdq_count, info.rings, info.ring_key_bits)),
        ("SHA-256", info.sha256_count.to_string()),
        ("MD5", info.md5_count.to_string()),
        ("size", format!("{} bytes", info.bytes)),
        (
            "geometry",
            format!("k = {}, slices of {} bits, {:.2} bits a key", info.k, info.slice_bits, info.bits_per_item()),
        ),
        ("lookup budget", format!("{}; derived views {}", info.lookup_budget, info.view_lookup_budget)),
        ("lookups", format!("at most {} for a clean picture", info.lookups)),
        ("false positives", format!("{:e} of clean pictures and frames", info.image_false_positive_rate())),
        ("films", films(info.image_false_positive_rate())),
        ("checksum", info.checksum.to_string()),
    ];
    for (name, value) in rows {
        say(&format!("{name:<17}{value}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
