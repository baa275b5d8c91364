//! Questions, answers, and the rule between them.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hashgate::confirm::REST;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::{MAX_RINGS, ring_key};
use hashgate::pdq::PdqHash;
use serde::Serialize;
use serde_json::{Value, json};

use super::listed::Listed;

/// Questions in one request, at most.
pub const MAX_BATCH: usize = 100;

/// What is asked about one possible match.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Question {
    /// The hash of the view and orientation as it matched.
    pub pdq: Option<PdqHash>,
    /// The ring that hit.
    pub ring: Option<u32>,
    /// SHA-256 of the bytes.
    pub sha256: Option<Sha256Digest>,
    /// MD5 of the bytes.
    pub md5: Option<Md5Digest>,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// For programs.
    pub code: &'static str,
    /// Where in the request.
    pub field: String,
    /// What was expected.
    pub expected: String,
    /// What was got.
    pub got: String,
}

impl Problem {
    /// A problem, in words.
    pub fn new(status: StatusCode, code: &'static str, [field, expected, got]: [&str; 3]) -> Self {
        Self { status, code, field: field.into(), expected: expected.into(), got: got.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, field, expected, got } = self;
        let body = json!({ "error": { "code": code, "field": field, "expected": expected, "got": got } });
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            }
            _ => {}
        }
        (status, headers, body.to_string()).into_response()
    }
}

/// The questions of a body, and whether they came as an array.
pub fn questions(body: &[u8]) -> Result<(Vec<Question>, bool), Problem> {
    let bad =
        |code, [field, expected, got]: [&str; 3]| Problem::new(StatusCode::BAD_REQUEST, code, [field, expected, got]);
    let json: Value = serde_json::from_slice(body)
        .map_err(|error| bad("json", ["body", "JSON", &format!("{} at line {}", kind(&error), error.line())]))?;
    match &json {
        Value::Object(_) => Ok((vec![question(&json, "")?], false)),
        Value::Array(items) if (1..=MAX_BATCH).contains(&items.len()) => {
            let asked = items.iter().enumerate().map(|(at, item)| question(item, &format!("[{at}].")));
            Ok((asked.collect::<Result<_, _>>()?, true))
        }
        Value::Array(items) => {
            let got = format!("{} questions", items.len());
            Err(bad("batch-size", ["body", &format!("1 to {MAX_BATCH} questions"), &got]))
        }
        _ => Err(bad("field-type", ["body", "an object, or an array of objects", name(&json)])),
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
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
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
        Problem::new(StatusCode::BAD_REQUEST, code, [field, expected, got])
    };
    let Value::Object(fields) = item else { return Err(bad("field-type", "", "an object", name(item))) };
    let mut asked = Question::default();
    let mut key = None;
    for (field, value) in fields {
        let text = || value.as_str().ok_or_else(|| bad("field-type", field, "a text", name(value)));
        macro_rules! hexadecimal {
            ($target:expr) => {
                match text()?.parse() {
                    Ok(parsed) => $target = Some(parsed),
                    Err(refusal) => {
                        let hashgate::Refusal { expected, got, .. } = &refusal;
                        return Err(bad("field-value", field, expected, got));
                    }
                }
            };
        }
        match (field.as_str(), value) {
            ("pdq" | "ring" | "key" | "sha256" | "md5", Value::Null) => {}
            ("pdq", _) => hexadecimal!(asked.pdq),
            ("sha256", _) => hexadecimal!(asked.sha256),
            ("md5", _) => hexadecimal!(asked.md5),
            ("ring", _) => match value.as_u64().filter(|&ring| ring < u64::from(MAX_RINGS)) {
                Some(ring) => asked.ring = Some(ring as u32),
                None => return Err(bad("field-value", field, "0 to 3", "something else")),
            },
            ("key", _) => match text()? {
                digits if digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                    key = u64::from_str_radix(digits, 16).ok();
                }
                _ => return Err(bad("field-value", field, "16 hexadecimal digits", "another text")),
            },
            // A misspelt field must not become an answer about less than was meant.
            _ => return Err(bad("unknown-field", "", "pdq, ring, key, sha256 and md5 alone", "another field")),
        }
    }
    match (asked.pdq, asked.ring, key) {
        (None, None, None) if asked.sha256.is_none() && asked.md5.is_none() => {
            Err(bad("missing-field", "", "pdq, sha256 or md5", "none of them"))
        }
        (_, None, None) => Ok(asked),
        (None, ..) => Err(bad("missing-field", "pdq", "the hash that the key is of", "none")),
        (_, Some(_), None) => Err(bad("missing-field", "key", "a key beside ring", "none")),
        (_, None, Some(_)) => Err(bad("missing-field", "ring", "a ring beside key", "none")),
        (Some(pdq), Some(ring), Some(key)) if ring_key(&pdq, ring) != key => {
            Err(bad("field-value", "key", &format!("ring key {ring} of pdq"), "another key"))
        }
        _ => Ok(asked),
    }
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// On a list.
    Listed,
    /// On none.
    NotListed,
}

