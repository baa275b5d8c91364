//! `hashgate serve`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::http::{HeaderName, HeaderValue};
use hashgate::Filter;
use hashgate::release::Manifest;
use serde_json::json;
use tokio::net::TcpListener;

use crate::list;
use crate::serve::connections::{self, Limits};
use crate::serve::http::{Folders, Service, limiter, routes};
use crate::serve::listed::{Listed, Source, Stamp};
use crate::serve::log::log;
use crate::serve::metrics::Metrics;
use crate::serve::upstream::{Address, Upstream};

/// Serve a published list, and confirm possible matches by the full one.
///
/// Answers plain HTTP on this machine alone, unless told otherwise; a proxy adds TLS. A changed list is read again while the
/// old one answers; one that can't be read changes nothing. Ends on SIGINT or SIGTERM once open requests are answered.
/// See docs/how-to/confirming-server.md.
#[derive(clap::Args)]
pub struct Args {
    /// Full list to confirm by, as for build; may be given several times. NAME is what answers call it; default: the file's
    /// name without its ending.
    #[arg(long = "list", value_name = "[NAME=]FILE", num_args = 1..)]
    lists: Vec<Source>,
    /// Folder that `hashgate publish` wrote, served at /list/.
    #[arg(long, value_name = "PUBLISHED")]
    dir: Option<PathBuf>,
    /// Folder served at /, or at /PREFIX; may be given several times.
    #[arg(long, value_name = "[/PREFIX=]DIR", value_parser = site)]
    site: Vec<(String, PathBuf)>,
    /// Address and port; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// File of bearer tokens for confirm, one a line, 16 characters or more.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Origin of pages that may read answers from elsewhere, or * for any; may be given several times.
    #[arg(long = "allow-origin", value_name = "ORIGIN", value_parser = origin)]
    origins: Vec<HeaderValue>,
    /// Questions a second and client, batches counted by their questions; 0 is no limit.
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// Header in which a proxy gives the client's address, such as x-forwarded-for. Without a proxy, clients could choose it.
    #[arg(long, value_name = "NAME")]
    client_address_header: Option<HeaderName>,
    /// Connections at once.
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// Connections at once from one address; 0 is no limit, which a proxy in front needs.
    #[arg(long, default_value_t = 256)]
    max_connections_each: u32,
    /// Engine that is asked about what the lists don't hold: hma=URL.
    #[arg(long, value_name = "hma=URL")]
    upstream: Option<Address>,
    /// Log each request too: route, method, status and time.
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
    let taken = ["/v1", "/list", "/healthz", "/metrics", "/openapi.json"].contains(&prefix);
    if taken || prefix.contains(['{', '}', '*']) {
        return Err(format!("expected a prefix that nothing else is at, got {prefix:?}"));
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

/// Reads everything, then serves.
pub fn run(args: Args) -> Result<ExitCode> {
    if args.lists.is_empty() && args.dir.is_none() && args.site.is_empty() && args.upstream.is_none() {
        bail!("expected something to serve: --list, --dir, --site or --upstream");
    }
    let metrics = Arc::new(Metrics::new());
    let start = Instant::now();
    let listed = if args.lists.is_empty() { Listed::none() } else { Listed::read(&args.lists, &args.reading)? };
    if let Some(folder) = &args.dir {
        consistent(folder, &listed)?;
    }
    let tokens = args.token_file.as_deref().map_or(Ok(Vec::new()), tokens)?;
    if !args.listen.ip().is_loopback() && tokens.is_empty() && !args.lists.is_empty() {
        log(
            "warning",
            json!({ "text": "confirm is open to everyone who reaches this address; --token-file closes it" }),
        );
    }
    let service = Arc::new(Service {
        upstream: args.upstream.clone().map(Upstream::new).transpose()?,
        tokens,
        limiter: NonZeroU32::new(args.rate).map(limiter),
        address_header: args.client_address_header.clone(),
        log_requests: args.log_requests,
        metrics: metrics.clone(),
        stale: AtomicBool::new(false),
        listed: RwLock::new(Arc::new(Listed::none())),
    });
    swap(&service, listed, start);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(listen(args, service))
}

async fn listen(args: Args, service: Arc<Service>) -> Result<ExitCode> {
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("--listen {}", args.listen))?;
    let address = listener.local_addr()?;
    let folders = Folders { list: args.dir, site: args.site };
    let routes = routes(service.clone(), &folders, &args.origins);
    let limits = Limits { all: args.max_connections as usize, each: args.max_connections_each as usize };
    let end = end()?;
    if !args.lists.is_empty() {
        tokio::spawn(watch(service.clone(), args.lists, list::Options { quiet: true, ..args.reading }));
    }
    tokio::spawn(forget(service.clone()));
    println!("listening on http://{address}");
    log("listening", json!({}));
    connections::serve(listener, routes, limits, service.metrics.clone(), end).await;
    log("ended", json!({}));
    Ok(ExitCode::SUCCESS)
}

/// Puts new lists in the old ones' place: whoever is being answered keeps the old ones until then.
fn swap(service: &Service, listed: Listed, start: Instant) {
    let [pdq, sha256, md5] = listed.counts();
    service.metrics.held(listed.counts());
    service.metrics.load("loaded");
    *service.listed.write().expect("never poisoned") = Arc::new(listed);
    service.stale.store(false, Ordering::Relaxed);
    let ms = start.elapsed().as_millis() as u64;
    log("lists-loaded", json!({ "pdq": pdq, "sha256": sha256, "md5": md5, "ms": ms }));
}

/// Looks at the lists' files every second and reads them again when they have changed.
async fn watch(service: Arc<Service>, sources: Vec<Source>, reading: list::Options) {
    let mut refused: Option<Stamp> = None;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let current = service.listed.read().expect("never poisoned").stamp.clone();
        let stamp = match Stamp::of(&sources) {
            // Being replaced, perhaps; a server that restarted now would say so.
            Err(_) => continue,
            Ok(stamp) if stamp == current || refused.as_ref() == Some(&stamp) => continue,
            Ok(stamp) => stamp,
        };
        let (start, sources, reading) = (Instant::now(), sources.clone(), reading.clone());
        let read = tokio::task::spawn_blocking(move || Listed::read(&sources, &reading)).await;
        match read.map_err(anyhow::Error::from).and_then(|read| read) {
            Ok(listed) => {
                refused = None;
                swap(&service, listed, start);
            }
            Err(error) => {
                refused = Some(stamp);
                service.metrics.load("refused");
                service.stale.store(true, Ordering::Relaxed);
                log("lists-refused", json!({ "error": format!("{error:#}"), "kept": "the lists as they were" }));
            }
        }
    }
}

