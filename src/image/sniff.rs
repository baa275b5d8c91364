//! Tells what a file is by its first bytes.

use super::error::IntakeError;
use super::format::Format;

/// The first bytes of a PNG (PNG specification, third edition, 5.2).
pub(super) const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Returns the format of a file that this build reads.
///
/// # Errors [`IntakeError::UnsupportedPicture`] if the content is a picture of another kind,
/// [`IntakeError::NotAPicture`] if it is no picture.
pub(super) fn sniff(bytes: &[u8]) -> Result<Format, IntakeError> {
    let format = match bytes {
        // Decoders skip bytes before the first marker, so any third byte may follow.
        [0xff, 0xd8, _, ..] => Format::Jpeg,
        _ if bytes.starts_with(&PNG) => Format::Png,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Format::Gif,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::Webp,
        _ if is_bmp(bytes) => Format::Bmp,
        _ if is_icon(bytes) => Format::Ico,
        #[cfg(feature = "tiff")]
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Format::Tiff,
        _ if is_svg(bytes) => Format::Svg,
        _ => return Err(something_else(bytes)),
    };
    Ok(format)
}

/// Returns whether a file begins like a bitmap. The two letters `BM` alone prove little, so the size of the info header
/// must also be one that is in use. The reserved bytes between them may hold anything, because decoders ignore them.
fn is_bmp(bytes: &[u8]) -> bool {
    let header = |length: &[u8]| matches!(length, [12..=124, 0, 0, 0]);
    bytes.starts_with(b"BM") && bytes.get(14..18).is_some_and(header)
}

