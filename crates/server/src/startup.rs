//! Checks before the server starts. The tokens must be usable, and the lists must hold as many hashes as the published
//! filter.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hashgate::Filter;
use hashgate::release::Manifest;
use hashgate_native::permissions;
use serde_json::json;

use crate::listed::Listed;
use crate::log::log;

/// Reads a file of tokens. If others than the owner may read the file, only warns in the log, because containers often
/// get their secrets with such permissions.
///
/// # Errors
/// The file can't be read, holds no token, or one that could be guessed.
pub fn tokens(path: &Path) -> Result<Vec<String>> {
    /// Shortest token in characters. A token of 16 random characters can't be guessed through a network.
    const MIN: usize = 16;
    let name = path.display();
    let read = || -> std::io::Result<_> {
        let mut file = File::open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok((text, permissions::open_to_others(&file)?))
    };
    let (text, open) = read().with_context(|| name.to_string())?;
    if let Some(mode) = open {
        log(
            "warning",
            json!({ "text": format!(
                "{name}: permissions: expected a token file that only its owner can read, got {mode}; run chmod 600 on it, \
                 and replace the tokens if others could read them"
            ) }),
        );
    }
    let tokens: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if tokens.is_empty() {
        bail!("{name}: expected a token, got none; write one per line");
    }
    for (number, token) in (1..).zip(&tokens) {
        if token.len() < MIN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!(
                "{name}: token {number}: expected {MIN} or more visible ASCII characters, got {} bytes; draw one with \
                 `openssl rand -hex 16`",
                token.len()
            );
        }
    }
    Ok(tokens)
}

/// Checks that the lists hold as many hashes as the published filter. If the lists held fewer, the server would answer
/// "not listed" about real matches of the filter.
///
/// # Errors
/// The published filter can't be read, or holds more hashes than the lists.
pub fn check_consistent(folder: &Path, listed: &Listed) -> Result<()> {
    let name = folder.display();
    if !folder.is_dir() {
        bail!("{name}: expected a folder, got none; make it with `hashgate publish --dir`");
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
        if held < published && awaits_cosignature(folder, listed.counts()) {
            log(
                "warning",
                json!({ "text": format!(
                    "{}: the published filter holds {published} {kind} hashes, the lists {held}: as a pending release does, \
                     which waits for a cosignature. Withdrawn hashes are answered as not listed",
                    path.display()
                ) }),
            );
        } else if held < published {
            bail!(
                "{}: the lists: expected at least the {published} {kind} hashes that the published filter holds, got {held}; \
                 give every list that it was published from with --list",
                path.display()
            );
        }
    }
    Ok(())
}

/// Returns whether the next release is already made but not current yet, from lists of this size. Such a release
/// withdraws hashes, and waits for a cosignature.
fn awaits_cosignature(folder: &Path, held: [u64; 3]) -> bool {
    let manifest = |name: &str| Manifest::read_unverified(&std::fs::read(folder.join(name)).ok()?).ok();
    let Some(current) = manifest("manifest.txt") else { return false };
    let Some(pending) = manifest(&format!("manifest-{}.txt", current.release + 1)) else { return false };
    let counts = [pending.pdq_count, pending.sha256_count, pending.md5_count];
    (pending.name == current.name) && held.into_iter().zip(counts).all(|(held, counted)| held >= counted)
}

/// Returns the path of the filter that the current manifest names, or `None` if nothing was published yet. The
/// signatures are not checked here: clients that rely on the list check them.
fn current_filter(folder: &Path) -> Result<Option<PathBuf>> {
    let path = folder.join("manifest.txt");
    let manifest = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| path.display().to_string())?,
    };
    let manifest = Manifest::read_unverified(&manifest).with_context(|| path.display().to_string())?;
    Ok(Some(folder.join(manifest.full.path)))
}
