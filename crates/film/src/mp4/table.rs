//! Reads the sample table of a track (ISO/IEC 14496-12, 8.6 to 8.7). Its tables are run-length coded, and are read
//! without unpacking them.

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{be32, be64};
use crate::refusal::{FilmCode, FilmRefusal};

/// A table in `moov`, whose entries all have the same width.
#[derive(Clone, Default)]
struct Entries {
    at: usize,
    count: usize,
}

/// The tables of one track. They aren't copied: their bytes stay in `moov`.
#[derive(Clone)]
pub(super) struct Table {
    moov: Arc<[u8]>,
    durations: Entries,
    shifts: Entries,
    chunks: Entries,
    offsets: Entries,
    /// Whether offsets have eight bytes.
    wide: bool,
    sizes: Entries,
    /// The number of bits in which a sample's size is stored; 0 if all samples have the size `uniform`.
    size_bits: u8,
    uniform: u32,
    keys: Option<Entries>,
    /// The number of samples.
    pub count: u32,
}

/// Where the boxes of a sample table lie in `moov`.
#[derive(Default)]
pub(super) struct Places {
    pub stts: Option<Range<usize>>,
    pub ctts: Option<Range<usize>>,
    pub stsc: Option<Range<usize>>,
    pub stco: Option<Range<usize>>,
    pub co64: Option<Range<usize>>,
    pub stsz: Option<Range<usize>>,
    pub stz2: Option<Range<usize>>,
    pub stss: Option<Range<usize>>,
}

/// The values of a sample, with times in the track's units.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    pub offset: u64,
    pub size: u32,
    pub pts: i64,
    pub duration: u32,
    pub key: bool,
    /// The number of the sample's entry in `stsd`, counted from 1.
    pub entry: u32,
}

/// A position in a run-length table.
#[derive(Clone, Copy, Default)]
struct Run {
    /// The index of the entry after the current one.
    next: usize,
    /// How many samples of the current entry are left.
    left: u32,
    value: u32,
}

/// A position in all tables of a track.
#[derive(Clone, Copy, Default)]
pub(super) struct Cursor {
    pub index: u32,
    dts: i64,
    durations: Run,
    shifts: Run,
    chunk_entry: usize,
    /// The number of the next chunk, from 0.
    chunk: usize,
    /// How many samples of the current chunk are left.
    left: u32,
    /// The sample entry of the current chunk.
    entry: u32,
    offset: u64,
    key_entry: usize,
    /// The number of the next keyframe, counted from 1; 0 if it hasn't been read yet.
    next_key: u32,
}

impl Table {
    pub fn read(moov: &Arc<[u8]>, places: &Places) -> Result<Self, FilmRefusal> {
        let part = |range: &Option<Range<usize>>| range.clone().map(|range| (range.start, &moov[range]));
        let entries = |name: &str, range: &Option<Range<usize>>, width: usize| {
            let Some((at, content)) = part(range) else { return Ok(None) };
            let count = be32(content, 4).unwrap_or(0) as usize;
            held(name, count, content.len().saturating_sub(8) / width)?;
            Ok(Some(Entries { at: at + 8, count }))
        };
        let keys = entries("stss", &places.stss, 4)?;
        let wide = entries("co64", &places.co64, 8)?;
        let narrow = entries("stco", &places.stco, 4)?;
        let (size_bits, uniform, count, sizes) = if let Some((at, content)) = part(&places.stsz) {
            let (uniform, count) = (be32(content, 4).unwrap_or(0), be32(content, 8).unwrap_or(0));
            if uniform == 0 {
                held("stsz", count as usize, content.len().saturating_sub(12) / 4)?;
            }
            (if uniform == 0 { 32 } else { 0 }, uniform, count, Entries { at: at + 12, count: count as usize })
        } else if let Some((at, content)) = part(&places.stz2) {
            let (bits, count) = (content.get(7).copied().unwrap_or(0), be32(content, 8).unwrap_or(0));
            if !matches!(bits, 4 | 8 | 16) {
                return Err(FilmCode::Table.because("stz2.field_size", "4, 8 or 16", bits));
            }
            held("stz2", count as usize, content.len().saturating_sub(12) * 8 / usize::from(bits))?;
            (bits, 0, count, Entries { at: at + 12, count: count as usize })
        } else {
            (32, 0, 0, Entries::default())
        };
        Ok(Self {
            moov: moov.clone(),
            durations: entries("stts", &places.stts, 8)?.unwrap_or_default(),
            shifts: entries("ctts", &places.ctts, 8)?.unwrap_or_default(),
            chunks: entries("stsc", &places.stsc, 12)?.unwrap_or_default(),
            wide: wide.is_some(),
            offsets: wide.or(narrow).unwrap_or_default(),
            sizes,
            size_bits,
            uniform,
            keys,
            count,
        })
    }

