//! One video track: its sample table, its fragments, and its times.

use super::entry::Config;
use super::fragments::Run;
use super::table::{Cursor, Raw, Table};
use crate::limits::{MAX_EDITS, MAX_SAMPLES};
use crate::model::{Sample, TrackInfo};
use crate::refusal::{FilmCode, FilmRefusal};

/// The number of samples between two stored positions. To find a sample, reading starts at the stored position before
/// it.
pub(super) const STRIDE: u32 = 1024;

/// An entry of the edit list: a sample with a media time in `from..to` is shown at this time plus `shift`.
#[derive(Clone, Copy)]
pub(super) struct Edit {
    pub from: i64,
    pub to: i64,
    pub shift: i64,
}

pub(super) struct Track {
    pub id: u32,
    pub timescale: u32,
    pub rotation: u16,
    pub configs: Vec<Config>,
    /// For each data reference, whether the samples lie in this same file.
    pub references: Vec<bool>,
    pub edits: Vec<Edit>,
    pub table: Table,
    cursors: Vec<Cursor>,
    pub runs: Vec<Run>,
    sums: Sums,
}

/// Totals over the samples read so far.
#[derive(Clone, Copy)]
struct Sums {
    samples: u32,
    bytes: u64,
    lost: u32,
    start: i64,
    end: i64,
    /// The number of the first sample's entry, from 1; 0 before the first sample.
    entry: u32,
    several: bool,
}

impl Track {
    #[allow(clippy::too_many_arguments)] // Each argument is read from a box of its own.
    pub fn new(
        id: u32,
        timescale: u32,
        rotation: u16,
        configs: Vec<Config>,
        references: Vec<bool>,
        edits: Vec<Edit>,
        table: Table,
        size: u64,
    ) -> Result<Self, FilmRefusal> {
        let sums = Sums { samples: 0, bytes: 0, lost: 0, start: i64::MAX, end: i64::MIN, entry: 0, several: false };
        let (cursors, runs) = (Vec::new(), Vec::new());
        let mut track = Self { id, timescale, rotation, configs, references, edits, table, cursors, runs, sums };
        // Checks the claimed numbers before reading each sample. Otherwise a large false number would cost much time.
        track.may_have(track.table.count)?;
        track.may_weigh(track.table.uniform_sum().unwrap_or(0), size)?;
        let mut cursor = Cursor::default();
        loop {
            if cursor.index.is_multiple_of(STRIDE) {
                track.cursors.push(cursor);
            }
            let Some(raw) = track.table.step(&mut cursor)? else { break };
            track.count(&raw, size)?;
        }
        Ok(track)
    }

    /// # Errors
    /// `film-limit` if `more` further samples would be too many for the track.
    pub fn may_have(&self, more: u32) -> Result<(), FilmRefusal> {
        match self.sums.samples.checked_add(more) {
            Some(0..=MAX_SAMPLES) => Ok(()),
            _ => Err(FilmCode::Limit.because("samples", &format!("at most {MAX_SAMPLES} a track"), "more")),
        }
    }

    /// # Errors
    /// `film-overlap` if `more` further bytes of samples would make all samples longer than the file.
    pub fn may_weigh(&self, more: u64, size: u64) -> Result<(), FilmRefusal> {
        match self.sums.bytes.checked_add(more) {
            Some(sum) if sum <= size => Ok(()),
            // In a valid file no two samples share bytes, so all samples together are no longer than the file.
            _ => Err(FilmCode::Overlap.because("sample sizes", &format!("at most {size} bytes together"), "more")),
        }
    }

    /// Takes note of a sample.
    pub fn count(&mut self, raw: &Raw, size: u64) -> Result<(), FilmRefusal> {
        let here = raw.offset.checked_add(raw.size.into()).is_some_and(|end| end <= size);
        // Counts the bytes only of samples that lie in the file. Samples after its end have no bytes that they could
        // share.
        if here {
            self.may_weigh(raw.size.into(), size)?;
            self.sums.bytes += u64::from(raw.size);
        }
        let shown = self.shown(raw.pts);
        let sums = &mut self.sums;
        sums.samples += 1;
        sums.lost += u32::from(!here && raw.size > 0);
        sums.start = sums.start.min(shown);
        sums.end = sums.end.max(shown.saturating_add(raw.duration.into()));
        if sums.entry == 0 {
            sums.entry = raw.entry;
        } else if sums.entry != raw.entry && !sums.several {
            let config = |entry: u32| self.configs.get((entry as usize).wrapping_sub(1));
            sums.several = config(sums.entry) != config(raw.entry);
        }
        Ok(())
    }

