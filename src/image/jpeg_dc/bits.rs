//! Bits of entropy-coded data (ITU T.81, F.2.2.5), up to the next marker.

use super::Halt;

/// Bytes that are held ahead, and room for the most that a unit can take: six blocks of 64 terms of 16 bits of code and 11 of
/// value (F.1.2), which are 1,296 bytes.
const HELD: usize = 8192;
const UNIT: usize = 1536;

/// Reads bits, the highest of each byte first. Bytes are freed of their stuffing ahead of that, a piece at a time. Past the data it
/// reads zeros, which [`Bits::ran_out`] notices.
pub(super) struct Bits {
    /// Data without stuffing; zeros after it.
    data: Box<[u8; HELD + UNIT]>,
    /// How much of it is data.
    filled: usize,
    /// The next byte of it that isn't in `window`.
    next: usize,
    /// From here on more has to be freed of stuffing, or there is none.
    enough: usize,
    /// Bits that were read ahead, from the highest down.
    window: u64,
    /// How many; those below are of the next byte, or zero.
    count: u32,
    /// The next byte of the file to be freed of stuffing.
    at: usize,
    /// Whether a marker is there.
    at_marker: bool,
}

impl Bits {
    /// Begins at a place in the file.
    pub(super) fn new(at: usize) -> Self {
        let data = Box::new([0; HELD + UNIT]);
        Self { data, filled: 0, next: 0, enough: 0, window: 0, count: 0, at, at_marker: false }
    }

    /// Begins elsewhere.
    pub(super) fn restart(&mut self, at: usize) {
        (self.filled, self.next, self.enough, self.window, self.count) = (0, 0, 0, 0, 0);
        (self.at, self.at_marker) = (at, false);
    }

    /// Makes sure that a unit can be read. False if the file's data so far isn't enough.
    #[inline(always)]
    pub(super) fn prepare(&mut self, bytes: &[u8]) -> bool {
        self.next < self.enough || self.fill(bytes)
    }

    #[inline(never)]
    fn fill(&mut self, bytes: &[u8]) -> bool {
        if !self.at_marker {
            self.data.copy_within(self.next.min(self.filled)..self.filled, 0);
            self.filled -= self.next.min(self.filled);
            self.next = 0;
            self.unstuff(bytes);
            if !self.at_marker && self.filled <= UNIT {
                self.enough = 0;
                return false;
            }
            if self.at_marker {
                self.data[self.filled..].fill(0);
                self.enough = self.filled + 8;
            } else {
                self.enough = self.filled - UNIT;
            }
        }
        true
    }

    fn unstuff(&mut self, bytes: &[u8]) {
        while self.filled + 8 <= HELD {
            let Some(rest) = bytes.get(self.at..) else { return };
            if let Some(chunk) = rest.first_chunk::<8>() {
                let word = u64::from_le_bytes(*chunk);
                // No byte is 0xff, so none is stuffed and no marker begins.
                if (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
                    self.data[self.filled..self.filled + 8].copy_from_slice(chunk);
                    self.filled += 8;
                    self.at += 8;
                    continue;
                }
            }
            match *rest {
                [0xff, 0, ..] => {
                    self.data[self.filled] = 0xff;
                    self.at += 2;
                }
                [0xff, _, ..] => {
                    self.at_marker = true;
                    return;
                }
                [byte @ 0..=0xfe, ..] => {
                    self.data[self.filled] = byte;
                    self.at += 1;
                }
                _ => return,
            }
            self.filled += 1;
        }
    }

    /// Holds at least 56 bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        // Without a branch. Bits that are held already come out the same.
        let word = self.data.get(self.next..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_be_bytes(*word));
        self.window |= word >> self.count;
        self.next += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// Holds at least 32 bits, more than any term takes.
    #[inline(always)]
    pub(super) fn refill_if_low(&mut self) {
        if self.count < 32 {
            self.refill();
        }
    }

    /// The next `count` bits, 1 to 16, which stay.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.window >> (64 - count)) as u32
    }

    /// Passes over `count` bits, up to 31, of which bits beyond the sixth say something else.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.window = self.window.wrapping_shl(count);
        self.count = self.count.wrapping_sub(count & 63);
    }

    /// Takes `count` bits, 0 to 16.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = (self.window >> 32 >> (32 - count)) as u32;
        self.skip(count);
        value
    }

    /// Bits of data that were not read; negative if more was read than there is.
    fn left(&self) -> i64 {
        8 * (self.filled as i64 - self.next as i64) + i64::from(self.count)
    }

    /// True if more was read than there is.
    pub(super) fn ran_out(&self) -> bool {
        self.left() < 0
    }

    /// Ends the data: nothing but the padding of the last byte may be left. Returns where it ended.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Result<usize, Halt> {
        if !self.at_marker && !self.fill(bytes) {
            return Err(Halt::Starved);
        }
        if (0..8).contains(&self.left()) && self.at_marker { Ok(self.at) } else { Err(Halt::Outside) }
    }
}
