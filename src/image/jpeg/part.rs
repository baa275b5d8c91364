//! The part of a file that is in memory, and the reasons why a decoder stops.

/// The part of a file that is in memory: the whole file, or the bytes that have arrived and were not yet dropped.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) bytes: &'a [u8],
    /// Position in the file of the first byte in memory.
    pub(crate) start: usize,
}

impl<'a> Part<'a> {
    /// Returns the bytes from a position in the file on; `None` if that position isn't in memory.
    pub(super) fn from(self, at: usize) -> Option<&'a [u8]> {
        self.bytes.get(at.checked_sub(self.start)?..)
    }

    /// Returns the position in the file after the last byte in memory.
    pub(super) fn end(self) -> usize {
        self.start + self.bytes.len()
    }
}

/// The error that the low-terms decoder doesn't read files of this kind. A decoder that reads every pixel then reads
/// the file, or finds what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside;

/// Why the low-terms decoder stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// The file is [`Outside`].
    Outside,
    /// The next bytes haven't arrived.
    Starved,
}

impl From<Outside> for Halt {
    fn from(_: Outside) -> Self {
        Self::Outside
    }
}
