//! One picture of a file, read row by row: a coded picture, or a grid of them of which one row of tiles is in memory.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::Error;
use crate::Limits;
use crate::container::{Container, Reader};
use crate::hevc::{self, Detail, Frame, ParameterSets, Signal};

/// A picture.
pub struct Layer<'c, 'a> {
    container: &'c Container<'a>,
    /// The coded pictures, row by row.
    tiles: Vec<u32>,
    columns: usize,
    /// Width and height of each coded picture.
    pub tile_size: [usize; 2],
    /// Width and height.
    pub size: [usize; 2],
    /// Whether the picture has no chroma.
    pub is_grey: bool,
    /// The range and the matrix of the samples.
    pub signal: Signal,
    /// Pixels of one coded picture, with those that are cropped.
    tile_pixels: u64,
    /// For each configuration: the bytes of a unit's length, and the parameter sets.
    configurations: BTreeMap<u16, (usize, ParameterSets)>,
    /// The row of tiles in memory, and its number.
    frames: Vec<Frame>,
    row: Option<usize>,
}

impl<'c, 'a> Layer<'c, 'a> {
    /// Reads what the file says about an item.
    pub fn open(container: &'c Container<'a>, id: u32, limits: &Limits) -> Result<Self, Error> {
        let (tiles, rows, columns, declared) = match &container.kind(id)? {
            b"hvc1" => (vec![id], 1, 1, None),
            b"grid" => {
                let [rows, columns, width, height] = read_grid(&container.bytes(id)?)?;
                let tiles = container.parts(id).to_vec();
                if tiles.len() != rows * columns {
                    return Err(Error::Unreadable("the grid has more or fewer tiles than it says"));
                }
                (tiles, rows, columns, Some([width, height]))
            }
            _ => return Err(Error::Unsupported("pictures of this codec or derivation")),
        };
        let mut layer = Self {
            container,
            tiles,
            columns,
            tile_size: [0; 2],
            size: [0; 2],
            is_grey: false,
            signal: Signal::default(),
            tile_pixels: 0,
            configurations: BTreeMap::new(),
            frames: Vec::new(),
            row: None,
        };
        let first = layer.tiles[0];
        let info = layer.configuration(first)?.1.info()?;
        layer.tile_size = [info.width, info.height];
        layer.size = declared.unwrap_or(layer.tile_size);
        layer.is_grey = info.is_grey;
        layer.tile_pixels = info.pixels;
        // A `colr` box counts more than the stream (23008-12, 6.5.5).
        let declared = container.properties(id).chain(container.properties(first)).find_map(nclx);
        layer.signal = declared.unwrap_or(info.signal);
        for (side, (tile, count)) in layer.size.iter().zip(layer.tile_size.iter().zip([columns, rows])) {
            // Superfluous tiles would cost time without being seen.
            if !(tile * (count - 1)..=tile * count).contains(side) || *side == tile * (count - 1) {
                return Err(Error::Unreadable("the tiles don't cover the picture exactly"));
            }
        }
        let shown = layer.size[0] as u64 * layer.size[1] as u64;
        crate::at_most("number of pixels", shown, limits.max_pixels)?;
        // Tiles may reach beyond the picture, and blocks beyond their tile. That is bounded too, as it takes time.
        let coded = layer.tile_pixels.saturating_mul(layer.tiles.len() as u64);
        if coded > 4 * shown + (1 << 20) {
            return Err(Error::Unreadable("far more pixels are coded than are shown"));
        }
        Ok(layer)
    }

    /// Returns how many bytes decoding takes at most, besides the file.
    pub fn memory(&self, detail: Detail) -> u64 {
        let planes = if detail == Detail::Luma || self.is_grey { 2 } else { 6 };
        // The picture twice, because a loop filter needs a copy; and what is noted for each block.
        let working = self.tile_pixels * (2 * planes + 1);
        working + self.tile_pixels * planes * if self.tiles.len() > 1 { self.columns as u64 } else { 0 }
    }

