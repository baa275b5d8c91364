//! Reads the segment, which holds everything of a film except the EBML header (RFC 9559, 5.1).

use super::ebml::{HEADER, Header, id, inside, next_cluster, unsigned};
use super::{Cluster, Index, OUTER, cues, tracks};
use crate::codec;
use crate::limits::{MAX_BOXES, MAX_CLUSTERS, MAX_TRACKS_BYTES};
use crate::model::Container;
use crate::refusal::{FilmCode, FilmRefusal};
use crate::source::Reader;

impl Index {
    /// Reads the elements of the segment. For a cluster it reads only its position and time. A cluster of unknown size
    /// is passed block by block, to find its end.
    pub fn read(reader: &mut Reader) -> Result<Self, FilmRefusal> {
        let mut index = Self {
            container: Container::Mkv,
            scale: 1_000_000,
            tracks: Vec::new(),
            clusters: Vec::new(),
            cues: Vec::new(),
            unread: 0,
            cut: false,
            spans: Vec::new(),
            blocks: None,
        };
        let mut described: Option<Vec<u8>> = None;
        let mut cued = Vec::new();
        let mut segment = None;
        let (mut at, mut elements) = (0, 0);
        while at < reader.size {
            elements += 1;
            if elements > MAX_BOXES {
                return Err(FilmCode::Limit.because("elements", &format!("at most {MAX_BOXES}"), "more"));
            }
            let header = Header::read(reader.bytes(at, HEADER)?);
            let Some(header) = header.filter(|header| header.size.is_some() || OUTER.contains(&header.id)) else {
                // After damaged bytes, goes on at the next cluster, as players do.
                if let Some(next) = next_cluster(reader, at + 1)? {
                    at = next;
                    continue;
                }
                index.unread = reader.size - at;
                break;
            };
            let start = at + header.length as u64;
            let end = header.size.map(|size| start.saturating_add(size));
            match header.id {
                id::EBML if at == 0 => {
                    let head = whole(reader, "EBML", start, end)?;
                    inside(&head, |id, content| {
                        if id == id::DOC_TYPE && content.starts_with(b"webm") {
                            index.container = Container::Webm;
                        }
                        Ok(())
                    })?;
                }
                id::SEGMENT if segment.is_none() => {
                    segment = Some(start);
                    // Goes on with the segment's content, and ignores the segment's end, which may be wrong.
                    at = start;
                    continue;
                }
                id::EBML | id::SEGMENT => {
                    return Err(FilmCode::Box.because("Segment", "one in the file", "several"));
                }
                id::INFO => inside(&whole(reader, "Info", start, end)?, |id, content| {
                    if id == id::TIMESTAMP_SCALE {
                        index.scale = unsigned(content);
                    }
                    Ok(())
                })?,
                id::TRACKS => {
                    let bytes = whole(reader, "Tracks", start, end)?;
                    match &described {
                        Some(first) if *first == bytes => {}
                        Some(_) => {
                            return Err(FilmCode::Box.because("Tracks", "one, or the same again", "another one"));
                        }
                        None => {
                            index.tracks = tracks::read(&bytes)?;
                            described = Some(bytes);
                        }
                    }
                }
                id::CUES => {
                    let bytes = whole(reader, "Cues", start, end)?;
                    cued = cues::read(&bytes, segment.unwrap_or(0));
                }
                id::CLUSTER => {
                    if index.clusters.len() == MAX_CLUSTERS {
                        return Err(FilmCode::Limit.because("clusters", &format!("at most {MAX_CLUSTERS}"), "more"));
                    }
                    at = index.cluster(reader, at, start, end)?;
                    continue;
                }
                _ => {}
            }
            at = end.unwrap_or(start);
        }
        if described.is_none() {
            return Err(FilmCode::NoIndex.because("Tracks", "one in the file", "none"));
        }
        if index.scale == 0 {
            return Err(FilmCode::Table.because("TimestampScale", "at least 1", 0));
        }
        index.cut = at > reader.size;
        index.take_cues(cued);
        index.ask_frames(reader)?;
        index.measure(reader)?;
        Ok(index)
    }

    /// Adds a cluster whose header begins at `at` and whose content begins at `start`. `end` is `None` if the size is
    /// unknown. Returns where the cluster ends.
    fn cluster(&mut self, reader: &mut Reader, at: u64, start: u64, end: Option<u64>) -> Result<u64, FilmRefusal> {
        let size = reader.size;
        let known = end.map_or(size, |end| end.min(size));
        let (mut place, mut time, mut first) = (start, 0, true);
        // The time is usually a cluster's first element. Some writers put a checksum before it.
        while place < known && (first || end.is_none()) {
            let Some(header) = Header::read(reader.bytes(place, HEADER)?) else {
                // The cluster's size is unknown and its data is damaged, so its end is found by searching for the next
                // cluster.
                place = next_cluster(reader, place)?.unwrap_or(size);
                break;
            };
            if end.is_none() && OUTER.contains(&header.id) {
                break;
            }
            let content = place + header.length as u64;
            if header.id == id::TIMESTAMP {
                time = unsigned(reader.bytes(content, header.size.unwrap_or(0).min(8) as usize)?);
                first = false;
            } else if matches!(header.id, id::SIMPLE_BLOCK | id::BLOCK_GROUP) {
                first = false;
            }
            place = content.saturating_add(header.size.unwrap_or(0));
        }
        let until = end.unwrap_or(place);
        if start < until.min(size) {
            self.clusters.push(Cluster { start, end: until.min(size), time });
        }
        Ok(until.max(at + 1))
    }

    /// Keeps the cues that name an existing cluster, and replaces the position of the cluster's header with that of its
    /// content.
    fn take_cues(&mut self, mut cues: Vec<cues::Cue>) {
        cues.retain_mut(|cue| {
            // A cue gives the position of the cluster's header, which has 5 to 12 bytes. The content follows.
            let after = self.clusters.partition_point(|cluster| cluster.start <= cue.cluster);
            let named = self.clusters.get(after).filter(|cluster| cluster.start - cue.cluster <= HEADER as u64);
            named.map(|cluster| cue.cluster = cluster.start).is_some()
        });
        self.cues = cues;
    }

    /// Completes the codec strings that can be made only from the first frame of a track.
    fn ask_frames(&mut self, reader: &mut Reader) -> Result<(), FilmRefusal> {
        for track in 0..self.tracks.len() {
            if !self.tracks[track].ask_frame {
                continue;
            }
            let Some(sample) = self.samples(reader, track, 0, 1)?.first().copied() else { continue };
            let mut frame = self.tracks[track].prefix.clone();
            frame.extend(reader.bytes(sample.offset, sample.size.min(16) as usize)?);
            let track = &mut self.tracks[track];
            track.codec = codec::vp9_frame(&frame, (track.width, track.height));
        }
        Ok(())
    }
}

/// Reads the content of an element that must be complete and within a limit.
fn whole(reader: &mut Reader, name: &str, start: u64, end: Option<u64>) -> Result<Vec<u8>, FilmRefusal> {
    let end = end.filter(|&end| end <= reader.size);
    let Some(length) = end.map(|end| end - start) else {
        return Err(FilmCode::NoIndex.because(name, "an element that is whole", "one that is cut short"));
    };
    if length > MAX_TRACKS_BYTES {
        return Err(FilmCode::Limit.because(name, &format!("at most {MAX_TRACKS_BYTES} bytes"), length));
    }
    reader.take(start, length as usize)
}