    pub fn samples_so_far(&self) -> u32 {
        self.sums.samples
    }

    /// Returns the time at which a sample is shown, in the track's units. A sample that the edit list cuts off gets a
    /// time by the list's first entry, because some players show it.
    fn shown(&self, pts: i64) -> i64 {
        let edits = &self.edits[..self.edits.len().min(MAX_EDITS)];
        let edit = edits.iter().find(|edit| (edit.from..edit.to).contains(&pts)).or(edits.first());
        pts.saturating_add(edit.map_or(0, |edit| edit.shift))
    }

    fn config(&self) -> Option<&Config> {
        let entry = self.sums.entry.max(1) as usize;
        self.configs.get(entry - 1)
    }

    pub fn description(&self) -> Option<&[u8]> {
        self.config()?.description.as_deref()
    }

    fn seconds(&self, units: i64) -> f64 {
        units as f64 / f64::from(self.timescale)
    }

    pub fn info(&self) -> TrackInfo {
        let (config, sums) = (self.config(), &self.sums);
        let here = |config: &Config| {
            let reference = usize::from(config.reference).wrapping_sub(1);
            self.references.get(reference).copied().unwrap_or(self.references.is_empty())
        };
        let problem = if sums.several {
            Some(FilmCode::SeveralCodecs.because("stsd", "one description for all samples", "several"))
        } else if config.is_none() {
            Some(FilmCode::Coding.because("sample entry", &format!("1 to {}", self.configs.len()), sums.entry))
        } else if !config.is_some_and(here) {
            Some(FilmCode::Elsewhere.because("dref", "samples in this file", "another file"))
        } else {
            None
        };
        let empty = sums.samples == 0;
        TrackInfo {
            id: self.id,
            codec: config.map(|config| config.codec.clone()).unwrap_or_default(),
            width: config.map_or(0, |config| config.width),
            height: config.map_or(0, |config| config.height),
            rotation: self.rotation,
            encrypted: config.is_some_and(|config| config.encrypted),
            samples: Some(sums.samples),
            lost_samples: sums.lost,
            start_s: if empty { 0.0 } else { self.seconds(sums.start) },
            end_s: if empty { 0.0 } else { self.seconds(sums.end) },
            problem,
        }
    }

    /// Yields the samples from number `from` on for which `wanted` returns `true`. Leaves out samples without bytes,
    /// which repeat the frame before.
    pub fn samples(&self, from: u64, wanted: impl Fn(&Sample) -> bool) -> impl Iterator<Item = Sample> {
        let from = u32::try_from(from).unwrap_or(u32::MAX);
        let mut cursor = self.cursors.get((from / STRIDE) as usize).copied();
        // An error is impossible here: opening the track has already read every sample once.
        let table = std::iter::from_fn(move || {
            let cursor = cursor.as_mut()?;
            let index = cursor.index;
            Some((index, self.table.step(cursor).ok().flatten()?))
        });
        let first = self.runs.partition_point(|run| run.end() <= from);
        let runs = self.runs[first..].iter().flat_map(Run::samples);
        table
            .chain(runs)
            .skip_while(move |(index, _)| *index < from)
            .filter(|(_, raw)| raw.size > 0)
            .map(|(index, raw)| self.sample(index, &raw))
            .filter(move |sample| wanted(sample))
    }

    fn sample(&self, index: u32, raw: &Raw) -> Sample {
        Sample {
            index: index.into(),
            offset: raw.offset,
            size: raw.size,
            pts_s: self.seconds(self.shown(raw.pts)),
            duration_s: self.seconds(raw.duration.into()),
            key: raw.key,
        }
    }
}
