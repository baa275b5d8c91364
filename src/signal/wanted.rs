//! The signals that are to be computed of a file.

use super::views::ViewSet;

/// The signals that the first stage computes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The PDQ hashes of the picture's views.
    pub pdq: bool,
    /// SHA-256 of the bytes.
    pub sha256: bool,
    /// MD5 of the bytes.
    pub md5: bool,
    /// The views of the picture that are hashed.
    pub views: ViewSet,
}