/// Returns the error for a file that this build doesn't read. It names what the file is.
fn something_else(bytes: &[u8]) -> IntakeError {
    let picture = |found: &str, format| IntakeError::UnsupportedPicture { found: found.into(), format };
    let unread = |found: &str| picture(found, None);
    let other = |found: &str| IntakeError::NotAPicture { found: found.into() };
    match bytes {
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => picture("a JPEG XL picture", Some(Format::Jxl)),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => match isobmff_brand(bytes) {
            Some(Format::Avif) => picture("an AVIF picture", Some(Format::Avif)),
            Some(format) => picture("a HEIC picture", Some(format)),
            None => other("an MP4 or QuickTime film; films are not checked"),
        },
        [0xff, 0xd8] => unread("the start of a JPEG picture"),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => picture("a TIFF picture", Some(Format::Tiff)),
        [b'I', b'I', b'R' | b'U', ..] | [b'F', b'U', b'J', b'I', b'F', b'I', b'L', b'M', ..] => {
            unread("a camera's raw picture")
        }
        [0, 0, 0, 12, b'j', b'P', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => unread("a JPEG 2000 picture"),
        [b'8', b'B', b'P', b'S', ..] => unread("a Photoshop document"),
        [b'q', b'o', b'i', b'f', ..] => unread("a QOI picture"),
        [0x76, 0x2f, 0x31, 0x01, ..] => unread("an OpenEXR picture"),
        [b'D', b'D', b'S', b' ', ..] => unread("a DDS texture"),
        [0x8a, b'M', b'N', b'G', ..] | [0x8b, b'J', b'N', b'G', ..] => unread("an MNG or JNG picture"),
        [b'I', b'I', 0xbc, 1, ..] => unread("a JPEG XR picture"),
        [b'g', b'i', b'm', b'p', b' ', b'x', b'c', b'f', ..] => unread("a GIMP picture"),
        [b'#', b'?', b'R', b'A' | b'G', ..] => unread("a Radiance HDR picture"),
        [b'P', b'1'..=b'7', b'\n' | b'\r' | b'\t' | b' ' | b'#', ..] => unread("a PNM picture"),
        [0xab, b'K', b'T', b'X', ..] => unread("a KTX texture"),
        [0x01, 0xda, 0 | 1, 1 | 2, ..] => unread("an SGI picture"),
        [b'B', b'M', ..] => {
            picture("a file that begins like a BMP picture but has no header of a known size", Some(Format::Bmp))
        }
        [b'G', b'I', b'F', ..] => {
            picture("a file that begins like a GIF picture but is of no known version", Some(Format::Gif))
        }
        [] => other("an empty file"),
        [_] => other("a single byte"),
        [b'%', b'P', b'D', b'F', ..] => other("a PDF document"),
        [b'%', b'!', b'P', b'S', ..] => other("a PostScript document"),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => other("a ZIP archive or an office document"),
        [0x1f, 0x8b, ..] => other("a gzip archive"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => other("a WebM or Matroska film; films are not checked"),
        [b'I', b'D', b'3', ..] => other("an MP3 sound"),
        [b'f', b'L', b'a', b'C', ..] | [b'O', b'g', b'g', b'S', ..] => other("a sound or film (FLAC or Ogg)"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => other("an AVI film; films are not checked"),
        [b'R', b'I', b'F', b'F', ..] => other("a RIFF file that isn't WebP"),
        // Comes after the patterns above, because two sync bytes prove little (ISO/IEC 11172-3, 2.4.1.3).
        [0xff, 0xe0..=0xff, ..] => other("an MP3 or AAC sound"),
        _ => text(bytes).unwrap_or_else(|| other(&unknown(bytes))),
    }
}

/// Returns whether a file has the header of an icon or cursor: a number of pictures, and a first entry whose reserved
/// byte is 0 and whose picture lies after the entries.
fn is_icon(bytes: &[u8]) -> bool {
    let Some(&[0, 0, 1 | 2, 0, low, high]) = bytes.first_chunk() else { return false };
    let count = usize::from(u16::from_le_bytes([low, high]));
    let offset = bytes.get(18..22).map(|o| u32::from_le_bytes([o[0], o[1], o[2], o[3]]) as usize);
    count > 0 && offset.is_some_and(|offset| offset >= 6 + 16 * count)
}

/// Returns the format of an ISO base media file, by the brands in its `ftyp` box (ISO/IEC 14496-12, 4.3).
fn isobmff_brand(bytes: &[u8]) -> Option<Format> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let brands = bytes.get(8..length.min(bytes.len()))?.chunks_exact(4);
    let mut general = None;
    for brand in brands {
        match brand {
            b"avif" | b"avis" => return Some(Format::Avif),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => return Some(Format::Heic),
            // HEIF without a brand for its codec, which usually is HEVC.
            b"mif1" | b"msf1" => general = Some(Format::Heic),
            _ => {}
        }
    }
    general
}

/// Number of bytes of a text that are searched for its kind. Comments and definitions may come before the `svg`
/// element.
const TEXT_HEAD: usize = 1 << 16;

/// Returns whether a file is text: in an encoding that stores ASCII characters as single bytes, or in UTF-16 with a
/// byte order mark.
fn is_text(bytes: &[u8]) -> bool {
    let printable = |&byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    match bytes {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => {
            rest.iter().take(1024).all(|byte| *byte == 0 || printable(byte))
        }
        _ => bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).iter().take(1024).all(printable),
    }
}

/// Returns whether the first character of a text after white space is `<`.
fn starts_with_a_tag(bytes: &[u8]) -> bool {
    let is_passed_over =
        |byte: &&u8| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf | 0xff | 0xfe);
    bytes.iter().find(|byte| !is_passed_over(byte)) == Some(&b'<')
}

/// Returns whether the first bytes of a text contain a word.
fn has(bytes: &[u8], word: &str) -> bool {
    let head = &bytes[..bytes.len().min(TEXT_HEAD)];
    let narrow: Vec<u8>;
    let head = if matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        narrow = head.iter().copied().filter(|&byte| byte != 0).collect();
        &narrow[..]
    } else {
        head
    };
    head.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// Returns whether a file is an XML text with SVG's namespace, or at least an `svg` element. An HTML page that contains
/// an SVG isn't one.
fn is_svg(bytes: &[u8]) -> bool {
    // Comes first because it is fast, and false for most files.
    is_text(bytes)
        && starts_with_a_tag(bytes)
        && (has(bytes, "<svg") || has(bytes, "http://www.w3.org/2000/svg"))
        && !has(&bytes[..bytes.len().min(1024)], "<html")
        && !has(&bytes[..bytes.len().min(1024)], "<!doctype html")
}

/// Returns the error for a text, which names its kind; `None` if the file isn't text.
fn text(bytes: &[u8]) -> Option<IntakeError> {
    let other = |found: &str| IntakeError::NotAPicture { found: found.into() };
    is_text(bytes).then(|| match () {
        () if has(bytes, "<!doctype html") || has(bytes, "<html") => other("an HTML page"),
        () if starts_with_a_tag(bytes) => other("an XML or HTML text"),
        () => other("a text"),
    })
}

fn unknown(bytes: &[u8]) -> String {
    let start: Vec<_> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("a file of unknown kind that begins with {}", start.join(" "))
}
