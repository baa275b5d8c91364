//! Files that hold a secret.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::permissions;

/// Reads a private key as text, without the line feed at its end.
///
/// # Errors
/// The file can't be read, or others than its owner may read it.
pub fn read(path: &Path) -> Result<String> {
    let name = path.display();
    let mut file = File::open(path).with_context(|| name.to_string())?;
    if let Some(mode) = permissions::open_to_others(&file).with_context(|| name.to_string())? {
        bail!(
            "{name}: permissions: expected a private key that only its owner can read, got {mode}; run chmod 600 on it, and \
             make a new key if others could read it, because they can sign as you"
        );
    }
    let mut text = String::new();
    file.read_to_string(&mut text).with_context(|| name.to_string())?;
    Ok(text.trim_end().to_owned())
}

/// Returns a public key as text. It may be given as text, or as the file that `keygen` wrote beside the private key.
///
/// # Errors
/// The file can't be read.
pub fn public(key: &str) -> Result<String> {
    match Path::new(key).is_file() {
        true => Ok(std::fs::read_to_string(key).with_context(|| key.to_owned())?.trim_end().to_owned()),
        false => Ok(key.to_owned()),
    }
}
