//! Writes the files that are generated from this crate, and checks that they are up to date: the TypeScript types of
//! the values that cross the wasm border (`js/generated/core.ts`), and the table of codes
//! (`docs/reference/refusal-codes.md`).
//!
//! To rewrite both, run `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`.

use ts_rs::{Config, TS};

use crate::{RefusalCode, filter, image, release, signal};

const HEADER: &str = "\
// The values that cross the wasm border, as the core serialises them.
// Generated from src/ by `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`: don't edit.
";

fn declaration<T: TS>(text: &mut String) {
    let config = Config::new().with_large_int("number");
    let made = format!("\n{}export {}\n", docs_for_typescript(&T::docs().unwrap_or_default()), T::decl(&config));
    text.extend(made.lines().flat_map(|line| [line.trim_end(), "\n"]));
}

/// Converts Rust doc comments for TypeScript: removes examples, and the brackets and targets of rustdoc's links.
fn docs_for_typescript(docs: &str) -> String {
    let prose: Vec<_> = docs.lines().take_while(|line| !line.contains("# Examples")).collect();
    let mut prose = prose.join("\n").trim_end_matches(['\n', ' ', '*']).replace("[`", "`").replace("`]", "`");
    while let Some((at, length)) = link_target(&prose) {
        prose.replace_range(at..at + length, "");
    }
    if prose.is_empty() { prose } else { format!("{}\n */\n", prose.trim_end_matches("*/").trim_end()) }
}

fn link_target(text: &str) -> Option<(usize, usize)> {
    let at = text.find("`(").map(|at| at + 1)?;
    Some((at, text[at..].find(')')? + 1))
}

/// Returns a comment that lists the error codes with their meanings and remedies.
fn refusal_codes() -> String {
    let row = |code: &RefusalCode| format!(" * - `{}`: {} {}\n", code.as_str(), code.meaning(), code.remedy());
    let rows: String = RefusalCode::ALL.iter().map(row).collect();
    format!("\n/**\n * Why the core refused something: what each code means, and what to do.\n *\n{rows} */\n")
}

fn declarations() -> String {
    let mut text = HEADER.to_owned();
    for declare in [
        declaration::<crate::check::Verdict>,
        declaration::<crate::check::Outcome>,
        declaration::<crate::check::Match>,
        declaration::<crate::check::MatchedSignal>,
        declaration::<crate::check::PdqMatch>,
        declaration::<crate::check::Strength>,
        declaration::<crate::check::UncheckedReason>,
        declaration::<image::Caveat>,
        declaration::<image::DecodedBy>,
        declaration::<image::Format>,
        declaration::<image::Surface>,
        declaration::<crate::check::Reading>,
        declaration::<signal::pdq::Orientation>,
        declaration::<signal::views::View>,
        declaration::<crate::check::Orientations>,
        declaration::<signal::views::ViewSet>,
        declaration::<image::Limits>,
        declaration::<filter::FilterInfo>,
        declaration::<release::Manifest>,
        declaration::<release::FullFile>,
        declaration::<release::DeltaFile>,
        declaration::<release::log::Logged>,
        declaration::<release::log::Checkpoint>,
    ] {
        declare(&mut text);
    }
    text += &refusal_codes();
    text += &format!("export {}\n", RefusalCode::decl(&Config::new()));
    text += "\n/** Most candidates that a lookup goes on past. */\n";
    text += &format!("export const MAX_DISMISSED = {};\n", crate::MAX_DISMISSED);
    text += "\n/** Longest manifest in bytes, signatures included. */\n";
    text += &format!("export const MAX_MANIFEST_BYTES = {};\n", release::MAX_MANIFEST_BYTES);
    text += "\n/** Longest proof that a manifest is in a log, in bytes. */\n";
    text += &format!("export const MAX_PROOF_BYTES = {};\n", release::log::MAX_PROOF_BYTES);
    text
}

/// Returns the documentation page with the table of error codes.
fn page_of_codes() -> String {
    let row = |code: &RefusalCode| format!("| `{}` | {} | {} |\n", code.as_str(), code.meaning(), code.remedy());
    let rows: String = RefusalCode::ALL.iter().map(row).collect();
    format!(
        "\
# Codes of refusals

Whatever the core refuses, it says which field it refuses, what it expected and what it got. Each refusal has one of these
codes, which stay the same from version to version. JavaScript finds the code in `error.code`, and the command line prints
it before the message.

<!-- Generated from src/refusal.rs by `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`: don't edit. -->

| code | what it means | what to do |
|---|---|---|
{rows}"
    )
}

/// Asserts that a generated file has the content `made`. If `HASHGATE_WRITE` is set, writes the file instead.
fn check(path: &str, made: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("HASHGATE_WRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{}: out of date: run this test with HASHGATE_WRITE=1", path.display());
}

#[test]
fn typescript_types_are_up_to_date() {
    check("js/generated/core.ts", &declarations());
}

#[test]
fn the_page_of_codes_is_up_to_date() {
    check("docs/reference/refusal-codes.md", &page_of_codes());
}

/// Returns the name and the default of each limit.
fn limits() -> [(&'static str, u64); 6] {
    let image::Limits { max_width, max_height, max_pixels, max_alloc, max_frames, max_animation_pixels } =
        image::Limits::default();
    [
        ("max_width", max_width.into()),
        ("max_height", max_height.into()),
        ("max_pixels", max_pixels),
        ("max_alloc", max_alloc),
        ("max_frames", max_frames.into()),
        ("max_animation_pixels", max_animation_pixels),
    ]
}

/// Writes a number with commas between groups of three digits, as the documentation does.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let group = |(at, digit): (usize, char)| {
        if at > 0 && (digits.len() - at).is_multiple_of(3) { vec![',', digit] } else { vec![digit] }
    };
    digits.chars().enumerate().flat_map(group).collect()
}

#[test]
fn limits_have_the_documented_defaults() {
    let source = include_str!("image/limits.rs");
    let page = include_str!("../docs/reference/decoding.md");
    for (name, default) in limits() {
        let (docs, _) = source.split_once(&format!("\n    pub {name}:")).unwrap();
        let (_, docs) = docs.rsplit_once("\n    pub ").unwrap_or(("", docs));
        let said = format!("Default {}", grouped(default));
        assert!(docs.contains(&said), "{name}: expected its comment to say {said:?}");
        let row = page.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("{name}: expected a row in docs/reference/decoding.md, got none"));
        assert!(row.contains(&format!("| {} |", grouped(default))), "{name}: expected {default}, got {row}");
    }
}

#[test]
#[cfg(feature = "build")]
fn pages_give_the_number_of_views() {
    let (windows, painted) = (signal::views::WINDOWS, signal::views::PAINTED);
    let derived = windows + painted;
    for (page, words) in [
        (include_str!("../docs/explanation/near-match.md"), format!("The {derived} derived views")),
        (include_str!("../docs/reference/filter-format.md"), format!("each of the {windows} windows")),
        (include_str!("../docs/reference/filter-format.md"), format!("each of the {painted} painted views")),
        (include_str!("../docs/explanation/system.md"), format!("in up to {} views", 2 + derived)),
    ] {
        assert!(page.contains(&words), "expected a page to say {words:?}");
    }
}

#[test]
fn every_code_has_one_name_and_is_explained() {
    let names: std::collections::BTreeSet<_> = RefusalCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), RefusalCode::ALL.len());
    for code in RefusalCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        assert!(code.meaning().ends_with('.') && code.remedy().ends_with('.'), "{code:?}");
    }
}
