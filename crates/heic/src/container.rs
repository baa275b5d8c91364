//! The boxes of a HEIF file (ISO/IEC 23008-12, on ISO/IEC 14496-12): which items there are, where their bytes lie, and
//! what is said about them.
//!
//! Reads only what leads to the primary picture and its alpha. Counts are bounded, so that no lookup takes longer than
//! the file is long.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use crate::Error;

/// Most items of a file. A picture of 150 megapixels in the usual tiles of 512 x 512 has 600.
const MOST_ITEMS: usize = 8192;
/// Most pieces in which the bytes of all items lie.
const MOST_EXTENTS: usize = 1 << 16;

/// The file ends within a box, or a box within its parent.
const CUT: Error = Error::Unreadable("the file ends too early, or a box is longer than what contains it");

/// Bytes that are read from the front.
#[derive(Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Reads a big-endian number of up to eight bytes. A number of no bytes is 0.
    pub fn number(&mut self, bytes: usize) -> Result<u64, Error> {
        Ok(self.take(bytes.min(8))?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    pub fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.number(1)? as u8)
    }

    pub fn u16(&mut self) -> Result<u16, Error> {
        Ok(self.number(2)? as u16)
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        Ok(self.number(4)? as u32)
    }

    fn kind(&mut self) -> Result<[u8; 4], Error> {
        Ok(self.u32()?.to_be_bytes())
    }

    /// Reads the version and the flags of a full box.
    fn version(&mut self) -> Result<(u8, u32), Error> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0xff_ffff))
    }

    /// Reads the next box: its kind and its content. Returns `None` at the end.
    fn next_box(&mut self) -> Result<Option<Part<'a>>, Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let size = self.u32()?;
        let kind = self.kind()?;
        let (size, header) = if size == 1 { (self.number(8)?, 16) } else { (u64::from(size), 8) };
        let content = match size {
            0 => self.0.len(),
            size => usize::try_from(size.checked_sub(header).ok_or(CUT)?).unwrap_or(usize::MAX),
        };
        Ok(Some((kind, self.take(content)?)))
    }
}

/// A box: its kind and its content.
type Part<'a> = ([u8; 4], &'a [u8]);

/// An entry of the file's catalogue.
#[derive(Default)]
struct Item {
    kind: [u8; 4],
    /// Why this item's bytes can't be had, if they can't.
    elsewhere: Option<&'static str>,
    in_idat: bool,
    /// Offset and length of each piece; length 0 stands for the rest.
    extents: Vec<(u64, u64)>,
    /// Places in the list of properties, counted from 1, in the order in which they apply.
    properties: Vec<u16>,
}

/// Items that one item refers to.
struct Reference {
    kind: [u8; 4],
    from: u32,
    to: Vec<u32>,
}

/// The catalogue of a file.
pub struct Container<'a> {
    file: &'a [u8],
    idat: &'a [u8],
    items: BTreeMap<u32, Item>,
    properties: Vec<Part<'a>>,
    references: Vec<Reference>,
    /// Bytes of items that may still be read. Bounds the time of a file whose many tiles share the same bytes.
    budget: Cell<usize>,
    /// The item that is shown.
    pub primary: u32,
    /// Whether the file also has a sequence of pictures.
    pub has_film: bool,
}

impl<'a> Container<'a> {
    /// Reads the catalogue of a file.
    pub fn open(file: &'a [u8]) -> Result<Self, Error> {
        let mut boxes = Reader(file);
        let (mut meta, mut has_film) = (None, false);
        loop {
            match boxes.next_box() {
                Ok(Some((kind, content))) => match &kind {
                    b"meta" => meta = meta.or(Some(content)),
                    b"moov" => has_film = true,
                    _ => {}
                },
                Ok(None) => break,
                // The last box may be cut off. The pixels that are missing then are noticed where they are read.
                Err(_) if meta.is_some() => break,
                Err(error) => return Err(error),
            }
        }
        let mut container = Self {
            file,
            idat: &[],
            items: BTreeMap::new(),
            properties: Vec::new(),
            references: Vec::new(),
            budget: Cell::new(file.len().saturating_mul(4).saturating_add(1 << 20)),
            primary: 0,
            has_film,
        };
        let mut children = Reader(meta.ok_or(Error::Unsupported("files without a still picture"))?);
        children.version()?;
        let mut primary = None;
        while let Some((kind, content)) = children.next_box()? {
            let content = Reader(content);
            match &kind {
                b"pitm" => primary = Some(read_primary(content)?),
                b"iinf" => container.read_items(content)?,
                b"iloc" => container.read_locations(content)?,
                b"iprp" => container.read_properties(content)?,
                b"iref" => container.read_references(content)?,
                b"idat" => container.idat = content.0,
                _ => {}
            }
        }
        container.primary = primary.ok_or(Error::Unreadable("the file names no primary picture"))?;
        Ok(container)
    }

