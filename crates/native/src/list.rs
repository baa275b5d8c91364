//! Reads lists of known hashes, in the formats in which their owners keep them.
//!
//! The content decides how a list is read, not the file's name. `docs/reference/lists.md` has the forms.

mod builder;
mod bytes;
mod form;
mod frames;
mod json;
mod kind;
mod lines;
mod opinion;
mod pickle;
mod sanity;
mod selection;
mod table;
mod xml;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::ValueEnum;
use hashgate::confirm::HAMMING_THRESHOLD;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::build::Entries;
use hashgate::pdq::PdqHash;

pub use kind::Kind;
pub use opinion::Opinion;
pub use sanity::{MOST_COMPARED, near_duplicates};

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

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pdq(hash) => write!(f, "pdq {hash}"),
            Self::Sha256(digest) => write!(f, "sha256 {digest}"),
            Self::Md5(digest) => write!(f, "md5 {digest}"),
        }
    }
}

/// One hash of a list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The hash.
    pub signal: Signal,
    /// The category of the hash, if the list gives one.
    pub category: Option<Arc<str>>,
    /// Whether the list asserts the hash, disputes it, or says that it doesn't belong on lists.
    pub opinion: Opinion,
    /// Whether it is the hash of a picture, or of a variant of one.
    pub role: Role,
}

/// What a hash stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// A picture or a file.
    #[default]
    Whole,
    /// A variant of a picture, which `hashgate hash --variants` has made: a part of it, or the picture turned.
    Variant,
}

/// What to do with suspect hashes: those that a list holds by mistake, such as the digest of an empty file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Suspect {
    /// Say so, and keep them.
    #[default]
    Report,
    /// Say so, and leave them out.
    LeaveOut,
    /// Refuse the lists.
    Refuse,
}

/// How lists are read, and what is left out of them.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Type of the hashes in a list that doesn't give types.
    #[arg(long = "type", value_enum)]
    pub kind: Option<Kind>,
    /// Leave out bad lines and count them, instead of failing.
    #[arg(long)]
    pub skip_bad: bool,
    /// Also use hashes that a source of the lists disputes or denies (DISPUTED, NEGATIVE_CLASS, negative feedback).
    #[arg(long)]
    pub include_disputed: bool,
    /// Allow list, in any form that lists have. What it holds is left out. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub exclude: Vec<PathBuf>,
    /// Hamming distance from a PDQ hash of an allow list up to which hashes are left out, 0 to 31.
    #[arg(long, value_name = "BITS", default_value_t = HAMMING_THRESHOLD,
        value_parser = clap::value_parser!(u32).range(0..=HAMMING_THRESHOLD as i64))]
    pub exclude_distance: u32,
    /// Leave out the variants of pictures, which `hashgate hash --variants` adds to a list.
    #[arg(long)]
    pub without_variants: bool,
    /// Use only hashes of this category. May be given several times.
    #[arg(long, value_name = "CATEGORY")]
    pub only_category: Vec<String>,
    /// What to do with degenerate hashes, digests of the empty file, and SHA-256 given as PDQ.
    #[arg(long, value_enum, default_value_t = Suspect::Report)]
    pub suspect: Suspect,
    /// Count bad lines without showing them. A server sets this, because its log must not hold a hash.
    #[arg(skip)]
    pub quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kind: None,
            skip_bad: false,
            include_disputed: false,
            exclude: Vec::new(),
            exclude_distance: HAMMING_THRESHOLD,
            without_variants: false,
            only_category: Vec::new(),
            suspect: Suspect::Report,
            quiet: false,
        }
    }
}

/// A list that was read.
#[derive(Debug, Default)]
pub struct List {
    /// The file.
    pub path: PathBuf,
    /// The form that was detected, in words.
    pub form: String,
    /// The usable hashes, in the list's order.
    pub entries: Vec<Entry>,
    /// Number of PDQ hashes that were left out because their quality is under 50.
    pub low_quality: u64,
    /// Number of frames that were left out because another frame of their film differs in 8 bits at most.
    pub near_repeats: u64,
    /// Number of signals that were left out because their type isn't used, by type.
    pub other: BTreeMap<String, u64>,
    /// Number of bad lines that were left out.
    pub bad: u64,
    /// Number of hashes that their own source has withdrawn, deleted or disabled.
    pub withdrawn: u64,
    /// Number of rows that are disputed. They are left out, unless disputed ones are included.
    pub disputed: u64,
    /// Number of rows which say that their hash doesn't belong on lists. They are left out, unless disputed ones are
    /// included.
    pub negative: u64,
    /// Number of rows that assert a hash, although another source disputes or denies it. They are left out, unless
    /// disputed ones are included.
    pub contested: u64,
    /// Number of hashes that were left out because they have another category.
    pub other_category: u64,
    /// Number of hashes that were left out because an allow list holds them.
    pub excluded: u64,
    /// Number of PDQ hashes that were left out because an allow list holds a hash that differs in few bits.
    pub excluded_near: u64,
    /// Number of suspect hashes that were left out.
    pub suspect: u64,
    /// Number of variants that were left out.
    pub variants: u64,
}

/// Reads lists. Writes bad lines to stderr, with file and line number.
///
/// # Errors
/// A file can't be read or is no list, or has bad lines and `skip_bad` isn't set; or the selection fails.
pub fn read_all(paths: &[PathBuf], options: &Options) -> Result<Vec<List>> {
    let inputs = paths.iter().chain(&options.exclude).filter(|path| path.as_os_str() == "-").count();
    if inputs > 1 {
        bail!("-: expected standard input once, got it {inputs} times");
    }
    let mut lists = paths.iter().map(|path| read(path, options)).collect::<Result<Vec<_>>>()?;
    let bad: u64 = lists.iter().map(|list| list.bad).sum();
    if bad > 0 && !options.skip_bad {
        bail!("lists: expected hashes alone, got {bad} bad lines; mend them, or leave them out with --skip-bad");
    }
    selection::select(&mut lists, options)?;
    Ok(lists)
}

fn read(path: &Path, options: &Options) -> Result<List> {
    let content = bytes::read(path)?;
    let mut builder = builder::Builder::new(path, options);
    builder.list.form = form::read(&content, &mut builder)?;
    Ok(builder.list)
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
