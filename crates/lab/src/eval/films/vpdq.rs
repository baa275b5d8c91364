//! vPDQ's own matching (facebook/ThreatExchange, `vpdq/`): one frame a second of both films, those of quality 50 or
//! more, and a frame matches if it is within 31 bits of one of the listed film's.

use anyhow::Result;
use hashgate::confirm::HAMMING_THRESHOLD;
use hashgate::pdq::{Coefficients, MIN_QUALITY, PdqHash, quality};
use hashgate_native::film::{Ffmpeg, FilmFile, Stage};
use serde::Serialize;

/// What vPDQ says of a copy.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Found {
    /// At least three frames of the copy match.
    pub three_frames: bool,
    /// At least 80% of the copy's frames match, the default of `threatexchange`.
    pub most_frames: bool,
}

/// Returns the hashes of a film as vPDQ takes them.
///
/// # Errors
/// ffmpeg can't decode the film.
pub fn frames(ffmpeg: &Ffmpeg, film: &FilmFile) -> Result<Vec<PdqHash>> {
    let mut frames = Vec::new();
    ffmpeg.frames(film, 0, (Stage::Every(1.0), None), |frame| {
        let small = &frame.luma.small;
        if quality(small) >= MIN_QUALITY {
            frames.push(Coefficients::of(small).hash());
        }
        Ok(true)
    })?;
    Ok(frames)
}

/// Compares the frames of a copy with those of the listed film.
#[must_use]
pub fn find(copy: &[PdqHash], listed: &[PdqHash]) -> Found {
    let near = |frame: &&PdqHash| listed.iter().any(|other| other.distance(frame) <= HAMMING_THRESHOLD);
    let matching = copy.iter().filter(near).count();
    Found { three_frames: matching >= 3, most_frames: !copy.is_empty() && matching * 5 >= copy.len() * 4 }
}
