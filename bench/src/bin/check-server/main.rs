//! Measures `POST /v1/check` of `hashgate serve` with a filter of 1,000,000 hashes: checks per second, latency,
//! processor time and memory. Then tests that the server survives slow, broken and hostile senders.
//!
//! ```sh
//! cargo build --release -p hashgate-cli
//! cargo run --release -p hashgate-bench --bin check-server [-- [--server PATH] [--files FOLDER] [--checks N]]
//! ```
//!
//! The pictures are drawn and have 2 megapixels, or are the files of FOLDER. The client runs on the same machine and
//! takes its share of the processors. So the program also prints the server's own processor time per check, which other
//! work on the machine disturbs less than the rate. It fails if the server ends or exceeds its memory bound.

mod client;
mod pictures;
mod process;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hashgate_testkit::Random;
use hashgate_testkit::jpeg::mutate;

use client::{Connection, Sent};
use process::Server;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Number of uploads in the endurance run, and of requests in the hostile run.
const MIXED: usize = 2_000;
const HOSTILE: usize = 10_000;
/// Most resident memory of the server in MB that counts as a success. The filter takes 12 MB of it.
const MOST_MB: f64 = 300.0;

struct Options {
    server: PathBuf,
    files: Option<PathBuf>,
    checks: usize,
}

fn options() -> Result<Options> {
    let mut options = Options { server: "target/release/hashgate".into(), files: None, checks: 600 };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name}: expected a value"))?;
        match name.as_str() {
            "--server" => options.server = value.into(),
            "--files" => options.files = Some(value.into()),
            "--checks" => options.checks = value.parse()?,
            _ => return Err(format!("expected --server, --files or --checks, got {name}").into()),
        }
    }
    Ok(options)
}

fn main() -> Result<()> {
    let options = options()?;
    let folder = PathBuf::from("target/bench");
    std::fs::create_dir_all(&folder)?;
    let filter = pictures::filter(&folder)?;
    let pictures = match &options.files {
        Some(folder) => pictures::of_folder(folder)?,
        None => pictures::drawn(),
    };
    let bytes: usize = pictures.iter().map(Vec::len).sum();
    println!("{} pictures of {} kB on average", pictures.len(), bytes / pictures.len() / 1000);
    let server = Server::start(&options.server, &filter)?;
    println!("load of the machine {}; server at {:.0} MB", process::load(), server.memory_mb()?);
    for connections in [1, 2, 8] {
        throughput(&server, &pictures, options.checks, connections)?;
    }
    let start = server.memory_mb()?;
    mixed(&server, &pictures)?;
    hostile(&server, &pictures)?;
    let (end, peak) = (server.memory_mb()?, server.peak_mb()?);
    println!("memory: {start:.0} MB before, {end:.0} MB after, at most {peak:.0} MB");
    println!("load of the machine {}", process::load());
    if peak > MOST_MB {
        return Err(format!("memory: expected at most {MOST_MB} MB, got {peak:.0}").into());
    }
    Ok(())
}

/// Posts the pictures in turn over connections that stay open. Prints checks per second, latencies and processor times.
fn throughput(server: &Server, pictures: &[Vec<u8>], checks: usize, connections: usize) -> Result<()> {
    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let (cpu, own, start) = (server.cpu()?, process::own_cpu()?, Instant::now());
    let work = || -> Result<()> {
        let mut connection = Connection::open(server.address)?;
        let mut own = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= checks {
                break;
            }
            let start = Instant::now();
            let status = connection.check(&pictures[number % pictures.len()])?;
            if !matches!(status, 200 | 422 | 451) {
                return Err(format!("expected a verdict, got status {status}").into());
            }
            own.push(start.elapsed());
        }
        times.lock().expect("not poisoned").append(&mut own);
        Ok(())
    };
    side_by_side(connections, work)?;
    let wall = start.elapsed().as_secs_f64();
    let (cpu, own) = (server.cpu()? - cpu, process::own_cpu()? - own);
    let mut times = times.into_inner()?;
    times.sort_unstable();
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
    let per_check = cpu / checks as f64;
    println!(
        "{connections} at once: {:.0} checks per second, p50 {:.1} ms, p99 {:.1} ms; {:.2} ms of processor time per check \
         (2 processors have time for {:.0} per second), the client {:.2}; {:.0} MB",
        checks as f64 / wall,
        at(0.5),
        at(0.99),
        per_check * 1e3,
        2.0 / per_check,
        own / checks as f64 * 1e3,
        server.memory_mb()?
    );
    Ok(())
}

