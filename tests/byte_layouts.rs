//! Compares the tables of byte offsets in the documentation with the comments beside the code and with a committed
//! file.

use std::collections::BTreeMap;
use std::path::Path;

use hashgate::Filter;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the rows of a page's Markdown tables that have a fixed offset and size: offset, size, and the field's name.
fn documented(page: &str) -> Vec<(usize, usize, String)> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (offset, size) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
        Some((offset, size, cells.next()?.to_owned()))
    };
    text(page).lines().filter_map(row).collect()
}

/// Returns offset and size of each row in the comment above a format's `read` and `write` functions.
fn commented(source: &str) -> Vec<(usize, usize)> {
    let row = |line: &str| {
        let mut words = line.strip_prefix("// ")?.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    text(source).lines().filter_map(row).collect()
}

#[test]
fn headers_are_documented_as_they_are_read() {
    for (page, source, length) in [
        ("docs/reference/filter-format.md", "src/filter/header.rs", 184),
        ("docs/reference/release-format.md", "src/release/delta/header.rs", 144),
    ] {
        let rows = documented(page);
        let end = rows.iter().fold(0, |end, &(offset, size, _)| {
            assert_eq!(offset, end, "{page}: a gap or an overlap before offset {offset}");
            offset + size
        });
        assert_eq!(end, length, "{page}");
        let offsets: Vec<_> = rows.iter().map(|&(offset, size, _)| (offset, size)).collect();
        assert_eq!(offsets, commented(source), "{page} and {source}");
    }
}

#[test]
fn a_filter_file_has_its_fields_where_they_are_documented() {
    let file = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/filter-v2.hgf")).unwrap();
    let rows = documented("docs/reference/filter-format.md");
    let fields: BTreeMap<_, _> = rows.iter().map(|(offset, size, name)| (name.as_str(), (*offset, *size))).collect();
    let at = |start: &str| {
        let (_, &(offset, size)) = fields.iter().find(|(name, _)| name.starts_with(start)).expect(start);
        file[offset..offset + size].iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte))
    };
    let filter = Filter::open(file.clone()).unwrap();
    let info = filter.info();
    for (start, value) in [
        ("length of the file", info.bytes),
        ("release number", info.release),
        ("build time", info.built_at_unix_s),
        ("salt", info.salt),
        ("number of PDQ", info.pdq_count),
        ("number of SHA-256", info.sha256_count),
        ("number of MD5", info.md5_count),
        ("bits of a ring key", info.ring_key_bits.into()),
        ("rings", info.rings.into()),
        ("lookup budget: ", info.lookup_budget.into()),
        ("lookup budget of a derived", info.view_lookup_budget.into()),
        ("k:", info.k.into()),
        ("bits per slice", info.slice_bits),
        ("most lookups", info.lookups),
        ("image false-positive rate", info.false_positive_parts),
        ("bytes of the list's name", info.name.len() as u64),
        ("bytes of the category", info.category.len() as u64),
    ] {
        assert_eq!(at(start), value, "{start}");
    }
}
