//! `hashgate`: hashes pictures, builds, inspects and asks filters, publishes releases of them, and serves them.

use std::process::ExitCode;

use clap::Parser;
use hashgate::release::{Refusal, ReleaseError};

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
    done.unwrap_or_else(|error| match error.downcast_ref::<ReleaseError>() {
        Some(ReleaseError { refusal, .. }) => {
            eprintln!("hashgate: {}: {error:#}", refusal.code());
            ExitCode::from(exit_code(*refusal))
        }
        None => {
            eprintln!("hashgate: {error:#}");
            ExitCode::from(2)
        }
    })
}

/// What a script sees of a refused release.
fn exit_code(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::TrustInvalid => 10,
        Refusal::ManifestSyntax => 11,
        Refusal::ManifestField => 12,
        Refusal::ManifestWrongKey => 13,
        Refusal::ManifestTooFewSignatures => 14,
        Refusal::ManifestBadSignature => 15,
        Refusal::ManifestExpired => 16,
        Refusal::ManifestNotYetValid => 17,
        Refusal::ManifestRollback => 18,
        Refusal::ReleaseLength => 19,
        Refusal::ReleaseDigest => 20,
        Refusal::ReleaseMismatch => 21,
        Refusal::DeltaBase => 22,
        Refusal::DeltaSyntax => 23,
    }
}
