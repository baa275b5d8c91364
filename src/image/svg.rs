//! Finds the raster pictures that an SVG embeds as `data:` URLs. The drawing itself is not read.

use std::borrow::Cow;

use super::text::{self, narrowed};

/// Largest number of pictures that are taken from an SVG.
const MAX_PICTURES: usize = 16;

/// Largest depth of SVGs within SVGs that is searched.
const MAX_DEPTH: u32 = 3;

/// Largest number of characters of a media type with its parameters.
const MAX_TYPE: usize = 200;

/// Largest number of bytes to which a compressed SVG is unpacked. The rest is dropped.
const MAX_UNPACKED: usize = 1 << 25;

/// Unpacks the first `most` bytes of the SVG in a gzip file (RFC 1952). Returns `None` if the file isn't gzip, or holds
/// no SVG.
pub(super) fn unpacked(file: &[u8], most: usize) -> Option<Vec<u8>> {
    let &[0x1f, 0x8b, 8, flags, _, _, _, _, _, _, ref rest @ ..] = file else { return None };
    let mut rest = rest;
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    // Skips the optional file name and comment, each of which ends with a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            rest = &rest[rest.iter().position(|&byte| byte == 0)? + 1..];
        }
    }
    rest = if flags & 2 != 0 { rest.get(2..)? } else { rest };
    let mut decompressor = fdeflate::Decompressor::new();
    decompressor.ignore_adler32();
    // Puts a zlib header before the data, because the decompressor expects one and gzip has none.
    let mut input = &[0x78, 0x01][..];
    let (mut output, mut made) = (vec![0; most.min(1 << 16)], 0);
    loop {
        let (taken, more) = decompressor.read(input, &mut output, made, false).ok()?;
        made += more;
        input = &input[taken..];
        if input.is_empty() && !rest.is_empty() {
            input = std::mem::take(&mut rest);
        } else if decompressor.is_done() || made == most || taken == 0 && more == 0 && made < output.len() {
            break;
        }
        if made == output.len() && made < most {
            output.resize((2 * made).min(most), 0);
        }
    }
    output.truncate(made);
    text::is_svg(&output).then_some(output)
}

/// Returns the files of the first [`MAX_PICTURES`] pictures that an SVG embeds, in their order, and whether it has
/// more.
pub(super) fn embedded(file: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut pictures = Vec::new();
    let unpacked = unpacked(file, MAX_UNPACKED);
    let more = search(unpacked.as_deref().unwrap_or(file), MAX_DEPTH, &mut pictures);
    (pictures, more)
}

/// Adds the pictures that an SVG embeds to `pictures`. Returns whether some were left out.
fn search(svg: &[u8], depth: u32, pictures: &mut Vec<Vec<u8>>) -> bool {
    let svg = narrowed(svg);
    let svg = without_references(&svg);
    let mut at = 0;
    while let Some(start) = position(&svg[at..], b"data:") {
        let before = (at + start).checked_sub(1).and_then(|before| svg.get(before));
        at += start + b"data:".len();
        let head = &svg[at..svg.len().min(at + MAX_TYPE)];
        let Some(comma) = head.iter().position(|&byte| byte == b',') else { continue };
        let is_base64 = head[..comma].trim_ascii().to_ascii_lowercase().ends_with(b"base64");
        let rest = &svg[at + comma + 1..];
        let end = |byte: &u8| match before {
            // In quotes, a URL ends with the same quotation mark that began it.
            Some(quote @ (b'"' | b'\'')) => byte == quote || *byte == b'<',
            _ => matches!(byte, b'"' | b'\'' | b')' | b'<' | b'>'),
        };
        let content = &rest[..rest.iter().position(end).unwrap_or(rest.len())];
        at += comma + 1 + content.len();
        let content = from_percent(content);
        let file = if is_base64 { from_base64(&content) } else { content };
        if text::is_svg(&file) {
            if depth == 0 || search(&file, depth - 1, pictures) {
                return true;
            }
        } else if pictures.len() == MAX_PICTURES {
            return true;
        } else {
            pictures.push(file);
        }
    }
    false
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window.eq_ignore_ascii_case(part))
}

