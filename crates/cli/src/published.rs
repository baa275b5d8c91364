//! A folder of releases, as `publish` lays it out and any static server serves it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use hashgate::digest::Sha256Digest;
use hashgate::release::{DeltaFile, Manifest};
use hashgate::{Filter, FilterInfo};

/// The current manifest: the only file that ever changes.
pub const CURRENT: &str = "manifest.txt";

/// A release's manifest, kept.
pub fn manifest_name(release: u64) -> String {
    format!("manifest-{release}.txt")
}

/// A release's filter file.
pub fn full_name(release: u64, sha256: &Sha256Digest) -> String {
    format!("full-{release}-{}.hgf", &sha256.to_string()[..8])
}

/// What changed between two releases.
pub fn delta_name(from: u64, to: u64, sha256: &Sha256Digest) -> String {
    format!("delta-{from}-{to}-{}.hgd", &sha256.to_string()[..8])
}

/// Seconds since 1970 UTC, by this machine's clock.
pub fn now() -> Result<u64> {
    Ok(std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .context("the clock is before 1970")?
        .as_secs())
}

/// A moment, for people.
pub fn date(unix_s: u64) -> Result<String> {
    let moment = time::OffsetDateTime::from_unix_timestamp(i64::try_from(unix_s)?)?;
    Ok(moment.format(&time::format_description::well_known::Rfc3339)?)
}

/// The full file of a manifest, checked from its first byte to its last.
pub fn full(folder: &Path, manifest: &Manifest) -> Result<(Vec<u8>, FilterInfo)> {
    let path = folder.join(&manifest.full.path);
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    manifest.verify_full(&bytes).with_context(|| path.display().to_string())?;
    let filter = Filter::open(bytes).with_context(|| path.display().to_string())?;
    Ok((filter.bytes().to_vec(), filter.info().clone()))
}

/// Checks every file that a manifest names. Of a delta whose base is still here, also that it leads to the full file.
/// Returns how many deltas that was shown of.
pub fn check_files(folder: &Path, manifest: &Manifest) -> Result<usize> {
    let (file, _) = full(folder, manifest)?;
    let mut applied = 0;
    for offer in &manifest.deltas {
        let path = folder.join(&offer.path);
        let delta = std::fs::read(&path).with_context(|| path.display().to_string())?;
        offer.verify(&delta).with_context(|| path.display().to_string())?;
        let Some(base) = base(folder, offer)? else { continue };
        let made = manifest.apply_delta(&base, &delta).with_context(|| path.display().to_string())?;
        ensure!(made == file, "{}: expected the bytes of {}, got others", path.display(), manifest.full.path);
        applied += 1;
    }
    Ok(applied)
}

/// The file that a delta starts from, if it is still here.
fn base(folder: &Path, offer: &DeltaFile) -> Result<Option<Vec<u8>>> {
    let path = folder.join(full_name(offer.from, &offer.base_sha256));
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}
