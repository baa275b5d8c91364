//! `hashgate check`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use hashgate::{Filter, Limits, Match, Orientations, Outcome, UncheckedReason, Verdict, ViewSet, look_up, wanted};
use hashgate_native::batch::{self, Failure, Files};
use hashgate_native::exact::{Exact, ExactFilters};
use hashgate_native::film::FilmFile;
use hashgate_native::open_file::OpenFile;
use hashgate_native::terminal::{say, say_json};
use serde::Serialize;
use serde_json::Value;

use crate::{exit, film, intake};

/// Check pictures and films against filters, as the browser does.
///
/// ffmpeg decodes films. Without one on the PATH they are unchecked, unless the digest of a file matches.
///
/// A file that can't be checked is unchecked, with the reason, and the other files are checked all the same.
///
/// Exit code: 0 if every file is clear, 1 if one is a possible match, 2 if one is unchecked (also if another matched)
/// or a filter was refused.
#[derive(clap::Args)]
pub struct Args {
    /// Filter file. May be given several times. Also DCSO's `.bloom` (version 1) and the Private Search Set's, which
    /// hold SHA-1, SHA-256 or MD5 of files.
    #[arg(long = "filter", required = true, value_name = "FILE")]
    filters: Vec<PathBuf>,
    /// Key of a Private Search Set. Default: the one that such a set has without another.
    #[arg(long, value_name = "TEXT")]
    search_set_key: Option<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    films: film::FilmArgs,
    /// Output format: a sentence per file, or the verdict as JSON with the path, one per line. In sentences, control
    /// characters of a path are escaped; JSON has the exact path.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    #[value(alias = "json")]
    Jsonl,
}

/// A line of JSON output: the path and the verdict, whose fields have the names of the JavaScript verdict.
#[derive(Serialize)]
struct Line<'a> {
    path: String,
    /// Digests that filters of other programs hold.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    exact: &'a [Exact],
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// Checks the files and prints their verdicts.
///
/// # Errors
/// A filter can't be read, or the output can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let open = |path: &PathBuf| -> Result<Filter> { Ok(Filter::open(std::fs::read(path)?)?) };
    let mut own = args.filters.clone();
    let name = |path: &PathBuf| path.display().to_string();
    let exact_filters = ExactFilters::take(&mut own, args.search_set_key.as_deref(), name)?;
    let filters =
        own.iter().map(|path| open(path).with_context(|| path.display().to_string())).collect::<Result<Vec<_>>>()?;
    let wanted = exact_filters.wanted(wanted(&filters, ViewSet::All).with_pdq(true).with_sha256(true));
    let look_up_exact = |file: &mut OpenFile, verdict: &mut Verdict| -> Result<Vec<Exact>> {
        let found = exact_filters.look_up(file, verdict.sha256, verdict.md5)?;
        exact_filters.settle(verdict, &found, filters.is_empty());
        Ok(found)
    };
    let (mut matched, mut unchecked) = (false, false);
    batch::each(
        &args.files,
        |path, file| {
            if let Some(film) = FilmFile::open(path) {
                let mut film = film::check(&film, file, &filters, &wanted, &args.films)?;
                let exact = look_up_exact(file, &mut film.verdict)?;
                return Ok((film.verdict, exact, Some((film.more, film.words))));
            }
            let fingerprint = intake::fingerprint_of(file, &Limits::default(), &wanted)?;
            let mut verdict = look_up(&fingerprint, &filters, Orientations::All);
            let exact = look_up_exact(file, &mut verdict)?;
            Ok((verdict, exact, None))
        },
        |_, failure| {
            let verdict = match failure {
                Failure::Input(why) => Verdict::unchecked(UncheckedReason::InvalidInput, why),
                Failure::Engine(why) => Verdict::unchecked(
                    UncheckedReason::EngineFailed,
                    format!("the engine failed on this file: {why}; please report it, with the file if you may"),
                ),
            };
            (verdict, Vec::new(), None)
        },
        |path, (verdict, exact, film)| {
            matched |= matches!(verdict.outcome, Outcome::PossibleMatch { .. });
            unchecked |= matches!(verdict.outcome, Outcome::Unchecked { .. });
            let path = path.display().to_string();
            match &args.format {
                Format::Jsonl => {
                    let mut line = serde_json::to_value(Line { path, exact: &exact, verdict: &verdict })?;
                    if let (Value::Object(line), Some((Value::Object(more), _))) = (&mut line, film) {
                        line.extend(more);
                    }
                    say_json(&line)
                }
                Format::Text => {
                    let mut words = vec![sentence(&verdict, &exact)?];
                    words.extend(film.into_iter().flat_map(|(_, words)| words));
                    say(&format!("{path}: {}", words.join("; ")))
                }
            }
        },
    )?;
    Ok(ExitCode::from(if unchecked { exit::FAILURE } else { u8::from(matched) }))
}

/// Returns a verdict as a sentence.
fn sentence(verdict: &Verdict, exact: &[Exact]) -> Result<String> {
    let outcome = match &verdict.outcome {
        Outcome::Clear => "clear".into(),
        Outcome::Unchecked { reason, detail } => format!("unchecked ({}): {detail}", name(reason)?),
        Outcome::PossibleMatch { matches } => {
            let mut matches = matches.iter().map(match_in_words).collect::<Result<Vec<_>>>()?;
            matches.extend(exact.iter().map(|found| format!("{}: {} of the bytes", found.list, found.signal)));
            format!("possible match: {}", matches.join("; "))
        }
    };
    // If there is only one caveat, it is in `caveat` and `caveats` is empty.
    let all = if verdict.caveats.is_empty() { verdict.caveat.as_slice() } else { &verdict.caveats };
    let caveats = all.iter().map(name).collect::<Result<Vec<_>>>()?;
    Ok(match &caveats[..] {
        [] => outcome,
        [one] => format!("{outcome}, with the caveat {one}"),
        several => format!("{outcome}, with the caveats {}", several.join(", ")),
    })
}

fn match_in_words(found: &Match) -> Result<String> {
    let list = format!("{} ({}), release {}", found.list, found.category, found.release);
    Ok(match found.pdq() {
        None => format!("{list}: {} of the bytes", found.signal.name()),
        Some(pdq) => format!(
            "{list}: {} of PDQ, {} bits flipped, view {}, orientation {}",
            name(&found.strength)?,
            pdq.flips,
            name(&pdq.view)?,
            name(&pdq.orientation)?
        ),
    })
}

/// Returns the name that JSON gives a value.
fn name(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_value(value)?.as_str().unwrap_or_default().to_owned())
}
