//! The one type of error of this crate: which field was refused, what was expected, what was got, and what to do.

use std::fmt::{self, Display};

use serde::Serialize;

/// Why something was refused.
///
/// Programs look at [`code`](Self::code); the other fields are for people.
///
/// ```
/// use hashgate::{Filter, RefusalCode};
///
/// let refusal = Filter::open(b"not a filter".to_vec()).unwrap_err();
/// assert_eq!(refusal.code, RefusalCode::FilterMagic);
/// assert_eq!(refusal.code.as_str(), "filter-magic");
/// assert_eq!(refusal.field, "magic");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[non_exhaustive]
pub struct Refusal {
    /// The kind of refusal.
    pub code: RefusalCode,
    /// The field that was refused.
    pub field: String,
    /// What was expected of the field.
    pub expected: String,
    /// What was got instead.
    pub got: String,
}

impl Refusal {
    /// What to do about the refusal: a sentence.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, field, expected, got } = self;
        write!(f, "{field}: expected {expected}, got {got}. {}", code.remedy())
    }
}

impl std::error::Error for Refusal {}

/// Defines [`RefusalCode`] from one table: the variant, its code, what it means, and what to do.
macro_rules! codes {
    ($($variant:ident, $code:literal, $meaning:literal, $remedy:literal;)*) => {
        /// The kind of a [`Refusal`], as a stable code for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        #[non_exhaustive]
        pub enum RefusalCode {
            $(
                #[doc = concat!("`", $code, "`: ", $meaning)]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl RefusalCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as text, such as `filter-magic`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// What the code means: a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }

            /// What to do about such a refusal: a sentence.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$variant => $remedy,)*
                }
            }
        }
    };
}

codes! {
    FilterMagic, "filter-magic", "The file doesn't begin as a filter file does.",
        "Give a filter file, as hashgate build writes it.";
    FilterVersion, "filter-version", "The filter file has a format version that this reader doesn't know.",
        "Update hashgate, or build the list again if it is older.";
    FilterLength, "filter-length", "The filter file is shorter or longer than its header says.",
        "Fetch the file again.";
    FilterField, "filter-field", "A header field of the filter file has a value that it can't have.",
        "Build the list again.";
    FilterChecksum, "filter-checksum", "The filter file's bytes are not those that were written.",
        "Fetch the file again.";
    FilterCanary, "filter-canary", "The filter gives a wrong answer about one of its own canary items.",
        "Build the list again.";
    ManifestSyntax, "manifest-syntax", "The manifest is not a signed note.",
        "Fetch it again: something on the way may have changed it.";
    ManifestField, "manifest-field", "A line of the manifest has a value that it can't have.",
        "Publish the list again.";
    ManifestWrongKey, "manifest-wrong-key", "None of the trusted keys has signed the manifest.",
        "Compare the trusted keys with those that the list's owner gives.";
    ManifestTooFewSignatures, "manifest-too-few-signatures", "Fewer trusted keys than the threshold have signed the manifest.",
        "Wait for the other signatures, or lower the threshold.";
    ManifestBadSignature, "manifest-bad-signature", "A signature in the name of a trusted key doesn't fit the manifest.",
        "Don't use the list, and tell its owner: someone may have changed it.";
    ManifestWrongList, "manifest-wrong-list", "The manifest is of another list than the trusted one.",
        "Compare the list's URL with trust.list: one key can sign several lists.";
    TrustInvalid, "trust-invalid", "A trusted key is malformed or repeated, or the threshold is not in 1 to the number of keys.",
        "Copy each key as hashgate keygen wrote it.";
    ManifestExpired, "manifest-expired", "The manifest should have been replaced by now.",
        "Ask the list's owner for a new release.";
    ManifestNotYetValid, "manifest-not-yet-valid", "The manifest was issued more than a day ahead of this clock.",
        "Correct the clock.";
    ManifestRollback, "manifest-rollback", "The manifest is older than one that was seen before.",
        "Fetch it again: a cache may have kept an old one.";
    LogSyntax, "log-syntax", "The proof that the release is in the public log, or its checkpoint, is malformed.",
        "Fetch it again: something on the way may have changed it.";
    LogWrongOrigin, "log-wrong-origin", "The proof is of another log than the trusted one.",
        "Compare trust.log.origin with the name that the log's owner gives.";
    LogWrongKey, "log-wrong-key", "The trusted log has not signed the checkpoint.",
        "Compare trust.log.key with the key that the log's owner gives.";
    LogBadSignature, "log-bad-signature", "A signature in the name of the trusted log or of a trusted witness doesn't fit the checkpoint.",
        "Don't use the list, and tell its owner: someone may have changed the checkpoint.";
    LogTooFewWitnesses, "log-too-few-witnesses", "Fewer trusted witnesses than the threshold have cosigned the checkpoint.",
        "Don't use the list, and compare its checkpoint with what others see (hashgate compare): it may be shown to you alone.";
    LogNotIncluded, "log-not-included", "The manifest is not the entry of the log that the proof is about.",
        "Don't use the list, and tell its owner: it may be shown to you alone.";
    LogStale, "log-stale", "The cosignatures are older than the trust allows.",
        "Look at this device's clock, then ask the list's owner for new cosignatures.";
    LogInconsistent, "log-inconsistent", "Two checkpoints of one log contradict each other.",
        "Keep both and publish them: together they prove that the log's owner shows different logs to different people.";
    ReleaseLength, "release-length", "A file doesn't have the length that the manifest gives.",
        "Fetch the file again.";
    ReleaseDigest, "release-digest", "A file doesn't have the SHA-256 that the manifest gives.",
        "Fetch the file again.";
    ReleaseMismatch, "release-mismatch", "The header of the filter file contradicts the manifest.",
        "Publish the list again.";
    DeltaBase, "delta-base", "The delta doesn't start from this filter file.",
        "Use the full file.";
    DeltaSyntax, "delta-syntax", "The delta file is malformed.",
        "Use the full file.";
    BuildField, "build-field", "No filter can meet the request, or hold the list.",
        "Change the request.";
    BuildCapacity, "build-capacity", "The list has outgrown the geometry of its earlier releases.",
        "Publish a release of a new geometry, with headroom.";
    HexLength, "hex-length", "A hash has another number of hexadecimal digits than its kind.",
        "Give all of its digits and nothing else.";
    HexDigit, "hex-digit", "A hash has a character that is not a hexadecimal digit.",
        "Give its digits and nothing else.";
    InvalidFingerprint, "invalid-fingerprint", "The bytes are not a fingerprint of the same build.",
        "Use one build of hashgate for both stages.";
}

impl RefusalCode {
    /// Makes a refusal of this kind.
    #[cold]
    pub(crate) fn because(self, field: &str, expected: &str, got: &dyn Display) -> Refusal {
        Refusal { code: self, field: field.into(), expected: expected.into(), got: got.to_string() }
    }
}
