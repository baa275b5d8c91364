//! The header of a delta. The functions that read and write it stand next to each other.

use std::fmt::Display;

use crate::refusal::{Refusal, RefusalCode};
use crate::signal::digest::Sha256Digest;

/// The first eight bytes of a delta.
const MAGIC: [u8; 8] = *b"\x89HGD\r\n\x1a\n";
const VERSION: u32 = 1;
/// Bytes of the header.
const LENGTH: usize = 144;
/// Largest Rice parameter. Gaps are below 2^38 bits, because a filter has at most 64 slices of 2^32 bits.
pub(super) const MAX_RICE: u32 = 38;

/// Changes of one kind: bits that are set, or bits that are cleared.
pub(super) struct Changes<'a> {
    /// Number of bits.
    pub count: u64,
    /// Rice parameter of the gaps.
    pub rice: u32,
    /// The gaps, as Rice codes.
    pub gaps: &'a [u8],
}

/// The parts of a delta. Their lengths were checked, but not their content.
pub(super) struct Parts<'a> {
    /// The release that the delta starts from.
    pub from: u64,
    /// The release that the delta leads to.
    pub to: u64,
    /// SHA-256 of the file that the delta starts from.
    pub from_sha256: Sha256Digest,
    /// SHA-256 of the file that the delta leads to.
    pub to_sha256: Sha256Digest,
    /// Bits that are set.
    pub set: Changes<'a>,
    /// Bits that are cleared.
    pub cleared: Changes<'a>,
    /// The new file's bytes before its slices.
    pub new_header: &'a [u8],
}

/// Makes the refusal of a field of a delta.
pub(super) fn syntax(field: &str, expected: &str, got: &dyn Display) -> Refusal {
    RefusalCode::DeltaSyntax.because(&format!("delta's {field}"), expected, got)
}

// All numbers are little-endian.
//
// offset size field
//      0    8 magic 89 48 47 44 0d 0a 1a 0a
//      8    4 version = 1
//     12    4 reserved = 0
//     16    8 length of the delta in bytes
//     24    8 release that it starts from
//     32    8 release that it leads to
//     40   32 SHA-256 of the file it starts from
//     72   32 SHA-256 of the file it leads to
//    104    8 bits set, a
//    112    8 bits cleared, r
//    120    4 Rice parameter of the bits set
//    124    4 Rice parameter of the bits cleared
//    128    8 bytes of the gaps of the bits set, x
//    136    4 bytes of the new header, h
//    140    4 reserved = 0
//    144    h the new file's bytes before its slices
//  144+h    x gaps of the bits set
//         rest gaps of the bits cleared

/// Reads a delta.
///
/// # Errors
/// `delta-syntax`.
pub(super) fn read(delta: &[u8]) -> Result<Parts<'_>, Refusal> {
    if !delta.starts_with(&MAGIC) {
        return Err(syntax("magic", "a hashgate delta", &"other first bytes"));
    }
    if delta.len() < LENGTH {
        return Err(syntax("length", &format!("at least {LENGTH} bytes"), &delta.len()));
    }
    let word = |offset: usize| u32::from_le_bytes(std::array::from_fn(|i| delta[offset + i]));
    let long = |offset: usize| u64::from_le_bytes(std::array::from_fn(|i| delta[offset + i]));
    let digest = |offset: usize| Sha256Digest(std::array::from_fn(|i| delta[offset + i]));
    for (field, offset, expected) in [("version", 8, VERSION), ("reserved bytes", 12, 0), ("reserved bytes", 140, 0)] {
        if word(offset) != expected {
            return Err(syntax(field, &expected.to_string(), &word(offset)));
        }
    }
    if long(16) != delta.len() as u64 {
        return Err(syntax("length", &format!("{} bytes", long(16)), &delta.len()));
    }
    let set_at = LENGTH as u64 + u64::from(word(136));
    let cleared_at = set_at.saturating_add(long(128));
    if cleared_at > delta.len() as u64 {
        return Err(syntax("parts", &format!("at most {} bytes", delta.len()), &cleared_at));
    }
    let (set_at, cleared_at) = (set_at as usize, cleared_at as usize);
    for parameter in [word(120), word(124)] {
        if parameter > MAX_RICE {
            return Err(syntax("Rice parameter", &format!("at most {MAX_RICE}"), &parameter));
        }
    }
    Ok(Parts {
        from: long(24),
        to: long(32),
        from_sha256: digest(40),
        to_sha256: digest(72),
        set: Changes { count: long(104), rice: word(120), gaps: &delta[set_at..cleared_at] },
        cleared: Changes { count: long(112), rice: word(124), gaps: &delta[cleared_at..] },
        new_header: &delta[LENGTH..set_at],
    })
}

/// Writes a delta that [`read`] can read.
#[cfg(feature = "build")]
pub(super) fn write(parts: &Parts) -> Vec<u8> {
    let Parts { from, to, from_sha256, to_sha256, set, cleared, new_header } = parts;
    let length = LENGTH + new_header.len() + set.gaps.len() + cleared.gaps.len();
    let mut delta = Vec::with_capacity(length);
    let mut put = |bytes: &[u8]| delta.extend_from_slice(bytes);
    put(&MAGIC);
    put(&VERSION.to_le_bytes());
    put(&0u32.to_le_bytes());
    [length as u64, *from, *to].iter().for_each(|long| put(&long.to_le_bytes()));
    put(&from_sha256.0);
    put(&to_sha256.0);
    [set.count, cleared.count].iter().for_each(|long| put(&long.to_le_bytes()));
    [set.rice, cleared.rice].iter().for_each(|word| put(&word.to_le_bytes()));
    put(&(set.gaps.len() as u64).to_le_bytes());
    put(&(new_header.len() as u32).to_le_bytes());
    put(&0u32.to_le_bytes());
    [new_header, set.gaps, cleared.gaps].iter().for_each(|part| put(part));
    delta
}
