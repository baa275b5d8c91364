//! Recognises the format of a file by its first bytes.

use super::error::IntakeError;
use super::format::Format;
use super::{svg, text};

/// The first bytes of a PNG (PNG specification, third edition, 5.2).
pub(super) const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Returns the format of a file that this build reads.
///
/// # Errors
/// [`IntakeError::UnsupportedPicture`] if the content is a picture of another kind,
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
        #[cfg(feature = "heic")]
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
            if !matches!(bytes[8..], [b'c', b'r', b'x', b' ', ..]) && isobmff_brand(bytes) == Some(Format::Heic) =>
        {
            Format::Heic
        }
        #[cfg(feature = "jxl")]
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Format::Jxl,
        _ if text::is_svg(bytes) || svg::unpacked(bytes, text::HEAD + 1).is_some() => Format::Svg,
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

/// Returns the error for a file that this build doesn't read. The error names the kind of file.
fn something_else(bytes: &[u8]) -> IntakeError {
    let picture = |found: &str, format| IntakeError::UnsupportedPicture { found: found.into(), format };
    let unread = |found: &str| picture(found, None);
    let other = |found: &str| IntakeError::NotAPicture { found: found.into() };
    match bytes {
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => picture("a JPEG XL picture", Some(Format::Jxl)),
        [_, _, _, _, b'f', b't', b'y', b'p', b'c', b'r', b'x', b' ', ..] | [b'F', b'O', b'V', b'b', ..] => {
            unread("a camera's raw picture")
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => match isobmff_brand(bytes) {
            Some(Format::Avif) => picture("an AVIF picture", Some(Format::Avif)),
            Some(format) => picture("a HEIC picture", Some(format)),
            None => other("an MP4 or QuickTime film"),
        },
        _ if is_old_quicktime(bytes) => other("a QuickTime film"),
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
        [0x89, b'P', b'N', b'G', ..] => {
            picture("a file that begins like a PNG picture but has a broken signature", Some(Format::Png))
        }
        [0x59, 0xa6, 0x6a, 0x95, ..] => unread("a Sun raster picture"),
        [0xd7, 0xcd, 0xc6, 0x9a, ..] => unread("a Windows metafile"),
        [b'i', b'c', b'n', b's', ..] => unread("an Apple icon"),
        [b'B', b'P', b'G', 0xfb, ..] => unread("a BPG picture"),
        [b'F', b'L', b'I', b'F', ..] => unread("a FLIF picture"),
        [b'A', b'T', b'&', b'T', b'F', b'O', b'R', b'M', ..] => unread("a DjVu document"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'C', b'O', b'N', ..] => unread("an animated cursor"),
        [0xc5, 0xd0, 0xd3, 0xc6, ..] => unread("an Encapsulated PostScript picture"),
        _ if bytes.starts_with(b"SIMPLE  =") => unread("a FITS picture"),
        _ if bytes.starts_with(b"/* XPM") => unread("an XPM picture"),
        _ if bytes.get(40..44) == Some(b" EMF") => unread("a Windows metafile"),
        _ if bytes.get(128..132) == Some(b"DICM") => unread("a DICOM picture"),
        _ if is_pcx(bytes) => unread("a PCX picture"),
        _ if is_targa(bytes) => unread("a Targa picture"),
        [b'B', b'M', ..] => {
            picture("a file that begins like a BMP picture but has no header of a known size", Some(Format::Bmp))
        }
        [b'G' | b'g', b'I' | b'i', b'F' | b'f', b'8', ..] | [b'G', b'I', b'F', ..] => {
            picture("a file that begins like a GIF picture but is of no known version", Some(Format::Gif))
        }
        [] => other("an empty file"),
        [_] => other("a single byte"),
        [b'%', b'P', b'D', b'F', ..] => other("a PDF document"),
        [b'%', b'!', b'P', b'S', ..] => other("a PostScript document"),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => other("a ZIP archive or an office document"),
        [0x1f, 0x8b, ..] => other("a gzip archive"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => other("a WebM or Matroska film"),
        [b'I', b'D', b'3', ..] => other("an MP3 sound"),
        [b'f', b'L', b'a', b'C', ..] | [b'O', b'g', b'g', b'S', ..] => other("a sound or film (FLAC or Ogg)"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => other("an AVI film"),
        [b'R', b'I', b'F', b'F', ..] => other("a RIFF file that isn't WebP"),
        // This pattern comes late, because two bytes (the sync code of MPEG audio) can also occur by chance (ISO/IEC
        // 11172-3, 2.4.1.3).
        [0xff, 0xe0..=0xff, ..] => other("an MP3 or AAC sound"),
        _ => text::named(bytes).unwrap_or_else(|| other(&unknown(bytes))),
    }
}

/// The kind of a film, for programs that read films.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilmKind {
    /// MP4 or QuickTime.
    Mp4,
    /// WebM or Matroska.
    Matroska,
    /// A film in a container that this project doesn't read: AVI, Ogg, Flash, Windows Media, MPEG program or transport
    /// stream.
    Other,
}

/// Returns the kind of a film by the first 64 KiB of its file, or `None` if the file is no film. HEIC and AVIF are
/// built like MP4 but are pictures, so they give `None`. A file that holds only sound may look like a film.
#[must_use]
pub fn film_kind(head: &[u8]) -> Option<FilmKind> {
    match head {
        [_, _, _, _, b'f', b't', b'y', b'p', b'c', b'r', b'x', b' ', ..] => None,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => isobmff_brand(head).is_none().then_some(FilmKind::Mp4),
        _ if is_old_quicktime(head) => Some(FilmKind::Mp4),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(FilmKind::Matroska),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..]
        | [b'F', b'L', b'V', 1, ..]
        | [0, 0, 1, 0xb3 | 0xba, ..] => Some(FilmKind::Other), // MPEG video, or a program stream
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] if !is_asf_sound(head) => Some(FilmKind::Other),
        [b'O', b'g', b'g', b'S', ..] if is_ogg_film(head) => Some(FilmKind::Other),
        // A transport stream has a sync byte every 188 bytes (ITU-T H.222.0, 2.4.3.2).
        [0x47, ..] if head.len() > 188 && head[188] == 0x47 && head.get(376).is_none_or(|&byte| byte == 0x47) => {
            Some(FilmKind::Other)
        }
        _ => None,
    }
}

