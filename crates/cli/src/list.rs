//! Lists of known hashes, as their owners keep them.
//!
//! A list is CSV with a header, JSON Lines, or one hash a line. Which of them is seen from the first line, not from the name.
//! Columns (or JSON fields) are found by name: `hash` and `type` (also `signal_str` and `signal_type`, as `threatexchange
//! dataset -P --csv` prints them), `quality`, `category`; or `pdq`, `sha256`, `md5`, as `hashgate hash` prints them. A plain
//! line is a hash, of the type that `--type` says, or a type and a hash, as `threatexchange dataset -P -S` prints them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::build::Entries;
use hashgate::pdq::{MIN_QUALITY, PdqHash};

/// What kind of hash a line is.
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
    fn named(name: &str) -> Option<Self> {
        match name {
            "pdq" => Some(Self::Pdq),
            "sha256" | "sha-256" => Some(Self::Sha256),
            "md5" | "photo_md5" => Some(Self::Md5),
            _ => None,
        }
    }
}

/// Whether a word is the name of a signal's type.
fn is_type(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    Kind::named(&word).is_some() || OTHER_SIGNALS.contains(&word.as_str())
}

/// Names of signals that `threatexchange` knows and that no picture can match.
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

/// How lists are read.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What the hashes of a list without types are.
    #[arg(long = "type", value_enum)]
    pub kind: Option<Kind>,
    /// Leave bad lines out and count them, instead of failing.
    #[arg(long)]
    pub skip_bad: bool,
    /// Count bad lines without showing them: a server's log tells of no hash, not even a misplaced one.
    #[arg(skip)]
    pub quiet: bool,
}

/// One list, read.
#[derive(Debug)]
pub struct List {
    /// Where it was read.
    pub path: PathBuf,
    /// The hashes that can be used, in the list's order.
    pub entries: Vec<Entry>,
    /// PDQ hashes that were left out because their quality is under 50.
    pub low_quality: u64,
    /// Signals that no picture can match, by name: left out.
    pub other: BTreeMap<String, u64>,
    /// Bad lines, left out.
    pub bad: u64,
}

/// Reads lists. Bad lines go to stderr with file and line number.
pub fn read_all(paths: &[PathBuf], options: &Options) -> Result<Vec<List>> {
    let lists = paths.iter().map(|path| read(path, options)).collect::<Result<Vec<_>>>()?;
    let bad: u64 = lists.iter().map(|list| list.bad).sum();
    if bad > 0 && !options.skip_bad {
        bail!("{bad} bad lines; mend them, or leave them out with --skip-bad");
    }
    Ok(lists)
}

/// What at least `sources` of the lists hold, sorted and without repetitions.
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

fn read(path: &Path, options: &Options) -> Result<List> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| name.to_string())?;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            bail!("{name}:{line}: expected UTF-8, got other bytes");
        }
    };
    let mut reader = Reader {
        options,
        categories: BTreeMap::new(),
        list: List { path: path.into(), entries: Vec::new(), low_quality: 0, other: BTreeMap::new(), bad: 0 },
    };
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // Of a typed line the hash, or the text that other signals have there, may hold commas.
    let typed = first.trim().split_once(char::is_whitespace).is_some_and(|(kind, _)| is_type(kind));
    if first.trim_start().starts_with('{') {
        reader.json_lines(text);
    } else if typed {
        reader.plain(text);
    } else if first.contains(',') || Columns::of(first.split(',')).is_some() {
        reader.csv(text)?;
    } else {
        reader.plain(text);
    }
    Ok(reader.list)
}

/// Which column is which.
#[derive(Debug, Default)]
struct Columns {
    hash: Option<usize>,
    kind: Option<usize>,
    pdq: Option<usize>,
    sha256: Option<usize>,
    md5: Option<usize>,
    quality: Option<usize>,
    category: Option<usize>,
}

impl Columns {
    /// Nothing if the names aren't those of a list.
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut columns = Self::default();
        for (index, name) in names.enumerate() {
            let column = match name.trim().to_ascii_lowercase().as_str() {
                "hash" | "signal_str" => &mut columns.hash,
                "type" | "signal_type" => &mut columns.kind,
                "pdq" => &mut columns.pdq,
                "sha256" => &mut columns.sha256,
                "md5" => &mut columns.md5,
                "quality" => &mut columns.quality,
                "category" => &mut columns.category,
                _ => continue,
            };
            column.get_or_insert(index);
        }
        let found = columns.hash.or(columns.pdq).or(columns.sha256).or(columns.md5);
        found.map(|_| columns)
    }
}

/// The fields of one line that matter, as text.
#[derive(Default)]
struct Fields<'a> {
    hash: Option<&'a str>,
    kind: Option<&'a str>,
    pdq: Option<&'a str>,
    sha256: Option<&'a str>,
    md5: Option<&'a str>,
    quality: Option<&'a str>,
    category: Option<&'a str>,
}

struct Reader<'a> {
    options: &'a Options,
    categories: BTreeMap<String, Arc<str>>,
    list: List,
}

