//! `hashgate simulate`: what a day of uploads asks of the server, played against the real one on loopback.

mod load;
mod wire;

use std::f32::consts::TAU;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use hashgate::confirm::Index;
use hashgate::digest::Sha256Digest;
use hashgate::filter::ring_key;
use hashgate::pdq::PdqHash;
use hashgate::release::Manifest;
use hashgate::{Filter, Limits, Orientations, Outcome, ViewSet, Wanted, fingerprint, look_up};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;

use self::wire::Wire;
use super::publish::HEADROOM;
use crate::files;

/// Play a day of uploads against the real server on this machine, and say what it cost with hashgate and without it.
///
/// Draws a list and pictures, publishes releases with deltas, starts `hashgate serve` on loopback, and lets clients fetch
/// updates and upload. Each different picture is really checked, each possible match really confirmed. What depends on how many
/// clients there are is then worked out for a million and a hundred million, by the assumptions that it prints.
#[derive(clap::Args)]
pub struct Args {
    /// Clients that are played.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    clients: u32,
    /// Uploads of a client in a day.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    uploads: u32,
    /// Share of uploads that are listed pictures, byte for byte.
    #[arg(long, default_value_t = 1e-4)]
    listed: f64,
    /// Share of uploads that are edited copies of listed pictures.
    #[arg(long, default_value_t = 1e-4)]
    edited: f64,
    /// Different clean pictures: each is drawn and really checked.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pictures: u32,
    /// PDQ hashes in the list.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    list_size: u32,
    /// Hashes that change in a day, half of them added and half removed.
    #[arg(long, default_value_t = 1_000)]
    changes: u32,
    /// How often a client asks for the manifest in a day.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    polls: u32,
    /// Share of clients that are new and fetch the whole filter.
    #[arg(long, default_value_t = 0.01)]
    new: f64,
    /// Share of clients that come back after two or three days.
    #[arg(long, default_value_t = 0.1)]
    away: f64,
    /// Instead of a day: so many confirm requests a second, at fixed times whether answers are late or not.
    #[arg(long, value_name = "RATE")]
    load: Option<u32>,
    /// How long the load lasts.
    #[arg(long, default_value_t = 60, requires = "load", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Draws everything.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Listed pictures that are drawn; the rest of the list are numbered hashes.
const LISTED: u32 = 24;
/// Confirm requests by which the cost of one is measured.
const SAMPLE: u32 = 1_000;
/// Releases before the day begins: as many as today's manifest offers deltas from.
const HISTORY: u64 = 8;
/// The release of the client that was away longest.
const OLDEST: u64 = HISTORY - 2;

/// What was counted, and what is worked out from it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    seed: u64,
    clients: u32,
    uploads: u64,
    list_size: u32,
    changes_a_day: u32,
    rings: u32,
    filter_bytes: u64,
    /// Of the filter's header.
    escalation: f64,
    different_clean_pictures: u32,
    clean_pictures_held_by_chance: u32,
    edited_copies_found: String,
    with: With,
    without: Without,
    times_fewer_checks: f64,
    larger: Vec<Larger>,
    assumptions: Vec<(String, String)>,
}

/// With hashgate.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct With {
    /// Confirm requests: checks on the server.
    checks: u64,
    listed: u64,
    cleared: u64,
    confirm_bytes: u64,
    confirm_cpu_s: f64,
    /// Of `SAMPLE` confirm requests, for one.
    cpu_ms_a_check: f64,
    manifest_requests: u64,
    manifest_bytes: u64,
    delta_requests: u64,
    delta_bytes: u64,
    update_cpu_s: f64,
    /// Sent by the server to a client that had the release of the day before.
    update_bytes_a_client: f64,
    /// Sent to one that was away and came back.
    update_bytes_a_client_back: f64,
    new_clients: u64,
    first_download_bytes: u64,
    first_download_cpu_s: f64,
}

/// Without it: every upload is hashed and matched on the server.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Without {
    checks: u64,
    /// Decoding, hashing and looking one orientation up in the same index.
    cpu_ms_a_check: f64,
    cpu_s: f64,
    picture_bytes_hashed: u64,
}

