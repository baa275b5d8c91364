//! Recognises text files, and tells whether a text is an SVG.

use std::borrow::Cow;

use super::error::IntakeError;

/// Number of bytes of a text that are searched for its first element, which decides its kind. Comments and definitions
/// may come before that element.
pub(super) const HEAD: usize = 1 << 16;

/// Returns a text with its ASCII characters as one byte each.
///
/// In UTF-16 and UTF-32, an ASCII character is one byte and zeros, so the zeros are left out. The encoding is
/// recognised without a byte order mark, because XML doesn't require one.
pub(super) fn narrowed(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..] | [0, 0, 0, b'<', ..] => {
            Cow::Owned(bytes.iter().copied().filter(|&byte| byte != 0).collect())
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// Returns whether the head of a file is text. The head must have gone through [`narrowed`].
fn is_text(head: &[u8]) -> bool {
    head.iter().take(1024).all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..))
}

/// Returns whether a file is an XML text whose first element is `svg`. Also returns true if the first element lies
/// beyond the first [`HEAD`] bytes, because it may be `svg`. Callers may pass no more than those bytes.
pub(super) fn is_svg(bytes: &[u8]) -> bool {
    // Tests for text first, because this is fast and most files are not text.
    let head = narrowed(&bytes[..bytes.len().min(HEAD)]);
    is_text(&head)
        && match first_element(&head) {
            Some(name) => {
                let is_page = has(&head, b"<!doctype html") && !has(&head, b"http://www.w3.org/2000/svg");
                name.rsplit(|&byte| byte == b':').next() == Some(b"svg") && !is_page
            }
            None => starts_with_a_tag(&head) && bytes.len() >= HEAD,
        }
}

/// Returns an error that names the kind of text (such as an HTML page); `None` if the file isn't text.
pub(super) fn named(bytes: &[u8]) -> Option<IntakeError> {
    let head = narrowed(&bytes[..bytes.len().min(HEAD)]);
    let found = match first_element(&head) {
        _ if !is_text(&head) => return None,
        Some(name) if name.eq_ignore_ascii_case(b"html") => "an HTML page",
        _ if has(&head, b"<!doctype html") => "an HTML page",
        _ if starts_with_a_tag(&head) => "an XML or HTML text",
        _ => "a text",
    };
    Some(IntakeError::NotAPicture { found: found.into() })
}

fn has(head: &[u8], word: &[u8]) -> bool {
    head.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Returns the text after its byte order mark and leading white space.
fn trimmed(text: &[u8]) -> &[u8] {
    let is_passed_over = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf | 0xff | 0xfe);
    &text[text.iter().position(|byte| !is_passed_over(byte)).unwrap_or(text.len())..]
}

fn starts_with_a_tag(text: &[u8]) -> bool {
    trimmed(text).starts_with(b"<")
}

/// Returns the name of the first element of a text; `None` if no complete name is found in `text`.
fn first_element(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = trimmed(text).strip_prefix(b"<")?;
        let end: &[u8] = match text {
            [b'?', ..] => b"?>",
            [b'!', b'-', b'-', ..] => b"-->",
            [b'!', ..] => {
                text = after_declaration(text)?;
                continue;
            }
            _ => {
                let is_of_name = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>');
                return text.iter().position(|byte| !is_of_name(byte)).map(|end| &text[..end]);
            }
        };
        let at = text.windows(end.len()).position(|part| part == end)?;
        text = &text[at + end.len()..];
    }
}

/// Returns the text after a document type declaration. `>` within its quotes, comments and definitions doesn't end it.
fn after_declaration(text: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut at) = (0u32, 0);
    loop {
        let rest = &text[at..];
        at += match rest {
            [b'<', b'!', b'-', b'-', ..] => 4 + rest[4..].windows(3).position(|part| part == b"-->")? + 2,
            &[quote @ (b'"' | b'\''), ref rest @ ..] => 1 + rest.iter().position(|&byte| byte == quote)?,
            _ => 0,
        };
        match text.get(at)? {
            b'<' | b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b'>' if depth == 0 => return Some(&text[at + 1..]),
            b'>' if !rest.starts_with(b"<!--") => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_svg_is_told_by_its_first_element() {
        let long = format!("<!--{}--><svg/>", " drawn".repeat(20_000));
        let wide = |text: &str, low_first: bool| -> Vec<u8> {
            text.bytes().flat_map(|byte| if low_first { [byte, 0] } else { [0, byte] }).collect()
        };
        for svg in [
            b"<svg/>".as_slice(),
            b"\xef\xbb\xbf\n<svg xmlns='http://www.w3.org/2000/svg'>",
            b"<?xml version='1.0'?><!-- <html> --><svg>",
            b"<svg><!-- <html> --></svg>",
            b"<!DOCTYPE html><svg xmlns='http://www.w3.org/2000/svg'/>",
            b"<!DOCTYPE svg PUBLIC '>' \"<html>\" [<!ENTITY a \"]>\"><!-- ' --><!ENTITY b '<html>'>] ><s:svg a=''/>",
            long.as_bytes(),
            // The start of the file, by which callers tell whether it may be a picture.
            &long.as_bytes()[..HEAD],
            &wide("<?xml version='1.0'?><svg/>", true),
            &wide("<svg/>", false),
            &[b"\xff\xfe".as_slice(), &wide("<svg/>", true)].concat(),
        ] {
            assert!(is_svg(svg), "{}", String::from_utf8_lossy(&svg[..svg.len().min(60)]));
        }
        for other in [
            b"<html><svg/></html>".as_slice(),
            b"<!DOCTYPE html><body><svg/>",
            b"<!DOCTYPE html><svg></svg>",
            b"plain words, and <svg in the middle",
            b"<svgs/>",
            b"<!-- <svg/> -->",
            b"<?xml version='1.0'?><a:b xmlns:svg='http://www.w3.org/2000/svg'><svg/></a:b>",
            b"<svg\0/>",
            b"<",
            b"",
        ] {
            assert!(!is_svg(other), "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn a_text_is_named() {
        let name = |bytes: &[u8]| named(bytes).map(|error| error.to_string());
        let is = |found: &str| Some(format!("expected a picture, got {found}"));
        assert_eq!(name(b"<!doctype HTML><p>"), is("an HTML page"));
        assert_eq!(name(b"<HTML>"), is("an HTML page"));
        assert_eq!(name(b"<a/>"), is("an XML or HTML text"));
        assert_eq!(name(b"words"), is("a text"));
        assert_eq!(name(b"words\0"), None);
    }
}
