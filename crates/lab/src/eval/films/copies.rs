//! The films, and their edited copies, made by ffmpeg.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use hashgate_native::film::{Ffmpeg, FilmFile, Stage, input};

use super::edits::{EDITS, Edit, Encoder, Sizes};
use super::overlays;

/// Seconds from the start of a film that are measured.
const SECONDS: &str = "40";

/// A film that is listed.
pub struct Original {
    /// The name of its file.
    pub name: String,
    /// The film, cut to its first 40 seconds.
    pub film: FilmFile,
    /// Copies of it that its owner has.
    pub own: Vec<PathBuf>,
    sizes: Sizes,
}

/// A copy of a film.
#[derive(Clone, Copy)]
pub struct Copy<'a> {
    /// Position of the film.
    pub film: usize,
    /// What was done to it.
    pub how: How<'a>,
}

/// How a copy came to be.
#[derive(Clone, Copy)]
pub enum How<'a> {
    /// By an edit of ours.
    Made(&'a Edit),
    /// By others.
    Own(&'a Path),
}

/// Returns ffmpeg's names of the encoders that it has, of those that are used.
///
/// # Errors
/// ffmpeg can't be run.
pub fn encoders() -> Result<Vec<&'static str>> {
    let said = Command::new("ffmpeg").args(["-hide_banner", "-encoders"]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let has = |name: &&str| said.split_whitespace().any(|word| word == *name);
    let mut names: Vec<_> = EDITS.iter().map(|edit| edit.encoder.name()).filter(has).collect();
    names.dedup();
    Ok(names)
}

/// Cuts a film to its first seconds and makes it at most 640 pixels wide, so that its copies don't take hours.
///
/// # Errors
/// It is no film, or ffmpeg can't decode it.
pub fn prepare(ffmpeg: &Ffmpeg, folder: &Path, at: usize, path: &Path, own: &[PathBuf]) -> Result<Original> {
    let film = FilmFile::open(path).context("expected a film, got another file")?;
    let cut = folder.join(format!("film-{at}.mp4"));
    let mut arguments = vec![OsString::from("-t"), SECONDS.into()];
    arguments.extend(input(&film));
    let filters = "scale='min(640,trunc(iw/2)*2)':-2,setsar=1,format=yuv420p";
    arguments.extend(["-map", "0:v:0", "-vf", filters, "-an"].map(OsString::from));
    arguments.extend(["-c:v", "libx264", "-preset", "veryfast", "-crf", "18"].map(OsString::from));
    ffmpeg.make(&arguments, &cut)?;
    let film = FilmFile::open(&cut).context("ffmpeg made no film")?;
    let mut size = None;
    ffmpeg.frames(&film, 0, (Stage::First, None), |frame| {
        size = Some((frame.width, frame.height));
        Ok(false)
    })?;
    let (width, height) = size.context("a film without a frame")?;
    let sizes = Sizes { width, height, seconds: film.findings.duration_s.unwrap_or_default() };
    Ok(Original { name: path.file_name().unwrap_or_default().display().to_string(), film, own: own.to_vec(), sizes })
}

/// Returns the copies that are to be looked for.
pub fn all<'a>(originals: &'a [Original], encoders: &[&str], names: &[String]) -> Vec<Copy<'a>> {
    let is_wanted = |edit: &Edit| names.is_empty() || names.iter().any(|name| name == edit.name);
    let edits = EDITS.iter().filter(|edit| encoders.contains(&edit.encoder.name()) && is_wanted(edit));
    let made = edits.flat_map(|edit| (0..originals.len()).map(move |film| Copy { film, how: How::Made(edit) }));
    let own = originals
        .iter()
        .enumerate()
        .flat_map(|(film, original)| original.own.iter().map(move |path| Copy { film, how: How::Own(path) }));
    made.chain(own).collect()
}

impl Copy<'_> {
    /// The name of the edit.
    pub fn name(&self) -> &str {
        match self.how {
            How::Made(edit) => edit.name,
            How::Own(_) => "own copies",
        }
    }

    /// Whether it was made here.
    pub fn is_made(&self) -> bool {
        matches!(self.how, How::Made(_))
    }

    /// Makes the copy, and returns where it is.
    ///
    /// # Errors
    /// ffmpeg can't make it.
    pub fn make(&self, ffmpeg: &Ffmpeg, originals: &[Original], folder: &Path, seed: u64) -> Result<PathBuf> {
        let edit = match self.how {
            How::Made(edit) => edit,
            How::Own(path) => return Ok(path.to_owned()),
        };
        let original = &originals[self.film];
        let other = &originals[(self.film + 1) % originals.len()].film.path;
        let stem = format!("{}-{}", self.film, edit.name);
        let overlay = folder.join(format!("{stem}.png"));
        overlays::save(edit.overlay, &original.sizes, seed, &overlay)?;
        let out = folder.join(format!("{stem}.{}", edit.encoder.ending()));
        if edit.twice {
            let between = folder.join(format!("{stem}-once.{}", edit.encoder.ending()));
            encode(ffmpeg, edit, &original.sizes, [&original.film.path, other, &overlay], &between)?;
            encode(ffmpeg, edit, &original.sizes, [&between, other, &overlay], &out)?;
            std::fs::remove_file(between)?;
        } else {
            encode(ffmpeg, edit, &original.sizes, [&original.film.path, other, &overlay], &out)?;
        }
        std::fs::remove_file(overlay)?;
        Ok(out)
    }
}

fn encode(ffmpeg: &Ffmpeg, edit: &Edit, sizes: &Sizes, inputs: [&Path; 3], out: &Path) -> Result<()> {
    let mut arguments: Vec<OsString> = Vec::new();
    for path in inputs {
        let mut file = OsString::from("file:");
        file.push(path);
        arguments.extend([OsString::from("-i"), file]);
    }
    // The other film isn't listed: no view undoes a negative.
    let graph = (edit.graph)(sizes).replace("[1:v]", "[1:v]negate,");
    let graph = format!("{};[v]scale=trunc(iw/2)*2:trunc(ih/2)*2,setsar=1,format=yuv420p[out]", graph);
    arguments.extend(["-filter_complex", &graph, "-map", "[out]", "-an"].map(OsString::from));
    arguments.extend(edit.encoder.arguments().into_iter().map(OsString::from));
    if edit.encoder != Encoder::Av1 {
        arguments.extend(["-threads", "1"].map(OsString::from));
    }
    ffmpeg.make(&arguments, out)
}
