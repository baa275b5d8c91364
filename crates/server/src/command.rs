//! `hashgate serve`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use axum::http::{HeaderName, HeaderValue};
use hashgate_native::{list, terminal};
use serde_json::json;
use tokio::net::TcpListener;

use crate::check::filters::{Filters, Sources};
use crate::check::judge::{Hasher, Judge};
use crate::check::{self, clamd};
use crate::client::limiter;
use crate::connections::{self, Limits};
use crate::listed::{Listed, Source};
use crate::log::log;
use crate::metrics::Metrics;
use crate::routes::{Folders, LIST, PATHS, Service, routes};
use crate::upstream::{Address, Upstream};
use crate::{reload, startup};

/// Number of threads for work that can wait for a disk.
const BLOCKING_THREADS: usize = 64;

/// Serve a published list, confirm possible matches by the full list, and check files for back ends.
///
/// POST /v1/check checks a file against the lists of --list, else of --dir, and the filters of --filter.
///
/// Answers plain HTTP. By default only this machine can reach it; a proxy adds TLS. When the file of a list changes,
/// the server reads it again and answers by the old list meanwhile. If the new file can't be read, the old list stays.
/// On SIGINT or SIGTERM the server answers open requests, then ends.
#[derive(clap::Args)]
#[allow(rustdoc::bare_urls, reason = "the comments are help texts for a terminal")]
pub struct Args {
    /// Full list to confirm by, in a format that `build` reads. May be given several times. Answers name the list NAME;
    /// default: the file's name without its ending.
    #[arg(long = "list", value_name = "[NAME=]FILE", num_args = 1..)]
    lists: Vec<Source>,
    /// Folder that `hashgate publish` wrote, served at /list/.
    #[arg(long, value_name = "PUBLISHED")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    check: check::args::Args,
    /// Folder served at /, or at /PREFIX. May be given several times. Names that begin with a dot, and links that lead
    /// out of the folder, are not served.
    #[arg(long, value_name = "[/PREFIX=]DIR", value_parser = site)]
    site: Vec<(String, PathBuf)>,
    /// Address and port to listen on. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// File of bearer tokens for /v1/confirm and /v1/check, one per line, each of 16 visible ASCII characters or more.
    /// Only the server's user should be able to read it.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Origin whose pages may read answers, such as https://example.org, or * for every origin. May be given several
    /// times.
    #[arg(long = "allow-origin", value_name = "ORIGIN", value_parser = origin)]
    origins: Vec<HeaderValue>,
    /// Questions per second and client (an IPv4 address, or a /64 network of IPv6). 0: no limit.
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// Header in which a proxy gives the client's address, such as x-forwarded-for. Set it only behind a proxy:
    /// otherwise clients choose their address.
    #[arg(long, value_name = "NAME")]
    client_address_header: Option<HeaderName>,
    /// Open connections at most.
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// Open connections per client at most (an IPv4 address, or a /64 network of IPv6). 0: no limit; set 0 behind a
    /// proxy.
    #[arg(long, default_value_t = 256)]
    max_connections_each: u32,
    /// Another matcher, asked about hashes that the lists don't hold: hma=URL for Meta's Hasher-Matcher-Actioner.
    #[arg(long, value_name = "hma=URL")]
    upstream: Option<Address>,
    /// Log the route, method, status and duration of each request.
    #[arg(long)]
    log_requests: bool,
    #[command(flatten)]
    reading: list::Options,
}

fn site(text: &str) -> Result<(String, PathBuf), String> {
    let (prefix, folder) = match text.split_once('=') {
        Some((prefix, folder)) if prefix.starts_with('/') => (prefix.trim_end_matches('/'), folder),
        _ => ("", text),
    };
    let taken = |path: &str| !prefix.is_empty() && (path == prefix || path.starts_with(&format!("{prefix}/")));
    if PATHS.into_iter().chain([LIST]).any(taken) || prefix.contains(['{', '}', '*']) {
        return Err(format!("expected a prefix that nothing else is at, got {prefix:?}; choose another"));
    }
    if !Path::new(folder).is_dir() {
        return Err(format!("expected a folder, got {folder:?}"));
    }
    Ok((prefix.to_owned(), folder.into()))
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    let plain = |rest: &str| !rest.is_empty() && !rest.contains(['/', ' ', '*', ',']);
    let is_origin = text.strip_prefix("https://").or(text.strip_prefix("http://")).is_some_and(plain);
    if text != "*" && !is_origin {
        return Err(format!("expected an origin such as https://example.org, or *, got {text:?}"));
    }
    text.parse().map_err(|_| "expected ASCII".to_owned())
}

