//! `hashgate monitor`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use hashgate::release::log::merkle::leaf;
use hashgate::release::log::{Checkpoint, LogTrust, read_unverified};
use hashgate::release::{Manifest, Trust};
use hashgate_native::terminal::{remark, say, say_pretty_json};
use hashgate_native::{clock, secret};
use serde::Serialize;

use crate::durable;
use crate::folder::{CHECKPOINT, read_entries, write_growth};
use crate::history::{Finding, History};
use crate::page;
use crate::policy::Policy;
use crate::source::Source;
use crate::tiles::{self, Tile, WIDTH};
use crate::tree::Tree;

/// Watch a log: verify that it only grows and that every entry is a release, and say what changed.
///
/// Keep --state: with it, the monitor notices that a log was rewound or forked since it looked last. Exit code: 0 if
/// all is well, 1 if something is wrong with the log, 2 if the log can't be read.
#[derive(clap::Args)]
pub struct Args {
    /// Address of the log, or its folder.
    url: String,
    /// Public key of the log: text or file.
    #[arg(long, value_name = "KEY")]
    log_key: Option<String>,
    /// Name of the log. Default: the key's name.
    #[arg(long)]
    origin: Option<String>,
    /// Policy (C2SP tlog-policy): the log, and the witnesses that must have cosigned.
    #[arg(long, value_name = "FILE")]
    log_policy: Option<PathBuf>,
    /// Public keys that must have signed each release: text or files.
    #[arg(long, value_name = "KEY", num_args = 1..)]
    trust: Vec<String>,
    /// How many of them.
    #[arg(long, default_value_t = 1, value_name = "K")]
    threshold: usize,
    /// Address of the folder with the list's manifest.txt, or the folder. Checks that what is served there is in the
    /// log.
    #[arg(long, value_name = "URL")]
    list: Option<String>,
    /// Folder that keeps a copy of the log between runs.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Write the audit page, as HTML.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Look again every so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    follow: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a monitor saw.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Where the log is.
    pub url: String,
    /// When the monitor looked, in seconds since 1970.
    pub at_unix_s: u64,
    /// The checkpoint, if it could be verified.
    pub checkpoint: Option<Checkpoint>,
    /// The releases.
    #[serde(flatten)]
    pub history: History,
    /// Entries since the last look.
    pub new: u64,
}

/// What the monitor knew of a log from its earlier runs.
#[derive(Debug, Default)]
struct Known {
    entries: Vec<Vec<u8>>,
    note: Option<Vec<u8>>,
}

/// Watches a log once, or until the process is ended.
///
/// # Errors
/// The log or an argument can't be read.
pub fn run(args: &Args) -> Result<ExitCode> {
    let policy = args.log_policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    let key = args.log_key.as_deref().map(secret::public).transpose()?;
    let trust = policy.trust(key.as_deref(), args.origin.as_deref())?;
    let keys: Vec<_> = args.trust.iter().map(|key| secret::public(key)).collect::<Result<_>>()?;
    let signers = if keys.is_empty() { None } else { Some(Trust::new(&keys, args.threshold)?) };
    let source = Source::open(&args.url)?;
    let mut known = args.state.as_deref().map(read_state).transpose()?.unwrap_or_default();
    loop {
        let seen = match look(args, &source, &trust, signers.as_ref(), &mut known) {
            Ok(seen) => seen,
            Err(error) => match args.follow {
                None => return Err(error),
                Some(seconds) => {
                    hashgate_native::terminal::complain(&format!("{error:#}"));
                    std::thread::sleep(Duration::from_secs(seconds));
                    continue;
                }
            },
        };
        print(args, &seen)?;
        if let Some(path) = &args.page {
            durable::write(path, page::write(&seen)?.as_bytes())?;
        }
        match args.follow {
            Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
            None => {
                let has_alarm = seen.history.findings.iter().any(|finding| finding.alarm);
                return Ok(ExitCode::from(u8::from(has_alarm)));
            }
        }
    }
}

