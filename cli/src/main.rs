//! `hashgate`: hashes pictures, and builds, inspects and asks filters.

use std::process::ExitCode;

use clap::Parser;

mod cmd;
mod files;
mod list;
mod output;
mod serve;

/// Hash pictures, and build, inspect and ask filters of known hashes.
#[derive(Parser)]
#[command(name = "hashgate", version)]
enum Command {
    Hash(cmd::hash::Args),
    Build(cmd::build::Args),
    Inspect(cmd::inspect::Args),
    Check(cmd::check::Args),
    Eval(cmd::eval::Args),
    Serve(cmd::serve::Args),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Hash(args) => cmd::hash::run(&args),
        Command::Build(args) => cmd::build::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
        Command::Check(args) => cmd::check::run(&args),
        Command::Eval(args) => cmd::eval::run(&args),
        Command::Serve(args) => cmd::serve::run(args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("hashgate: {error:#}");
        ExitCode::from(2)
    })
}
