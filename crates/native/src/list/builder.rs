//! Collects the rows of a list, whatever form they come in: as entries, left out, or bad.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hashgate::pdq::MIN_QUALITY;

use super::kind::{Kind, Named, named};
use super::{Entry, List, Opinion, Options, Role, Signal};
use crate::terminal::complain;
use crate::text;

/// A row of a list: one hash, with its type, quality, category and opinion as the list gives them.
#[derive(Default, Clone, Copy)]
pub(super) struct Row<'a> {
    pub hash: &'a str,
    /// The name of the hash's type, as the list gives it. If it is missing, the option `--type` gives the type.
    pub kind: Option<&'a str>,
    pub quality: Option<&'a str>,
    pub category: Option<&'a str>,
    pub opinion: Opinion,
    pub role: Role,
}

pub(super) struct Builder<'a> {
    pub options: &'a Options,
    pub list: List,
    categories: BTreeMap<String, Arc<str>>,
}

impl<'a> Builder<'a> {
    pub fn new(path: &Path, options: &'a Options) -> Self {
        Self { options, categories: BTreeMap::new(), list: List { path: path.into(), ..List::default() } }
    }

    /// Adds a row of a list in which people write the types. An unknown type makes it a bad line, because the type may
    /// be misspelt.
    pub fn row(&mut self, line: u64, row: &Row) {
        self.add(line, row, false);
    }

    /// Adds a row of a program's interface. Interfaces get new types over time, so a row of unknown type is counted and
    /// left out instead of being a bad line.
    pub fn row_of_interface(&mut self, line: u64, row: &Row) {
        self.add(line, row, true);
    }

    fn add(&mut self, line: u64, row: &Row, lenient: bool) {
        let Some(kind) = row.kind.map(str::trim).filter(|kind| !kind.is_empty()) else {
            return match self.options.kind {
                Some(kind) => self.hash(line, kind, row),
                None => self.bad(line, "type: expected a type, or --type for the whole list, got none"),
            };
        };
        match named(kind) {
            Named::Used(kind) => self.hash(line, kind, row),
            Named::Frames => self.film(line, row),
            Named::Other => self.other(kind),
            Named::Unknown if lenient => self.other(kind),
            Named::Unknown => self.bad(line, &format!("type: expected pdq, sha256 or md5, got {kind:?}")),
        }
    }

    /// Adds a row whose kind is known.
    pub fn hash(&mut self, line: u64, kind: Kind, row: &Row) {
        let quality = match row.quality.map(str::trim).filter(|text| !text.is_empty()).map(str::parse::<u8>) {
            None => None,
            Some(Ok(quality)) if quality <= 100 => Some(quality),
            Some(_) => {
                let got = row.quality.unwrap_or_default();
                return self.bad(line, &format!("quality: expected a whole number from 0 to 100, got {got:?}"));
            }
        };
        let category = match row.category.filter(|text| !text.is_empty()).map(text::label).transpose() {
            Ok(name) => name.map(|name| self.category(&name)),
            Err(error) => return self.bad(line, &format!("category: {error}")),
        };
        let text = row.hash.trim();
        let signal = match kind {
            Kind::Pdq => text.parse().map(Signal::Pdq),
            Kind::Sha256 => text.parse().map(Signal::Sha256),
            Kind::Md5 => text.parse().map(Signal::Md5),
        };
        match signal {
            Err(error) => self.bad(line, &format!("{}: {error}", kind.name())),
            Ok(Signal::Pdq(_)) if quality.is_some_and(|quality| quality < MIN_QUALITY) => self.list.low_quality += 1,
            Ok(_) if row.role == Role::Variant && self.options.without_variants => self.list.variants += 1,
            Ok(signal) => self.list.entries.push(Entry { signal, category, opinion: row.opinion, role: row.role }),
        }
    }

    /// Counts a hash of a type that isn't used.
    pub fn other(&mut self, kind: &str) {
        /// Largest number of types that are counted by name. Without a limit, a hostile list could fill the memory by
        /// giving every row another type.
        const NAMES: usize = 64;
        let name = text::plain(kind.trim());
        let name =
            if self.list.other.len() < NAMES || self.list.other.contains_key(&name) { name } else { "others".into() };
        *self.list.other.entry(name).or_default() += 1;
    }

    /// Counts a hash that its own source has withdrawn.
    pub fn withdrawn(&mut self) {
        self.list.withdrawn += 1;
    }

    fn category(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.categories.get(name) {
            return known.clone();
        }
        let category: Arc<str> = name.into();
        self.categories.insert(name.to_owned(), category.clone());
        category
    }

    pub fn bad(&mut self, line: u64, what: &str) {
        /// Number of bad lines per file that are shown. Further bad lines are only counted.
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
