//! The records that are recognised, each by the fields that its interface gives it.

use serde_json::{Map, Value};

use super::Walk;
use crate::clock;
use crate::list::Role;
use crate::list::builder::Row;
use crate::list::kind::{Kind, Named, is_digest, named};
use crate::list::opinion::Opinion;

type Fields = Map<String, Value>;

fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

/// Returns whether HMA's `disable_until_ts` disables a content: 0 disables it for ever, 1 doesn't, and any other value
/// is the Unix time in seconds until which it is disabled.
fn is_disabled(until: i64) -> bool {
    match until {
        0 => true,
        1 => false,
        until => clock::now_unix_s().is_ok_and(|now| until > now.cast_signed()),
    }
}

/// Returns whether a cell of a table with HMA's `disable_until_ts` disables a content, by the same rule.
pub(in crate::list) fn is_disabled_text(until: &str) -> bool {
    until.parse().is_ok_and(is_disabled)
}

impl Walk<'_, '_> {
    /// Takes a record. Returns `false` if the object is no record of a known kind; its fields may still hold records.
    pub(super) fn record(&mut self, fields: &Fields) -> bool {
        self.stop_ncii(fields)
            || self.tech_against_terrorism(fields)
            || self.threat_exchange(fields)
            || self.hma(fields)
            || self.stix(fields)
            || self.plain_record(fields)
    }

    /// StopNCII's `hashRecords` (`threatexchange` 1.2.17, `exchanges/clients/stopncii`).
    fn stop_ncii(&mut self, fields: &Fields) -> bool {
        let (Some(hash), Some(kind)) = (text(fields, "hashValue"), text(fields, "signalType")) else { return false };
        self.forms.insert("StopNCII");
        if matches!(text(fields, "hashStatus"), Some("Withdrawn" | "Deleted")) {
            self.builder.withdrawn();
            return true;
        }
        let feedbacks = fields.get("CSPFeedbacks").and_then(Value::as_array).into_iter().flatten();
        let values: Vec<_> = feedbacks.filter_map(|feedback| feedback.get("feedbackValue")?.as_str()).collect();
        // Only these two kinds of feedback judge the picture. A provider that withdrew its feedback counts as giving
        // none.
        let opinions = values.iter().filter_map(|value| match *value {
            "Blocked" => Some(Opinion::Asserted),
            "NotBlocked" => Some(Opinion::Negative),
            _ => None,
        });
        let row = Row { hash, kind: Some(kind), opinion: Opinion::all(opinions), ..Row::default() };
        self.builder.row_of_interface(self.line, &row);
        true
    }

    /// Tech Against Terrorism's hash list (`threatexchange` 1.2.17, `exchanges/clients/techagainstterrorism`).
    fn tech_against_terrorism(&mut self, fields: &Fields) -> bool {
        const VIDEO: [&str; 9] = ["mov", "m4v", "mp4", "webm", "avi", "mkv", "3gp", "wmv", "flv"];
        let (Some(hash), Some(kind)) = (text(fields, "hash_digest"), text(fields, "algorithm")) else { return false };
        self.forms.insert("Tech Against Terrorism");
        if fields.get("deleted").and_then(Value::as_bool) == Some(true) {
            self.builder.withdrawn();
            return true;
        }
        let file = text(fields, "file_type").unwrap_or_default().to_ascii_lowercase();
        let is_film = VIDEO.contains(&file.trim_start_matches("video/").trim_start_matches('.'));
        if is_film && !is_digest(kind) {
            self.builder.other(&format!("{kind} of a video"));
            return true;
        }
        let row = Row { hash, kind: Some(kind), category: text(fields, "ideology"), ..Row::default() };
        self.builder.row_of_interface(self.line, &row);
        true
    }

    /// The ThreatExchange API: `/threat_updates` and descriptors (`threatexchange` 1.2.17,
    /// `exchanges/impl/fb_threatexchange_api.py`).
    fn threat_exchange(&mut self, fields: &Fields) -> bool {
        let hash = text(fields, "indicator").or_else(|| text(fields, "raw_indicator"));
        let (Some(hash), Some(kind)) = (hash, text(fields, "type").or_else(|| text(fields, "indicator_type"))) else {
            return false;
        };
        self.forms.insert("ThreatExchange");
        if fields.get("should_delete").and_then(Value::as_bool) == Some(true) {
            self.builder.withdrawn();
            return true;
        }
        let opinion = match fields.get("descriptors") {
            Some(descriptors) => {
                let descriptors = descriptors.get("data").unwrap_or(descriptors).as_array();
                Opinion::all(descriptors.into_iter().flatten().filter_map(|value| value.as_object().map(descriptor)))
            }
            None => descriptor(fields),
        };
        self.builder.row_of_interface(self.line, &Row { hash, kind: Some(kind), opinion, ..Row::default() });
        true
    }

