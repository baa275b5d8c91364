//! Reads the blocks of a scan in their order.

use super::super::frame::{Component, Frame, Scan, Selected};
use super::super::part::{Halt, Outside, Part};
use super::bits::{Bits, Reading};
use super::huffman::{AcTable, DcTable};
use super::low::LowTerms;
use super::plane::{Term, Terms, add_energy, set_dc};

/// The scan that is being read: its kind decides what is done with its blocks.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum Data {
    Sequential(Walk, Sequential<false>),
    LowSequential(Walk, Sequential<true>),
    First(Walk, FirstTerms),
    Refinement(Walk, Refinement),
    Band(Walk, Band),
    Unneeded(PassOver),
}

/// Reads the blocks of one kind of scan.
pub(super) trait Blocks {
    /// Called at each restart marker. After it, differences of DC coefficients count from 0 again.
    fn restart(&mut self) -> Result<(), Outside> {
        Ok(())
    }

    /// Reads a block and stores its DC coefficient or variance in `term`, and its lowest AC coefficients in `low`.
    fn read(&mut self, bits: &mut Reading, block: Which, term: &mut Term, low: &mut LowTerms) -> Result<(), Outside>;
}

/// Which block is read.
#[derive(Clone, Copy)]
pub(super) struct Which {
    /// The index of its component in the scan.
    place: usize,
    /// Whether the component is luma.
    luma: bool,
    /// The index of the block in its component.
    index: usize,
}

/// A scan of a sequential frame: all coefficients of its components (F.2). `LOW` says whether the lowest AC
/// coefficients of luma are decoded. It is a parameter of the type, so that the loop that doesn't decode them stays
/// short.
pub(super) struct Sequential<const LOW: bool> {
    /// The Huffman tables of each component.
    pub(super) tables: Vec<(DcTable, AcTable)>,
    /// The last DC term of each component, to which the next difference is added.
    pub(super) sums: [i32; 3],
}

impl<const LOW: bool> Blocks for Sequential<LOW> {
    fn restart(&mut self) -> Result<(), Outside> {
        self.sums = [0; 3];
        Ok(())
    }

    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, block: Which, term: &mut Term, low: &mut LowTerms) -> Result<(), Outside> {
        let (dc, ac) = &self.tables[block.place];
        bits.refill();
        let sum = self.sums[block.place].wrapping_add(dc.read(bits)?);
        self.sums[block.place] = sum;
        set_dc(term, i16::try_from(sum).map_err(|_| Outside)?);
        let (_, energy) = if LOW {
            let values: &mut [i16] = if block.luma { low.block(block.index)? } else { &mut [] };
            ac.read_block(bits, values)?
        } else {
            ac.skip_block(bits)?
        };
        add_energy(term, energy);
        Ok(())
    }
}

/// The first scan of DC coefficients of a progressive frame (G.1.2.1).
pub(super) struct FirstTerms {
    /// The Huffman table of each component.
    pub(super) tables: Vec<DcTable>,
    /// The last DC term of each component, to which the next difference is added.
    pub(super) sums: [i32; 3],
    /// Number of low bits of the coefficients that later scans give.
    pub(super) low: u8,
}

impl Blocks for FirstTerms {
    fn restart(&mut self) -> Result<(), Outside> {
        self.sums = [0; 3];
        Ok(())
    }

    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, block: Which, term: &mut Term, _: &mut LowTerms) -> Result<(), Outside> {
        bits.refill_if_low();
        let sum = self.sums[block.place].wrapping_add(self.tables[block.place].read(bits)?);
        self.sums[block.place] = sum;
        set_dc(term, i16::try_from(sum << self.low).map_err(|_| Outside)?);
        Ok(())
    }
}

/// A later scan of DC coefficients, which gives one more bit of each.
pub(super) struct Refinement {
    pub(super) low: u8,
}

