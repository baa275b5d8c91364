//! `hashgate verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use hashgate::release::log::{LogTrust, Logged};
use hashgate::release::{Manifest, Trust};
use hashgate_log::policy::Policy;

use hashgate_native::clock;
use hashgate_native::terminal::{complain, say, say_json};
use serde::Serialize;

use crate::{exit, keys, published};

/// Verify a release as a browser does: the signatures, the list's name, the age, and the files that the manifest names.
///
/// Give --name unless the key signs one list alone: without it, any list that the key signed is accepted.
///
/// Exit code: 0 if all is well, 3 if it expires soon (--warn-before), 2 if something can't be read, and from 10 on a
/// code for each reason to refuse a release.
#[derive(clap::Args)]
pub struct Args {
    /// The manifest.
    #[arg(long)]
    manifest: PathBuf,
    /// Trusted public keys: text or files.
    #[arg(long, value_name = "KEY", required = true, num_args = 1..)]
    trust: Vec<String>,
    /// Number of trusted keys that must have signed.
    #[arg(long, default_value_t = 1, value_name = "K")]
    threshold: usize,
    /// Name of the list. The manifest of another list is refused, also if the same key signed it.
    #[arg(long)]
    name: Option<String>,
    /// With --name: the category of the list.
    #[arg(long, requires = "name")]
    category: Option<String>,
    /// Proof that the release is in a public log: manifest.tlog-proof. Needs --log-key or --log-policy.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Public key of the log: text or file.
    #[arg(long, value_name = "KEY", requires = "proof")]
    log_key: Option<String>,
    /// Name of the log. Default: the key's name.
    #[arg(long, requires = "proof")]
    origin: Option<String>,
    /// Public keys of witnesses: text or files.
    #[arg(long, value_name = "KEY", num_args = 1.., requires = "proof")]
    witness: Vec<String>,
    /// Number of witnesses that must have cosigned. Default: more than half.
    #[arg(long, value_name = "K", requires = "witness")]
    witness_threshold: Option<usize>,
    /// Policy (C2SP tlog-policy) of the log and its witnesses, in place of the options above.
    #[arg(long, value_name = "FILE", requires = "proof", conflicts_with_all = ["witness"])]
    log_policy: Option<PathBuf>,
    /// Folder whose files are checked too.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Highest release that was seen. An older one is refused.
    #[arg(long, default_value_t = 0, value_name = "RELEASE")]
    seen: u64,
    /// Time at which the manifest must be valid, in seconds since 1970 UTC. Default: now.
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
    /// Warn if the release expires within this time, in days or hours: 3d, 36h. The exit code is then 3.
    #[arg(long, value_name = "TIME", value_parser = super::publish::duration)]
    warn_before: Option<u64>,
    /// Output format. JSON has the fields of the manifest; if the release is refused, its code and the reason.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// The answer as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    ok: bool,
    expires_in_s: u64,
    expires_soon: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deltas_applied: Option<usize>,
    #[serde(flatten)]
    manifest: &'a Manifest,
}

/// The refusal as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    ok: bool,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    message: String,
}

/// Verifies the release and prints what it holds.
///
/// # Errors
/// The release is refused, or a file can't be read.
pub fn run(args: &Args) -> Result<ExitCode> {
    let verified = verify(args);
    if let (Err(error), Format::Json) = (&verified, args.format) {
        let (exit_code, code) = exit::of(error);
        say_json(&Refused { ok: false, exit_code, code, message: format!("{error:#}") })?;
    }
    verified
}

