//! The filters that files are checked against: files that the operator gives, the published list, and the full lists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hashgate::release::Manifest;
use hashgate::{Filter, Lookup, Orientations};
use hashgate_native::clock;

use crate::listed::{Listed, Stamp};

/// The files that filters are read from, in addition to the full lists.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Filter files.
    pub files: Vec<PathBuf>,
    /// The folder of a published list. The folder is not read if there are full lists, because they hold at least as
    /// many hashes.
    pub published: Option<PathBuf>,
}

impl Sources {
    /// Returns the sizes and the times of the files, by which a change of them is noticed.
    ///
    /// # Errors
    /// A filter file isn't there. It is no error if the published folder has no release yet.
    pub fn stamp(&self) -> Result<Stamp> {
        let manifest = self.published.iter().map(|folder| folder.join("manifest.txt")).filter(|path| path.exists());
        Stamp::of_files(self.files.iter().cloned().chain(manifest))
    }
}

/// Filters that were read.
#[derive(Debug)]
pub struct Filters {
    /// The filters, ready for lookups.
    pub lookup: Lookup,
    /// Names of the lists that this server holds in full. The server confirms matches of these lists itself.
    pub own: BTreeSet<String>,
    /// When the published release expires, in seconds since 1970, if there is one.
    pub expires_unix_s: Option<u64>,
    /// The sizes and the times of the files, as the system reported them when the files were read.
    pub stamp: Stamp,
}

impl Filters {
    /// Reads all filters. Makes a filter from each full list for which no filter file was given.
    ///
    /// # Errors
    /// A filter can't be read, or holds more hashes than the full list of its name.
    pub fn read(sources: &Sources, listed: &Listed) -> Result<Self> {
        let stamp = sources.stamp()?;
        let mut filters = Vec::new();
        for path in &sources.files {
            filters.push(open(path)?);
        }
        let mut expires_unix_s = None;
        if let Some((path, expires)) = sources.published.as_deref().map(published).transpose()?.flatten() {
            filters.push(open(&path)?);
            expires_unix_s = Some(expires);
        }
        let mut own = BTreeSet::new();
        for held in listed.filters()? {
            own.insert(held.info().name.clone());
            match filters.iter().find(|filter: &&Filter| filter.info().name == held.info().name) {
                Some(filter) => check_held(filter, &held)?,
                None => filters.push(held),
            }
        }
        Ok(Self { lookup: Lookup::new(filters, Orientations::All), own, expires_unix_s, stamp })
    }

    /// No filter.
    pub fn none() -> Self {
        Self { lookup: Lookup::default(), own: BTreeSet::new(), expires_unix_s: None, stamp: Stamp::none() }
    }

    /// Returns whether files can be checked: there is a filter, and the published release has not expired.
    pub fn are_usable(&self) -> bool {
        let valid = |expires| clock::now_unix_s().is_ok_and(|now| now < expires);
        !self.lookup.filters().is_empty() && self.expires_unix_s.is_none_or(valid)
    }
}

fn open(path: &Path) -> Result<Filter> {
    let read = || -> Result<_> { Ok(Filter::open(std::fs::read(path)?)?) };
    read().with_context(|| path.display().to_string())
}

/// Checks that a full list holds at least as many hashes as the filter of the same name. If it held fewer, real matches
/// of the filter would not be found on the full list, and would be dismissed as chance.
fn check_held(filter: &Filter, held: &Filter) -> Result<()> {
    let counts = |filter: &Filter| {
        let info = filter.info();
        [info.pdq_count, info.sha256_count, info.md5_count]
    };
    for ((kind, in_filter), held) in ["PDQ", "SHA-256", "MD5"].into_iter().zip(counts(filter)).zip(counts(held)) {
        if held < in_filter {
            bail!(
                "list {:?}: expected at least the {in_filter} {kind} hashes that the filter of that name holds, got {held}; \
                 give the list that the filter was built from, or another name",
                filter.info().name
            );
        }
    }
    Ok(())
}

/// Returns the path of the filter that the current manifest names and when the release expires, or `None` if nothing
/// was published yet. The signatures are not checked: it is the operator's own folder.
fn published(folder: &Path) -> Result<Option<(PathBuf, u64)>> {
    let path = folder.join("manifest.txt");
    let manifest = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| path.display().to_string())?,
    };
    let manifest = Manifest::read_unverified(&manifest).with_context(|| path.display().to_string())?;
    Ok(Some((folder.join(manifest.full.path), manifest.expires_unix_s)))
}
