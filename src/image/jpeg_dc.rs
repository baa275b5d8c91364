//! The fast path for JPEG: the luma of 8x8 blocks, which is all that PDQ needs of a large picture.
//!
//! A JPEG stores the mean of every block of Y as its DC term, and JFIF's Y is PDQ's luma. So AC
//! terms are passed over, and of a progressive file only the scans of DC terms are read, down to the last bit but one
//! where that is near enough. Chroma counts where colours are so strong that RGB clips them. Written from ITU T.81.
//!
//! Whatever is out of the ordinary is [`Outside`], and the general decoder, which is strict, has the say: other coding processes, other
//! colours, and everything that is damaged or merely odd. `docs/decode.md` states the rule.

mod bits;
mod huffman;

use std::ops::RangeInclusive;

use crate::pdq::Plane;

use super::format::Format;
use super::limits::{Limits, check_alloc, check_plausible, check_size};
use bits::{Bits, Reading};
use huffman::{AcTable, BandTable, Code, DcTable};

/// Pictures of fewer pixels on the short side are too coarse in blocks: their hashes are too far
/// from those of a full decode (`docs/decode.md` has the distances).
const MIN_SHORT_SIDE: u32 = 900;

/// So many blocks are looked at of a scan of AC terms that isn't needed.
const SAMPLED_BLOCKS: u32 = 3072;

/// DC terms of steps up to this are near enough without their last bit: what is missing is the same for all blocks, which no hash
/// sees, and up to half a step of noise, as rounding makes.
const FINE_STEP: u16 = 24;

/// As the general decoder's.
const MAX_SCANS: u32 = 100;

/// What is there of a file: all of it, or a part.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) bytes: &'a [u8],
    /// How much of the file comes before it.
    pub(super) start: usize,
}

impl<'a> Part<'a> {
    /// What is there from a place in the file on.
    fn from(self, at: usize) -> Option<&'a [u8]> {
        self.bytes.get(at.checked_sub(self.start)?..)
    }

    fn end(self) -> usize {
        self.start + self.bytes.len()
    }
}

/// Not a file that is read here. It is the general decoder's to say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside;

/// Why reading doesn't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    Outside,
    /// What comes next hasn't arrived.
    Starved,
}

impl From<Outside> for Halt {
    fn from(_: Outside) -> Self {
        Self::Outside
    }
}

/// A component of the frame (B.2.2).
#[derive(Clone, Copy)]
struct Component {
    id: u8,
    across: u32,
    down: u32,
    quantization: usize,
}

struct Frame {
    progressive: bool,
    width: u32,
    height: u32,
    components: Vec<Component>,
}

impl Frame {
    /// Blocks of Y and of chroma in an interleaved unit (A.2.3), and units in the picture.
    fn units(&self) -> (u32, u32) {
        let luma = &self.components[0];
        (self.width.div_ceil(8 * luma.across), self.height.div_ceil(8 * luma.down))
    }

    /// Blocks of a component that has a scan of its own (A.2.2).
    fn blocks(&self, component: &Component) -> (u32, u32) {
        let luma = &self.components[0];
        (
            (self.width * component.across).div_ceil(8 * luma.across),
            (self.height * component.down).div_ceil(8 * luma.down),
        )
    }
}

/// A scan's header (B.2.3).
struct Scan {
    /// For each component its place in the frame, its DC table and its AC table.
    components: Vec<(usize, usize, usize)>,
    first_term: u8,
    last_term: u8,
    /// Bits to the right of what earlier scans gave; 0 in a component's first scan.
    high: u8,
    low: u8,
}

