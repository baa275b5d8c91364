//! Caveats: what a verdict must say about a picture that could not be settled.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Something that is not known about a file although its picture was looked up.
///
/// A verdict of `clear` with a caveat says less than a plain `clear`: the host decides whether that is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Caveat {
    /// Other decoders may show other pixels than those that were looked up, and no second decoder read the file.
    OneReading,
    /// An embedded colour profile changes what is shown, and the engine can't apply it. Browsers apply it differently.
    ColourProfile,
    /// Only the DC scans of a progressive JPEG were read. Its AC scans may be damaged, or may change the picture.
    AcTermsUnread,
    /// Some frames of an animation that differ from those looked up were not looked up.
    FramesSampled,
    /// The file breaks a rule of its format, but every pixel is there.
    Malformed,
    /// The picture has too little detail for PDQ (quality under 50), so no near copy of it can be found.
    LowDetail,
}

/// Why a file is not ordinary. An ordinary file is one that every decoder reads alike.
///
/// A file that is not ordinary deserves a second reading by the decoder that will show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotOrdinary {
    /// The file's colour profile is far from every common one. `applied` says whether a surface of the picture shows
    /// the colours that the profile asks for.
    ColourProfile {
        /// Whether [`Surface::Managed`](super::Surface::Managed) was added.
        applied: bool,
    },
    /// Decoders may disagree about its pixels, for this reason.
    Structure(Cow<'static, str>),
}

impl NotOrdinary {
    /// The reason for which decoders may disagree, such as `"it holds two bitstreams"`.
    #[must_use]
    pub const fn structure(reason: &'static str) -> Self {
        Self::Structure(Cow::Borrowed(reason))
    }

    /// Returns the caveat that a verdict gets if no second decoder read the file; `None` if the first reading is
    /// enough.
    #[must_use]
    pub const fn caveat(&self) -> Option<Caveat> {
        match self {
            Self::ColourProfile { applied: true } => None,
            Self::ColourProfile { applied: false } => Some(Caveat::ColourProfile),
            Self::Structure(_) => Some(Caveat::OneReading),
        }
    }
}

impl std::fmt::Display for NotOrdinary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ColourProfile { .. } => f.write_str("its colour profile changes what is shown"),
            Self::Structure(reason) => f.write_str(reason),
        }
    }
}
