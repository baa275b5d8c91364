//! The lists in memory.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hashgate::Filter;
use hashgate::confirm::Index;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::pdq::PdqHash;
use hashgate_native::list::{self, Signal};
use hashgate_native::text;

use crate::answer::Answer;

/// A list's file, and the name that answers give it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Name in answers.
    pub name: String,
    /// Where it is read.
    pub path: PathBuf,
}

impl std::str::FromStr for Source {
    type Err = String;

    /// Reads `FILE` or `NAME=FILE`. Without a name, the list has the name of the file without its ending.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = text.split_once('=').filter(|_| !Path::new(text).exists());
        let (name, path) = named.unwrap_or(("", text));
        let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = if name.is_empty() { stem.unwrap_or_default() } else { name.to_owned() };
        let name = text::label(&name).map_err(|error| format!("name of the list: {error}"))?;
        Ok(Self { name, path: path.into() })
    }
}

/// What the file system says about the lists' files. If a file is changed or replaced, its stamp is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Vec<FileStamp>);

/// What the file system says about one file.
///
/// Length and modification time alone are not enough: `rsync` and `tar` can replace a file by one of the same length
/// and set the same time. So the inode is compared, too, and the time of its last change, which no program can set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    modified: std::time::SystemTime,
    length: u64,
    #[cfg(unix)]
    inode: (u64, u64),
    #[cfg(unix)]
    changed: (i64, i64),
}

impl Stamp {
    /// Makes the stamp of no files.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Returns the stamp of the files.
    ///
    /// # Errors
    /// A file isn't there.
    pub fn of(sources: &[Source]) -> Result<Self> {
        Self::of_files(sources.iter().map(|source| source.path.clone()))
    }

    /// Returns the stamp of files, by their paths.
    ///
    /// # Errors
    /// A file isn't there.
    pub fn of_files(paths: impl Iterator<Item = PathBuf>) -> Result<Self> {
        let look = |path: PathBuf| -> Result<_> {
            let metadata = std::fs::metadata(&path).with_context(|| path.display().to_string())?;
            #[cfg(unix)]
            use std::os::unix::fs::MetadataExt;
            Ok(FileStamp {
                modified: metadata.modified()?,
                length: metadata.len(),
                #[cfg(unix)]
                inode: (metadata.dev(), metadata.ino()),
                #[cfg(unix)]
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            })
        };
        Ok(Self(paths.map(look).collect::<Result<_>>()?))
    }
}

/// Writes the filter of a list into memory. The filter holds no categories of hashes: the full list gives the category
/// when it confirms a match.
fn filter_of(name: &str, mut entries: Entries) -> Result<Vec<u8>> {
    entries.normalise();
    let request = Request::new(name, "listed");
    let plan = Plan::new(&request, &entries).with_context(|| format!("filter of the list {name:?}"))?;
    Ok(write(&request, &plan, &entries)?)
}

/// The name of the list that holds a hash, and the category of the hash.
pub type Label = (Arc<str>, Option<Arc<str>>);

/// The lists, ready for lookups.
#[derive(Debug)]
pub struct Listed {
    index: Index,
    /// For each PDQ hash, by its position in the index, the position of its label in `labels`.
    pdq: Vec<u32>,
    sha256: HashMap<Sha256Digest, u32>,
    md5: HashMap<Md5Digest, u32>,
    labels: Vec<Label>,
    /// The filter files made from the lists. Files are looked up in them. Lists with the same name share one filter.
    filters: Vec<Vec<u8>>,
    /// Length in bytes of the longest answer, to which all are filled.
    pub width: usize,
    /// The sizes and the times of the files, as the system reported them when the files were read.
    pub stamp: Stamp,
}

impl Listed {
    /// Makes an empty set of lists.
    pub fn none() -> Self {
        Self {
            index: Index::default(),
            pdq: Vec::new(),
            sha256: HashMap::new(),
            md5: HashMap::new(),
            labels: Vec::new(),
            filters: Vec::new(),
            width: Answer::longest(&[]),
            stamp: Stamp::none(),
        }
    }

