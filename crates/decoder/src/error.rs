//! Why a file gave no picture.

/// Why a file gave no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The file uses something that this decoder lacks. Another decoder may read it.
    Unsupported(&'static str),
    /// The file is damaged, cut off, or contradicts itself.
    Unreadable(&'static str),
    /// The picture is larger than a limit.
    TooLarge {
        /// Which limit.
        field: &'static str,
        /// The limit.
        limit: u64,
        /// What the file declares.
        got: u64,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsupported(what) => write!(f, "the decoder has no support for {what}"),
            Self::Unreadable(message) => f.write_str(message),
            Self::TooLarge { field, limit, got } => write!(f, "{field}: expected at most {limit}, got {got}"),
        }
    }
}

impl std::error::Error for Error {}