/// A day of more clients.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Larger {
    clients: f64,
    uploads: f64,
    checks_without: f64,
    checks_with: f64,
    checks_a_second_with: f64,
    cpu_cores_without: f64,
    cpu_cores_with: f64,
    update_requests_a_second: f64,
    update_gigabytes: f64,
    first_download_gigabytes: f64,
}

/// A picture as a client has it, and what the check of it leads to.
struct Upload {
    bytes: Vec<u8>,
    /// What is asked, if it is a possible match.
    question: Option<String>,
}

/// Plays the day, or the load.
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
    let figures = runtime.block_on(day(args, &folder, &numbered))?;
    match args.format {
        Format::Json => files::say(&serde_json::to_string_pretty(&figures)?)?,
        Format::Text => print(&figures)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn day(args: &Args, folder: &TempDir, numbered: &(dyn Fn(u32) -> PdqHash + Sync)) -> Result<Figures> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    eprintln!("drawing {} pictures", args.pictures + LISTED);
    let draw = |seed: u32| picture(seed, args.seed);
    let drawn: Vec<_> = (0..LISTED).into_par_iter().map(draw).collect();
    let listed = drawn.par_iter().map(|picture| jpeg(picture, 90)).collect::<Result<Vec<_>>>()?;
    let edited: Vec<_> =
        drawn.par_iter().zip(0..LISTED).map(|(picture, kind)| edit(picture, kind)).collect::<Result<_>>()?;
    let clean: Vec<_> =
        (0..args.pictures).into_par_iter().map(|seed| jpeg(&draw(1_000_000 + seed), 85)).collect::<Result<_>>()?;
    let originals = listed.iter().map(|bytes| plain(bytes)).collect::<Result<Vec<_>>>()?;

    // Each day `changes` hashes: half of them leave, as many come.
    let half = args.changes / 2;
    let list = |release: u64| -> Vec<PdqHash> {
        let first = release as u32 * half;
        originals.iter().copied().chain((first..first + args.list_size - LISTED).map(numbered)).collect()
    };
    said(hashgate(folder.path())?.args(["keygen", "--out", "key", "--name", "simulation"]))?;
    let publish = |release: u64| {
        eprintln!("publishing release {release}");
        publish(folder.path(), &list(release))
    };
    let old: Vec<Vec<u8>> = (1..=HISTORY).map(publish).collect::<Result<_>>()?;
    let server = Server::start(folder.path(), true)?;
    let filter = Filter::open(old[HISTORY as usize - 1].clone())?;

    // Checks, as a browser makes them: on the client.
    eprintln!("checking the pictures");
    let filters = std::slice::from_ref(&filter);
    let check = |all: Vec<Vec<u8>>| -> Vec<Upload> {
        all.into_par_iter().map(|bytes| Upload { question: question(&bytes, filters), bytes }).collect()
    };
    let (listed, edited, clean) = (check(listed), check(edited), check(clean));
    let held = |uploads: &[Upload]| uploads.iter().filter(|upload| upload.question.is_some()).count();

    let mut with = With::default();
    eprintln!("playing {} clients", args.clients);
    // Uploads.
    let uploads = u64::from(args.clients) * u64::from(args.uploads);
    let mut bytes_of_all = 0;
    let before = server.cpu().await?;
    for _ in 0..uploads {
        let kind: f64 = random.random();
        let from = match kind {
            _ if kind < args.listed => &listed,
            _ if kind < args.listed + args.edited => &edited,
            _ => &clean,
        };
        let upload = &from[random.random_range(0..from.len())];
        bytes_of_all += upload.bytes.len() as u64;
        if let Some(question) = &upload.question {
            let mut wire = Wire::open(server.address).await?;
            let answer = wire.confirm(question).await?;
            with.checks += 1;
            with.confirm_bytes += wire.bytes();
            match answer["outcome"].as_str() {
                Some("listed") => with.listed += 1,
                Some("not-listed") => with.cleared += 1,
                _ => bail!("expected an outcome, got {answer}"),
            }
        }
    }
    with.confirm_cpu_s = server.cpu().await? - before;
    // The cost of one, from more than a day brings.
    let before = server.cpu().await?;
    for n in 0..SAMPLE {
        let hash = numbered(n * 31);
        let question = json!({ "pdq": hash.to_string(), "ring": 0, "key": format!("{:016x}", ring_key(&hash, 0)) });
        Wire::open(server.address).await?.confirm(&question.to_string()).await?;
    }
    with.cpu_ms_a_check = (server.cpu().await? - before) * 1e3 / f64::from(SAMPLE);

    // Updates: the first half of the polls before today's release, the rest after it.
    let tag = Wire::open(server.address).await?.get("/list/manifest.txt", None).await?.etag;
    let mut clients: Vec<Client> = (0..args.clients)
        .map(|_| match random.random::<f64>() {
            share if share < args.new => Client::default(),
            share if share < args.new + args.away => Client::at(random.random_range(OLDEST..HISTORY), &old, None),
            _ => Client::at(HISTORY, &old, tag.clone()),
        })
        .collect();
    let came: Vec<u64> = clients.iter().map(|client| client.release).collect();
    with.new_clients = came.iter().filter(|&&release| release == 0).count() as u64;
    let mut received = vec![0; clients.len()];
    let mut last = Vec::new();
    for half in 0..2 {
        if half == 1 {
            last = publish(HISTORY + 1)?;
        }
        for (number, client) in clients.iter_mut().enumerate() {
            for _ in 0..(args.polls + 1 - half) / 2 {
                let new = client.file.is_none();
                let before = server.cpu().await?;
                let bytes = client.poll(server.address, &mut with).await?;
                let cpu = server.cpu().await? - before;
                if new {
                    with.first_download_cpu_s += cpu;
                } else {
                    with.update_cpu_s += cpu;
                    received[number] += bytes;
                }
            }
        }
    }
    let mean = |wanted: &dyn Fn(u64) -> bool| {
        let of: Vec<_> =
            came.iter().zip(&received).filter(|(release, _)| wanted(**release)).map(|(_, &bytes)| bytes).collect();
        of.iter().sum::<u64>() as f64 / of.len().max(1) as f64
    };
    with.update_bytes_a_client = mean(&|release| release == HISTORY);
    with.update_bytes_a_client_back = mean(&|release| (OLDEST..HISTORY).contains(&release));
    let old_clients = clients.len() as u64 - with.new_clients;
    // Everyone has the same bytes, whichever way they came.
    ensure!(
        clients.iter().all(|client| client.file.as_ref() == Some(&last)),
        "a client's filter isn't the published one"
    );

    let without = without(&clean, &list(HISTORY), uploads, bytes_of_all)?;
    let info = filter.info();
    let larger = [1e6, 1e8]
        .map(|clients| larger(args, clients, &with, &without, info.image_false_positive_rate(), old_clients))
        .into();
    Ok(Figures {
        seed: args.seed,
        clients: args.clients,
        uploads,
        list_size: args.list_size,
        changes_a_day: half * 2,
        rings: info.rings,
        filter_bytes: info.bytes,
        escalation: info.image_false_positive_rate(),
        different_clean_pictures: args.pictures,
        clean_pictures_held_by_chance: held(&clean) as u32,
        edited_copies_found: format!("{} of {LISTED}", held(&edited)),
        times_fewer_checks: without.checks as f64 / with.checks.max(1) as f64,
        assumptions: assumptions(args, info.image_false_positive_rate()),
        with,
        without,
        larger,
    })
}

