//! WebM and Matroska (RFC 9559), which are written in EBML (RFC 8794).

mod blocks;
mod cues;
mod ebml;
mod segment;
mod tracks;

use std::collections::BTreeSet;

use blocks::Blocks;
use ebml::id;
use tracks::Track;

use crate::limits::MAX_BLOCKS;
use crate::model::{Container, FilmInfo, Sample, TrackInfo};
use crate::refusal::FilmRefusal;
use crate::source::Reader;

/// The first bytes of an EBML file.
pub(crate) const MAGIC: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

/// A sample's number consists of its cluster's number (high bits) and its position in that cluster (the low `WITHIN`
/// bits). A caller may add a count of samples to a number. If the position then exceeds the cluster, the rest is
/// counted in the next clusters.
const WITHIN: u32 = MAX_BLOCKS.ilog2() + 1;

/// A cluster: a part of the film that holds blocks. The blocks are read only when their samples are asked for.
#[derive(Clone, Copy)]
struct Cluster {
    /// Where its elements begin.
    start: u64,
    end: u64,
    /// The cluster's time, in the segment's units of time.
    time: u64,
}

/// The index of a WebM or Matroska film.
pub(crate) struct Index {
    container: Container,
    /// Nanoseconds per unit of time.
    scale: u64,
    tracks: Vec<Track>,
    clusters: Vec<Cluster>,
    cues: Vec<cues::Cue>,
    unread: u64,
    /// Whether the file ends within its last cluster.
    cut: bool,
    /// The start and the end of each track in seconds.
    spans: Vec<(f64, f64)>,
    blocks: Option<Blocks>,
}

impl Index {
    /// Measures when each track starts and ends, from its first and last samples. The duration in the header isn't
    /// used, because it can be wrong.
    fn measure(&mut self, reader: &mut Reader) -> Result<(), FilmRefusal> {
        // Clusters may be in any order.
        let mut latest: Vec<_> = (0..self.clusters.len()).collect();
        latest.sort_by_key(|&cluster| std::cmp::Reverse(self.clusters[cluster].time));
        for track in 0..self.tracks.len() {
            let first = self.samples(reader, track, 0, 16)?;
            if first.is_empty() {
                self.spans.push((0.0, 0.0));
                continue;
            }
            let (mut start, mut end) = (f64::INFINITY, 0.0_f64);
            for sample in first {
                start = start.min(sample.pts_s);
            }
            for &cluster in &latest {
                let count = self.count(reader, track, cluster)?;
                if count == 0 {
                    continue;
                }
                let from = ((cluster as u64) << WITHIN) + count.saturating_sub(64) as u64;
                for sample in self.samples(reader, track, from, 64)? {
                    let lasts = if sample.duration_s > 0.0 { sample.duration_s } else { self.tracks[track].usual_s() };
                    end = end.max(sample.pts_s + lasts);
                }
                break;
            }
            self.spans.push((start, end));
        }
        Ok(())
    }

    pub fn info(&self) -> FilmInfo {
        let info = |(track, &(start_s, end_s)): (&Track, &(f64, f64))| TrackInfo {
            id: u32::try_from(track.number).unwrap_or(u32::MAX),
            codec: track.codec.clone(),
            width: track.width,
            height: track.height,
            rotation: track.rotation,
            encrypted: track.encrypted,
            samples: None,
            lost_samples: u32::from(self.cut),
            start_s,
            end_s,
            problem: track.problem.clone(),
        };
        let tracks: Vec<_> = self.tracks.iter().zip(&self.spans).map(info).collect();
        let duration_s = tracks.iter().map(|track| track.end_s).fold(0.0, f64::max);
        FilmInfo { container: self.container, duration_s, tracks, unread_bytes: self.unread }
    }

    pub fn description(&self, track: usize) -> Option<&[u8]> {
        self.tracks.get(track)?.description()
    }

    pub fn prefix(&self, track: usize) -> &[u8] {
        self.tracks.get(track).map(|track| &*track.prefix).unwrap_or_default()
    }

