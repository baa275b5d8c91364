//! `hashgate`: hashes pictures, builds, inspects and asks filters, publishes releases of them, and serves them.

use std::process::ExitCode;

use clap::Parser;
use hashgate::{Refusal, RefusalCode};

mod cmd;
mod files;
mod keys;
mod list;
mod output;
mod published;
mod serve;

/// Hash pictures; build, inspect and ask filters of known hashes; sign, publish, verify and serve releases of them.
#[derive(Parser)]
#[command(name = "hashgate", version)]
enum Command {
    Hash(cmd::hash::Args),
    Build(cmd::build::Args),
    Inspect(cmd::inspect::Args),
    Check(cmd::check::Args),
    Eval(cmd::eval::Args),
    Keygen(cmd::keygen::Args),
    Publish(cmd::publish::Args),
    Cosign(cmd::cosign::Args),
    Verify(cmd::verify::Args),
    Diff(cmd::diff::Args),
    Serve(cmd::serve::Args),
    Simulate(cmd::simulate::Args),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Hash(args) => cmd::hash::run(&args),
        Command::Build(args) => cmd::build::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
        Command::Check(args) => cmd::check::run(&args),
        Command::Eval(args) => cmd::eval::run(&args),
        Command::Keygen(args) => cmd::keygen::run(&args),
        Command::Publish(args) => cmd::publish::run(&args),
        Command::Cosign(args) => cmd::cosign::run(&args),
        Command::Verify(args) => cmd::verify::run(&args),
        Command::Diff(args) => cmd::diff::run(&args),
        Command::Serve(args) => cmd::serve::run(args),
        Command::Simulate(args) => cmd::simulate::run(&args),
    };
    done.unwrap_or_else(|error| match error.downcast_ref::<Refusal>() {
        Some(Refusal { code, .. }) => {
            eprintln!("hashgate: {}: {error:#}", code.as_str());
            ExitCode::from(exit_code(*code))
        }
        None => {
            eprintln!("hashgate: {error:#}");
            ExitCode::from(2)
        }
    })
}

/// The exit code for a script: its own for every refusal of a release, 2 for the others.
fn exit_code(code: RefusalCode) -> u8 {
    match code {
        RefusalCode::TrustInvalid => 10,
        RefusalCode::ManifestSyntax => 11,
        RefusalCode::ManifestField => 12,
        RefusalCode::ManifestWrongKey => 13,
        RefusalCode::ManifestTooFewSignatures => 14,
        RefusalCode::ManifestBadSignature => 15,
        RefusalCode::ManifestExpired => 16,
        RefusalCode::ManifestNotYetValid => 17,
        RefusalCode::ManifestRollback => 18,
        RefusalCode::ReleaseLength => 19,
        RefusalCode::ReleaseDigest => 20,
        RefusalCode::ReleaseMismatch => 21,
        RefusalCode::DeltaBase => 22,
        RefusalCode::DeltaSyntax => 23,
        RefusalCode::ManifestWrongList => 24,
        _ => 2,
    }
}