fn verify(args: &Args) -> Result<ExitCode> {
    let name = args.manifest.display();
    let trust = Trust::new(&keys::public(&args.trust)?, args.threshold)?;
    let trust = match &args.name {
        Some(name) => trust.for_list(name, args.category.clone()),
        None => trust,
    };
    let note = std::fs::read(&args.manifest).with_context(|| name.to_string())?;
    let manifest = Manifest::verify(&note, &trust).with_context(|| name.to_string())?;
    let now = args.at.map_or_else(clock::now_unix_s, Ok)?;
    let logged = logged(args, &note)?;
    match &logged {
        Some((logged, trust)) => logged.check_freshness(&manifest, trust, now, args.seen),
        None => manifest.check_freshness(now, args.seen),
    }
    .with_context(|| name.to_string())?;
    let expires_in_s = manifest.expires_unix_s.saturating_sub(now);
    let expires_soon = args.warn_before.is_some_and(|before| expires_in_s <= before);
    let deltas_applied = args.dir.as_ref().map(|folder| published::check_files(folder, &manifest)).transpose()?;
    if expires_soon {
        let (at, hours) = (clock::date(manifest.expires_unix_s)?, expires_in_s / 3600);
        complain(&format!("{name}: expires in {hours} hours, at {at}; publish a release, even of an unchanged list"));
    }
    let code = if expires_soon { ExitCode::from(exit::EXPIRES_SOON) } else { ExitCode::SUCCESS };
    if args.format == Format::Json {
        say_json(&Answer { ok: true, expires_in_s, expires_soon, deltas_applied, manifest: &manifest })?;
        return Ok(code);
    }
    let mut rows = vec![
        ("list", manifest.name.clone()),
        ("category", manifest.category.clone()),
        ("release", manifest.release.to_string()),
        ("issued", clock::date(manifest.issued_unix_s)?),
        ("expires", clock::date(manifest.expires_unix_s)?),
        (
            "entries",
            format!("{} PDQ, {} SHA-256, {} MD5", manifest.pdq_count, manifest.sha256_count, manifest.md5_count),
        ),
        ("curators", manifest.curators.join("; ")),
        ("signed by", manifest.signed_by.join("; ")),
        ("full file", format!("{}, {} bytes", manifest.full.path, manifest.full.bytes)),
    ];
    let about = [("policy", &manifest.policy), ("objections", &manifest.appeals), ("law", &manifest.jurisdiction)];
    rows.extend(about.into_iter().filter_map(|(title, said)| Some((title, said.clone()?))));
    let offers = manifest.deltas.iter().map(|delta| format!("{} ({} bytes)", delta.from, delta.bytes));
    rows.push(("deltas from", offers.collect::<Vec<_>>().join(", ")));
    if let Some((Logged { index, checkpoint }, _)) = &logged {
        rows.push(("log", format!("entry {index} of {} of {}", checkpoint.size, checkpoint.origin)));
        let at = if checkpoint.witnesses.is_empty() {
            "nobody".into()
        } else {
            format!("{}, at {}", checkpoint.witnesses.join("; "), clock::date(checkpoint.witnessed_unix_s)?)
        };
        rows.push(("witnessed by", at));
    }
    if let Some(applied) = deltas_applied {
        let left = manifest.deltas.len() - applied;
        rows.push((
            "files",
            format!("as signed; {applied} deltas applied, {left} without the release they start from"),
        ));
    }
    for (name, value) in rows {
        say(&format!("{name:<13}{value}"))?;
    }
    Ok(code)
}

/// Verifies the proof, if one is given.
fn logged(args: &Args, note: &[u8]) -> Result<Option<(Logged, LogTrust)>> {
    let Some(path) = &args.proof else { return Ok(None) };
    let key = args.log_key.as_ref().map(|key| keys::public(std::slice::from_ref(key))).transpose()?;
    let key = key.as_ref().map(|keys| keys[0].as_str());
    let policy = args.log_policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    let mut trust = policy.trust(key, args.origin.as_deref())?;
    if !args.witness.is_empty() {
        let witnesses = keys::public(&args.witness)?;
        trust = trust.witnessed_by(&witnesses, args.witness_threshold.unwrap_or(witnesses.len() / 2 + 1))?;
    }
    let proof = std::fs::read(path).with_context(|| path.display().to_string())?;
    let logged = Logged::verify(&proof, note, &trust).with_context(|| path.display().to_string())?;
    Ok(Some((logged, trust)))
}
