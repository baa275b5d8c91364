//! Reads the bits of entropy-coded data up to the next marker (ITU T.81, F.2.2.5).

use super::super::part::{Halt, Part};

/// Largest number of bytes of the file that are copied ahead of reading.
const HELD: usize = 8192;
/// More bytes than one unit (the blocks that a scan codes together) can take. A unit takes at most 1,296 bytes: 6
/// blocks of 64 coefficients, each with 16 bits of code and 11 bits of value (T.81, F.1.2).
const UNIT: usize = 1536;

/// Data that is read bit by bit, the highest bit of each byte first.
///
/// [`fill`](Bits::fill) copies the next bytes of the file without their stuffing (the zero after each 0xff), and the
/// bits are read from the copy. Reading past the end of the data gives zeros and no error; [`ran_out`](Bits::ran_out)
/// tells afterwards that it happened.
pub(super) struct Bits {
    /// The copy of the file's data, without stuffing. Zeros follow the last byte of the data.
    data: Box<[u8; HELD + UNIT]>,
    /// Number of bytes in `data` that were copied from the file.
    filled: usize,
    /// Position in `data` before which a whole unit can be read. From there on, `fill` must be called first.
    enough: usize,
    /// Position in the file of the next byte to copy.
    pub(super) at: usize,
    /// Whether a marker begins at `at`, so that the data ends there.
    at_marker: bool,
    /// How far `data` was read.
    pub(super) place: Place,
}

/// How far data was read.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// Position in `data` of the next byte that isn't in `window` yet.
    next: usize,
    /// Bits that were read ahead, from the highest down.
    window: u64,
    /// Number of valid bits in `window`. The bits below them are zeros, or the first bits of the byte at `next`.
    count: u32,
}

/// Reads bits from the copy in [`Bits`]. It is a separate type, so that the compiler keeps its fields in registers.
pub(super) struct Reading<'a> {
    data: &'a [u8; HELD + UNIT],
    pub(super) place: Place,
}

impl Bits {
    /// Begins to read at a position in the file.
    pub(super) fn new(at: usize) -> Self {
        let data = Box::new([0; HELD + UNIT]);
        Self { data, filled: 0, enough: 0, at, at_marker: false, place: Place::default() }
    }

    /// Drops the copy and begins again at another position in the file, such as after a restart marker.
    pub(super) fn restart(&mut self, at: usize) {
        (self.filled, self.enough, self.place) = (0, 0, Place::default());
        (self.at, self.at_marker) = (at, false);
    }

    /// Returns whether `data` holds a whole unit from `place` on. If not, call [`fill`](Self::fill).
    #[inline(always)]
    pub(super) fn holds_unit(&self, place: Place) -> bool {
        place.next < self.enough
    }

    /// Begins to read at `place`. At most one unit may be read, because nothing checks for the end of the copy
    /// meanwhile.
    #[inline(always)]
    pub(super) fn reading(&self, place: Place) -> Reading<'_> {
        Reading { data: &self.data, place }
    }

    /// Copies more of the file, so that a whole unit can be read. Returns false if too little of the file has arrived.
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
                // True if none of the eight bytes is 0xff. There is then no stuffing and no marker among them, and all
                // eight are copied.
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

    /// Returns the number of copied bits that were not read yet; negative if zeros past the end were read.
    fn left(&self) -> i64 {
        8 * (self.filled as i64 - self.place.next as i64) + i64::from(self.place.count)
    }

    /// Returns whether zeros past the end of the data were read.
    pub(super) fn ran_out(&self) -> bool {
        self.left() < 0
    }

    /// Ends the data, and returns the position in the file of the marker after it. Only the padding bits of the last
    /// byte may be unread. If more bits are unread, or if bits after the end were read, returns [`Halt::Outside`].
    pub(super) fn end(&mut self, part: Part) -> Result<usize, Halt> {
        if !self.at_marker && !self.fill(part) {
            return Err(Halt::Starved);
        }
        if (0..8).contains(&self.left()) && self.at_marker { Ok(self.at) } else { Err(Halt::Outside) }
    }
}

impl Reading<'_> {
    /// Reads ahead, so that `window` has at least 56 bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        // This works without a branch. The last byte may be read only in part. Then it is read again the next time, and
        // OR-ing its bits a second time changes nothing.
        let word =
            self.data.get(self.place.next..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_be_bytes(*word));
        self.place.window |= word >> self.place.count;
        self.place.next += ((63 - self.place.count) >> 3) as usize;
        self.place.count |= 56;
    }

    /// Reads ahead if needed, so that `window` has at least 32 bits. No coefficient takes more.
    #[inline(always)]
    pub(super) fn refill_if_low(&mut self) {
        if self.place.count < 32 {
            self.refill();
        }
    }

    /// Returns the next `count` bits (1 to 32) without taking them.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.place.window >> (64 - count)) as u32
    }

    /// Skips `count & 63` bits, which must be at most 31. The higher bits of `count` are ignored, so that callers can
    /// pass a packed table entry unmasked.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.place.window = self.place.window.wrapping_shl(count);
        self.place.count = self.place.count.wrapping_sub(count & 63);
    }

    /// Takes the next `count` bits, 0 to 16, and returns them.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = (self.place.window >> 32 >> (32 - count)) as u32;
        self.skip(count);
        value
    }
}
