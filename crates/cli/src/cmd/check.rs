//! `hashgate check`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use hashgate::{
    Filter, Limits, Match, Orientations, Outcome, UncheckedReason, Verdict, ViewSet, Wanted, fingerprint, look_up,
    wanted,
};
use serde::Serialize;

use crate::files;

/// Check pictures against filters, as the browser does.
///
/// Exit code: 0 if all are clear, 1 if something matched, 2 if something could not be checked or a filter was refused (also
/// when something else matched).
#[derive(clap::Args)]
pub struct Args {
    /// Filter file; may be given several times.
    #[arg(long = "filter", required = true, value_name = "FILE")]
    filters: Vec<PathBuf>,
    #[command(flatten)]
    files: files::Files,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Jsonl,
}

/// A line of output: the same names as in the JavaScript verdict.
#[derive(Serialize)]
struct Line<'a> {
    path: String,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// Checks the files.
pub fn run(args: &Args) -> Result<ExitCode> {
    let open = |path: &PathBuf| -> Result<Filter> { Ok(Filter::open(std::fs::read(path)?)?) };
    let filters = args
        .filters
        .iter()
        .map(|path| open(path).with_context(|| path.display().to_string()))
        .collect::<Result<Vec<_>>>()?;
    let wanted = Wanted { pdq: true, sha256: true, ..wanted(&filters, ViewSet::All) };
    let (mut matched, mut unchecked) = (false, false);
    files::each(
        &args.files,
        |_, bytes| match bytes {
            Ok(bytes) => look_up(&fingerprint(&bytes, &Limits::default(), &wanted), &filters, Orientations::All),
            Err(error) => Verdict::unchecked(UncheckedReason::Unreadable, format!("{error:#}")),
        },
        |path, verdict| {
            matched |= matches!(verdict.outcome, Outcome::PossibleMatch { .. });
            unchecked |= matches!(verdict.outcome, Outcome::Unchecked { .. });
            let path = path.display().to_string();
            files::say(&match args.format {
                Format::Jsonl => serde_json::to_string(&Line { path, verdict: &verdict })?,
                Format::Text => format!("{path}: {}", sentence(&verdict)?),
            })
        },
    )?;
    Ok(ExitCode::from(if unchecked { 2 } else { u8::from(matched) }))
}

fn sentence(verdict: &Verdict) -> Result<String> {
    Ok(match &verdict.outcome {
        Outcome::Clear => match verdict.caveat {
            None => "clear".into(),
            Some(caveat) => format!("clear, with the caveat {}", name(serde_json::to_value(caveat)?)),
        },
        Outcome::Unchecked { detail, .. } => format!("unchecked: {detail}"),
        Outcome::PossibleMatch { matches } => {
            let matches = matches.iter().map(one).collect::<Result<Vec<_>>>()?;
            format!("possible match: {}", matches.join("; "))
        }
    })
}

fn one(found: &Match) -> Result<String> {
    let list = format!("{} ({}), release {}", found.list, found.category, found.release);
    Ok(match found.pdq() {
        None => format!("{list}: {} of the bytes", found.signal.name()),
        Some(pdq) => format!(
            "{list}: {} of PDQ, {} bits flipped, view {}, orientation {}",
            name(serde_json::to_value(found.strength)?),
            pdq.flips,
            name(serde_json::to_value(pdq.view)?),
            name(serde_json::to_value(pdq.orientation)?)
        ),
    })
}

fn name(value: serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