/// What it costs to hash and match every upload on the server: measured on the clean pictures, one after the other.
fn without(pictures: &[Upload], list: &[PdqHash], uploads: u64, bytes: u64) -> Result<Without> {
    let index = Index::new(list);
    let before = crate::serve::metrics::cpu_seconds().context("CPU time can't be read here")?;
    for picture in pictures {
        std::hint::black_box(index.nearest(&plain(&picture.bytes)?));
    }
    let each = (crate::serve::metrics::cpu_seconds().unwrap_or(before) - before) / pictures.len() as f64;
    Ok(Without {
        checks: uploads,
        cpu_ms_a_check: each * 1e3,
        cpu_s: each * uploads as f64,
        picture_bytes_hashed: bytes,
    })
}

fn larger(args: &Args, clients: f64, with: &With, without: &Without, escalation: f64, old_clients: u64) -> Larger {
    const DAY_S: f64 = 86_400.0;
    let uploads = clients * f64::from(args.uploads);
    let checks_with = uploads * (args.listed + args.edited + escalation);
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
        // And one a day for the delta.
        update_requests_a_second: (polls + clients) / DAY_S,
        update_gigabytes: clients
            * ((1.0 - args.new - args.away).max(0.0) * with.update_bytes_a_client
                + args.away * with.update_bytes_a_client_back)
            / 1e9,
        first_download_gigabytes: new * first / 1e9,
    }
}

