//! Decodes every pixel of a JPEG as libjpeg-turbo does, the decoder of Chromium, Firefox and most programs.
//!
//! It is used for files that aren't ordinary: files that break rules of T.81 but are shown nevertheless, damaged files,
//! and files with colour models or samplings about which decoders disagree. Ordinary files go to `zune-jpeg`, which is
//! faster.

mod bits;
mod default_tables;
mod samples;
mod scan;

use super::dc::Code;
use super::frame::{Frame, Scan};
use super::markers::{HuffmanTable, Segments, take_quantization};
use super::part::Outside;
use super::survey::{ColourModel, Survey};
use super::unreadable;
use crate::image::error::IntakeError;
use crate::image::limits::{Limits, check_alloc};
use crate::image::surfaces::Surfaces;
use bits::Bits;
use samples::{Upsampled, convert, inverse_dct};
use scan::Tables;

/// The blocks of a component, in rows. Each row is padded to whole units.
struct Plane {
    /// Blocks in a row.
    stride: usize,
    /// The coefficients of each block, which the inverse DCT replaces by samples. Both are stored row by row.
    blocks: Vec<[i16; 64]>,
    /// The quantization table that was defined when the component's first scan began.
    steps: Option<[u16; 64]>,
    /// For each coefficient, how many of its low bits no scan has given yet; [`UNSEEN`] if none gave any.
    missing: [u8; 64],
}

const UNSEEN: u8 = 255;

/// Faults that decoding found.
pub(super) struct Decoded {
    /// Which pixels are missing, in words; `None` if no pixel is.
    pub(super) damaged: Option<&'static str>,
    /// Whether a scan has more bytes than its blocks need.
    pub(super) surplus: bool,
    /// Number of rows at the top that have pixels, if all rows below them are missing.
    pub(super) rows: Option<u32>,
}

/// The state that the file's segments have set so far: tables, coefficients, faults.
struct Decoder<'a> {
    bytes: &'a [u8],
    frame: &'a Frame,
    quantization: [Option<[u16; 64]>; 4],
    dc: [Option<Result<Code, Outside>>; 4],
    ac: [Option<Result<Code, Outside>>; 4],
    restart_interval: u32,
    planes: Vec<Plane>,
    scans: u32,
    damaged: Option<&'static str>,
    surplus: bool,
    rows: Option<u32>,
}

/// Decodes the picture that `survey` found, row by row into `surfaces`.
///
/// # Errors
/// `Unreadable` if libjpeg gives up before the first scan, `TooLarge` if decoding takes more memory than `limits`
/// allow.
pub(super) fn decode(
    bytes: &[u8],
    survey: &Survey,
    limits: &Limits,
    surfaces: &mut Surfaces,
) -> Result<Decoded, IntakeError> {
    let frame = &survey.frame;
    let pixels = u64::from(frame.width) * u64::from(frame.height);
    check_alloc(2 * frame.padded_samples() + pixels, limits)?;
    let (columns, rows) = frame.units();
    let plane = |component: &super::frame::Component| {
        let stride = (columns * component.across) as usize;
        let blocks = vec![[0; 64]; stride * (rows * component.down) as usize];
        Plane { stride, blocks, steps: None, missing: [UNSEEN; 64] }
    };
    let mut decoder = Decoder {
        bytes,
        frame,
        quantization: [None; 4],
        dc: [const { None }; 4],
        ac: [const { None }; 4],
        restart_interval: 0,
        planes: frame.components.iter().map(plane).collect(),
        scans: 0,
        damaged: None,
        surplus: false,
        rows: None,
    };
    match decoder.coefficients() {
        Err(message) if decoder.scans == 0 => return Err(unreadable(message)),
        Err(message) => decoder.damaged = decoder.damaged.or(Some(message)),
        Ok(()) => {}
    }
    let Decoder { mut planes, mut damaged, surplus, rows: rows_there, .. } = decoder;
    if planes.iter().any(|plane| plane.missing[0] == UNSEEN) {
        damaged = damaged.or(Some("a component has no scan"));
    }
    for Plane { blocks, steps, .. } in &mut planes {
        match steps {
            Some(steps) => blocks.iter_mut().for_each(|block| inverse_dct(block, steps)),
            None => blocks.fill([128; 64]),
        }
    }
    let mut rows = Vec::new();
    for (component, plane) in frame.components.iter().zip(&planes) {
        rows.push(Upsampled::new(frame, component, plane).ok_or_else(|| {
            unreadable("a component's sampling factors don't divide the largest ones, which libjpeg refuses too")
        })?);
    }
    let channels = if survey.model == ColourModel::Grey { 1 } else { 3 };
    let mut pixels = vec![0; channels * frame.width as usize];
    for y in 0..frame.height {
        rows.iter_mut().for_each(|component| component.make(y as usize));
        convert(survey.model, &rows, &mut pixels);
        surfaces.push(y, channels, &pixels);
    }
    Ok(Decoded { damaged, surplus, rows: rows_there })
}

