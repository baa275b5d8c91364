//! vPDQ: the PDQ hashes of a film's frames, in the three spellings in which it is exchanged.
//!
//! - `["HEX,QUALITY,SECONDS", ...]`, one JSON text per film (threatexchange 1.2.17, `extensions/vpdq/vpdq_util.py`)
//! - `FRAME,QUALITY,HEX,SECONDS`, one line per frame (`vpdq-hash-video`, C++)
//! - `{"FRAME": {"quality": …, "hash": …, "timestamp": …}, ...}`, one JSON object per film (earlier threatexchange)
//!
//! Times and the order of frames aren't used: a filter holds hashes alone.

use hashgate::pdq::PdqHash;
use serde_json::Value;

use super::builder::{Builder, Row};
use super::kind::Kind;

/// Two frames of a film that differ in at most this many bits count as repeats, and only the first is kept. A lookup
/// finds hashes at a larger distance, so the kept frame also matches copies of the other.
const NEAR_REPEAT: u32 = 8;

/// A frame: the digits of its hash, and its quality.
type Frame<'a> = (&'a str, &'a str);

/// Splits the text of a frame, with or without its number. Returns `None` for any other text.
pub(super) fn split(text: &str) -> Option<Frame<'_>> {
    let cells: Vec<_> = text.split(',').map(str::trim).collect();
    let is_hash = |cell: &str| cell.len() == 64 && super::lines::is_hex(cell);
    let is_number = |cell: &str| cell.parse::<f64>().is_ok();
    match cells[..] {
        [hash, quality, seconds] if is_hash(hash) && is_number(seconds) => Some((hash, quality)),
        [frame, quality, hash, seconds] if is_hash(hash) && is_number(frame) && is_number(seconds) => {
            Some((hash, quality))
        }
        // The order of columns in which the example program of vPDQ's Python binding prints frames.
        [frame, hash, quality, seconds] if is_hash(hash) && is_number(frame) && is_number(seconds) => {
            Some((hash, quality))
        }
        _ => None,
    }
}

/// Returns the frames of a film if the JSON value is a film in a form of vPDQ, and `None` otherwise.
fn frames(film: &Value) -> Option<Vec<(String, String)>> {
    let owned = |(hash, quality): Frame| (hash.to_owned(), quality.to_owned());
    match film {
        Value::Array(frames) => frames.iter().map(|frame| split(frame.as_str()?).map(owned)).collect(),
        Value::Object(frames) => frames
            .iter()
            .map(|(number, frame)| {
                number.parse::<u64>().ok()?;
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Some((frame.get("hash")?.as_str()?.to_owned(), text(frame.get("quality")?)))
            })
            .collect(),
        _ => None,
    }
}

/// Returns whether a JSON value is a film in a form of vPDQ.
pub(super) fn is_film(value: &Value) -> bool {
    let empty = match value {
        Value::Array(frames) => frames.is_empty(),
        Value::Object(frames) => frames.is_empty(),
        _ => true,
    };
    !empty && frames(value).is_some()
}

/// Splits a line after the film at its start. Returns the film's JSON and the rest of the line.
pub(super) fn of_line(text: &str) -> Option<(&str, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let film = values.next()?.ok()?;
    is_film(&film).then(|| text.split_at(values.byte_offset()))
}

impl Builder<'_> {
    /// Adds the frames of a film that a row holds as JSON text. Leaves out frames of low quality, and frames that
    /// differ in at most 8 bits from another frame of the film.
    pub(super) fn film(&mut self, line: u64, row: &Row) {
        let film: Option<Value> = serde_json::from_str(row.hash).ok();
        match film.as_ref().and_then(frames) {
            Some(frames) => self.frames(line, row, &frames),
            None => {
                self.bad(line, "vpdq: expected [\"HEX,QUALITY,SECONDS\", ...] or an object by frame, got another value")
            }
        }
    }

    /// Adds a film that is a value of a JSON document.
    pub(super) fn film_value(&mut self, line: u64, film: &Value) {
        if let Some(frames) = frames(film) {
            self.frames(line, &Row::default(), &frames);
        }
    }

    fn frames(&mut self, line: u64, row: &Row, frames: &[(String, String)]) {
        let mut kept: Vec<PdqHash> = Vec::new();
        for (hash, quality) in frames {
            self.frame(line, &Row { hash, quality: Some(quality), ..*row }, &mut kept);
        }
    }

    /// Adds a frame, unless it differs in at most 8 bits from a frame in `kept`.
    pub(super) fn frame(&mut self, line: u64, row: &Row, kept: &mut Vec<PdqHash>) {
        let parsed: Option<PdqHash> = row.hash.trim().parse().ok();
        if let Some(hash) = parsed
            && kept.iter().any(|other| other.distance(&hash) <= NEAR_REPEAT)
        {
            self.list.near_repeats += 1;
            return;
        }
        let before = self.list.entries.len();
        self.hash(line, Kind::Pdq, row);
        if self.list.entries.len() > before {
            kept.extend(parsed);
        }
    }
}

/// Reads lines of one frame each.
pub(super) fn lines(text: &str, builder: &mut Builder) -> String {
    let mut kept = Vec::new();
    for (number, line) in super::lines::lines(text) {
        match split(line) {
            Some((hash, quality)) => {
                builder.frame(number, &Row { hash, quality: Some(quality), ..Row::default() }, &mut kept);
            }
            None => builder
                .bad(number, "expected FRAME,QUALITY,HEX,SECONDS, as vpdq-hash-video writes it, got another line"),
        }
    }
    "vPDQ, a line per frame".into()
}