/// Returns whether an Ogg file has a video stream (Theora, Dirac, VP8 or OGM). Most Ogg files hold only sound.
fn is_ogg_film(head: &[u8]) -> bool {
    const FIRST: [&[u8]; 4] = [b"\x80theora", b"BBCD\0", b"OVP80\x01", b"\x01video\0\0\0"];
    FIRST.iter().any(|first| head.windows(first.len()).any(|part| part == *first))
}

/// Whether an ASF file (Windows Media) is of sound alone: its header is whole and declares streams, all of them of
/// sound (Advanced Systems Format, 3.3).
fn is_asf_sound(head: &[u8]) -> bool {
    /// The names of the type of sound, and of the object that declares a stream, which has its type at byte 24.
    const SOUND: [u8; 16] =
        [0x40, 0x9e, 0x69, 0xf8, 0x4d, 0x5b, 0xcf, 0x11, 0xa8, 0xfd, 0, 0x80, 0x5f, 0x5c, 0x44, 0x2b];
    const STREAM: [u8; 16] = [0x91, 7, 0xdc, 0xb7, 0xb7, 0xa9, 0xcf, 0x11, 0x8e, 0xe6, 0, 0xc0, 0x0c, 0x20, 0x53, 0x65];
    let length = head.get(16..24).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).map(u64::from_le_bytes);
    let Some(header) = length.and_then(|length| head.get(..usize::try_from(length).ok()?)) else { return false };
    let mut streams = header.windows(40).filter(|part| part[..16] == STREAM).peekable();
    streams.peek().is_some() && streams.all(|stream| stream[24..] == SOUND)
}

/// Whether a file begins with a box of QuickTime that comes first where there is no `ftyp`.
fn is_old_quicktime(bytes: &[u8]) -> bool {
    const FIRST: [&[u8]; 8] = [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof"];
    bytes.get(4..8).is_some_and(|kind| FIRST.contains(&kind))
}

/// Returns whether a file has the header of an icon or cursor: a count of pictures, and a first entry that points after
/// itself. The count may be too large.
fn is_icon(bytes: &[u8]) -> bool {
    let Some(&[0, 0, 1 | 2, 0, low, high]) = bytes.first_chunk() else { return false };
    let count = usize::from(u16::from_le_bytes([low, high]));
    let offset = bytes.get(18..22).map(|o| u32::from_le_bytes([o[0], o[1], o[2], o[3]]) as usize);
    count > 0 && offset.is_some_and(|offset| offset >= 22)
}

/// Returns whether a file has the header of a PCX picture: version, run-length coding, and bits per pixel.
fn is_pcx(bytes: &[u8]) -> bool {
    matches!(bytes, [0x0a, 0 | 2..=5, 1, 1 | 2 | 4 | 8, ..])
}

/// Returns whether a file has the header of a Targa picture without a palette. The format has no signature.
fn is_targa(bytes: &[u8]) -> bool {
    let &[_, 0, 2 | 3 | 10 | 11, 0, 0, 0, 0, 0, _, _, _, _, w0, w1, h0, h1, 8 | 15 | 16 | 24 | 32, descriptor, ..] =
        bytes
    else {
        return false;
    };
    (w0, w1) != (0, 0) && (h0, h1) != (0, 0) && descriptor & 0xc0 == 0
}

/// Returns the format of an ISO base media file, by the brands in its `ftyp` box (ISO/IEC 14496-12, 4.3).
fn isobmff_brand(bytes: &[u8]) -> Option<Format> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    // A length of 1 means that the length has eight bytes after the box's name; 0 means the rest of the file.
    let (start, length) = match length {
        0 => (8, bytes.len()),
        1 => (16, u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?).try_into().unwrap_or(usize::MAX)),
        length => (8, length),
    };
    let brands = bytes.get(start..length.min(bytes.len()))?.chunks_exact(4);
    let mut general = None;
    for brand in brands {
        match brand {
            b"avif" | b"avis" => return Some(Format::Avif),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => return Some(Format::Heic),
            // General brands of HEIF don't name the codec, which is mostly HEVC. The other brands name rare codecs.
            b"mif1" | b"mif2" | b"miaf" | b"msf1" | b"avci" | b"avcs" | b"vvic" | b"j2ki" => {
                general = Some(Format::Heic);
            }
            _ => {}
        }
    }
    general
}

fn unknown(bytes: &[u8]) -> String {
    let start: Vec<_> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("a file of unknown kind that begins with {}", start.join(" "))
}
