//! Reads lists of known hashes, in the formats in which their owners keep them.
//!
//! A list is CSV with a header, JSON Lines, or one hash per line. The first line decides which, not the file's name.
//! Columns (or JSON fields) are found by name: `hash` and `type` (also `signal_str` and `signal_type`, as `threatexchange
//! dataset -P --csv` prints them), `quality`, `category`; or `pdq`, `sha256`, `md5`, as `hashgate hash` prints them. A
//! plain line is a hash of the type that `--type` gives, or a type and a hash, as `threatexchange dataset -P -S` prints
//! them.

mod reader;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::ValueEnum;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::build::Entries;
use hashgate::pdq::PdqHash;

/// The kind of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// PDQ, 64 hexadecimal digits.
    Pdq,
    /// SHA-256 of the file's bytes, 64 hexadecimal digits.
    Sha256,
    /// MD5 of the file's bytes, 32 hexadecimal digits.
    Md5,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Pdq => "pdq",
            Self::Sha256 => "sha256",
            Self::Md5 => "md5",
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "pdq" => Some(Self::Pdq),
            "sha256" | "sha-256" => Some(Self::Sha256),
            "md5" | "photo_md5" => Some(Self::Md5),
            _ => None,
        }
    }
}

/// Returns whether a word is the name of a type of signal.
fn is_type(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    Kind::named(&word).is_some() || OTHER_SIGNALS.contains(&word.as_str())
}

/// Types of signals that `threatexchange` knows and that no picture can match.
const OTHER_SIGNALS: [&str; 10] = [
    "html_shingle",
    "pdq_ocr",
    "raw_text",
    "text_tlsh",
    "trend_query",
    "url",
    "url_md5",
    "video_md5",
    "video_sha256",
    "vpdq",
];

/// A hash of a picture or of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// PDQ.
    Pdq(PdqHash),
    /// SHA-256 of the bytes.
    Sha256(Sha256Digest),
    /// MD5 of the bytes.
    Md5(Md5Digest),
}

/// One hash of a list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The hash.
    pub signal: Signal,
    /// Its category, where the list gives one.
    pub category: Option<Arc<str>>,
}

/// Options for reading lists.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Type of the hashes in a list that doesn't give types.
    #[arg(long = "type", value_enum)]
    pub kind: Option<Kind>,
    /// Leave out bad lines and count them, instead of failing.
    #[arg(long)]
    pub skip_bad: bool,
    /// Count bad lines without showing them. A server sets this, because its log must not hold a hash.
    #[arg(skip)]
    pub quiet: bool,
}

/// A list that was read.
#[derive(Debug)]
pub struct List {
    /// The file.
    pub path: PathBuf,
    /// The usable hashes, in the list's order.
    pub entries: Vec<Entry>,
    /// Number of PDQ hashes that were left out because their quality is under 50.
    pub low_quality: u64,
    /// Number of signals that were left out because no picture can match them, by type.
    pub other: BTreeMap<String, u64>,
    /// Number of bad lines that were left out.
    pub bad: u64,
}

/// Reads lists. Writes bad lines to stderr, with file and line number.
///
/// # Errors
/// A file can't be read or is no list, or has bad lines and `skip_bad` isn't set.
pub fn read_all(paths: &[PathBuf], options: &Options) -> Result<Vec<List>> {
    let lists = paths.iter().map(|path| reader::read(path, options)).collect::<Result<Vec<_>>>()?;
    let bad: u64 = lists.iter().map(|list| list.bad).sum();
    if bad > 0 && !options.skip_bad {
        bail!("lists: expected hashes alone, got {bad} bad lines; mend them, or leave them out with --skip-bad");
    }
    Ok(lists)
}

/// Returns the hashes that at least `sources` of the lists hold, sorted and without repetition.
#[must_use]
pub fn entries(lists: &[List], sources: usize) -> Entries {
    let mut held: Vec<Signal> = Vec::new();
    for list in lists {
        let mut signals: Vec<_> = list.entries.iter().map(|entry| entry.signal).collect();
        signals.sort_unstable();
        signals.dedup();
        held.append(&mut signals);
    }
    held.sort_unstable();
    let mut entries = Entries::default();
    for same in held.chunk_by(|a, b| a == b).filter(|same| same.len() >= sources) {
        match same[0] {
            Signal::Pdq(hash) => entries.pdq.push(hash),
            Signal::Sha256(digest) => entries.sha256.push(digest),
            Signal::Md5(digest) => entries.md5.push(digest),
        }
    }
    entries.normalise();
    entries
}
