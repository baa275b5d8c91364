//! Reads the segments and scans of a JPEG while the file arrives.

use crate::image::format::Format;
use crate::image::limits::{Limits, check_alloc, check_plausible, check_size};
use crate::image::profile::Profile;
use crate::pdq::Luma;

use super::super::MAX_SCANS;
use super::super::frame::{Frame, Scan, Selected};
use super::super::icc::ProfileParts;
use super::super::markers::{HuffmanTable, adobe_transform, take_quantization};
use super::super::part::{Halt, Outside, Part};
use super::clipping::is_faithful;
use super::huffman::{AcTable, Code, DcTable};
use super::low::LowTerms;
use super::plane::{LOW, Steps, Term, Terms, plane};
use super::scan::{Band, Data, FirstTerms, PassOver, Refinement, Sequential, Walk};

/// Smallest short side, in pixels, of a picture that the low-terms decoder reads. A smaller picture has too few blocks
/// of 8x8 pixels: its hash is too far from that of a full decode (`docs/lab/decoding.md` has the distances).
const MIN_SHORT_SIDE: u32 = 900;

/// The largest quantization step of DC terms at which the plane is made without their last bit.
///
/// A progressive file may give the last bit of the DC coefficients in a later scan. Without that bit, a coefficient is
/// too low by 0 or 1 steps, half a step on average. The average lowers all blocks alike, which doesn't change a PDQ
/// hash. The remaining error is half a step up or down, no more than quantization makes anyway.
const FINE_STEP: u16 = 24;

/// Largest number of low bits that the first scan of the lowest AC terms may leave to later scans, which aren't read.
/// libjpeg leaves two.
const MOST_LOW_BITS: u8 = 3;

/// Reads a file while it arrives.
pub(in super::super) struct Reader {
    limits: Limits,
    /// Whether the file is only checked for damage. Then it may have any size, and no plane is made.
    checks_only: bool,
    /// Bytes in the whole file.
    length: usize,
    /// Position in the file of the next segment. Within a scan that isn't needed, the position from which its end is
    /// searched.
    at: usize,
    ended: bool,
    frame: Option<Frame>,
    /// The quantization tables by their numbers.
    steps: [Option<Steps>; 4],
    dc: [Option<Code>; 4],
    ac: [Option<Code>; 4],
    icc: ProfileParts,
    /// Units between restarts; 0 for none.
    restart_interval: u32,
    /// DC terms of each component, in whole units.
    terms: [Terms; 3],
    /// The lowest AC terms of luma. `None` before the frame.
    low_terms: Option<LowTerms>,
    /// For each component, whether its first scan of DC terms has begun.
    seen: [bool; 3],
    /// For each component, how many low bits its DC terms still lack after the scans so far.
    low: [u8; 3],
    settled: bool,
    scans: u32,
    /// The scan that is being read.
    data: Option<Data>,
}

/// Returns whether the data of a sequential file is intact: every code is legal, and the data is neither too long nor
/// too short. The file may have any size, but must otherwise be of a kind that the low-terms decoder reads.
pub(in super::super) fn is_sound(bytes: &[u8], limits: &Limits) -> bool {
    let mut reader = Reader { checks_only: true, ..Reader::new(bytes.len(), limits) };
    reader.advance(Part { bytes, start: 0 }).is_ok() && reader.has_ended()
}

impl Reader {
    /// Begins a file of `length` bytes.
    pub(in super::super) fn new(length: usize, limits: &Limits) -> Self {
        Self {
            limits: *limits,
            checks_only: false,
            length,
            at: 2,
            ended: false,
            frame: None,
            steps: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            icc: ProfileParts::default(),
            restart_interval: 0,
            terms: Default::default(),
            low_terms: None,
            seen: [false; 3],
            low: [0; 3],
            settled: false,
            scans: 0,
            data: None,
        }
    }

