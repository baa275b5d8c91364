//! Stores a file while it arrives: a short file in memory, a longer one on disk in a file without a name.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use hashgate_native::open_file::OpenFile;
use serde_json::json;

use crate::log::log;
use crate::problem::{Code, Problem};

/// Files up to this length in bytes stay in memory. Longer files are written to disk in pieces of this length.
const PIECE_BYTES: usize = 128 * 1024;

/// The folder in which large files are stored while they are checked, and how many bytes the files may have together.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    max_file_bytes: u64,
    max_bytes: u64,
    held: Arc<AtomicU64>,
}

impl Spool {
    /// Uses `folder`. Takes files up to `max_file_bytes`, and `max_bytes` of all files together.
    pub fn new(folder: PathBuf, max_file_bytes: u64, max_bytes: u64) -> Self {
        Self { folder, max_file_bytes, max_bytes, held: Arc::default() }
    }

    /// Tries to make a file in the folder.
    ///
    /// # Errors
    /// The folder isn't there, or this user can't write to it.
    pub fn try_out(&self) -> std::io::Result<()> {
        tempfile::tempfile_in(&self.folder).map(drop)
    }

    /// Longest file in bytes.
    pub fn max_file_bytes(&self) -> u64 {
        self.max_file_bytes
    }

    /// Begins a file.
    pub fn begin(&self) -> Arriving<'_> {
        let share = Share { bytes: 0, held: self.held.clone() };
        Arriving { spool: self, piece: Vec::new(), file: None, length: 0, share }
    }
}

/// The bytes of one file, as counted for the limit over all files. Dropping the share takes them from the count.
#[derive(Debug)]
struct Share {
    bytes: u64,
    held: Arc<AtomicU64>,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A file that arrives.
#[derive(Debug)]
pub struct Arriving<'a> {
    spool: &'a Spool,
    piece: Vec<u8>,
    file: Option<File>,
    length: u64,
    share: Share,
}

/// A file that has arrived.
pub struct Arrived {
    /// The file.
    pub file: OpenFile,
    _share: Share,
}

impl Arriving<'_> {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// The file is too long, too much is held, or the disk fails.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.length += bytes.len() as u64;
        if self.length > self.spool.max_file_bytes {
            return Err(too_long(self.spool.max_file_bytes));
        }
        let held = self.share.held.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.share.bytes += bytes.len() as u64;
        if held + bytes.len() as u64 > self.spool.max_bytes {
            let expected = format!("files of at most {} bytes together", self.spool.max_bytes);
            return Err(Problem::new(Code::Busy, "body", &expected, "more"));
        }
        let mut rest = bytes;
        while self.piece.len() + rest.len() > PIECE_BYTES {
            let (first, later) = rest.split_at(PIECE_BYTES - self.piece.len());
            self.piece.extend_from_slice(first);
            rest = later;
            self.write().await?;
        }
        self.piece.extend_from_slice(rest);
        Ok(())
    }

    /// Returns whether nothing has arrived yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Writes the piece that is in memory to the disk. Another thread does it, because a slow disk can make a writer
    /// wait.
    async fn write(&mut self) -> Result<(), Problem> {
        let (file, piece, folder) = (self.file.take(), std::mem::take(&mut self.piece), self.spool.folder.clone());
        let write = move || -> std::io::Result<_> {
            let mut file = file.map_or_else(|| tempfile::tempfile_in(folder), Ok)?;
            file.write_all(&piece)?;
            let mut piece = piece;
            piece.clear();
            Ok((file, piece))
        };
        match tokio::task::spawn_blocking(write).await.map_err(std::io::Error::other).and_then(|written| written) {
            Ok((file, piece)) => {
                (self.file, self.piece) = (Some(file), piece);
                Ok(())
            }
            Err(error) => {
                log("spool-failed", json!({ "error": error.to_string() }));
                Err(Problem::new(Code::Spool, "body", "room for it on disk", "an error, which the log names"))
            }
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn finish(mut self) -> Result<Arrived, Problem> {
        let max = self.spool.max_file_bytes;
        if self.file.is_some() && !self.piece.is_empty() {
            self.write().await?;
        }
        let file = match self.file {
            None => OpenFile::of_bytes(self.piece, max),
            Some(file) => OpenFile::of_file(file, max).map_err(|error| {
                log("spool-failed", json!({ "error": error.to_string() }));
                Problem::new(Code::Spool, "body", "a file on disk", "an error, which the log names")
            })?,
        };
        Ok(Arrived { file, _share: self.share })
    }
}

/// The problem of a file that is longer than `max` bytes.
pub fn too_long(max: u64) -> Problem {
    Problem::new(Code::FileSize, "body", &format!("a file of at most {max} bytes (--max-file-bytes)"), "a longer one")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn arrive(spool: &Spool, length: usize, step: usize) -> Result<Arrived, Problem> {
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let mut arriving = spool.begin();
        for piece in bytes.chunks(step) {
            arriving.push(piece).await?;
        }
        arriving.finish().await
    }

    #[tokio::test]
    async fn files_of_every_length_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().into(), 1 << 20, 4 << 20);
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 700_001, 1 << 20] {
            for step in [1000, PIECE_BYTES + 7, 1 << 20] {
                let mut arrived = arrive(&spool, length, step).await.unwrap();
                let whole = arrived.file.whole().unwrap();
                assert!(whole.len() == length && whole.iter().enumerate().all(|(at, &byte)| byte == (at % 251) as u8));
                assert_eq!(spool.held.load(Ordering::Relaxed), length as u64);
            }
        }
        assert_eq!(spool.held.load(Ordering::Relaxed), 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files have no names");
    }

    #[tokio::test]
    async fn what_is_too_much_is_refused_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().into(), 1 << 20, 3 << 19);
        assert_eq!(arrive(&spool, (1 << 20) + 1, 1000).await.err().unwrap().code(), Code::FileSize);
        let first = arrive(&spool, 1 << 20, 1000).await.unwrap();
        assert_eq!(arrive(&spool, 1 << 20, 1000).await.err().unwrap().code(), Code::Busy);
        drop(first);
        assert!(arrive(&spool, 1 << 20, 1000).await.is_ok());
        let nowhere = Spool::new(folder.path().join("missing"), 1 << 20, 1 << 20);
        assert!(nowhere.try_out().is_err());
        assert_eq!(arrive(&nowhere, 1 << 20, 1000).await.err().unwrap().code(), Code::Spool);
    }
}
