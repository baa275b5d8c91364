//! Questions of clients, read from JSON.
//!
//! The fields are read one by one and not by a derived deserialiser, because the answer to a bad request must name the
//! field and tell a wrong type from a wrong value. A deserialiser's error says that only in words.

use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::{MAX_RINGS, RING_KEY_BITS, ring_key};
use hashgate::pdq::PdqHash;
use hashgate::{Refusal, View};
use serde_json::Value;

use crate::problem::{Code, Problem};

/// Most questions in a request.
pub const MAX_BATCH: usize = 100;

/// A question about one possible match.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Question {
    /// The PDQ hash of the view that matched, in the orientation that matched.
    pub pdq: Option<PdqHash>,
    /// The ring whose key matched.
    pub ring: Option<u32>,
    /// SHA-256 of the bytes.
    pub sha256: Option<Sha256Digest>,
    /// MD5 of the bytes.
    pub md5: Option<Md5Digest>,
    /// Whether only a PDQ hash matched, and its view shows the whole picture. Only then does "no near hash" from the
    /// upstream mean "not listed", because the upstream compares hashes of whole pictures and nothing else.
    pub is_whole: bool,
}

/// Reads the questions of a body. Also returns whether the body was an array.
///
/// # Errors
/// The body isn't JSON, or a question has an unknown field, lacks one, or a field has a value that can't be used.
pub fn questions(body: &[u8]) -> Result<(Vec<Question>, bool), Problem> {
    let bad = |code, expected: &str, got: &str| Problem::new(code, "body", expected, got);
    let json: Value = serde_json::from_slice(body)
        .map_err(|error| bad(Code::Json, "JSON", &format!("{} at line {}", kind(&error), error.line())))?;
    match &json {
        Value::Object(_) => Ok((vec![question(&json, "")?], false)),
        Value::Array(items) if (1..=MAX_BATCH).contains(&items.len()) => {
            let asked = items.iter().enumerate().map(|(at, item)| question(item, &format!("[{at}].")));
            Ok((asked.collect::<Result<_, _>>()?, true))
        }
        Value::Array(items) => {
            let got = format!("{} questions", items.len());
            Err(bad(Code::BatchSize, &format!("1 to {MAX_BATCH} questions"), &got))
        }
        _ => Err(bad(Code::FieldType, "an object, or an array of objects", name(&json))),
    }
}

fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "an early end",
        _ => "something else",
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn question(item: &Value, prefix: &str) -> Result<Question, Problem> {
    let bad = |code, field: &str, expected: &str, got: &str| {
        let field = format!("{prefix}{field}");
        let field = match field.trim_end_matches('.') {
            "" => "body",
            field => field,
        };
        Problem::new(code, field, expected, got)
    };
    let Value::Object(fields) = item else { return Err(bad(Code::FieldType, "", "an object", name(item))) };
    let mut asked = Question::default();
    let mut key = None;
    for (field, value) in fields {
        let text = || value.as_str().ok_or_else(|| bad(Code::FieldType, field, "a string", name(value)));
        macro_rules! hexadecimal {
            ($target:expr) => {
                match text()?.parse() {
                    Ok(parsed) => $target = Some(parsed),
                    Err(refusal) => {
                        let Refusal { expected, got, .. } = &refusal;
                        return Err(bad(Code::FieldValue, field, expected, got));
                    }
                }
            };
        }
        match (field.as_str(), value) {
            ("pdq" | "ring" | "key" | "sha256" | "md5" | "view", Value::Null) => {}
            ("pdq", _) => hexadecimal!(asked.pdq),
            ("sha256", _) => hexadecimal!(asked.sha256),
            ("md5", _) => hexadecimal!(asked.md5),
            ("view", _) => match serde_json::from_value::<View>(value.clone()) {
                Ok(view) => asked.is_whole = matches!(view, View::Plain | View::BorderCut),
                Err(_) => return Err(bad(Code::FieldValue, field, "the name of a view", "something else")),
            },
            ("ring", _) => match value.as_u64().filter(|&ring| ring < u64::from(MAX_RINGS)) {
                Some(ring) => asked.ring = Some(ring as u32),
                None => return Err(bad(Code::FieldValue, field, "0 to 3", "something else")),
            },
            ("key", _) => match text()? {
                digits if digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                    key = u64::from_str_radix(digits, 16).ok();
                }
                _ => return Err(bad(Code::FieldValue, field, "16 hexadecimal digits", "another string")),
            },
            // Refuses unknown fields. If a misspelt field were ignored, the answer would leave out a hash that the
            // client asked about.
            _ => {
                return Err(bad(Code::UnknownField, "", "pdq, ring, key, sha256, md5 and view alone", "another field"));
            }
        }
    }
    match (asked.pdq, asked.ring, key) {
        (None, None, None) if asked.sha256.is_none() && asked.md5.is_none() => {
            Err(bad(Code::MissingField, "", "pdq, sha256 or md5", "none of them"))
        }
        (_, None, None) => Ok(asked),
        (None, ..) => Err(bad(Code::MissingField, "pdq", "the hash that the key is of", "none")),
        (_, Some(_), None) => Err(bad(Code::MissingField, "key", "a key beside ring", "none")),
        (_, None, Some(_)) => Err(bad(Code::MissingField, "ring", "a ring beside key", "none")),
        (Some(pdq), Some(ring), Some(key)) if !is_ring_key(key, &pdq, ring) => {
            Err(bad(Code::FieldValue, "key", &format!("ring key {ring} of pdq"), "another key"))
        }
        _ => Ok(asked),
    }
}

/// Returns whether a number is ring key `ring` of a hash, in a filter with ring keys of any length.
fn is_ring_key(key: u64, pdq: &PdqHash, ring: u32) -> bool {
    let mut lengths = RING_KEY_BITS;
    lengths.any(|bits| ring_key(pdq, ring, bits) == key)
}