/// Reads a file while it arrives.
pub(super) struct Reader {
    limits: Limits,
    /// Bytes in the whole file.
    length: usize,
    /// Where the next segment begins, or what is left of a scan.
    at: usize,
    ended: bool,
    frame: Option<Frame>,
    /// Quantization.
    steps: [Option<Steps>; 4],
    dc: [Option<Code>; 4],
    ac: [Option<Code>; 4],
    /// Units between restarts; 0 for none.
    restart_interval: u32,
    /// DC terms of each component, in whole units.
    terms: [Terms; 3],
    /// Components whose (first) scan of DC terms was begun, and the bit down to which they are known after it.
    seen: [bool; 3],
    low: [u8; 3],
    settled: bool,
    scans: u32,
    /// The scan that is being read.
    data: Option<Data>,
}

#[derive(Default)]
struct Terms {
    columns: usize,
    values: Vec<i16>,
}

/// What is needed of a quantization table.
#[derive(Clone, Copy)]
struct Steps {
    /// Of the DC term.
    first: u16,
    /// The least luma DC step beside which the AC steps are ordinary.
    least: u16,
}

/// A scan's data, by what is done with it.
enum Data {
    Sequential(Walk, Sequential),
    First(Walk, FirstTerms),
    Refinement(Walk, Refinement),
    Unneeded(PassOver),
}

impl Reader {
    /// For a file of `length` bytes.
    pub(super) fn new(length: usize, limits: &Limits) -> Self {
        Self {
            limits: *limits,
            length,
            at: 2,
            ended: false,
            frame: None,
            steps: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            restart_interval: 0,
            terms: Default::default(),
            seen: [false; 3],
            low: [0; 3],
            settled: false,
            scans: 0,
            data: None,
        }
    }

    /// Reads on, as far as the file has arrived: `part` ends there, and begins no later than at [`needed_from`](Self::needed_from).
    /// Stops on the way, once, when there is a plane of Y's block means to return. The rest of the file doesn't change it, but has to
    /// be sound.
    pub(super) fn advance(&mut self, part: Part) -> Result<Option<Plane>, Outside> {
        while !self.ended {
            let read = if self.data.is_some() { self.data(part) } else { self.segment(part) };
            match read {
                Err(Halt::Starved) if part.end() < self.length => break,
                read => read.map_err(|_| Outside)?,
            }
            if !self.settled && self.data.is_none() && self.is_near_enough() {
                self.settled = true;
                return self.plane().map(Some);
            }
        }
        Ok(None)
    }

    /// Where what is yet to be read of the file begins; 0 before its first scan.
    pub(super) fn needed_from(&self) -> usize {
        match &self.data {
            None if self.scans == 0 => 0,
            // What follows a picture is no part of it.
            None if self.ended => self.length,
            Some(Data::Sequential(walk, _) | Data::First(walk, _) | Data::Refinement(walk, _)) => walk.bits.at,
            // A sample is taken before that moves.
            Some(Data::Unneeded(_)) | None => self.at,
        }
    }

    /// Whether the file was read to its end, and there was a plane in it.
    pub(super) fn has_ended(&self) -> bool {
        self.ended && self.settled
    }