fn assumptions(args: &Args, escalation: f64) -> Vec<(String, String)> {
    let row = |what: &str, value: String| (what.to_owned(), value);
    vec![
        row("uploads of a client in a day", args.uploads.to_string()),
        row("share of uploads that are listed", format!("{:e}", args.listed)),
        row("share of uploads that are edited copies", format!("{:e}, all found and asked about", args.edited)),
        row("share of clean uploads held by chance", format!("{escalation:e}, the most that the filter was made for")),
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

/// A client's filter, and where it came from.
#[derive(Default)]
struct Client {
    tag: Option<String>,
    release: u64,
    file: Option<Vec<u8>>,
}

impl Client {
    fn at(release: u64, old: &[Vec<u8>], tag: Option<String>) -> Self {
        Self { tag, release, file: Some(old[release as usize - 1].clone()) }
    }

    /// Asks for the manifest and fetches what is new; the bytes that it received.
    async fn poll(&mut self, server: SocketAddr, with: &mut With) -> Result<u64> {
        let mut wire = Wire::open(server).await?;
        let answer = wire.get("/list/manifest.txt", self.tag.as_deref()).await?;
        with.manifest_requests += 1;
        with.manifest_bytes += wire.bytes();
        if answer.status == 304 {
            return Ok(wire.received);
        }
        let manifest = Manifest::read_unverified(&answer.body)?;
        self.tag = answer.etag;
        let before = wire.bytes();
        let delta = manifest.deltas.iter().find(|delta| delta.from == self.release);
        self.file = Some(match (self.file.take(), delta) {
            (Some(base), _) if self.release == manifest.release => base,
            (Some(base), Some(delta)) => {
                let file = wire.get(&format!("/list/{}", delta.path), None).await?;
                with.delta_requests += 1;
                with.delta_bytes += wire.bytes() - before;
                manifest.apply_delta(&base, &file.body)?
            }
            _ => {
                let file = wire.get(&format!("/list/{}", manifest.full.path), None).await?;
                with.first_download_bytes += wire.bytes() - before;
                manifest.verify_full(&file.body)?;
                file.body
            }
        });
        self.release = manifest.release;
        Ok(wire.received)
    }
}

/// What a possible match of this picture is asked about; nothing if it is clear.
fn question(bytes: &[u8], filters: &[Filter]) -> Option<String> {
    let wanted = hashgate::wanted(filters, ViewSet::All);
    let report = look_up(&fingerprint(bytes, &Limits::default(), &wanted), filters, Orientations::All);
    let Outcome::PossibleMatch { matches } = report.outcome else { return None };
    let found = matches.first()?.pdq()?;
    let key = format!("{:016x}", found.ring_key);
    Some(json!({ "pdq": found.pdq.to_string(), "ring": found.ring, "key": key }).to_string())
}

/// The PDQ hash of a picture as it is.
fn plain(bytes: &[u8]) -> Result<PdqHash> {
    let wanted = Wanted { pdq: true, views: ViewSet::Plain, ..Wanted::default() };
    match fingerprint(bytes, &Limits::default(), &wanted).picture {
        Some(Ok(hashed)) => Ok(hashed.frames[0].views[0].coefficients.hash()),
        other => bail!("a drawn picture can't be read: {other:?}"),
    }
}

/// A picture with something at every scale: waves as strong as they are long, 800 by 600.
fn picture(number: u32, seed: u64) -> RgbImage {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(number) + 1);
    const WIDTH: u32 = 800;
    const HEIGHT: u32 = 600;
    // A wave over the plane is the sum of two products of waves along the sides.
    let mut levels = vec![128.0_f32; (WIDTH * HEIGHT) as usize];
    for index in 0..28 {
        let frequency = 1.0 + 20.0 * (index as f32 / 28.0).powi(2) + random.random::<f32>();
        let (angle, phase) = (random.random::<f32>() * TAU, random.random::<f32>() * TAU);
        let (across, down) = (frequency * angle.cos() * TAU, frequency * angle.sin() * TAU);
        let columns: Vec<_> = (0..WIDTH).map(|x| (across * x as f32 / HEIGHT as f32 + phase).sin_cos()).collect();
        let strength = 60.0 * frequency.powf(-0.9);
        for (y, row) in levels.chunks_exact_mut(WIDTH as usize).enumerate() {
            let (row_sin, row_cos) = (down * y as f32 / HEIGHT as f32).sin_cos();
            for (level, (sin, cos)) in row.iter_mut().zip(&columns) {
                *level += strength * (sin * row_cos + cos * row_sin);
            }
        }
    }
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let level = levels[(y * WIDTH + x) as usize].clamp(0.0, 255.0) as u8;
        Rgb([level, level / 2 + 40, 255 - level])
    })
}