impl Blocks for Refinement {
    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, _: Which, term: &mut Term, _: &mut LowTerms) -> Result<(), Outside> {
        bits.refill_if_low();
        *term |= (bits.take(1) as i32) << self.low;
        Ok(())
    }
}

/// The first scan of a band of AC coefficients (G.1.2.2).
pub(super) struct Band {
    pub(super) table: AcTable,
    /// Whether it holds some of the lowest coefficients of luma, which are decoded.
    pub(super) low: bool,
    /// Number of following blocks in which the band is empty.
    pub(super) ended: u32,
}

impl Blocks for Band {
    fn restart(&mut self) -> Result<(), Outside> {
        if self.ended > 0 { Err(Outside) } else { Ok(()) }
    }

    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, block: Which, term: &mut Term, low: &mut LowTerms) -> Result<(), Outside> {
        if self.ended > 0 {
            self.ended -= 1;
        } else {
            let energy;
            bits.refill();
            (self.ended, energy) = if self.low {
                self.table.read_block(bits, low.block(block.index)?)?
            } else {
                self.table.skip_block(bits)?
            };
            add_energy(term, energy);
        }
        Ok(())
    }
}

/// A scan whose coefficients aren't needed. Only its length and its restart markers are checked.
pub(super) struct PassOver {
    pub(super) walk: Walk,
    /// Whether the scan has exactly one bit per block, so that its length is known in advance.
    pub(super) single_bits: bool,
    pub(super) restarts: u32,
    /// Position in the file of the first byte after the last restart marker, and the number of stuffed bytes since
    /// then.
    pub(super) start: usize,
    pub(super) stuffed: usize,
}

impl PassOver {
    /// Searches for the marker that ends the scan, without decoding, and moves `at` there. Returns [`Halt::Outside`] if
    /// the restart markers aren't numbered 0 to 7 in turn, if there are too few, or if an interval of known length has
    /// another length.
    pub(super) fn go_on(&mut self, part: Part, at: &mut usize) -> Result<(), Halt> {
        let Walk { restart_interval: interval, columns, rows, .. } = self.walk;
        let expected = (columns * rows - 1).checked_div(interval).unwrap_or(0);
        loop {
            let Some(marker) = find_marker(part, at, &mut self.stuffed) else { return Err(Halt::Starved) };
            let last = self.restarts == expected;
            let units = if last { columns * rows - self.restarts * interval } else { interval };
            let length = (units as usize * self.walk.blocks.len()).div_ceil(8);
            if self.single_bits && *at - self.start - self.stuffed != length {
                return Err(Halt::Outside);
            }
            match marker {
                0xd0..=0xd7 if !last && u32::from(marker - 0xd0) == self.restarts % 8 => {
                    self.restarts += 1;
                    *at += 2;
                    (self.start, self.stuffed) = (*at, 0);
                }
                _ if last => return Ok(()),
                _ => return Err(Halt::Outside),
            }
        }
    }
}

/// The position in a scan, which is read unit by unit. A unit is a group of blocks of all components of the scan.
pub(super) struct Walk {
    pub(super) bits: Bits,
    restart_interval: u32,
    /// Number of units until the next restart marker, and the number (0 to 7) of that marker.
    left: u32,
    restarts: u8,
    /// Units in a row, and rows.
    columns: u32,
    rows: u32,
    /// The next unit.
    column: u32,
    row: u32,
    /// The blocks of a unit.
    blocks: Vec<Block>,
}

/// A block of a unit.
struct Block {
    /// Indices of the block's component: among the components of the scan, and among those of the frame.
    place: usize,
    component: usize,
    /// The index, among its component's terms, of this block's term in the first unit.
    first: usize,
    /// By how much the index grows from one unit to the next in the row, and to the unit below.
    across: usize,
    down: usize,
    /// The index in the unit that is read next.
    next: usize,
}