/// Returns a text with its character references to ASCII (`&#10;`, `&#xA;`) replaced by the characters.
fn without_references(text: &[u8]) -> Cow<'_, [u8]> {
    if position(text, b"&#").is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let number = after.strip_prefix(b"#").filter(|_| byte == b'&').and_then(|number| {
            let end = number.iter().take(10).position(|&byte| byte == b';')?;
            let digits = std::str::from_utf8(&number[..end]).ok()?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            Some((code.ok().filter(|&code| code < 128)?, &number[end + 1..]))
        });
        match number {
            Some((code, after)) => {
                plain.push(code as u8);
                rest = after;
            }
            None => plain.push(byte),
        }
    }
    Cow::Owned(plain)
}

/// Decodes percent-encoding: `%41` becomes the byte 0x41.
fn from_percent(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        match (digit(0), digit(1)) {
            (Some(high), Some(low)) if byte == b'%' => {
                bytes.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// Decodes base64. Skips characters that aren't in its alphabet, because attributes often contain line breaks, which
/// browsers skip as well.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    for &character in text {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_pictures_are_found_however_they_are_written() {
        let svg = b"<svg><image href='data:image/png;base64,aGFz\n aGdh&#10;dGU='/>\
            <style>a{background:url(DATA:image/jpeg;charset=x;base64,aGFzaGdh%64GU%3D)}</style>\
            <image xlink:href=\"data:,hash)ga%74e\"/><image href=\"data:image/gif;base64,\"/>\
            <use href=\"&#100;&#x61;ta:;BASE64 ,aGFzaGdhdGU\"/></svg>";
        let (found, more) = embedded(svg);
        let one = || b"hashgate".to_vec();
        assert_eq!(found, [one(), one(), b"hash)gate".to_vec(), Vec::new(), one()]);
        assert!(!more);
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(svg.iter().flat_map(|&byte| [byte, 0])).collect();
        assert_eq!(embedded(&wide).0, found);
        assert_eq!(embedded(b"<svg>data:image/"), (Vec::new(), false));
        let (many, more) = embedded(&svg.repeat(6));
        assert_eq!((many.len(), more), (16, true));
    }

    #[test]
    fn an_svg_within_an_svg_is_searched() {
        let mut svg = "<svg><image href='data:image/png;base64,aGFzaGdhdGU='/></svg>".to_string();
        for depth in 0..6 {
            let found = if depth <= MAX_DEPTH { vec![b"hashgate".to_vec()] } else { Vec::new() };
            assert_eq!(embedded(svg.as_bytes()), (found, depth > MAX_DEPTH), "{depth}");
            let escaped = svg.replace('%', "%25").replace('<', "%3C").replace('\'', "%27");
            svg = format!("<svg><image href='data:image/svg+xml,{escaped}'/></svg>");
        }
    }

    #[test]
    fn a_compressed_svg_is_unpacked() {
        let svg = format!("<svg>{}<image href='data:,hashgate'/></svg>", "<g/>".repeat(100_000));
        let zlib = fdeflate::compress_to_vec(svg.as_bytes());
        let deflated = &zlib[2..zlib.len() - 4];
        for (flags, more) in [(0, &b""[..]), (8, b"a.svg\0"), (4 | 16 | 2, b"\x02\0xx a comment\0\x01\x02")] {
            let header = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
            let file = [&header, more, deflated, &[0; 8]].concat();
            assert_eq!(unpacked(&file, MAX_UNPACKED).map(|svg| svg.len()), Some(svg.len()), "{flags}");
            assert_eq!(unpacked(&file, 1000).map(|svg| svg.len()), Some(1000));
            assert!(unpacked(&file[..file.len() / 2], 1000).is_some());
            assert_eq!(embedded(&file).0, [b"hashgate".to_vec()]);
        }
        let other = fdeflate::compress_to_vec(b"an archive");
        assert_eq!(unpacked(&[&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], &other[2..]].concat(), 1000), None);
    }
}
