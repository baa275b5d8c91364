//! Huffman tables (ITU T.81, annex C) as lookups of 12 bits, code and value bits together.

use std::ops::RangeInclusive;

use super::super::markers::HuffmanTable;
use super::super::part::Outside;
use super::bits::Reading;
use super::plane::Steps;

/// Bits that a lookup sees.
const LOOKAHEAD: u32 = 12;

/// A table's canonical code. Most codes are found by the next 12 bits; longer ones by trying one length after another.
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
    /// By the next 12 bits: `size << 8 | bits`. `size` is how many bits the value has, and `bits` how many it has
    /// together with its code; bits of the value may lie beyond the 12. 0 if the code is longer than 12 bits, or both
    /// are longer than [`MOST`](Self::MOST).
    lookup: Box<[u16; 1 << LOOKAHEAD]>,
    code: Code,
}

impl DcTable {
    /// The most bits that an entry stands for.
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

    /// Reads a difference. 32 bits must be held. If 56 are, at least 36 are left for [`AcTable::skip_block`].
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

/// A table of AC coefficients, which are skipped but for a bound on their squares.
pub(super) struct AcTable {
    /// By the next 12 bits, for as many whole coefficients as they hold: `energy << 16 | terms << 6 | bits`. `terms`
    /// counts the places in the band that they pass: [`LAST`] and more if they end it, [`NONE`] if the bits aren't
    /// enough for one coefficient. `energy` is a bound on the sum of their squares, before quantization is undone.
    lookup: Box<[u32; 1 << LOOKAHEAD]>,
    code: Code,
    /// As [`Steps::squares`](super::plane::Steps::squares), moved so that the band ends at the 64th place.
    squares: [u32; 64],
    /// The place at which the band begins, moved likewise.
    first: u32,
    /// How many low bits of the coefficients later scans give.
    low: u32,
}

/// The most bits that an entry of an [`AcTable`] passes over.
const MOST: u32 = 18;
/// Is added to `terms` if the entry ends the band.
const LAST: u32 = 128;
/// Stands for `terms` if the entry has no whole coefficient.
const NONE: u32 = 512;

impl AcTable {
    /// For the band of coefficients `band`, of a scan down to the bit `low`. Only progressive scans may have codes for the
    /// end of the band in several blocks.
    pub(super) fn new(
        code: &Code,
        steps: &Steps,
        band: RangeInclusive<u8>,
        low: u8,
        progressive: bool,
    ) -> Result<Self, Outside> {
        // Coefficients of samples of 8 bits have up to 10 bits (F.1.2.2).
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
            // A coefficient's value may be beyond what is looked at, but not its code.
            while let Some((symbol, length)) = code.symbol((bits << used & ((1 << LOOKAHEAD) - 1)) << (16 - LOOKAHEAD))
            {
                let size = u32::from(symbol & 15);
                let end = used + length + size;
                // More coefficients than a block has are for the slow way to refuse, and must not be taken for LAST.
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
        Ok(Self { lookup, code: code.clone(), squares, first: u32::from(*band.start()) + moved, low })
    }

    /// Skips a block's coefficients. Returns in how many blocks after it the band is empty, and a bound on the sum of the
    /// squares. 36 bits must be held.
    #[inline(always)]
    pub(super) fn skip_block(&self, bits: &mut Reading) -> Result<(u32, u64), Outside> {
        // `strength` is what of the energy is yet to be weighed by the steps, which is done once for several lookups.
        let (mut next, mut strength, mut energy) = (self.first, 0, 0);
        // 36 bits are enough for two lookups.
        let (mut entry, mut after) = self.pass(bits, &mut next, &mut strength, 2);
        loop {
            if after < 64 {
                bits.refill();
                energy += self.energy(strength, next);
                strength = 0;
                // 56 bits are held now, enough for three.
                (entry, after) = self.pass(bits, &mut next, &mut strength, 3);
            } else if (LAST + 1..LAST + 64).contains(&after) {
                bits.skip(entry);
                return Ok((0, energy + self.energy(strength + (entry >> 16), after)));
            } else {
                // Not enough bits, or the block may end amid the entry, and what follows belongs to another.
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

    /// A bound on the squares of coefficients before the `after`th place.
    #[inline(always)]
    fn energy(&self, energy: u32, after: u32) -> u64 {
        u64::from(energy) * u64::from(self.squares[(after & 63) as usize])
    }

    /// Skips coefficients by `lookups` lookups. Stops before an entry that reaches or ends the band's end, or has no
    /// whole coefficient. Returns the last entry that was looked up, and the place after it.
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

/// The largest square of a value of `size` bits, with `low` unknown ones behind them.
fn largest_square(size: u32, low: u32) -> u32 {
    if size == 0 { 0 } else { ((1u32 << (size + low).min(16)) - 1).pow(2) }
}

/// What is looked up by the next 12 bits.
fn table<T: Copy + Default>(entry: impl Fn(u32) -> T) -> Box<[T; 1 << LOOKAHEAD]> {
    let mut table = Box::new([T::default(); 1 << LOOKAHEAD]);
    for (bits, place) in (0..).zip(table.iter_mut()) {
        *place = entry(bits);
    }
    table
}

/// A value of `size` bits with its sign (F.2.2.1, EXTEND).
fn extend(value: u32, size: u32) -> i32 {
    let (value, values) = (value as i32, 1 << size);
    if value < values >> 1 { value - values + 1 } else { value }
}
