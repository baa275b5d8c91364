//! Tables: CSV with commas, semicolons or tabs, with or without a header.

use anyhow::{Result, bail};

use super::builder::{Builder, Row};
use super::kind::{Kind, Named, named};
use super::lines::{is_hash, is_hex};
use super::{Opinion, Role};

/// The position of each column that is used.
#[derive(Debug, Default)]
struct Columns {
    hash: Option<usize>,
    kind: Option<usize>,
    /// Columns that are named after a type of hash, and the type.
    of_kind: Vec<(usize, Kind)>,
    /// Columns of types that aren't used, and their names.
    of_other: Vec<(usize, String)>,
    quality: Option<usize>,
    category: Option<usize>,
    /// The column of HMA's `disable_until_ts`: 0 or a future time if the content is disabled.
    disabled: Option<usize>,
    deleted: Option<usize>,
    /// The column of `hashgate hash --variants`: names the variant that a row has the hash of.
    variant: Option<usize>,
}

impl Columns {
    /// Finds the columns by their names. Returns `None` if no column holds hashes.
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut columns = Self::default();
        for (index, name) in names.enumerate() {
            let name = name.trim().to_ascii_lowercase();
            let column = match name.as_str() {
                "hash" | "signal_str" | "signal_val" | "hash_digest" | "hash_value" | "hashvalue" | "indicator"
                | "raw_indicator" => &mut columns.hash,
                "type" | "signal_type" | "hash_type" | "algorithm" | "signaltype" | "indicator_type" => {
                    &mut columns.kind
                }
                "quality" | "pdq_quality" => &mut columns.quality,
                "category" | "classification" | "ideology" => &mut columns.category,
                "disable_until_ts" => &mut columns.disabled,
                "deleted" => &mut columns.deleted,
                "variant" => &mut columns.variant,
                _ => {
                    match named(&name) {
                        Named::Used(kind) => columns.of_kind.push((index, kind)),
                        Named::Frames => columns.of_other.push((index, name)),
                        Named::Other if !["url", "uri", "text", "domain", "unknown"].contains(&name.as_str()) => {
                            columns.of_other.push((index, name));
                        }
                        Named::Other | Named::Unknown => {}
                    }
                    continue;
                }
            };
            column.get_or_insert(index);
        }
        let found = columns.hash.is_some() || !columns.of_kind.is_empty();
        found.then_some(columns)
    }

    /// Guesses the columns of a table without a header from its first row: a cell with the digits of a hash, and
    /// perhaps a cell with a type. `pdq-photo-hasher` prints the PDQ hash, the quality and the file name.
    fn of_first_row(cells: &[&str]) -> Option<(Self, bool)> {
        let hash = cells.iter().position(|cell| is_hash(cell.trim()))?;
        let kind = cells.iter().position(|cell| named(cell) != Named::Unknown);
        let is_quality = |cell: &str| cell.trim().parse::<u8>().is_ok_and(|quality| quality <= 100);
        let by_hasher =
            hash == 0 && kind.is_none() && cells.len() >= 3 && cells[0].trim().len() == 64 && is_quality(cells[1]);
        let quality = by_hasher.then_some(1);
        Some((Self { hash: Some(hash), kind, quality, ..Self::default() }, by_hasher))
    }
}

/// Returns whether these are the names of columns, one of which holds hashes.
pub(super) fn is_header<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    Columns::of(names).is_some()
}

/// Reads the rows. Returns the form in words.
///
/// # Errors
/// No column holds hashes.
pub(super) fn read(text: &str, first: &str, builder: &mut Builder) -> Result<String> {
    if super::frames::split(first).is_some() {
        return Ok(super::frames::lines(text, builder));
    }
    if first.starts_with("hash=") {
        return Ok(details(text, builder));
    }
    let (delimiter, what) = delimiter(first);
    let mut csv = csv::ReaderBuilder::new();
    let mut reader = csv
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(record) => record?,
        None => return Ok("an empty list".into()),
    };
    let cells: Vec<_> = header.iter().collect();
    // A row that holds a hash is no header, even if another of its cells is the name of a type.
    let (columns, form) = match (Columns::of_first_row(&cells), Columns::of(header.iter())) {
        (Some((columns, by_hasher)), _) => {
            let form = if by_hasher { "pdq-photo-hasher".into() } else { format!("{what} without a header") };
            row(builder, 1, &header, header.len(), &columns, by_hasher);
            (columns, form)
        }
        (None, Some(columns)) => (columns, named_form(&cells, what)),
        (None, None) => bail!("{}:1: {}", builder.list.path.display(), no_columns(&cells)),
    };
    let by_hasher = form == "pdq-photo-hasher";
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                builder.bad(error.position().map_or(0, csv::Position::line), &error.to_string());
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        row(builder, line, &record, header.len(), &columns, by_hasher);
    }
    Ok(form)
}

