//! `hashgate publish`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::release::sign::write_delta;
use hashgate::release::{DeltaFile, FullFile, MAX_LINES, Manifest, Trust};
use hashgate::{Filter, FilterInfo, Refusal};
use hashgate_native::atomic::write_atomically;
use hashgate_native::terminal::remark;
use hashgate_native::{clock, list, text};

use super::build::{RequestArgs, say_lists, say_plan, say_recall};
use crate::keys;
use crate::published::{self, CURRENT};

/// Room for growth by default, in per cent.
const HEADROOM: u32 = 5;

/// Publish the next release of a list into a folder that any static web server can serve.
///
/// Adds the full filter file, deltas from the last few releases, and the signed manifest. The manifest is written last, so
/// whoever reads the folder meanwhile gets the release before. Sign each list with a key of its own: whoever trusts a key
/// trusts every list that it signed.
#[derive(clap::Args)]
pub struct Args {
    /// Lists, in a format that `build` reads.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
    /// Folder of the releases. Made if it isn't there.
    #[arg(long)]
    dir: PathBuf,
    /// File of the private key, as `keygen` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    request: RequestArgs,
    /// How long clients may rely on the release, in days or hours: 14d, 36h.
    #[arg(long, default_value = "14d", value_parser = duration)]
    expires: u64,
    /// Who vouches for the list. May be given several times. Default: the key's name.
    #[arg(long = "curator", value_name = "NAME", value_parser = text::label)]
    curators: Vec<String>,
    /// Room for growth, in per cent of today's entries. Until it is used up, clients update by small deltas.
    #[arg(long, default_value_t = HEADROOM, value_name = "PERCENT")]
    headroom: u32,
    /// Number of earlier releases from which a delta is made.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(0..=MAX_LINES as i64))]
    deltas: u8,
    /// Public keys that signed the earlier releases, if the key has changed: text or files.
    #[arg(long, value_name = "KEY", num_args = 1..)]
    trust: Vec<String>,
    /// Leave manifest.txt as it is. The release becomes current with `hashgate cosign --current`.
    #[arg(long)]
    pending: bool,
    /// Signed time in seconds since 1970 UTC. Default: SOURCE_DATE_EPOCH, or else now.
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    issued: Option<u64>,
    #[command(flatten)]
    reading: list::Options,
}

/// The current release.
struct Last {
    manifest: Manifest,
    info: FilterInfo,
}

/// Publishes the next release.
///
/// # Errors
/// A key, a list or the release before can't be used, or a file can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let key = keys::read(&args.key)?;
    let trust = Trust::new(&[vec![key.public()], keys::public(&args.trust)?].concat(), 1)?;
    fs::create_dir_all(&args.dir).with_context(|| args.dir.display().to_string())?;
    let issued = args.issued.map_or_else(clock::now_unix_s, Ok)?;
    let last = last(args, &trust, issued)?;
    let release = last.as_ref().map_or(1, |last| last.manifest.release + 1);
    let kept = args.dir.join(published::manifest_name(release));
    if kept.exists() {
        bail!(
            "{}: expected no release {release} yet, got one that isn't current: cosign it with --current, or remove it",
            kept.display()
        );
    }

    let lists = list::read_all(&args.lists, &args.reading)?;
    let entries = args.request.entries(&lists)?;
    say_lists(&lists, &entries, &args.reading);
    let request =
        Request { release, built_at_unix_s: issued, headroom_percent: args.headroom, ..args.request.request() };
    let plan = plan(&request, &entries, last.as_ref())?;
    say_plan(&plan, &entries);
    say_recall(&request, &entries);
    let filter = Filter::open(write(&request, &plan, &entries)?)?;
    let sha256 = Sha256Digest::of(filter.bytes());
    let path = published::full_name(release, &sha256);
    let full = FullFile { path, bytes: filter.info().bytes, sha256 };
    let mut manifest = Manifest::of(filter.info(), full, issued, issued + args.expires);
    manifest.curators = if args.curators.is_empty() { vec![key.name().to_owned()] } else { args.curators.clone() };

    let mut files = vec![(manifest.full.path.clone(), filter.bytes().to_vec())];
    for from in (1..release).rev().take(args.deltas.into()) {
        match delta(&args.dir, from, &trust, &filter) {
            Ok(Some((delta, bytes))) => {
                remark(&format!("  delta from release {from}: {} bytes", delta.bytes));
                files.push((delta.path.clone(), bytes));
                manifest.deltas.push(delta);
            }
            Ok(None) => remark(&format!("  no delta from release {from}: the full file is as short")),
            Err(error) => remark(&format!("  no delta from release {from}: {error:#}")),
        }
    }
    let note = manifest.sign(&key)?;
    files.push((published::manifest_name(release), note.clone().into_bytes()));
    if !args.pending {
        files.push((CURRENT.to_owned(), note.into_bytes()));
    }
    for (name, bytes) in &files {
        write_atomically(&args.dir.join(name), bytes)?;
    }
    remark(&format!(
        "{} release {release} of {:?}, {} bytes, until {}",
        if args.pending { "pending:" } else { "published" },
        manifest.name,
        manifest.full.bytes,
        clock::date(manifest.expires_unix_s)?
    ));
    Ok(ExitCode::SUCCESS)
}

/// Reads the current release, or returns `None` if nothing was published yet.
///
/// # Errors
/// The release is another list's, signed by another key, newer than this one, or damaged.
fn last(args: &Args, trust: &Trust, issued: u64) -> Result<Option<Last>> {
    let path = args.dir.join(CURRENT);
    let name = path.display();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| name.to_string()),
    };
    let manifest = Manifest::verify(&bytes, trust)
        .with_context(|| format!("{name} (if the key was changed, give the one before with --trust)"))?;
    for (field, expected, got) in
        [("name", &manifest.name, &args.request.name), ("category", &manifest.category, &args.request.category)]
    {
        ensure!(
            expected == got,
            "--{field}: expected {expected:?}, as in {name}, got {got:?}: another list needs another folder"
        );
    }
    ensure!(
        manifest.issued_unix_s <= issued,
        "--issued: expected at least {}, as in {name}, got {issued}",
        manifest.issued_unix_s
    );
    let (_, info) =
        published::full(&args.dir, &manifest).context("the current release is damaged; put the file back")?;
    Ok(Some(Last { manifest, info }))
}

/// Plans the filter in the geometry of the last release, so that a delta leads to it, or in a new one if the list no longer
/// fits.
fn plan(request: &Request, entries: &Entries, last: Option<&Last>) -> Result<Plan, Refusal> {
    if let Some(last) = last {
        match Plan::in_geometry_of(&last.info, request, entries) {
            Err(error) => remark(&format!("a full file only, in a new geometry: {error}")),
            plan => return plan,
        }
    }
    Plan::new(request, entries)
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

fn duration(text: &str) -> Result<u64, String> {
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
