//! `hashgate publish`.

pub(super) mod changes;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::release::sign::write_delta;
use hashgate::release::{DeltaFile, FullFile, MAX_LINES, Manifest, Trust};
use hashgate::{Filter, RefusalCode};
use hashgate_native::atomic::write_atomically;
use hashgate_native::terminal::{complain, remark};
use hashgate_native::{clock, list, lock, text};

use super::build::{say_lists, say_plan, say_recall};
use super::clean::CleanArgs;
use super::logged::{AboutArgs, LogArgs};
use crate::keys;
use crate::memory::Memory;
use crate::published::{self, CURRENT};

/// Room for growth by default, in per cent.
const HEADROOM: u32 = 5;
/// Number of earlier releases from which a delta is made by default.
const DELTAS: u8 = 8;
/// How long clients may rely on a release by default, in seconds: 14 days.
const EXPIRES: u64 = 14 * 86_400;

/// Publish the next release of a list into a folder that any static web server can serve.
///
/// Adds the full filter file, deltas from the last few releases, and the signed manifest. The manifest is written last,
/// so a client that reads the folder meanwhile gets the previous release. Sign each list with a key of its own: whoever
/// trusts a key trusts every list that it signed.
///
/// What isn't given comes from the list file hashgate.toml, then from the last release, then from the defaults.
#[derive(Clone, clap::Args)]
pub struct Args {
    /// Lists, in any form that `build` reads. Default: those of the list file.
    lists: Vec<PathBuf>,
    /// List file. Default: hashgate.toml in this folder, if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the releases. Made if it isn't there.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// File of the private key, as `keygen` writes it.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Name of the list. Needed for the first release.
    #[arg(long, value_parser = text::label)]
    name: Option<String>,
    /// What the list holds, in words for people whose upload is held. Needed for the first release.
    #[arg(long, value_parser = text::label)]
    category: Option<String>,
    /// Number of ring keys per PDQ hash, 1 to 4. Default: as in the last release, or 2.
    #[arg(long)]
    rings: Option<u32>,
    /// Fewest bits of a ring key, 52 to 64. Default: as in the last release, or 52.
    #[arg(long)]
    ring_key_bits: Option<u32>,
    /// Share of clean pictures that may match by chance. Default: as in the last release, or 1e-4.
    #[arg(long, alias = "escalation")]
    false_positive_rate: Option<f64>,
    /// The lists hold frames of films: the rate counts per frame, and is 1e-6 unless --false-positive-rate says
    /// otherwise.
    #[arg(long)]
    frames: bool,
    /// Lookups per ring key of a full view, 1 to 65536. Default: as in the last release, or 8192.
    #[arg(long, alias = "probe-budget")]
    lookup_budget: Option<u32>,
    /// Lookups per ring key of a derived view. Default: as in the last release, or a quarter of the lookup budget.
    #[arg(long, alias = "view-probe-budget")]
    view_lookup_budget: Option<u32>,
    /// Use only hashes that at least K of the lists hold. Default: as for the last release, or 1.
    #[arg(long, value_name = "K")]
    require_sources: Option<usize>,
    /// Number of signatures that clients ask for. With 2 or more, the release is pending until it is cosigned. Default:
    /// as for the last release, or 1.
    #[arg(long, value_name = "K", value_parser = threshold)]
    threshold: Option<usize>,
    /// How long clients may rely on the release, in days or hours: 14d, 36h. Default: 14d.
    #[arg(long, value_parser = duration)]
    expires: Option<u64>,
    /// Who vouches for the list. May be given several times. Default: as in the last release, or the key's name.
    #[arg(long = "curator", value_name = "NAME", value_parser = text::label)]
    curators: Vec<String>,
    /// Room for growth, in per cent of today's entries. Until the room is used up, clients update by small deltas.
    /// Default: as for the last release, or 5.
    #[arg(long, value_name = "PERCENT")]
    headroom: Option<u32>,
    /// Number of earlier releases from which a delta is made. Default: 8.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=MAX_LINES as i64))]
    deltas: Option<u8>,
    /// Public keys that signed the earlier releases, if the key has changed: text or files. They are remembered.
    #[arg(long, value_name = "KEY", num_args = 1..)]
    trust: Vec<String>,
    /// Leave manifest.txt as it is. The release becomes current with `hashgate cosign --current`.
    #[arg(long, conflicts_with = "log")]
    pending: bool,
    /// Say what would be published, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Publish also if a changed setting makes every client download the full file.
    #[arg(long)]
    yes: bool,
    /// Signed time in seconds since 1970 UTC. Default: SOURCE_DATE_EPOCH, or else now.
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    issued: Option<u64>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    about: AboutArgs,
    #[command(flatten)]
    clean: CleanArgs,
    #[command(flatten)]
    reading: list::Options,
}

