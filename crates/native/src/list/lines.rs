//! Lists of one hash per line: plain, as `threatexchange` prints them, and as `sha256sum` and `md5sum` do.

use super::Opinion;
use super::builder::{Builder, Row};
use super::kind::{Kind, Named, named};

/// The shape of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A hash, or a type and a hash.
    Plain,
    /// `threatexchange dataset -P`: a type, a signal, the collaboration, the opinion, tags.
    Signals,
    /// GNU coreutils: a digest, a space, a space or `*`, a file name.
    Sums,
    /// BSD, and coreutils with `--tag`: `SHA256 (file) = digest`.
    TaggedSums,
}

/// Finds the shape by the first line that isn't blank or a comment. Returns `None` for a table.
pub(super) fn shape(text: &str) -> Option<Shape> {
    let (_, first) = lines(text).next()?;
    if tagged(first).is_some() {
        return Some(Shape::TaggedSums);
    }
    if sum(first).is_some() {
        return Some(Shape::Sums);
    }
    let (word, rest) = first.split_once(' ').unwrap_or((first, ""));
    // A line that begins with the name of a hash type is not a row of a table, even if it has commas in it: some types
    // that are listed beside hashes are texts.
    if named(word) != Named::Unknown && !rest.is_empty() {
        return Some(if opinion_of(rest).is_some() { Shape::Signals } else { Shape::Plain });
    }
    if is_hash(word) && !rest.is_empty() && opinion_of(rest).is_some() {
        return Some(Shape::Signals);
    }
    if first.contains([',', ';', '\t']) || table_header(first) {
        return None;
    }
    Some(Shape::Plain)
}

/// Returns whether a line of one word is the header of a table with one column.
fn table_header(line: &str) -> bool {
    named(line) != Named::Unknown || super::table::is_header(std::iter::once(line))
}

/// Reads the rows. Returns the form in words.
pub(super) fn read(text: &str, shape: Shape, builder: &mut Builder) -> String {
    for (number, line) in lines(text) {
        match shape {
            Shape::Plain => plain(number, line, builder),
            Shape::Signals => signals(number, line, builder),
            Shape::Sums => match sum(line) {
                Some((hash, _)) => sized(number, hash, builder),
                None => {
                    builder.bad(number, "expected a digest and a file name, as sha256sum writes them, got another line")
                }
            },
            Shape::TaggedSums => match tagged(line) {
                Some((kind, hash)) => {
                    builder.row_of_interface(number, &Row { hash, kind: Some(kind), ..Row::default() })
                }
                None => builder.bad(number, "expected `ALGORITHM (file) = digest`, got another line"),
            },
        }
    }
    match shape {
        Shape::Plain => "one hash per line",
        Shape::Signals => "lines of threatexchange dataset -P",
        Shape::Sums => "sha256sum, md5sum",
        Shape::TaggedSums => "sha256sum --tag, md5sum --tag",
    }
    .into()
}

fn plain(number: u64, line: &str, builder: &mut Builder) {
    let (kind, hash) = match line.split_once(char::is_whitespace) {
        Some((kind, hash)) => (Some(kind), hash.trim()),
        None => (None, line),
    };
    builder.row(number, &Row { hash, kind, ..Row::default() });
}

/// `TYPE SIGNAL 'COLLABORATION' OPINION TAG,TAG`. `-s` with one type leaves the type out, `-c` with one collaboration
/// leaves the collaboration out.
fn signals(number: u64, line: &str, builder: &mut Builder) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (kind, hash, rest) = match named(word) {
        Named::Unknown => (None, word, rest),
        // Only counts a line whose type isn't used here. Its signal can be any text, with spaces, so the line can't be
        // split into fields.
        Named::Other => return builder.other(word),
        Named::Frames => {
            let Some((film, rest)) = super::frames::of_line(rest) else {
                return builder.row(number, &Row { hash: rest, kind: Some(word), ..Row::default() });
            };
            (Some(word), film, rest)
        }
        Named::Used(_) => {
            let (hash, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            (Some(word), hash, rest)
        }
    };
    let (category, opinion) = match opinion_of(rest) {
        Some((category, opinion)) => (Some(category), opinion),
        None => (None, Opinion::default()),
    };
    builder.row(number, &Row { hash, kind, category, opinion, ..Row::default() });
}

/// Finds the word that is an opinion, and returns it with the opinion. The collaboration's name may be such a word, so
/// a quoted name is skipped first.
fn opinion_of(rest: &str) -> Option<(&str, Opinion)> {
    let quote = rest.chars().next().filter(|&c| c == '\'' || c == '"');
    let rest = match quote {
        Some(quote) => rest[1..].rsplit_once(quote)?.1,
        None => rest,
    };
    rest.split_whitespace().find_map(|word| Opinion::named(word).map(|opinion| (word, opinion)))
}

/// Adds a digest that has no type. Its length tells the type.
fn sized(number: u64, hash: &str, builder: &mut Builder) {
    let row = Row { hash, ..Row::default() };
    match hash.len() {
        32 => builder.hash(number, Kind::Md5, &row),
        40 => builder.other("sha1"),
        64 => builder.hash(number, Kind::Sha256, &row),
        _ => builder.other("sha512"),
    }
}

/// Splits `digest  file`, `digest *file`, and `\digest  file` for a name with escapes.
fn sum(line: &str) -> Option<(&str, &str)> {
    let (hash, file) = line.strip_prefix('\\').unwrap_or(line).split_once(' ')?;
    let file = file.strip_prefix([' ', '*'])?;
    (matches!(hash.len(), 32 | 40 | 56 | 64 | 96 | 128) && is_hex(hash) && !file.is_empty()).then_some((hash, file))
}

/// Splits `ALGORITHM (file) = digest` into algorithm and digest.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let (start, hash) = line.rsplit_once(") = ")?;
    let (kind, _) = start.strip_prefix('\\').unwrap_or(start).split_once(" (")?;
    (is_hex(hash) && !kind.contains(' ')).then_some((kind, hash))
}

pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns whether a word has the length and the digits of a hash.
pub(super) fn is_hash(word: &str) -> bool {
    matches!(word.len(), 32 | 40 | 64 | 128) && is_hex(word)
}

/// Returns the lines that are neither blank nor a comment, numbered from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let numbered = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
