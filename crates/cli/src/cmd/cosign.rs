//! `hashgate cosign`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use hashgate::Filter;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::release::Manifest;
use hashgate::release::sign::cosign;

use hashgate_native::atomic::write_atomically;
use hashgate_native::list;
use hashgate_native::lock;
use hashgate_native::terminal::{complain, remark};

use super::logged::{LogArgs, check_not_logged};
use super::publish::changes::signals;
use crate::keys;
use crate::published::{self, CURRENT};

/// Check the files that a manifest names, then add a signature to it.
#[derive(clap::Args)]
pub struct Args {
    /// Manifest to sign.
    manifest: PathBuf,
    /// File of the private key, as `keygen` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Your own lists. Sign only if the same filter comes out of them, byte for byte.
    #[arg(long, value_name = "LIST", num_args = 1..)]
    rebuild: Vec<PathBuf>,
    /// With --rebuild: use only hashes that at least K of the lists hold.
    #[arg(long, default_value_t = 1, value_name = "K", requires = "rebuild")]
    require_sources: usize,
    /// Also make it the current release: write it to manifest.txt in the same folder.
    #[arg(long)]
    current: bool,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    reading: list::Options,
}

/// Checks the files, signs the manifest and writes it.
///
/// # Errors
/// A file is missing or isn't the one that the manifest names, or --rebuild gives another filter.
pub fn run(args: &Args) -> Result<ExitCode> {
    let name = args.manifest.display();
    let key = keys::read(&args.key)?;
    let note = std::fs::read(&args.manifest).with_context(|| name.to_string())?;
    let manifest = Manifest::read_unverified(&note).with_context(|| name.to_string())?;
    let folder = args.manifest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _lock = lock::folder(folder)?;
    published::check_files(folder, &manifest)?;
    if !args.rebuild.is_empty() {
        rebuild(args, folder, &manifest)?;
    }
    let cosigned = cosign(&note, &key).with_context(|| name.to_string())?;
    if args.log.is_given() && !args.current {
        bail!("--log: expected --current beside it, got --log alone: the log has the releases that became current");
    }
    if cosigned != note {
        check_not_logged(folder, manifest.release)?;
    }
    let list = (manifest.name.as_str(), manifest.category.as_str());
    let mut log = if args.current { args.log.open(folder, list)? } else { None };
    write_atomically(&args.manifest, &cosigned)?;
    // The manifest lies in the folder under two names, so both files are written.
    let kept = folder.join(published::manifest_name(manifest.release));
    if kept != args.manifest && kept.exists() {
        write_atomically(&kept, &cosigned)?;
    }
    if let Some(log) = &mut log {
        log.enter(manifest.release, &cosigned)?;
    }
    if args.current {
        write_atomically(&folder.join(CURRENT), &cosigned)?;
    }
    remark(&format!("{name}: release {} of {:?} signed by {}", manifest.release, manifest.name, key.name()));
    Ok(ExitCode::SUCCESS)
}

/// Builds the release again from the given lists, in the geometry of the published filter, and refuses if the bytes
/// differ.
fn rebuild(args: &Args, folder: &Path, manifest: &Manifest) -> Result<()> {
    let (file, info) = published::full(folder, manifest)?;
    let lists = list::read_all(&args.rebuild, &args.reading)?;
    if !(1..=lists.len()).contains(&args.require_sources) {
        bail!("--require-sources: expected 1 to {} (the number of lists), got {}", lists.len(), args.require_sources);
    }
    let entries = list::entries(&lists, args.require_sources);
    let defaults = Request::new(&info.name, &info.category);
    let rings = if info.rings > 0 { info.rings } else { defaults.rings };
    let request = defaults
        .with_release(info.release)
        .with_built_at_unix_s(info.built_at_unix_s)
        .with_rings(rings)
        .with_lookup_budget(info.lookup_budget)
        .with_view_lookup_budget(info.view_lookup_budget)
        .with_image_false_positive_rate(info.image_false_positive_rate());
    // Lists that don't fit into the geometry, such as one without any PDQ hash, differ as well.
    let rebuilt = Plan::in_geometry_of(&info, &request, &entries).and_then(|plan| write(&request, &plan, &entries));
    if !rebuilt.is_ok_and(|rebuilt| rebuilt == file) {
        differences(&Filter::open(file)?, &entries);
        bail!(
            "{}: expected the filter of {} PDQ, {} SHA-256 and {} MD5 of the given lists, got another ({}, {} and {})",
            manifest.full.path,
            entries.pdq.len(),
            entries.sha256.len(),
            entries.md5.len(),
            info.pdq_count,
            info.sha256_count,
            info.md5_count
        );
    }
    remark(&format!("{}: the same, byte for byte, comes out of the given lists", manifest.full.path));
    Ok(())
}

/// Reports how the published filter differs from our entries. Names our entries that the filter lacks. Only counts the
/// entries that the filter has beyond ours, because hashes can't be read out of a filter.
fn differences(published: &Filter, entries: &Entries) {
    /// Entries that are shown.
    const SHOWN: usize = 20;
    let missing = published.missing(entries);
    for signal in signals(&missing).take(SHOWN) {
        complain(&format!("only in the given lists: {signal}"));
    }
    let more = signals(&missing).count().saturating_sub(SHOWN);
    if more > 0 {
        complain(&format!("only in the given lists: {more} more"));
    }
    let info = published.info();
    let counts = [
        ("PDQ", info.pdq_count, entries.pdq.len() - missing.pdq.len()),
        ("SHA-256", info.sha256_count, entries.sha256.len() - missing.sha256.len()),
        ("MD5", info.md5_count, entries.md5.len() - missing.md5.len()),
    ];
    for (kind, published, shared) in counts {
        let only = published.saturating_sub(shared as u64);
        if only > 0 {
            complain(&format!(
                "only in the published filter: {only} {kind}; a filter can't name them: ask its publisher for the list"
            ));
        }
    }
}
