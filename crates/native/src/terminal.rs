//! Writes the output of commands. A text can't break out of its line, because invisible characters are escaped.

use std::io::{self, Write};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::text;

/// The start of the line that `hashgate serve` prints once it accepts connections; the address follows.
pub const LISTENING: &str = "listening on http://";

/// Writes a line of text to stdout, with invisible characters escaped.
///
/// If the reader has closed the pipe, as in `hashgate … | head`, ends the process silently.
///
/// # Errors
/// Writing failed for another reason.
pub fn say(line: &str) -> Result<()> {
    write_line(&text::plain(line))
}

/// Writes a value to stdout as one line of JSON. Invisible characters are escaped, so the value is exact.
///
/// # Errors
/// As [`say`].
pub fn say_json(value: &impl Serialize) -> Result<()> {
    write_line(&text::plain_json(&serde_json::to_string(value)?))
}

/// Writes a value to stdout as indented JSON.
///
/// # Errors
/// As [`say`].
pub fn say_pretty_json(value: &impl Serialize) -> Result<()> {
    write_line(&text::plain_json(&serde_json::to_string_pretty(value)?))
}

/// Writes a text of this program's own to stdout, in as many lines as it has.
///
/// # Errors
/// As [`say`].
pub fn say_lines(text: &str) -> Result<()> {
    write_line(text.trim_end())
}

fn write_line(line: &str) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// Writes a line to stdout about the progress of work. Ignores a closed pipe, so that the work goes on.
pub fn remark(line: &str) {
    let _ = writeln!(io::stdout(), "{}", text::plain(line));
}

/// Writes a line to stderr, with invisible characters escaped.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{}", text::plain(line));
}

/// Returns a progress bar. It is drawn only if stderr is a terminal.
#[must_use]
pub fn progress(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta}").expect("a sound template");
    ProgressBar::new(length).with_style(style)
}