    fn item(&mut self, id: u32) -> Result<&mut Item, Error> {
        if self.items.len() >= MOST_ITEMS && !self.items.contains_key(&id) {
            return Err(Error::Unsupported("files of so many items"));
        }
        Ok(self.items.entry(id).or_default())
    }

    fn read_items(&mut self, mut content: Reader<'a>) -> Result<(), Error> {
        let (version, _) = content.version()?;
        content.number(if version == 0 { 2 } else { 4 })?;
        while let Some((kind, entry)) = content.next_box()? {
            let mut entry = Reader(entry);
            let (version, _) = entry.version()?;
            if kind != *b"infe" || version < 2 {
                continue;
            }
            let id = entry.number(if version == 2 { 2 } else { 4 })? as u32;
            let protection = entry.u16()?;
            let kind = entry.kind()?;
            let item = self.item(id)?;
            item.kind = kind;
            if protection != 0 {
                item.elsewhere = Some("encrypted pictures");
            }
        }
        Ok(())
    }

    fn read_locations(&mut self, mut content: Reader<'a>) -> Result<(), Error> {
        let (version, _) = content.version()?;
        let sizes = content.u16()?;
        let [offset_size, length_size, base_size, index_size] =
            [12, 8, 4, 0].map(|shift| usize::from(sizes >> shift & 15));
        let index_size = if version == 0 { 0 } else { index_size };
        let id_size = if version < 2 { 2 } else { 4 };
        let mut extents_left = MOST_EXTENTS;
        for _ in 0..content.number(id_size)? {
            let id = content.number(id_size)? as u32;
            let method = if version == 0 { 0 } else { content.u16()? & 15 };
            let data_reference = content.u16()?;
            let base = content.number(base_size)?;
            let count = usize::from(content.u16()?);
            extents_left = extents_left.checked_sub(count).ok_or(Error::Unsupported("items in so many pieces"))?;
            let mut extents = Vec::new();
            for _ in 0..count {
                content.number(index_size)?;
                let offset = content.number(offset_size)?;
                let length = content.number(length_size)?;
                extents.push((base.saturating_add(offset), length));
            }
            let item = self.item(id)?;
            item.extents = extents;
            item.in_idat = method == 1;
            if method > 1 {
                // Items within items, several deep, can be read in exponentially many ways.
                item.elsewhere = Some("items within items");
            }
            if data_reference != 0 {
                item.elsewhere = Some("pictures in other files");
            }
        }
        Ok(())
    }

    fn read_properties(&mut self, mut content: Reader<'a>) -> Result<(), Error> {
        while let Some((kind, part)) = content.next_box()? {
            let mut part = Reader(part);
            if kind == *b"ipco" {
                while let Some(property) = part.next_box()? {
                    self.properties.push(property);
                }
            } else if kind == *b"ipma" {
                let (version, flags) = part.version()?;
                for _ in 0..part.u32()? {
                    let id = part.number(if version == 0 { 2 } else { 4 })? as u32;
                    let count = part.u8()?;
                    let item = self.item(id)?;
                    for _ in 0..count {
                        let index = if flags & 1 == 0 { u16::from(part.u8()? & 0x7f) } else { part.u16()? & 0x7fff };
                        item.properties.push(index);
                    }
                    if item.properties.len() > 1024 {
                        return Err(Error::Unsupported("items of so many properties"));
                    }
                }
            }
        }
        Ok(())
    }

