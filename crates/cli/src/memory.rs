//! What `publish` remembers from one release to the next, in a file beside the private key: `KEY.memory`.
//!
//! The manifest itself holds the name, the category, the curators and the rate. The other settings are stored in this
//! file and not in the published folder. Otherwise somebody who can write to the web server could lower how many
//! sources an entry needs, or have an earlier release by another key accepted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hashgate_native::atomic::write_atomically;
use serde::{Deserialize, Serialize};

/// The file.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    /// Public keys that signed earlier releases. Deltas lead from these releases to the new one.
    pub keys: Vec<String>,
    /// By name of the list.
    pub lists: BTreeMap<String, OfList>,
}

/// The settings that are remembered for one list.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OfList {
    /// Room for growth, in per cent of the list's entries.
    pub headroom: Option<u32>,
    /// Number of lists that must hold a hash.
    pub require_sources: Option<usize>,
    /// Number of signatures that clients ask for.
    pub threshold: Option<usize>,
}

fn path(key: &Path) -> PathBuf {
    let mut path = key.as_os_str().to_owned();
    path.push(".memory");
    path.into()
}

impl Memory {
    /// Reads the file beside a private key. Without one, nothing is remembered.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn read(key: &Path) -> Result<Self> {
        let path = path(key);
        let name = path.display();
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            read => serde_json::from_slice(&read.with_context(|| name.to_string())?).with_context(|| {
                format!("{name}: expected what publish remembers; mend it, or remove it to begin anew")
            }),
        }
    }

    /// Writes the file beside a private key, if it would change.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, key: &Path) -> Result<()> {
        if *self == Self::read(key)? {
            return Ok(());
        }
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_atomically(&path(key), &text)
    }
}