impl Reader<'_> {
    fn csv(&mut self, text: &str) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers()?.clone();
        let Some(columns) = Columns::of(header.iter()) else {
            let got: Vec<_> = header.iter().collect();
            bail!(
                "{}:1: header: expected the columns hash and type, or pdq, sha256, md5; got {}",
                self.list.path.display(),
                got.join(",")
            );
        };
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    self.bad(error.position().map_or(0, csv::Position::line), &error.to_string());
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != header.len() {
                self.bad(line, &format!("expected {} columns, got {}", header.len(), record.len()));
                continue;
            }
            let field = |column: Option<usize>| column.and_then(|column| record.get(column));
            let fields = Fields {
                hash: field(columns.hash),
                kind: field(columns.kind),
                pdq: field(columns.pdq),
                sha256: field(columns.sha256),
                md5: field(columns.md5),
                quality: field(columns.quality),
                category: field(columns.category),
            };
            self.line(line, &fields);
        }
        Ok(())
    }

    fn json_lines(&mut self, text: &str) {
        #[derive(serde::Deserialize)]
        struct Line {
            #[serde(alias = "signal_str")]
            hash: Option<String>,
            #[serde(rename = "type", alias = "signal_type")]
            kind: Option<String>,
            pdq: Option<String>,
            sha256: Option<String>,
            md5: Option<String>,
            quality: Option<serde_json::Number>,
            category: Option<String>,
        }
        for (number, line) in lines(text) {
            match serde_json::from_str::<Line>(line) {
                Ok(json) => {
                    let quality = json.quality.map(|quality| quality.to_string());
                    self.line(
                        number,
                        &Fields {
                            hash: json.hash.as_deref(),
                            kind: json.kind.as_deref(),
                            pdq: json.pdq.as_deref(),
                            sha256: json.sha256.as_deref(),
                            md5: json.md5.as_deref(),
                            quality: quality.as_deref(),
                            category: json.category.as_deref(),
                        },
                    );
                }
                Err(error) => self.bad(number, &format!("expected a JSON object with a hash, got {error}")),
            }
        }
    }

    fn plain(&mut self, text: &str) {
        for (number, line) in lines(text) {
            let (kind, hash) = match line.split_once(char::is_whitespace) {
                Some((kind, hash)) => (Some(kind), hash.trim()),
                None => (None, line),
            };
            self.line(number, &Fields { hash: Some(hash), kind, ..Fields::default() });
        }
    }

    /// Takes the hashes of one line, or counts why not.
    fn line(&mut self, line: u64, fields: &Fields) {
        let given = |field: Option<&str>| field.is_some_and(|text| !text.is_empty());
        let quality = match fields.quality.filter(|text| !text.is_empty()).map(str::parse::<u8>) {
            None => None,
            Some(Ok(quality)) if quality <= 100 => Some(quality),
            Some(_) => {
                let got = fields.quality.unwrap_or_default();
                return self.bad(line, &format!("quality: expected a whole number from 0 to 100, got {got:?}"));
            }
        };
        let category = fields.category.filter(|text| !text.is_empty()).map(|text| self.category(text));
        let mut found = Vec::new();
        if given(fields.hash) {
            let kind = match fields.kind.filter(|text| !text.is_empty()) {
                None => self.options.kind,
                Some(kind) => match kind.to_ascii_lowercase().as_str() {
                    known if Kind::named(known).is_some() => Kind::named(known),
                    other if OTHER_SIGNALS.contains(&other) => {
                        *self.list.other.entry(other.to_owned()).or_default() += 1;
                        return;
                    }
                    _ => return self.bad(line, &format!("type: expected pdq, sha256 or md5, got {kind:?}")),
                },
            };
            let Some(kind) = kind else {
                return self.bad(line, "type: expected a type, or --type for the whole list, got none");
            };
            found.push((kind, fields.hash));
        }
        found.extend([(Kind::Pdq, fields.pdq), (Kind::Sha256, fields.sha256), (Kind::Md5, fields.md5)]);
        found.retain(|(_, text)| given(*text));
        if found.is_empty() {
            return self.bad(line, "expected a hash, got none");
        }
        for (kind, text) in found {
            let text = text.unwrap_or_default();
            let signal = match kind {
                Kind::Pdq => text.parse().map(Signal::Pdq),
                Kind::Sha256 => text.parse().map(Signal::Sha256),
                Kind::Md5 => text.parse().map(Signal::Md5),
            };
            match signal {
                Err(error) => self.bad(line, &format!("{kind:?}: {error}").to_lowercase()),
                Ok(Signal::Pdq(_)) if quality.is_some_and(|quality| quality < MIN_QUALITY) => {
                    self.list.low_quality += 1;
                }
                Ok(signal) => self.list.entries.push(Entry { signal, category: category.clone() }),
            }
        }
    }

    fn category(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.categories.get(name) {
            return known.clone();
        }
        let category: Arc<str> = name.into();
        self.categories.insert(name.to_owned(), category.clone());
        category
    }

    fn bad(&mut self, line: u64, what: &str) {
        /// The first lines show what is wrong; the rest is counted.
        const SHOWN: u64 = 20;
        self.list.bad += 1;
        if self.options.quiet {
            return;
        }
        if self.list.bad <= SHOWN {
            eprintln!("{}:{line}: {what}", self.list.path.display());
        } else if self.list.bad == SHOWN + 1 {
            eprintln!("{}: more bad lines follow", self.list.path.display());
        }
    }
}

/// Lines that say something, numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines()).map(|(number, line)| (number, line.trim())).filter(|(_, line)| !line.is_empty())
}