    fn read_references(&mut self, mut content: Reader<'a>) -> Result<(), Error> {
        let (version, _) = content.version()?;
        let size = if version == 0 { 2 } else { 4 };
        while let Some((kind, part)) = content.next_box()? {
            let mut part = Reader(part);
            let from = part.number(size)? as u32;
            let count = part.u16()?;
            let to = (0..count).map(|_| Ok(part.number(size)? as u32)).collect::<Result<_, Error>>()?;
            if matches!(&kind, b"dimg" | b"auxl" | b"prem") {
                self.references.push(Reference { kind, from, to });
            }
        }
        Ok(())
    }

    /// Returns the kind of an item.
    pub fn kind(&self, id: u32) -> Result<[u8; 4], Error> {
        Ok(self.items.get(&id).ok_or(Error::Unreadable("the file refers to an item that it doesn't have"))?.kind)
    }

    /// Returns the properties of an item: their kinds, their content, and their places in the file's list.
    pub fn properties(&self, id: u32) -> impl Iterator<Item = (&[u8; 4], &'a [u8], u16)> {
        let places = self.items.get(&id).map_or(&[][..], |item| &item.properties);
        places.iter().filter_map(|&place| {
            let (kind, content) = self.properties.get(usize::from(place).checked_sub(1)?)?;
            Some((kind, *content, place))
        })
    }

    /// Returns the items from which an item is made, in order.
    pub fn parts(&self, id: u32) -> &[u32] {
        let found = self.references.iter().find(|reference| reference.kind == *b"dimg" && reference.from == id);
        found.map_or(&[], |reference| &reference.to)
    }

    /// Returns the item that holds the alpha of an item, and whether the colours are multiplied by it.
    pub fn alpha_of(&self, id: u32) -> Option<(u32, bool)> {
        let refers = |reference: &Reference, kind| reference.kind == kind && reference.to.contains(&id);
        let aux = self.references.iter().filter(|reference| refers(reference, *b"auxl"));
        let alpha = aux.map(|reference| reference.from).find(|&from| {
            self.properties(from).any(|(kind, content, _)| kind == b"auxC" && is_alpha(content.get(4..).unwrap_or(&[])))
        })?;
        let multiplied = self
            .references
            .iter()
            .any(|reference| reference.kind == *b"prem" && reference.from == id && reference.to.contains(&alpha));
        Some((alpha, multiplied))
    }

    /// Returns the bytes of an item.
    pub fn bytes(&self, id: u32) -> Result<Cow<'a, [u8]>, Error> {
        let item = self.items.get(&id).ok_or(Error::Unreadable("the file refers to an item that it doesn't have"))?;
        if let Some(reason) = item.elsewhere {
            return Err(Error::Unsupported(reason));
        }
        let from = if item.in_idat { self.idat } else { self.file };
        let piece = |&(offset, length): &(u64, u64)| {
            let rest = usize::try_from(offset).ok().and_then(|offset| from.get(offset..)).ok_or(CUT)?;
            let piece = match usize::try_from(length).map_err(|_| CUT)? {
                0 => rest,
                length => rest.get(..length).ok_or(CUT)?,
            };
            self.budget.set(self.budget.get().checked_sub(piece.len()).ok_or(REPEATS)?);
            Ok::<_, Error>(piece)
        };
        match &item.extents[..] {
            [] => Err(Error::Unreadable("the file doesn't say where the picture lies")),
            [extent] => Ok(Cow::Borrowed(piece(extent)?)),
            extents => {
                let mut bytes = Vec::new();
                for extent in extents {
                    bytes.extend_from_slice(piece(extent)?);
                }
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

const REPEATS: Error = Error::Unreadable("many parts of the picture share the same bytes");

fn read_primary(mut content: Reader<'_>) -> Result<u32, Error> {
    let (version, _) = content.version()?;
    Ok(content.number(if version == 0 { 2 } else { 4 })? as u32)
}

/// Whether an auxiliary picture is alpha, by the name of its type.
fn is_alpha(name: &[u8]) -> bool {
    let name = name.split(|&byte| byte == 0).next().unwrap_or(&[]);
    name == b"urn:mpeg:hevc:2015:auxid:1" || name == b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
}
