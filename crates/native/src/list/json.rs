//! Reads JSON lists: one document, or one object per line. Finds records by the names of their fields, at any depth.

mod records;
mod stix;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;

use super::builder::{Builder, Row};
use super::kind::Kind;
use super::lines::lines;

pub(super) use records::is_disabled_text;

/// Reads the rows. Returns the form in words.
///
/// # Errors
/// The text is no JSON, or holds no record that is known.
pub(super) fn read(text: &str, builder: &mut Builder) -> Result<String> {
    let first = lines(text).next().map_or("", |(_, line)| line);
    let mut walk = Walk { builder, forms: BTreeSet::new(), disputed: BTreeSet::new(), line: 1, counts_records: false };
    let name = walk.builder.list.path.display().to_string();
    let document = match is_whole(first) && first.starts_with('{') {
        true => None,
        false => match serde_json::from_str::<Value>(text) {
            Ok(document) => Some(document),
            // If the first line isn't JSON but another line is, the text is still JSON lines, of which the first is
            // bad.
            Err(_) if lines(text).nth(1).is_some_and(|(_, line)| line.starts_with('{') && is_whole(line)) => None,
            Err(error) => bail!("{name}: expected whole JSON, got {error}; fetch the list again"),
        },
    };
    let Some(document) = document else {
        let several = lines(text).nth(1).is_some();
        for (number, line) in lines(text) {
            walk.line = number;
            match serde_json::from_str::<Value>(line) {
                Ok(Value::Object(record)) => walk.top(&Value::Object(record)),
                Ok(_) => walk.builder.bad(number, "expected a JSON object with a hash, got another value"),
                Err(error) => {
                    walk.builder.bad(number, &format!("expected a JSON object with a hash, got {error}"));
                }
            }
        }
        let form = walk.form();
        return Ok(if several { format!("JSON Lines{form}") } else { format!("JSON{form}") });
    };
    walk.counts_records = true;
    walk.line = 0;
    walk.disputed = stix::disputed(&document);
    let before = walk.builder.list.bad;
    walk.value(&document);
    if walk.forms.is_empty() && walk.builder.list.bad == before && !is_empty(&document) {
        bail!("{name}: expected JSON with records of a known kind, got others; `hashgate help lists` names the kinds");
    }
    Ok(format!("JSON{}", walk.form()))
}

fn is_whole(line: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
}

/// Returns whether a document is an empty page of an interface, which holds no record.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().any(|value| value.as_array().is_some_and(Vec::is_empty)),
        _ => false,
    }
}

/// Visits every value of a document, and takes the records that it recognises.
struct Walk<'a, 'b> {
    builder: &'a mut Builder<'b>,
    /// The kinds of records found so far.
    forms: BTreeSet<&'static str>,
    /// Identifiers of STIX objects that an opinion disagrees with.
    disputed: BTreeSet<String>,
    /// The line's number; in a single document, the record's number.
    line: u64,
    counts_records: bool,
}

impl Walk<'_, '_> {
    fn form(&self) -> String {
        match self.forms.is_empty() {
            true => String::new(),
            false => format!(" of {}", self.forms.iter().copied().collect::<Vec<_>>().join(" and ")),
        }
    }

    /// Takes the object of a line. A line without a record is bad.
    fn top(&mut self, value: &Value) {
        self.disputed = stix::disputed(value);
        let (forms, bad) = (std::mem::take(&mut self.forms), self.builder.list.bad);
        self.value(value);
        if self.forms.is_empty() && self.builder.list.bad == bad {
            self.builder.bad(self.line, "expected a JSON object with a hash, got none");
        }
        self.forms.extend(forms);
    }

    fn value(&mut self, value: &Value) {
        if super::frames::is_film(value) {
            self.line += u64::from(self.counts_records);
            self.forms.insert("vPDQ");
            return self.builder.film_value(self.line, value);
        }
        match value {
            Value::Object(fields) => {
                if self.counts_records {
                    self.line += 1;
                }
                if !self.record(fields) {
                    self.line -= u64::from(self.counts_records);
                    fields
                        .values()
                        .filter(|value| value.is_object() || value.is_array())
                        .for_each(|value| self.value(value));
                }
            }
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::String(hash) if super::lines::is_hex(hash) || self.builder.options.kind.is_some() => {
                            self.plain(hash);
                        }
                        item => self.value(item),
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes a string of an array as a hash. Its type is given by `--type`; without that option only MD5 is certain, by
    /// its 32 digits.
    fn plain(&mut self, hash: &str) {
        self.line += u64::from(self.counts_records);
        self.forms.insert("hashes");
        let row = Row { hash, ..Row::default() };
        match (self.builder.options.kind, hash.len()) {
            (None, 32) => self.builder.hash(self.line, Kind::Md5, &row),
            (None, 40) => self.builder.other("sha1"),
            _ => self.builder.row(self.line, &row),
        }
    }
}
