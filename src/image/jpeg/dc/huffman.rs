//! Huffman tables (ITU T.81, annex C). A table of 2^12 entries maps the next 12 bits to a code, and where possible to
//! the value bits after it, too.

use std::ops::RangeInclusive;

use super::super::markers::HuffmanTable;
use super::super::part::Outside;
use super::bits::Reading;
use super::plane::{LOW, Steps};

/// Number of bits by which the tables are indexed: codes of up to 12 bits are found by one table lookup.
const LOOKAHEAD: u32 = 12;

/// A table's canonical code. Most codes are found by the next 12 bits; longer ones by trying one length after another.
#[derive(Clone)]
pub(in super::super) struct Code {
    /// `symbol << 8 | length`, indexed by the next 12 bits. 0 if the code is longer than 12 bits, or the bits are no
    /// code.
    short: Box<[u16; 1 << LOOKAHEAD]>,
    /// For each code length: the number after the last code of that length, shifted left to 16 bits; 0 if no code has
    /// the length.
    ends: [u32; 16],
    /// For each code length: the number to add to a code to get the index of its symbol in `symbols`.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Code {
    /// Builds the decoding tables. Returns [`Outside`] if the lengths make no prefix code, or if a symbol of a DC table
    /// is above 15.
    pub(in super::super) fn new(table: &HuffmanTable, dc: bool) -> Result<Self, Outside> {
        let HuffmanTable { counts, symbols } = table;
        if dc && symbols.iter().any(|&symbol| symbol > 15) {
            return Err(Outside);
        }
        let mut short = Box::new([0; 1 << LOOKAHEAD]);
        let (mut ends, mut offsets) = ([0; 16], [0; 16]);
        let (mut code, mut place) = (0u32, 0);
        for (length, &count) in (1..).zip(counts) {
            offsets[length - 1] = place as i32 - code as i32;
            for &symbol in &symbols[place..place + usize::from(count)] {
                // No code may consist of ones only (C.2).
                if code + 1 >= 1 << length {
                    return Err(Outside);
                }
                if let Some(share) = LOOKAHEAD.checked_sub(length as u32) {
                    let entry = u16::from(symbol) << 8 | length as u16;
                    short[(code << share) as usize..((code + 1) << share) as usize].fill(entry);
                }
                code += 1;
            }
            place += usize::from(count);
            ends[length - 1] = if count > 0 { code << (16 - length) } else { 0 };
            code <<= 1;
        }
        Ok(Self { short, ends, offsets, symbols: symbols.clone() })
    }

    /// Returns the symbol whose code is at the start of these 16 bits, and the length of the code.
    #[inline(always)]
    pub(in super::super) fn symbol(&self, bits: u32) -> Option<(u8, u32)> {
        match self.short[(bits >> (16 - LOOKAHEAD)) as usize & ((1 << LOOKAHEAD) - 1)] {
            0 => self.long_symbol(bits),
            entry => Some(((entry >> 8) as u8, u32::from(entry & 0xff))),
        }
    }

    #[cold]
    fn long_symbol(&self, bits: u32) -> Option<(u8, u32)> {
        let length = self.ends.iter().position(|&end| bits < end)?;
        let place = (bits >> (15 - length)) as i32 + self.offsets[length];
        Some((*self.symbols.get(place as usize)?, length as u32 + 1))
    }
}

/// A Huffman table for differences of DC coefficients, with code and value found by one table lookup.
pub(super) struct DcTable {
    /// `size << 8 | bits`, indexed by the next 12 bits. `size` is the number of bits of the value. `bits` is the number
    /// of bits of code and value together; the value may reach beyond the 12 bits. The entry is 0 if the code is longer
    /// than 12 bits, or if `bits` would be more than [`MOST`](Self::MOST).
    lookup: Box<[u16; 1 << LOOKAHEAD]>,
    code: Code,
}

impl DcTable {
    /// Largest number of bits (code and value together) that an entry covers.
    const MOST: u32 = 20;