/// A copy as people make them, one of four kinds.
fn edit(picture: &RgbImage, kind: u32) -> Result<Vec<u8>> {
    let (width, height) = picture.dimensions();
    match kind % 4 {
        0 => jpeg(picture, 40),
        1 => jpeg(&imageops::resize(picture, width / 2, height / 2, imageops::FilterType::Triangle), 75),
        2 => jpeg(&imageops::flip_horizontal(picture), 80),
        _ => {
            let (x, y) = (width / 50, height / 50);
            jpeg(&imageops::crop_imm(picture, x, y, width - 2 * x, height - 2 * y).to_image(), 75)
        }
    }
}

fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    Ok(bytes)
}

fn write_list(path: &Path, list: &[PdqHash]) -> Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for hash in list {
        writeln!(file, "{hash}")?;
    }
    Ok(file.flush()?)
}

/// Publishes a list with this program's own `publish`; the bytes of the full file.
fn publish(folder: &Path, list: &[PdqHash]) -> Result<Vec<u8>> {
    write_list(&folder.join("list.txt"), list)?;
    let names = ["--name", "Simulation", "--category", "numbered hashes", "--type", "pdq"];
    said(hashgate(folder)?.args(["publish", "list.txt", "--dir", "published", "--key", "key"]).args(names))?;
    let manifest = Manifest::read_unverified(&std::fs::read(folder.join("published/manifest.txt"))?)?;
    Ok(std::fs::read(folder.join("published").join(manifest.full.path))?)
}

