//! Writes the TypeScript types of the values that cross the wasm border, and checks that they are up to date.
//!
//! To rewrite `js/generated/core.ts`, run `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`.

use ts_rs::{Config, TS};

use crate::{RefusalCode, check, filter, image, release, signal};

const HEADER: &str = "\
// The values that cross the wasm border, as the core serialises them.
// Generated from src/ by `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`: don't edit.
";

fn declaration<T: TS>(text: &mut String) {
    let config = Config::new().with_large_int("number");
    let made = format!("\n{}export {}\n", docs_for_typescript(&T::docs().unwrap_or_default()), T::decl(&config));
    text.extend(made.lines().flat_map(|line| [line.trim_end(), "\n"]));
}

/// Leaves out the Rust examples, and the brackets and targets of rustdoc's links.
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

/// The codes with their meanings and remedies, in the comment above the type.
fn refusal_codes() -> String {
    let row = |code: &RefusalCode| format!(" * - `{}`: {} {}\n", code.as_str(), code.meaning(), code.remedy());
    let rows: String = RefusalCode::ALL.iter().map(row).collect();
    format!("\n/**\n * Why the core refused something: what each code means, and what to do.\n *\n{rows} */\n")
}

fn declarations() -> String {
    let mut text = HEADER.to_owned();
    for declare in [
        declaration::<check::Verdict>,
        declaration::<check::Outcome>,
        declaration::<check::Match>,
        declaration::<check::MatchedSignal>,
        declaration::<check::PdqMatch>,
        declaration::<check::Strength>,
        declaration::<check::UncheckedReason>,
        declaration::<image::Caveat>,
        declaration::<image::DecodedBy>,
        declaration::<image::Format>,
        declaration::<image::Surface>,
        declaration::<check::Reading>,
        declaration::<signal::pdq::Orientation>,
        declaration::<signal::views::View>,
        declaration::<check::Orientations>,
        declaration::<signal::views::ViewSet>,
        declaration::<filter::FilterInfo>,
        declaration::<release::Manifest>,
        declaration::<release::FullFile>,
        declaration::<release::DeltaFile>,
    ] {
        declare(&mut text);
    }
    text += &refusal_codes();
    text += &format!("export {}\n", RefusalCode::decl(&Config::new()));
    text += "\n/** Most candidates that a lookup goes on past. */\n";
    text += &format!("export const MAX_DISMISSED = {};\n", check::MAX_DISMISSED);
    text += "\n/** Longest manifest in bytes, signatures included. */\n";
    text += &format!("export const MAX_MANIFEST_BYTES = {};\n", release::MAX_MANIFEST_BYTES);
    text
}

#[test]
fn typescript_types_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/js/generated/core.ts");
    let made = declarations();
    if std::env::var_os("HASHGATE_WRITE").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/js/generated")).unwrap();
        std::fs::write(path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == made, "js/generated/core.ts is out of date: run the test with HASHGATE_WRITE=1");
}