    /// Reads as much of the file as has arrived. `part` must begin at [`needed_from`](Self::needed_from) or before.
    ///
    /// Returns the plane of luma's block means once, as soon as it is known. Then call this again for the rest of the
    /// file. The rest doesn't change the plane, but it may show that the file is damaged, or that its pixels show
    /// another picture than its DC coefficients.
    pub(in super::super) fn advance(&mut self, part: Part) -> Result<Option<Luma>, Outside> {
        while !self.ended {
            let read = if self.data.is_some() { self.data(part) } else { self.segment(part) };
            match read {
                Err(Halt::Starved) if part.end() < self.length => break,
                read => read.map_err(|_| Outside)?,
            }
            if !self.settled && self.data.is_none() && self.is_near_enough() {
                self.settled = true;
                if self.checks_only {
                    continue;
                }
                let frame = self.frame.as_ref().ok_or(Outside)?;
                let means = plane(frame, &self.steps, &self.terms)?;
                return Ok(Some(self.low_terms.as_mut().ok_or(Outside)?.luma(means)));
            }
        }
        Ok(None)
    }

    /// Returns the position in the file from which bytes are still needed. Before the first scan it is 0.
    pub(in super::super) fn needed_from(&self) -> usize {
        match &self.data {
            None if self.scans == 0 => 0,
            // Bytes after the end of the picture are ignored.
            None if self.ended => self.length,
            Some(
                Data::Sequential(walk, _)
                | Data::LowSequential(walk, _)
                | Data::First(walk, _)
                | Data::Refinement(walk, _)
                | Data::Band(walk, _),
            ) => walk.bits.at,
            Some(Data::Unneeded(_)) | None => self.at,
        }
    }

    /// Returns whether the file was read to its end and the plane became known.
    pub(in super::super) fn has_ended(&self) -> bool {
        self.ended && self.settled
    }