    pub(super) fn new(code: &Code) -> Result<Self, Outside> {
        // With samples of 8 bits, a difference has at most 11 bits (F.1.2.1).
        if code.symbols.iter().any(|&symbol| symbol > 11) {
            return Err(Outside);
        }
        let lookup = table(|bits| match code.symbol(bits << (16 - LOOKAHEAD)) {
            Some((size, length)) if length <= LOOKAHEAD && length + u32::from(size) <= Self::MOST => {
                u16::from(size) << 8 | (length + u32::from(size)) as u16
            }
            _ => 0,
        });
        Ok(Self { lookup, code: code.clone() })
    }

    /// Reads a difference. At least 32 bits must have been read ahead. If 56 were, at least 36 are left afterwards,
    /// which [`AcTable::skip_block`] needs.
    #[inline(always)]
    pub(super) fn read(&self, bits: &mut Reading) -> Result<i32, Outside> {
        let entry = u32::from(self.lookup[bits.peek(LOOKAHEAD) as usize]);
        if entry == 0 {
            let (size, length) = self.code.symbol(bits.peek(16)).ok_or(Outside)?;
            bits.skip(length);
            let difference = extend(bits.take(size.into()), size.into());
            bits.refill();
            return Ok(difference);
        }
        let (size, count) = (entry >> 8, entry & 0xff);
        let value = bits.peek(count) & ((1 << size) - 1);
        bits.skip(count);
        Ok(extend(value, size))
    }
}

/// A Huffman table for skipping AC coefficients. Their values aren't decoded; only an upper bound on the sum of their
/// squares is kept.
pub(super) struct AcTable {
    /// `energy << 16 | terms << 6 | bits`, indexed by the next 12 bits. An entry covers as many coefficients as the 12
    /// bits hold codes of. `bits` is the number of bits to skip. `terms` is the number of places of the band that they
    /// pass, plus [`LAST`] if they end the band; it is [`NONE`] if no coefficient can be covered. `energy` is an upper
    /// bound on the sum of their squares before dequantization.
    lookup: Box<[u32; 1 << LOOKAHEAD]>,
    code: Code,
    /// [`Steps::squares`](super::plane::Steps::squares), with places shifted so that the band always ends at place 64.
    /// So the end of every band is found by the same comparison.
    squares: [u32; 64],
    /// The place at which the band begins, shifted like `squares`.
    first: u32,
    /// Number of low bits of each coefficient that this scan leaves to later scans.
    low: u32,
    /// By how much places are shifted.
    moved: u32,
    /// `symbol << 8 | length`, indexed by the next [`GLANCE`] bits; 0 if the code is longer, or if there is none. It is
    /// a table of its own because it stays in the processor's nearest cache.
    glance: Box<[u16; 1 << GLANCE]>,
    /// The squares of the steps of places 1 to 5.
    low_squares: [u64; LOW],
}

/// Number of bits by which the table of single symbols is indexed.
const GLANCE: u32 = 9;

/// Largest number of bits that an entry of an [`AcTable`] covers.
const MOST: u32 = 18;
/// Added to `terms` of an [`AcTable`]'s entry that ends the band.
const LAST: u32 = 128;
/// The `terms` of an [`AcTable`]'s entry that covers no coefficient, which must then be read by its code.
const NONE: u32 = 512;

