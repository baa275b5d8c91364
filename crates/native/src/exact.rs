//! Asks filters of other programs about the digests of a file.

use std::path::PathBuf;

use anyhow::Result;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::{Outcome, UncheckedReason, Verdict, Wanted};
use serde::Serialize;
use sha1::{Digest, Sha1};

use crate::dcso::ExactFilter;
use crate::open_file::OpenFile;

/// Filters of other programs, with their names.
#[derive(Debug, Default)]
pub struct ExactFilters(Vec<(String, ExactFilter)>);

/// A digest that a filter of another program holds.
#[derive(Debug, Clone, Serialize)]
pub struct Exact {
    /// The name of the filter.
    pub list: String,
    /// The kind of digest.
    pub signal: &'static str,
}

impl ExactFilters {
    /// Takes the filters of other programs out of `paths`, and opens them. Each gets the name that `name` gives its path.
    /// `key` is that of a Private Search Set.
    ///
    /// # Errors
    /// A file can't be read, or such a filter is refused.
    pub fn take(paths: &mut Vec<PathBuf>, key: Option<&str>, name: fn(&PathBuf) -> String) -> Result<Self> {
        let mut taken = Vec::new();
        let mut others = Vec::new();
        for path in std::mem::take(paths) {
            if ExactFilter::is_one(&path)? {
                taken.push((name(&path), ExactFilter::open(&path, key)?));
            } else {
                others.push(path);
            }
        }
        *paths = others;
        Ok(Self(taken))
    }

    /// Number of filters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the digests that these filters are asked for.
    #[must_use]
    pub fn wanted(&self, wanted: Wanted) -> Wanted {
        if self.is_empty() { wanted } else { wanted.with_sha256(true).with_md5(true) }
    }

    /// Looks the digests of a file up: those that were computed, and SHA-1.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn look_up(
        &self,
        file: &mut OpenFile,
        sha256: Option<Sha256Digest>,
        md5: Option<Md5Digest>,
    ) -> Result<Vec<Exact>> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let mut sha1 = Sha1::new();
        file.pieces(|piece| sha1.update(piece))?;
        let sha1 = sha1.finalize();
        let digests: [(&str, Option<&[u8]>); 3] = [
            ("sha256", sha256.as_ref().map(|digest| &digest.0[..])),
            ("sha1", Some(&sha1[..])),
            ("md5", md5.as_ref().map(|digest| &digest.0[..])),
        ];
        let mut found = Vec::new();
        for (list, filter) in &self.0 {
            for (signal, digest) in &digests {
                if digest.is_some_and(|digest| filter.holds(digest)) {
                    found.push(Exact { list: list.clone(), signal });
                }
            }
        }
        Ok(found)
    }

    /// Completes a verdict of filters in hashgate's own format: if these filters hold a digest of the file, makes it a
    /// possible match.
    ///
    /// `alone` says that there is no filter in hashgate's own format.
    pub fn settle(&self, verdict: &mut Verdict, found: &[Exact], alone: bool) {
        // If no filter is of hashgate's own format, only digests had to be looked up.
        let only_digests = alone && !self.is_empty();
        if only_digests && matches!(verdict.outcome, Outcome::Unchecked { reason: UncheckedReason::Incomplete, .. }) {
            verdict.outcome = Outcome::Clear;
        }
        if found.is_empty() || matches!(verdict.outcome, Outcome::PossibleMatch { .. }) {
            return;
        }
        let before = std::mem::replace(&mut verdict.outcome, Outcome::PossibleMatch { matches: Vec::new() });
        verdict.if_not_listed = Some(before).filter(|outcome| *outcome != Outcome::Clear);
    }
}
