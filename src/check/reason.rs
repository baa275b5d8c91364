//! Why a file was not checked.

use serde::{Deserialize, Serialize};

/// Why a file was not checked, or not completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum UncheckedReason {
    /// The picture is damaged: pixels are missing.
    Unreadable,
    /// The content is not a picture, such as a PDF document or a sound.
    NotAPicture,
    /// A picture in a format that nothing here can decode.
    UnsupportedPicture,
    /// A film that can't be decoded here: its container or codec is unknown, it is encrypted, or the platform has no
    /// decoder.
    UnsupportedFilm,
    /// The picture or film is larger than a limit.
    TooLarge,
    /// A signal that a filter holds was not computed.
    Incomplete,
    /// The browser returns noise when a canvas is read, so its pixels can't be trusted.
    CanvasNoise,
    /// The engine failed, for example because its worker crashed.
    EngineFailed,
    /// No list could be loaded, or not the engine that reads this file.
    Unavailable,
    /// The caller gave a value that is not a file, or a file whose bytes can't be read.
    InvalidInput,
    /// The lookup found more chance hits than it may put to the confirm service.
    TooManyCandidates,
}
