//! Finds the raster pictures that an SVG embeds as `data:` URLs. The drawing itself is not read.

/// Largest number of embedded pictures that are read.
const MAX_PICTURES: usize = 16;

/// The start of an embedded picture. The end of its media type, `;base64,`, follows within [`MAX_TYPE`] characters.
const PREFIX: &[u8] = b"data:image/";

/// Largest number of characters of a media type with its parameters.
const MAX_TYPE: usize = 100;

/// Returns the files that an SVG embeds in base64, in their order, and whether it embeds more than [`MAX_PICTURES`].
pub(super) fn embedded(svg: &[u8]) -> (Vec<Vec<u8>>, bool) {
    // In UTF-16, each character that matters here has a zero byte beside it. Without the zeros, the text can be
    // searched as ASCII.
    let narrow: Vec<u8>;
    let mut rest = if matches!(svg, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        narrow = svg.iter().copied().filter(|&byte| byte != 0).collect();
        &narrow[..]
    } else {
        svg
    };
    let mut pictures = Vec::new();
    while let Some(at) = position(rest, PREFIX) {
        rest = &rest[at + PREFIX.len()..];
        let head = &rest[..rest.len().min(MAX_TYPE)];
        let Some(start) = position(head, b";base64,") else { continue };
        rest = &rest[start + b";base64,".len()..];
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\'' | b')' | b'<' | b'>')).unwrap_or(rest.len());
        if pictures.len() == MAX_PICTURES {
            return (pictures, true);
        }
        pictures.push(from_base64(&rest[..end]));
        rest = &rest[end..];
    }
    (pictures, false)
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window.eq_ignore_ascii_case(part))
}

/// Decodes base64. Attributes often contain line breaks, character references and percent-encoded characters, so
/// characters outside of the alphabet are skipped, as browsers skip white space.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let character = match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or(0) as u8;
                digit(high) << 4 | digit(low)
            }
            (b'&', _) => {
                // Skips character references such as `&#10;`, `&#xA;` and `&#13;`.
                let end = after.iter().take(8).position(|&byte| byte == b';').map_or(0, |end| end + 1);
                rest = &after[end..];
                continue;
            }
            _ => byte,
        };
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
            <image xlink:href=\"data:image/svg+xml,%3Csvg\"/><image href=\"data:image/gif;base64,\"/></svg>";
        let (found, more) = embedded(svg);
        assert_eq!(found, [b"hashgate".to_vec(), b"hashgate".to_vec(), Vec::new()]);
        assert!(!more);
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(svg.iter().flat_map(|&byte| [byte, 0])).collect();
        assert_eq!(embedded(&wide).0, found);
        assert_eq!(embedded(b"<svg>data:image/"), (Vec::new(), false));
        let (many, more) = embedded(&svg.repeat(6));
        assert_eq!((many.len(), more), (16, true));
    }
}
