//! `hashgate hash`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use hashgate::confirm::HAMMING_THRESHOLD;
use hashgate::image::read_fully;
use hashgate::pdq::{Coefficients, Luma64, PdqHash, quality};
use hashgate::variants::{self, Variant};
use hashgate::{Limits, Wanted};
use hashgate_native::batch::{self, Failure, Files};
use hashgate_native::film::{Chosen, Every, FilmFile, ListFrames, frames_for_list, shared};
use hashgate_native::open_file::OpenFile;
use hashgate_native::terminal::{complain, say, say_json};
use hashgate_native::text;
use serde::Serialize;

use crate::{exit, film, intake};

/// Hash pictures: PDQ with its quality, SHA-256 and MD5. Of films, the frames that stand for them on a list.
///
/// ffmpeg decodes films. A film gives a line with its digests and a line per frame, and the table then has the column
/// seconds. Frames are chosen by content: as few as lie within 31 bits of the others, at most two per second. Frames of
/// quality under 50 are left out. Of a recording of a screen, the part that moves is hashed, too. Frames that several films
/// share are reported.
///
/// If a file can't be read as a picture, the reason goes to stderr (csv) or into the line (jsonl), the other files are
/// hashed all the same, and the exit code is 2.
///
/// With --variants, a picture gives further lines: hashes of the picture with 4, 7 and 12% cut off every side, turned by 8
/// degrees to either side, and of the pictures that seem to lie within it, such as those of a collage. On a list, they
/// find crops and turns that no view undoes; each costs as much as another picture. The column variant names them, and
/// hashgate build --without-variants leaves them out.
///
/// In csv, control characters of a path are escaped, and a path that a spreadsheet could take for a formula gets ./
/// before it. JSON has the exact path.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    films: film::FilmArgs,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Of films, take one frame per so many seconds, as vPDQ does, instead of choosing by content.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    every: Option<f64>,
    /// Of films, leave out frames within 31 bits of these: a list, a picture, a film, or a folder of them. May be given
    /// several times.
    #[arg(long, value_name = "PATH")]
    leave_out: Vec<PathBuf>,
    /// Of pictures, also hash variants: crops, turns, and the parts of collages.
    #[arg(long)]
    variants: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|seconds| (0.04..=3_600.0).contains(seconds));
    parsed.ok_or_else(|| format!("expected seconds from 0.04 to 3600, got {text:?}"))
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// A line of output. Of an animation, it has the hash of the first frame.
#[derive(Serialize, Default, Clone)]
struct Line {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pdq: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<Variant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The columns of the table that not every run has.
#[derive(Clone, Copy)]
struct Columns {
    seconds: bool,
    variant: bool,
}

/// The output lines of a file (one, or several for a film), and the chosen frames of a film.
type Lines = (Vec<Line>, Option<Vec<Chosen>>);

/// Hashes the files and prints a line per file.
///
/// # Errors
/// The output can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut failed = false;
    let seconds = args.files.found().any(|path| FilmFile::open(&path).is_some());
    let columns = Columns { seconds, variant: args.variants };
    if args.format == Format::Csv {
        let further = [(columns.seconds, ",seconds"), (columns.variant, ",variant")];
        let further: String = further.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
        say(&format!("path,width,height,pdq,quality,sha256,md5{further}"))?;
    }
    let every = args.every.map_or(Every::Content, Every::Seconds);
    let common = film::left_out(&args.leave_out, &args.films)?;
    let mut films: Vec<(String, Vec<Chosen>)> = Vec::new();
    batch::each(
        &args.files,
        |path, file| match FilmFile::open(path) {
            Some(film) => hash_film(&film, file, every, (&args.films, &common)),
            None => Ok((hash(path, file, args.variants)?, None)),
        },
        |path, failure| {
            let (Failure::Input(why) | Failure::Engine(why)) = failure;
            (vec![Line { path: path.display().to_string(), error: Some(why), ..Line::default() }], None)
        },
        |path, (lines, frames)| {
            films.extend(frames.map(|frames| (path.display().to_string(), frames)));
            for line in lines {
                failed |= line.error.is_some();
                match (args.format, &line.error) {
                    (Format::Jsonl, _) => say_json(&line)?,
                    (Format::Csv, Some(error)) => complain(&format!("{}: {error}", line.path)),
                    (Format::Csv, None) => say(&csv_line(&line, columns)?)?,
                }
            }
            Ok(())
        },
    )?;
    report_shared(films);
    Ok(if failed { ExitCode::from(exit::FAILURE) } else { ExitCode::SUCCESS })
}

