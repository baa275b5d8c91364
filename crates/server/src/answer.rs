//! The answers to questions about hashes, and the rule by which the server decides them.

use hashgate::confirm::REST;
use serde::Serialize;

use crate::listed::{Label, Listed};
use crate::question::Question;

/// Longest name of an upstream's bank in an answer, in characters. A longer name is cut, so that all answers can have
/// one length.
pub const MAX_BANK_NAME: usize = 64;

/// Whether a hash is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The hash is on a list.
    Listed,
    /// The hash is on no list.
    NotListed,
    /// The hash is on none of this server's lists, and it is of a kind that the upstream can't look up.
    Unknown,
}

/// The rule by which a hash was found on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The list holds the SHA-256 of the bytes.
    Sha256,
    /// The list holds the MD5 of the bytes.
    Md5,
    /// The list holds a PDQ hash within a Hamming distance of 31.
    Hamming,
    /// The list holds a PDQ hash with the same ring key, and the other bits are near enough.
    RingKey,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Whether the hash is listed.
    pub outcome: Outcome,
    /// Number of bits in which the hash differs from the listed one.
    pub distance: Option<u32>,
    /// Name of the list that holds the hash.
    pub list: Option<String>,
    /// The category, where the list gives one.
    pub category: Option<String>,
    /// The rule by which the hash was found.
    pub by: Option<By>,
}

impl Answer {
    /// The answer that the hash is on no list.
    pub const NOT_LISTED: Self =
        Self { outcome: Outcome::NotListed, distance: None, list: None, category: None, by: None };

    /// The answer that the hash is on no list of this server and is of a kind that the upstream can't look up.
    pub const UNKNOWN: Self = Self { outcome: Outcome::Unknown, distance: None, list: None, category: None, by: None };

    /// Makes the answer that the hash is on a list.
    pub fn listed(by: By, distance: Option<u32>, (list, category): (&str, Option<&str>)) -> Self {
        let (list, category) = (Some(list.to_owned()), category.map(str::to_owned));
        Self { outcome: Outcome::Listed, distance, list, category, by: Some(by) }
    }

    /// Returns the length in bytes of the longest answer that names a bank of an upstream.
    pub fn longest_of_upstream() -> usize {
        Self::listed(By::Hamming, Some(256), (&"A".repeat(MAX_BANK_NAME), None)).to_json().len()
    }

    /// Returns the length in bytes of the longest answer with one of these labels.
    pub fn longest(labels: &[Label]) -> usize {
        let long = |(list, category): &Label| {
            Self::listed(By::RingKey, Some(256), (list, category.as_deref())).to_json().len()
        };
        labels.iter().map(long).max().unwrap_or(0).max(Self::NOT_LISTED.to_json().len())
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers")
    }

    /// Returns the answer as JSON, filled with spaces to `width` bytes. All answers have the same length, so the length
    /// tells an eavesdropper nothing.
    pub fn padded(&self, width: usize) -> String {
        let mut json = self.to_json();
        json.extend(std::iter::repeat_n(' ', width.saturating_sub(json.len())));
        json
    }
}

/// Looks a question up in the lists. Every field of the question is looked up whatever the others find, so the time
/// depends on the fields alone, not on the answer.
pub fn ask(listed: &Listed, question: &Question) -> Answer {
    let sha256 = question.sha256.and_then(|digest| listed.sha256(&digest));
    let md5 = question.md5.and_then(|digest| listed.md5(&digest));
    let near = question.pdq.and_then(|hash| listed.index().nearest(&hash));
    let ring = question.pdq.zip(question.ring).and_then(|(hash, ring)| listed.index().same_ring(&hash, ring));
    let found =
        |by, found: hashgate::confirm::Found| Answer::listed(by, Some(found.distance), listed.label(found.place));
    if let Some(label) = sha256 {
        Answer::listed(By::Sha256, None, label)
    } else if let Some(label) = md5 {
        Answer::listed(By::Md5, None, label)
    } else if let Some(near) = near {
        found(By::Hamming, near)
    } else if let Some(ring) = ring.filter(|ring| ring.distance <= REST) {
        found(By::RingKey, ring)
    } else {
        Answer::NOT_LISTED
    }
}
