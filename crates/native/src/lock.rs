//! Locks on folders, so that two programs don't change one at once.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};

use crate::terminal::remark;

/// A lock on a folder. It is released when the value is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _folder: Option<File>,
}

/// Locks a folder. If another process holds the lock, says so and waits.
///
/// Where folders have no locks (Windows, some network drives), does nothing.
///
/// # Errors
/// The folder can't be opened.
#[cfg(unix)]
pub fn folder(path: &Path) -> Result<Lock> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    let folder = File::open(path).with_context(|| path.display().to_string())?;
    if flock(&folder, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        remark(&format!("{}: another hashgate changes it; waiting until it has finished", path.display()));
        while flock(&folder, FlockOperation::LockExclusive) == Err(Errno::INTR) {}
    }
    Ok(Lock { _folder: Some(folder) })
}

/// Does nothing: folders have no locks here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn folder(_path: &Path) -> Result<Lock> {
    Ok(Lock { _folder: None })
}