impl Args {
    /// Returns the name and category of the list: those of the last release, or else the given ones.
    fn label<'a>(&'a self, last: Option<&'a Last>) -> (&'a str, &'a str) {
        let given = (self.name.as_deref().unwrap_or_default(), self.category.as_deref().unwrap_or_default());
        last.map_or(given, |last| (&last.manifest.name, &last.manifest.category))
    }
}

/// The release that is current until the new release is published.
struct Last {
    manifest: Manifest,
    filter: Filter,
}

/// Publishes the next release.
///
/// # Errors
/// A key, a list or the release before can't be used, or a file can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let args = &args.clone().with_list_file()?;
    let needed = "give it, or write it into hashgate.toml";
    let key_path = args.key.as_deref().with_context(|| format!("--key: expected a private key, got none; {needed}"))?;
    let dir = args.dir.as_deref().with_context(|| format!("--dir: expected a folder, got none; {needed}"))?;
    let key = keys::read(key_path)?;
    let mut memory = Memory::read(key_path)?;
    let mut trusted = vec![key.public()];
    for known in keys::public(&args.trust)?.into_iter().chain(memory.keys.clone()) {
        if !trusted.contains(&known) {
            trusted.push(known);
        }
    }
    let trust = Trust::new(&trusted, 1)?;
    let _lock = match dir.is_dir() || !args.dry_run {
        true => {
            fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
            Some(lock::folder(dir)?)
        }
        false => None,
    };
    let issued = args.issued.map_or_else(clock::now_unix_s, Ok)?;
    let earlier = last(dir, &trust, issued)?;
    let mut log = if args.pending || args.dry_run { None } else { args.log.open(dir, args.label(earlier.as_ref()))? };
    // If an interrupted `publish` left a release in the log, opening the log has made it current. So the current
    // release is read again.
    let last = if log.is_some() { last(dir, &trust, issued)? } else { earlier };
    let release = last.as_ref().map_or(1, |last| last.manifest.release + 1);
    let kept = dir.join(published::manifest_name(release));
    if kept.exists() {
        bail!(
            "{}: expected no release {release} yet, got one that isn't current: cosign it with --current, or remove it",
            kept.display()
        );
    }
    let before = last.as_ref().map(|last| (&last.manifest, last.filter.info()));
    let name = before.map(|(manifest, _)| manifest.name.clone()).or(args.name.clone()).unwrap_or_default();
    let remembered = memory.lists.get(&name).cloned().unwrap_or_default();
    let settled = args.settle(before, &remembered, key.name())?;
    let pending = args.pending || settled.threshold > 1;
    ensure!(
        !pending || log.is_none(),
        "--log: expected a release that becomes current at once, got one that awaits {} signatures; give --log to \
         `hashgate cosign --current` instead",
        settled.threshold
    );

    let lists = list::read_all(&args.lists, &args.reading)?;
    let mut entries = settled.request.entries(&lists)?;
    say_lists(&lists, &entries, &args.reading);
    let request = settled
        .request
        .request()
        .with_release(release)
        .with_built_at_unix_s(issued)
        .with_headroom_percent(settled.headroom);
    args.clean.check(&request, &mut entries, args.reading.suspect)?;
    let plan = plan(&request, &entries, last.as_ref(), args)?;
    say_plan(&plan, &entries);
    say_recall(&request, &entries);
    if let Some(last) = &last {
        changes::say(&last.filter, &entries, args.dry_run);
    }
    let filter = Filter::open(write(&request, &plan, &entries)?)?;
    let sha256 = Sha256Digest::of(filter.bytes());
    let path = published::full_name(release, &sha256);
    let full = FullFile { path, bytes: filter.info().bytes, sha256 };
    let mut manifest = Manifest::of(filter.info(), full, issued, issued + settled.expires);
    manifest.curators = settled.curators;
    if let Some((earlier, _)) = before {
        manifest.policy.clone_from(&earlier.policy);
        manifest.appeals.clone_from(&earlier.appeals);
        manifest.jurisdiction.clone_from(&earlier.jurisdiction);
    }
    args.about.apply(&mut manifest, &entries, &args.reading)?;

    let mut files = vec![(manifest.full.path.clone(), filter.bytes().to_vec())];
    for from in (1..release).rev().take(settled.deltas.into()) {
        match delta(dir, from, &trust, &filter) {
            Ok(Some((delta, bytes))) => {
                remark(&format!("  delta from release {from}: {} bytes", delta.bytes));
                files.push((delta.path.clone(), bytes));
                manifest.deltas.push(delta);
            }
            Ok(None) => remark(&format!("  no delta from release {from}: the full file is as short")),
            Err(error) => remark(&format!("  no delta from release {from}: {error:#}")),
        }
    }
    let note = manifest.sign(&key)?.into_bytes();
    let until = clock::date(manifest.expires_unix_s)?;
    if args.dry_run {
        let bytes = manifest.full.bytes;
        remark(&format!("dry run: release {release} of {:?} would have {bytes} bytes, until {until}", manifest.name));
        return Ok(ExitCode::SUCCESS);
    }
    for (name, bytes) in &files {
        write_atomically(&dir.join(name), bytes)?;
    }
    if let Some(log) = &mut log {
        log.enter(release, &note)?;
    }
    write_atomically(&kept, &note)?;
    if !pending {
        write_atomically(&dir.join(CURRENT), &note)?;
    }
    trusted.retain(|known| *known != key.public());
    memory.keys = trusted;
    let of_list = memory.lists.entry(manifest.name.clone()).or_default();
    of_list.headroom = args.headroom.or(of_list.headroom);
    of_list.require_sources = args.require_sources.or(of_list.require_sources);
    of_list.threshold = args.threshold.or(of_list.threshold);
    if *of_list == Default::default() {
        memory.lists.remove(&manifest.name);
    }
    if let Err(error) = memory.write(key_path) {
        complain(&format!("not remembered for the next release: {error:#}; give the same options again"));
    }
    remark(&format!(
        "{} release {release} of {:?}, {} bytes, until {until}",
        if pending { "pending:" } else { "published" },
        manifest.name,
        manifest.full.bytes,
    ));
    Ok(ExitCode::SUCCESS)
}