    /// HMA's `/c/bank/NAME/content/ID?include_signals=true` (Hasher-Matcher-Actioner 1.1.7).
    fn hma(&mut self, fields: &Fields) -> bool {
        let (Some(until), Some(bank)) = (fields.get("disable_until_ts").and_then(Value::as_i64), fields.get("bank"))
        else {
            return false;
        };
        self.forms.insert("HMA");
        let Some(signals) = fields.get("signals").and_then(Value::as_object) else {
            let what = "signals: expected them, got none; fetch the content with ?include_signals=true";
            self.builder.bad(self.line, what);
            return true;
        };
        let is_off = bank.get("matching_enabled_ratio").and_then(Value::as_f64) == Some(0.0);
        for (kind, hash) in signals {
            if is_disabled(until) || is_off {
                self.builder.withdrawn();
                continue;
            }
            let Some(hash) = hash.as_str() else {
                self.builder.bad(self.line, &format!("signals: expected text for {kind}, got another value"));
                continue;
            };
            let row =
                Row { hash, kind: Some(kind), category: bank.get("name").and_then(Value::as_str), ..Row::default() };
            self.builder.row_of_interface(self.line, &row);
        }
        true
    }

    /// Takes an object with `hash` and `type`, or with one field per type, as `hashgate hash --format jsonl` prints it.
    fn plain_record(&mut self, fields: &Fields) -> bool {
        let number = fields.get("quality").and_then(Value::as_number).map(ToString::to_string);
        let quality = number.as_deref().or_else(|| text(fields, "quality"));
        let category = text(fields, "category");
        let opinion = category.and_then(Opinion::named).unwrap_or_default();
        let role = if text(fields, "variant").is_some() { Role::Variant } else { Role::Whole };
        let row = |hash, kind| Row { hash, kind, quality, category, opinion, role };
        let mut found = false;
        let hash = ["hash", "signal_str", "signal_val", "hash_value"].into_iter().find_map(|name| fields.get(name));
        match hash {
            Some(Value::String(hash)) if !hash.is_empty() => {
                let kind =
                    ["type", "signal_type", "hash_type", "algorithm"].into_iter().find_map(|name| text(fields, name));
                self.builder.row(self.line, &row(hash, kind));
                found = true;
            }
            Some(Value::String(_) | Value::Null) | None => {}
            Some(other) => {
                self.builder.bad(self.line, &format!("expected a JSON object with a hash in text, got {other}"));
                return true;
            }
        }
        let of_kind: [(&str, Kind); 3] = [("pdq", Kind::Pdq), ("sha256", Kind::Sha256), ("md5", Kind::Md5)];
        for (name, kind) in of_kind {
            if let Some(hash) = text(fields, name).filter(|hash| !hash.is_empty()) {
                self.builder.hash(self.line, kind, &row(hash, None));
                found = true;
            }
        }
        let other = |(name, value): (&'_ String, &Value)| {
            (value.as_str().is_some_and(super::super::lines::is_hash) && named(name) == Named::Other)
                .then(|| name.clone())
        };
        for name in fields.iter().filter_map(other).collect::<Vec<_>>() {
            self.builder.other(&name);
            found = true;
        }
        if found {
            self.forms.insert("hashes");
        }
        found
    }
}

/// The opinion of a descriptor: its status, and the reactions to it.
fn descriptor(fields: &Fields) -> Opinion {
    let own = match text(fields, "status") {
        Some("NON_MALICIOUS") => Opinion::Negative,
        _ => Opinion::Asserted,
    };
    let reactions = fields.get("reactions").and_then(Value::as_array).into_iter().flatten();
    let disagrees = |reaction: &Value| {
        let key = reaction.get("key").and_then(Value::as_str);
        key == Some("DISAGREE_WITH_TAGS") || reaction.as_str() == Some("DISAGREE_WITH_TAGS")
    };
    let mine = fields.get("my_reactions").and_then(Value::as_array).into_iter().flatten();
    match reactions.chain(mine).any(disagrees) {
        true => own.and(Opinion::Negative),
        false => own,
    }
}
