//! Log lines: JSON on stderr. Nobody passes a hash, an address or a path that a client chose.

use std::io::Write;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Writes one line: the time, `event` and the fields of an object. A reader that has gone is no reason to stop.
pub fn log(event: &str, fields: Value) {
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let mut line = Map::from_iter([("time".to_owned(), json!(now)), ("event".to_owned(), json!(event))]);
    if let Value::Object(fields) = fields {
        line.extend(fields);
    }
    let _ = writeln!(std::io::stderr(), "{}", Value::Object(line));
}
