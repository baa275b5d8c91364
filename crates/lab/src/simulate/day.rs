//! Plays a day: clients upload pictures and follow the list.

use anyhow::{Result, bail, ensure};
use hashgate::Filter;
use hashgate::filter::{RING_KEY_BITS, ring_key};
use hashgate::pdq::PdqHash;
use hashgate_native::terminal::complain;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::Args;
use super::client::Client;
use super::cost::{assumptions, larger, without};
use super::figures::{Figures, With};
use super::pictures::{Upload, edit, jpeg, picture, plain, question};
use super::processes::{Server, hashgate, publish, succeed};
use super::wire::Wire;

/// Number of listed pictures that are drawn. The rest of the list consists of numbered hashes.
const LISTED: u32 = 24;
/// Number of confirm requests over which the cost of one request is averaged.
const SAMPLE: u32 = 1_000;
/// Number of releases before the day begins. The manifest has a delta from each of them.
pub const HISTORY: u64 = 8;
/// The release that the client with the longest absence has.
const OLDEST: u64 = HISTORY - 2;

/// Plays the day.
///
/// # Errors
/// The server doesn't start, or answers otherwise than it should.
pub async fn play(args: &Args, folder: &TempDir, numbered: &(dyn Fn(u32) -> PdqHash + Sync)) -> Result<Figures> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    complain(&format!("drawing {} pictures", args.pictures + LISTED));
    let draw = |seed: u32| picture(seed, args.seed);
    let drawn: Vec<_> = (0..LISTED).into_par_iter().map(draw).collect();
    let listed = drawn.par_iter().map(|picture| jpeg(picture, 90)).collect::<Result<Vec<_>>>()?;
    let edited: Vec<_> =
        drawn.par_iter().zip(0..LISTED).map(|(picture, kind)| edit(picture, kind)).collect::<Result<_>>()?;
    let clean: Vec<_> =
        (0..args.pictures).into_par_iter().map(|seed| jpeg(&draw(1_000_000 + seed), 85)).collect::<Result<_>>()?;
    let originals = listed.iter().map(|bytes| plain(bytes)).collect::<Result<Vec<_>>>()?;

    // Each day, `changes` hashes change: half of them are removed, and as many are added.
    let half = args.changes / 2;
    let list = |release: u64| -> Vec<PdqHash> {
        let first = release as u32 * half;
        originals.iter().copied().chain((first..first + args.list_size - LISTED).map(numbered)).collect()
    };
    succeed(hashgate(folder.path())?.args(["keygen", "--out", "key", "--name", "simulation"]))?;
    let publish = |release: u64| {
        complain(&format!("publishing release {release}"));
        publish(folder.path(), &list(release))
    };
    let old: Vec<Vec<u8>> = (1..=HISTORY).map(publish).collect::<Result<_>>()?;
    let server = Server::start(folder.path(), true)?;
    let filter = Filter::open(old[HISTORY as usize - 1].clone())?;

    // Checks the pictures against the filter, as browsers do.
    complain("checking the pictures");
    let filters = std::slice::from_ref(&filter);
    let check = |all: Vec<Vec<u8>>| -> Vec<Upload> {
        all.into_par_iter().map(|bytes| Upload { question: question(&bytes, filters), bytes }).collect()
    };
    let (listed, edited, clean) = (check(listed), check(edited), check(clean));
    let held = |uploads: &[Upload]| uploads.iter().filter(|upload| upload.question.is_some()).count();

    let mut with = With::default();
    complain(&format!("playing {} clients", args.clients));
    // Plays the uploads.
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
    // A day may have few confirm requests, so the cost of one is measured over `SAMPLE` requests.
    let before = server.cpu().await?;
    for n in 0..SAMPLE {
        let hash = numbered(n * 31);
        let question = json!({ "pdq": hash.to_string(), "ring": 0, "key": format!("{:016x}", ring_key(&hash, 0, *RING_KEY_BITS.start())) });
        Wire::open(server.address).await?.confirm(&question.to_string()).await?;
    }
    with.cpu_ms_a_check = (server.cpu().await? - before) * 1e3 / f64::from(SAMPLE);

    // Each client asks for updates: half of its requests come before today's release is published, half afterwards.
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
    // Every client must have the same bytes, whether it fetched deltas or the whole file.
    ensure!(
        clients.iter().all(|client| client.file.as_ref() == Some(&last)),
        "filters of the clients: expected the published bytes, got others"
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
        false_positive_rate: info.image_false_positive_rate(),
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
