//! MP4, QuickTime and fragmented MP4 (ISO/IEC 14496-12).

mod boxes;
mod entry;
mod fragments;
mod moov;
mod table;
mod track;

use std::sync::Arc;

use boxes::{Header, four};
use fragments::Fragments;
use track::Track;

use crate::limits::{MAX_BOXES, MAX_MOOV_BYTES};
use crate::model::{Container, FilmInfo, Sample};
use crate::refusal::{FilmCode, FilmRefusal};
use crate::source::Reader;

/// Whether a file begins like MP4 or QuickTime. Old QuickTime films have no `ftyp`.
pub(crate) fn begins(head: &[u8]) -> bool {
    const FIRST: [&[u8]; 9] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof"];
    head.get(4..8).is_some_and(|kind| FIRST.contains(&kind))
}

/// The index of an MP4 or QuickTime film.
pub(crate) struct Index {
    container: Container,
    tracks: Vec<Track>,
    unread: u64,
}

impl Index {
    /// Reads the boxes of the outermost level. `moov` may be any of them.
    pub fn read(reader: &mut Reader) -> Result<Self, FilmRefusal> {
        let mut container = Container::Mov; // without `ftyp`
        let mut moov: Option<Arc<[u8]>> = None;
        let mut moofs = Vec::new();
        let mut fragments: Option<Fragments> = None;
        let mut tracks = Vec::new();
        let (mut at, mut boxes) = (0, 0);
        while at < reader.size {
            boxes += 1;
            if boxes > MAX_BOXES {
                return Err(FilmCode::Limit.because("boxes", &format!("at most {MAX_BOXES}"), "more"));
            }
            let size = reader.size;
            let Some(Header { kind, start, end }) = Header::read(reader.bytes(at, 16)?, at, size) else { break };
            let whole = end <= reader.size;
            match &kind {
                b"ftyp" if at == 0 => {
                    container = if reader.bytes(start, 4)? == b"qt  " { Container::Mov } else { Container::Mp4 };
                }
                b"moov" => {
                    let length = end.min(reader.size) - start;
                    if length > MAX_MOOV_BYTES {
                        return Err(FilmCode::Limit.because(
                            "moov",
                            &format!("at most {MAX_MOOV_BYTES} bytes"),
                            length,
                        ));
                    }
                    if !whole {
                        let got = format_args!("{length} of {} bytes", end - start).to_string();
                        return Err(FilmCode::NoIndex.because("moov", "a whole box", got));
                    }
                    let bytes: Arc<[u8]> = reader.take(start, length as usize)?.into();
                    match &moov {
                        // Joined pieces repeat it.
                        Some(first) if **first == *bytes => {}
                        Some(_) => {
                            return Err(FilmCode::Box.because("moov", "one, or the same one again", "another one"));
                        }
                        None => {
                            let (read, defaults) = moov::read(&bytes, reader.size)?;
                            (tracks, fragments) = (read, Some(defaults));
                            moov = Some(bytes);
                        }
                    }
                }
                b"moof" => {
                    let length = end.min(reader.size) - start;
                    if length > MAX_MOOV_BYTES {
                        return Err(FilmCode::Limit.because(
                            "moof",
                            &format!("at most {MAX_MOOV_BYTES} bytes"),
                            length,
                        ));
                    }
                    match &mut fragments {
                        Some(fragments) => {
                            let bytes = reader.take(start, length as usize)?;
                            fragments.add(&bytes, at, &mut tracks, reader.size)?;
                        }
                        None => moofs.push((at, start, length as usize)),
                    }
                }
                _ => {}
            }
            at = end;
        }
        let Some(mut fragments) = fragments else {
            return Err(FilmCode::NoIndex.because("moov", "one in the file", "none"));
        };
        for (at, start, length) in moofs {
            let bytes = reader.take(start, length)?;
            fragments.add(&bytes, at, &mut tracks, reader.size)?;
        }
        Ok(Self { container, tracks, unread: reader.size.saturating_sub(at) })
    }

    pub fn info(&self) -> FilmInfo {
        let tracks: Vec<_> = self.tracks.iter().map(Track::info).collect();
        let duration_s = tracks.iter().map(|track| track.end_s).fold(0.0, f64::max);
        FilmInfo { container: self.container, duration_s, tracks, unread_bytes: self.unread }
    }

    pub fn description(&self, track: usize) -> Option<&[u8]> {
        self.tracks.get(track)?.description()
    }

    pub fn samples(&self, track: usize, from: u64, count: usize) -> Vec<Sample> {
        self.tracks.get(track).map(|track| track.samples(from, |_| true).take(count).collect()).unwrap_or_default()
    }

    pub fn keyframes(&self, track: usize, from: u64, count: usize) -> Vec<Sample> {
        let keys = |track: &Track| track.samples(from, |sample| sample.key).take(count).collect();
        self.tracks.get(track).map(keys).unwrap_or_default()
    }
}

/// Makes the refusal of a malformed box.
fn bad(kind: [u8; 4], expected: &str, got: impl std::fmt::Display) -> FilmRefusal {
    FilmCode::Box.because(&four(kind), expected, got)
}
