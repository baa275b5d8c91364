//! A witness (C2SP `tlog-witness`): cosigns a checkpoint if it continues the one that it cosigned before.
//!
//! For each log, the witness keeps one file: the latest checkpoint with its own cosignature. The file is synced to disk
//! before the cosignature is sent, so that a restarted witness never forgets what it cosigned.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use base64ct::{Base64, Encoding};
use hashgate::RefusalCode;
use hashgate::digest::Sha256Digest;
use hashgate::release::log::merkle::{Hash, MAX_PATH, empty_root, is_consistent};
use hashgate::release::log::sign::WitnessKey;
use hashgate::release::log::{Checkpoint, LogTrust, line_by, read_unverified};

use crate::durable;

/// The content type of the answer that tells which size the witness knows.
pub const SIZE_TYPE: &str = "text/x.tlog.size";
/// The content type of all other answers.
pub const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Body: signature lines, a size, or the reason of a refusal.
    pub body: String,
}

impl Answer {
    fn refused(status: u16, why: &str) -> Self {
        Self { status, content_type: TEXT_TYPE, body: format!("{why}\n") }
    }
}

/// A log that a witness knows.
#[derive(Debug)]
pub struct Log {
    key: String,
    trust: LogTrust,
}

impl Log {
    /// Makes a log from its public key, as text. If no `origin` is given, the origin is the key's name.
    ///
    /// # Errors
    /// The key or the origin is malformed.
    pub fn new(key: &str, origin: Option<&str>) -> Result<Self> {
        Ok(Self { key: key.to_owned(), trust: LogTrust::new(key, origin)? })
    }
}

/// A witness, and the folder in which it stores its checkpoints. Only one process at a time can have the folder open.
#[derive(Debug)]
pub struct Witness {
    key: WitnessKey,
    logs: Vec<Log>,
    folder: PathBuf,
    /// This lock is held from the comparison with the latest checkpoint until the new checkpoint is synced to disk. So
    /// two requests are never answered at once.
    turn: Mutex<()>,
    _lock: File,
}

impl Witness {
    /// Opens a witness of these logs.
    ///
    /// # Errors
    /// The folder can't be made, or another process has it open.
    pub fn open(key: WitnessKey, logs: Vec<Log>, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let lock = File::create(folder.join(".lock")).with_context(|| folder.display().to_string())?;
        #[cfg(unix)]
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).with_context(|| {
            format!("{}: expected a folder that no other witness uses; end the other one first", folder.display())
        })?;
        Ok(Self { key, logs, folder: folder.to_owned(), turn: Mutex::new(()), _lock: lock })
    }

    /// Returns the latest cosigned checkpoint of the log whose origin has this SHA-256, in lower-case hexadecimal.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn latest(&self, origin_hash: &str) -> Result<Option<Vec<u8>>> {
        let known = self.logs.iter().any(|log| hash_of(log.trust.origin()) == origin_hash);
        if known { durable::read(&self.folder.join(origin_hash)) } else { Ok(None) }
    }

    /// Answers an `add-checkpoint` request.
    pub fn add_checkpoint(&self, body: &[u8], now_unix_s: u64) -> Answer {
        let Some((old, path, note)) = read_request(body) else {
            return Answer::refused(
                400,
                "body: expected an old size, a consistency proof, an empty line and a checkpoint",
            );
        };
        let origin = match read_unverified(note) {
            Ok((origin, ..)) => origin,
            Err(refusal) => return Answer::refused(400, &refusal.to_string()),
        };
        let mut checkpoint = None;
        let mut why = None;
        for log in self.logs.iter().filter(|log| log.trust.origin() == origin) {
            match Checkpoint::verify(note, &log.trust) {
                Ok(verified) => checkpoint = Some(verified),
                // Refuses the whole note if a signature in the name of a trusted key is invalid, even if others are
                // valid.
                Err(refusal) if refusal.code == RefusalCode::LogBadSignature => {
                    return Answer::refused(403, &refusal.to_string());
                }
                Err(refusal) => why = Some(refusal),
            }
        }
        match (checkpoint, why) {
            (Some(checkpoint), _) => self.cosign(old, &path, &checkpoint, now_unix_s).unwrap_or_else(|error| {
                hashgate_native::terminal::complain(&format!("{error:#}"));
                Answer::refused(500, "the witness can't store the checkpoint")
            }),
            (None, Some(refusal)) => Answer::refused(403, &refusal.to_string()),
            (None, None) => Answer::refused(404, &format!("origin: expected a log of this witness, got {origin:?}")),
        }
    }

    fn cosign(&self, old: u64, path: &[Hash], new: &Checkpoint, now_unix_s: u64) -> Result<Answer> {
        if old > new.size {
            return Ok(Answer::refused(400, &format!("old size: expected at most {}, got {old}", new.size)));
        }
        let file = self.folder.join(hash_of(&new.origin));
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, root) = match durable::read(&file)? {
            Some(latest) => {
                let (_, size, root) = read_unverified(&latest).with_context(|| file.display().to_string())?;
                (size, root)
            }
            None => (0, empty_root()),
        };
        if old != size {
            return Ok(Answer { status: 409, content_type: SIZE_TYPE, body: format!("{size}\n") });
        }
        if !is_consistent(size, &root, new.size, &new.root, path) {
            return Ok(Answer::refused(422, &format!("checkpoint: expected one that continues {size} entries")));
        }
        let line = self.key.cosign(new.note.as_bytes(), now_unix_s)?;
        durable::write(&file, format!("{}{line}", self.signed(new)?).as_bytes())?;
        Ok(Answer { status: 200, content_type: TEXT_TYPE, body: line })
    }

    /// Returns a checkpoint with only the signatures of its log. Drops lines that others appended, so that they aren't
    /// stored.
    fn signed(&self, checkpoint: &Checkpoint) -> Result<String> {
        let note = &checkpoint.note;
        let text = note.rfind("\n\n").map_or(note.as_str(), |end| &note[..end + 2]);
        let mut signed = text.to_owned();
        for log in self.logs.iter().filter(|log| log.trust.origin() == checkpoint.origin) {
            signed += &line_by(note.as_bytes(), &log.key)?;
        }
        Ok(signed)
    }
}

/// Returns the SHA-256 of an origin in lower-case hexadecimal.
#[must_use]
pub fn hash_of(origin: &str) -> String {
    Sha256Digest::of(origin.as_bytes()).to_string()
}

/// Reads the body of a request: the old size, the consistency proof, and the checkpoint's note.
fn read_request(body: &[u8]) -> Option<(u64, Vec<Hash>, &[u8])> {
    let end = body.windows(2).position(|two| two == b"\n\n")?;
    let head = std::str::from_utf8(&body[..end]).ok()?;
    let mut lines = head.split('\n');
    let old = lines.next()?.strip_prefix("old ")?;
    let size = old.parse().ok().filter(|size: &u64| size.to_string() == old)?;
    let hash = |line: &str| Base64::decode_vec(line).ok()?.try_into().ok();
    let path: Vec<Hash> = lines.map(hash).collect::<Option<_>>()?;
    (path.len() <= MAX_PATH).then_some((size, path, &body[end + 2..]))
}
