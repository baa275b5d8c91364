//! Bits of entropy-coded data (ITU T.81, F.2.2.5), up to the next marker.

use super::Outside;

/// Reads bits, the highest of each byte first. Past the data it reads zeros, which
/// [`Bits::end`] notices.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte that isn't in `held`.
    at: usize,
    /// Bits that were read ahead, from the highest down.
    held: u64,
    /// How many; the rest of `held` may be ahead of it or zero.
    count: u32,
    /// How many of all bits that were ever held are zeros that the data doesn't have.
    made_up: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0, made_up: 0 }
    }

    /// Holds at least 32 bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if self.count < 32 {
            if let Some(word) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<4>) {
                let word = u32::from_be_bytes(*word);
                // No byte is 0xff, so none is stuffed and no marker begins.
                if (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
                    self.held |= u64::from(word) << (32 - self.count);
                    self.count += 32;
                    self.at += 4;
                    return;
                }
            }
            self.refill_bytewise();
        }
    }

    #[cold]
    #[inline(never)]
    fn refill_bytewise(&mut self) {
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.at += 2;
                    0xff
                }
                Some([byte @ 0..=0xfe, ..]) => {
                    self.at += 1;
                    *byte
                }
                _ => {
                    self.made_up = self.made_up.saturating_add(8);
                    0
                }
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `count` bits, 1 to 16, which stay.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.held >> (64 - count)) as u32
    }

    /// Passes over `count` bits, up to 31.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.held <<= count;
        self.count -= count;
    }

    /// Takes `count` bits, 0 to 16.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = (self.held >> 32 >> (32 - count)) as u32;
        self.skip(count);
        value
    }

    /// True if more was read than there is.
    pub(super) fn ran_out(&self) -> bool {
        self.made_up > self.count
    }

    /// Ends the data: nothing but the padding of the last byte may be left. Returns where it ended.
    pub(super) fn end(&self) -> Result<usize, Outside> {
        let left = self.count.checked_sub(self.made_up).ok_or(Outside)?;
        let at_marker = matches!(self.bytes.get(self.at..), Some([0xff, 1..=0xff, ..]));
        if left < 8 && at_marker { Ok(self.at) } else { Err(Outside) }
    }
}
