//! Parses the headers of frames and scans (ITU T.81, B.2.2 and B.2.3), for all JPEG decoders.

/// A component of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Sampling factors, horizontal and vertical.
    pub(super) across: u32,
    pub(super) down: u32,
    /// Number of the quantization table.
    pub(super) quantization: usize,
}

/// A frame header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) progressive: bool,
    /// Bits per sample.
    pub(super) precision: u8,
    pub(super) width: u32,
    /// 0 if a DNL segment tells the height after the first scan (B.2.5).
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
}

impl Frame {
    /// Reads the content of a SOF segment. Returns `None` if its length is wrong, or a sampling factor isn't 1 to 4.
    pub(super) fn parse(marker: u8, segment: &[u8]) -> Option<Self> {
        let [precision, y1, y0, x1, x0, count, components @ ..] = segment else { return None };
        let component = |&[id, factors, quantization]: &[u8; 3]| Component {
            id,
            across: (factors >> 4).into(),
            down: (factors & 15).into(),
            quantization: quantization.into(),
        };
        let (components, rest) = components.as_chunks();
        let mut components: Vec<_> = components.iter().map(component).collect();
        let is_legal = |c: &Component| (1..=4).contains(&c.across) && (1..=4).contains(&c.down);
        if !rest.is_empty() || components.len() != usize::from(*count) || !components.iter().all(is_legal) {
            return None;
        }
        if let [alone] = &mut components[..] {
            // A single component has one block per unit, whatever its factors (A.2.2).
            (alone.across, alone.down) = (1, 1);
        }
        let (width, height) = (u16::from_be_bytes([*x1, *x0]).into(), u16::from_be_bytes([*y1, *y0]).into());
        Some(Self { progressive: marker == 0xc2, precision: *precision, width, height, components })
    }

    /// The largest sampling factors, horizontal and vertical.
    pub(super) fn most(&self) -> (u32, u32) {
        let most = |factor: fn(&Component) -> u32| self.components.iter().map(factor).max().unwrap_or(1);
        (most(|component| component.across), most(|component| component.down))
    }

    /// Returns the number of interleaved units (A.2.3) in a row and in a column.
    pub(super) fn units(&self) -> (u32, u32) {
        let (across, down) = self.most();
        (self.width.div_ceil(8 * across), self.height.div_ceil(8 * down))
    }

    /// Returns the width and height of a component in samples (A.1.1).
    pub(super) fn samples(&self, component: &Component) -> (u32, u32) {
        let (across, down) = self.most();
        ((self.width * component.across).div_ceil(across), (self.height * component.down).div_ceil(down))
    }

    /// Returns the number of blocks in a row and in a column of a component that has a scan of its own (A.2.2).
    pub(super) fn blocks(&self, component: &Component) -> (u32, u32) {
        let (width, height) = self.samples(component);
        (width.div_ceil(8), height.div_ceil(8))
    }

    /// Returns the number of samples of all components, padded to whole units.
    pub(super) fn padded_samples(&self) -> u64 {
        let (columns, rows) = self.units();
        let blocks: u32 = self.components.iter().map(|component| component.across * component.down).sum();
        64 * u64::from(blocks) * u64::from(columns) * u64::from(rows)
    }

    /// Returns the number of units in a row and in a column of a scan.
    pub(super) fn units_of(&self, scan: &Scan) -> (u32, u32) {
        match scan.components[..] {
            [Selected { component, .. }] => self.blocks(&self.components[component]),
            _ => self.units(),
        }
    }
}

/// A component of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selected {
    /// Its place in the frame.
    pub(super) component: usize,
    /// Numbers of its Huffman tables, 0 to 15.
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// A scan header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) components: Vec<Selected>,
    /// The first and the last coefficient, in zigzag order.
    pub(super) first_term: u8,
    pub(super) last_term: u8,
    /// The lowest bit position that earlier scans have sent; 0 in a coefficient's first scan.
    pub(super) high: u8,
    /// The lowest bit position that this scan sends. The bits below it come in later scans.
    pub(super) low: u8,
}

impl Scan {
    /// Reads the content of an SOS segment. Matches components as libjpeg does: the scan's `i`th component is the first
    /// component of the frame with its id, searched from the frame's `i`th on. Returns `None` if there is no such
    /// component, or if the segment's length is wrong.
    pub(super) fn parse(header: &[u8], frame: &Frame) -> Option<Self> {
        let (&count, rest) = header.split_first()?;
        let (selectors, &[first_term, last_term, bits]) = rest.split_last_chunk::<3>()?;
        if !(1..=4).contains(&count) || selectors.len() != 2 * usize::from(count) {
            return None;
        }
        let mut components: Vec<Selected> = Vec::new();
        for (index, &[id, tables]) in selectors.as_chunks().0.iter().enumerate() {
            let from = frame.components.get(index..)?;
            let component = index + from.iter().position(|component| component.id == id)?;
            if components.iter().any(|before| before.component == component) {
                return None;
            }
            components.push(Selected { component, dc: (tables >> 4).into(), ac: (tables & 15).into() });
        }
        Some(Self { components, first_term, last_term, high: bits >> 4, low: bits & 15 })
    }

    /// Returns whether T.81 allows a scan of these coefficients and bits (B.2.3, G.1.1).
    pub(super) fn is_legal(&self, progressive: bool) -> bool {
        let &Self { first_term, last_term, high, low, .. } = self;
        if !progressive {
            return (first_term, last_term, high, low) == (0, 63, 0, 0);
        }
        let band = if first_term == 0 {
            last_term == 0
        } else {
            first_term <= last_term && last_term < 64 && self.components.len() == 1
        };
        band && low <= 13 && (high == 0 || high == low + 1)
    }
}