impl Walk {
    pub(super) fn new(frame: &Frame, scan: &Scan, restart_interval: u32, at: usize) -> Self {
        let single = scan.components.len() == 1;
        let (columns, rows) = frame.units_of(scan);
        let mut blocks = Vec::new();
        for (place, &Selected { component, .. }) in scan.components.iter().enumerate() {
            let Component { across, down, .. } = frame.components[component];
            let stride = (frame.units().0 * across) as usize;
            let (across, down) = if single { (1, 1) } else { (across as usize, down as usize) };
            for y in 0..down {
                for x in 0..across {
                    let first = y * stride + x;
                    blocks.push(Block { place, component, first, across, down: down * stride, next: first });
                }
            }
        }
        let bits = Bits::new(at);
        let left = restart_interval;
        Self { bits, restart_interval, left, restarts: 0, columns, rows, column: 0, row: 0, blocks }
    }

    /// Reads all blocks of the scan, and returns the position in the file at which it ends.
    pub(super) fn all(
        &mut self,
        part: Part,
        blocks: &mut impl Blocks,
        terms: &mut [Terms; 3],
        low: &mut LowTerms,
    ) -> Result<usize, Halt> {
        self.go_on(part, blocks, terms, low)?;
        self.bits.end(part)
    }

    /// Reads blocks until the scan ends or the arrived bytes do.
    #[inline(always)]
    fn go_on(
        &mut self,
        part: Part,
        to: &mut impl Blocks,
        terms: &mut [Terms; 3],
        low: &mut LowTerms,
    ) -> Result<(), Halt> {
        let mut place = self.bits.place;
        while self.row < self.rows {
            while self.column < self.columns {
                if self.restart_interval > 0 && self.left == 0 {
                    self.bits.place = place;
                    let at = self.bits.end(part)?;
                    let marker = part.from(at).and_then(<[u8]>::first_chunk).ok_or(Halt::Starved)?;
                    if *marker != [0xff, 0xd0 + self.restarts] {
                        return Err(Halt::Outside);
                    }
                    self.bits.restart(at + 2);
                    place = self.bits.place;
                    (self.left, self.restarts) = (self.restart_interval, (self.restarts + 1) % 8);
                    to.restart()?;
                }
                if !self.bits.holds_unit(place) {
                    self.bits.place = place;
                    if !self.bits.fill(part) {
                        return Err(Halt::Starved);
                    }
                    place = self.bits.place;
                }
                self.left = self.left.wrapping_sub(1);
                self.column += 1;
                let mut bits = self.bits.reading(place);
                for block in &mut self.blocks {
                    let term = terms[block.component].values.get_mut(block.next).ok_or(Outside)?;
                    let which = Which { place: block.place, luma: block.component == 0, index: block.next };
                    block.next += block.across;
                    to.read(&mut bits, which, term, low)?;
                }
                place = bits.place;
            }
            self.bits.place = place;
            if self.bits.ran_out() {
                return Err(Halt::Outside);
            }
            low.end_row();
            (self.row, self.column) = (self.row + 1, 0);
            for block in &mut self.blocks {
                block.next = block.first + self.row as usize * block.down;
            }
        }
        Ok(())
    }
}

/// Finds the next marker in entropy-coded data, from `at` on. Moves `at` to the marker, and adds the number of stuffed
/// bytes before it to `stuffed`. Skips eight bytes at a time if none of them is 0xff. Returns `None` if no marker has
/// arrived.
fn find_marker(part: Part, at: &mut usize, stuffed: &mut usize) -> Option<u8> {
    loop {
        while let Some(word) = part.from(*at).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*word);
            if (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0 {
                break;
            }
            *at += 8;
        }
        *at += part.from(*at)?.iter().position(|&byte| byte == 0xff)?;
        match *part.from(*at + 1)?.first()? {
            0 => {
                *at += 2;
                *stuffed += 1;
            }
            marker => return Some(marker),
        }
    }
}
