//! Films on the command line: chooses their frames for lists, and checks them by the same rule as the browser.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hashgate::check::film::FilmJudge;
use hashgate::image::{FilmKind, film_kind};
use hashgate::pdq::Coefficients;
use hashgate::pdq::quality;
use hashgate::{
    Filter, Fingerprint, Limits, Orientations, Outcome, UncheckedReason, Verdict, ViewSet, Wanted, look_up,
};
use hashgate_film::Film;
use hashgate_native::film::{Chosen, Every, Ffmpeg, Stage, choose};
use hashgate_native::open_file::OpenFile;
use serde::Serialize;
use serde_json::{Value, json};

/// Number of bytes at the start of a file that show whether it is a film.
const HEAD: usize = 1 << 16;
/// Seconds between frames of the dense stage.
const DENSE_S: f64 = 0.5;
/// Seconds between the frames that are decoded for a list. The frames on the list are chosen among them by content.
const FINE_S: f64 = 0.08;
/// If the last decoded frame is this many seconds before the end that the index gives, part of the film was missed.
const MISSED_S: f64 = 4.0;

/// Returns the first bytes of a file if it is a film, and `None` otherwise.
pub fn head_of_film(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD as u64).read_to_end(&mut head).ok()?;
    film_kind(&head).is_some().then_some(head)
}

/// Facts about a film that JSON output adds. The fields have the names of the JavaScript verdict.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Findings {
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<f64>,
    frames: u64,
    low_quality: u64,
    decoded_by: &'static str,
}

/// Returns the width, the height and the chosen frames of a film, for a list.
///
/// # Errors
/// There is no ffmpeg, or it can't decode the film.
pub fn frames_for_list(path: &Path, head: &[u8], every: Every) -> Result<(u32, u32, Vec<Chosen>)> {
    let ffmpeg = Ffmpeg::find()?;
    let stage = match every {
        Every::Content => Stage::Apart(FINE_S),
        Every::Seconds(seconds) => Stage::Every(seconds),
    };
    let (mut size, mut chosen) = ((0, 0), Vec::new());
    for track in 0..tracks(path).map_or(1, |film| film.tracks.max(1)) {
        let mut frames = Vec::new();
        ffmpeg.frames(path, head, track, stage, |frame| {
            size = (frame.width, frame.height);
            let small = &frame.luma.small;
            frames.push(Chosen { at_s: frame.at_s, pdq: Coefficients::of(small).hash(), quality: quality(small) });
            Ok(true)
        })?;
        chosen.extend(choose(&frames, every));
    }
    Ok((size.0, size.1, chosen))
}

struct Index {
    tracks: usize,
    /// Why a track can't be decoded, according to the index; `None` if the index gives no reason.
    problem: Option<String>,
    findings: Findings,
}

/// Reads the index of an MP4, QuickTime, WebM or Matroska film.
///
/// # Errors
/// The file can't be read, has no index, or is of another container.
fn tracks(path: &Path) -> Result<Index> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let info = Film::open(file, size)?.info();
    let findings = Findings {
        container: serde_json::to_value(info.container).ok(),
        codec: info.tracks.first().map(|track| track.codec.clone()),
        duration_s: Some(info.duration_s),
        ..Findings::default()
    };
    let problem = info.tracks.iter().find_map(|track| match &track.problem {
        Some(problem) => Some(problem.to_string()),
        None => track.encrypted.then(|| "the film is encrypted".to_owned()),
    });
    Ok(Index { tracks: info.tracks.len(), problem, findings })
}

/// The verdict on a film, and its JSON.
pub struct FilmVerdict {
    /// The verdict. If the frames hold the film, its matches are the best match of each list.
    pub verdict: Verdict,
    /// The fields that JSON output adds to the verdict.
    pub more: Value,
    /// Sentences that say how many distinct keys there are, and at which times.
    pub words: Vec<String>,
}

