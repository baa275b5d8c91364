//! The fast path for JPEG: the luma of 8x8 blocks, which is all that PDQ needs of a large picture.
//!
//! A JPEG stores the mean of every block of Y as its DC term, and JFIF's Y is PDQ's luma. So AC
//! terms are passed over, and of a progressive file only the scans of DC terms are read. Chroma counts where colours are so
//! strong that RGB clips them. Written from ITU T.81.
//!
//! Whatever is out of the ordinary is [`Outside`], and the general decoder, which is strict, has the say: other coding processes, other
//! colours, and everything that is damaged or merely odd. `docs/decode.md` states the rule.

mod bits;
mod huffman;

use crate::pdq::Plane;

use super::{Format, Limits, check_alloc, check_plausible, check_size};
use bits::Bits;
use huffman::{AcTable, BandTable, DcTable, Definition};

/// Pictures of fewer pixels on the short side are too coarse in blocks: their hashes are too far
/// from those of a full decode (`docs/decode.md` has the distances).
const MIN_SHORT_SIDE: u32 = 900;

/// Of a scan of AC terms that isn't needed.
const SAMPLED_ROWS: u32 = 24;

/// As the general decoder's.
const MAX_SCANS: u32 = 100;

/// Not a file that is read here. It is the general decoder's to say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside;