fn read_state(folder: &std::path::Path) -> Result<Known> {
    let Some(note) = durable::read(&folder.join(CHECKPOINT))? else { return Ok(Known::default()) };
    let (_, size, _) = read_unverified(&note)?;
    Ok(Known { entries: read_entries(folder, size)?, note: Some(note) })
}

/// Fetches new entries and compares them with what was known of the log. If the new entries contradict the known ones,
/// reports that and keeps the known ones.
fn look(args: &Args, source: &Source, trust: &LogTrust, signers: Option<&Trust>, known: &mut Known) -> Result<Seen> {
    let note = source.need(CHECKPOINT)?;
    let mut seen = Seen {
        url: args.url.clone(),
        at_unix_s: clock::now_unix_s()?,
        checkpoint: None,
        history: History::default(),
        new: 0,
    };
    let old = known.entries.len() as u64;
    match fetch(source, trust, &note, known) {
        Ok((checkpoint, entries)) => {
            seen.new = entries.len() as u64 - old;
            if let Some(folder) = &args.state {
                let tree = tree_of(&entries);
                write_growth(folder, &entries, &tree, old)?;
                durable::write(&folder.join(CHECKPOINT), &note)?;
            }
            *known = Known { entries, note: Some(note) };
            seen.checkpoint = Some(checkpoint);
            seen.history = History::read(&known.entries, signers);
        }
        Err(Problem::Found(finding)) => {
            seen.history = History::read(&known.entries, signers);
            seen.history.findings.push(finding);
        }
        Err(Problem::Failed(error)) => return Err(error),
    }
    if let Some(list) = &args.list {
        check_list(&Source::open(list)?, known, &mut seen)?;
    }
    Ok(seen)
}

