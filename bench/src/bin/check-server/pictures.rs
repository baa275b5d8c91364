//! The pictures that are sent, and the filter of the server.

use std::path::{Path, PathBuf};

use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate_testkit::jpeg::{Kind, draw};
use hashgate_testkit::numbered_hash;

use crate::Result;

/// Draws 16 pictures of 2 megapixels, coded like photographs: of each four, three are baseline and one is progressive.
pub fn drawn() -> Vec<Vec<u8>> {
    (0..16).map(|seed| draw(1600, 1200, Kind::photograph(seed % 4 == 3), seed)).collect()
}

/// Draws small pictures of every kind, which the hostile run then damages.
pub fn small() -> Vec<Vec<u8>> {
    hashgate_testkit::jpeg::kinds().into_iter().zip(0..).map(|(kind, seed)| draw(320, 240, kind, seed)).collect()
}

/// Reads the files of a folder.
pub fn of_folder(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    paths.retain(|path| path.is_file());
    Ok(paths.into_iter().map(std::fs::read).collect::<std::io::Result<_>>()?)
}

/// Writes a filter of 1,000,000 numbered hashes with the default settings, if the file doesn't exist.
pub fn filter(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("million-numbered.hgf");
    if !path.exists() {
        let mut entries = Entries { pdq: (0..1_000_000).map(numbered_hash).collect(), ..Entries::default() };
        entries.normalise();
        let request = Request::new("million", "numbered hashes");
        let plan = Plan::new(&request, &entries)?;
        std::fs::write(&path, write(&request, &plan, &entries)?)?;
    }
    Ok(path)
}