impl AcTable {
    /// Makes the table for a scan of the coefficients `band` without their `low` lowest bits. Returns [`Outside`] if a
    /// symbol is illegal. Only progressive scans may have symbols that end the band in several blocks at once.
    pub(super) fn new(
        code: &Code,
        steps: &Steps,
        band: RangeInclusive<u8>,
        low: u8,
        progressive: bool,
    ) -> Result<Self, Outside> {
        // With samples of 8 bits, an AC coefficient has at most 10 bits (F.1.2.2).
        let is_legal = |&symbol: &u8| match symbol & 15 {
            0 => progressive || matches!(symbol, 0 | 0xf0),
            size => size <= 10,
        };
        if !code.symbols.iter().all(is_legal) {
            return Err(Outside);
        }
        let low = u32::from(low);
        let lookup = table(|bits| {
            let (mut used, mut terms, mut energy) = (0, 0, 0);
            // The value of a coefficient is skipped unseen, so it may lie beyond the 12 bits. Its code must lie within
            // them.
            while let Some((symbol, length)) = code.symbol((bits << used & ((1 << LOOKAHEAD) - 1)) << (16 - LOOKAHEAD))
            {
                let size = u32::from(symbol & 15);
                let end = used + length + size;
                // Leaves runs of more than 63 places to `skip_block`, which refuses them. In an entry, their number
                // could be mistaken for one with LAST.
                let too_many = symbol != 0 && terms + u32::from(symbol >> 4) + 1 > 63;
                let ends_several = size == 0 && !matches!(symbol, 0 | 0xf0);
                let square = largest_square(size, low);
                let too_strong = energy + square > u32::from(u16::MAX);
                if used + length > LOOKAHEAD || end > MOST || too_many || ends_several || too_strong {
                    break;
                }
                used = end;
                energy += square;
                if symbol == 0 {
                    terms += LAST;
                    break;
                }
                terms += u32::from(symbol >> 4) + 1;
                if used >= LOOKAHEAD {
                    break;
                }
            }
            energy << 16 | if used == 0 { NONE << 6 } else { terms << 6 | used }
        });
        let moved = 63 - u32::from(*band.end());
        let squares = std::array::from_fn(|place| steps.squares[((place as u32).wrapping_sub(moved) & 63) as usize]);
        let mut glance = Box::new([0; 1 << GLANCE]);
        for (bits, entry) in (0..).zip(glance.iter_mut()) {
            let code = code.symbol(bits << (16 - GLANCE)).filter(|&(_, length)| length <= GLANCE);
            *entry = code.map_or(0, |(symbol, length)| u16::from(symbol) << 8 | length as u16);
        }
        let low_squares = steps.low.map(|step| u64::from(step.min(1024)).pow(2));
        let first = u32::from(*band.start()) + moved;
        Ok(Self { lookup, code: code.clone(), squares, first, low, moved, glance, low_squares })
    }

    /// Decodes the coefficients at places 1 to 5 into `values`, each times two, and skips the others. If `values` is
    /// empty, skips them all. Returns the same as [`skip_block`](Self::skip_block). At least 36 bits must have been
    /// read ahead.
    ///
    /// If the scan leaves low bits to later scans, a coefficient other than 0 counts as if half of what they can add
    /// were added. The function isn't inlined, because it is large and has several callers.
    #[inline(never)]
    pub(super) fn read_block(&self, bits: &mut Reading, values: &mut [i16]) -> Result<(u32, u64), Outside> {
        let (mut next, mut energy) = (self.first, 0);
        let end = if values.is_empty() { 0 } else { (LOW as u32 + 1 + self.moved).min(64) };
        while next < end {
            bits.refill_if_low();
            let entry = u32::from(self.glance[bits.peek(GLANCE) as usize]);
            let (symbol, length) =
                if entry == 0 { self.long_symbol(bits.peek(16))? } else { (entry >> 8, entry & 0xff) };
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 {
                bits.skip(length);
                if run < 15 {
                    return Ok(((1 << run) + bits.take(run) - 1, energy));
                }
                next += 16;
            } else {
                let count = length + size;
                let value = extend(bits.peek(count) & ((1 << size) - 1), size);
                bits.skip(count);
                let place = next + run;
                if size + self.low > 10 {
                    return Err(Outside);
                }
                if let Some(slot) = values.get_mut((place - self.moved).wrapping_sub(1) as usize) {
                    // At most 2 * 1023, so it fits.
                    let twice = (value.abs() << (self.low + 1)) + (1 << self.low) - 1;
                    *slot = (value.signum() * twice) as i16;
                    let most = ((value.unsigned_abs() + 1) << self.low) - 1;
                    energy += u64::from(most).pow(2) * self.low_squares[(place - self.moved - 1) as usize];
                } else {
                    energy += self.energy(largest_square(size, self.low), place + 1);
                }
                next = place + 1;
            }
            if next > 64 {
                // An index past the band.
                return Err(Outside);
            }
        }
        if next == 64 {
            return Ok((0, energy));
        }
        bits.refill();
        let (ended, rest) = self.skip_from(bits, next)?;
        Ok((ended, energy + rest))
    }

    #[cold]
    fn long_symbol(&self, bits: u32) -> Result<(u32, u32), Outside> {
        let (symbol, length) = self.code.symbol(bits).ok_or(Outside)?;
        Ok((symbol.into(), length))
    }

