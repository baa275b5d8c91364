//! The verdict: the answer to a check, and what is known of the file.

use serde::Serialize;

use super::fingerprint::Reading;
use super::reason::UncheckedReason;
use crate::image::{Caveat, DecodedBy, Format, Surface};
use crate::signal::digest::{Md5Digest, Sha256Digest};
use crate::signal::pdq::{Orientation, PdqHash};
use crate::signal::views::View;

/// How strong the evidence of a match is, the strongest first. Even the strongest is a *possible* match, because a
/// Bloom filter can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Strength {
    /// The list holds the digest of the file's bytes.
    ExactBytes,
    /// The list holds ring keys of several frames of a film that don't resemble each other.
    SeveralFrames,
    /// The list holds every ring key of the picture's hash.
    AllRings,
    /// The list holds one ring key of the picture's hash, but not all.
    OneRing,
}

/// How a PDQ hash matched.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(optional_fields))]
pub struct PdqMatch {
    /// The rotation or reflection of the picture.
    pub orientation: Orientation,
    /// The view.
    pub view: View,
    /// The frame of an animation, counted from 0.
    pub frame: u32,
    /// The colours of a transparent picture.
    pub surface: Surface,
    /// The reading that the pixels come from. JSON leaves it out if it is the first.
    #[serde(skip_serializing_if = "is_first")]
    #[cfg_attr(test, ts(optional, as = "Option<Reading>"))]
    pub reading: Reading,
    /// The first ring whose key the list holds.
    pub ring: u32,
    /// All rings of this view and orientation whose keys the list holds.
    pub rings: Vec<u32>,
    /// Number of bits of `ring` that were flipped, 0 to 24. 0 means that the list holds the ring key as it is.
    pub flips: u32,
    /// Sum of the ranks of the flipped bits. The lower it is, the more plausible is the match.
    pub cost: u32,
    /// The hash of this view and orientation. If a ring of `rings` matched only with flipped bits, the hash has these
    /// bits flipped.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(test, ts(type = "string"))]
    pub pdq: PdqHash,
    /// The ring key of `ring` that the list holds, as 16 hexadecimal digits in JSON.
    #[serde(rename = "key", serialize_with = "as_hex")]
    #[cfg_attr(test, ts(type = "string"))]
    pub ring_key: u64,
}

fn is_first(reading: &Reading) -> bool {
    *reading == Reading::First
}

fn as_text<S: serde::Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_hex<S: serde::Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{value:016x}"))
}

fn as_optional_text<S: serde::Serializer>(
    value: &Option<impl std::fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// One signal of a file that a list seems to hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Match {
    /// Name of the list.
    pub list: String,
    /// Category of the list.
    pub category: String,
    /// Release of the list.
    pub release: u64,
    /// How much the match says.
    pub strength: Strength,
    /// The signal that matched.
    #[serde(flatten)]
    pub signal: MatchedSignal,
}

impl Match {
    /// Returns the details of the match if its signal is PDQ.
    #[must_use]
    pub fn pdq(&self) -> Option<&PdqMatch> {
        match &self.signal {
            MatchedSignal::Pdq(pdq) => Some(pdq),
            MatchedSignal::Sha256 | MatchedSignal::Md5 => None,
        }
    }
}

/// The signal of a file that matched.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "signal", rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum MatchedSignal {
    /// SHA-256 of the bytes.
    Sha256,
    /// MD5 of the bytes.
    Md5,
    /// PDQ, by ring keys.
    Pdq(PdqMatch),
}

impl MatchedSignal {
    /// Returns the signal's name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Md5 => "md5",
            Self::Pdq(_) => "pdq",
        }
    }
}

/// The answer to a check. A match is a reason to ask, never a proof. A file that could not be checked is never clear.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[must_use]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Outcome {
    /// On none of the lists.
    Clear,
    /// Perhaps on a list.
    PossibleMatch {
        /// Strongest first, at most one per list and signal.
        matches: Vec<Match>,
    },
    /// Could not be checked.
    Unchecked {
        /// The reason, for programs.
        reason: UncheckedReason,
        /// The reason, for people.
        detail: String,
    },
}

impl Outcome {
    /// Makes the outcome of a file that could not be checked. `detail` is the reason for people.
    pub fn unchecked(reason: UncheckedReason, detail: String) -> Self {
        Self::Unchecked { reason, detail }
    }
}

/// The whole answer to a check: the outcome, and what is known of the file.
///
/// # Examples
/// ```
/// use hashgate::{Outcome, UncheckedReason, Verdict};
///
/// // For a file that can't be opened, and so never reaches the first stage.
/// let verdict = Verdict::unchecked(UncheckedReason::InvalidInput, "permission denied".into());
/// assert_ne!(verdict.outcome, Outcome::Clear);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
#[non_exhaustive]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(optional_fields))]
pub struct Verdict {
    /// The answer.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// For a possible match: the outcome if the match turns out not to be listed, unless that is clear. An example is a
    /// damaged picture whose bytes seem to be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_not_listed: Option<Outcome>,
    /// The caveat that a host should act on first. `clear` with a caveat says less than plain `clear`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<Caveat>,
    /// All caveats, the gravest first, if there is more than one. JSON leaves it out otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Caveat>>"))]
    pub caveats: Vec<Caveat>,
    /// PDQ hash of the first frame's plain view, if there is a picture.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_text")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub pdq: Option<PdqHash>,
    /// Quality of `pdq`, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// SHA-256 of the bytes, if it was computed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_text")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub sha256: Option<Sha256Digest>,
    /// MD5 of the bytes, if it was computed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_text")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub md5: Option<Md5Digest>,
    /// The picture's format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Width in pixels as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The decoder of the first reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded_by: Option<DecodedBy>,
    /// The decoder of the second reading, if decoders may read the file differently and there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_reading_by: Option<DecodedBy>,
    /// Frames in the file; 1 for a still picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<u32>,
    /// Number of lookups, in all lists together.
    pub lookups: u64,
}

impl Verdict {
    /// Returns the matches of a possible match. Any other outcome has none.
    #[must_use]
    pub fn matches(&self) -> &[Match] {
        match &self.outcome {
            Outcome::PossibleMatch { matches } => matches,
            Outcome::Clear | Outcome::Unchecked { .. } => &[],
        }
    }

    /// Makes the verdict on a file that never reached the first stage, for example because it can't be opened.
    pub fn unchecked(reason: UncheckedReason, detail: String) -> Self {
        Self::bare(Outcome::unchecked(reason, detail))
    }

    /// Makes a verdict that contains only an outcome.
    pub(super) fn bare(outcome: Outcome) -> Self {
        Self {
            outcome,
            if_not_listed: None,
            caveat: None,
            caveats: Vec::new(),
            pdq: None,
            quality: None,
            sha256: None,
            md5: None,
            format: None,
            width: None,
            height: None,
            decoded_by: None,
            second_reading_by: None,
            frames: None,
            lookups: 0,
        }
    }
}
