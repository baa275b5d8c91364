//! Reads the text of a list from a file or from standard input. Unpacks gzip, and converts UTF-16 to UTF-8.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use encoding_rs::{UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;

/// Largest length of an unpacked list in bytes, enough for 100 million lines. The limit is needed because gzip can
/// unpack to a thousand times its length.
const MOST: u64 = 16 << 30;

/// The content of a list.
pub(super) struct Content {
    /// The bytes, unpacked; as UTF-8 if they were UTF-16, without a byte order mark.
    pub bytes: Vec<u8>,
    /// How the bytes were packed or coded, in words. The report of the detected form contains these words.
    pub wrapping: Vec<&'static str>,
}

/// Reads a file, or standard input if the path is `-`.
///
/// # Errors
/// The file can't be read, or its gzip or UTF-16 is damaged.
pub(super) fn read(path: &Path) -> Result<Content> {
    let name = path.display();
    let mut bytes = Vec::new();
    match path.as_os_str() == "-" {
        true => std::io::stdin().read_to_end(&mut bytes).map(|_| ()).context("standard input")?,
        false => bytes = std::fs::read(path).with_context(|| name.to_string())?,
    }
    let mut wrapping = Vec::new();
    // Some servers pack a file that is packed already.
    while bytes.starts_with(&[0x1f, 0x8b]) && wrapping.len() < 2 {
        wrapping.push("gzip");
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&bytes[..])
            .take(MOST)
            .read_to_end(&mut unpacked)
            .with_context(|| format!("{name}: expected whole gzip; fetch the list again"))?;
        bytes = unpacked;
    }
    if let Some((encoding, what)) = utf16(&bytes) {
        wrapping.push(what);
        let (text, _, damaged) = encoding.decode(&bytes);
        if damaged {
            bail!("{name}: expected {what}, got damaged characters; save the list as UTF-8");
        }
        bytes = text.into_owned().into_bytes();
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(Content { bytes, wrapping })
}

/// Recognises UTF-16 by its byte order mark, or by the zero in every other byte, which ASCII characters have in UTF-16.
fn utf16(bytes: &[u8]) -> Option<(&'static encoding_rs::Encoding, &'static str)> {
    const SAMPLE: usize = 64;
    let head = &bytes[..bytes.len().min(SAMPLE) & !1];
    let zeros = |odd: usize| !head.is_empty() && head.chunks_exact(2).all(|unit| unit[odd] == 0 && unit[1 - odd] != 0);
    match bytes {
        [0xff, 0xfe, ..] => Some((UTF_16LE, "UTF-16")),
        [0xfe, 0xff, ..] => Some((UTF_16BE, "UTF-16")),
        _ if zeros(1) => Some((UTF_16LE, "UTF-16")),
        _ if zeros(0) => Some((UTF_16BE, "UTF-16")),
        _ => None,
    }
}