    /// Reads all lists.
    ///
    /// # Errors
    /// A list can't be read, holds no hash, or changed while it was read.
    pub fn read(sources: &[Source], options: &list::Options) -> Result<Self> {
        let stamp = Stamp::of(sources)?;
        let paths: Vec<_> = sources.iter().map(|source| source.path.clone()).collect();
        let lists = list::read_all(&paths, options)?;
        if Stamp::of(sources)? != stamp {
            bail!("lists: expected files that stay as they are while they are read, got a change; it is read again");
        }
        let mut listed = Self { stamp, ..Self::none() };
        let mut numbers: HashMap<Label, u32> = HashMap::new();
        let mut hashes: Vec<(PdqHash, u32)> = Vec::new();
        let mut entries: BTreeMap<Arc<str>, Entries> = BTreeMap::new();
        for (source, list) in sources.iter().zip(&lists) {
            if list.entries.is_empty() {
                bail!("{}: expected at least one hash, got none; leave the list out", source.path.display());
            }
            let name: Arc<str> = source.name.as_str().into();
            let entries = entries.entry(name.clone()).or_default();
            for entry in &list.entries {
                let label = (name.clone(), entry.category.clone());
                let next = numbers.len() as u32;
                let number = *numbers.entry(label.clone()).or_insert_with(|| {
                    listed.labels.push(label);
                    next
                });
                match entry.signal {
                    Signal::Pdq(hash) => {
                        hashes.push((hash, number));
                        entries.pdq.push(hash);
                    }
                    Signal::Sha256(digest) => {
                        listed.sha256.entry(digest).or_insert(number);
                        entries.sha256.push(digest);
                    }
                    Signal::Md5(digest) => {
                        listed.md5.entry(digest).or_insert(number);
                        entries.md5.push(digest);
                    }
                }
            }
        }
        drop(lists);
        listed.filters = entries.into_iter().map(|(name, entries)| filter_of(&name, entries)).collect::<Result<_>>()?;
        // If several lists hold a hash, its label is that of the first list.
        hashes.sort_unstable();
        hashes.dedup_by_key(|(hash, _)| *hash);
        let (hashes, labels): (Vec<_>, Vec<_>) = hashes.into_iter().unzip();
        listed.index = Index::new(&hashes);
        listed.pdq = labels;
        listed.width = Answer::longest(&listed.labels);
        Ok(listed)
    }

    /// PDQ, SHA-256 and MD5 hashes, without repetitions.
    pub fn counts(&self) -> [u64; 3] {
        [self.index.len(), self.sha256.len(), self.md5.len()].map(|count| count as u64)
    }

    /// Returns whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.counts() == [0; 3]
    }

    /// Returns the filters of the lists.
    ///
    /// # Errors
    /// Never, because this server wrote them.
    pub fn filters(&self) -> Result<Vec<Filter>> {
        self.filters.iter().map(|bytes| Ok(Filter::open(bytes.clone())?)).collect()
    }

    /// The PDQ hashes.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Returns the label of the hash at this position of the index.
    pub fn label(&self, place: u32) -> (&str, Option<&str>) {
        self.named(self.pdq[place as usize])
    }

    /// The label of a SHA-256.
    pub fn sha256(&self, digest: &Sha256Digest) -> Option<(&str, Option<&str>)> {
        self.sha256.get(digest).map(|&number| self.named(number))
    }

    /// The label of an MD5.
    pub fn md5(&self, digest: &Md5Digest) -> Option<(&str, Option<&str>)> {
        self.md5.get(digest).map(|&number| self.named(number))
    }

    fn named(&self, number: u32) -> (&str, Option<&str>) {
        let (list, category) = &self.labels[number as usize];
        (list, category.as_deref())
    }
}
