//! `hashgate simulate`: plays a day of uploads against the real server on this machine.

mod client;
mod cost;
mod day;
mod figures;
mod load;
mod pictures;
mod print;
mod processes;
mod wire;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use hashgate::digest::Sha256Digest;
use hashgate::pdq::PdqHash;
use hashgate_native::terminal::say_pretty_json;

use self::processes::{Server, write_list};

/// Play a day of uploads against the real server on this machine, and show what it costs with and without hashgate.
///
/// Draws a list and pictures, publishes releases with deltas, starts `hashgate serve` on loopback, and lets clients
/// fetch updates and upload. Every different picture is really checked, and every possible match really confirmed. The
/// costs of a million and of a hundred million clients are then computed from the measured ones, by assumptions that
/// are printed.
#[derive(clap::Args)]
pub struct Args {
    /// Number of clients.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    clients: u32,
    /// Uploads per client and day.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    uploads: u32,
    /// Share of uploads that are listed pictures, byte for byte.
    #[arg(long, default_value_t = 1e-4)]
    listed: f64,
    /// Share of uploads that are edited copies of listed pictures.
    #[arg(long, default_value_t = 1e-4)]
    edited: f64,
    /// Number of different clean pictures. Each is drawn and really checked.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pictures: u32,
    /// Number of PDQ hashes in the list.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    list_size: u32,
    /// Number of hashes that change per day. Half of them are added, half removed.
    #[arg(long, default_value_t = 1_000)]
    changes: u32,
    /// Requests for the manifest per client and day.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    polls: u32,
    /// Share of clients that are new and fetch the whole filter.
    #[arg(long, default_value_t = 0.01)]
    new: f64,
    /// Share of clients that come back after two or three days.
    #[arg(long, default_value_t = 0.1)]
    away: f64,
    /// Instead of a day, play this many confirm requests per second, at fixed times whether answers are late or not.
    #[arg(long, value_name = "RATE")]
    load: Option<u32>,
    /// With --load: how many seconds it lasts.
    #[arg(long, default_value_t = 60, requires = "load", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Seed of the random numbers that draw the pictures and play the clients.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Plays the day, or the load, and prints the figures.
///
/// # Errors
/// A share is out of range, or the server doesn't start or answers otherwise than it should.
pub fn run(args: &Args) -> Result<ExitCode> {
    for (name, share) in
        [("--listed", args.listed), ("--edited", args.edited), ("--new", args.new), ("--away", args.away)]
    {
        ensure!((0.0..=1.0).contains(&share), "{name}: expected a share from 0 to 1, got {share}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let numbered = |n: u32| PdqHash(Sha256Digest::of(&n.to_le_bytes()).0);
    if let Some(rate) = args.load {
        let list: Vec<_> = (0..args.list_size).map(numbered).collect();
        write_list(&folder.path().join("list.txt"), &list)?;
        let server = Server::start(folder.path(), false)?;
        runtime.block_on(load::play(server.address, &list, rate, args.seconds, args.format == Format::Json))?;
        return Ok(ExitCode::SUCCESS);
    }
    let figures = runtime.block_on(day::play(args, &folder, &numbered))?;
    match args.format {
        Format::Json => say_pretty_json(&figures)?,
        Format::Text => print::print(&figures)?,
    }
    Ok(ExitCode::SUCCESS)
}
