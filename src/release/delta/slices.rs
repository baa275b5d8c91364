//! Reads a filter's slices as words in which either the set bits or the clear bits are ones.

/// The state of a bit before it changes.
#[derive(Clone, Copy)]
pub(super) enum State {
    /// The bit changes from 0 to 1.
    Clear,
    /// The bit changes from 1 to 0.
    Set,
}

/// Yields the slices as words of 64 bits. Bits in `state` are ones.
pub(super) fn words(slices: &[u8], state: State) -> impl Iterator<Item = u64> {
    slices.as_chunks().0.iter().map(move |&bytes| match state {
        State::Clear => !u64::from_le_bytes(bytes),
        State::Set => u64::from_le_bytes(bytes),
    })
}