    /// Whether there is much to be read after the plane.
    pub(super) fn is_progressive(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.progressive)
    }

    fn is_near_enough(&self) -> bool {
        let Some(frame) = &self.frame else { return false };
        frame.components.iter().enumerate().all(|(place, component)| {
            let steps = self.steps.get(component.quantization).copied().flatten();
            let bits_missing = u8::from(steps.is_some_and(|steps| steps.first <= FINE_STEP));
            self.seen[place] && self.low[place] <= bits_missing
        })
    }

    /// Reads a marker and its segment, which must be here.
    fn segment(&mut self, part: Part) -> Result<(), Halt> {
        let rest = part.from(self.at).ok_or(Halt::Starved)?;
        if *rest.first().ok_or(Halt::Starved)? != 0xff {
            return Err(Halt::Outside);
        }
        let Some(start) = rest.iter().position(|&byte| byte != 0xff) else {
            // So that a long run of fill bytes isn't gone through again with every piece.
            self.at += rest.len() - 1;
            return Err(Halt::Starved);
        };
        let (marker, rest) = (rest[start], &rest[start + 1..]);
        if marker == 0xd9 {
            self.ended = true;
            return Ok(());
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk().ok_or(Halt::Starved)?));
        let mut segment = rest.get(2..length.max(2)).ok_or(Halt::Starved)?;
        if length < 2 {
            return Err(Halt::Outside);
        }
        self.at += start + 1 + length;
        match marker {
            0xc0..=0xc2 if self.frame.is_none() => self.start_frame(marker, segment)?,
            0xc4 => {
                while let [kind, rest @ ..] = segment {
                    segment = rest;
                    let dc = kind >> 4 == 0;
                    let tables = if dc { &mut self.dc } else { &mut self.ac };
                    let place = tables.get_mut(usize::from(kind & 15)).filter(|_| kind >> 4 < 2).ok_or(Outside)?;
                    *place = Some(Code::parse(&mut segment, dc)?);
                }
            }
            // Other tables for later scans are legal and unheard of.
            0xdb if self.scans == 0 => self.quantization(segment)?,
            0xdd => match *segment {
                [high, low] => self.restart_interval = u16::from_be_bytes([high, low]).into(),
                _ => return Err(Halt::Outside),
            },
            0xda => {
                self.scans += 1;
                if self.scans > MAX_SCANS {
                    return Err(Halt::Outside);
                }
                self.data = Some(self.scan(segment)?);
            }
            // Adobe's marker says what the components are; 1 is YCbCr.
            0xee if segment.starts_with(b"Adobe") && segment.get(11) != Some(&1) => return Err(Halt::Outside),
            0xe0..=0xef | 0xfe => {}
            _ => return Err(Halt::Outside),
        }
        Ok(())
    }

    fn start_frame(&mut self, marker: u8, segment: &[u8]) -> Result<(), Outside> {
        let [8, y1, y0, x1, x0, count, components @ ..] = segment else { return Err(Outside) };
        let limits = &self.limits;
        let (width, height) = (u16::from_be_bytes([*x1, *x0]).into(), u16::from_be_bytes([*y1, *y0]).into());
        check_size(Format::Jpeg, width, height, limits).map_err(|_| Outside)?;
        let cells = u64::from(width.div_ceil(8) + 3) * u64::from(height.div_ceil(8) + 3);
        check_alloc(10 * cells, limits).map_err(|_| Outside)?;
        check_plausible(Format::Jpeg, u64::from(width) * u64::from(height), 64 * 8, self.length)
            .map_err(|_| Outside)?;
        if width.min(height) < MIN_SHORT_SIDE || components.len() != 3 * usize::from(*count) {
            return Err(Outside);
        }
        let component = |&[id, factors, quantization]: &[u8; 3]| Component {
            id,
            across: (factors >> 4).into(),
            down: (factors & 15).into(),
            quantization: quantization.into(),
        };
        let mut components: Vec<_> = components.as_chunks().0.iter().map(component).collect();
        match &mut components[..] {
            // Alone, a component has no sampling to speak of, but for what no file may have (T.81, B.2.2).
            [grey] if (1..=4).contains(&grey.across) && (1..=4).contains(&grey.down) => {
                (grey.across, grey.down) = (1, 1)
            }
            [luma, rest @ ..] if rest.len() == 2 => {
                let sampled = matches!((luma.across, luma.down), (1 | 2, 1 | 2) | (4, 1));
                let whole = rest.iter().all(|chroma| (chroma.across, chroma.down) == (1, 1));
                let same = rest[0].id == rest[1].id || rest.iter().any(|chroma| chroma.id == luma.id);
                let rgb = [luma.id, rest[0].id, rest[1].id] == *b"RGB";
                if !sampled || !whole || same || rgb {
                    return Err(Outside);
                }
            }
            _ => return Err(Outside),
        }
        let frame = Frame { progressive: marker == 0xc2, width, height, components };
        let (columns, rows) = frame.units();
        for (terms, component) in self.terms.iter_mut().zip(&frame.components) {
            terms.columns = (columns * component.across) as usize;
            terms.values = vec![0; terms.columns * (rows * component.down) as usize];
        }
        self.frame = Some(frame);
        Ok(())
    }

    fn quantization(&mut self, mut segment: &[u8]) -> Result<(), Outside> {
        while let [kind, rest @ ..] = segment {
            let steps = self.steps.get_mut(usize::from(kind & 15)).ok_or(Outside)?;
            let width = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(Outside),
            };
            let (table, rest) = rest.split_at_checked(64 * width).ok_or(Outside)?;
            *steps = Some(Steps::of(table.chunks_exact(width).map(|step| match *step {
                [high, low] => u16::from_be_bytes([high, low]),
                _ => step[0].into(),
            })));
            segment = rest;
        }
        Ok(())
    }

    /// Begins a scan.
    fn scan(&mut self, header: &[u8]) -> Result<Data, Outside> {
        let frame = self.frame.as_ref().ok_or(Outside)?;
        let scan = Scan::parse(header, frame)?;
        let dc = scan.first_term == 0;
        if !frame.progressive || dc && scan.high == 0 {
            // Each component has one such scan.
            for &(place, ..) in &scan.components {
                if std::mem::replace(&mut self.seen[place], true) {
                    return Err(Outside);
                }
            }
        } else {
            for &(place, ..) in &scan.components {
                // Bit by bit (G.1.1.1.2).
                if !self.seen[place] || dc && (scan.high != self.low[place] || scan.low + 1 != scan.high) {
                    return Err(Outside);
                }
            }
        }
        if dc {
            scan.components.iter().for_each(|&(place, ..)| self.low[place] = scan.low);
        }
        let walk = Walk::new(frame, &scan, self.restart_interval, self.at);
        let dc_table = |place: usize| DcTable::new(self.dc[place].as_ref().ok_or(Outside)?);
        let ac = |place: usize| self.ac[place].as_ref().ok_or(Outside);
        if !frame.progressive {
            let mut tables = Vec::new();
            for &(_, dc, of_ac) in &scan.components {
                tables.push((dc_table(dc)?, AcTable::new(ac(of_ac)?)?));
            }
            Ok(Data::Sequential(walk, Sequential { tables, sums: [0; 3] }))
        } else if !dc {
            let mut sample = None;
            if scan.high == 0 {
                let &[(_, _, of_ac)] = &scan.components[..] else { return Err(Outside) };
                let (table, band) = (BandTable::new(ac(of_ac)?)?, scan.first_term..=scan.last_term);
                sample = Some(Band { table, band, low: scan.low, ended: 0 });
            }
            let walk = Walk { most: SAMPLED_BLOCKS, ..walk };
            Ok(Data::Unneeded(PassOver { walk, sample, single_bits: false, restarts: 0, start: self.at, stuffed: 0 }))
        } else if scan.high == 0 {
            let tables = scan.components.iter().map(|&(_, dc, _)| dc_table(dc)).collect::<Result<_, _>>()?;
            Ok(Data::First(walk, FirstTerms { tables, sums: [0; 3], low: scan.low }))
        } else if self.settled {
            let single_bits = true;
            Ok(Data::Unneeded(PassOver { walk, sample: None, single_bits, restarts: 0, start: self.at, stuffed: 0 }))
        } else {
            Ok(Data::Refinement(walk, Refinement { low: scan.low }))
        }
    }

    /// Reads on in a scan.
    fn data(&mut self, part: Part) -> Result<(), Halt> {
        let terms = &mut self.terms;
        match self.data.as_mut().ok_or(Outside)? {
            Data::Sequential(walk, blocks) => self.at = walk.all(part, blocks, terms)?,
            Data::First(walk, blocks) => self.at = walk.all(part, blocks, terms)?,
            Data::Refinement(walk, blocks) => self.at = walk.all(part, blocks, terms)?,
            Data::Unneeded(scan) => scan.go_on(part, &mut self.at, terms)?,
        }
        self.data = None;
        Ok(())
    }

    /// The plane of Y's block means.
    fn plane(&self) -> Result<Plane, Outside> {
        let frame = self.frame.as_ref().ok_or(Outside)?;
        let mut steps = [0.0; 3];
        let mut luma_step = 0;
        for (step, component) in steps.iter_mut().zip(&frame.components) {
            let table = self.steps.get(component.quantization).copied().flatten().ok_or(Outside)?;
            luma_step = if luma_step == 0 { table.first } else { luma_step };
            // Steps that no encoder takes make terms that clip the pixels, and then means aren't in the DC terms.
            if table.first == 0 || luma_step < table.least {
                return Err(Outside);
            }
            *step = f32::from(table.first) / 8.0;
        }
        let (columns, rows) = (frame.width.div_ceil(8) as usize, frame.height.div_ceil(8) as usize);
        let (across, down) = (frame.components[0].across as usize, frame.components[0].down as usize);
        let row = |place: usize, y: usize| {
            let Terms { columns, values } = &self.terms[place];
            values.get(y * columns..).unwrap_or_default()
        };
        // No encoder makes means far outside of what pixels can have. Here the mean of clipped pixels can be anything, so the
        // pixels have to be looked at.
        let mut strange = false;
        let mut mean = |term: i16, step: f32| {
            let mean = step * f32::from(term);
            strange |= mean.abs() > 128.0 + step + 16.0;
            mean.clamp(-128.0, 127.0)
        };
        // Most blocks are of a colour that doesn't clip, whatever the signs.
        let [of_blue, of_red] = [1.772 * steps[1], 1.402 * steps[2]];
        let mut cells = vec![0.0; columns * rows];
        for (y, cells) in cells.chunks_exact_mut(columns).enumerate() {
            let luma = row(0, y).get(..columns).ok_or(Outside)?;
            if frame.components.len() == 1 {
                cells.iter_mut().zip(luma).for_each(|(cell, &term)| *cell = 128.0 + mean(term, steps[0]));
                continue;
            }
            let chroma = row(1, y / down).iter().zip(row(2, y / down));
            for ((cells, luma), (&blue, &red)) in cells.chunks_mut(across).zip(luma.chunks(across)).zip(chroma) {
                let room = 126.0 - f32::from(blue).abs() * of_blue - f32::from(red).abs() * of_red;
                for (cell, &term) in cells.iter_mut().zip(luma) {
                    let luma = steps[0] * f32::from(term);
                    *cell = if luma.abs() <= room {
                        128.0 + luma
                    } else {
                        let (blue, red) = (mean(blue, steps[1]), mean(red, steps[2]));
                        clipped(128.0 + mean(term, steps[0]), blue, red)
                    };
                }
            }
        }
        if strange {
            return Err(Outside);
        }
        Ok(Plane { width: frame.width, height: frame.height, block_width: 8, block_height: 8, cells })
    }
}

