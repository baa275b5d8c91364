//! Films on the command line: the check of a film, by the rule that the browser has, and what is left out of lists.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use hashgate::check::film::FilmJudge;
use hashgate::pdq::{Coefficients, PdqHash};
use hashgate::{Filter, Limits, Orientations, Outcome, UncheckedReason, Verdict, Wanted, look_up};
use hashgate_native::film::{Every, Ffmpeg, FilmFile, PASS_LIMIT, frames_for_list, look};
use hashgate_native::open_file::OpenFile;
use serde_json::{Value, json};

/// Seconds between the frames of a film that is left out of lists.
const ALL_S: f64 = 0.04;

/// How ffmpeg is run.
#[derive(clap::Args)]
pub struct FilmArgs {
    /// Longest time in seconds for one pass of ffmpeg over a film, of which a film takes up to four. A film that takes
    /// longer, or of which no frame comes for a minute, is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = PASS_LIMIT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    film_timeout: u64,
}

impl FilmArgs {
    /// Finds ffmpeg.
    ///
    /// # Errors
    /// There is none, or it is too old.
    pub fn ffmpeg(&self) -> Result<Ffmpeg> {
        Ok(Ffmpeg::find()?.with_limit(Duration::from_secs(self.film_timeout)))
    }
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
    film: &FilmFile,
    file: &mut OpenFile,
    filters: &[Filter],
    wanted: &Wanted,
    args: &FilmArgs,
) -> Result<FilmVerdict> {
    let digests = crate::intake::fingerprint_of(file, &Limits::default(), &wanted.with_pdq(false))?;
    let mut verdict = look_up(&digests, filters, Orientations::All);
    let exact = verdict.matches().to_vec();
    let mut findings = film.findings.clone();
    let mut judge = FilmJudge::new(filters, hashgate::check::film::MIN_DISTINCT);
    let holds_pdq = filters.iter().any(|filter| filter.wanted().pdq);
    let mut without = Outcome::Clear;
    if filters.is_empty() {
        without = verdict.outcome.clone();
    } else if film.tracks == Some(0) {
        without = Outcome::unchecked(UncheckedReason::NotAPicture, "the file has sound and no picture".into());
    } else if let Some(problem) = &film.problem {
        without = Outcome::unchecked(UncheckedReason::UnsupportedFilm, problem.clone());
    } else if holds_pdq && exact.is_empty() {
        without = match args.ffmpeg() {
            Ok(ffmpeg) => look(&ffmpeg, film, filters, &mut judge),
            Err(error) => Outcome::unchecked(UncheckedReason::UnsupportedFilm, format!("{error:#}")),
        };
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

/// Reads the hashes that `--leave-out` names: from lists, pictures, films, or folders of them.
///
/// # Errors
/// A list can't be read.
pub fn left_out(paths: &[PathBuf], args: &FilmArgs) -> Result<Vec<PdqHash>> {
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
            } else if let Some(film) = FilmFile::open(&file) {
                // All frames, not those that a list would have: the same title is cut at other times in another film.
                let listed = frames_for_list(&args.ffmpeg()?, &film, Every::Seconds(ALL_S))
                    .with_context(|| format!("--leave-out: {}", file.display()))?;
                hashes.extend(listed.frames.iter().map(|frame| frame.pdq));
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