    pub fn samples(
        &mut self,
        reader: &mut Reader,
        track: usize,
        from: u64,
        count: usize,
    ) -> Result<Vec<Sample>, FilmRefusal> {
        let mut found = Vec::new();
        let (mut cluster, mut within) = (from >> WITHIN, (from & ((1 << WITHIN) - 1)) as usize);
        while found.len() < count && cluster < self.clusters.len() as u64 && track < self.tracks.len() {
            let here = cluster as usize;
            let wanted = within.saturating_add(count - found.len());
            let blocks = self.blocks_up_to(reader, track, here, wanted)?;
            let held = blocks.found.len();
            found.extend(blocks.found.get(within..wanted.min(held)).unwrap_or_default().iter().copied());
            within = within.saturating_sub(held);
            cluster += 1;
        }
        Ok(found)
    }

    pub fn keyframes(
        &mut self,
        reader: &mut Reader,
        track: usize,
        from: u64,
        count: usize,
    ) -> Result<Vec<Sample>, FilmRefusal> {
        let mut found: Vec<Sample> = Vec::new();
        let Some(number) = self.tracks.get(track).map(|track| track.number) else { return Ok(found) };
        let first = from >> WITHIN;
        let cued: BTreeSet<(u64, u64)> =
            self.cues.iter().filter(|cue| cue.track == number).map(|cue| (cue.cluster, cue.time)).collect();
        for cluster in (first as usize)..self.clusters.len() {
            if found.len() >= count {
                break;
            }
            let place = self.clusters[cluster].start;
            let scale = self.scale as f64 / 1e9;
            // The time of this cluster's last keyframe according to the cues. A track without cues needs all of its
            // blocks read.
            let last = cued.range((place, 0)..=(place, u64::MAX)).next_back().map(|&(_, time)| time as f64 * scale);
            let mut wanted = 1;
            loop {
                let blocks = self.blocks_up_to(reader, track, cluster, wanted)?;
                let reached = blocks.found.last().map_or(f64::NEG_INFINITY, |sample| sample.pts_s);
                let enough = !cued.is_empty() && last.is_none_or(|last| reached >= last);
                if enough || blocks.found.len() < wanted {
                    break;
                }
                wanted = if cued.is_empty() { usize::MAX } else { wanted + 8 };
            }
            let blocks = self.blocks_up_to(reader, track, cluster, 0)?;
            let rest = &blocks.found[blocks.found.partition_point(|sample| sample.index < from)..];
            found.extend(rest.iter().filter(|sample| sample.key).take(count - found.len()));
        }
        Ok(found)
    }

    /// Returns the number of a track's samples in a cluster.
    fn count(&mut self, reader: &mut Reader, track: usize, cluster: usize) -> Result<usize, FilmRefusal> {
        Ok(self.blocks_up_to(reader, track, cluster, usize::MAX)?.found.len())
    }

    /// Returns the blocks of a track in a cluster, after reading at least `wanted` samples or the whole cluster. Keeps
    /// the blocks until another cluster or track is asked for.
    fn blocks_up_to(
        &mut self,
        reader: &mut Reader,
        track: usize,
        cluster: usize,
        wanted: usize,
    ) -> Result<&Blocks, FilmRefusal> {
        let fits = |blocks: &Blocks| blocks.track == track && blocks.cluster == cluster;
        if !self.blocks.as_ref().is_some_and(fits) {
            self.blocks = None;
        }
        let place = self.clusters[cluster];
        let blocks = self.blocks.get_or_insert_with(|| Blocks::new(track, cluster, &place));
        blocks.read_on(reader, &self.tracks[track], self.scale, wanted)?;
        Ok(blocks)
    }
}

/// The elements that lie directly in a segment. A cluster of unknown size ends where one of them begins (RFC 9559,
/// 25.3).
const OUTER: [u32; 10] = [
    id::EBML,
    id::SEGMENT,
    id::SEEK_HEAD,
    id::INFO,
    id::TRACKS,
    id::CLUSTER,
    id::CUES,
    id::ATTACHMENTS,
    id::CHAPTERS,
    id::TAGS,
];
