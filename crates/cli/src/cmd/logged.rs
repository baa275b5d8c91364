//! Enters releases into a public log for `publish` and `cosign`, and writes into a manifest what its curators say about
//! themselves.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hashgate::filter::build::Entries;
use hashgate::release::Manifest;
use hashgate_log::publish::Publishing;
use hashgate_native::atomic::write_atomically;
use hashgate_native::list;
use hashgate_native::terminal::remark;

use crate::keys;
use crate::published::{self, CURRENT};

/// File name of the current release's proof. It lies beside the manifest.
pub const PROOF: &str = "manifest.tlog-proof";

/// The public log that a release is entered into.
#[derive(Debug, Clone, clap::Args)]
pub struct LogArgs {
    /// Folder of the public log, served beside the list. Made if it isn't there. The release is entered before it
    /// becomes current.
    #[arg(long, value_name = "DIR", requires = "log_key")]
    log: Option<PathBuf>,
    /// File of the log's private key, as `keygen` writes it. Its name is the log's origin. Not the key of the list.
    #[arg(long, value_name = "FILE", requires = "log")]
    log_key: Option<PathBuf>,
    /// Witnesses that are asked to cosign, as a C2SP tlog-policy. A release becomes current if as many as its quorum
    /// have.
    #[arg(long, value_name = "FILE", requires = "log")]
    log_policy: Option<PathBuf>,
}

/// An open log, and the folder that holds the list's releases.
pub struct OpenLog<'a> {
    log: Publishing,
    folder: &'a Path,
}

impl LogArgs {
    /// Opens the log, if one is given. If `publish` was interrupted, a release of this list may be in the log without
    /// being current; makes it current first.
    ///
    /// # Errors
    /// The log can't be used, or the releases in the folder are logged and no log is given.
    pub fn open<'a>(&self, folder: &'a Path, list: (&str, &str)) -> Result<Option<OpenLog<'a>>> {
        let (Some(log), Some(key)) = (&self.log, &self.log_key) else {
            let proof = folder.join(PROOF);
            ensure!(
                !proof.exists(),
                "--log: expected the log that the current release is in, because of {}, got none; give --log and --log-key",
                proof.display()
            );
            return Ok(None);
        };
        let log = Publishing::open(log, keys::read(key)?, self.log_policy.as_deref())?;
        let mut open = OpenLog { log, folder };
        open.finish(list)?;
        Ok(Some(open))
    }

    /// Whether a log is given.
    pub fn is_given(&self) -> bool {
        self.log.is_some()
    }
}

impl OpenLog<'_> {
    /// Enters a manifest into the log. Writes the manifest and its proof under their permanent names, which contain the
    /// release number.
    ///
    /// # Errors
    /// A file can't be written, or too few witnesses have cosigned.
    pub fn enter(&mut self, release: u64, note: &[u8]) -> Result<()> {
        let proof = self.log.enter(note)?;
        let manifest = published::manifest_name(release);
        let kept = self.folder.join(manifest.replace(".txt", ".tlog-proof"));
        write_atomically(&self.folder.join(manifest), note)?;
        write_atomically(&kept, proof.as_bytes())?;
        // Writes the proof before `manifest.txt`. A reader may still get the earlier `manifest.txt`. That reader finds
        // the earlier proof under its permanent name, which contains the release number.
        write_atomically(&self.folder.join(PROOF), proof.as_bytes())
    }

    fn finish(&mut self, (name, category): (&str, &str)) -> Result<()> {
        let current = self.folder.join(CURRENT);
        let note = match std::fs::read(&current) {
            Ok(note) => Some(note),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| current.display().to_string()),
        };
        let Some((release, entry)) = self.log.interrupted(name, category, note.as_deref()) else { return Ok(()) };
        let entry = entry.to_vec();
        remark(&format!("release {release} is in the log and not current: finishing it first"));
        let manifest = Manifest::read_unverified(&entry)?;
        published::full(self.folder, &manifest).context("the release that is in the log lacks its file")?;
        self.enter(release, &entry)?;
        write_atomically(&current, &entry)
    }
}

/// Checks that a manifest isn't in the log yet, before `cosign` adds a signature to it. The log holds the manifest's
/// bytes, which a new signature would change.
///
/// # Errors
/// The manifest is in the log.
pub fn check_not_logged(folder: &Path, release: u64) -> Result<()> {
    let proof = folder.join(published::manifest_name(release).replace(".txt", ".tlog-proof"));
    if proof.exists() {
        bail!(
            "{}: expected a release that isn't in the log yet, got one that is; publish with --pending, then cosign with \
             --current and --log",
            proof.display()
        );
    }
    Ok(())
}

/// The options for the fields of a manifest about the curators and their decisions.
#[derive(Debug, Clone, clap::Args)]
pub struct AboutArgs {
    /// Address (https:) of the curators' policy: what they list, and who decides. Default: as in the last release.
    #[arg(long, value_name = "URL")]
    policy: Option<String>,
    /// Where to object to an entry (https: or mailto:). Default: as in the last release.
    #[arg(long, value_name = "URL")]
    appeals: Option<String>,
    /// Whose law the curators act under, in words. Default: as in the last release.
    #[arg(long, value_name = "TEXT")]
    jurisdiction: Option<String>,
    /// Number of entries that were taken out since the release before.
    #[arg(long, value_name = "N", conflicts_with = "previous")]
    withdrawn: Option<u64>,
    /// The lists of the release before, from which the number of withdrawn entries is counted.
    #[arg(long, value_name = "LIST", num_args = 1..)]
    previous: Vec<PathBuf>,
}

impl AboutArgs {
    /// Writes the options that were given into a manifest. Leaves other fields as they are.
    ///
    /// # Errors
    /// A list can't be read.
    pub fn apply(&self, manifest: &mut Manifest, entries: &Entries, reading: &list::Options) -> Result<()> {
        let about = [
            (&self.policy, &mut manifest.policy),
            (&self.appeals, &mut manifest.appeals),
            (&self.jurisdiction, &mut manifest.jurisdiction),
        ];
        for (given, said) in about.into_iter().filter(|(given, _)| given.is_some()) {
            said.clone_from(given);
        }
        manifest.withdrawn = self.withdrawn;
        if !self.previous.is_empty() {
            let before = list::entries(&list::read_all(&self.previous, reading)?, 1);
            let gone = missing(&before.pdq, &entries.pdq)
                + missing(&before.sha256, &entries.sha256)
                + missing(&before.md5, &entries.md5);
            manifest.withdrawn = Some(gone);
        }
        Ok(())
    }
}

/// Counts the items of `before` that aren't in `now`.
fn missing<T: Ord>(before: &[T], now: &[T]) -> u64 {
    let now: std::collections::BTreeSet<_> = now.iter().collect();
    before.iter().filter(|entry| !now.contains(entry)).count() as u64
}
