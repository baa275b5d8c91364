//! Bits of entropy-coded data (ITU T.81, F.2.2.5), up to the next marker.

use super::super::part::{Halt, Part};

/// How many bytes are held ahead.
const HELD: usize = 8192;
/// More bytes than a unit takes: that are 1,296 at most, for six blocks of 64 terms with 16 bits of code and 11 of
/// value (F.1.2).
const UNIT: usize = 1536;

/// Data that is read bit by bit, the highest of each byte first. [`fill`](Bits::fill) copies the next bytes of the file
/// without their stuffing (the zero after each 0xff), and the bits are read from the copy. Past the end of the data
/// come zeros; whoever reads them finds out by [`ran_out`](Bits::ran_out).
pub(super) struct Bits {
    /// Data without stuffing; zeros after it.
    data: Box<[u8; HELD + UNIT]>,
    /// How much of it is data.
    filled: usize,
    /// From this byte on, `data` may not hold a whole unit, so that it has to be filled first.
    enough: usize,
    /// The next byte of the file to be copied.
    pub(super) at: usize,
    /// Whether a marker begins at that byte.
    at_marker: bool,
    /// How far `data` was read.
    pub(super) place: Place,
}

/// How far data was read.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// The next byte that isn't in `window`.
    next: usize,
    /// Bits that were read ahead, from the highest down.
    window: u64,
    /// How many; those below are of the next byte, or zero.
    count: u32,
}

/// Reads bits of the copy. It is a type of its own so that the compiler keeps its fields in registers.
pub(super) struct Reading<'a> {
    data: &'a [u8; HELD + UNIT],
    pub(super) place: Place,
}

impl Bits {
    /// Begins at a place in the file.
    pub(super) fn new(at: usize) -> Self {
        let data = Box::new([0; HELD + UNIT]);
        Self { data, filled: 0, enough: 0, at, at_marker: false, place: Place::default() }
    }

    /// Begins elsewhere.
    pub(super) fn restart(&mut self, at: usize) {
        (self.filled, self.enough, self.place) = (0, 0, Place::default());
        (self.at, self.at_marker) = (at, false);
    }

    /// Whether a unit can be read from a place on. If not, [`fill`](Self::fill) it.
    #[inline(always)]
    pub(super) fn holds_unit(&self, place: Place) -> bool {
        place.next < self.enough
    }

    /// Reads from a place on, for no longer than a unit.
    #[inline(always)]
    pub(super) fn reading(&self, place: Place) -> Reading<'_> {
        Reading { data: &self.data, place }
    }

    /// Makes sure that a unit can be read. False if the file's data so far isn't enough.
    #[inline(never)]
    pub(super) fn fill(&mut self, part: Part) -> bool {
        if !self.at_marker {
            let next = self.place.next.min(self.filled);
            self.data.copy_within(next..self.filled, 0);
            self.filled -= next;
            self.place.next = 0;
            self.unstuff(part);
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

    fn unstuff(&mut self, part: Part) {
        while self.filled + 8 <= HELD {
            let Some(rest) = part.from(self.at) else { return };
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

    /// Bits of data that were not read; negative if more was read than there is.
    fn left(&self) -> i64 {
        8 * (self.filled as i64 - self.place.next as i64) + i64::from(self.place.count)
    }

    /// True if more was read than there is.
    pub(super) fn ran_out(&self) -> bool {
        self.left() < 0
    }

    /// Ends the data: nothing but the padding of the last byte may be left. Returns where it ended.
    pub(super) fn end(&mut self, part: Part) -> Result<usize, Halt> {
        if !self.at_marker && !self.fill(part) {
            return Err(Halt::Starved);
        }
        if (0..8).contains(&self.left()) && self.at_marker { Ok(self.at) } else { Err(Halt::Outside) }
    }
}

impl Reading<'_> {
    /// Holds at least 56 bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        // Without a branch. Bits that are held already come out the same.
        let word =
            self.data.get(self.place.next..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_be_bytes(*word));
        self.place.window |= word >> self.place.count;
        self.place.next += ((63 - self.place.count) >> 3) as usize;
        self.place.count |= 56;
    }

    /// Holds at least 32 bits, more than any term takes.
    #[inline(always)]
    pub(super) fn refill_if_low(&mut self) {
        if self.place.count < 32 {
            self.refill();
        }
    }

    /// The next `count` bits, 1 to 32, which stay.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.place.window >> (64 - count)) as u32
    }

    /// Passes over as many bits as the six lowest bits of `count` say, 31 at most. The bits above those are ignored, so
    /// that an entry of a table can be given as it is.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.place.window = self.place.window.wrapping_shl(count);
        self.place.count = self.place.count.wrapping_sub(count & 63);
    }

    /// Takes `count` bits, 0 to 16.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = (self.place.window >> 32 >> (32 - count)) as u32;
        self.skip(count);
        value
    }
}
