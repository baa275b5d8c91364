//! A log in a folder, to which its owner appends. Every checkpoint is on disk before anybody else sees it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use hashgate::release::log::merkle::leaf;
use hashgate::release::log::sign::checkpoint;
use hashgate::release::log::{Checkpoint, LogTrust};
use hashgate::release::sign::Key;

use crate::durable;
use crate::tiles::{self, Tile, WIDTH};
use crate::tree::Tree;

/// The name of the latest checkpoint, the only file of a log that ever changes.
pub const CHECKPOINT: &str = "checkpoint";

/// A log that is open for appending. No other process can open it meanwhile.
#[derive(Debug)]
pub struct LogFolder {
    folder: PathBuf,
    key: Key,
    trust: LogTrust,
    entries: Vec<Vec<u8>>,
    tree: Tree,
    /// The latest checkpoint, as it is stored in the folder. `None` before the first entry.
    note: Option<String>,
    _lock: File,
}

impl LogFolder {
    /// Opens a log, or begins one in a folder that has none. Checks every entry against the signed root.
    ///
    /// # Errors
    /// The log was signed by another key, or is damaged, or another process has it open.
    pub fn open(folder: &Path, key: Key) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let lock = File::create(folder.join(".lock")).with_context(|| folder.display().to_string())?;
        #[cfg(unix)]
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).with_context(|| {
            format!("{}: expected a log that nobody writes to; wait for the other process", folder.display())
        })?;
        let trust = LogTrust::new(&key.public(), None)?;
        let mut log = Self {
            folder: folder.to_owned(),
            key,
            trust,
            entries: Vec::new(),
            tree: Tree::default(),
            note: None,
            _lock: lock,
        };
        let path = folder.join(CHECKPOINT);
        if let Some(note) = durable::read(&path)? {
            let at = Checkpoint::verify(&note, &log.trust).with_context(|| path.display().to_string())?;
            log.entries = read_entries(folder, at.size)?;
            log.tree.leaves = log.entries.iter().map(|entry| leaf(entry)).collect();
            ensure!(
                log.tree.root(at.size) == Some(at.root),
                "{}: expected the entries of the checkpoint, got others; put the folder back as it was",
                folder.display()
            );
            log.note = Some(at.note);
        }
        Ok(log)
    }

    /// Returns the entries.
    #[must_use]
    pub fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    /// Returns the tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Returns the public key of the log.
    #[must_use]
    pub fn public(&self) -> String {
        self.key.public()
    }

    /// Returns the latest checkpoint with all its signatures. `None` before the first entry.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Appends an entry, unless it is the last one already. Returns its index.
    ///
    /// The order of writing makes an interruption harmless: first the entry and the hashes, which nothing refers to yet
    /// and which the next attempt overwrites; then, in one step, the signed checkpoint. A checkpoint is shown to others
    /// only after it was written to the folder, so a later process never signs a different checkpoint of the same size.
    ///
    /// # Errors
    /// The entry is too long, or a file can't be written.
    pub fn append(&mut self, entry: &[u8]) -> Result<u64> {
        let old = self.tree.size();
        if self.entries.last().is_some_and(|last| last == entry) {
            return Ok(old - 1);
        }
        let mut entries = self.entries.clone();
        entries.push(entry.to_vec());
        let tree = Tree { leaves: [&self.tree.leaves[..], &[leaf(entry)]].concat() };
        write_growth(&self.folder, &entries, &tree, old)?;
        let root = tree.root(old + 1).context("a tree has a root")?;
        let note = checkpoint(&self.key, old + 1, &root);
        durable::write(&self.folder.join(CHECKPOINT), note.as_bytes())?;
        remove_parts(&self.folder, old + 1)?;
        (self.entries, self.tree, self.note) = (entries, tree, Some(note));
        Ok(old)
    }

    /// Adds cosignature lines to the latest checkpoint.
    ///
    /// # Errors
    /// There is no checkpoint, or it can't be written.
    pub fn cosigned(&mut self, lines: &str) -> Result<()> {
        let note = format!("{}{lines}", self.note.as_deref().context("a log without entries has no checkpoint")?);
        durable::write(&self.folder.join(CHECKPOINT), note.as_bytes())?;
        self.note = Some(note);
        Ok(())
    }
}

/// Reads the first `size` entries of a log that lies in a folder.
///
/// # Errors
/// A bundle is missing or malformed.
pub fn read_entries(folder: &Path, size: u64) -> Result<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    for tile in tiles::bundles(0, size) {
        let path = folder.join(tile.path());
        let (bytes, width) = match durable::read(&path)? {
            Some(bytes) => (bytes, tile.width),
            // If the partial bundle isn't there, reads the full one: partial bundles are removed once a bundle is full.
            None => (
                fs::read(folder.join(Tile { width: WIDTH, ..tile }.path()))
                    .with_context(|| path.display().to_string())?,
                WIDTH,
            ),
        };
        let read = tiles::read_bundle(&bytes, width).with_context(|| path.display().to_string())?;
        entries.extend(read.into_iter().take(tile.width as usize));
    }
    Ok(entries)
}

/// Writes the files that a log with only the first `old` entries doesn't have.
///
/// # Errors
/// An entry is too long, or a file can't be written.
pub fn write_growth(folder: &Path, entries: &[Vec<u8>], tree: &Tree, old: u64) -> Result<()> {
    for tile in tiles::bundles(old, tree.size()) {
        let from = (tile.index * WIDTH) as usize;
        let bytes = tiles::write_bundle(&entries[from..from + tile.width as usize])?;
        durable::write(&folder.join(tile.path()), &bytes)?;
    }
    for (tile, bytes) in tiles::hashes(&tree.leaves, old) {
        durable::write(&folder.join(tile.path()), &bytes)?;
    }
    Ok(())
}

/// Removes the partial versions of tiles that have become full at this size.
fn remove_parts(folder: &Path, size: u64) -> Result<()> {
    let mut level = Some(0);
    let mut width = size;
    while width > 0 && width.is_multiple_of(WIDTH) {
        let full = Tile { level, index: width / WIDTH - 1, width: WIDTH };
        let entries = (level == Some(0)).then_some(Tile { level: None, ..full });
        for tile in [Some(full), entries].into_iter().flatten() {
            let parts = folder.join(format!("{}.p", tile.path()));
            match fs::remove_dir_all(&parts) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| parts.display().to_string());
                }
                _ => {}
            }
        }
        width /= WIDTH;
        level = level.map(|level| level + 1);
    }
    Ok(())
}
