//! Makes texts from strangers harmless: file names, names of lists, lines of a damaged file.

use std::fmt::Write as _;

use hashgate::filter::{MAX_TEXT, is_plain_text};

/// Returns whether a character is invisible, or can change how the text around it is shown. Control characters are
/// such: they can move the cursor, or begin an escape sequence of a terminal. Characters without a shape are such, too,
/// for example the marks that turn the direction of writing.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control() || hashgate::filter::is_invisible(character)
}

/// Returns the text with every invisible character as an escape, such as `\n` or `\u{1b}`. The result is one line.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Returns the JSON text with every invisible character as `\uXXXX`, which a JSON reader turns into the character
/// again.
///
/// This is needed because a JSON writer escapes control characters only up to U+001F.
#[must_use]
pub fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        if is_invisible(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(plain, "\\u{unit:04x}");
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Returns a path as a CSV cell that a spreadsheet doesn't take for a formula.
///
/// A relative path that begins with `=`, `+`, `-` or `@` gets `./` before it, which names the same file. Invisible
/// characters are escaped; JSON output has the exact path.
#[must_use]
pub fn csv_path(path: &str) -> String {
    let path = plain(path);
    if path.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) {
        return format!("./{path}");
    }
    path
}

/// Reads the name or the category of a list.
///
/// # Errors
/// A text that a list can't have: empty, too long, or with an invisible character.
pub fn label(text: &str) -> Result<String, String> {
    if is_plain_text(text) {
        return Ok(text.to_owned());
    }
    Err(match text.chars().find(|&character| is_invisible(character)) {
        Some(found) => format!(
            "expected visible characters, got U+{:04X}, which can change how the text around it is shown: leave it out",
            u32::from(found)
        ),
        None => format!("expected 1 to {MAX_TEXT} bytes, got {}", text.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_one_line_and_shows_what_it_holds() {
        assert_eq!(plain("größer 猫.jpg"), "größer 猫.jpg");
        assert_eq!(plain("a\nb: clear"), "a\\nb: clear");
        assert_eq!(plain("\u{1b}]0;x\u{7}\u{9b}2J"), "\\u{1b}]0;x\\u{7}\\u{9b}2J");
        assert_eq!(plain("gpj.\u{202e}exe\u{200b}"), "gpj.\\u{202e}exe\\u{200b}");
    }

    #[test]
    fn json_keeps_the_exact_text() {
        for text in ["a\nb", "\u{1b}[2J", "\u{9b}2J", "\u{202e}x", "\u{e0041}", "größer \"quoted\" \\"] {
            let json = plain_json(&serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert!(!json.chars().any(is_invisible), "{json}");
        }
    }

    #[test]
    fn no_path_is_a_formula() {
        assert_eq!(csv_path("=HYPERLINK(1).jpg"), "./=HYPERLINK(1).jpg");
        assert_eq!(csv_path("@a") + &csv_path("+a") + &csv_path("-a"), "./@a./+a./-a");
        assert_eq!(csv_path("\t=1"), "\\t=1");
        assert_eq!(csv_path("a=b.jpg"), "a=b.jpg");
    }

    #[test]
    fn a_label_is_visible() {
        assert_eq!(label("größer & \"quoted\""), Ok("größer & \"quoted\"".into()));
        for bad in ["", "a\u{202e}b", "a\nb", "\u{feff}a", &"a".repeat(201)] {
            assert!(label(bad).is_err(), "{bad:?}");
        }
    }
}
