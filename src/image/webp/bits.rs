//! Reads the boolean values of VP8 (RFC 6386, 7).

/// A reader of boolean values. It is a plain value, so that a loop can keep a copy of it in registers.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The bits that were loaded and not used.
    value: u64,
    /// Number of bits in `value` beyond the eight that the next decision compares. Negative: bits are missing.
    count: i32,
    /// The range of the arithmetic coder, less 1.
    range: u32,
    /// Number of bytes that were read beyond the end.
    beyond: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, value: 0, count: -8, range: 254, beyond: 0 }
    }

    /// Returns whether values were read that the bytes don't hold. Decoders let a file pass that lacks one byte.
    pub(super) fn has_overrun(&self) -> bool {
        self.beyond > 1
    }

    #[inline(always)]
    fn load(&mut self) {
        if self.count >= 0 {
            return;
        }
        if let Some(bytes) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            self.value = self.value << 56 | u64::from_be_bytes(*bytes) >> 8;
            self.at += 7;
            self.count += 56;
        } else {
            *self = self.loaded_near_end();
        }
    }

    #[cold]
    #[inline(never)]
    fn loaded_near_end(mut self) -> Self {
        let byte = self.bytes.get(self.at).copied();
        self.beyond += u32::from(byte.is_none());
        self.at += 1;
        self.value = self.value << 8 | u64::from(byte.unwrap_or(0));
        self.count += 8;
        self
    }

    /// Reads a value that is false with `probability` / 256.
    #[inline(always)]
    pub(super) fn bit(&mut self, probability: u8) -> bool {
        self.load();
        let split = (self.range * u32::from(probability)) >> 8;
        let bit = (self.value >> self.count) as u32 > split;
        let range = if bit {
            self.value -= u64::from(split + 1) << self.count;
            self.range - split
        } else {
            split + 1
        };
        let shift = range.leading_zeros() - 24;
        self.range = (range << shift) - 1;
        self.count -= shift as i32;
        bit
    }

    /// Reads a sign and applies it to a number. A sign is as likely to be one as the other, so this has no branch.
    ///
    /// The first value of a partition is never a sign. After any other, the range is below 255, so that a half of it
    /// always needs a shift by one bit.
    #[inline(always)]
    pub(super) fn signed(&mut self, number: i32) -> i32 {
        self.load();
        let split = self.range >> 1;
        let value = (self.value >> self.count) as u32;
        let minus = (split as i32).wrapping_sub(value as i32) >> 31;
        self.value -= u64::from((split + 1) & minus as u32) << self.count;
        self.range = self.range.wrapping_add(minus as u32) | 1;
        self.count -= 1;
        (number ^ minus) - minus
    }

    pub(super) fn flag(&mut self) -> bool {
        self.bit(128)
    }

    /// Reads a number of `count` bits.
    pub(super) fn number(&mut self, count: u32) -> i32 {
        (0..count).fold(0, |number, _| number << 1 | i32::from(self.flag()))
    }

    /// Reads a number with a sign, which may be left out and is then 0.
    pub(super) fn optional(&mut self, count: u32) -> i32 {
        if !self.flag() {
            return 0;
        }
        let number = self.number(count);
        self.signed(number)
    }
}