/// By what a hash was found on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The bytes are a listed file's.
    Sha256,
    /// The bytes are a listed file's.
    Md5,
    /// PDQ within a Hamming distance of 31.
    Hamming,
    /// The same ring key, and the rest of the hash within the bound.
    RingKey,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Whether it is listed.
    pub outcome: Outcome,
    /// Bits in which the hash differs from the listed one.
    pub distance: Option<u32>,
    /// The list.
    pub list: Option<String>,
    /// The category, where the list gives one.
    pub category: Option<String>,
    /// The rule that applied.
    pub by: Option<By>,
}

impl Answer {
    /// On no list.
    pub const NOT_LISTED: Self =
        Self { outcome: Outcome::NotListed, distance: None, list: None, category: None, by: None };

    /// On a list.
    pub fn listed(by: By, distance: Option<u32>, (list, category): (&str, Option<&str>)) -> Self {
        let (list, category) = (Some(list.to_owned()), category.map(str::to_owned));
        Self { outcome: Outcome::Listed, distance, list, category, by: Some(by) }
    }

    /// Bytes of the longest answer that these labels can bring.
    pub fn longest(labels: &[(std::sync::Arc<str>, Option<std::sync::Arc<str>>)]) -> usize {
        let long = |label: &(std::sync::Arc<str>, Option<std::sync::Arc<str>>)| {
            Self::listed(By::RingKey, Some(256), (&label.0, label.1.as_deref())).to_json().len()
        };
        labels.iter().map(long).max().unwrap_or(0).max(Self::NOT_LISTED.to_json().len())
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers")
    }

    /// The answer as JSON, filled with spaces to `width`, so that its length says nothing.
    pub fn padded(&self, width: usize) -> String {
        let mut json = self.to_json();
        json.extend(std::iter::repeat_n(' ', width.saturating_sub(json.len())));
        json
    }
}

/// Asks the lists. Whatever is found, the same is looked up: what takes how long depends on the question's fields alone.
pub fn ask(listed: &Listed, question: &Question) -> Answer {
    let sha256 = question.sha256.and_then(|digest| listed.sha256(&digest));
    let md5 = question.md5.and_then(|digest| listed.md5(&digest));
    let near = question.pdq.and_then(|hash| listed.index().nearest(&hash));
    let ring = question.pdq.zip(question.ring).and_then(|(hash, ring)| listed.index().same_ring(&hash, ring));
    let found =
        |by, found: hashgate::confirm::Found| Answer::listed(by, Some(found.distance), listed.label(found.place));
    if let Some(label) = sha256 {
        Answer::listed(By::Sha256, None, label)
    } else if let Some(label) = md5 {
        Answer::listed(By::Md5, None, label)
    } else if let Some(near) = near {
        found(By::Hamming, near)
    } else if let Some(ring) = ring.filter(|ring| ring.distance <= REST) {
        found(By::RingKey, ring)
    } else {
        Answer::NOT_LISTED
    }
}
