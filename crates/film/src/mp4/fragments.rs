//! Movie fragments (ISO/IEC 14496-12, 8.8): `moof` boxes with runs of samples.

use std::collections::HashMap;

use super::bad;
use super::boxes::inside;
use super::table::Raw;
use super::track::{STRIDE, Track};
use crate::bytes::{be32, be64};
use crate::refusal::{FilmCode, FilmRefusal};

/// The values of `trex` and `tfhd`. They apply to samples whose `trun` box doesn't give the value.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    pub entry: u32,
    pub duration: u32,
    pub size: u32,
    pub flags: u32,
}

/// Samples of one `trun` box that lie one after another, at most [`STRIDE`] of them.
pub(super) struct Run {
    first: u32,
    count: u32,
    offset: u64,
    dts: i64,
    defaults: Defaults,
    /// Flags of the first sample, if the `trun` box gives it flags of its own.
    first_flags: Option<u32>,
    /// Flags of the `trun` box, which say which fields a sample has.
    fields: u32,
    data: Box<[u8]>,
}

/// Fields of a sample in a `trun` box.
const DURATION: u32 = 0x100;
const SIZE: u32 = 0x200;
const FLAGS: u32 = 0x400;
const SHIFT: u32 = 0x800;
const ALL: [u32; 4] = [DURATION, SIZE, FLAGS, SHIFT];

impl Run {
    pub fn end(&self) -> u32 {
        self.first + self.count
    }

    /// Yields the samples with their numbers.
    pub fn samples(&self) -> impl Iterator<Item = (u32, Raw)> {
        let (mut offset, mut dts) = (self.offset, self.dts);
        let width = width(self.fields);
        (0..self.count).map(move |number| {
            let entry = &self.data[number as usize * width..];
            let mut at = 0;
            let mut field = |flag: u32| {
                (self.fields & flag != 0).then(|| {
                    at += 4;
                    be32(entry, at - 4).unwrap_or(0)
                })
            };
            let duration = field(DURATION).unwrap_or(self.defaults.duration);
            let size = field(SIZE).unwrap_or(self.defaults.size);
            let own = field(FLAGS);
            let shift = field(SHIFT).unwrap_or(0) as i32;
            let first = self.first_flags.filter(|_| number == 0);
            let flags = first.or(own).unwrap_or(self.defaults.flags);
            let key = flags & 0x1_0000 == 0; // sample_is_non_sync_sample
            let pts = dts.saturating_add(shift.into());
            let raw = Raw { offset, size, pts, duration, key, entry: self.defaults.entry };
            offset = offset.saturating_add(size.into());
            dts = dts.saturating_add(duration.into());
            (self.first + number, raw)
        })
    }
}

fn width(fields: u32) -> usize {
    ALL.iter().filter(|&&flag| fields & flag != 0).count() * 4
}

/// State that carries over from one fragment to the next.
#[derive(Default)]
pub(super) struct Fragments {
    /// The defaults of each track.
    pub defaults: HashMap<u32, Defaults>,
    /// The decoding time at which a track's next fragment begins, unless that fragment gives a time itself.
    next: HashMap<u32, i64>,
}

impl Fragments {
    /// Adds the samples of a `moof` box that begins at `at` in a file of `size` bytes.
    pub fn add(&mut self, moof: &[u8], at: u64, tracks: &mut [Track], size: u64) -> Result<(), FilmRefusal> {
        // A track fragment that gives no position for its data continues where the data of the one before ended.
        let mut base = at;
        inside(*b"moof", moof, |kind, traf| {
            if kind == *b"traf" {
                base = self.track_fragment(traf, at, base, tracks, size)?;
            }
            Ok(())
        })
    }