/// Reads the plane of Y's block means.
pub(super) fn read_luma(bytes: &[u8], limits: &Limits) -> Result<Plane, Outside> {
    let mut reader = Reader { bytes, ..Reader::default() };
    reader.read(limits)?;
    reader.plane()
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

#[derive(Default)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    /// Quantization.
    steps: [Option<Steps>; 4],
    dc: [Option<Definition>; 4],
    ac: [Option<Definition>; 4],
    /// Units between restarts; 0 for none.
    restart_interval: u32,
    /// DC terms of each component, in whole units.
    terms: [Terms; 3],
    /// Components whose (first) scan of DC terms was read, and the bit down to which they are known.
    seen: [bool; 3],
    low: [u8; 3],
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

impl<'a> Reader<'a> {
    fn read(&mut self, limits: &Limits) -> Result<(), Outside> {
        self.at = 2;
        let mut scans = 0;
        loop {
            let marker = self.marker()?;
            if marker == 0xd9 {
                break;
            }
            let mut segment = self.segment()?;
            match marker {
                0xc0..=0xc2 if self.frame.is_none() => self.start_frame(marker, segment, limits)?,
                0xc4 => {
                    while let [kind, rest @ ..] = segment {
                        segment = rest;
                        let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
                        let place = tables.get_mut(usize::from(kind & 15)).filter(|_| kind >> 4 < 2).ok_or(Outside)?;
                        *place = Some(Definition::parse(&mut segment)?);
                    }
                }
                // Other tables for later scans are legal and unheard of.
                0xdb if scans == 0 => self.quantization(segment)?,
                0xdd => match *segment {
                    [high, low] => self.restart_interval = u16::from_be_bytes([high, low]).into(),
                    _ => return Err(Outside),
                },
                0xda => {
                    scans += 1;
                    if scans > MAX_SCANS {
                        return Err(Outside);
                    }
                    self.scan(segment)?;
                }
                // Adobe's marker says what the components are; 1 is YCbCr.
                0xee if segment.starts_with(b"Adobe") && segment.get(11) != Some(&1) => return Err(Outside),
                0xe0..=0xef | 0xfe => {}
                _ => return Err(Outside),
            }
        }
        let components = self.frame.as_ref().map_or(0, |frame| frame.components.len());
        if components > 0 && self.seen[..components].iter().all(|&seen| seen) { Ok(()) } else { Err(Outside) }
    }

    /// Reads a marker, which must be here.
    fn marker(&mut self) -> Result<u8, Outside> {
        let Some([0xff, rest @ ..]) = self.bytes.get(self.at..) else { return Err(Outside) };
        let fill = rest.iter().position(|&byte| byte != 0xff).ok_or(Outside)?;
        self.at += fill + 2;
        Ok(rest[fill])
    }

    /// Reads a segment, which must be here, without its length.
    fn segment(&mut self) -> Result<&'a [u8], Outside> {
        let rest = self.bytes.get(self.at..).ok_or(Outside)?;
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk().ok_or(Outside)?));
        self.at += length;
        rest.get(2..length).ok_or(Outside)
    }

    fn start_frame(&mut self, marker: u8, segment: &[u8], limits: &Limits) -> Result<(), Outside> {
        let [8, y1, y0, x1, x0, count, components @ ..] = segment else { return Err(Outside) };
        let (width, height) = (u16::from_be_bytes([*x1, *x0]).into(), u16::from_be_bytes([*y1, *y0]).into());
        check_size(Format::Jpeg, width, height, limits).map_err(|_| Outside)?;
        let cells = u64::from(width.div_ceil(8) + 3) * u64::from(height.div_ceil(8) + 3);
        check_alloc(10 * cells, limits).map_err(|_| Outside)?;
        check_plausible(Format::Jpeg, u64::from(width) * u64::from(height), 64 * 8, self.bytes).map_err(|_| Outside)?;
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

    /// Reads a scan, header and data, or passes over it if it has no DC terms.
    fn scan(&mut self, header: &[u8]) -> Result<(), Outside> {
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
        if !frame.progressive {
            self.sequential(&scan)
        } else if !dc {
            if scan.high == 0 {
                self.sample(&scan)?;
            }
            self.pass_over(&scan)
        } else if scan.high == 0 {
            self.first_terms(&scan)
        } else {
            self.refine_terms(&scan)
        }
    }

    fn dc_table(&self, place: usize) -> Result<DcTable, Outside> {
        DcTable::new(self.dc[place].as_ref().ok_or(Outside)?)
    }

    /// All terms of a scan of a sequential frame (F.2).
    fn sequential(&mut self, scan: &Scan) -> Result<(), Outside> {
        let mut tables = Vec::new();
        for &(_, dc, ac) in &scan.components {
            tables.push((self.dc_table(dc)?, AcTable::new(self.ac[ac].as_ref().ok_or(Outside)?)?));
        }
        let mut sums = [0; 3];
        self.units(scan, u32::MAX, |bits, component, restarted, term| {
            if restarted {
                sums = [0; 3];
            }
            let (dc, ac) = &tables[component];
            sums[component] = i32::wrapping_add(sums[component], dc.read(bits)?);
            ac.skip_block(bits)?;
            *term = i16::try_from(sums[component]).map_err(|_| Outside)?;
            Ok(())
        })
    }

    /// The first scan of DC terms of a progressive frame (G.1.2.1).
    fn first_terms(&mut self, scan: &Scan) -> Result<(), Outside> {
        let mut tables = Vec::new();
        for &(_, dc, _) in &scan.components {
            tables.push(self.dc_table(dc)?);
        }
        let (mut sums, low) = ([0; 3], scan.low);
        self.units(scan, u32::MAX, |bits, component, restarted, term| {
            if restarted {
                sums = [0; 3];
            }
            sums[component] = i32::wrapping_add(sums[component], tables[component].read(bits)?);
            *term = i16::try_from(sums[component] << low).map_err(|_| Outside)?;
            Ok(())
        })
    }

    /// One more bit of each DC term.
    fn refine_terms(&mut self, scan: &Scan) -> Result<(), Outside> {
        let low = scan.low;
        self.units(scan, u32::MAX, |bits, _, _, term| {
            bits.refill();
            *term |= (bits.take(1) as i16) << low;
            Ok(())
        })
    }

    /// Looks at the first rows of a scan of AC terms (G.1.2.2), which aren't needed: with another table than they were
    /// written with, or with other steps, they soon make no sense.
    fn sample(&mut self, scan: &Scan) -> Result<(), Outside> {
        let &[(_, _, ac)] = &scan.components[..] else { return Err(Outside) };
        let table = BandTable::new(self.ac[ac].as_ref().ok_or(Outside)?)?;
        let (band, low) = (scan.first_term..=scan.last_term, scan.low);
        let mut ended = 0;
        self.units(scan, SAMPLED_ROWS, |bits, _, restarted, _| {
            if ended > 0 {
                ended -= 1;
                return if restarted { Err(Outside) } else { Ok(()) };
            }
            ended = table.skip_block(bits, band.clone(), low)?;
            Ok(())
        })
    }

    /// Goes through a scan's blocks, or through its first rows of units, without leaving its beginning then. `read` is told the place of the block's component in the scan, whether prediction begins
    /// anew, and where the DC term belongs.
    #[inline(always)]
    fn units(
        &mut self,
        scan: &Scan,
        most_rows: u32,
        mut read: impl FnMut(&mut Bits, usize, bool, &mut i16) -> Result<(), Outside>,
    ) -> Result<(), Outside> {
        let frame = self.frame.as_ref().ok_or(Outside)?;
        let layout: Vec<_> = scan.components.iter().map(|&(place, ..)| (place, frame.components[place])).collect();
        let single = layout.len() == 1;
        let (columns, rows) = if single { frame.blocks(&layout[0].1) } else { frame.units() };
        let mut bits = Bits::new(self.bytes, self.at);
        let (mut left, mut restarts, mut anew) = (self.restart_interval, 0u8, true);
        for row in 0..rows.min(most_rows) {
            for column in 0..columns {
                if self.restart_interval > 0 {
                    if left == 0 {
                        let at = bits.end()?;
                        if self.bytes.get(at..at + 2) != Some(&[0xff, 0xd0 + restarts]) {
                            return Err(Outside);
                        }
                        bits = Bits::new(self.bytes, at + 2);
                        (left, restarts, anew) = (self.restart_interval, (restarts + 1) % 8, true);
                    }
                    left -= 1;
                }
                for (index, (place, component)) in layout.iter().enumerate() {
                    let (across, down) = if single { (1, 1) } else { (component.across, component.down) };
                    for y in 0..down {
                        let Terms { columns, values } = &mut self.terms[*place];
                        let start = (row * down + y) as usize * *columns + (column * across) as usize;
                        let places = values.get_mut(start..start + across as usize).ok_or(Outside)?;
                        for term in places {
                            read(&mut bits, index, anew, term)?;
                            anew = false;
                        }
                    }
                }
            }
            if bits.ran_out() {
                return Err(Outside);
            }
        }
        if most_rows >= rows {
            self.at = bits.end()?;
        }
        Ok(())
    }

    /// Goes to the end of a scan that isn't needed. Only its restart markers are looked at: each must be in its place in
    /// their cycle, and there must be as many as the scan has intervals.
    fn pass_over(&mut self, scan: &Scan) -> Result<(), Outside> {
        let frame = self.frame.as_ref().ok_or(Outside)?;
        let (columns, rows) = match scan.components[..] {
            [(place, ..)] => frame.blocks(&frame.components[place]),
            _ => frame.units(),
        };
        let expected = match self.restart_interval {
            0 => 0,
            interval => (columns * rows - 1) / interval,
        };
        let mut restarts = 0;
        loop {
            self.at += find_marker(self.bytes.get(self.at..).ok_or(Outside)?).ok_or(Outside)?;
            match self.bytes[self.at + 1] {
                marker @ 0xd0..=0xd7 if u32::from(marker - 0xd0) == restarts % 8 => {
                    restarts += 1;
                    self.at += 2;
                }
                _ if restarts == expected => return Ok(()),
                _ => return Err(Outside),
            }
        }
    }

    /// What the terms say of each block.
    fn plane(self) -> Result<Plane, Outside> {
        let frame = self.frame.ok_or(Outside)?;
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
        let mut cells = Vec::with_capacity(columns * rows);
        for y in 0..rows {
            let luma = row(0, y).get(..columns).ok_or(Outside)?;
            if frame.components.len() == 1 {
                cells.extend(luma.iter().map(|&term| 128.0 + mean(term, steps[0])));
                continue;
            }
            let chroma = row(1, y / down).iter().zip(row(2, y / down));
            for (luma, (&blue, &red)) in luma.chunks(across).zip(chroma) {
                let (blue, red) = (mean(blue, steps[1]), mean(red, steps[2]));
                cells.extend(luma.iter().map(|&term| clipped(128.0 + mean(term, steps[0]), blue, red)));
            }
        }
        if strange {
            return Err(Outside);
        }
        Ok(Plane { width: frame.width, height: frame.height, block_width: 8, block_height: 8, cells })
    }
}

/// The luma of a colour once its red, green and blue are clipped (JFIF's conversion).
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

/// Where the next marker in entropy-coded data is. Most bytes are looked at eight at a time.
fn find_marker(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*word);
            if (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0 {
                break;
            }
            at += 8;
        }
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        if *bytes.get(at + 1)? != 0 {
            return Some(at);
        }
        at += 2;
    }
}
