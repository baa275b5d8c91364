//! `hashgate check`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use hashgate::{Filter, Limits, Match, Orientations, Outcome, UncheckedReason, Verdict, ViewSet, look_up, wanted};
use hashgate_native::batch::{self, Failure, Files};
use hashgate_native::terminal::{say, say_json};
use serde::Serialize;

use crate::{exit, intake};

/// Check pictures against filters, as the browser does.
///
/// A file that can't be checked is unchecked, with the reason, and the other files are checked all the same.
///
/// Exit code: 0 if every file is clear, 1 if one is a possible match, 2 if one is unchecked (also if another matched) or a
/// filter was refused.
#[derive(clap::Args)]
pub struct Args {
    /// Filter file. May be given several times.
    #[arg(long = "filter", required = true, value_name = "FILE")]
    filters: Vec<PathBuf>,
    #[command(flatten)]
    files: Files,
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

/// A line of JSON: the verdict, with the names that the JavaScript verdict has.
#[derive(Serialize)]
struct Line<'a> {
    path: String,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// Checks the files and prints their verdicts.
///
/// # Errors
/// A filter can't be read, or the output can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let open = |path: &PathBuf| -> Result<Filter> { Ok(Filter::open(std::fs::read(path)?)?) };
    let filters = args
        .filters
        .iter()
        .map(|path| open(path).with_context(|| path.display().to_string()))
        .collect::<Result<Vec<_>>>()?;
    let wanted = wanted(&filters, ViewSet::All).with_pdq(true).with_sha256(true);
    let (mut matched, mut unchecked) = (false, false);
    batch::each(
        &args.files,
        |_, file| {
            let fingerprint = intake::fingerprint_of(file, &Limits::default(), &wanted)?;
            Ok(look_up(&fingerprint, &filters, Orientations::All))
        },
        |_, failure| match failure {
            Failure::Input(why) => Verdict::unchecked(UncheckedReason::InvalidInput, why),
            Failure::Engine(why) => Verdict::unchecked(
                UncheckedReason::EngineFailed,
                format!("the engine failed on this file: {why}; please report it, with the file if you may"),
            ),
        },
        |path, verdict| {
            matched |= matches!(verdict.outcome, Outcome::PossibleMatch { .. });
            unchecked |= matches!(verdict.outcome, Outcome::Unchecked { .. });
            let path = path.display().to_string();
            match &args.format {
                Format::Jsonl => say_json(&Line { path, verdict: &verdict }),
                Format::Text => say(&format!("{path}: {}", sentence(&verdict)?)),
            }
        },
    )?;
    Ok(ExitCode::from(if unchecked { exit::FAILURE } else { u8::from(matched) }))
}

/// Returns a verdict as a sentence.
fn sentence(verdict: &Verdict) -> Result<String> {
    let outcome = match &verdict.outcome {
        Outcome::Clear => "clear".into(),
        Outcome::Unchecked { reason, detail } => format!("unchecked ({}): {detail}", name(reason)?),
        Outcome::PossibleMatch { matches } => {
            let matches = matches.iter().map(match_in_words).collect::<Result<Vec<_>>>()?;
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
