//! `hashgate diff`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use hashgate::release::sign::{Delta, write_delta};
use hashgate::{Filter, FilterInfo};

use hashgate_native::atomic::write_atomically;
use hashgate_native::terminal::say;

/// Show what changed between two filter files, and the length of the delta.
#[derive(clap::Args)]
pub struct Args {
    /// The earlier filter file.
    from: PathBuf,
    /// The later filter file.
    to: PathBuf,
    /// File to write the delta to.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A function that returns one property of a filter file, for the comparison.
type Row = fn(&FilterInfo) -> String;

/// Compares two filter files and prints the differences.
///
/// # Errors
/// A file is no filter, or no delta leads from one to the other.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (from, to) = (open(&args.from)?, open(&args.to)?);
    let rows: [(&str, Row); 7] = [
        ("list", |info| format!("{} ({})", info.name, info.category)),
        ("release", |info| info.release.to_string()),
        ("PDQ hashes", |info| info.pdq_count.to_string()),
        ("SHA-256", |info| info.sha256_count.to_string()),
        ("MD5", |info| info.md5_count.to_string()),
        ("size", |info| format!("{} bytes", info.bytes)),
        ("geometry", |info| format!("k = {}, slices of {} bits", info.k, info.slice_bits)),
    ];
    for (name, value) in rows {
        let (old, new) = (value(from.info()), value(to.info()));
        let line = if old == new { old } else { format!("{old} -> {new}") };
        say(&format!("{name:<13}{line}"))?;
    }
    let Delta { bytes, set, cleared } = write_delta(from.bytes(), to.bytes())?;
    say(&format!("{:<13}{set} set, {cleared} cleared", "bits"))?;
    let share = 100.0 * bytes.len() as f64 / to.bytes().len() as f64;
    say(&format!("{:<13}{} bytes, {share:.2} % of the full file", "delta", bytes.len()))?;
    if let Some(out) = &args.out {
        write_atomically(out, &bytes)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn open(path: &Path) -> Result<Filter> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Filter::open(bytes).with_context(|| path.display().to_string())
}
