//! Files of keys. A private key is in a file that its owner alone can read, and nowhere else.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hashgate::release::sign::Key;

/// Writes the private key to `path` and the public one to `path.pub`; overwrites neither.
pub fn write_new(path: &Path, key: &Key) -> Result<PathBuf> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    let new = |path: &Path, mode| {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        options.open(path).with_context(|| format!("{}: expected to make a new file", path.display()))
    };
    if public.exists() {
        bail!("{}: expected to make a new file, got one that exists", public.display());
    }
    let write = |mut file: File, text: String| -> std::io::Result<()> {
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write(new(path, 0o600)?, key.private()).with_context(|| path.display().to_string())?;
    write(new(&public, 0o644)?, key.public()).with_context(|| public.display().to_string())?;
    Ok(public)
}

/// Reads a private key, unless others than its owner could too.
pub fn read(path: &Path) -> Result<Key> {
    let name = path.display();
    let mut file = File::open(path).with_context(|| name.to_string())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().with_context(|| name.to_string())?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            bail!(
                "{name}: permissions: expected a private key that only its owner can read (chmod 600), got {mode:03o}; who else read it can sign as you"
            );
        }
    }
    let mut text = String::new();
    file.read_to_string(&mut text).with_context(|| name.to_string())?;
    Key::parse(text.trim_end()).with_context(|| name.to_string())
}

/// Public keys, each as text or as the file that `keygen` wrote beside the private one.
pub fn public(keys: &[String]) -> Result<Vec<String>> {
    let read = |key: &String| match Path::new(key).is_file() {
        true => Ok(std::fs::read_to_string(key).with_context(|| key.clone())?.trim_end().to_owned()),
        false => Ok(key.clone()),
    };
    keys.iter().map(read).collect()
}
