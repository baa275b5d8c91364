//! Reads a file in pieces, so that a long file takes no more memory than a short one.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};

/// Length of the pieces in which files are read, in bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// Length in bytes above which a file is large. Only one large file is in memory at a time, whatever the number of
/// threads.
const LARGE_BYTES: u64 = 32 << 20;

/// The lock of the thread that has a large file in memory.
static LARGE: Mutex<()> = Mutex::new(());

/// The source of the bytes: an open file, or memory.
enum Bytes {
    OnDisk(File),
    InMemory(Cursor<Vec<u8>>),
}

impl Read for Bytes {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::OnDisk(file) => file.read(into),
            Self::InMemory(bytes) => bytes.read(into),
        }
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Self::OnDisk(file) => file.seek(to),
            Self::InMemory(bytes) => bytes.seek(to),
        }
    }
}

/// A regular file that is open for reading, or bytes in memory that are read like a file.
pub struct OpenFile {
    file: Bytes,
    length: u64,
    max_bytes: u64,
}

/// The permission to have a large file in memory. Dropping it lets another thread have the permission.
pub struct Turn(#[allow(dead_code, reason = "the lock is held, not read")] Option<MutexGuard<'static, ()>>);

/// The bytes of a whole file.
pub struct Whole {
    bytes: Vec<u8>,
    _turn: Turn,
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl OpenFile {
    /// Opens a file. [`is_too_long`](Self::is_too_long) compares the file's length with `max_bytes`.
    ///
    /// # Errors
    /// The path names no regular file, or one that this user may not read.
    pub fn open(path: &Path, max_bytes: u64) -> Result<Self> {
        // Checks that the path is a regular file before opening it, because opening a pipe would wait for a writer.
        let kind = std::fs::metadata(path).context("can't be read")?.file_type();
        if kind.is_dir() {
            bail!("expected a file, got a folder behind a link; name the folder itself to read what is in it");
        }
        if !kind.is_file() {
            bail!("expected a file, got a device, pipe or socket");
        }
        let file = File::open(path).context("can't be read")?;
        let length = file.metadata().context("can't be read")?.len();
        Ok(Self { file: Bytes::OnDisk(file), length, max_bytes })
    }

    /// Takes a file that is open already, such as one without a name.
    ///
    /// # Errors
    /// The system doesn't tell the file's length.
    pub fn of_file(file: File, max_bytes: u64) -> Result<Self> {
        let length = file.metadata().context("can't be read")?.len();
        Ok(Self { file: Bytes::OnDisk(file), length, max_bytes })
    }

    /// Takes bytes that are in memory.
    #[must_use]
    pub fn of_bytes(bytes: Vec<u8>, max_bytes: u64) -> Self {
        Self { length: bytes.len() as u64, file: Bytes::InMemory(Cursor::new(bytes)), max_bytes }
    }

    /// The length in bytes when it was opened.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The longest file that is read as a picture.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Returns whether the file is longer than `--max-file-bytes`.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.length > self.max_bytes
    }

    /// Returns up to `count` bytes from the start.
    ///
    /// # Errors
    /// Reading failed.
    pub fn head(&mut self, count: usize) -> Result<Vec<u8>> {
        self.file.rewind()?;
        let mut head = Vec::new();
        Read::by_ref(&mut self.file).take(count as u64).read_to_end(&mut head).context("can't be read")?;
        Ok(head)
    }

    /// Passes the bytes to `each` from the start, piece by piece.
    ///
    /// # Errors
    /// Reading failed, or the file has another length than when it was opened.
    pub fn pieces(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        self.file.rewind()?;
        let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(self.length).unwrap_or(PIECE_BYTES).max(1))];
        let mut rest = self.length;
        loop {
            match self.file.read(&mut piece) {
                Ok(0) if rest == 0 => return Ok(()),
                Ok(count) if count as u64 <= rest && count > 0 => {
                    each(&piece[..count]);
                    rest -= count as u64;
                }
                Ok(_) => bail!(
                    "length: expected the {} bytes that it had when it was opened, got another length; try again when \
                     nothing writes to the file",
                    self.length
                ),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("can't be read"),
            }
        }
    }

    /// Waits for the permission to have the file in memory. A short file needs none.
    #[must_use]
    pub fn turn(&self) -> Turn {
        let wait = || LARGE.lock().unwrap_or_else(PoisonError::into_inner);
        Turn((self.length > LARGE_BYTES).then(wait))
    }

    /// Reads the whole file. If it is large, first waits until no other large file is in memory.
    ///
    /// # Errors
    /// The file is longer than `--max-file-bytes`, or [`pieces`](Self::pieces) fails.
    pub fn whole(&mut self) -> Result<Whole> {
        if self.is_too_long() {
            bail!("file size in bytes: expected at most {} (--max-file-bytes), got {}", self.max_bytes, self.length);
        }
        let turn = self.turn();
        let mut bytes = Vec::with_capacity(self.length as usize);
        self.pieces(|piece| bytes.extend_from_slice(piece))?;
        Ok(Whole { bytes, _turn: turn })
    }
}
