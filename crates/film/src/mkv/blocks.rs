//! Reads the blocks of a cluster (RFC 9559, 10), only as far as samples are asked for.

use super::ebml::{HEADER, Header, id, number, unsigned};
use super::tracks::Track;
use super::{Cluster, WITHIN};
use crate::limits::MAX_BLOCKS;
use crate::model::Sample;
use crate::refusal::{FilmCode, FilmRefusal};
use crate::source::Reader;

/// The samples of one track in one cluster that were read so far.
pub(super) struct Blocks {
    pub track: usize,
    pub cluster: usize,
    pub found: Vec<Sample>,
    at: u64,
    end: u64,
    time: u64,
}

/// The position of a block, and the fields of its header and its group.
struct Block {
    offset: u64,
    size: u64,
    /// Whether it holds a keyframe. `None`: the block's own flags say it.
    key: Option<bool>,
    /// In units of the segment.
    duration: Option<u64>,
}

impl Blocks {
    pub fn new(track: usize, cluster: usize, place: &Cluster) -> Self {
        Self { track, cluster, found: Vec::new(), at: place.start, end: place.end, time: place.time }
    }

    /// Continues to read until `found` has `wanted` samples, or to the end of the cluster.
    pub fn read_on(
        &mut self,
        reader: &mut Reader,
        track: &Track,
        scale: u64,
        wanted: usize,
    ) -> Result<(), FilmRefusal> {
        while self.at < self.end && self.found.len() < wanted {
            let Some(header) = Header::read(reader.bytes(self.at, HEADER)?) else {
                self.at = self.end; // Skips the rest of a damaged cluster. Reading goes on with the next cluster.
                break;
            };
            let start = self.at + header.length as u64;
            let size = header.size.unwrap_or(u64::MAX);
            match header.id {
                id::TIMESTAMP => self.time = unsigned(reader.bytes(start, size.min(8) as usize)?),
                id::SIMPLE_BLOCK => {
                    let block = Block { offset: start, size, key: None, duration: None };
                    self.block(reader, track, scale, &block)?;
                }
                id::BLOCK_GROUP => {
                    let end = start.saturating_add(size).min(self.end);
                    if let Some(block) = group(reader, start, end)? {
                        self.block(reader, track, scale, &block)?;
                    }
                }
                _ => {}
            }
            self.at = start.saturating_add(size).min(self.end);
        }
        Ok(())
    }

    /// Adds the frames of a block, if it is the track's.
    fn block(&mut self, reader: &mut Reader, track: &Track, scale: u64, block: &Block) -> Result<(), FilmRefusal> {
        // If the file ends within a block, the sample still gets the block's full size. Reading its bytes will fail
        // later.
        let head = reader.bytes(block.offset, block.size.min(12) as usize)?;
        let Some((of, length)) = number(head, false) else { return Ok(()) };
        let (true, Some(&[high, low, flags])) = (of == track.number, head.get(length..).and_then(<[u8]>::first_chunk))
        else {
            return Ok(());
        };
        let time = self.time as f64 + f64::from(i16::from_be_bytes([high, low]));
        let unit = scale as f64 / 1e9;
        let data = block.offset + length as u64 + 3;
        let size = block.size.saturating_sub(length as u64 + 3);
        let usual = track.default_duration as f64 / 1e9;
        let lasts = |frames: usize| block.duration.map_or(usual, |units| units as f64 * unit / frames.max(1) as f64);
        let pts_s = time * unit;
        let key = block.key.unwrap_or(flags & 0x80 != 0);
        let lacing = flags >> 1 & 3;
        if lacing == 0 {
            return self.frame(data, size, pts_s, lasts(1), key);
        }
        let frames = laced(reader, lacing, data, size)?;
        let duration_s = lasts(frames.len());
        for (number, (offset, size)) in frames.into_iter().enumerate() {
            self.frame(offset, size, pts_s + duration_s * number as f64, duration_s, key && number == 0)?;
        }
        Ok(())
    }