impl Decoder<'_> {
    /// Reads segments and scans up to the place where libjpeg stops. An error says why libjpeg stops before the end.
    fn coefficients(&mut self) -> Result<(), &'static str> {
        let mut segments = Segments::new(self.bytes);
        let mut has_frame = false;
        while let Some(segment) = segments.next() {
            let mut content = segment.content;
            match segment.marker {
                0xd9 => return Ok(()),
                0xc0..=0xc2 if !has_frame => has_frame = true,
                0xc4 => {
                    while content.len() > 16 {
                        let message = "a Huffman table is longer than its segment";
                        let (kind, table) = HuffmanTable::take(&mut content).ok_or(message)?;
                        let tables = if kind & 0x10 == 0 { &mut self.dc } else { &mut self.ac };
                        let message = "a Huffman table has a number above 3";
                        *tables.get_mut(usize::from(kind & !0x10)).ok_or(message)? =
                            Some(Code::new(&table, kind & 0x10 == 0));
                    }
                    if !content.is_empty() || segment.is_short {
                        return Err("a segment of Huffman tables has a wrong length");
                    }
                }
                0xdb => {
                    while !content.is_empty() {
                        let message = "a segment of quantization tables has a wrong length";
                        let (place, steps) = take_quantization(&mut content).ok_or(message)?;
                        self.quantization[place] = Some(steps);
                    }
                }
                0xdd => match *content {
                    [high, low] => self.restart_interval = u16::from_be_bytes([high, low]).into(),
                    _ => return Err("the restart interval isn't two bytes long"),
                },
                0xda if has_frame => {
                    segments.at = self.scan(content, segments.at)?;
                    if !self.frame.progressive && self.planes.iter().all(|plane| plane.missing[0] == 0) {
                        // As in libjpeg, the rest of the file is ignored.
                        return Ok(());
                    }
                }
                0x01 | 0xcc | 0xd0..=0xd7 | 0xdc | 0xe0..=0xef | 0xfe => {}
                0xd8 => return Err("it has a second start-of-image marker"),
                0xc0..=0xcf => return Err("it has a second frame header"),
                0xda => return Err("a scan comes before the frame header"),
                // Skips a marker of unknown meaning, as Firefox does. Chromium stops at such a marker.
                _ => {}
            }
        }
        let is_whole = self.planes.iter().flat_map(|plane| plane.missing).all(|bits| bits == 0);
        if is_whole { Ok(()) } else { Err("it ends before its last scan") }
    }

    /// Decodes a scan whose data begins at position `at` of the file. Returns where the data ends.
    fn scan(&mut self, header: &[u8], at: usize) -> Result<usize, &'static str> {
        let scan = Scan::parse(header, self.frame).ok_or("a scan header doesn't fit the frame")?;
        let progressive = self.frame.progressive;
        if progressive && !scan.is_legal(progressive) {
            return Err("a scan has a band or bits that no scan may have");
        }
        let blocks = |selected: &super::frame::Selected| {
            let component = &self.frame.components[selected.component];
            component.across * component.down
        };
        // libjpeg's limit `D_MAX_BLOCKS_IN_MCU`.
        if scan.components.len() > 1 && scan.components.iter().map(blocks).sum::<u32>() > 10 {
            return Err("a unit has more than ten blocks");
        }
        for selected in &scan.components {
            let plane = &mut self.planes[selected.component];
            let number = self.frame.components[selected.component].quantization;
            plane.steps = plane.steps.or(self.quantization.get(number).copied().flatten());
            if plane.steps.is_none() {
                return Err("a quantization table is missing");
            }
            let band = if progressive { scan.first_term..=scan.last_term } else { 0..=63 };
            for term in band {
                plane.missing[usize::from(term)] = if progressive { scan.low } else { 0 };
            }
            if !progressive {
                // Motion JPEG leaves out the tables of T.81, annex K. Decoders are expected to know them.
                for (tables, is_dc) in [(&mut self.dc, true), (&mut self.ac, false)] {
                    let number = if is_dc { selected.dc } else { selected.ac };
                    if let Some(place @ None) = tables.get_mut(number) {
                        *place = default_tables::table(is_dc, number).map(|table| Code::new(&table, is_dc));
                    }
                }
            }
        }
        fn get(tables: &[Option<Result<Code, Outside>>; 4], number: usize) -> Option<&Code> {
            tables.get(number)?.as_ref()?.as_ref().ok()
        }
        let tables: Vec<_> = scan
            .components
            .iter()
            .map(|selected| Tables { dc: get(&self.dc, selected.dc), ac: get(&self.ac, selected.ac) })
            .collect();
        let first_dc = !progressive || scan.first_term == 0 && scan.high == 0;
        let any_ac = !progressive || scan.first_term > 0;
        if tables.iter().any(|tables| first_dc && tables.dc.is_none() || any_ac && tables.ac.is_none()) {
            return Err("a Huffman table is missing or makes no code");
        }
        self.scans += 1;
        let bits = Bits::new(self.bytes, at);
        let (at, faults) = scan::decode(bits, self.frame, &scan, &tables, self.restart_interval, &mut self.planes)
            .ok_or("a scan has no place in the frame")?;
        if faults.damaged {
            self.damaged = self.damaged.or(Some("the data of a scan is cut or damaged"));
        }
        self.surplus |= faults.surplus;
        if let Some(units) = faults.missing_from.filter(|_| first_dc) {
            let unit = match &scan.components[..] {
                [alone] => self.frame.most().1 / self.frame.components[alone.component].down.max(1),
                _ => self.frame.most().1,
            };
            let rows = 8 * unit.max(1) * units;
            self.rows = Some(self.rows.map_or(rows, |least| least.min(rows)));
        }
        Ok(at)
    }
}