/// What is done with the blocks of a scan.
trait Blocks {
    /// Prediction, if there is any, begins anew.
    fn restart(&mut self) -> Result<(), Outside> {
        Ok(())
    }

    /// Reads a block of the component at a place in the scan. `term` is its DC term.
    fn read(&mut self, bits: &mut Reading, place: usize, term: &mut i16) -> Result<(), Outside>;
}

/// All terms of a scan of a sequential frame (F.2).
struct Sequential {
    /// Of each component.
    tables: Vec<(DcTable, AcTable)>,
    sums: [i32; 3],
}

impl Blocks for Sequential {
    fn restart(&mut self) -> Result<(), Outside> {
        self.sums = [0; 3];
        Ok(())
    }

    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, place: usize, term: &mut i16) -> Result<(), Outside> {
        let (dc, ac) = &self.tables[place];
        bits.refill();
        let sum = self.sums[place].wrapping_add(dc.read(bits)?);
        self.sums[place] = sum;
        *term = i16::try_from(sum).map_err(|_| Outside)?;
        ac.skip_block(bits)
    }
}

/// The first scan of DC terms of a progressive frame (G.1.2.1).
struct FirstTerms {
    /// Of each component.
    tables: Vec<DcTable>,
    sums: [i32; 3],
    low: u8,
}