    /// Returns whether the file is progressive: then most of it comes after the plane is known.
    pub(in super::super) fn is_progressive(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.progressive)
    }

    fn is_near_enough(&self) -> bool {
        let (Some(frame), Some(low)) = (&self.frame, &self.low_terms) else { return false };
        low.is_complete()
            && frame.components.iter().enumerate().all(|(place, component)| {
                let steps = self.steps.get(component.quantization).copied().flatten();
                let bits_missing = u8::from(steps.is_some_and(|steps| steps.first <= FINE_STEP));
                self.seen[place] && self.low[place] <= bits_missing
            })
    }

    /// Reads a marker and its segment. Returns [`Halt::Starved`] if they have not arrived completely.
    fn segment(&mut self, part: Part) -> Result<(), Halt> {
        let rest = part.from(self.at).ok_or(Halt::Starved)?;
        if *rest.first().ok_or(Halt::Starved)? != 0xff {
            return Err(Halt::Outside);
        }
        let Some(start) = rest.iter().position(|&byte| byte != 0xff) else {
            // Skips the fill bytes that have arrived, so that a long run of them isn't read again with every piece.
            self.at += rest.len() - 1;
            return Err(Halt::Starved);
        };
        let (marker, rest) = (rest[start], &rest[start + 1..]);
        if marker == 0xd9 {
            let frame = self.frame.as_ref().ok_or(Outside)?;
            if !self.checks_only && !is_faithful(frame, &self.steps, &self.terms) {
                return Err(Halt::Outside);
            }
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
                while !segment.is_empty() {
                    let (kind, table) = HuffmanTable::take(&mut segment).ok_or(Outside)?;
                    let dc = kind >> 4 == 0;
                    let tables = if dc { &mut self.dc } else { &mut self.ac };
                    let place = tables.get_mut(usize::from(kind & 15)).filter(|_| kind >> 4 < 2).ok_or(Outside)?;
                    *place = Some(Code::new(&table, dc)?);
                }
            }
            // Quantization tables after the first scan are legal, but no encoder is known to write them: they are
            // `Outside`.
            0xdb if self.scans == 0 => {
                while !segment.is_empty() {
                    let (place, steps) = take_quantization(&mut segment).ok_or(Outside)?;
                    self.steps[place] = Some(Steps::of(&steps));
                }
            }
            0xdd => match *segment {
                [high, low] => self.restart_interval = u16::from_be_bytes([high, low]).into(),
                _ => return Err(Halt::Outside),
            },
            0xda => {
                if self.scans == 0
                    && !self.checks_only
                    && !matches!(std::mem::take(&mut self.icc).profile(), Profile::Usual)
                {
                    return Err(Halt::Outside);
                }
                self.scans += 1;
                if self.scans > MAX_SCANS {
                    return Err(Halt::Outside);
                }
                self.data = Some(self.scan(segment)?);
            }
            // Adobe's transform 1 is YCbCr, the only one that this decoder reads.
            0xee if adobe_transform(segment).is_some_and(|transform| transform != 1) => return Err(Halt::Outside),
            0xe2 if self.scans == 0 => self.icc.push(segment),
            0xe0..=0xef | 0xfe => {}
            _ => return Err(Halt::Outside),
        }
        Ok(())
    }

    fn start_frame(&mut self, marker: u8, segment: &[u8]) -> Result<(), Outside> {
        let frame = Frame::parse(marker, segment).filter(|frame| frame.precision == 8).ok_or(Outside)?;
        let (limits, Frame { width, height, components, .. }) = (&self.limits, &frame);
        let (width, height) = (*width, *height);
        check_size(Format::Jpeg, width, height, limits).map_err(|_| Outside)?;
        let cells = u64::from(width.div_ceil(8) + 3) * u64::from(height.div_ceil(8) + 3);
        // Per block, up to 12 bytes for the terms of three components, and 20 for the cells of the planes. Per column
        // of blocks, 768 bytes for the sums of the lowest AC terms, and up to 60 for those that are being read. A check
        // makes neither.
        let sums = 16 * cells + 1024 * u64::from(width.div_ceil(8));
        check_alloc(16 * cells + if self.checks_only { 0 } else { sums }, limits).map_err(|_| Outside)?;
        check_plausible(Format::Jpeg, u64::from(width) * u64::from(height), 64 * 8, self.length)
            .map_err(|_| Outside)?;
        if width.min(height) < MIN_SHORT_SIDE && !self.checks_only {
            return Err(Outside);
        }
        match &components[..] {
            [_] => {}
            [luma, blue, red] => {
                let sampled = matches!((luma.across, luma.down), (1 | 2, 1 | 2) | (4, 1));
                let whole = [blue, red].iter().all(|chroma| (chroma.across, chroma.down) == (1, 1));
                let usual = luma.id <= 1 && [luma.id + 1, luma.id + 2] == [blue.id, red.id];
                if !sampled || !whole || !usual {
                    return Err(Outside);
                }
            }
            _ => return Err(Outside),
        }
        let (columns, rows) = frame.units();
        for (terms, component) in self.terms.iter_mut().zip(&frame.components) {
            terms.columns = (columns * component.across) as usize;
            terms.values = vec![Term::default(); terms.columns * (rows * component.down) as usize];
        }
        self.low_terms = Some(LowTerms::new(&frame, !self.checks_only));
        self.frame = Some(frame);
        Ok(())
    }

    /// Begins a scan.
    fn scan(&mut self, header: &[u8]) -> Result<Data, Outside> {
        let frame = self.frame.as_ref().ok_or(Outside)?;
        let scan = Scan::parse(header, frame).filter(|scan| scan.is_legal(frame.progressive)).ok_or(Outside)?;
        let dc = scan.first_term == 0;
        if !frame.progressive || dc && scan.high == 0 {
            // A component may have only one first scan of its DC coefficients.
            for &Selected { component: place, .. } in &scan.components {
                if std::mem::replace(&mut self.seen[place], true) {
                    return Err(Outside);
                }
            }
        } else {
            for &Selected { component: place, .. } in &scan.components {
                // A later scan of DC coefficients gives exactly the next bit (G.1.1.1.2).
                if !self.seen[place] || dc && (scan.high != self.low[place] || scan.low + 1 != scan.high) {
                    return Err(Outside);
                }
            }
        }
        if dc {
            scan.components.iter().for_each(|selected| self.low[selected.component] = scan.low);
        }
        let low_terms = self.low_terms.as_mut().ok_or(Outside)?;
        let luma = scan.components.iter().any(|selected| selected.component == 0);
        if luma && low_terms.wanted {
            let steps = self.steps.get(frame.components[0].quantization).and_then(Option::as_ref).ok_or(Outside)?;
            low_terms.begin(steps, if scan.components.len() == 1 { 1 } else { frame.components[0].down as usize });
        }
        let walk = Walk::new(frame, &scan, self.restart_interval, self.at);
        let dc_table = |number: usize| DcTable::new(self.dc.get(number).and_then(Option::as_ref).ok_or(Outside)?);
        let steps =
            |place: usize| self.steps.get(frame.components[place].quantization).and_then(Option::as_ref).ok_or(Outside);
        let ac = |number: usize| self.ac.get(number).and_then(Option::as_ref).ok_or(Outside);
        if !frame.progressive {
            let mut tables = Vec::new();
            for selected in &scan.components {
                tables.push((
                    dc_table(selected.dc)?,
                    AcTable::new(ac(selected.ac)?, steps(selected.component)?, 1..=63, 0, false)?,
                ));
            }
            if low_terms.wanted && luma {
                low_terms.seen = [true; LOW];
                return Ok(Data::LowSequential(walk, Sequential { tables, sums: [0; 3] }));
            }
            Ok(Data::Sequential(walk, Sequential { tables, sums: [0; 3] }))
        } else if !dc {
            let [selected] = scan.components[..] else { return Err(Outside) };
            if scan.high == 0 {
                let band = scan.first_term..=scan.last_term;
                let table = AcTable::new(ac(selected.ac)?, steps(selected.component)?, band, scan.low, true)?;
                let mut low = false;
                for (place, seen) in (1..).zip(&mut low_terms.seen) {
                    if low_terms.wanted && luma && (scan.first_term..=scan.last_term).contains(&place) {
                        // A coefficient has only one first scan.
                        if scan.low > MOST_LOW_BITS || std::mem::replace(seen, true) {
                            return Err(Outside);
                        }
                        low = true;
                    }
                }
                return Ok(Data::Band(walk, Band { table, low, ended: 0 }));
            }
            Ok(Data::Unneeded(PassOver { walk, single_bits: false, restarts: 0, start: self.at, stuffed: 0 }))
        } else if scan.high == 0 {
            let tables = scan.components.iter().map(|selected| dc_table(selected.dc)).collect::<Result<_, _>>()?;
            Ok(Data::First(walk, FirstTerms { tables, sums: [0; 3], low: scan.low }))
        } else if self.settled {
            let single_bits = true;
            Ok(Data::Unneeded(PassOver { walk, single_bits, restarts: 0, start: self.at, stuffed: 0 }))
        } else {
            Ok(Data::Refinement(walk, Refinement { low: scan.low }))
        }
    }

    /// Reads as much of the current scan's data as has arrived.
    fn data(&mut self, part: Part) -> Result<(), Halt> {
        let (terms, low) = (&mut self.terms, self.low_terms.as_mut().ok_or(Outside)?);
        match self.data.as_mut().ok_or(Outside)? {
            Data::Sequential(walk, blocks) => self.at = walk.all(part, blocks, terms, low)?,
            Data::LowSequential(walk, blocks) => self.at = walk.all(part, blocks, terms, low)?,
            Data::First(walk, blocks) => self.at = walk.all(part, blocks, terms, low)?,
            Data::Refinement(walk, blocks) => self.at = walk.all(part, blocks, terms, low)?,
            Data::Band(walk, blocks) => self.at = walk.all(part, blocks, terms, low)?,
            Data::Unneeded(scan) => scan.go_on(part, &mut self.at)?,
        }
        self.data = None;
        Ok(())
    }
}
