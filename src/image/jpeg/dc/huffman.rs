//! Huffman tables (ITU T.81, annex C) as lookups of 12 bits, code and value bits together.

use std::ops::RangeInclusive;

use super::super::markers::HuffmanTable;
use super::super::part::Outside;
use super::bits::Reading;

/// Bits that a lookup sees.
const LOOKAHEAD: u32 = 12;

/// A table's canonical code, decoded by the next 12 bits, and bit length by bit length where they aren't enough.
#[derive(Clone)]
pub(in super::super) struct Code {
    /// By the next 12 bits: `symbol << 8 | length`; 0 if the code is longer, or none.
    short: Box<[u16; 1 << LOOKAHEAD]>,
    /// For each length: one past the last code, shifted to 16 bits; 0 if there is none.
    ends: [u32; 16],
    /// For each length: what added to a code gives the place of its symbol.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Code {
    /// Builds the decoding tables. Fails if the lengths make no prefix code, or a symbol of a DC table is above 15.
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
                // The code of all ones stays free (C.2).
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

    /// The symbol whose code begins the 16 bits, and its length.
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

/// A table of differences of DC terms.
pub(super) struct DcTable {
    /// By the next 12 bits: `size << 8 | bits`, the bits of a code and of its value, which may lie beyond; 0 if they aren't enough
    /// for the code, or too many.
    lookup: Box<[u16; 1 << LOOKAHEAD]>,
    code: Code,
}

impl DcTable {
    /// Bits that an entry stands for, at most.
    const MOST: u32 = 20;

    pub(super) fn new(code: &Code) -> Result<Self, Outside> {
        // Samples of 8 bits have differences of up to 11 (F.1.2.1).
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

    /// Reads a difference. 32 bits must be held; of 56, at least 36 are left.
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

/// A table of AC terms, which are passed over.
pub(super) struct AcTable {
    /// By the next 12 bits, for as many whole terms as they hold: `terms << 6 | bits`, where `terms` counts the places in the
    /// block that they pass: [`LAST`] and more if they end it, [`NONE`] if the bits aren't enough for one.
    lookup: Box<[u16; 1 << LOOKAHEAD]>,
    code: Code,
}

/// Bits that an entry passes over, at most.
const MOST: u32 = 18;
const LAST: u32 = 128;
const NONE: u32 = 512;

impl AcTable {
    pub(super) fn new(code: &Code) -> Result<Self, Outside> {
        // Terms of samples of 8 bits have up to 10 bits (F.1.2.2); without any, only the end of the block and a run
        // of 16 zeros have a meaning.
        if code.symbols.iter().any(|&symbol| symbol & 15 > 10 || symbol & 15 == 0 && symbol != 0 && symbol != 0xf0) {
            return Err(Outside);
        }
        let lookup = table(|bits| {
            let (mut used, mut terms) = (0, 0);
            // A term's value may be beyond what is looked at, but not its code.
            while let Some((symbol, length)) = code.symbol((bits << used & ((1 << LOOKAHEAD) - 1)) << (16 - LOOKAHEAD))
            {
                let end = used + length + u32::from(symbol & 15);
                // More terms than a block has are for the slow way to refuse, and must not be taken for LAST.
                let too_many = symbol != 0 && terms + u32::from(symbol >> 4) + 1 > 63;
                if used + length > LOOKAHEAD || end > MOST || too_many {
                    break;
                }
                used = end;
                if symbol == 0 {
                    terms += LAST;
                    break;
                }
                terms += u32::from(symbol >> 4) + 1;
                if used >= LOOKAHEAD {
                    break;
                }
            }
            (if used == 0 { NONE << 6 } else { terms << 6 | used }) as u16
        });
        Ok(Self { lookup, code: code.clone() })
    }

    /// Passes over the 63 AC terms of a block, whose DC term was just read.
    #[inline(always)]
    pub(super) fn skip_block(&self, bits: &mut Reading) -> Result<(), Outside> {
        let mut next = 1;
        // 36 bits are enough for two lookups.
        let (mut entry, mut after) = self.pass(bits, &mut next, 2);
        loop {
            if after < 64 {
                bits.refill();
                // 54 are for three.
                (entry, after) = self.pass(bits, &mut next, 3);
            } else if (LAST + 1..LAST + 64).contains(&after) {
                bits.skip(entry);
                return Ok(());
            } else {
                // Not enough bits, or the block may end amid the entry, and what follows belongs to another.
                bits.refill();
                let (symbol, length) = self.code.symbol(bits.peek(16)).ok_or(Outside)?;
                bits.skip(length);
                bits.skip(u32::from(symbol & 15));
                if symbol == 0 {
                    return Ok(());
                }
                next += u32::from(symbol >> 4) + 1;
                if next >= 64 {
                    // Past the last term: an index too large.
                    return if next == 64 { Ok(()) } else { Err(Outside) };
                }
                after = next;
            }
        }
    }

    /// Passes over terms by a number of lookups, or up to one that needs more than that, which is returned: its entry, and the place
    /// after it.
    #[inline(always)]
    fn pass(&self, bits: &mut Reading, next: &mut u32, lookups: u32) -> (u32, u32) {
        let mut last = (0, 0);
        for _ in 0..lookups {
            let entry = u32::from(self.lookup[bits.peek(LOOKAHEAD) as usize]);
            last = (entry, *next + (entry >> 6));
            if last.1 >= 64 {
                break;
            }
            bits.skip(entry);
            *next = last.1;
        }
        last
    }
}

/// What is looked up by the next 12 bits.
fn table<T: Copy + Default>(entry: impl Fn(u32) -> T) -> Box<[T; 1 << LOOKAHEAD]> {
    let mut table = Box::new([T::default(); 1 << LOOKAHEAD]);
    for (bits, place) in (0..).zip(table.iter_mut()) {
        *place = entry(bits);
    }
    table
}

/// A table of AC terms of a progressive frame.
pub(super) struct BandTable(Code);

impl BandTable {
    pub(super) fn new(code: &Code) -> Result<Self, Outside> {
        if code.symbols.iter().any(|&symbol| symbol & 15 > 10) {
            return Err(Outside);
        }
        Ok(Self(code.clone()))
    }

    /// Passes over a block's terms in their first scan, whose lowest bit is `low`. Returns how many blocks after it have none.
    pub(super) fn skip_block(&self, bits: &mut Reading, band: RangeInclusive<u8>, low: u8) -> Result<u32, Outside> {
        let (mut next, last) = (*band.start(), *band.end());
        while next <= last {
            bits.refill_if_low();
            let (symbol, length) = self.0.symbol(bits.peek(16)).ok_or(Outside)?;
            bits.skip(length);
            let (run, size) = (symbol >> 4, symbol & 15);
            match (run, size) {
                (15, 0) => next += 16,
                (_, 0) => return Ok((1 << run) + bits.take(run.into()) - 1),
                _ => {
                    next += run + 1;
                    bits.skip(size.into());
                    // Terms have up to 10 bits in all (F.1.2.2).
                    if size + low > 10 {
                        return Err(Outside);
                    }
                }
            }
        }
        if next == last + 1 { Ok(0) } else { Err(Outside) }
    }
}

/// A value of `size` bits with its sign (F.2.2.1, EXTEND).
fn extend(value: u32, size: u32) -> i32 {
    let (value, values) = (value as i32, 1 << size);
    if value < values >> 1 { value - values + 1 } else { value }
}