impl Blocks for FirstTerms {
    fn restart(&mut self) -> Result<(), Outside> {
        self.sums = [0; 3];
        Ok(())
    }

    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, place: usize, term: &mut i16) -> Result<(), Outside> {
        bits.refill_if_low();
        let sum = self.sums[place].wrapping_add(self.tables[place].read(bits)?);
        self.sums[place] = sum;
        *term = i16::try_from(sum << self.low).map_err(|_| Outside)?;
        Ok(())
    }
}

/// One more bit of each DC term.
struct Refinement {
    low: u8,
}

impl Blocks for Refinement {
    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, _: usize, term: &mut i16) -> Result<(), Outside> {
        bits.refill_if_low();
        *term |= (bits.take(1) as i16) << self.low;
        Ok(())
    }
}

/// A scan of AC terms (G.1.2.2).
struct Band {
    table: BandTable,
    band: RangeInclusive<u8>,
    low: u8,
    /// How many of the next blocks have no terms.
    ended: u32,
}

impl Blocks for Band {
    fn restart(&mut self) -> Result<(), Outside> {
        if self.ended > 0 { Err(Outside) } else { Ok(()) }
    }

    #[inline(always)]
    fn read(&mut self, bits: &mut Reading, _: usize, _: &mut i16) -> Result<(), Outside> {
        if self.ended > 0 {
            self.ended -= 1;
        } else {
            self.ended = self.table.skip_block(bits, self.band.clone(), self.low)?;
        }
        Ok(())
    }
}