fn no_columns(cells: &[&str]) -> String {
    let has = |name: &str| cells.contains(&name);
    if has("bank_id") && has("disable_until_ts") {
        return "header: expected hashes, got HMA's table bank_content, which holds none; export content_signal".into();
    }
    if has("pickled_fetch_signal_metadata") || has("fetched_metadata_summary") {
        return "header: expected hashes, got HMA's table exchange_data; export content_signal".into();
    }
    format!("header: expected the columns hash and type, or pdq, sha256, md5; got {}", cells.join(","))
}

/// Returns the name of the program that writes a table with this header.
fn named_form(header: &[&str], what: &str) -> String {
    let is = |names: &[&str]| names.iter().all(|name| header.contains(name));
    if is(&["signal_type", "signal_str", "collab"]) {
        return format!("{what} of threatexchange dataset -P --csv");
    }
    if is(&["content_id", "signal_type", "signal_val"]) {
        return format!("{what} of HMA's table content_signal");
    }
    if is(&["path", "pdq", "quality", "sha256", "md5"]) {
        return format!("{what} of hashgate hash");
    }
    format!("{what} with a header")
}

/// Finds the separator of cells. It is whichever of comma, semicolon and tab occurs most often in the first row.
fn delimiter(first: &str) -> (u8, &'static str) {
    let count = |delimiter: char| first.matches(delimiter).count();
    let (commas, semicolons, tabs) = (count(','), count(';'), count('\t'));
    if tabs > 0 && tabs >= commas.max(semicolons) {
        (b'\t', "tab-separated values")
    } else if semicolons > commas {
        (b';', "CSV with semicolons")
    } else {
        (b',', "CSV")
    }
}

fn row(builder: &mut Builder, line: u64, record: &csv::StringRecord, width: usize, columns: &Columns, by_hasher: bool) {
    // pdq-photo-hasher doesn't quote file names, so a name with commas adds columns.
    if if by_hasher { record.len() < 3 } else { record.len() != width } {
        return builder.bad(line, &format!("expected {width} columns, got {}", record.len()));
    }
    // Postgres writes `\N` for NULL.
    let field = |column: Option<usize>| {
        column.and_then(|column| record.get(column)).filter(|text| !text.is_empty() && *text != "\\N")
    };
    let is_deleted =
        field(columns.deleted).is_some_and(|text| ["true", "t", "1"].contains(&&*text.to_ascii_lowercase()));
    if is_deleted || field(columns.disabled).is_some_and(super::json::is_disabled_text) {
        return builder.withdrawn();
    }
    let category = field(columns.category);
    let opinion = if by_hasher { Opinion::default() } else { opinion(record) };
    let quality = field(columns.quality);
    let role = if field(columns.variant).is_some() { Role::Variant } else { Role::Whole };
    let mut found = 0;
    if let Some(hash) = field(columns.hash) {
        let kind = if by_hasher { Some("pdq") } else { field(columns.kind) };
        builder.row(line, &Row { hash, kind, quality, category, opinion, role });
        found += 1;
    }
    for &(column, kind) in &columns.of_kind {
        if let Some(hash) = field(Some(column)) {
            builder.hash(line, kind, &Row { hash, kind: None, quality, category, opinion, role });
            found += 1;
        }
    }
    for (column, name) in &columns.of_other {
        if field(Some(*column)).is_some() {
            builder.other(name);
            found += 1;
        }
    }
    if found == 0 {
        builder.bad(line, "expected a hash, got none");
    }
}

/// Joins the opinions that the cells name, whatever their columns are called: in a table without a header, none is called
/// a category. A cell may hold other words beside the name, which then is in capital letters.
fn opinion(record: &csv::StringRecord) -> Opinion {
    let is_name = |word: &str| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let words = record.iter().flat_map(|cell| {
        cell.split([' ', ',', ';', '|']).filter(move |word| word.len() == cell.len() || is_name(word))
    });
    Opinion::all(words.filter_map(Opinion::named))
}

/// `pdq-photo-hasher --details`: `hash=…,norm=…,delta=…,quality=…,filename=…`.
fn details(text: &str, builder: &mut Builder) -> String {
    for (number, line) in super::lines::lines(text) {
        let value = |name: &str| line.split(',').find_map(|part| part.strip_prefix(name));
        match value("hash=").filter(|hash| is_hex(hash)) {
            Some(hash) => builder.hash(number, Kind::Pdq, &Row { hash, quality: value("quality="), ..Row::default() }),
            None => builder.bad(number, "expected hash=…,quality=…, as pdq-photo-hasher prints it, got another line"),
        }
    }
    "pdq-photo-hasher --details".into()
}
