//! Reads MP4 boxes: a length, a kind of four letters, and the content.

use crate::bytes::{be32, be64};
use crate::refusal::FilmRefusal;

use super::bad;

/// Four letters as text. Bytes that aren't printable become question marks.
pub(super) fn four(kind: [u8; 4]) -> String {
    kind.iter().map(|&byte| if byte.is_ascii_graphic() || byte == b' ' { byte as char } else { '?' }).collect()
}

/// The header of a box in the outermost level.
pub(super) struct Header {
    pub kind: [u8; 4],
    /// Where the box's content begins in the file.
    pub start: u64,
    /// Where the box ends, which may be behind the end of a file that was cut short.
    pub end: u64,
}

impl Header {
    /// Reads a box's header from the first 16 bytes of the box. Returns `None` if the bytes are too few for a header, or
    /// if the header gives a length that is shorter than itself or too large for a file.
    pub fn read(head: &[u8], at: u64, size: u64) -> Option<Self> {
        let kind = *head.get(4..)?.first_chunk()?;
        let (header, length) = match be32(head, 0)? {
            0 => (8, size - at), // A length of 0 stands for the rest of the file.
            1 => (16, be64(head, 8)?),
            length => (8, length.into()),
        };
        (length >= header).then_some(())?;
        Some(Self { kind, start: at + header, end: at.checked_add(length)? })
    }
}

/// Calls `each` with the kind and the content of every box in `bytes`, the content of the box `parent`. Ignores up to
/// seven bytes at the end, and a length of zero, with which QuickTime ends some lists.
pub(super) fn inside<'a>(
    parent: [u8; 4],
    bytes: &'a [u8],
    mut each: impl FnMut([u8; 4], &'a [u8]) -> Result<(), FilmRefusal>,
) -> Result<(), FilmRefusal> {
    let mut rest = bytes;
    while rest.len() >= 8 {
        let (header, length) = match be32(rest, 0) {
            Some(0) | None => return Ok(()),
            Some(1) => (16, be64(rest, 8).unwrap_or(0)),
            Some(length) => (8, length.into()),
        };
        let kind = *rest[4..].first_chunk().expect("eight bytes are there");
        if length < header || length > rest.len() as u64 {
            let got = format!("a {} of {length} in {} bytes", four(kind), rest.len());
            return Err(bad(parent, "boxes that fit into it", got));
        }
        let (this, after) = rest.split_at(length as usize);
        each(kind, &this[header as usize..])?;
        rest = after;
    }
    Ok(())
}

/// Returns at which positions of a buffer a part of it lies.
pub(super) fn range_of(whole: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    let from = part.as_ptr() as usize - whole.as_ptr() as usize;
    from..from + part.len()
}
