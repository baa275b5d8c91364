//! `hashgate compare`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use base64ct::{Base64, Encoding};
use hashgate::release::log::merkle::{Hash, leaf};
use hashgate::release::log::{checkpoint_of, read_unverified};
use hashgate_native::secret;
use hashgate_native::terminal::say;

use crate::folder::CHECKPOINT;
use crate::policy::Policy;
use crate::source::Source;
use crate::tiles;
use crate::tree::Tree;

/// Compare what two places saw of a log: find out whether they were shown the same one.
///
/// A and B are checkpoints, proofs (manifest.tlog-proof), what `gate.status()` or a transparency report says (JSON), or
/// the addresses or folders of logs. Exit code: 0 if both saw the same log, 1 if the log was split, 2 if that can't be
/// told.
#[derive(clap::Args)]
pub struct Args {
    /// What one place saw: a file, a folder or an address.
    a: String,
    /// What the other place saw.
    b: String,
    /// Address or folder of the log. Needed if the two saw different sizes and neither is a whole log.
    #[arg(long, value_name = "URL")]
    log: Option<String>,
    /// Public key of the log: text or file. With it, both checkpoints must be signed, so that a difference is a proof.
    #[arg(long, value_name = "KEY")]
    log_key: Option<String>,
}

/// A checkpoint that someone saw.
struct View {
    name: String,
    origin: String,
    size: u64,
    root: Hash,
    /// The signed note, unless only its numbers were kept.
    note: Option<String>,
    /// The log that the checkpoint was read from, if the place is a log.
    log: Option<Source>,
}

/// Compares two views and prints what they prove.
///
/// # Errors
/// A view can't be read, the views are of different logs, or the log that is needed for the comparison wasn't given.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (a, b) = (view(&args.a)?, view(&args.b)?);
    if let Some(key) = &args.log_key {
        let trust = Policy::default().trust(Some(&secret::public(key)?), None)?;
        for view in [&a, &b] {
            let note = view.note.as_ref().with_context(|| format!("{}: expected a signed checkpoint", view.name))?;
            hashgate::release::log::Checkpoint::verify(note.as_bytes(), &trust).with_context(|| view.name.clone())?;
        }
    }
    if a.origin != b.origin {
        bail!("origin: expected two views of one log, got {:?} and {:?}", a.origin, b.origin);
    }
    for view in [&a, &b] {
        say(&format!("{}: {} entries, root {}", view.name, view.size, Base64::encode_string(&view.root)))?;
    }
    let (small, large) = if a.size <= b.size { (&a, &b) } else { (&b, &a) };
    let is_same = if small.size == large.size {
        small.root == large.root
    } else {
        let given = args.log.as_deref().map(Source::open).transpose()?;
        let log = given.as_ref().or(large.log.as_ref()).with_context(|| {
            format!(
                "log: expected the log of {} entries, to see whether it continues the other; give --log",
                large.size
            )
        })?;
        let tree = tree(log, large.size)?;
        if tree.root(large.size) != Some(large.root) {
            bail!("{}: expected the entries of {}, got others", log.name(""), large.name);
        }
        tree.root(small.size) == Some(small.root)
    };
    if is_same {
        say(&format!("the same log of {:?}: the larger continues the smaller", a.origin))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("SPLIT: {:?} shows different logs to different people", a.origin))?;
    for view in [&a, &b] {
        say(&format!("{} was shown:", view.name))?;
        for line in view.note.as_deref().unwrap_or("(only the numbers above)").lines() {
            say(&format!("    {line}"))?;
        }
    }
    Ok(ExitCode::from(1))
}

fn view(name: &str) -> Result<View> {
    let log = Source::open(name)?;
    let is_folder = matches!(&log, Source::Folder(path) if path.is_dir());
    let whole = if is_folder { None } else { log.read("")? };
    let found = match whole.map(|bytes| note_in(&bytes)) {
        Some(Ok(found)) => Some((found, None)),
        // If an address answers with something else than a checkpoint, it may still be the address of a log.
        Some(Err(error)) if matches!(log, Source::Folder(_)) => return Err(error.context(name.to_owned())),
        _ => None,
    };
    let (found, log) = match found {
        Some(found) => found,
        None => (note_in(&log.need(CHECKPOINT)?).with_context(|| name.to_owned())?, Some(log)),
    };
    let (origin, size, root, note) = found;
    Ok(View { name: name.to_owned(), origin, size, root, note, log })
}

type Found = (String, u64, Hash, Option<String>);

/// Finds a checkpoint in the content of a file.
fn note_in(bytes: &[u8]) -> Result<Found> {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        return in_json(&value).context("expected a checkpoint in the JSON, got none");
    }
    let note = checkpoint_of(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned());
    let (origin, size, root) = read_unverified(note.as_bytes())?;
    Ok((origin, size, root, Some(note)))
}

/// Finds the first `checkpoint` in JSON, at any depth: a status, a verdict, a report, or what `monitor --json` prints.
fn in_json(value: &serde_json::Value) -> Option<Found> {
    use serde_json::Value;
    match value {
        Value::Array(values) => values.iter().find_map(in_json),
        Value::Object(fields) => {
            if let Some(Value::String(note)) = fields.get("note") {
                let (origin, size, root) = read_unverified(note.as_bytes()).ok()?;
                return Some((origin, size, root, Some(note.clone())));
            }
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            if let (Some(origin), Some(size), Some(root)) =
                (text("origin"), fields.get("size").and_then(Value::as_u64), text("root"))
            {
                let root = Base64::decode_vec(root).ok()?.try_into().ok()?;
                return Some((origin.to_owned(), size, root, None));
            }
            fields.values().find_map(in_json)
        }
        _ => None,
    }
}

fn tree(log: &Source, size: u64) -> Result<Tree> {
    let mut leaves = Vec::new();
    for tile in tiles::bundles(0, size) {
        let (bytes, width) = match log.read(&tile.path())? {
            Some(bytes) => (bytes, tile.width),
            None => (log.need(&tiles::Tile { width: tiles::WIDTH, ..tile }.path())?, tiles::WIDTH),
        };
        let entries = tiles::read_bundle(&bytes, width).with_context(|| log.name(&tile.path()))?;
        leaves.extend(entries.iter().take(tile.width as usize).map(|entry| leaf(entry)));
    }
    Ok(Tree { leaves })
}