/// Forgets clients that have their whole rate again.
async fn forget(service: Arc<Service>) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        service.limiter.iter().for_each(|limiter| {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        });
    }
}

/// Resolves when the process is told to end.
fn end() -> Result<impl Future<Output = ()>> {
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

fn tokens(path: &Path) -> Result<Vec<String>> {
    /// 16 random characters can't be guessed through a network.
    const MIN: usize = 16;
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| name.to_string())?;
    let tokens: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if tokens.is_empty() {
        bail!("{name}: expected a token, got none");
    }
    for (number, token) in (1..).zip(&tokens) {
        if token.len() < MIN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("{name}: token {number}: expected {MIN} or more visible ASCII characters, got {} bytes", token.len());
        }
    }
    Ok(tokens)
}

/// A published filter that holds more than the lists would send matches here that the lists can't confirm: they would be
/// cleared. So the server doesn't start.
fn consistent(folder: &Path, listed: &Listed) -> Result<()> {
    let name = folder.display();
    if !folder.is_dir() {
        bail!("{name}: expected a folder, got none");
    }
    if listed.is_empty() {
        return Ok(());
    }
    let Some(path) = current_filter(folder)? else { return Ok(()) };
    let filter = std::fs::read(&path).map_err(anyhow::Error::from).and_then(|bytes| Ok(Filter::open(bytes)?));
    let filter = filter.with_context(|| path.display().to_string())?;
    let info = filter.info();
    let published = [info.pdq_count, info.sha256_count, info.md5_count];
    for ((kind, held), published) in ["PDQ", "SHA-256", "MD5"].into_iter().zip(listed.counts()).zip(published) {
        if held < published {
            bail!(
                "{}: the lists: expected at least the {published} {kind} hashes that the published filter holds, got {held}",
                path.display()
            );
        }
    }
    Ok(())
}

/// The filter that the current manifest of a published list names, if one was published yet. Whether it is signed by whom is
/// for those to check who rely on it.
fn current_filter(folder: &Path) -> Result<Option<PathBuf>> {
    let path = folder.join("manifest.txt");
    let manifest = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| path.display().to_string())?,
    };
    let manifest = Manifest::read_unverified(&manifest).with_context(|| path.display().to_string())?;
    Ok(Some(folder.join(manifest.full.path)))
}
