//! The rule for texts that people read: the names and categories of lists, and the names of curators.

/// Longest text, in bytes of UTF-8.
pub const MAX_TEXT: usize = 200;
/// The rule of [`is_plain_text`] in words, for the field `expected` of a refusal.
pub(crate) const EXPECTED_TEXT: &str = "1 to 200 bytes of UTF-8 without control or invisible characters";

/// Returns whether a text may be a name or a category: 1 to 200 bytes, all of them visible.
///
/// Control characters are refused: a line feed in a name could forge lines of a manifest. Invisible characters, and
/// those that reverse the direction of writing, are refused because with them two different names could look the same.
#[must_use]
pub fn is_plain_text(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// Returns whether a character has no shape of its own (Unicode 16): format characters (category Cf), line and
/// paragraph separators, variation selectors, fillers and blanks.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shows_every_one_of_its_characters() {
        for sound in ["demo", "Liste n° 7 (été)", "名簿", "قائمة", "x".repeat(200).as_str()] {
            assert!(is_plain_text(sound), "{sound:?}");
        }
        assert!(!is_plain_text("") && !is_plain_text(&"x".repeat(201)));
        let refused = "\n\u{0}\u{7f}\u{85}\u{ad}\u{61c}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{202a}\u{202b}\u{202c}\
            \u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{3164}\u{fe0f}\u{feff}\u{e0041}\u{e0100}";
        for c in refused.chars() {
            assert!(!is_plain_text(&format!("de{c}mo")), "{c:?}");
        }
    }
}