    fn frame(&mut self, offset: u64, size: u64, pts_s: f64, duration_s: f64, key: bool) -> Result<(), FilmRefusal> {
        let Some(size) = u32::try_from(size).ok().filter(|&size| size > 0) else { return Ok(()) };
        if self.found.len() == MAX_BLOCKS {
            let expected = format!("at most {MAX_BLOCKS} of a track");
            return Err(FilmCode::Limit.because("frames of a cluster", &expected, "more"));
        }
        let index = ((self.cluster as u64) << WITHIN) + self.found.len() as u64;
        self.found.push(Sample { index, offset, size, pts_s, duration_s, key });
        Ok(())
    }
}

/// Reads a block group: a block, its duration, and whether it refers to other frames (then it is no keyframe).
fn group(reader: &mut Reader, start: u64, end: u64) -> Result<Option<Block>, FilmRefusal> {
    let (mut at, mut block, mut key, mut duration) = (start, None, true, None);
    while at < end {
        let Some(header) = Header::read(reader.bytes(at, HEADER)?) else { break };
        let content = at + header.length as u64;
        let size = header.size.unwrap_or(u64::MAX);
        match header.id {
            id::BLOCK => block = block.or(Some((content, size))),
            id::BLOCK_DURATION => duration = Some(unsigned(reader.bytes(content, size.min(8) as usize)?)),
            id::REFERENCE_BLOCK => key = false,
            _ => {}
        }
        at = content.saturating_add(size);
    }
    Ok(block.map(|(offset, size)| Block { offset, size, key: Some(key), duration }))
}

/// Returns the offset and size of each frame in a laced block, which holds several frames (RFC 9559, 10.3). Returns
/// none if the block is damaged.
fn laced(reader: &mut Reader, lacing: u8, data: u64, size: u64) -> Result<Vec<(u64, u64)>, FilmRefusal> {
    // Reads enough for all frame sizes: up to 255 of them, of up to 8 bytes each in EBML lacing, and of one byte per
    // 255 bytes of frame in Xiph lacing.
    let head = reader.bytes(data, size.min(1 << 16) as usize)?;
    let Some((&count, mut rest)) = head.split_first() else { return Ok(Vec::new()) };
    let count = u64::from(count) + 1;
    if size <= count {
        return Ok(Vec::new()); // frames without bytes
    }
    let mut sizes: Vec<u64> = Vec::new();
    for _ in 1..count {
        let next = match lacing {
            1 => {
                let full = rest.iter().take_while(|&&byte| byte == 255).count();
                let last = rest.get(full).map(|&byte| full as u64 * 255 + u64::from(byte));
                last.map(|size| (size, full + 1))
            }
            2 => Some(((size - 1) / count, 0)),
            _ => match (number(rest, false), sizes.last()) {
                (Some((first, length)), None) => Some((first, length)),
                (Some((value, length)), Some(&last)) => {
                    let bias = (1_i64 << (7 * length - 1)) - 1;
                    last.checked_add_signed(value as i64 - bias).map(|size| (size, length))
                }
                (None, _) => None,
            },
        };
        let Some((size, used)) = next else { return Ok(Vec::new()) };
        sizes.push(size);
        rest = &rest[used..];
    }
    let mut offset = data + (head.len() - rest.len()) as u64;
    let end = data.saturating_add(size);
    let taken = sizes.iter().try_fold(0_u64, |sum, &size| sum.checked_add(size));
    let Some(last) = taken.and_then(|taken| end.checked_sub(offset)?.checked_sub(taken)) else { return Ok(Vec::new()) };
    sizes.push(if lacing == 2 { sizes.first().copied().unwrap_or(last) } else { last });
    Ok(sizes
        .into_iter()
        .map(|size| {
            offset += size;
            (offset - size, size)
        })
        .collect())
}
