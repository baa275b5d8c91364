//! The lists in memory: read whole, replaced whole.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use hashgate::confirm::Index;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::pdq::PdqHash;

use crate::list::{self, Signal};
use crate::serve::confirm::Answer;

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

    /// `FILE`, or `NAME=FILE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = text.split_once('=').filter(|_| !Path::new(text).exists());
        let (name, path) = named.unwrap_or(("", text));
        let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = if name.is_empty() { stem.unwrap_or_default() } else { name.to_owned() };
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(format!("expected a name of 1 to {MAX_NAME} bytes without control characters, got {name:?}"));
        }
        Ok(Self { name, path: path.into() })
    }
}

/// As for a filter's name and category.
const MAX_NAME: usize = 200;

/// What a file looked like when it was read: another stamp means another list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Vec<(SystemTime, u64)>);

impl Stamp {
    /// Looks at the files.
    pub fn of(sources: &[Source]) -> Result<Self> {
        let look = |source: &Source| -> Result<_> {
            let metadata = std::fs::metadata(&source.path).with_context(|| source.path.display().to_string())?;
            Ok((metadata.modified()?, metadata.len()))
        };
        Ok(Self(sources.iter().map(look).collect::<Result<_>>()?))
    }
}

/// Which list a hash is on, and its category.
type Label = (Arc<str>, Option<Arc<str>>);

/// The lists, ready to be asked.
#[derive(Debug)]
pub struct Listed {
    index: Index,
    /// The label of each place of the index.
    pdq: Vec<u32>,
    sha256: HashMap<Sha256Digest, u32>,
    md5: HashMap<Md5Digest, u32>,
    labels: Vec<Label>,
    /// Bytes of the longest answer: every answer is as long.
    pub width: usize,
    /// What the files looked like.
    pub stamp: Stamp,
}

impl Listed {
    /// No list.
    pub fn none() -> Self {
        Self {
            index: Index::default(),
            pdq: Vec::new(),
            sha256: HashMap::new(),
            md5: HashMap::new(),
            labels: Vec::new(),
            width: Answer::longest(&[]),
            stamp: Stamp(Vec::new()),
        }
    }

    /// Reads all lists, or says what is wrong with them.
    pub fn read(sources: &[Source], options: &list::Options) -> Result<Self> {
        let stamp = Stamp::of(sources)?;
        let paths: Vec<_> = sources.iter().map(|source| source.path.clone()).collect();
        let lists = list::read_all(&paths, options)?;
        if Stamp::of(sources)? != stamp {
            bail!("a list changed while it was read");
        }
        let mut listed = Self { stamp, ..Self::none() };
        let mut numbers: HashMap<Label, u32> = HashMap::new();
        let mut hashes: Vec<(PdqHash, u32)> = Vec::new();
        for (source, list) in sources.iter().zip(&lists) {
            if list.entries.is_empty() {
                bail!("{}: expected at least one hash, got none", source.path.display());
            }
            let name: Arc<str> = source.name.as_str().into();
            for entry in &list.entries {
                if let Some(long) = entry.category.as_deref().filter(|category| category.len() > MAX_NAME) {
                    let path = source.path.display();
                    bail!("{path}: category: expected at most {MAX_NAME} bytes, got {}", long.len());
                }
                let label = (name.clone(), entry.category.clone());
                let next = numbers.len() as u32;
                let number = *numbers.entry(label.clone()).or_insert_with(|| {
                    listed.labels.push(label);
                    next
                });
                match entry.signal {
                    Signal::Pdq(hash) => hashes.push((hash, number)),
                    Signal::Sha256(digest) => _ = listed.sha256.entry(digest).or_insert(number),
                    Signal::Md5(digest) => _ = listed.md5.entry(digest).or_insert(number),
                }
            }
        }
        // The first list that holds a hash answers for it.
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

    /// Whether no list is held.
    pub fn is_empty(&self) -> bool {
        self.counts() == [0; 3]
    }

    /// The PDQ hashes.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The label of a place of the index.
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