/// Runs `work` on `count` threads at the same time.
fn side_by_side(count: usize, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..count).map(|_| scope.spawn(|| work().map_err(|error| error.to_string()))).collect();
        spawned.into_iter().try_for_each(|thread| thread.join().expect("no panic").map_err(Into::into))
    })
}

/// Sends pictures, other files, forms, slow uploads and uploads that break off. Prints the server's memory meanwhile.
fn mixed(server: &Server, pictures: &[Vec<u8>]) -> Result<()> {
    let film: Vec<u8> = [b"\x1a\x45\xdf\xa3".as_slice(), &vec![7; 20 << 20]].concat();
    let next = AtomicUsize::new(0);
    let memory = Mutex::new(Vec::new());
    let counts = Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= MIXED {
                return Ok(());
            }
            if number.is_multiple_of(MIXED / 8) {
                memory.lock().expect("not poisoned").push(format!("{:.0}", server.memory_mb()?));
            }
            let picture = &pictures[number % pictures.len()];
            let (kind, sent) = match number % 20 {
                0 => ("slow", client::slow(server.address, picture, Duration::from_secs(2))?),
                1 => ("broken", client::broken(server.address, &picture[..picture.len() / 2], picture.len())?),
                2 => ("film", client::once(server.address, &film)?),
                3 | 4 => ("form", client::form(server.address, picture)?),
                5 => ("text", client::once(server.address, b"just words")?),
                6 => ("cut picture", client::once(server.address, &picture[..picture.len() / 2])?),
                _ => ("picture", client::once(server.address, picture)?),
            };
            *counts.lock().expect("not poisoned").entry(format!("{kind}: {sent}")).or_default() += 1;
        }
    };
    side_by_side(16, work)?;
    println!("{MIXED} mixed uploads over 16 connections, memory in MB: {}", memory.into_inner()?.join(" "));
    println!("  {:?}", counts.into_inner()?);
    Ok(())
}

/// Sends hostile and broken pictures and malformed requests. Then tests that a picture is still checked correctly.
fn hostile(server: &Server, pictures: &[Vec<u8>]) -> Result<()> {
    let hostile = hashgate_testkit::hostile::files();
    let small = pictures::small();
    let next = AtomicUsize::new(0);
    let counts = Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let memory = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= HOSTILE {
                return Ok(());
            }
            if number.is_multiple_of(HOSTILE / 8) {
                memory.lock().expect("not poisoned").push(format!("{:.0}", server.memory_mb()?));
            }
            let mut random = Random::new(number as u64);
            let sent = match number % 4 {
                0 => client::once(server.address, &hostile[number / 4 % hostile.len()].bytes)?,
                1 => client::once(server.address, &mutate(&small[number / 4 % small.len()], &mut random))?,
                2 => client::noise(server.address, &mut random)?,
                _ => client::odd_head(server.address, number / 4, &small[0])?,
            };
            *counts.lock().expect("not poisoned").entry(sent.to_string()).or_default() += 1;
        }
    };
    side_by_side(16, work)?;
    println!("{HOSTILE} hostile requests, memory in MB: {}", memory.into_inner()?.join(" "));
    let counts = counts.into_inner()?;
    println!("  {counts:?}");
    if let Some(status) = counts.keys().find(|status| status.starts_with('5') && *status != "503") {
        return Err(format!("expected no status of an error in the server, got {status}").into());
    }
    match client::once(server.address, &pictures[0])? {
        Sent::Status(200 | 422 | 451) => {
            println!("  serving");
            Ok(())
        }
        other => Err(format!("expected a verdict after hostile requests, got {other}").into()),
    }
}