    /// Returns the sum of all sizes if all samples have one size, without reading any sample.
    pub fn uniform_sum(&self) -> Option<u64> {
        (self.size_bits == 0).then(|| u64::from(self.uniform) * u64::from(self.count))
    }

    fn word(&self, table: &Entries, index: usize, width: usize, field: usize) -> u32 {
        be32(&self.moov, table.at + index * width + field).unwrap_or(0)
    }

    fn size(&self, index: u32) -> u32 {
        let index = index as usize;
        let byte = |at: usize| u32::from(self.moov.get(self.sizes.at + at).copied().unwrap_or(0));
        match self.size_bits {
            0 => self.uniform,
            4 => byte(index / 2) >> (if index.is_multiple_of(2) { 4 } else { 0 }) & 15,
            8 => byte(index),
            16 => byte(index * 2) << 8 | byte(index * 2 + 1),
            _ => self.word(&self.sizes, index, 4, 0),
        }
    }

    /// Returns the sample at the cursor, and moves the cursor to the next. Returns `None` after the last sample.
    ///
    /// # Errors
    /// `film-table` if the chunks have fewer samples than there are sizes, or if the chunks of a run are out of order.
    pub fn step(&self, at: &mut Cursor) -> Result<Option<Raw>, FilmRefusal> {
        if at.index >= self.count {
            return Ok(None);
        }
        while at.left == 0 {
            self.next_chunk(at)?;
        }
        // If the table of durations ends early, the remaining samples last as long as the last entry says, as in
        // players.
        self.advance(&self.durations, &mut at.durations);
        let duration = at.durations.value;
        if !self.advance(&self.shifts, &mut at.shifts) {
            at.shifts.value = 0;
        }
        // A shift is signed, whatever the box's version says: encoders also write negative shifts into version 0.
        let shift = at.shifts.value as i32;
        let number = at.index + 1;
        let key = match &self.keys {
            None => true,
            Some(keys) => {
                while at.next_key < number && at.key_entry < keys.count {
                    at.next_key = self.word(keys, at.key_entry, 4, 0);
                    at.key_entry += 1;
                }
                at.next_key == number
            }
        };
        let size = self.size(at.index);
        let pts = at.dts + i64::from(shift);
        let raw = Raw { offset: at.offset, size, pts, duration, key, entry: at.entry };
        at.index = number;
        at.dts += i64::from(duration);
        at.left -= 1;
        at.offset = at.offset.saturating_add(size.into());
        Ok(Some(raw))
    }

    /// Moves to the next sample in a run-length table. Returns `false` if the table has no more samples.
    fn advance(&self, table: &Entries, run: &mut Run) -> bool {
        while run.left == 0 {
            if run.next >= table.count {
                return false;
            }
            run.left = self.word(table, run.next, 8, 0);
            run.value = self.word(table, run.next, 8, 4);
            run.next += 1;
        }
        run.left -= 1;
        true
    }

    fn next_chunk(&self, at: &mut Cursor) -> Result<(), FilmRefusal> {
        if at.chunk >= self.offsets.count || self.chunks.count == 0 {
            let expected = format!("chunks for {} samples", self.count);
            return Err(FilmCode::Table.because("stco", &expected, format_args!("chunks for {}", at.index)));
        }
        // A run of chunks lasts until the first chunk of the next entry. Chunks are counted from 1.
        while at.chunk_entry + 1 < self.chunks.count {
            let (this, next) = (self.first(at.chunk_entry), self.first(at.chunk_entry + 1));
            if next <= this {
                return Err(FilmCode::Table.because("stsc", &format!("a chunk after {this}"), next));
            }
            if at.chunk < next as usize - 1 {
                break;
            }
            at.chunk_entry += 1;
        }
        at.left = self.word(&self.chunks, at.chunk_entry, 12, 4);
        at.entry = self.word(&self.chunks, at.chunk_entry, 12, 8);
        at.offset = if self.wide {
            be64(&self.moov, self.offsets.at + at.chunk * 8).unwrap_or(0)
        } else {
            self.word(&self.offsets, at.chunk, 4, 0).into()
        };
        at.chunk += 1;
        Ok(())
    }

    fn first(&self, entry: usize) -> u32 {
        self.word(&self.chunks, entry, 12, 0)
    }
}

/// # Errors
/// `film-table` if a box counts more entries than it has room for.
fn held(name: &str, count: usize, room: usize) -> Result<(), FilmRefusal> {
    if count <= room {
        return Ok(());
    }
    Err(FilmCode::Table.because(&format!("{name}.count"), &format!("at most {room}, for which it has room"), count))
}