/// Reads the lists, then serves until the process is told to end.
///
/// # Errors
/// Something that the arguments name can't be used, or the address can't be listened on.
pub fn run(args: Args, hasher: Hasher) -> Result<ExitCode> {
    let has_list = !args.lists.is_empty() || args.dir.is_some() || !args.check.filters.is_empty();
    if !has_list && args.site.is_empty() && args.upstream.is_none() {
        bail!("expected something to serve, got nothing; give --list, --filter, --dir, --site or --upstream");
    }
    let metrics = Arc::new(Metrics::new());
    let start = Instant::now();
    let quiet = list::Options { quiet: true, ..args.reading.clone() };
    let listed = if args.lists.is_empty() {
        Listed::none()
    } else {
        // The log of a running server must not hold a hash. A server that can't start shows the bad lines.
        Listed::read(&args.lists, &quiet).or_else(|_| Listed::read(&args.lists, &args.reading))?
    };
    if let Some(folder) = &args.dir {
        startup::check_consistent(folder, &listed)?;
    }
    let tokens = args.token_file.as_deref().map_or(Ok(Vec::new()), startup::tokens)?;
    if !args.listen.ip().is_loopback() && tokens.is_empty() && has_list {
        let text = "everyone who reaches this address may ask /v1/confirm and /v1/check; close it with --token-file";
        log("warning", json!({ "text": text }));
    }
    let sources = args.check.sources(args.dir.as_deref().filter(|_| listed.is_empty()));
    let filters = Filters::read(&sources, &listed)?;
    let judge = Judge::new(args.check.settings(hasher)?, metrics.clone())?;
    let service = Arc::new(Service {
        judge,
        upstream: args.upstream.clone().map(Upstream::new).transpose()?,
        tokens,
        limiter: NonZeroU32::new(args.rate).map(limiter),
        address_header: args.client_address_header.clone(),
        log_requests: args.log_requests,
        metrics: metrics.clone(),
        stale: AtomicBool::new(false),
        listed: RwLock::new(Arc::new(Listed::none())),
    });
    reload::swap(&service, Arc::new(listed), filters, start);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().max_blocking_threads(BLOCKING_THREADS).build()?.block_on(listen(args, sources, service))
}

async fn listen(args: Args, sources: Sources, service: Arc<Service>) -> Result<ExitCode> {
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("--listen {}", args.listen))?;
    let address = listener.local_addr()?;
    let folders = Folders { list: args.dir, site: args.site };
    let routes = routes(service.clone(), &folders, &args.origins);
    let limits = Limits { all: args.max_connections as usize, each: args.max_connections_each as usize };
    let end = end()?;
    let reading = list::Options { quiet: true, ..args.reading };
    tokio::spawn(reload::watch(service.clone(), args.lists, sources, reading));
    if let Some(address) = &args.check.clamd {
        let clamd = clamd::bind(address).await.with_context(|| format!("--clamd {address}"))?;
        log("clamd-listening", json!({ "address": clamd.address() }));
        tokio::spawn(clamd.serve(service.clone()));
    }
    tokio::spawn(reload::forget(service.clone()));
    if let Some(upstream) = &service.upstream {
        if !upstream.probe(&service.metrics).await? {
            log("upstream-down", json!({ "text": "it is asked all the same; /healthz tells when it is back" }));
        }
        let service = service.clone();
        tokio::spawn(async move {
            if let Some(upstream) = &service.upstream {
                upstream.watch(&service.metrics).await;
            }
        });
    }
    terminal::remark(&format!("{}{address}", terminal::LISTENING));
    log("listening", json!({}));
    connections::serve(listener, routes, limits, service.metrics.clone(), end).await;
    log("ended", json!({}));
    Ok(ExitCode::SUCCESS)
}

/// Resolves when the process is told to end.
pub(crate) fn end() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        })
    }
    #[cfg(not(unix))]
    Ok(async { _ = tokio::signal::ctrl_c().await })
}