    /// Skips the coefficients of a block. Returns the number of following blocks in which the band is empty, and an
    /// upper bound on the sum of the squares of the dequantized coefficients. At least 36 bits must have been read
    /// ahead.
    #[inline(always)]
    pub(super) fn skip_block(&self, bits: &mut Reading) -> Result<(u32, u64), Outside> {
        self.skip_from(bits, self.first)
    }

    /// Skips the coefficients of a block from place `first` on, and returns the same as
    /// [`skip_block`](Self::skip_block).
    #[inline(always)]
    fn skip_from(&self, bits: &mut Reading, first: u32) -> Result<(u32, u64), Outside> {
        // `strength` is the energy (before dequantization) since it was last multiplied by the squares of the steps and
        // added to `energy`. That is done once per several lookups, to save time.
        let (mut next, mut strength, mut energy) = (first, 0, 0);
        // 36 bits are enough for two lookups, because a lookup takes at most 18.
        let (mut entry, mut after) = self.pass(bits, &mut next, &mut strength, 2);
        loop {
            if after < 64 {
                bits.refill();
                energy += self.energy(strength, next);
                strength = 0;
                // Now 56 bits were read ahead, which is enough for three lookups.
                (entry, after) = self.pass(bits, &mut next, &mut strength, 3);
            } else if (LAST + 1..LAST + 64).contains(&after) {
                bits.skip(entry);
                return Ok((0, energy + self.energy(strength + (entry >> 16), after)));
            } else {
                // Reads one coefficient by its code. Either the entry covers no coefficient, or it covers codes past
                // the end of the band, which belong to the next block.
                bits.refill();
                energy += self.energy(strength, next);
                strength = 0;
                let (symbol, length) = self.code.symbol(bits.peek(16)).ok_or(Outside)?;
                bits.skip(length);
                let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                if size == 0 && run < 15 {
                    return Ok(((1 << run) + bits.take(run) - 1, energy));
                }
                bits.skip(size);
                next += run + 1;
                if next > 64 || size + self.low > 10 {
                    // An index past the band, or a coefficient that no samples have.
                    return Err(Outside);
                }
                energy += self.energy(largest_square(size, self.low), next);
                if next == 64 {
                    return Ok((0, energy));
                }
                after = next;
            }
        }
    }

    /// Returns an upper bound on the sum of squares after dequantization. `energy` is the bound before it, of
    /// coefficients that all lie before place `after`.
    #[inline(always)]
    fn energy(&self, energy: u32, after: u32) -> u64 {
        u64::from(energy) * u64::from(self.squares[(after & 63) as usize])
    }

    /// Skips coefficients by at most `lookups` table lookups. Stops before an entry that reaches place 64, ends the
    /// band, or covers no coefficient. Returns the last entry that was looked up, and the place that it leads to (64 or
    /// more if the entry was not skipped).
    #[inline(always)]
    fn pass(&self, bits: &mut Reading, next: &mut u32, strength: &mut u32, lookups: u32) -> (u32, u32) {
        let mut last = (0, 0);
        for _ in 0..lookups {
            let entry = self.lookup[bits.peek(LOOKAHEAD) as usize];
            last = (entry, *next + (entry >> 6 & 0x3ff));
            if last.1 >= 64 {
                break;
            }
            bits.skip(entry);
            *next = last.1;
            *strength += entry >> 16;
        }
        last
    }
}

/// Returns the largest possible square of a value of `size` known bits followed by `low` unknown bits.
fn largest_square(size: u32, low: u32) -> u32 {
    if size == 0 { 0 } else { ((1u32 << (size + low).min(16)) - 1).pow(2) }
}

/// Makes a table with an entry for each value of the next 12 bits.
fn table<T: Copy + Default>(entry: impl Fn(u32) -> T) -> Box<[T; 1 << LOOKAHEAD]> {
    let mut table = Box::new([T::default(); 1 << LOOKAHEAD]);
    for (bits, place) in (0..).zip(table.iter_mut()) {
        *place = entry(bits);
    }
    table
}

/// Returns the signed value that `size` bits stand for (F.2.2.1, EXTEND).
fn extend(value: u32, size: u32) -> i32 {
    let (value, values) = (value as i32, 1 << size);
    if value < values >> 1 { value - values + 1 } else { value }
}