/// Hashes a picture: a line, and a line per variant if they are wanted.
fn hash(path: &Path, file: &mut OpenFile, with_variants: bool) -> Result<Vec<Line>> {
    let limits = Limits::default();
    let refused = intake::refused_by_head(file, &limits)?;
    let digests = intake::fingerprint_of(file, &limits, &Wanted::default().with_sha256(true).with_md5(true))?;
    let mut line = Line {
        path: path.display().to_string(),
        sha256: digests.sha256.map(|digest| digest.to_string()),
        md5: digests.md5.map(|digest| digest.to_string()),
        ..Line::default()
    };
    if let Some(failure) = refused {
        line.error = Some(failure.detail);
        return Ok(vec![line]);
    }
    // Decodes every pixel. These hashes go on lists, so every bit should be the same as in the reference
    // implementation.
    match read_fully(&file.whole()?, &limits) {
        Ok(picture) => {
            let luma = &picture.frames[0].luma;
            (line.width, line.height) = (Some(picture.width), Some(picture.height));
            let of = |small: &Luma64| (Some(Coefficients::of(small).hash().to_string()), Some(quality(small)));
            (line.pdq, line.quality) = of(&luma.small);
            let made = if with_variants { variants::of(luma) } else { Vec::new() };
            let made: Vec<_> = made
                .into_iter()
                .map(|(variant, small)| {
                    let (pdq, quality) = of(&small);
                    let (path, width, height) = (line.path.clone(), line.width, line.height);
                    Line { path, width, height, pdq, quality, variant: Some(variant), ..Line::default() }
                })
                .collect();
            return Ok([vec![line], made].concat());
        }
        Err(error) => line.error = Some(error.to_string()),
    }
    Ok(vec![line])
}

/// Hashes a film: a line with its digests, and a line per frame that was chosen.
fn hash_film(
    film: &FilmFile,
    file: &mut OpenFile,
    every: Every,
    (args, common): (&film::FilmArgs, &[PdqHash]),
) -> Result<Lines> {
    let wanted = Wanted::default().with_pdq(false).with_sha256(true).with_md5(true);
    let digests = intake::fingerprint_of(file, &Limits::default(), &wanted)?;
    let name = film.path.display().to_string();
    let mut first = Line {
        path: name.clone(),
        sha256: digests.sha256.map(|digest| digest.to_string()),
        md5: digests.md5.map(|digest| digest.to_string()),
        ..Line::default()
    };
    let found = args.ffmpeg().and_then(|ffmpeg| frames_for_list(&ffmpeg, film, every));
    let ListFrames { width, height, mut frames } = match found {
        Ok(found) => found,
        Err(error) => {
            first.error = Some(format!("{error:#}"));
            return Ok((vec![first], None));
        }
    };
    (first.width, first.height) = (Some(width), Some(height));
    frames.retain(|frame| common.iter().all(|hash| hash.distance(&frame.pdq) > HAMMING_THRESHOLD));
    let mut lines = vec![first];
    lines.extend(frames.iter().map(|frame| Line {
        path: name.clone(),
        width: Some(width),
        height: Some(height),
        pdq: Some(frame.pdq.to_string()),
        quality: Some(frame.quality),
        seconds: Some((frame.at_s * 1000.0).round() / 1000.0),
        ..Line::default()
    }));
    Ok((lines, Some(frames)))
}

/// Reports the frames that several films share: logos, countdowns or titles, or the same film twice.
fn report_shared(films: Vec<(String, Vec<Chosen>)>) {
    /// Largest number of frames that are printed. Further ones are counted.
    const SHOWN: usize = 20;
    let (names, frames): (Vec<_>, Vec<_>) = films.into_iter().unzip();
    let shared = shared(&frames);
    if shared.is_empty() {
        return;
    }
    complain(&format!(
        "{} frames are in several films; if these are logos, countdowns or titles, leave them out with --leave-out",
        shared.len()
    ));
    for (film, frame, other) in shared.iter().take(SHOWN) {
        complain(&format!("  {} at {:.1} s, as in {}: {}", names[*film], frame.at_s, names[*other], frame.pdq));
    }
}

fn csv_line(line: &Line, columns: Columns) -> Result<String> {
    let text = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
    let (width, height, quality) = (text(line.width), text(line.height), text(line.quality.map(u32::from)));
    let [pdq, sha256, md5] = [&line.pdq, &line.sha256, &line.md5].map(|hash| hash.as_deref().unwrap_or_default());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let path = text::csv_path(&line.path);
    let seconds = line.seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
    let variant = line.variant.map(|variant| variant.name()).unwrap_or_default();
    let mut cells = vec![&*path, &width, &height, pdq, &quality, sha256, md5];
    cells.extend(columns.seconds.then_some(&*seconds));
    cells.extend(columns.variant.then_some(variant));
    writer.write_record(&cells)?;
    Ok(String::from_utf8(writer.into_inner()?)?.trim_end().to_owned())
}
