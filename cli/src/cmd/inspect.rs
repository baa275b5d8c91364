//! `hashgate inspect`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use hashgate::Filter;

/// What to inspect.
#[derive(clap::Args)]
pub struct Args {
    /// Filter file.
    file: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Prints what the file says about itself, once all of it was checked.
pub fn run(args: &Args) -> Result<ExitCode> {
    let name = args.file.display();
    let bytes = std::fs::read(&args.file).with_context(|| name.to_string())?;
    let filter = Filter::open(bytes).with_context(|| name.to_string())?;
    let info = filter.info();
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(info)?),
        Format::Text => println!("{}: release {}, {} bytes", info.name, info.release, info.bytes),
    }
    Ok(ExitCode::SUCCESS)
}