/// Checks a film: its digests, then its frames.
///
/// # Errors
/// The file can't be read.
pub fn check(
    path: &Path,
    head: &[u8],
    file: &mut OpenFile,
    filters: &[Filter],
    wanted: &Wanted,
) -> Result<FilmVerdict> {
    let digests = crate::intake::fingerprint_of(file, &Limits::default(), &wanted.with_pdq(false))?;
    let mut verdict = look_up(&digests, filters, Orientations::All);
    let exact = verdict.matches().to_vec();
    // Other containers have an index that only ffmpeg can read. For them, an error isn't a reason to call the film
    // unreadable.
    let (index, unreadable) = match tracks(path) {
        Ok(index) => (Some(index), None),
        Err(error) => (None, Some(error).filter(|_| film_kind(head) != Some(FilmKind::Other))),
    };
    let count = index.as_ref().map(|index| index.tracks);
    let problem = index.as_ref().and_then(|index| index.problem.clone());
    let mut findings = index.map(|index| index.findings).unwrap_or_default();
    findings.decoded_by = "ffmpeg";
    let mut judge = FilmJudge::new(filters, hashgate::check::film::MIN_DISTINCT);
    let holds_pdq = filters.iter().any(|filter| filter.wanted().pdq);
    let mut without = Outcome::Clear;
    if filters.is_empty() {
        without = verdict.outcome.clone();
    } else if count == Some(0) {
        without = unchecked(UncheckedReason::NotAPicture, "the file has sound and no picture".into());
    } else if let Some(problem) = problem {
        without = unchecked(UncheckedReason::UnsupportedFilm, problem);
    } else if holds_pdq && exact.is_empty() {
        without = look(path, head, filters, count.unwrap_or(1), &findings, &mut judge);
        if let (Outcome::Unchecked { reason: UncheckedReason::UnsupportedFilm, .. }, Some(error)) =
            (&without, unreadable)
        {
            without = unchecked(UncheckedReason::Unreadable, format!("{error:#}"));
        }
    }
    let found = judge.matches();
    (findings.frames, findings.low_quality) = judge.counts();
    verdict.outcome = if judge.is_held() {
        Outcome::PossibleMatch { matches: found.iter().map(|found| found.best.clone()).collect() }
    } else if exact.is_empty() {
        without
    } else {
        Outcome::PossibleMatch { matches: exact }
    };
    let words = found.iter().map(|found| {
        let ranges = found.ranges.iter().map(|(from, to)| format!("{from:.1} to {to:.1} s"));
        let weak = if judge.is_held() { "" } else { ", too few to hold the film" };
        format!(
            "{} distinct keys of {} at {}{weak}; by chance with a probability of {:.1e}",
            found.distinct_keys,
            found.best.list,
            ranges.collect::<Vec<_>>().join(", "),
            found.chance
        )
    });
    let words = words.collect();
    let mut more = json!({ "video": findings });
    if !found.is_empty() {
        more["matches"] = serde_json::to_value(&found)?;
    }
    Ok(FilmVerdict { verdict, more, words })
}

fn unchecked(reason: UncheckedReason, detail: String) -> Outcome {
    Outcome::Unchecked { reason, detail }
}

/// Looks up few frames of a film, and more frames if one of them matched. Returns the outcome if the frames don't hold
/// the film.
fn look(
    path: &Path,
    head: &[u8],
    filters: &[Filter],
    tracks: usize,
    findings: &Findings,
    judge: &mut FilmJudge,
) -> Outcome {
    let ffmpeg = match Ffmpeg::find() {
        Ok(ffmpeg) => ffmpeg,
        Err(error) => return unchecked(UncheckedReason::UnsupportedFilm, format!("{error:#}")),
    };
    for stage in [Stage::First, Stage::Apart(DENSE_S - 0.01)] {
        for track in 0..tracks {
            let mut last_s = f64::NEG_INFINITY;
            let looked = ffmpeg.frames(path, head, track, stage, |frame| {
                last_s = last_s.max(frame.at_s);
                let picture = Some(Ok(frame.hashes(ViewSet::All)));
                let print = Fingerprint { sha256: None, md5: None, picture };
                judge.add(frame.at_s, &look_up(&print, filters, Orientations::All));
                Ok(!judge.is_held())
            });
            if judge.is_held() {
                return Outcome::Clear;
            }
            if let Err(error) = looked {
                let reason =
                    if last_s.is_finite() { UncheckedReason::Unreadable } else { UncheckedReason::UnsupportedFilm };
                return unchecked(reason, format!("{error:#}"));
            }
            let end = findings.duration_s.filter(|_| tracks == 1).unwrap_or(last_s);
            if !last_s.is_finite() || end - last_s > MISSED_S {
                let detail = format!("frames: expected them up to {end:.1} s, got the last at {last_s:.1} s");
                return unchecked(UncheckedReason::Unreadable, detail);
            }
        }
        if judge.matches().is_empty() {
            break;
        }
    }
    if judge.is_all_low_detail() {
        return unchecked(UncheckedReason::Incomplete, "every frame has too little detail for a comparison".into());
    }
    Outcome::Clear
}

/// Reads the hashes that `--leave-out` names: from lists, pictures, films, or folders of them.
///
/// # Errors
/// A list can't be read.
pub fn left_out(paths: &[PathBuf]) -> Result<Vec<hashgate::pdq::PdqHash>> {
    use hashgate_native::list::{self, Signal};
    let mut hashes = Vec::new();
    for path in paths {
        let files = if path.is_dir() { hashgate_native::batch::in_folder(path) } else { vec![path.clone()] };
        for file in files {
            let picture = std::fs::read(&file)
                .ok()
                .and_then(|bytes| hashgate::image::read_fully(&bytes, &Limits::default()).ok());
            if let Some(picture) = picture {
                hashes.extend(picture.frames.first().map(|frame| Coefficients::of(&frame.luma.small).hash()));
            } else if let Some(head) = head_of_film(&file) {
                let (_, _, frames) = frames_for_list(&file, &head, Every::Content)?;
                hashes.extend(frames.iter().map(|frame| frame.pdq));
            } else {
                let lists = list::read_all(std::slice::from_ref(&file), &list::Options::default())
                    .with_context(|| format!("--leave-out: {}", file.display()))?;
                let entries = lists.iter().flat_map(|list| &list.entries);
                hashes.extend(entries.filter_map(|entry| match entry.signal {
                    Signal::Pdq(hash) => Some(hash),
                    Signal::Sha256(_) | Signal::Md5(_) => None,
                }));
            }
        }
    }
    Ok(hashes)
}
