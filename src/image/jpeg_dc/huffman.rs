//! Huffman tables (ITU T.81, annex C) as lookups of 12 bits, code and value bits together.

use std::ops::RangeInclusive;

use super::Outside;
use super::bits::Bits;

/// Bits that a lookup sees.
const LOOKAHEAD: u32 = 12;

/// A table as its segment defines it: the number of codes of each length, and their symbols.
#[derive(Clone)]
pub(super) struct Definition {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Definition {
    /// Takes one table off a DHT segment (B.2.4.2).
    pub(super) fn parse(segment: &mut &[u8]) -> Result<Self, Outside> {
        let (counts, rest) = segment.split_first_chunk::<16>().ok_or(Outside)?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(total).ok_or(Outside)?;
        *segment = rest;
        Ok(Self { counts: *counts, symbols: symbols.to_vec() })
    }
}

/// The canonical code of a table, decoded bit length by bit length: what lookups are made from and
/// what they leave over.
struct Canonical {
    /// For each length: one past the last code, shifted to 16 bits; 0 if there is none.
    ends: [u32; 16],
    /// For each length: what added to a code gives the place of its symbol.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Canonical {
    fn new(definition: &Definition) -> Result<Self, Outside> {
        let (mut ends, mut offsets) = ([0; 16], [0; 16]);
        let (mut code, mut place) = (0u32, 0i32);
        for length in 0..16 {
            let count = u32::from(definition.counts[length]);
            offsets[length] = place - code as i32;
            code += count;
            place += count as i32;
            // The code of all ones stays free (C.2).
            if count > 0 && code >= 2 << length {
                return Err(Outside);
            }
            ends[length] = if count > 0 { code << (15 - length) } else { 0 };
            code <<= 1;
        }
        Ok(Self { ends, offsets, symbols: definition.symbols.clone() })
    }

    /// The symbol whose code begins the 16 bits, and its length.
    fn symbol(&self, bits: u32) -> Option<(u8, u32)> {
        let length = self.ends.iter().position(|&end| bits < end)?;
        let place = (bits >> (15 - length)) as i32 + self.offsets[length];
        Some((*self.symbols.get(place as usize)?, length as u32 + 1))
    }
}

/// A table of differences of DC terms.
pub(super) struct DcTable {
    /// By the next 12 bits: `difference << 4 | bits`; 0 if they aren't enough.
    lookup: Vec<i16>,
    canonical: Canonical,
}

impl DcTable {
    pub(super) fn new(definition: &Definition) -> Result<Self, Outside> {
        // Samples of 8 bits have differences of up to 11 (F.1.2.1).
        if definition.symbols.iter().any(|&symbol| symbol > 11) {
            return Err(Outside);
        }
        let canonical = Canonical::new(definition)?;
        let lookup = (0..1u32 << LOOKAHEAD).map(|bits| match canonical.symbol(bits << (16 - LOOKAHEAD)) {
            Some((size, length)) if length + u32::from(size) <= LOOKAHEAD => {
                let total = length + u32::from(size);
                let value = bits >> (LOOKAHEAD - total) & ((1 << size) - 1);
                (extend(value, size.into()) << 4) as i16 | total as i16
            }
            _ => 0,
        });
        Ok(Self { lookup: lookup.collect(), canonical })
    }

    /// Reads a difference.
    #[inline(always)]
    pub(super) fn read(&self, bits: &mut Bits) -> Result<i32, Outside> {
        bits.refill();
        let entry = self.lookup[bits.peek(LOOKAHEAD) as usize];
        if entry != 0 {
            bits.skip(entry as u32 & 15);
            return Ok(i32::from(entry) >> 4);
        }
        let (size, length) = self.canonical.symbol(bits.peek(16)).ok_or(Outside)?;
        bits.skip(length);
        Ok(extend(bits.take(size.into()), size.into()))
    }
}

/// A table of AC terms, which are passed over.
pub(super) struct AcTable {
    /// By the next 12 bits, for as many whole terms as they hold: `terms << 5 | last << 4 | bits`, where `terms` counts the
    /// places in the block that they pass and `last` is 1 if they end it; 0 if the bits aren't enough for one.
    lookup: Vec<u16>,
    canonical: Canonical,
}

const LAST: u16 = 1 << 4;

impl AcTable {
    pub(super) fn new(definition: &Definition) -> Result<Self, Outside> {
        // Terms of samples of 8 bits have up to 10 bits (F.1.2.2); without any, only the end of the block and a run
        // of 16 zeros have a meaning.
        if definition
            .symbols
            .iter()
            .any(|&symbol| symbol & 15 > 10 || symbol & 15 == 0 && symbol != 0 && symbol != 0xf0)
        {
            return Err(Outside);
        }
        let canonical = Canonical::new(definition)?;
        let lookup = (0..1u32 << LOOKAHEAD).map(|bits| {
            let (mut used, mut terms) = (0, 0);
            while let Some((symbol, length)) = canonical.symbol((bits << used & 0xfff) << (16 - LOOKAHEAD)) {
                let end = used + length + u32::from(symbol & 15);
                if end > LOOKAHEAD {
                    break;
                }
                used = end;
                if symbol == 0 {
                    return terms << 5 | LAST | used as u16;
                }
                terms += u16::from(symbol >> 4) + 1;
            }
            terms << 5 | used as u16
        });
        Ok(Self { lookup: lookup.collect(), canonical })
    }

    /// Passes over the 63 AC terms of a block.
    #[inline(always)]
    pub(super) fn skip_block(&self, bits: &mut Bits) -> Result<(), Outside> {
        let mut next = 1;
        while next < 64 {
            bits.refill();
            let entry = self.lookup[bits.peek(LOOKAHEAD) as usize];
            let after = next + u32::from(entry >> 5);
            // If the block may end amid the entry, what follows belongs to another.
            if entry == 0 || after >= 64 {
                let (symbol, length) = self.canonical.symbol(bits.peek(16)).ok_or(Outside)?;
                bits.skip(length);
                bits.skip(u32::from(symbol & 15));
                if symbol == 0 {
                    return Ok(());
                }
                next += u32::from(symbol >> 4) + 1;
                continue;
            }
            bits.skip(u32::from(entry & 15));
            if entry & LAST != 0 {
                return Ok(());
            }
            next = after;
        }
        // Past the last term: an index too large.
        if next == 64 { Ok(()) } else { Err(Outside) }
    }
}

/// A table of AC terms of a progressive frame.
pub(super) struct BandTable(Canonical);

impl BandTable {
    pub(super) fn new(definition: &Definition) -> Result<Self, Outside> {
        if definition.symbols.iter().any(|&symbol| symbol & 15 > 10) {
            return Err(Outside);
        }
        Ok(Self(Canonical::new(definition)?))
    }

    /// Passes over a block's terms in their first scan, whose lowest bit is `low`. Returns how many blocks after it have none.
    pub(super) fn skip_block(&self, bits: &mut Bits, band: RangeInclusive<u8>, low: u8) -> Result<u32, Outside> {
        let (mut next, last) = (*band.start(), *band.end());
        while next <= last {
            bits.refill();
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
    let value = value as i32;
    if size > 0 && value < 1 << (size - 1) { value - (1 << size) + 1 } else { value }
}
