//! A log as static files (C2SP `tlog-tiles`): the names and the contents of the files, and the format of a bundle.

use anyhow::{Context, Result, ensure};
use hashgate::release::log::merkle::Hash;

use crate::tree;

/// Number of hashes in a full tile, and of entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Longest entry in bytes. A bundle stores the length of an entry in two bytes.
pub const MAX_ENTRY: usize = 65_535;

/// A file of a log that holds consecutive hashes of a level, or entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// The level, 0 for hashes of entries. `None` for entries themselves.
    pub level: Option<u32>,
    /// Place among the tiles of the level.
    pub index: u64,
    /// Number of hashes or entries, up to [`WIDTH`].
    pub width: u64,
}

impl Tile {
    /// Returns the path of the file below the log's address.
    #[must_use]
    pub fn path(&self) -> String {
        let level = self.level.map_or("entries".into(), |level| level.to_string());
        let mut path = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1000);
            rest /= 1000;
        }
        let part = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{level}/{path}{part}")
    }
}

/// Returns the bundles that hold the entries from `old` on, of a log with `size` entries.
pub fn bundles(old: u64, size: u64) -> impl Iterator<Item = Tile> {
    let tile = move |index| Tile { level: None, index, width: WIDTH.min(size - index * WIDTH) };
    (old / WIDTH..size.div_ceil(WIDTH)).map(tile)
}

/// Returns each tile, with its bytes, that a log with these leaves has and a log with only the first `old` leaves
/// doesn't have.
#[must_use]
pub fn hashes(leaves: &[Hash], old: u64) -> Vec<(Tile, Vec<u8>)> {
    let mut files = Vec::new();
    let mut level = leaves.to_vec();
    let mut old = old;
    for number in 0.. {
        let size = level.len() as u64;
        if size == 0 {
            break;
        }
        for index in old / WIDTH..size.div_ceil(WIDTH) {
            let width = WIDTH.min(size - index * WIDTH);
            let from = (index * WIDTH) as usize;
            if index * WIDTH + width > old {
                let bytes = level[from..from + width as usize].concat();
                files.push((Tile { level: Some(number), index, width }, bytes));
            }
        }
        level = level.chunks_exact(WIDTH as usize).map(tree::root).collect();
        old /= WIDTH;
    }
    files
}

/// Writes entries as a bundle.
///
/// # Errors
/// An entry is longer than [`MAX_ENTRY`].
pub fn write_bundle(entries: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len());
        let length = length.ok().with_context(|| {
            format!("entry: expected at most {MAX_ENTRY} bytes, got {}; publish with fewer deltas", entry.len())
        })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads the entries of a bundle.
///
/// # Errors
/// The bundle doesn't hold exactly `width` entries.
pub fn read_bundle(mut bytes: &[u8], width: u64) -> Result<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let entry = rest.split_at_checked(u16::from_be_bytes(*length).into());
        let (entry, rest) = entry.context("bundle: expected whole entries, got one that ends too early")?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    ensure!(bytes.is_empty(), "bundle: expected whole entries, got {} bytes after the last", bytes.len());
    ensure!(entries.len() as u64 == width, "bundle: expected {width} entries, got {}", entries.len());
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = |level, index, width| Tile { level, index, width }.path();
        assert_eq!(tile(Some(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile(Some(63), 0, 1), "tile/63/000.p/1");
        assert_eq!(tile(None, 1000, 255), "tile/entries/x001/000.p/255");
    }

    #[test]
    fn a_log_of_70000_entries_has_the_tiles_of_the_specification() {
        let leaves = vec![[7; 32]; 70_000];
        let files = hashes(&leaves, 0);
        let count = |level, width: std::ops::RangeInclusive<u64>| {
            files.iter().filter(|(tile, _)| tile.level == Some(level) && width.contains(&tile.width)).count()
        };
        assert_eq!((count(0, 256..=256), count(0, 112..=112)), (273, 1));
        assert_eq!((count(1, 256..=256), count(1, 17..=17), count(2, 1..=1)), (1, 1, 1));
        assert_eq!(files.len(), 277);
        // A tree of 256 leaves has a full tile, and above it a tile with a single hash.
        let names: Vec<_> = hashes(&leaves[..256], 255).iter().map(|(tile, _)| tile.path()).collect();
        assert_eq!(names, ["tile/0/000", "tile/1/000.p/1"]);
    }

    #[test]
    fn a_bundle_holds_whole_entries() {
        let entries = vec![b"a".to_vec(), Vec::new(), vec![9; 300]];
        let bytes = write_bundle(&entries).unwrap();
        assert_eq!(read_bundle(&bytes, 3).unwrap(), entries);
        assert!(read_bundle(&bytes, 2).is_err() && read_bundle(&bytes[..bytes.len() - 1], 3).is_err());
        assert!(read_bundle(&[bytes, vec![0]].concat(), 3).is_err());
        assert!(write_bundle(&[vec![0; MAX_ENTRY + 1]]).is_err());
    }
}