    /// Adds a track fragment. Returns where its data ends.
    fn track_fragment(
        &mut self,
        traf: &[u8],
        moof: u64,
        base: u64,
        tracks: &mut [Track],
        size: u64,
    ) -> Result<u64, FilmRefusal> {
        let (mut header, mut time) = (None, None);
        let mut truns = Vec::new();
        inside(*b"traf", traf, |kind, content| {
            match &kind {
                b"tfhd" => header = Some(content),
                b"tfdt" => {
                    let wide = content.first() == Some(&1);
                    time = if wide { be64(content, 4) } else { be32(content, 4).map(u64::from) };
                }
                b"trun" => truns.push(content),
                _ => {}
            }
            Ok(())
        })?;
        let short = || bad(*b"tfhd", "a header of the track fragment", "none, or one that is too short");
        let header = header.ok_or_else(short)?;
        let flags = be32(header, 0).ok_or_else(short)?;
        let id = be32(header, 4).ok_or_else(short)?;
        let (mut at, own) = if flags & 1 == 0 { (8, None) } else { (16, Some(be64(header, 8).ok_or_else(short)?)) };
        let start = own.unwrap_or(if flags & 0x2_0000 == 0 { base } else { moof });
        let mut word = |flag: u32| -> Result<Option<u32>, FilmRefusal> {
            if flags & flag == 0 {
                return Ok(None);
            }
            at += 4;
            be32(header, at - 4).ok_or_else(short).map(Some)
        };
        let mut defaults = self.defaults.get(&id).copied().unwrap_or_default();
        defaults.entry = word(2)?.unwrap_or(defaults.entry);
        defaults.duration = word(8)?.unwrap_or(defaults.duration);
        defaults.size = word(0x10)?.unwrap_or(defaults.size);
        defaults.flags = word(0x20)?.unwrap_or(defaults.flags);
        let known = self.next.get(&id).copied().unwrap_or(0);
        let mut dts = time.map_or(known, |time| i64::try_from(time).unwrap_or(i64::MAX));
        let mut offset = start;
        let mut track = tracks.iter_mut().find(|track| track.id == id);
        for trun in truns {
            (offset, dts) = run(trun, start, offset, dts, defaults, track.as_deref_mut(), size)?;
        }
        self.next.insert(id, dts);
        Ok(offset)
    }
}

/// Adds the samples of a `trun` box to `track`, unless it is `None`. Returns where the box's data ends, and the
/// decoding time after its last sample.
fn run(
    trun: &[u8],
    start: u64,
    follows: u64,
    dts: i64,
    defaults: Defaults,
    track: Option<&mut Track>,
    size: u64,
) -> Result<(u64, i64), FilmRefusal> {
    let short = || bad(*b"trun", "a header", "less than one");
    let fields = be32(trun, 0).ok_or_else(short)? & 0xff_ffff;
    let count = be32(trun, 4).ok_or_else(short)?;
    let mut at = 8;
    let mut offset = follows;
    if fields & 1 != 0 {
        let shift = be32(trun, at).ok_or_else(short)? as i32;
        offset = start.saturating_add_signed(shift.into());
        at += 4;
    }
    let first_flags = if fields & 4 != 0 { Some(be32(trun, at).ok_or_else(short)?) } else { None };
    at += first_flags.map_or(0, |_| 4);
    let (data, width) = (trun.get(at..).unwrap_or_default(), width(fields));
    if count as usize > data.len().checked_div(width).unwrap_or(usize::MAX) {
        let expected = format!("at most {}, for which it has room", data.len() / width.max(1));
        return Err(FilmCode::Table.because("trun.count", &expected, count));
    }
    let uniform = fields & SIZE == 0;
    if uniform && (track.is_none() || defaults.size == 0) {
        let length = u64::from(count) * u64::from(defaults.size);
        let last = if fields & DURATION == 0 { i64::from(count).saturating_mul(defaults.duration.into()) } else { 0 };
        return Ok((offset.saturating_add(length), dts.saturating_add(last)));
    }
    let Some(track) = track else {
        // This track is no video track, so its samples aren't kept. The end of its data is still needed, because the
        // next run may begin there.
        let place = if fields & DURATION == 0 { 0 } else { 4 };
        let sizes =
            data.chunks_exact(width).take(count as usize).map(|entry| u64::from(be32(entry, place).unwrap_or(0)));
        return Ok((sizes.fold(offset, u64::saturating_add), dts));
    };
    track.may_have(count)?;
    if uniform {
        track.may_weigh(u64::from(count) * u64::from(defaults.size), size)?;
    }
    let (mut dts, mut done) = (dts, 0);
    while done < count {
        let part = (count - done).min(STRIDE);
        let entries = &data[done as usize * width..(done + part) as usize * width];
        let run = Run {
            first: track.samples_so_far(),
            count: part,
            offset,
            dts,
            defaults,
            first_flags: first_flags.filter(|_| done == 0),
            fields,
            data: entries.into(),
        };
        for (_, raw) in run.samples() {
            track.count(&raw, size)?;
            offset = raw.offset.saturating_add(raw.size.into());
            dts = dts.saturating_add(raw.duration.into());
        }
        track.runs.push(run);
        done += part;
    }
    Ok((offset, dts))
}
