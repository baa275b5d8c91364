//! Chance hits of films that aren't listed: what single frames do, and what distinct keys do.

use anyhow::Result;
use hashgate::check::film::{FilmJudge, MIN_DISTINCT, poisson_tail};
use hashgate::filter::build::Request;
use hashgate::pdq::PdqHash;
use hashgate::{Filter, Fingerprint, ImageHashes, Orientations, ViewSet, look_up};
use hashgate_native::film::{Ffmpeg, Stage};
use rayon::prelude::*;
use serde::Serialize;

use super::copies::Original;

/// Rates at which enough matches by chance to be counted. Those of real lists are far lower.
const RATES: [f64; 2] = [0.1, 0.01];
/// Lists of random hashes per rate.
const LISTS: u64 = 3;
/// Hashes of such a list.
const HASHES: u64 = 2_000;
/// Frames per second that are looked up.
const PER_SECOND: f64 = 2.0;

/// What films that aren't listed did at one rate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chance {
    /// Share of clean frames that may match.
    pub rate: f64,
    /// Frames that were looked up.
    pub frames: u32,
    /// How many of them matched.
    pub matched: u32,
    /// Films, counted once per list.
    pub films: u32,
    /// How many of them had at least one distinct key, two and three.
    pub with_keys: [u32; 3],
    /// Mean number of distinct keys per film.
    pub mean_keys: f64,
    /// How many films would have so many keys by a Poisson distribution of that mean.
    pub expected: [f64; 3],
    /// Films that were held.
    pub held: u32,
}

/// What was measured of clean films.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Clean {
    /// On lists of random hashes.
    pub chance: Vec<Chance>,
    /// Films that a list of all the others' frames holds.
    pub held_by_the_others: u32,
}

/// Looks all films up in lists that they aren't on. `frames` has the listed hashes of each.
///
/// # Errors
/// ffmpeg can't decode a film.
pub fn measure(ffmpeg: &Ffmpeg, originals: &[Original], frames: &[Vec<PdqHash>]) -> Result<Clean> {
    let hashed = |original: &Original| -> Result<Vec<(f64, ImageHashes)>> {
        let mut hashed = Vec::new();
        ffmpeg.frames(&original.film, 0, (Stage::Apart(1.0 / PER_SECOND - 0.01), None), |frame| {
            hashed.push((frame.at_s, frame.hashes(ViewSet::All)));
            Ok(true)
        })?;
        Ok(hashed)
    };
    let films: Vec<_> = originals.par_iter().map(hashed).collect::<Result<_>>()?;
    let mut chance = Vec::new();
    for rate in RATES {
        let mut found = Chance {
            rate,
            frames: 0,
            matched: 0,
            films: 0,
            with_keys: [0; 3],
            mean_keys: 0.0,
            expected: [0.0; 3],
            held: 0,
        };
        for list in 0..LISTS {
            let numbered = (0..HASHES).map(|n| numbered(list * HASHES + n));
            let request = Request::new("chance", "evaluation").with_image_false_positive_rate(rate);
            let filter = [super::filter(&request, numbered, 0)?];
            let judged: Vec<_> = films.par_iter().map(|film| judge(film, &filter)).collect();
            for (film, (matched, judge)) in films.iter().zip(judged) {
                found.frames += film.len() as u32;
                found.matched += matched;
                found.films += 1;
                let keys = judge.matches().first().map_or(0, |found| found.distinct_keys);
                found.mean_keys += f64::from(keys);
                for (at, count) in found.with_keys.iter_mut().enumerate() {
                    *count += u32::from(keys > at as u32);
                }
                found.held += u32::from(judge.is_held());
            }
        }
        found.mean_keys /= f64::from(found.films);
        found.expected = [1, 2, 3].map(|least| f64::from(found.films) * poisson_tail(least, found.mean_keys));
        chance.push(found);
    }
    let mut held_by_the_others = 0;
    for (at, film) in films.iter().enumerate() {
        let others = frames.iter().enumerate().filter(|(other, _)| *other != at).flat_map(|(_, frames)| frames);
        let request = Request::new("others", "evaluation").with_image_false_positive_rate(super::FRAME_RATE);
        let filter = [super::filter(&request, others.copied(), 0)?];
        held_by_the_others += u32::from(judge(film, &filter).1.is_held());
    }
    Ok(Clean { chance, held_by_the_others })
}

/// Looks the frames of a film up. Returns how many of them matched.
fn judge(film: &[(f64, ImageHashes)], filter: &[Filter; 1]) -> (u32, FilmJudge) {
    let mut judge = FilmJudge::new(filter, MIN_DISTINCT);
    let mut matched = 0;
    for (at_s, hashes) in film {
        let print = Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashes.clone())) };
        let verdict = look_up(&print, filter, Orientations::All);
        matched += u32::from(!verdict.matches().is_empty());
        judge.add(*at_s, &verdict);
    }
    (matched, judge)
}

fn numbered(n: u64) -> PdqHash {
    PdqHash(hashgate::digest::Sha256Digest::of(&n.to_le_bytes()).0)
}
