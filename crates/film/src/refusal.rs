//! Why the index of a film was refused. [`FilmRefusal`] looks like `Refusal` of the core (`src/refusal.rs`), but this
//! crate doesn't depend on the core: its wasm is built without picture decoders, and its codes aren't in the core's
//! table.

use std::fmt::{self, Display};

use serde::Serialize;

/// Why a film, or a track of it, was refused: which field, what was expected, what was got, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FilmRefusal {
    /// The kind of refusal.
    pub code: FilmCode,
    /// The field that was refused.
    pub field: String,
    /// What was expected of the field.
    pub expected: String,
    /// What was got instead.
    pub got: String,
}

impl FilmRefusal {
    /// What to do about the refusal: a sentence.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }
}

impl Display for FilmRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, field, expected, got } = self;
        write!(f, "{field}: expected {expected}, got {got}. {}", code.remedy())
    }
}

impl std::error::Error for FilmRefusal {}

/// Defines [`FilmCode`] from one table: the variant, its code, what it means, and what to do.
macro_rules! codes {
    ($($variant:ident, $code:literal, $meaning:literal, $remedy:literal;)*) => {
        /// The kind of a [`FilmRefusal`], as a stable code for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        #[non_exhaustive]
        pub enum FilmCode {
            $(
                #[doc = concat!("`", $code, "`: ", $meaning)]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl FilmCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as text, such as `film-no-index`.
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
    Kind, "film-kind", "The file doesn't begin as an MP4, QuickTime, WebM or Matroska film does.",
        "Convert the film to MP4 or WebM.";
    Box, "film-box", "A box of an MP4 file, or an element of a WebM file, can't be where it is or as long as it says.",
        "Take the film again from where it comes from: this file is damaged.";
    NoIndex, "film-no-index", "The file has no description of its tracks, because it was cut short or never finished.",
        "Take the film again from where it comes from: this file is damaged.";
    Table, "film-table", "A table of samples contradicts another one.",
        "Take the film again from where it comes from: this file is damaged.";
    Overlap, "film-overlap", "The samples of a track say that they have more bytes than the file.",
        "Write the film again with another program.";
    Limit, "film-limit", "The index of the film is larger than the reader allows.",
        "Cut the film into shorter ones.";
    SeveralCodecs, "film-several-codecs", "One track changes the description of its codec on the way.",
        "Write the film again with another program.";
    Elsewhere, "film-elsewhere", "The samples of a track are in another file.",
        "Write the film again as a file of its own.";
    Coding, "film-coding", "A track is compressed or described in a way that is not known here.",
        "Write the film again with another program.";
    Read, "film-read", "The file could not be read.",
        "Try again.";
}

impl FilmCode {
    /// Makes a refusal of this kind.
    #[cold]
    pub fn because(self, field: &str, expected: &str, got: impl Display) -> FilmRefusal {
        FilmRefusal { code: self, field: field.into(), expected: expected.into(), got: got.to_string() }
    }
}
