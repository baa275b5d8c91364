//! Reads EBML elements: an ID, a length, and the content (RFC 8794, 4 to 7).

use crate::refusal::{FilmCode, FilmRefusal};
use crate::source::Reader;

/// IDs of elements, including the leading bits that mark an ID's length.
pub(super) mod id {
    pub const EBML: u32 = 0x1a45_dfa3;
    pub const DOC_TYPE: u32 = 0x4282;
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const SEEK_HEAD: u32 = 0x114d_9b74;
    pub const INFO: u32 = 0x1549_a966;
    pub const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
    pub const TRACKS: u32 = 0x1654_ae6b;
    pub const TRACK_ENTRY: u32 = 0xae;
    pub const TRACK_NUMBER: u32 = 0xd7;
    pub const TRACK_TYPE: u32 = 0x83;
    pub const DEFAULT_DURATION: u32 = 0x23_e383;
    pub const CODEC_ID: u32 = 0x86;
    pub const CODEC_PRIVATE: u32 = 0x63a2;
    pub const VIDEO: u32 = 0xe0;
    pub const PIXEL_WIDTH: u32 = 0xb0;
    pub const PIXEL_HEIGHT: u32 = 0xba;
    pub const PROJECTION: u32 = 0x7670;
    pub const PROJECTION_ROLL: u32 = 0x7675;
    pub const CONTENT_ENCODINGS: u32 = 0x6d80;
    pub const CONTENT_ENCODING: u32 = 0x6240;
    pub const ENCODING_SCOPE: u32 = 0x5032;
    pub const COMPRESSION: u32 = 0x5034;
    pub const COMPRESSION_ALGORITHM: u32 = 0x4254;
    pub const COMPRESSION_SETTINGS: u32 = 0x4255;
    pub const ENCRYPTION: u32 = 0x5035;
    pub const CLUSTER: u32 = 0x1f43_b675;
    pub const TIMESTAMP: u32 = 0xe7;
    pub const SIMPLE_BLOCK: u32 = 0xa3;
    pub const BLOCK_GROUP: u32 = 0xa0;
    pub const BLOCK: u32 = 0xa1;
    pub const BLOCK_DURATION: u32 = 0x9b;
    pub const REFERENCE_BLOCK: u32 = 0xfb;
    pub const CUES: u32 = 0x1c53_bb6b;
    pub const CUE_POINT: u32 = 0xbb;
    pub const CUE_TIME: u32 = 0xb3;
    pub const CUE_POSITIONS: u32 = 0xb7;
    pub const CUE_TRACK: u32 = 0xf7;
    pub const CUE_CLUSTER: u32 = 0xf1;
    pub const ATTACHMENTS: u32 = 0x1941_a469;
    pub const CHAPTERS: u32 = 0x1043_a770;
    pub const TAGS: u32 = 0x1254_c367;
}

/// Reads a number of variable length. Returns its value and the number of its bytes. If `marked`, the value includes
/// the leading bit that marks the length, as in IDs.
pub(super) fn number(bytes: &[u8], marked: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let held = bytes.get(..length).filter(|_| length <= 8)?;
    let mark = if marked { 0 } else { 0x80 >> (length - 1) };
    let value = held[1..].iter().fold(u64::from(first ^ mark), |value, &byte| value << 8 | u64::from(byte));
    Some((value, length))
}

/// The header of an element.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub id: u32,
    /// The number of bytes of the header.
    pub length: usize,
    /// The number of bytes of the content; `None` if it is unknown.
    pub size: Option<u64>,
}

/// The most bytes of a header.
pub(super) const HEADER: usize = 12;

impl Header {
    /// Reads an element's header. Returns `None` if the bytes aren't one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (id, marks) = number(bytes, true)?;
        let id = u32::try_from(id).ok()?;
        let (size, more) = number(&bytes[marks..], false)?;
        let unknown = size == (1 << (7 * more)) - 1;
        Some(Self { id, length: marks + more, size: (!unknown).then_some(size) })
    }
}

/// Calls `each` with the ID and the content of every element in `bytes`, the content of an element that was read whole.
pub(super) fn inside<'a>(
    bytes: &'a [u8],
    mut each: impl FnMut(u32, &'a [u8]) -> Result<(), FilmRefusal>,
) -> Result<(), FilmRefusal> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let bad = |got: String| FilmCode::Box.because("element", "elements that fit into what they are in", got);
        let header = Header::read(rest).ok_or_else(|| bad(format!("{} bytes that are none", rest.len())))?;
        let content = &rest[header.length..];
        let size = header.size.and_then(|size| usize::try_from(size).ok()).filter(|&size| size <= content.len());
        let size = size.ok_or_else(|| bad(format!("element {:x} of a length that doesn't fit", header.id)))?;
        each(header.id, &content[..size])?;
        rest = &content[size..];
    }
    Ok(())
}

/// Reads a whole number of up to eight bytes.
pub(super) fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// Reads a floating-point number.
pub(super) fn float(bytes: &[u8]) -> f64 {
    match *bytes {
        [a, b, c, d] => f32::from_be_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0.0,
    }
}

/// Finds the first cluster at or after `from`, by searching for the bytes of its ID. Players do the same after damaged
/// bytes.
pub(super) fn next_cluster(reader: &mut Reader, from: u64) -> Result<Option<u64>, FilmRefusal> {
    const STEP: usize = 1 << 16;
    let wanted = id::CLUSTER.to_be_bytes();
    let mut at = from;
    loop {
        let bytes = reader.bytes(at, STEP)?;
        if let Some(place) = bytes.windows(4).position(|window| window == wanted) {
            return Ok(Some(at + place as u64));
        }
        if bytes.len() < STEP {
            return Ok(None);
        }
        at += STEP as u64 - 3;
    }
}
