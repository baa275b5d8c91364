//! A filter's slices as words, in which the bits of one state are ones.

/// The state that bits are in before they change.
#[derive(Clone, Copy)]
pub(super) enum State {
    /// 0 before, 1 after.
    Clear,
    /// 1 before, 0 after.
    Set,
}

/// Yields the slices as words of 64 bits. Bits in `state` are ones.
pub(super) fn words(slices: &[u8], state: State) -> impl Iterator<Item = u64> {
    slices.as_chunks().0.iter().map(move |&bytes| match state {
        State::Clear => !u64::from_le_bytes(bytes),
        State::Set => u64::from_le_bytes(bytes),
    })
}
