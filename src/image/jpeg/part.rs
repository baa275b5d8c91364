//! A file of which a part is there, and why reading it doesn't go on.

/// The part of a file that is held: all of it, or what arrived and wasn't dropped yet.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) bytes: &'a [u8],
    /// Place in the file of the first byte.
    pub(crate) start: usize,
}

impl<'a> Part<'a> {
    /// The bytes from a place in the file on; `None` if that place isn't held.
    pub(super) fn from(self, at: usize) -> Option<&'a [u8]> {
        self.bytes.get(at.checked_sub(self.start)?..)
    }

    /// Place in the file after the last byte that is held.
    pub(super) fn end(self) -> usize {
        self.start + self.bytes.len()
    }
}

/// The DC-only decoder doesn't read this file; the general decoder decides what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside;

/// Why the DC-only decoder stopped.
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
