//! Adds a release to the log, asks the witnesses for cosignatures, and makes the proof.

use std::path::Path;

use anyhow::{Context, Result, bail};
use hashgate::release::Manifest;
use hashgate::release::log::{Logged, write_proof};
use hashgate::release::sign::Key;
use hashgate_native::terminal::remark;

use crate::ask::ask_all;
use crate::folder::LogFolder;
use crate::policy::Policy;

/// A log to which a release can be added.
#[derive(Debug)]
pub struct Publishing {
    log: LogFolder,
    policy: Policy,
}

impl Publishing {
    /// Opens the log in a folder. `policy` is the file that names the witnesses to ask.
    ///
    /// # Errors
    /// The log can't be used, or the policy is of another log.
    pub fn open(folder: &Path, key: Key, policy: Option<&Path>) -> Result<Self> {
        let policy = policy.map(Policy::read).transpose()?.unwrap_or_default();
        if let Some(other) = policy.log.as_ref().filter(|log| **log != key.public()) {
            bail!("--log-policy: expected the log {}, got {other}", key.public());
        }
        Ok(Self { log: LogFolder::open(folder, key)?, policy })
    }

    /// Returns a release of the list that is in the log but was never published, because publishing was interrupted.
    ///
    /// `current` is the note of the current manifest.
    #[must_use]
    pub fn interrupted(&self, name: &str, category: &str, current: Option<&[u8]>) -> Option<(u64, &[u8])> {
        let is_of_list = |entry: &&Vec<u8>| {
            Manifest::read_unverified(entry).is_ok_and(|logged| logged.name == name && logged.category == category)
        };
        let last = self.log.entries().iter().rev().find(is_of_list)?;
        let release = Manifest::read_unverified(last).ok()?.release;
        let current_release = current.and_then(|note| Manifest::read_unverified(note).ok()).map_or(0, |it| it.release);
        (current != Some(last) && release >= current_release).then_some((release, last.as_slice()))
    }

    /// Adds a manifest to the log, unless the log has it already, and asks the witnesses. Returns the proof.
    ///
    /// # Errors
    /// A file can't be written, or fewer witnesses than the policy asks for have cosigned. The entry stays in the log.
    /// The next attempt uses it.
    pub fn enter(&mut self, note: &[u8]) -> Result<String> {
        let index = match self.log.entries().iter().position(|entry| entry == note) {
            Some(index) => index as u64,
            None => self.log.append(note)?,
        };
        self.witness()?;
        let tree = self.log.tree();
        let path = tree.inclusion(index, tree.size()).context("a log has a proof of each of its entries")?;
        let checkpoint = self.log.note().context("a log with an entry has a checkpoint")?;
        let proof = write_proof(index, &path, checkpoint);
        // Verifies the proof in the same way as its readers, so that a proof which they would refuse is never
        // published.
        Logged::verify(proof.as_bytes(), note, &self.policy.trust(Some(&self.log.public()), None)?)?;
        remark(&format!("  logged as entry {index}; the proof has {} bytes", proof.len()));
        Ok(proof)
    }

    fn witness(&mut self) -> Result<()> {
        if self.policy.witnesses.is_empty() {
            return Ok(());
        }
        let note = self.log.note().context("a log with an entry has a checkpoint")?;
        let missing = self.policy.witnesses.iter().filter(|witness| {
            hashgate::release::log::line_by(note.as_bytes(), &witness.key).is_ok_and(|lines| lines.is_empty())
        });
        let missing: Vec<_> = missing.cloned().collect();
        let answers = ask_all(&missing, note, &self.log.public(), self.log.tree())?;
        let mut lines = String::new();
        for (witness, answer) in missing.iter().zip(answers) {
            match answer {
                Ok(line) => lines += &line,
                Err(error) => remark(&format!("  witness {}: {error:#}", witness.name)),
            }
        }
        if !lines.is_empty() {
            self.log.cosigned(&lines)?;
        }
        let has = self.policy.witnesses.len() - missing.len() + lines.lines().count();
        if has < self.policy.threshold {
            bail!(
                "witnesses: expected {} of {} to cosign, got {has}; the release is in the log and not yet current: publish \
                 again when more witnesses answer",
                self.policy.threshold,
                self.policy.witnesses.len()
            );
        }
        remark(&format!("  cosigned by {has} of {} witnesses", self.policy.witnesses.len()));
        Ok(())
    }
}
