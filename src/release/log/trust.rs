//! Which log a reader trusts, and whose cosignatures count.

use super::super::trust::{VerifierKey, distinct};
use crate::refusal::{Refusal, RefusalCode};

/// C2SP's number for "timestamped Ed25519 cosignatures".
pub(super) const COSIGNATURE: u8 = 4;

/// The log that a release must be in, and the witnesses that must have seen it.
#[derive(Debug, Clone)]
pub struct LogTrust {
    pub(super) key: VerifierKey,
    pub(super) origin: String,
    pub(super) witnesses: Vec<VerifierKey>,
    pub(super) threshold: usize,
    pub(super) max_age_s: Option<u64>,
}

impl LogTrust {
    /// Trusts the log whose checkpoints this key signs. `origin` is the name of the log. If it is `None`, the log has
    /// the name of its key, as C2SP recommends.
    ///
    /// # Errors
    /// `trust-invalid`: the key is malformed, or the origin empty or with control characters.
    pub fn new(key: &str, origin: Option<&str>) -> Result<Self, Refusal> {
        let key = VerifierKey::parse(key)?;
        let origin = origin.unwrap_or(&key.name).to_owned();
        if origin.is_empty() || origin.contains(char::is_control) {
            return Err(RefusalCode::TrustInvalid.because("origin", "a line of text", &format!("{origin:?}")));
        }
        Ok(Self { key, origin, witnesses: Vec::new(), threshold: 0, max_age_s: None })
    }

    /// Asks for the cosignatures of at least `threshold` of these witnesses, whose keys are of type 4 (`hashgate keygen
    /// --witness`).
    ///
    /// # Errors
    /// `trust-invalid`: a key is malformed or repeated, or the threshold is not in 1 to the number of keys.
    pub fn witnessed_by<K: AsRef<str>>(mut self, keys: &[K], threshold: usize) -> Result<Self, Refusal> {
        let parse = |key: &K| VerifierKey::parse_kind(COSIGNATURE, key.as_ref());
        self.witnesses = keys.iter().map(parse).collect::<Result<_, _>>()?;
        distinct("witnesses.keys", &self.witnesses)?;
        if !(1..=keys.len()).contains(&threshold) {
            let expected = format!("1 to {}, the number of keys", keys.len());
            return Err(RefusalCode::TrustInvalid.because("witnesses.threshold", &expected, &threshold));
        }
        self.threshold = threshold;
        Ok(self)
    }

    /// Refuses cosignatures that are older than this many seconds. Without this limit, a server can withhold newer
    /// releases from a reader until the manifest expires.
    #[must_use]
    pub fn no_older_than(mut self, seconds: u64) -> Self {
        self.max_age_s = Some(seconds);
        self
    }

    /// Returns the name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}
