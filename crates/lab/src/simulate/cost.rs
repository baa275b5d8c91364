//! Computes what checks cost on a server without hashgate, and what both ways cost with more clients.

use anyhow::{Context, Result};
use hashgate::confirm::Index;
use hashgate::pdq::PdqHash;
use hashgate_native::clock::cpu_seconds;

use super::Args;
use super::day::HISTORY;
use super::figures::{Larger, With, Without};
use super::pictures::{Upload, plain};
use super::processes::HEADROOM;

/// Measures what it costs a server to hash and match every upload. Processes the clean pictures one after the other,
/// and scales the result to all uploads.
///
/// # Errors
/// The system doesn't tell CPU times.
pub fn without(pictures: &[Upload], list: &[PdqHash], uploads: u64, bytes: u64) -> Result<Without> {
    let index = Index::new(list);
    let before = cpu_seconds().context("CPU time: expected a system that tells it, got another")?;
    for picture in pictures {
        std::hint::black_box(index.nearest(&plain(&picture.bytes)?));
    }
    let each = (cpu_seconds().unwrap_or(before) - before) / pictures.len() as f64;
    Ok(Without {
        checks: uploads,
        cpu_ms_a_check: each * 1e3,
        cpu_s: each * uploads as f64,
        picture_bytes_hashed: bytes,
    })
}

/// Computes the costs of a day for another number of clients.
pub fn larger(
    args: &Args,
    clients: f64,
    with: &With,
    without: &Without,
    false_positive_rate: f64,
    old_clients: u64,
) -> Larger {
    const DAY_S: f64 = 86_400.0;
    let uploads = clients * f64::from(args.uploads);
    let checks_with = uploads * (args.listed + args.edited + false_positive_rate);
    let polls = clients * f64::from(args.polls);
    let update_cpu = with.update_cpu_s / old_clients.max(1) as f64 * clients;
    let new = clients * args.new;
    let first = if with.new_clients == 0 { 0.0 } else { with.first_download_bytes as f64 / with.new_clients as f64 };
    let first_cpu = if with.new_clients == 0 { 0.0 } else { with.first_download_cpu_s / with.new_clients as f64 * new };
    Larger {
        clients,
        uploads,
        checks_without: uploads,
        checks_with,
        checks_a_second_with: checks_with / DAY_S,
        cpu_cores_without: uploads * without.cpu_ms_a_check / 1e3 / DAY_S,
        cpu_cores_with: (checks_with * with.cpu_ms_a_check / 1e3 + update_cpu + first_cpu) / DAY_S,
        // Each client also asks for the delta once a day.
        update_requests_a_second: (polls + clients) / DAY_S,
        update_gigabytes: clients
            * ((1.0 - args.new - args.away).max(0.0) * with.update_bytes_a_client
                + args.away * with.update_bytes_a_client_back)
            / 1e9,
        first_download_gigabytes: new * first / 1e9,
    }
}

/// Returns the assumptions behind [`larger`], each with its value.
pub fn assumptions(args: &Args, false_positive_rate: f64) -> Vec<(String, String)> {
    let row = |what: &str, value: String| (what.to_owned(), value);
    vec![
        row("uploads of a client in a day", args.uploads.to_string()),
        row("share of uploads that are listed", format!("{:e}", args.listed)),
        row("share of uploads that are edited copies", format!("{:e}, all found and asked about", args.edited)),
        row(
            "share of clean uploads held by chance",
            format!("{false_positive_rate:e}, the most that the filter was made for"),
        ),
        row(
            "manifest requests of a client in a day",
            format!("{}, by ETag, in gzip, each on a new connection", args.polls),
        ),
        row("releases in a day", format!("1, with deltas from the last {HISTORY}")),
        row("room in the filter", format!("{HEADROOM}%; as many hashes leave as come, so it is never used up")),
        row("clients that are new", format!("{:e}; they fetch the whole filter", args.new)),
        row("clients that were away for two or three days", format!("{:e}", args.away)),
        row("load over the day", "even; an hour at noon may well have three times as much".into()),
        row("TLS, TCP and IP", "not counted; nor is what a CDN in front would keep from the server".into()),
        row("without hashgate", "decode, PDQ, and one lookup in the same index, for each upload".into()),
    ]
}
