//! The choice of signals to compute of a file.

use super::views::ViewSet;
use crate::setters::setters;

/// The signals to compute of a file. By default, no signal is wanted.
///
/// # Examples
/// ```
/// use hashgate::{Limits, Wanted, fingerprint};
///
/// let signals = fingerprint(b"abc", &Limits::default(), &Wanted::default().with_md5(true));
/// assert_eq!(signals.md5.unwrap().to_string(), "900150983cd24fb0d6963f7d28e17f72");
/// assert_eq!(signals.sha256, None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
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

setters! {
    Wanted {
        with_pdq, pdq: bool;
        with_sha256, sha256: bool;
        with_md5, md5: bool;
        with_views, views: ViewSet;
    }
}
