//! The log: JSON lines on stderr. No caller of `log` passes a hash, an address, or a path that a client chose.

use std::io::Write;

use hashgate_native::{clock, text};
use serde_json::{Map, Value, json};

/// Writes a line with the time, `event` and the fields of a JSON object. Ignores an error if stderr is closed.
pub fn log(event: &str, fields: Value) {
    let now = clock::now_unix_s().and_then(clock::date).unwrap_or_default();
    let mut line = Map::from_iter([("time".to_owned(), json!(now)), ("event".to_owned(), json!(event))]);
    if let Value::Object(fields) = fields {
        line.extend(fields);
    }
    let _ = writeln!(std::io::stderr(), "{}", text::plain_json(&Value::Object(line).to_string()));
}
