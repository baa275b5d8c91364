//! Writes the TypeScript types of the film reader's results (`js/generated/film.ts`), and checks that they are up to
//! date.
//!
//! To rewrite them, run `HASHGATE_WRITE=1 cargo test -p hashgate-film --lib generated`.

use ts_rs::{Config, TS};

use crate::{Container, FilmCode, FilmInfo, FilmRefusal, TrackInfo};

const HEADER: &str = "\
// What the reader of films says, as it serialises it.
// Generated from crates/film/src/ by `HASHGATE_WRITE=1 cargo test -p hashgate-film --lib generated`: don't edit.
";

fn declaration<T: TS>(text: &mut String) {
    let config = Config::new().with_large_int("number");
    let docs = T::docs().unwrap_or_default().replace("[`", "`").replace("`]", "`");
    let made = format!("\n{docs}export {}\n", T::decl(&config));
    text.extend(made.lines().flat_map(|line| [line.trim_end(), "\n"]));
}

/// Returns the TypeScript type of the error codes, with a comment that lists each code's meaning and remedy.
fn codes() -> String {
    let row = |code: &FilmCode| format!(" * - `{}`: {} {}\n", code.as_str(), code.meaning(), code.remedy());
    let rows: String = FilmCode::ALL.iter().map(row).collect();
    let heading = " * Why a film, or a track of it, was refused: what each code means, and what to do.\n *\n";
    format!("\n/**\n{heading}{rows} */\nexport {}\n", FilmCode::decl(&Config::new()))
}

#[test]
fn generated_files_are_up_to_date() {
    let mut text = HEADER.to_owned();
    for declare in
        [declaration::<Container>, declaration::<FilmInfo>, declaration::<TrackInfo>, declaration::<FilmRefusal>]
    {
        declare(&mut text);
    }
    text += &codes();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../js/generated/film.ts");
    if std::env::var_os("HASHGATE_WRITE").is_some() {
        std::fs::write(path, &text).expect("js/generated can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(there, text, "run HASHGATE_WRITE=1 cargo test -p hashgate-film --lib generated");
}
