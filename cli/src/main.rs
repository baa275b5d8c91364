//! `hashgate`: hashes pictures, and builds, inspects and asks filters.

use std::process::ExitCode;

use clap::Parser;

mod cmd;
mod output;

/// Hash pictures, and build, inspect and ask filters of known hashes.
#[derive(Parser)]
#[command(name = "hashgate", version)]
enum Command {
    /// Say what a filter file holds.
    Inspect(cmd::inspect::Args),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Inspect(args) => cmd::inspect::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("hashgate: {error:#}");
        ExitCode::from(2)
    })
}
