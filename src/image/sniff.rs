//! What a file is, told by its first bytes.

use super::{Format, IntakeError};

/// What a PNG begins with (PNG specification, third edition, 5.2).
pub(super) const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The format of a file that is read here.
///
/// # Errors
/// [`IntakeError::UnsupportedPicture`] says what it is instead.
pub(super) fn sniff(bytes: &[u8]) -> Result<Format, IntakeError> {
    let format = match bytes {
        [0xff, 0xd8, 0xff, ..] => Format::Jpeg,
        _ if bytes.starts_with(&PNG) => Format::Png,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Format::Gif,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::Webp,
        // Two letters are little to go by: a bitmap has its reserved bytes and header size too.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, _, _, _, _, 12..=124, 0, 0, 0, ..] => Format::Bmp,
        #[cfg(feature = "tiff")]
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Format::Tiff,
        _ => {
            let (found, format) = something_else(bytes);
            return Err(IntakeError::UnsupportedPicture { found, format });
        }
    };
    Ok(format)
}

/// A name for a file that isn't read here, and its format if browsers may be able to read it.
fn something_else(bytes: &[u8]) -> (String, Option<Format>) {
    let by_browser = |found: &str, format| (found.to_owned(), Some(format));
    match bytes {
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => {
            return by_browser("a JPEG XL picture", Format::Jxl);
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => match isobmff_brand(bytes) {
            Some(Format::Avif) => return by_browser("an AVIF picture", Format::Avif),
            Some(format) => return by_browser("a HEIC picture", format),
            None => {}
        },
        _ => {}
    }
    let found = match bytes {
        [] => "an empty file",
        [_] => "a single byte",
        [0xff, 0xd8] => "the start of a JPEG picture",
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => "a TIFF picture",
        [0, 0, 1, 0, ..] => "an icon (ICO)",
        [0, 0, 0, 12, b'j', b'P', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => "a JPEG 2000 picture",
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop document",
        [b'q', b'o', b'i', b'f', ..] => "a QOI picture",
        [0x76, 0x2f, 0x31, 0x01, ..] => "an OpenEXR picture",
        [b'D', b'D', b'S', b' ', ..] => "a DDS texture",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'%', b'!', b'P', b'S', ..] => "a PostScript document",
        [b'P', b'K', 3 | 5, 4 | 6, ..] => "a ZIP archive or an office document",
        [0x1f, 0x8b, ..] => "a gzip archive",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "a WebM or Matroska video",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "an MP4 or QuickTime video",
        [b'R', b'I', b'F', b'F', ..] => "a RIFF file that isn't WebP",
        [b'B', b'M', ..] => "a file that begins like a BMP picture but has no such header",
        [b'G', b'I', b'F', ..] => "a file that begins like a GIF picture but is of no known version",
        _ => return (text(bytes).map_or_else(|| unknown(bytes), str::to_owned), None),
    };
    (found.to_owned(), None)
}

/// What an ISO base media file is, by the brands in its `ftyp` box (ISO/IEC 14496-12, 4.3).
fn isobmff_brand(bytes: &[u8]) -> Option<Format> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let brands = bytes.get(8..length.min(bytes.len()))?.chunks_exact(4);
    let mut general = None;
    for brand in brands {
        match brand {
            b"avif" | b"avis" => return Some(Format::Avif),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => return Some(Format::Heic),
            // HEIF without a word on the codec, which mostly is HEVC.
            b"mif1" | b"msf1" => general = Some(Format::Heic),
            _ => {}
        }
    }
    general
}

/// What a text is.
fn text(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = &start[..start.len().min(1024)];
    let printable = |&byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    if !start.iter().all(printable) {
        return None;
    }
    let has = |word: &str| start.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    Some(match () {
        () if has("<!doctype html") || has("<html") => "an HTML page",
        () if has("<svg") => "an SVG picture",
        () if start.trim_ascii_start().starts_with(b"<") => "an XML or HTML text",
        () => "a text",
    })
}

fn unknown(bytes: &[u8]) -> String {
    let start: Vec<_> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("a file of unknown kind that begins with {}", start.join(" "))
}
