//! `hashgate eval` of films: how well edited copies are found, by our rule and by vPDQ's.

mod chance;
mod copies;
mod edits;
mod figures;
mod overlays;
mod vpdq;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hashgate::Filter;
use hashgate::check::film::{FilmJudge, MIN_DISTINCT};
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::pdq::PdqHash;
use hashgate_native::film::{Every, Ffmpeg, FilmFile, frames_for_list, look};
use hashgate_native::{batch, terminal};
use rayon::prelude::*;

pub use self::figures::FilmFigures;

/// What is measured with.
pub struct Settings {
    /// Number of films at most.
    pub limit: usize,
    /// Number of hashes in the list, with the numbered ones.
    pub list_size: usize,
    /// Number of ring keys per hash.
    pub rings: u32,
    /// Seed of what is drawn over films.
    pub seed: u64,
    /// Names of the edits; all if there are none.
    pub edits: Vec<String>,
}

/// Share of clean frames that may match by chance: that of `build --frames`.
const FRAME_RATE: f64 = 1e-6;

/// Returns the films of a folder, each with the copies of it that lie in a folder of its name without the ending.
#[must_use]
pub fn of_folder(folder: &Path) -> Vec<(PathBuf, Vec<PathBuf>)> {
    let is_film = |path: &PathBuf| FilmFile::open(path).is_some();
    let mut films: Vec<_> = batch::in_folder(folder).into_iter().filter(is_film).collect();
    let copies_of = |film: &PathBuf| -> Vec<PathBuf> {
        let own = film.with_extension("");
        films.iter().filter(|path| path.parent() == Some(&own)).cloned().collect()
    };
    let copies: Vec<_> = films.iter().map(copies_of).collect();
    let is_copy = |film: &PathBuf| copies.iter().flatten().any(|copy| copy == film);
    let keep: Vec<_> = films.iter().map(|film| !is_copy(film)).collect();
    let all: Vec<_> = films.drain(..).zip(copies).collect();
    all.into_iter().zip(keep).filter_map(|(film, keep)| keep.then_some(film)).collect()
}

/// Measures films, each with the copies of it that there are.
///
/// # Errors
/// There is no ffmpeg, or fewer than two films can be used.
pub fn measure(films: &[(PathBuf, Vec<PathBuf>)], settings: &Settings) -> Result<FilmFigures> {
    let names: Vec<_> = edits::EDITS.iter().map(|edit| edit.name).collect();
    if let Some(name) = settings.edits.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("--edit: expected one of {}, got {name:?}", names.join(", "));
    }
    let ffmpeg = Ffmpeg::find()?;
    let encoders = copies::encoders()?;
    let folder = tempfile::tempdir()?;
    let films = &films[..films.len().min(settings.limit)];
    let prepared: Vec<_> = films
        .par_iter()
        .enumerate()
        .map(|(at, (path, own))| copies::prepare(&ffmpeg, folder.path(), at, path, own))
        .collect();
    let (mut originals, mut left_out) = (Vec::new(), Vec::new());
    for ((path, _), prepared) in films.iter().zip(prepared) {
        match prepared {
            Ok(original) => originals.push(original),
            Err(error) => left_out.push(format!("{}: {error:#}", path.display())),
        }
    }
    if originals.len() < 2 {
        bail!("films: expected at least 2 that can be decoded, got {}; {}", originals.len(), left_out.join("; "));
    }
    for edit in edits::EDITS.iter().filter(|edit| !encoders.contains(&edit.encoder.name())) {
        left_out.push(format!("{}: this ffmpeg has no encoder {}", edit.name, edit.encoder.name()));
    }
    let lists = Lists::of(&ffmpeg, &originals, settings)?;
    let copies = copies::all(&originals, &encoders, &settings.edits);
    let bar = terminal::progress(copies.len() as u64);
    let found: Vec<_> = copies
        .par_iter()
        .map(|copy| {
            let found = copy.make(&ffmpeg, &originals, folder.path(), settings.seed).and_then(|path| {
                let found = one(&ffmpeg, &path, &lists, copy.film);
                if copy.is_made() {
                    std::fs::remove_file(&path)?;
                }
                found
            });
            bar.inc(1);
            found.with_context(|| format!("{} of {}", copy.name(), originals[copy.film].name))
        })
        .collect::<Result<_>>()?;
    bar.finish_and_clear();
    let clean = chance::measure(&ffmpeg, &originals, &lists.content.frames)?;
    Ok(FilmFigures::of(&originals, &copies, &found, left_out, settings, &lists, clean))
}

/// Which rules find a copy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// Ours, on a list whose frames were chosen by content.
    pub content: bool,
    /// Ours, on a list of one frame a second.
    pub every_second: bool,
    /// vPDQ's.
    pub vpdq: vpdq::Found,
}

fn one(ffmpeg: &Ffmpeg, path: &Path, lists: &Lists, film: usize) -> Result<Found> {
    let film_file = FilmFile::open(path).context("expected a film, got another file")?;
    let is_held = |list: &List| {
        let mut judge = FilmJudge::new(&list.filter, MIN_DISTINCT);
        let _ = look(ffmpeg, &film_file, &list.filter, &mut judge);
        judge.is_held()
    };
    Ok(Found {
        content: is_held(&lists.content),
        every_second: is_held(&lists.every_second),
        vpdq: vpdq::find(&vpdq::frames(ffmpeg, &film_file)?, &lists.vpdq[film]),
    })
}

/// A list of all films, and its filter.
pub struct List {
    filter: [Filter; 1],
    /// The hashes of each film.
    frames: Vec<Vec<PdqHash>>,
}

/// The lists that are compared.
pub struct Lists {
    content: List,
    every_second: List,
    vpdq: Vec<Vec<PdqHash>>,
}

impl Lists {
    fn of(ffmpeg: &Ffmpeg, originals: &[copies::Original], settings: &Settings) -> Result<Self> {
        let list = |every: Every| -> Result<List> {
            let of_film = |original: &copies::Original| -> Result<Vec<PdqHash>> {
                let listed = frames_for_list(ffmpeg, &original.film, every)?;
                Ok(listed.frames.iter().map(|frame| frame.pdq).collect())
            };
            let frames: Vec<_> = originals.par_iter().map(of_film).collect::<Result<_>>()?;
            let hashes = frames.iter().flatten().copied();
            let request = Request::new("eval", "evaluation").with_rings(settings.rings);
            let filter = filter(&request.with_image_false_positive_rate(FRAME_RATE), hashes, settings.list_size)?;
            Ok(List { filter: [filter], frames })
        };
        let vpdq = originals.par_iter().map(|original| vpdq::frames(ffmpeg, &original.film)).collect::<Result<_>>()?;
        Ok(Self { content: list(Every::Content)?, every_second: list(Every::Seconds(1.0))?, vpdq })
    }
}

/// Builds a filter of these hashes, and of as many numbered ones that there are `size` of them.
fn filter(request: &Request, hashes: impl Iterator<Item = PdqHash>, size: usize) -> Result<Filter> {
    let mut entries = Entries { pdq: hashes.collect(), ..Entries::default() };
    let numbered = (0..size.saturating_sub(entries.pdq.len()) as u64).map(|n| Sha256Digest::of(&n.to_le_bytes()));
    entries.pdq.extend(numbered.map(|digest| PdqHash(digest.0)));
    entries.normalise();
    Ok(Filter::open(write(request, &Plan::new(request, &entries)?, &entries)?)?)
}
