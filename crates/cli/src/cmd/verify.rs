//! `hashgate verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use hashgate::release::{Manifest, Trust};

use crate::{files, keys, published};

/// Verify a release as a browser does: signatures, age, and the files that its manifest names.
///
/// Exit code: 0 if all is well, 2 if something can't be read; every refusal has a code of its own, from 10 on
/// (docs/reference/command-line.md).
#[derive(clap::Args)]
pub struct Args {
    /// The manifest.
    #[arg(long)]
    manifest: PathBuf,
    /// Public keys that are trusted: text or files.
    #[arg(long, value_name = "KEY", required = true, num_args = 1..)]
    trust: Vec<String>,
    /// How many of them must have signed.
    #[arg(long, default_value_t = 1, value_name = "K")]
    threshold: usize,
    /// Check the files in this folder too.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The highest release that was seen: an older one is refused.
    #[arg(long, default_value_t = 0, value_name = "RELEASE")]
    seen: u64,
    /// Verify as of this moment, in seconds since 1970 UTC. Default: now.
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
}

/// Verifies, and prints what was found.
pub fn run(args: &Args) -> Result<ExitCode> {
    let name = args.manifest.display();
    let trust = Trust::new(&keys::public(&args.trust)?, args.threshold)?;
    let note = std::fs::read(&args.manifest).with_context(|| name.to_string())?;
    let manifest = Manifest::verify(&note, &trust).with_context(|| name.to_string())?;
    let now = args.at.map_or_else(published::now, Ok)?;
    manifest.check_freshness(now, args.seen).with_context(|| name.to_string())?;
    let mut rows = vec![
        ("list", manifest.name.clone()),
        ("category", manifest.category.clone()),
        ("release", manifest.release.to_string()),
        ("issued", published::date(manifest.issued_unix_s)?),
        ("expires", published::date(manifest.expires_unix_s)?),
        (
            "entries",
            format!("{} PDQ, {} SHA-256, {} MD5", manifest.pdq_count, manifest.sha256_count, manifest.md5_count),
        ),
        ("curators", manifest.curators.join("; ")),
        ("signed by", manifest.signed_by.join("; ")),
        ("full file", format!("{}, {} bytes", manifest.full.path, manifest.full.bytes)),
    ];
    let offers = manifest.deltas.iter().map(|delta| format!("{} ({} bytes)", delta.from, delta.bytes));
    rows.push(("deltas from", offers.collect::<Vec<_>>().join(", ")));
    if let Some(folder) = &args.dir {
        let applied = published::check_files(folder, &manifest)?;
        let left = manifest.deltas.len() - applied;
        rows.push((
            "files",
            format!("as signed; {applied} deltas applied, {left} without the release they start from"),
        ));
    }
    for (name, value) in rows {
        files::say(&format!("{name:<13}{value}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