    /// Returns the configuration of a coded picture.
    fn configuration(&mut self, id: u32) -> Result<&(usize, ParameterSets), Error> {
        let found = self.container.properties(id).find(|(kind, ..)| *kind == b"hvcC");
        let (_, content, place) = found.ok_or(Error::Unreadable("a coded picture has no parameter sets"))?;
        match self.configurations.entry(place) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let (length_size, units) = read_configuration(content)?;
                Ok(unknown.insert((length_size, hevc::parameter_sets(&units)?)))
            }
        }
    }

    fn decode(&mut self, id: u32, detail: Detail) -> Result<Frame, Error> {
        if self.container.kind(id)? != *b"hvc1" {
            return Err(Error::Unsupported("grids of anything but HEVC pictures"));
        }
        let (bytes, most) = (self.container.bytes(id)?, self.tile_pixels);
        let (length_size, sets) = self.configuration(id)?;
        let mut rest = Reader(&bytes);
        let mut units = Vec::new();
        while !rest.0.is_empty() {
            let length = rest.number(*length_size)?;
            units.push(rest.take(usize::try_from(length).unwrap_or(usize::MAX))?);
        }
        let frame = hevc::decode(sets, &units, detail, most)?;
        if [frame.width, frame.height] != self.tile_size || (self.is_grey && frame.has_chroma()) {
            return Err(Error::Unreadable("the tiles are of different kinds"));
        }
        Ok(frame)
    }

    /// Returns the coded pictures that row `y` goes through, and the row within them. Rows must be asked for from the
    /// top; rows may be repeated or left out.
    pub fn at(&mut self, y: usize, detail: Detail) -> Result<(&[Frame], usize), Error> {
        let (row, within) = (y / self.tile_size[1], y % self.tile_size[1]);
        if self.row != Some(row) {
            self.frames.clear();
            for column in 0..self.columns {
                let id = self.tiles[row * self.columns + column];
                let frame = self.decode(id, detail)?;
                self.frames.push(frame);
            }
            self.row = Some(row);
        }
        Ok((&self.frames, within))
    }
}

/// Reads the content of a grid (23008-12, 6.6.2.3.2): rows, columns, width, height.
fn read_grid(bytes: &[u8]) -> Result<[usize; 4], Error> {
    let mut bytes = Reader(bytes);
    let (version, flags) = (bytes.u8()?, bytes.u8()?);
    if version != 0 {
        return Err(Error::Unsupported("grids of this version"));
    }
    let (rows, columns) = (bytes.u8()?, bytes.u8()?);
    let size = if flags & 1 == 0 { 2 } else { 4 };
    let (width, height) = (bytes.number(size)? as usize, bytes.number(size)? as usize);
    if width == 0 || height == 0 {
        return Err(Error::Unreadable("the grid has no pixels"));
    }
    Ok([usize::from(rows) + 1, usize::from(columns) + 1, width, height])
}

/// Reads a decoder configuration record (14496-15, 8.3.2.1): the bytes of a unit's length, and the parameter sets.
pub fn read_configuration(bytes: &[u8]) -> Result<(usize, Vec<&[u8]>), Error> {
    let mut bytes = Reader(bytes);
    let head = bytes.take(22)?;
    let mut units = Vec::new();
    for _ in 0..bytes.u8()? {
        let kind = bytes.u8()? & 0x3f;
        for _ in 0..bytes.u16()? {
            let length = usize::from(bytes.u16()?);
            let unit = bytes.take(length)?;
            // VPS, SPS and PPS. Each is parsed, so hundreds of them would take time for nothing.
            if matches!(kind, 32..=34) && units.len() < 64 {
                units.push(unit);
            }
        }
    }
    Ok((usize::from(head[21] & 3) + 1, units))
}

/// Reads the range and the matrix that a `colr` property declares.
fn nclx((kind, content, _): (&[u8; 4], &[u8], u16)) -> Option<Signal> {
    let declared = content.strip_prefix(b"nclx").filter(|_| kind == b"colr")?;
    let &[_, _, _, _, high, low, flags, ..] = declared else { return None };
    Some(Signal { full_range: flags & 0x80 != 0, matrix: if high == 0 { low } else { u8::MAX } })
}