/// Runs a command to its end.
fn said(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// This program again, for what it does as a process of its own.
fn hashgate(folder: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.current_dir(folder).stdin(Stdio::null());
    Ok(command)
}

/// A server that is killed when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path, published: bool) -> Result<Self> {
        let mut command = hashgate(folder)?;
        command.args(["serve", "--list", "list.txt", "--type", "pdq", "--listen", "127.0.0.1:0", "--rate", "0"]);
        if published {
            command.args(["--dir", "published"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        let said = child.stdout.take().context("the server's output")?;
        BufReader::new(said).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        Ok(Self { child, address: address.context("the server didn't start")? })
    }

    /// CPU seconds that the server has used, by its own metric.
    async fn cpu(&self) -> Result<f64> {
        Wire::open(self.address).await?.metric("hashgate_process_cpu_seconds_total").await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn print(figures: &Figures) -> Result<()> {
    let say = |line: String| files::say(&line);
    let Figures { with, without, .. } = figures;
    let kilobytes = |bytes: u64| format!("{:.1} kB", bytes as f64 / 1e3);
    say(format!(
        "a day of {} clients: {} uploads; a list of {} hashes, {} rings, {} bytes of filter, {} changes a day; seed {}",
        figures.clients,
        figures.uploads,
        figures.list_size,
        figures.rings,
        figures.filter_bytes,
        figures.changes_a_day,
        figures.seed
    ))?;
    say(format!(
        "checked on the clients: {} different clean pictures ({} held by chance), edited copies found: {}",
        figures.different_clean_pictures, figures.clean_pictures_held_by_chance, figures.edited_copies_found
    ))?;
    let cpu = with.confirm_cpu_s + with.update_cpu_s;
    say(format!("\n{:<44}{:>18}{:>18}", "on the server, measured", "without hashgate", "with hashgate"))?;
    for (what, before, after) in [
        ("checks", without.checks.to_string(), with.checks.to_string()),
        ("  of them listed; cleared", "-".into(), format!("{}; {}", with.listed, with.cleared)),
        ("CPU ms a check", format!("{:.2}", without.cpu_ms_a_check), format!("{:.2}", with.cpu_ms_a_check)),
        ("CPU seconds, first downloads left aside", format!("{:.1}", without.cpu_s), format!("{cpu:.2}")),
        ("picture bytes hashed", format!("{:.1} MB", without.picture_bytes_hashed as f64 / 1e6), "0".into()),
        ("bytes of confirm, both ways", "-".into(), kilobytes(with.confirm_bytes)),
        (
            "requests for manifests; for deltas",
            "-".into(),
            format!("{}; {}", with.manifest_requests, with.delta_requests),
        ),
        ("bytes of manifests, both ways", "-".into(), kilobytes(with.manifest_bytes)),
        ("bytes of deltas, both ways", "-".into(), kilobytes(with.delta_bytes)),
        (
            "egress of updates a client, manifests too",
            "-".into(),
            format!("{:.1} kB", with.update_bytes_a_client / 1e3),
        ),
        ("  a client that was away", "-".into(), format!("{:.1} kB", with.update_bytes_a_client_back / 1e3)),
        (
            "first downloads",
            "-".into(),
            format!("{} clients, {}", with.new_clients, kilobytes(with.first_download_bytes)),
        ),
    ] {
        say(format!("{what:<44}{before:>18}{after:>18}"))?;
    }
    say(format!("{:.0} times fewer checks on the server", figures.times_fewer_checks))?;
    let header = figures
        .larger
        .iter()
        .map(|larger| format!("{:>24}", format!("{:.0e} clients", larger.clients)))
        .collect::<String>();
    say(format!("\n{:<44}{header}", "worked out for a day of"))?;
    let row = |what: &str, value: &dyn Fn(&Larger) -> String| {
        say(format!(
            "{what:<44}{}",
            figures.larger.iter().map(|larger| format!("{:>24}", value(larger))).collect::<String>()
        ))
    };
    row("uploads", &|larger| format!("{:.3e}", larger.uploads))?;
    row("checks on the server without hashgate", &|larger| format!("{:.3e}", larger.checks_without))?;
    row("checks on the server with it", &|larger| format!("{:.3e}", larger.checks_with))?;
    row("  times fewer", &|larger| format!("{:.0}", larger.checks_without / larger.checks_with))?;
    row("  a second", &|larger| format!("{:.1}", larger.checks_a_second_with))?;
    row("CPU cores, busy all day, without hashgate", &|larger| format!("{:.1}", larger.cpu_cores_without))?;
    row("CPU cores, busy all day, with it", &|larger| format!("{:.2}", larger.cpu_cores_with))?;
    row("requests for updates a second", &|larger| format!("{:.0}", larger.update_requests_a_second))?;
    row("GB of updates", &|larger| format!("{:.0}", larger.update_gigabytes))?;
    row("GB of first downloads", &|larger| format!("{:.0}", larger.first_download_gigabytes))?;
    say("\nassumed".into())?;
    for (what, value) in &figures.assumptions {
        say(format!("  {what:<46}{value}"))?;
    }
    Ok(())
}