/// A scan that isn't needed.
struct PassOver {
    walk: Walk,
    /// What is done with its first blocks, while there are any left.
    sample: Option<Band>,
    /// Whether it has one bit for each block, so that its length is known.
    single_bits: bool,
    restarts: u32,
    /// Where the data since the last restart begins, and how many bytes of it are stuffed ones.
    start: usize,
    stuffed: usize,
}

impl PassOver {
    /// Goes to the end. The first blocks are looked at: with another table than they were written with, or with other
    /// steps, they soon make no sense. And its restart markers: each must be in its place in their cycle, and there must be as
    /// many as the scan has intervals. And the length, if it is known.
    fn go_on(&mut self, part: Part, at: &mut usize, terms: &mut [Terms; 3]) -> Result<(), Halt> {
        if let Some(band) = &mut self.sample {
            self.walk.go_on(part, band, terms)?;
            self.sample = None;
        }
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

/// A way through the blocks of a scan, unit by unit.
struct Walk {
    bits: Bits,
    restart_interval: u32,
    /// Units until the next restart marker, and how many there were.
    left: u32,
    restarts: u8,
    /// Units in a row, and rows.
    columns: u32,
    rows: u32,
    /// The next unit.
    column: u32,
    row: u32,
    /// So many units are gone through, if there are as many.
    most: u32,
    /// The blocks of a unit.
    blocks: Vec<Block>,
}

/// A block of a unit.
struct Block {
    /// Of its component, in the scan and in the frame.
    place: usize,
    component: usize,
    /// Where the terms of this block are in the first unit, how far apart in neighbours, and in one row of units and the next.
    first: usize,
    across: usize,
    down: usize,
    /// Where the next one's is.
    next: usize,
}

impl Walk {
    fn new(frame: &Frame, scan: &Scan, restart_interval: u32, at: usize) -> Self {
        let single = scan.components.len() == 1;
        let (columns, rows) = match scan.components[..] {
            [(component, ..)] => frame.blocks(&frame.components[component]),
            _ => frame.units(),
        };
        let mut blocks = Vec::new();
        for (place, &(component, ..)) in scan.components.iter().enumerate() {
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
        Self { bits, restart_interval, left, restarts: 0, columns, rows, column: 0, row: 0, most: u32::MAX, blocks }
    }

    /// Goes to the scan's end, and returns where it is.
    fn all(&mut self, part: Part, blocks: &mut impl Blocks, terms: &mut [Terms; 3]) -> Result<usize, Halt> {
        self.go_on(part, blocks, terms)?;
        self.bits.end(part)
    }

    /// Goes through the blocks.
    #[inline(always)]
    fn go_on(&mut self, part: Part, to: &mut impl Blocks, terms: &mut [Terms; 3]) -> Result<(), Halt> {
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
                    block.next += block.across;
                    to.read(&mut bits, block.place, term)?;
                }
                place = bits.place;
                self.most -= 1;
                if self.most == 0 {
                    self.bits.place = place;
                    return if self.bits.ran_out() { Err(Halt::Outside) } else { Ok(()) };
                }
            }
            self.bits.place = place;
            if self.bits.ran_out() {
                return Err(Halt::Outside);
            }
            (self.row, self.column) = (self.row + 1, 0);
            for block in &mut self.blocks {
                block.next = block.first + self.row as usize * block.down;
            }
        }
        Ok(())
    }
}

