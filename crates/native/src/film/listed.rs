//! The frames of a film that go on a list.

use anyhow::Result;
use hashgate::pdq::{Coefficients, quality};

use super::cover::{Chosen, Every, choose};
use super::ffmpeg::{Ffmpeg, Stage};
use super::index::FilmFile;
use super::motion::{Motion, Part};

/// Seconds between the frames among which those of a list are chosen by content.
const FINE_S: f64 = 0.08;

/// The frames that were chosen, and the size of the film.
pub struct ListFrames {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The frames, track by track. If only a part of a track's picture moves, as in a recording of a screen, the frames
    /// of that part follow the whole frames of the track.
    pub frames: Vec<Chosen>,
}

/// Chooses the frames of a film for a list.
///
/// # Errors
/// ffmpeg can't decode the film.
pub fn frames_for_list(ffmpeg: &Ffmpeg, film: &FilmFile, every: Every) -> Result<ListFrames> {
    let stage = match every {
        Every::Content => Stage::Apart(FINE_S),
        Every::Seconds(seconds) => Stage::Every(seconds),
    };
    let mut made = ListFrames { width: 0, height: 0, frames: Vec::new() };
    for track in 0..film.tracks.map_or(1, |tracks| tracks.max(1)) {
        let mut motion = Motion::default();
        let mut size = (0, 0);
        let mut pass = |part: Option<Part>, motion: &mut Motion| {
            let mut frames = Vec::new();
            ffmpeg.frames(film, track, (stage, part), |frame| {
                let small = &frame.luma.small;
                if part.is_none() {
                    size = (frame.width, frame.height);
                    motion.add(small, frame.at_s);
                }
                frames.push(Chosen { at_s: frame.at_s, pdq: Coefficients::of(small).hash(), quality: quality(small) });
                Ok(true)
            })?;
            anyhow::Ok(choose(&frames, every))
        };
        made.frames.extend(pass(None, &mut motion)?);
        if let Some(part) = motion.part() {
            made.frames.extend(pass(Some(part), &mut motion)?);
        }
        (made.width, made.height) = size;
    }
    Ok(made)
}
