//! Files of signing keys. A private key is stored only in a file that its owner alone can read.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hashgate::release::sign::Key;
use hashgate_native::secret;

/// Writes the private key to `path` and the public key to `path.pub`, and returns the latter path. Overwrites neither.
///
/// # Errors
/// A file can't be written, or exists.
pub fn write_new(path: &Path, private: &str, public_key: &str) -> Result<PathBuf> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    let new = |path: &Path, mode| {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let make = || {
            format!("{}: expected to make a new file; move the old one away, or choose another name", path.display())
        };
        options.open(path).with_context(make)
    };
    if public.exists() {
        bail!(
            "{}: expected to make a new file, got one that exists; move it away, or choose another name",
            public.display()
        );
    }
    let write = |mut file: File, text: &str| -> std::io::Result<()> {
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write(new(path, 0o600)?, private).with_context(|| path.display().to_string())?;
    write(new(&public, 0o644)?, public_key).with_context(|| public.display().to_string())?;
    Ok(public)
}

/// Reads a private key.
///
/// # Errors
/// The file can't be read, holds no private key, or others than its owner may read it.
pub fn read(path: &Path) -> Result<Key> {
    Key::parse(&secret::read(path)?).with_context(|| path.display().to_string())
}

/// Returns public keys as text. Each may be given as text, or as the file that `keygen` wrote beside the private key.
///
/// # Errors
/// A file can't be read.
pub fn public(keys: &[String]) -> Result<Vec<String>> {
    keys.iter().map(|key| secret::public(key)).collect()
}
