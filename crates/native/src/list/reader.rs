//! Reads one list, in any of the three formats.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hashgate::pdq::MIN_QUALITY;

use super::{Entry, Kind, List, OTHER_SIGNALS, Options, Signal, is_type};
use crate::terminal::complain;
use crate::text;

/// Reads a list.
pub(super) fn read(path: &Path, options: &Options) -> Result<List> {
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
    // A line that begins with a type isn't CSV, even if it has commas: signals of other types are texts.
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

/// The position of each column that is used.
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
    /// Finds the columns by their names. Returns `None` if no column holds hashes.
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

/// The fields of a line that are used, as text.
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

    /// Adds the hashes of a line to the list, or counts the line as bad or left out.
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
        let category = match fields.category.filter(|text| !text.is_empty()).map(text::label).transpose() {
            Ok(name) => name.map(|name| self.category(&name)),
            Err(error) => return self.bad(line, &format!("category: {error}")),
        };
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
                Err(error) => self.bad(line, &format!("{}: {error}", kind.name())),
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
        /// Number of bad lines of a file that are shown. Further ones are only counted.
        const SHOWN: u64 = 20;
        self.list.bad += 1;
        if self.options.quiet {
            return;
        }
        if self.list.bad <= SHOWN {
            complain(&format!("{}:{line}: {what}", self.list.path.display()));
        } else if self.list.bad == SHOWN + 1 {
            complain(&format!("{}: more bad lines follow", self.list.path.display()));
        }
    }
}

/// Returns the lines that aren't blank, numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines()).map(|(number, line)| (number, line.trim())).filter(|(_, line)| !line.is_empty())
}
