//! A folder of releases, as `publish` writes it and any static server serves it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use hashgate::digest::Sha256Digest;
use hashgate::release::{DeltaFile, Manifest};
use hashgate::{Filter, FilterInfo};

/// The name of the current manifest. It is the only published file whose content changes.
pub const CURRENT: &str = "manifest.txt";

/// Returns the name under which the manifest of a release is kept.
pub fn manifest_name(release: u64) -> String {
    format!("manifest-{release}.txt")
}

/// Returns the name of the filter file of a release.
pub fn full_name(release: u64, sha256: &Sha256Digest) -> String {
    format!("full-{release}-{}.hgf", &sha256.to_string()[..8])
}

/// Returns the name of the delta between two releases.
pub fn delta_name(from: u64, to: u64, sha256: &Sha256Digest) -> String {
    format!("delta-{from}-{to}-{}.hgd", &sha256.to_string()[..8])
}

/// Reads the filter file that a manifest names, and checks it from its first byte to its last.
///
/// # Errors
/// The file can't be read, or isn't the one that the manifest names.
pub fn full(folder: &Path, manifest: &Manifest) -> Result<(Vec<u8>, FilterInfo)> {
    let path = folder.join(&manifest.full.path);
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    manifest.verify_full(&bytes).with_context(|| path.display().to_string())?;
    let filter = Filter::open(bytes).with_context(|| path.display().to_string())?;
    Ok((filter.bytes().to_vec(), filter.info().clone()))
}

/// Checks every file that a manifest names. Applies each delta whose base file is still in the folder, and checks that
/// the result is the full file. Returns the number of deltas that were applied.
///
/// # Errors
/// A file can't be read, or isn't the one that the manifest names.
pub fn check_files(folder: &Path, manifest: &Manifest) -> Result<usize> {
    let (file, _) = full(folder, manifest)?;
    let mut applied = 0;
    for offer in &manifest.deltas {
        let path = folder.join(&offer.path);
        let delta = std::fs::read(&path).with_context(|| path.display().to_string())?;
        offer.verify(&delta).with_context(|| path.display().to_string())?;
        let Some(base) = base(folder, offer)? else { continue };
        let made = manifest.apply_delta(&base, &delta).with_context(|| path.display().to_string())?;
        ensure!(
            made == file,
            "{}: expected the bytes of {}, got others; publish the release again",
            path.display(),
            manifest.full.path
        );
        applied += 1;
    }
    Ok(applied)
}

/// Reads the file that a delta starts from. Returns `None` if it is no longer here.
fn base(folder: &Path, offer: &DeltaFile) -> Result<Option<Vec<u8>>> {
    let path = folder.join(full_name(offer.from, &offer.base_sha256));
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}
