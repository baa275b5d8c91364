//! Why a file gave no picture.

use serde::{Deserialize, Serialize};

use super::format::Format;

/// Why a file gave no picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IntakeError {
    /// The content is no picture at all, such as a PDF document, a sound or a text.
    #[error("expected a picture, got {found}")]
    NotAPicture {
        /// What the content looks like, with an article.
        found: String,
    },
    /// The content is a picture of a kind that the core doesn't read.
    #[error("expected a JPEG, PNG, GIF, WebP, BMP or ICO picture that can be decoded here, got {found}")]
    UnsupportedPicture {
        /// What the content looks like, with an article.
        found: String,
        /// The format, if a browser may be able to decode the file.
        format: Option<Format>,
    },
    /// The picture is larger than a limit.
    #[error("{field}: expected at most {limit}, got {got}")]
    TooLarge {
        /// Which limit.
        field: String,
        /// The limit.
        limit: u64,
        /// What the file declares.
        got: u64,
    },
    /// The file is so damaged, truncated or self-contradictory that there are no pixels to look up.
    #[error("the {format} file cannot be read: {message}")]
    Unreadable {
        /// The format that the content announces.
        format: Format,
        /// What is wrong.
        message: String,
    },
    /// A picture that this build has no decoder for, though a build with the feature `every-format` has one.
    #[error(
        "expected an ordinary JPEG, a PNG or a GIF, got a {format} file that needs the formats engine \
         (hashgate-formats.wasm)"
    )]
    NeedsFormatsEngine {
        /// The format.
        format: Format,
    },
    /// A decoder panicked, which is a fault of this crate or of one that it builds on. Please report the file.
    #[error("the decoder failed at this file: {message}")]
    EngineFailed {
        /// The message of the panic.
        message: String,
    },
}

/// Makes an [`IntakeError::Unreadable`].
pub(super) fn unreadable(format: Format, message: impl ToString) -> IntakeError {
    IntakeError::Unreadable { format, message: message.to_string() }
}

/// Makes an [`IntakeError::UnsupportedPicture`] of a file that browsers can't decode either.
pub(super) fn unsupported(found: &str) -> IntakeError {
    IntakeError::UnsupportedPicture { found: found.into(), format: None }
}

/// Returns an error in a build without the decoders that few files need, and does nothing in a build that has them.
/// Such a decoder calls this function first.
///
/// The condition is known at compile time. In a build without the feature, the linker removes all code after the call.
///
/// # Errors
/// `NeedsFormatsEngine` in a build without the feature `every-format`.
#[inline(always)]
pub(super) fn needs_every_format(format: Format) -> Result<(), IntakeError> {
    if cfg!(feature = "every-format") { Ok(()) } else { Err(IntakeError::NeedsFormatsEngine { format }) }
}
