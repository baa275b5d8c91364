//! Reads the releases of each list from a log, and finds suspicious ones.

use std::collections::BTreeMap;

use hashgate::release::{Manifest, Trust};
use serde::Serialize;

/// Something that a monitor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of the finding, as a stable word for programs.
    pub kind: &'static str,
    /// Whether the finding shows that someone cheats or that the log is broken. If false, it is a remark: it may be
    /// harmless, but deserves a question to the list's owner.
    pub alarm: bool,
    /// What was found, in words.
    pub text: String,
}

impl Finding {
    /// Makes an alarm.
    pub fn alarm(kind: &'static str, text: String) -> Self {
        Self { kind, alarm: true, text }
    }

    /// Makes a remark.
    pub fn remark(kind: &'static str, text: String) -> Self {
        Self { kind, alarm: false, text }
    }
}

/// A release, and its changes compared with the release before it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Place in the log.
    pub index: u64,
    /// Name of the list.
    pub list: String,
    /// Category of the list.
    pub category: String,
    /// Release number.
    pub release: u64,
    /// When the manifest was signed, in seconds since 1970.
    pub issued_unix_s: u64,
    /// When the release expires, in seconds since 1970.
    pub expires_unix_s: u64,
    /// Number of PDQ hashes, SHA-256 and MD5 digests.
    pub counts: [u64; 3],
    /// Number of entries added since the release before. `None` if the manifest doesn't tell.
    pub came: Option<u64>,
    /// Number of entries removed since the release before, as the curators state it.
    pub went: Option<u64>,
    /// By how many entries the list grew since the release before.
    pub net: i64,
    /// Bits of the filter that were set and cleared since the release before, if its delta could be read.
    pub bits: Option<[u64; 2]>,
    /// SHA-256 of the filter file.
    pub sha256: String,
    /// Names of the keys that have signed. Verified if the monitor was given keys to trust.
    pub signers: Vec<String>,
    /// Who vouches for the list.
    pub curators: Vec<String>,
    /// The curators' policy, address for appeals, and jurisdiction, if the manifest gives them.
    pub about: [Option<String>; 3],
}

impl Release {
    /// Returns the number of entries of all kinds.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// The releases of every list that is in a log.
#[derive(Debug, Default, Serialize)]
pub struct History {
    /// The releases, in the order of the log.
    pub releases: Vec<Release>,
    /// What is odd about them.
    pub findings: Vec<Finding>,
}

impl History {
    /// Reads the entries of a log. With `trust`, checks who has signed each.
    #[must_use]
    pub fn read(entries: &[Vec<u8>], trust: Option<&Trust>) -> Self {
        let mut history = Self::default();
        for (index, entry) in (0..).zip(entries) {
            history.add(index, entry, trust);
        }
        history
    }

    fn add(&mut self, index: u64, entry: &[u8], trust: Option<&Trust>) {
        let manifest = match Manifest::read_unverified(entry) {
            Ok(manifest) => manifest,
            Err(refusal) => {
                self.findings
                    .push(Finding::alarm("not-a-manifest", format!("entry {index} is no manifest: {refusal}")));
                return;
            }
        };
        let what = format!("entry {index}: release {} of {:?}", manifest.release, manifest.name);
        let signers = match trust.map(|trust| Manifest::verify(entry, trust)) {
            None => claimed_signers(entry),
            Some(Ok(verified)) => verified.signed_by,
            Some(Err(refusal)) => {
                let text = format!("{what} isn't signed as it must be: {}: {refusal}", refusal.code.as_str());
                self.findings.push(Finding::alarm("bad-signatures", text));
                claimed_signers(entry)
            }
        };
        let before = self.releases.iter().rev().find(|release| release.list == manifest.name);
        let sha256 = manifest.full.sha256.to_string();
        let counts = [manifest.pdq_count, manifest.sha256_count, manifest.md5_count];
        let total: u64 = counts.iter().sum();
        let net = total as i64 - before.map_or(0, |before| before.entries() as i64);
        let found = before.and_then(|before| succession(&what, before, &manifest, &sha256));
        let is_first = before.is_none();
        let went = if is_first { Some(0) } else { manifest.withdrawn };
        let came = went.and_then(|went| u64::try_from(net + went as i64).ok());
        if went.is_some() && came.is_none() {
            let text = format!("{what} says that fewer entries were withdrawn than the list shrank by");
            self.findings.push(Finding::alarm("bad-counts", text));
        }
        self.findings.extend(found);
        self.releases.push(Release {
            index,
            list: manifest.name,
            category: manifest.category,
            release: manifest.release,
            issued_unix_s: manifest.issued_unix_s,
            expires_unix_s: manifest.expires_unix_s,
            counts,
            came,
            went,
            net,
            bits: None,
            sha256,
            signers,
            curators: manifest.curators,
            about: [manifest.policy, manifest.appeals, manifest.jurisdiction],
        });
    }

    /// Returns the lists of the log by name and category, with their releases in order.
    #[must_use]
    pub fn lists(&self) -> BTreeMap<(&str, &str), Vec<&Release>> {
        let mut lists: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for release in &self.releases {
            lists.entry((release.list.as_str(), release.category.as_str())).or_default().push(release);
        }
        lists
    }
}

/// Returns a finding if a release doesn't properly follow the previous release of the same list.
fn succession(what: &str, before: &Release, manifest: &Manifest, sha256: &str) -> Option<Finding> {
    if manifest.release == before.release {
        return Some(if sha256 == before.sha256 {
            Finding::remark("signed-again", format!("{what} is in the log again, with the same filter file"))
        } else {
            let text =
                format!("{what} has another filter file ({sha256}) than entry {} ({})", before.index, before.sha256);
            Finding::alarm("conflict", text)
        });
    }
    if manifest.release < before.release {
        let text = format!("{what} comes after release {} (entry {})", before.release, before.index);
        return Some(Finding::alarm("backwards", text));
    }
    if manifest.release > before.release + 1 {
        let text = format!("{what} follows release {}: the releases between are not in the log", before.release);
        return Some(Finding::alarm("gap", text));
    }
    if manifest.issued_unix_s > before.expires_unix_s {
        let late = (manifest.issued_unix_s - before.expires_unix_s) / 3600;
        return Some(Finding::remark("late", format!("{what} came {late} h after the release before had expired")));
    }
    None
}

/// Returns the names of the keys that a note says have signed it.
fn claimed_signers(note: &[u8]) -> Vec<String> {
    let note = String::from_utf8_lossy(note);
    let lines = note.rsplit_once("\n\n").map_or("", |(_, lines)| lines);
    lines.lines().filter_map(|line| Some(line.strip_prefix("— ")?.split_once(' ')?.0.to_owned())).collect()
}