/// Reads the current release, or returns `None` if nothing was published yet.
///
/// # Errors
/// The release is signed by another key, newer than this one, or damaged.
fn last(dir: &Path, trust: &Trust, issued: u64) -> Result<Option<Last>> {
    let path = dir.join(CURRENT);
    let name = path.display();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| name.to_string()),
    };
    let manifest = Manifest::verify(&bytes, trust)
        .with_context(|| format!("{name} (if the key was changed, give the one before with --trust)"))?;
    ensure!(
        manifest.issued_unix_s <= issued,
        "--issued: expected at least {}, as in {name}, got {issued}",
        manifest.issued_unix_s
    );
    let (bytes, _) = published::full(dir, &manifest).context("the current release is damaged; put the file back")?;
    Ok(Some(Last { manifest, filter: Filter::open(bytes)? }))
}

/// Plans the filter in the geometry of the last release, so that clients can update by a delta. If the list no longer
/// fits, plans a new geometry.
///
/// # Errors
/// No filter can meet the request. Or another setting, or another kind of hashes, needs a new geometry, and --yes isn't
/// given: every client would download the full file.
fn plan(request: &Request, entries: &Entries, last: Option<&Last>, args: &Args) -> Result<Plan> {
    let Some(last) = last else { return Ok(Plan::new(request, entries)?) };
    let refusal = match Plan::in_geometry_of(last.filter.info(), request, entries) {
        Ok(plan) => return Ok(plan),
        Err(refusal) => refusal,
    };
    let plan = Plan::new(request, entries)?;
    remark(&format!("a full file only, in a new geometry: {refusal}"));
    remark(&format!("  every client downloads {} bytes once, in place of a small delta", plan.file_bytes));
    // A list that has outgrown its room for growth is published nevertheless, so that unattended jobs don't stop.
    if refusal.code != RefusalCode::BuildCapacity && !args.yes && !args.dry_run {
        bail!(
            "--yes: expected it for a change that makes every client download {} bytes ({}), got none; give it, or leave \
             the setting as it was",
            plan.file_bytes,
            refusal.field
        );
    }
    Ok(plan)
}

/// Makes the delta from an earlier release. Returns `None` if it is no shorter than the full file.
fn delta(folder: &Path, from: u64, trust: &Trust, filter: &Filter) -> Result<Option<(DeltaFile, Vec<u8>)>> {
    let path = folder.join(published::manifest_name(from));
    let note = fs::read(&path).with_context(|| path.display().to_string())?;
    let earlier = Manifest::verify(&note, trust).with_context(|| path.display().to_string())?;
    let (base, _) = published::full(folder, &earlier)?;
    let bytes = write_delta(&base, filter.bytes())?.bytes;
    if bytes.len() >= filter.bytes().len() {
        return Ok(None);
    }
    let sha256 = Sha256Digest::of(&bytes);
    let path = published::delta_name(from, filter.info().release, &sha256);
    let length = bytes.len() as u64;
    Ok(Some((DeltaFile { from, path, bytes: length, sha256, base_sha256: earlier.full.sha256 }, bytes)))
}

fn threshold(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| format!("expected a number from 1 to 100, got {text:?}"))
}

/// Reads a duration as seconds.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "d" => 86_400,
            "h" => 3600,
            _ => return None,
        };
        number.parse::<u32>().ok().filter(|&number| number > 0).map(|number| u64::from(number) * seconds)
    };
    read().ok_or_else(|| format!("expected days or hours such as 14d or 36h, got {text:?}"))
}
