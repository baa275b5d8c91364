//! `hashgate hash`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use hashgate::image::read_fully;
use hashgate::pdq::{Coefficients, quality};
use hashgate::{Limits, Wanted};
use hashgate_native::batch::{self, Failure, Files};
use hashgate_native::open_file::OpenFile;
use hashgate_native::terminal::{complain, say, say_json};
use hashgate_native::text;
use serde::Serialize;

use crate::{exit, intake};

/// Hash pictures: PDQ with its quality, SHA-256 and MD5.
///
/// If a file can't be read as a picture, the reason goes to stderr (csv) or into the line (jsonl), the other files are
/// hashed all the same, and the exit code is 2.
///
/// In csv, control characters of a path are escaped, and a path that a spreadsheet could take for a formula gets ./ before
/// it. JSON has the exact path.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// A line of output. Of an animation, it has the hash of the first frame.
#[derive(Serialize, Default)]
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
    error: Option<String>,
}

/// Hashes the files and prints a line per file.
///
/// # Errors
/// The output can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut failed = false;
    if args.format == Format::Csv {
        say("path,width,height,pdq,quality,sha256,md5")?;
    }
    batch::each(
        &args.files,
        hash,
        |path, failure| {
            let (Failure::Input(why) | Failure::Engine(why)) = failure;
            Line { path: path.display().to_string(), error: Some(why), ..Line::default() }
        },
        |_, line| {
            failed |= line.error.is_some();
            match (args.format, &line.error) {
                (Format::Jsonl, _) => say_json(&line),
                (Format::Csv, Some(error)) => {
                    complain(&format!("{}: {error}", line.path));
                    Ok(())
                }
                (Format::Csv, None) => say(&csv_line(&line)?),
            }
        },
    )?;
    Ok(if failed { ExitCode::from(exit::FAILURE) } else { ExitCode::SUCCESS })
}

fn hash(path: &Path, file: &mut OpenFile) -> Result<Line> {
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
        return Ok(line);
    }
    // Every pixel is read: these hashes go on lists, where every bit should be that of the reference implementation.
    match read_fully(&file.whole()?, &limits) {
        Ok(picture) => {
            let luma64 = &picture.frames[0].luma.small;
            (line.width, line.height) = (Some(picture.width), Some(picture.height));
            (line.pdq, line.quality) = (Some(Coefficients::of(luma64).hash().to_string()), Some(quality(luma64)));
        }
        Err(error) => line.error = Some(error.to_string()),
    }
    Ok(line)
}

fn csv_line(line: &Line) -> Result<String> {
    let text = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
    let (width, height, quality) = (text(line.width), text(line.height), text(line.quality.map(u32::from)));
    let [pdq, sha256, md5] = [&line.pdq, &line.sha256, &line.md5].map(|hash| hash.as_deref().unwrap_or_default());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([&text::csv_path(&line.path), &width, &height, pdq, &quality, sha256, md5])?;
    Ok(String::from_utf8(writer.into_inner()?)?.trim_end().to_owned())
}
