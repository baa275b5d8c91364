//! STIX 2.1: file and artifact objects with their hashes, and indicators whose pattern compares the hash of a file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Walk;
use crate::list::builder::Row;
use crate::list::opinion::Opinion;

/// Returns the identifiers of objects that an `opinion` object of the document disagrees with.
pub(super) fn disputed(document: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(fields) if fields.get("type").and_then(Value::as_str) == Some("opinion") => {
                let opinion = fields.get("opinion").and_then(Value::as_str);
                if matches!(opinion, Some("disagree" | "strongly-disagree")) {
                    let objects = fields.get("object_refs").and_then(Value::as_array).into_iter().flatten();
                    found.extend(objects.filter_map(Value::as_str).map(str::to_owned));
                }
            }
            Value::Object(fields) => fields.get("objects").into_iter().for_each(|objects| walk(objects, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(document, &mut found);
    found
}

impl Walk<'_, '_> {
    /// Takes the hashes of a STIX object. Returns `true` for objects without hashes, too, because they are known to be
    /// no records.
    pub(super) fn stix(&mut self, fields: &Map<String, Value>) -> bool {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let Some(kind) = text("type") else { return false };
        let id = text("id").unwrap_or_default();
        if kind == "bundle" || !id.starts_with(&format!("{kind}--")) {
            return false;
        }
        self.forms.insert("STIX 2.1");
        let mut found: Vec<(&str, &str)> = Vec::new();
        match kind {
            "file" | "artifact" => {
                let hashes = fields.get("hashes").and_then(Value::as_object).into_iter().flatten();
                found.extend(hashes.filter_map(|(name, hash)| Some((name.as_str(), hash.as_str()?))));
            }
            "indicator" if matches!(text("pattern_type"), None | Some("stix")) => {
                let pattern = text("pattern").unwrap_or_default();
                found = pattern_hashes(pattern);
                if found.is_empty() && pattern.contains("file:hashes.") {
                    self.builder.other("indicator with further conditions");
                }
            }
            _ => {}
        }
        let is_benign = |field: &str| {
            let types = fields.get(field).and_then(Value::as_array).into_iter().flatten();
            types.filter_map(Value::as_str).any(|kind| kind == "benign")
        };
        let mut opinion = if is_benign("indicator_types") { Opinion::Negative } else { Opinion::Asserted };
        if self.disputed.contains(id) {
            opinion = opinion.and(Opinion::Negative);
        }
        let is_revoked = fields.get("revoked").and_then(Value::as_bool) == Some(true);
        for (name, hash) in found {
            match is_revoked {
                true => self.builder.withdrawn(),
                false => {
                    let row = Row { hash, kind: Some(name), opinion, ..Row::default() };
                    self.builder.row_of_interface(self.line, &row);
                }
            }
        }
        true
    }
}

/// Returns the hashes in a pattern such as `[file:hashes.'SHA-256' = '…']`, each with the name of its type. Returns an
/// empty list if the pattern combines conditions with AND, FOLLOWEDBY or NOT: then one matching hash
/// doesn't mean that the pattern matches.
fn pattern_hashes(pattern: &str) -> Vec<(&str, &str)> {
    let words = |word: &str| pattern.split_whitespace().any(|other| other == word);
    if ["AND", "FOLLOWEDBY", "NOT"].into_iter().any(words) {
        return Vec::new();
    }
    pattern.split("file:hashes.").skip(1).filter_map(compared).collect()
}

/// Splits `'SHA-256' = '…'` into the name and the hash.
fn compared(comparison: &str) -> Option<(&str, &str)> {
    let (name, value) = comparison.split_once('=')?;
    let hash = value.trim_start().strip_prefix('\'')?.split('\'').next()?;
    Some((name.trim().trim_matches(['\'', '"']), hash))
}
