//! Writes the TypeScript types of the values that cross the wasm border, and checks that they are up to date.
//!
//! To rewrite `js/generated/core.ts`, run `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`.

use ts_rs::{Config, TS};

use crate::{check, filter, image, refusal, release, signal};

const HEADER: &str = "\
// The values that cross the wasm border, as the core serialises them.
// Generated from src/ by `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`: don't edit.
";

fn declaration<T: TS>(text: &mut String) {
    let config = Config::new().with_large_int("number");
    let docs = T::docs().unwrap_or_default();
    let made = format!("\n{docs}export {}\n", T::decl(&config));
    text.extend(made.lines().flat_map(|line| [line.trim_end(), "\n"]));
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
        declaration::<refusal::RefusalCode>,
        declaration::<filter::FilterInfo>,
        declaration::<release::Manifest>,
        declaration::<release::FullFile>,
        declaration::<release::DeltaFile>,
    ] {
        declare(&mut text);
    }
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
