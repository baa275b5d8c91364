//! The proof that is published beside a release (C2SP `tlog-proof`): the place of the manifest in the log, and a
//! checkpoint that witnesses have cosigned.

use base64ct::{Base64, Encoding};
use serde::Serialize;

use super::super::manifest::Manifest;
use super::checkpoint::{Checkpoint, hash, number};
use super::merkle::{self, Hash, MAX_PATH};
use super::trust::LogTrust;
use crate::refusal::{Refusal, RefusalCode};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// Largest length of a proof in bytes. It leaves room for signatures of other kinds, which can have 5 kB each.
pub const MAX_PROOF_BYTES: usize = 64 << 10;

/// The result of a verified proof: the place of a manifest in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Logged {
    /// Place of the manifest in the log, counted from 0.
    pub index: u64,
    /// The state of the log when the proof was made.
    pub checkpoint: Checkpoint,
}

impl Logged {
    /// Verifies the proof that a manifest, byte for byte with its signatures, is in the trusted log.
    ///
    /// # Errors
    /// `log-syntax`, `log-wrong-origin`, `log-wrong-key`, `log-bad-signature`, `log-too-few-witnesses`,
    /// `log-not-included`.
    pub fn verify(proof: &[u8], manifest: &[u8], trust: &LogTrust) -> Result<Self, Refusal> {
        let (index, path, note) = read(proof)?;
        let checkpoint = Checkpoint::verify(note.as_bytes(), trust)?;
        let root = merkle::root_by_inclusion(merkle::leaf(manifest), index, checkpoint.size, &path);
        if root != Some(checkpoint.root) {
            let expected = format!("a proof that leads from the manifest to the root of {} entries", checkpoint.size);
            let got = format!("one of {} hashes from index {index} to another", path.len());
            return Err(RefusalCode::LogNotIncluded.because("inclusion proof", &expected, &got));
        }
        Ok(Self { index, checkpoint })
    }

    /// Checks that the manifest may be used now, as [`Manifest::check_freshness`] does, and also takes the time of the
    /// witnesses into account: see [`Manifest::check_witnessed`].
    ///
    /// # Errors
    /// As [`Manifest::check_witnessed`].
    pub fn check_freshness(
        &self,
        manifest: &Manifest,
        trust: &LogTrust,
        clock_unix_s: u64,
        highest_seen: u64,
    ) -> Result<(), Refusal> {
        if trust.threshold == 0 {
            return manifest.check_freshness(clock_unix_s, highest_seen);
        }
        manifest.check_witnessed(self.checkpoint.witnessed_unix_s, trust.max_age_s, clock_unix_s, highest_seen)
    }

    /// Checks that a later proof doesn't contradict this one, as far as the two proofs alone show: a log never shrinks,
    /// and a tree of the same size has the same root.
    ///
    /// # Errors
    /// `log-inconsistent`.
    pub fn check_successor(&self, later: &Self) -> Result<(), Refusal> {
        let (old, new) = (&self.checkpoint, &later.checkpoint);
        if old.origin != new.origin {
            return Ok(());
        }
        let is_fork = old.size == new.size && old.root != new.root;
        if is_fork || (later.index > self.index && new.size < old.size) {
            let expected =
                format!("a log that continues {} entries with root {}", old.size, Base64::encode_string(&old.root));
            let got = format!("{} entries with root {}", new.size, Base64::encode_string(&new.root));
            return Err(RefusalCode::LogInconsistent.because("checkpoint", &expected, &got));
        }
        Ok(())
    }
}

/// Reads a proof: the index, the hashes from the leaf's sibling up, and the checkpoint's note.
fn read(proof: &[u8]) -> Result<(u64, Vec<Hash>, &str), Refusal> {
    let refused = |expected: &str, got: &dyn std::fmt::Display| RefusalCode::LogSyntax.because("proof", expected, got);
    if proof.len() > MAX_PROOF_BYTES {
        return Err(refused(&format!("at most {MAX_PROOF_BYTES} bytes"), &proof.len()));
    }
    let text = std::str::from_utf8(proof).map_err(|error| refused("UTF-8", &error))?;
    let Some((head, note)) = text.split_once("\n\n") else {
        return Err(refused("a proof, an empty line and a checkpoint", &"no empty line"));
    };
    // Gives the same refusal for every fault, because each further refusal would add a hundred bytes to the browser's
    // code.
    let expected = "\"c2sp.org/tlog-proof@v1\", an index and at most 63 hashes in Base64, as that page has them";
    let (index, path) = read_head(head).ok_or_else(|| refused(expected, &format_args!("{head:?}")))?;
    Ok((index, path, note))
}

fn read_head(head: &str) -> Option<(u64, Vec<Hash>)> {
    let mut lines = head.split('\n').peekable();
    if lines.next() != Some(FIRST_LINE) {
        return None;
    }
    // Skips the optional data of other applications. No signature covers it, so it isn't used.
    if let Some(extra) = lines.next_if(|line| line.starts_with("extra ")) {
        Base64::decode_vec(&extra[6..]).ok()?;
    }
    let index = number(lines.next()?.strip_prefix("index ")?)?;
    let path: Vec<_> = lines.map(hash).collect::<Option<_>>()?;
    (path.len() <= MAX_PATH).then_some((index, path))
}

/// Writes a proof.
#[cfg(feature = "build")]
#[must_use]
pub fn write_proof(index: u64, path: &[Hash], checkpoint: &str) -> String {
    let path: String = path.iter().flat_map(|hash| [Base64::encode_string(hash), "\n".into()]).collect();
    format!("{FIRST_LINE}\nindex {index}\n{path}\n{checkpoint}")
}

/// Returns the checkpoint of a proof without verifying its signatures.
///
/// # Errors
/// `log-syntax`.
#[cfg(feature = "build")]
pub fn checkpoint_of(proof: &[u8]) -> Result<String, Refusal> {
    Ok(read(proof)?.2.to_owned())
}
