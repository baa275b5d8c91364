//! Reads `moov`, the box that describes all tracks.

use std::sync::Arc;

use super::boxes::{inside, range_of};
use super::entry;
use super::fragments::{Defaults, Fragments};
use super::table::{Places, Table};
use super::track::{Edit, Track};
use crate::bytes::{be32, be64};
use crate::limits::{MAX_EDITS, MAX_VIDEO_TRACKS};
use crate::refusal::{FilmCode, FilmRefusal};

/// Returns the video tracks, and for all tracks the defaults of their fragments.
pub(super) fn read(moov: &Arc<[u8]>, size: u64) -> Result<(Vec<Track>, Fragments), FilmRefusal> {
    let mut timescale = 0;
    let mut traks = Vec::new();
    let mut fragments = Fragments::default();
    inside(*b"moov", moov, |kind, content| {
        match &kind {
            b"mvhd" => timescale = scale(content),
            b"trak" => traks.push(content),
            b"mvex" => inside(kind, content, |kind, content| {
                if kind == *b"trex" {
                    let word = |at| be32(content, at).unwrap_or(0);
                    let defaults = Defaults { entry: word(8), duration: word(12), size: word(16), flags: word(20) };
                    fragments.defaults.insert(word(4), defaults);
                }
                Ok(())
            })?,
            b"cmov" => return Err(FilmCode::Coding.because("moov", "one that is not compressed", "a compressed one")),
            _ => {}
        }
        Ok(())
    })?;
    let mut tracks: Vec<Track> = Vec::new();
    for trak in traks {
        let Some(track) = track(moov, trak, timescale, size)? else { continue };
        if tracks.iter().any(|other| other.id == track.id) {
            return Err(FilmCode::Table.because("track_ID", "one of its own for each track", track.id));
        }
        if tracks.len() == MAX_VIDEO_TRACKS {
            return Err(FilmCode::Limit.because("video tracks", &format!("at most {MAX_VIDEO_TRACKS}"), "more"));
        }
        tracks.push(track);
    }
    Ok((tracks, fragments))
}

/// Returns the timescale of an `mvhd` or `mdhd` box.
fn scale(content: &[u8]) -> u32 {
    be32(content, if content.first() == Some(&1) { 20 } else { 12 }).unwrap_or(0)
}

/// Reads a track. Returns `None` if it isn't a video track.
fn track(moov: &Arc<[u8]>, trak: &[u8], movie: u32, size: u64) -> Result<Option<Track>, FilmRefusal> {
    let (mut tkhd, mut elst, mut mdia): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    inside(*b"trak", trak, |kind, content| {
        match &kind {
            b"tkhd" => tkhd = content,
            b"edts" => inside(kind, content, |kind, content| {
                if kind == *b"elst" {
                    elst = content;
                }
                Ok(())
            })?,
            b"mdia" => mdia = content,
            _ => {}
        }
        Ok(())
    })?;
    let (mut timescale, mut handler, mut minf): (u32, &[u8], &[u8]) = (0, &[], &[]);
    inside(*b"mdia", mdia, |kind, content| {
        match &kind {
            b"mdhd" => timescale = scale(content),
            b"hdlr" => handler = content.get(8..12).unwrap_or_default(),
            b"minf" => minf = content,
            _ => {}
        }
        Ok(())
    })?;
    if !matches!(handler, b"vide" | b"auxv" | b"pict") {
        return Ok(None);
    }
    if timescale == 0 {
        return Err(FilmCode::Table.because("mdhd.timescale", "at least 1", 0));
    }
    let (mut stsd, mut references): (&[u8], Vec<bool>) = (&[], Vec::new());
    let mut places = Places::default();
    inside(*b"minf", minf, |kind, content| {
        match &kind {
            b"dinf" => inside(kind, content, |kind, content| {
                if kind == *b"dref" {
                    references = entry::references(content)?;
                }
                Ok(())
            })?,
            b"stbl" => inside(kind, content, |kind, content| {
                let place = match &kind {
                    b"stsd" => {
                        stsd = content;
                        return Ok(());
                    }
                    b"stts" => &mut places.stts,
                    b"ctts" => &mut places.ctts,
                    b"stsc" => &mut places.stsc,
                    b"stco" => &mut places.stco,
                    b"co64" => &mut places.co64,
                    b"stsz" => &mut places.stsz,
                    b"stz2" => &mut places.stz2,
                    b"stss" => &mut places.stss,
                    _ => return Ok(()),
                };
                // If a table has several boxes of one kind, the first counts, as in ffmpeg.
                place.get_or_insert(range_of(moov, content));
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    let wide = tkhd.first() == Some(&1);
    let id = be32(tkhd, if wide { 20 } else { 12 }).unwrap_or(0);
    let rotation = rotation(tkhd.get(if wide { 52 } else { 40 }..).unwrap_or_default());
    let edits = edits(elst, movie, timescale);
    let table = Table::read(moov, &places)?;
    Track::new(id, timescale, rotation, entry::read(stsd)?, references, edits, table, size).map(Some)
}

/// Returns by how many degrees clockwise a track's transformation matrix turns the picture.
fn rotation(matrix: &[u8]) -> u16 {
    let sign = |at| be32(matrix, at).map_or(0, |value| (value as i32).signum());
    match (sign(0), sign(4), sign(12), sign(16)) {
        (0, 1, -1, 0) => 90,
        (-1, 0, 0, -1) => 180,
        (0, -1, 1, 0) => 270,
        _ => 0,
    }
}

/// Reads an edit list. An entry without media delays the entries after it.
fn edits(elst: &[u8], movie: u32, timescale: u32) -> Vec<Edit> {
    let wide = elst.first() == Some(&1);
    let width = if wide { 20 } else { 12 };
    let count = be32(elst, 4).unwrap_or(0) as usize;
    let entries = elst.get(8..).unwrap_or_default().chunks_exact(width).take(count.min(2 * MAX_EDITS));
    let mut shown: i64 = 0;
    let mut edits = Vec::new();
    for entry in entries {
        let (length, from) = if wide {
            (be64(entry, 0).unwrap_or(0), be64(entry, 8).unwrap_or(0) as i64)
        } else {
            (be32(entry, 0).unwrap_or(0).into(), i64::from(be32(entry, 4).unwrap_or(0) as i32))
        };
        // Converts the length from the movie's units of time to the track's.
        let scaled = u128::from(length) * u128::from(timescale) / u128::from(movie.max(1));
        let length = i64::try_from(scaled).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        if from >= 0 {
            // In fragmented films, a length of zero stands for the rest of the track.
            let to = if length == 0 { i64::MAX } else { from.saturating_add(length) };
            edits.push(Edit { from, to, shift: shown.saturating_sub(from) });
        }
        shown = shown.saturating_add(length);
    }
    edits
}