enum Problem {
    Found(Finding),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Verifies the checkpoint, fetches the entries that are new, and checks that all entries make the signed root.
fn fetch(source: &Source, trust: &LogTrust, note: &[u8], known: &Known) -> Result<(Checkpoint, Vec<Vec<u8>>), Problem> {
    let checkpoint = Checkpoint::verify(note, trust).map_err(|refusal| {
        let text = format!("{}: {}: {refusal}", source.name(CHECKPOINT), refusal.code.as_str());
        Problem::Found(Finding::alarm("bad-checkpoint", text))
    })?;
    let old = known.entries.len() as u64;
    let old_root = tree_of(&known.entries).root(old).context("a tree has a root")?;
    let both = || {
        let before = String::from_utf8_lossy(known.note.as_deref().unwrap_or_default());
        format!("Both are signed:\n{before}\n{}", checkpoint.note)
    };
    if checkpoint.size < old {
        let text = format!("the log went back from {old} entries to {}. {}", checkpoint.size, both());
        return Err(Problem::Found(Finding::alarm("rewind", text)));
    }
    let mut entries = known.entries.clone();
    for tile in tiles::bundles(old, checkpoint.size) {
        entries.truncate((tile.index * WIDTH) as usize);
        entries.extend(bundle(source, tile)?);
    }
    let tree = tree_of(&entries);
    if tree.root(old) != Some(old_root) {
        let text =
            format!("the first {old} entries are no longer those that were seen: the log was forked. {}", both());
        return Err(Problem::Found(Finding::alarm("fork", text)));
    }
    if tree.root(checkpoint.size) != Some(checkpoint.root) {
        return Err(Problem::Found(if checkpoint.size == old {
            Finding::alarm("fork", format!("two checkpoints of {old} entries have different roots. {}", both()))
        } else {
            let text = format!("the {} entries that are served don't make the root that is signed", checkpoint.size);
            Finding::alarm("wrong-entries", text)
        }));
    }
    Ok((checkpoint, entries))
}

fn bundle(source: &Source, tile: Tile) -> Result<Vec<Vec<u8>>> {
    // If the partial bundle isn't there, reads the full bundle. It may have replaced the partial one in the meantime.
    let (bytes, width) = match source.read(&tile.path())? {
        Some(bytes) => (bytes, tile.width),
        None => (source.need(&Tile { width: WIDTH, ..tile }.path())?, WIDTH),
    };
    let entries = tiles::read_bundle(&bytes, width).with_context(|| source.name(&tile.path()))?;
    ensure!(entries.len() as u64 >= tile.width, "{}: expected {} entries", source.name(&tile.path()), tile.width);
    Ok(entries.into_iter().take(tile.width as usize).collect())
}

/// Checks that the manifest which a list's server gives out is in the log, and reads the delta of the current release.
fn check_list(source: &Source, known: &Known, seen: &mut Seen) -> Result<()> {
    let note = source.need("manifest.txt")?;
    let name = source.name("manifest.txt");
    let served = match Manifest::read_unverified(&note) {
        Ok(manifest) => manifest,
        Err(refusal) => bail!("{name}: {}: {refusal}", refusal.code.as_str()),
    };
    let what = format!(
        "{name}: release {} of {:?} (SHA-256 of the filter {})",
        served.release, served.name, served.full.sha256
    );
    let findings = &mut seen.history.findings;
    if !known.entries.contains(&note) {
        findings.push(Finding::alarm("not-in-the-log", format!("{what} is served and not in the log")));
    }
    let last = seen.history.releases.iter_mut().rev().find(|release| release.list == served.name);
    let Some(last) = last else { return Ok(()) };
    if last.release > served.release {
        let text = format!("{what} is served although release {} is in the log (entry {})", last.release, last.index);
        findings.push(Finding::remark("withheld", text));
    }
    if seen.at_unix_s >= served.expires_unix_s {
        findings.push(Finding::alarm("expired", format!("{what} has expired")));
    }
    let from_last = served.deltas.iter().find(|delta| delta.from + 1 == served.release);
    if let Some(delta) = from_last.filter(|_| last.sha256 == served.full.sha256.to_string()) {
        let bytes = source.read(&delta.path)?.filter(|bytes| delta.verify(bytes).is_ok());
        let number = |bytes: &[u8], at: usize| {
            bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map(u64::from_le_bytes)
        };
        // `docs/reference/release-format.md` defines these two fields of a delta: the number of bits to set, and the
        // number of bits to clear.
        last.bits = bytes.and_then(|bytes| Some([number(&bytes, 104)?, number(&bytes, 112)?]));
    }
    Ok(())
}

fn tree_of(entries: &[Vec<u8>]) -> Tree {
    Tree { leaves: entries.iter().map(|entry| leaf(entry)).collect() }
}

fn print(args: &Args, seen: &Seen) -> Result<()> {
    if args.json {
        return say_pretty_json(seen);
    }
    if let Some(checkpoint) = &seen.checkpoint {
        let witnesses = match &checkpoint.witnesses[..] {
            [] => String::new(),
            names => format!(", cosigned by {}", names.join(", ")),
        };
        say(&format!("{}: {} entries, {} of them new{witnesses}", checkpoint.origin, checkpoint.size, seen.new))?;
    }
    let first = seen.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size - seen.new);
    for release in seen.history.releases.iter().filter(|release| release.index >= first) {
        let change = match (release.came, release.went) {
            (Some(came), Some(went)) => format!("{came} came, {went} went"),
            _ => format!("{:+} net", release.net),
        };
        let bits = release.bits.map(|[set, cleared]| format!(", {set} bits set, {cleared} cleared"));
        say(&format!(
            "  {}  {} ({}) release {}: {} entries, {change}{}; signed by {}",
            clock::date(release.issued_unix_s)?,
            release.list,
            release.category,
            release.release,
            release.entries(),
            bits.unwrap_or_default(),
            release.signers.join(", ")
        ))?;
    }
    for finding in &seen.history.findings {
        let mark = if finding.alarm { "ALARM" } else { "note" };
        let mut lines = finding.text.lines();
        say(&format!("{mark} {}: {}", finding.kind, lines.next().unwrap_or_default()))?;
        for line in lines {
            say(&format!("    {line}"))?;
        }
    }
    if seen.history.findings.iter().all(|finding| !finding.alarm) {
        remark("nothing contradicts itself");
    }
    Ok(())
}