/// The luma of a colour once its red, green and blue are clipped (JFIF's conversion).
#[cold]
fn clipped(luma: f32, blue: f32, red: f32) -> f32 {
    let surplus = |value: f32| value - value.clamp(0.0, 255.0);
    let green = luma - 0.344_136 * blue - 0.714_136 * red;
    luma - 0.299 * surplus(luma + 1.402 * red) - 0.587 * surplus(green) - 0.114 * surplus(luma + 1.772 * blue)
}

impl Steps {
    fn of(table: impl Iterator<Item = u16>) -> Self {
        let mut steps = Self { first: 0, least: 0 };
        for (place, step) in (0..).zip(table) {
            if place == 0 {
                steps.first = step;
            }
            // What 250 tables of cameras and programs stay under: twice as much as the coarsest of T.81's own (annex K).
            let least = u32::from(step.saturating_sub(2)).div_ceil(3 + place / 2) as u16;
            steps.least = steps.least.max(least);
        }
        steps
    }
}

impl Scan {
    fn parse(header: &[u8], frame: &Frame) -> Result<Self, Outside> {
        let (&count, rest) = header.split_first().ok_or(Outside)?;
        let (selectors, &[first_term, last_term, bits]) = rest.split_last_chunk::<3>().ok_or(Outside)?;
        if count == 0 || selectors.len() != 2 * usize::from(count) {
            return Err(Outside);
        }
        let mut components: Vec<(usize, usize, usize)> = Vec::new();
        for &[id, tables] in selectors.as_chunks().0 {
            let place = frame.components.iter().position(|component| component.id == id).ok_or(Outside)?;
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            // In the frame's order (B.2.3).
            if dc > 3 || ac > 3 || components.last().is_some_and(|&(before, ..)| before >= place) {
                return Err(Outside);
            }
            components.push((place, dc, ac));
        }
        let (high, low) = (bits >> 4, bits & 15);
        let sound = if frame.progressive {
            let terms =
                if first_term == 0 { last_term == 0 } else { first_term <= last_term && last_term < 64 && count == 1 };
            terms && low <= 13 && (high == 0 || high == low + 1)
        } else {
            (first_term, last_term, bits) == (0, 63, 0)
        };
        if sound { Ok(Self { components, first_term, last_term, high, low }) } else { Err(Outside) }
    }
}

/// Finds the next marker in entropy-coded data, from `at`, which moves there, and counts the stuffed bytes before it. Most bytes are
/// looked at eight at a time.
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
