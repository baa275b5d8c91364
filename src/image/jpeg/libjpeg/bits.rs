//! Reads bits of entropy-coded data as libjpeg does (`jdhuff.c`). After the next marker all bits are zero, and no fault
//! ends reading.

use super::super::dc::Code;
use super::super::markers::next_marker;

/// The end-of-image marker (EOI), which libjpeg's callers insert where a file ends early.
const END: u8 = 0xd9;

/// Entropy-coded data up to the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Position in the file of the next byte.
    pub(super) at: usize,
    /// Bits that were read ahead, from the highest bit down. All bits below them are zero.
    window: u64,
    /// Number of bits in `window`.
    count: u32,
    /// The marker that ends the data, once it is reached.
    pub(super) marker: Option<u8>,
    /// Whether the data of this restart interval ended early. Blocks then keep their values until the next restart.
    pub(super) starved: bool,
    pub(super) faults: Faults,
}

/// The faults that were found in entropy-coded data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// Some coefficients are missing, or were computed from zeros after the end of the data.
    pub(super) damaged: bool,
    /// The data has more bytes than the blocks need.
    pub(super) surplus: bool,
    /// The first row of units from which on all blocks lack their DC coefficients.
    pub(super) missing_from: Option<u32>,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, window: 0, count: 0, marker: None, starved: false, faults: Faults::default() }
    }

    /// Reads ahead, up to 57 bits or the next marker.
    #[inline(always)]
    fn fill(&mut self) {
        if self.count < 32 {
            self.fill_window();
        }
    }

    fn fill_window(&mut self) {
        while self.count <= 56 && self.marker.is_none() {
            let byte = match self.bytes.get(self.at) {
                None => return self.marker = Some(END),
                Some(0xff) => {
                    // As in libjpeg, several 0xff bytes before a zero count as one.
                    let rest = &self.bytes[self.at..];
                    let Some(fill) = rest.iter().position(|&byte| byte != 0xff) else {
                        self.at = self.bytes.len();
                        return self.marker = Some(END);
                    };
                    self.at += fill + 1;
                    if rest[fill] != 0 {
                        return self.marker = Some(rest[fill]);
                    }
                    0xff
                }
                Some(&byte) => {
                    self.at += 1;
                    byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Makes at least `count` bits (at most 32) available. After the end of the data, the bits are zeros.
    #[inline(always)]
    fn need(&mut self, count: u32) {
        if self.count < count {
            self.fill_window();
            if self.count < count {
                (self.starved, self.faults.damaged) = (true, true);
                self.count = 57;
            }
        }
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.window <<= count;
        self.count -= count;
    }

    /// Takes `count` bits, 0 to 16.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> i32 {
        self.need(count);
        let value = (self.window >> 32 >> (32 - count)) as i32;
        self.skip(count);
        value
    }

    /// Takes a value of `size` bits with its sign (F.2.2.1, EXTEND).
    #[inline(always)]
    pub(super) fn value(&mut self, size: u32) -> i32 {
        let (value, values) = (self.take(size), 1 << size);
        if value < values >> 1 { value - values + 1 } else { value }
    }

    /// Takes a Huffman code and returns its symbol. Returns symbol 0 for bits that are no code.
    #[inline(always)]
    pub(super) fn symbol(&mut self, code: &Code) -> u8 {
        self.fill();
        match code.symbol((self.window >> 48) as u32) {
            Some((symbol, length)) => {
                self.need(length);
                self.skip(length);
                symbol
            }
            None => {
                self.need(17);
                self.skip(17);
                self.faults.damaged = true;
                0
            }
        }
    }

    /// Moves to the data after the restart marker with the number `expected` (0 to 7). If another marker comes, moves
    /// to the place where libjpeg would resume (`jpeg_resync_to_restart`).
    pub(super) fn restart(&mut self, expected: u8) {
        self.faults.surplus |= self.count >= 8;
        (self.window, self.count) = (0, 0);
        let mut marker = match self.marker.take() {
            Some(marker) => marker,
            None => {
                self.faults.surplus |= self.bytes.get(self.at).is_some_and(|&byte| byte != 0xff);
                self.next_marker()
            }
        };
        if marker != 0xd0 + expected {
            self.faults.damaged = true;
            // Skips a restart marker whose turn has passed. Leaves a marker whose turn comes soon, and any other kind
            // of marker, in place: the current interval has no data then.
            loop {
                let ahead = marker.wrapping_sub(0xd0).wrapping_sub(expected) & 7;
                match marker {
                    0..0xc0 => marker = self.next_marker(),
                    0xd0..=0xd7 if ahead >= 6 => marker = self.next_marker(),
                    0xd0..=0xd7 if !(1..=2).contains(&ahead) => break,
                    _ => {
                        self.marker = Some(marker);
                        break;
                    }
                }
            }
        }
        self.starved &= self.marker.is_some();
    }

    fn next_marker(&mut self) -> u8 {
        next_marker(self.bytes, &mut self.at).unwrap_or_else(|| {
            self.at = self.bytes.len();
            END
        })
    }

    /// Ends a scan. Returns the position in the file from which to search for the next marker, and the faults.
    pub(super) fn end(mut self) -> (usize, Faults) {
        self.faults.surplus |= self.count >= 8;
        // Moves back before the marker that ended the data, so that the search finds this marker.
        (if self.marker.is_some() { self.at.saturating_sub(2) } else { self.at }, self.faults)
    }
}
