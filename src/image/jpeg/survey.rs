//! Reads a JPEG's markers, without decoding. Finds the frame, the colour model, and whether all decoders read the file
//! alike.

use super::frame::{Frame, Scan};
use super::icc::ProfileParts;
use super::markers::{HuffmanTable, Segment, Segments, adobe_transform, is_jfif};
use super::{MAX_SCANS, unreadable};
use crate::image::error::{IntakeError, unsupported};

/// How samples are converted to colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColourModel {
    Grey,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}

impl ColourModel {
    /// Chooses the model as libjpeg does (`jdapimin.c`, `default_decompress_parms`). libjpeg has no model for two
    /// components; this crate reads the first of them as grey.
    fn of(frame: &Frame, jfif: bool, adobe: Option<u8>) -> Self {
        match (&frame.components[..], adobe) {
            ([_] | [_, _], _) => Self::Grey,
            ([_, _, _], _) if jfif => Self::YCbCr,
            ([_, _, _], Some(0)) => Self::Rgb,
            ([_, _, _], Some(_)) => Self::YCbCr,
            ([a, b, c], None) => {
                if [a.id, b.id, c.id] == *b"RGB" {
                    Self::Rgb
                } else {
                    Self::YCbCr
                }
            }
            (_, None | Some(0)) => Self::Cmyk,
            (_, Some(_)) => Self::Ycck,
        }
    }
}

/// The structure of a file.
pub(super) struct Survey {
    pub(super) frame: Frame,
    pub(super) model: ColourModel,
    /// Whether decoding needs the coefficients of all scans in memory.
    pub(super) holds_coefficients: bool,
    /// The first reason why decoders may disagree; `None` if the file is ordinary.
    pub(super) odd: Option<&'static str>,
    /// Whether the file breaks a rule of T.81.
    pub(super) malformed: bool,
    /// Whether `zune-jpeg` misreads this file, although it is ordinary.
    pub(super) misleads_zune: bool,
    pub(super) icc: ProfileParts,
}

/// The facts that the markers read so far have declared.
#[derive(Default)]
struct Walk {
    frame: Option<Frame>,
    jfif: bool,
    adobe: Option<u8>,
    odd: Option<&'static str>,
    malformed: bool,
    misleads_zune: bool,
    icc: ProfileParts,
    scans: u32,
    restart_interval: u32,
    /// Whether the current position is inside the data of a scan. The next two fields count the scan's restart markers.
    in_scan: bool,
    restarts: u32,
    expected_restarts: u32,
    /// The Huffman tables that are defined, one bit each: bits 0 to 3 for DC, bits 4 to 7 for AC.
    tables: u8,
    /// For each component and coefficient, the number of its low bits that no scan has given yet; 14 if no scan has the
    /// coefficient.
    missing: Vec<[u8; 64]>,
}

const UNSEEN: u8 = 14;

impl Survey {
    /// # Errors
    /// `UnsupportedPicture` for kinds of JPEG that libjpeg doesn't read, or not as browsers build it; `Unreadable` if
    /// there is no frame header.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, IntakeError> {
        let mut walk = Walk::default();
        let mut segments = Segments::new(bytes);
        let mut ends = false;
        while let Some(segment) = segments.next() {
            if segment.marker == 0xd9 {
                ends = true;
                break;
            }
            walk.segment(&segment)?;
        }
        walk.end_scan();
        if walk.scans > MAX_SCANS {
            return Err(unreadable(format!("it has {} scans, at most {MAX_SCANS} are read", walk.scans)));
        }
        if !ends {
            walk.breaks_a_rule("it has no end-of-image marker");
        }
        if walk.missing.iter().flatten().any(|&bits| bits > 0) {
            walk.is_odd("bits of coefficients are in no scan");
        }
        let holds_coefficients = walk.scans > 1 || walk.frame.as_ref().is_some_and(|frame| frame.progressive);
        let frame = walk.frame.take().ok_or_else(|| unreadable("it has no frame header"))?;
        if frame.height == 0 {
            return Err(unsupported("a JPEG picture without a height"));
        }
        let model = ColourModel::of(&frame, walk.jfif, walk.adobe);
        walk.colours(&frame, model);
        let Walk { odd, malformed, misleads_zune, icc, .. } = walk;
        Ok(Self { frame, model, holds_coefficients, odd, malformed, misleads_zune, icc })
    }
}

impl Walk {
    fn is_odd(&mut self, reason: &'static str) {
        self.odd = self.odd.or(Some(reason));
    }

    fn breaks_a_rule(&mut self, reason: &'static str) {
        self.is_odd(reason);
        self.malformed = true;
    }

