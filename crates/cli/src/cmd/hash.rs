//! `hashgate hash`.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use hashgate::Limits;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::image::read_fully;
use hashgate::pdq::{Coefficients, quality};
use serde::Serialize;

use crate::files;

/// Hash pictures: PDQ with its quality, SHA-256 and MD5.
///
/// A file that can't be read as a picture is said on stderr (csv) or in its line (jsonl), the others go on, and the exit code
/// is 2.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: files::Files,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// A line of output. In an animation it is the first frame's hash.
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

/// Hashes the files.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut failed = false;
    if args.format == Format::Csv {
        files::say("path,width,height,pdq,quality,sha256,md5")?;
    }
    files::each(
        &args.files,
        |path, bytes| {
            let path = path.display().to_string();
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(error) => return Line { path, error: Some(format!("{error:#}")), ..Line::default() },
            };
            let mut line = Line {
                path,
                sha256: Some(Sha256Digest::of(&bytes).to_string()),
                md5: Some(Md5Digest::of(&bytes).to_string()),
                ..Line::default()
            };
            // Decoded in full: these hashes go on lists, where every bit should be the reference's.
            match read_fully(&bytes, &Limits::default()) {
                Ok(picture) => {
                    let small = &picture.frames[0].luma.small;
                    (line.width, line.height) = (Some(picture.width), Some(picture.height));
                    (line.pdq, line.quality) = (Some(Coefficients::of(small).hash().to_string()), Some(quality(small)));
                }
                Err(error) => line.error = Some(error.to_string()),
            }
            line
        },
        |_, line| {
            failed |= line.error.is_some();
            match (args.format, &line.error) {
                (Format::Jsonl, _) => files::say(&serde_json::to_string(&line)?),
                (Format::Csv, Some(error)) => {
                    eprintln!("{}: {error}", line.path);
                    Ok(())
                }
                (Format::Csv, None) => files::say(&csv_line(&line)?),
            }
        },
    )?;
    Ok(if failed { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn csv_line(line: &Line) -> Result<String> {
    let text = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
    let (width, height, quality) = (text(line.width), text(line.height), text(line.quality.map(u32::from)));
    let [pdq, sha256, md5] = [&line.pdq, &line.sha256, &line.md5].map(|hash| hash.as_deref().unwrap_or_default());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([&line.path, &width, &height, pdq, &quality, sha256, md5])?;
    Ok(String::from_utf8(writer.into_inner()?)?.trim_end().to_owned())
}