    fn segment(&mut self, segment: &Segment) -> Result<(), IntakeError> {
        let &Segment { marker, mut content, .. } = segment;
        if self.in_scan && matches!(marker, 0xd0..=0xd7) {
            if u32::from(marker - 0xd0) != self.restarts % 8 || self.restarts == self.expected_restarts {
                self.breaks_a_rule("restart markers are out of order");
            }
            self.restarts += 1;
            return Ok(());
        }
        if !self.in_scan && segment.follows_surplus {
            self.breaks_a_rule("bytes lie between its segments");
        }
        if segment.is_short {
            self.breaks_a_rule("a segment is shorter than its header, or longer than the file");
        }
        self.end_scan();
        match marker {
            0xc0..=0xc2 if self.frame.is_none() => self.start_frame(marker, content)?,
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if self.frame.is_none() => {
                return Err(unsupported(match marker {
                    0xc3 => "a lossless JPEG picture",
                    0xc5..=0xc7 => "a hierarchical JPEG picture",
                    _ => "an arithmetically coded JPEG picture",
                }));
            }
            0xc4 => {
                while let Some((kind, _)) = HuffmanTable::take(&mut content) {
                    self.tables |= 1u8.checked_shl(u32::from(kind >> 2 & 4 | kind & 3)).unwrap_or(0);
                }
            }
            0xc0..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => self.breaks_a_rule("it has a second frame header"),
            0xda => self.start_scan(content),
            0xdb if self.scans > 0 => self.is_odd("its quantization tables change between scans"),
            0xdc => match (&mut self.frame, content) {
                (Some(frame), [high, low]) if frame.height == 0 => {
                    frame.height = u16::from_be_bytes([*high, *low]).into();
                    self.is_odd("it tells its height after the first scan");
                }
                _ => self.breaks_a_rule("it tells its height twice"),
            },
            0xdd => match *content {
                [high, low] => self.restart_interval = u16::from_be_bytes([high, low]).into(),
                _ => self.breaks_a_rule("its restart interval isn't two bytes long"),
            },
            // libjpeg chooses the colour model when the first scan begins, so later segments have no effect on it.
            0xe0 if self.scans == 0 => self.jfif |= is_jfif(content),
            0xe2 if self.scans == 0 => self.icc.push(content),
            0xee if self.scans == 0 => self.adobe = adobe_transform(content).or(self.adobe),
            0xdb | 0xe0..=0xef | 0xfe => {}
            _ => self.breaks_a_rule("it has a marker where none of that kind belongs"),
        }
        Ok(())
    }

    fn start_frame(&mut self, marker: u8, content: &[u8]) -> Result<(), IntakeError> {
        let frame = Frame::parse(marker, content).ok_or_else(|| unreadable("its frame header is broken"))?;
        if frame.precision != 8 {
            return Err(unsupported("a JPEG picture of other than 8 bits per sample"));
        }
        if !(1..=4).contains(&frame.components.len()) {
            return Err(unsupported("a JPEG picture of other than one to four components"));
        }
        if self.scans > 0 {
            self.breaks_a_rule("a scan comes before the frame header");
        }
        if let [luma, chroma @ ..] = &frame.components[..] {
            let is_usual = matches!((luma.across, luma.down), (1 | 2, 1 | 2) | (4, 1));
            if !is_usual || chroma.iter().any(|chroma| (chroma.across, chroma.down) != (1, 1)) {
                self.is_odd("its sampling factors are unusual");
            }
        }
        self.missing = vec![[UNSEEN; 64]; frame.components.len()];
        self.frame = Some(frame);
        Ok(())
    }

    fn start_scan(&mut self, header: &[u8]) {
        self.scans += 1;
        self.in_scan = true;
        (self.restarts, self.expected_restarts) = (0, 0);
        let Some((frame, scan)) = self.frame.as_ref().and_then(|frame| Some((frame, Scan::parse(header, frame)?)))
        else {
            return self.breaks_a_rule("a scan header doesn't fit the frame");
        };
        let progressive = frame.progressive;
        let (columns, rows) = frame.units_of(&scan);
        // A frame without a height isn't ordinary. It has no units, so no restart markers are expected.
        self.expected_restarts = (columns * rows).saturating_sub(1).checked_div(self.restart_interval).unwrap_or(0);
        let tall = frame.components.len() > 1 && frame.most().1 > 1;
        let is_partial = scan.components.len() < frame.components.len();
        let mut is_repeated = !scan.is_legal(progressive);
        let mut lacks_tables = false;
        for selected in &scan.components {
            let missing = &mut self.missing[selected.component];
            for term in scan.first_term..=scan.last_term.min(63) {
                let bits = &mut missing[usize::from(term)];
                is_repeated |= *bits != if scan.high == 0 { UNSEEN } else { scan.high };
                *bits = scan.low;
            }
            let needs_dc = scan.first_term == 0 && scan.high == 0;
            let needs_ac = scan.last_term > 0;
            let is_defined = |number: usize, of: u8| number < 4 && self.tables >> of >> number & 1 == 1;
            lacks_tables |= needs_dc && !is_defined(selected.dc, 0) || needs_ac && !is_defined(selected.ac, 4);
        }
        if is_repeated {
            self.breaks_a_rule("its scans are not in order");
        }
        if lacks_tables {
            self.breaks_a_rule("it lacks Huffman tables");
        }
        // `zune-jpeg` 0.5.15 misplaces the rows of a scan with only some of the components, if a component has several
        // blocks on top of each other per unit.
        self.misleads_zune |= !progressive && is_partial && tall;
    }

    fn end_scan(&mut self) {
        if self.in_scan && self.restarts < self.expected_restarts {
            self.breaks_a_rule("restart markers are missing");
        }
        self.in_scan = false;
    }

    /// Notes combinations of markers and components from which decoders choose different colour models.
    fn colours(&mut self, frame: &Frame, model: ColourModel) {
        let ids: Vec<_> = frame.components.iter().map(|component| component.id).collect();
        if (1..ids.len()).any(|index| ids[..index].contains(&ids[index])) {
            self.breaks_a_rule("two components have the same id");
        }
        match (model, &ids[..]) {
            (_, [_]) => {}
            (ColourModel::YCbCr, [first @ 0..=1, second, third]) if [first + 1, first + 2] == [*second, *third] => {
                if self.adobe.is_some_and(|transform| transform != 1) {
                    self.is_odd("its markers disagree about its colours");
                }
            }
            (ColourModel::YCbCr, _) => self.is_odd("its components have unusual ids"),
            _ => self.is_odd("its colours are neither grey nor YCbCr"),
        }
    }
}
