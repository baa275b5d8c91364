//! The header of a filter file, format version 2 (`docs/reference/filter-format.md`). The functions that read and write
//! it stand next to each other.

use serde::Serialize;

use super::bloom::{MAX_K, MAX_SLICE_BITS};
use super::flip_masks::MAX_LOOKUP_BUDGET;
use super::ring_keys::{MAX_RINGS, RING_KEY_BITS};
use super::text::{EXPECTED_TEXT, MAX_TEXT, is_plain_text};
use crate::refusal::{Refusal, RefusalCode};
use crate::signal::digest::Sha256Digest;

/// The first eight bytes of a filter file. As in PNG, a byte above 127 and two kinds of line ends reveal a file that
/// was damaged by a transfer in text mode.
const MAGIC: [u8; 8] = *b"\x89HGF\r\n\x1a\n";
/// The version of the format that this crate reads and writes.
pub const VERSION: u32 = 2;
/// Bytes of the header before the name of the list.
const FIXED_HEADER: usize = 184;
/// Bytes of the SHA-256 at the end of the file.
pub(crate) const CHECKSUM: usize = 32;
/// Number of canary items of each kind.
pub(crate) const CANARIES: usize = 4;
/// The unit of stored image false-positive rates: a rate is stored as a number of parts of 10^12.
pub const RATE_UNIT: u64 = 1_000_000_000_000;

/// The header of a filter file, and its checksum.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[non_exhaustive]
pub struct FilterInfo {
    /// Name of the list.
    pub name: String,
    /// What the list holds, in its owner's words.
    pub category: String,
    /// Release number. Later releases have larger numbers.
    pub release: u64,
    /// Build time in seconds since 1970-01-01 UTC; 0 if it wasn't recorded.
    pub built_at_unix_s: u64,
    /// Number of PDQ hashes.
    pub pdq_count: u64,
    /// Number of SHA-256 digests.
    pub sha256_count: u64,
    /// Number of MD5 digests.
    pub md5_count: u64,
    /// Ring keys that are inserted per PDQ hash, 0 (no PDQ) to 4.
    pub rings: u32,
    /// Bits of each ring key, 52 to 64; 0 without PDQ hashes. Long lists need more.
    pub ring_key_bits: u32,
    /// Lookups per ring key of a full view. Three times as many for the plain view, at most 65,536. In other orientations
    /// than `original` and `flip-y`, divided by 12 for the plain view, and by 16 for `border-cut`. Then divided by 2 for
    /// other rings than ring 0.
    pub lookup_budget: u32,
    /// Lookups per ring key of a derived view that paints over a region, in the orientations `original` and `flip-y`
    /// alone. Twice as many, at most 65,536, for the other derived views, and a 64th of it in their other orientations.
    /// Divided by 4 for other rings than ring 0.
    pub view_lookup_budget: u32,
    /// Largest number of lookups of a clean picture, over all views and orientations.
    pub lookups: u64,
    /// Image false-positive rate: the expected share of clean pictures that match, in parts of 10^12.
    pub false_positive_parts: u64,
    /// Number of slices. To find an item that the filter holds, a lookup reads one bit of each slice.
    pub k: u32,
    /// Bits of each slice.
    pub slice_bits: u64,
    /// Seed of the hash functions.
    #[serde(serialize_with = "as_hex")]
    #[cfg_attr(test, ts(type = "string"))]
    pub salt: u64,
    /// Canary items that the filter holds.
    #[serde(skip)]
    pub(crate) must_hit: [u64; CANARIES],
    /// Canary items that the filter doesn't hold.
    #[serde(skip)]
    pub(crate) must_miss: [u64; CANARIES],
    /// Bytes of the file.
    pub bytes: u64,
    /// The checksum that ends the file: SHA-256 of all bytes before it.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(test, ts(type = "string"))]
    pub checksum: Sha256Digest,
}

fn as_hex<S: serde::Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{value:016x}"))
}

fn as_text<S: serde::Serializer>(value: &Sha256Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl FilterInfo {
    /// Bytes of all slices.
    pub(crate) fn bits_bytes(&self) -> u64 {
        u64::from(self.k) * (self.slice_bits / 8)
    }

    /// Returns the bits of the filter per item. Canary items don't count.
    #[must_use]
    pub fn bits_per_item(&self) -> f64 {
        let items = u64::from(self.rings) * self.pdq_count + self.sha256_count + self.md5_count;
        (self.bits_bytes() * 8) as f64 / items as f64
    }

    /// The expected share of clean pictures that match, above 0 and at most 1.
    #[must_use]
    pub fn image_false_positive_rate(&self) -> f64 {
        self.false_positive_parts as f64 / RATE_UNIT as f64
    }
}

// All numbers are little-endian.
//
// offset size field
//      0    8 magic 89 48 47 46 0d 0a 1a 0a
//      8    4 version = 2
//     12    4 bits of a ring key
//     16    8 file length in bytes
//     24    8 release
//     32    8 build time, seconds since 1970 UTC
//     40    8 salt
//     48    8 PDQ hashes
//     56    8 SHA-256 digests
//     64    8 MD5 digests
//     72    4 rings
//     76    4 lookups per ring key of a full view
//     80    4 lookups per ring key of a derived view
//     84    4 k
//     88    8 bits of a slice
//     96    8 lookups of a clean picture, at most
//    104    8 image false-positive rate in parts of 10^12
//    112   32 four canary items that the filter holds
//    144   32 four canary items that it doesn't hold
//    176    4 bytes of the name, n
//    180    4 bytes of the category, c
//    184    n name, UTF-8
//  184+n    c category, UTF-8
//         0-7 zero bytes up to a multiple of 8

/// Reads and checks the header and all lengths of a file. Returns the header and the offset of the slices. Does not
/// check the slices: see [`Filter::open`](super::Filter::open).
///
/// # Errors
/// `filter-magic`, `filter-version`, `filter-length`, `filter-field`.
pub(crate) fn read(bytes: &[u8]) -> Result<(FilterInfo, usize), Refusal> {
    let got = bytes.len() as u64;
    if !bytes.starts_with(&MAGIC[..bytes.len().min(8)]) {
        return Err(RefusalCode::FilterMagic.because("magic", "a hashgate filter file", &"other first bytes"));
    }
    check_length((FIXED_HEADER + CHECKSUM) as u64 <= got, (FIXED_HEADER + CHECKSUM) as u64, got)?;
    let word = |offset: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[offset + i]));
    let long = |offset: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[offset + i]));

    if word(8) != VERSION {
        return Err(RefusalCode::FilterVersion.because("version", &VERSION.to_string(), &word(8)));
    }
    check_length(long(16) == got, long(16), got)?;
    let (name_length, category_length) = (word(176) as usize, word(180) as usize);
    check("name length", (1..=MAX_TEXT).contains(&name_length), "1 to 200 bytes", name_length)?;
    check("category length", (1..=MAX_TEXT).contains(&category_length), "1 to 200 bytes", category_length)?;
    let text_end = FIXED_HEADER + name_length + category_length;
    let slices_at = text_end.next_multiple_of(8);
    check_length(slices_at + CHECKSUM <= bytes.len(), (slices_at + CHECKSUM) as u64, got)?;
    let name = text("name", &bytes[FIXED_HEADER..FIXED_HEADER + name_length])?;
    let category = text("category", &bytes[FIXED_HEADER + name_length..text_end])?;
    let padding = &bytes[text_end..slices_at];
    check("padding", padding.iter().all(|&byte| byte == 0), "zero bytes", format_args!("{padding:?}"))?;

    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&bytes[bytes.len() - CHECKSUM..]);
    let info = FilterInfo {
        name,
        category,
        release: long(24),
        built_at_unix_s: long(32),
        salt: long(40),
        pdq_count: long(48),
        sha256_count: long(56),
        md5_count: long(64),
        rings: word(72),
        ring_key_bits: word(12),
        lookup_budget: word(76),
        view_lookup_budget: word(80),
        k: word(84),
        slice_bits: long(88),
        lookups: long(96),
        false_positive_parts: long(104),
        must_hit: std::array::from_fn(|i| long(112 + 8 * i)),
        must_miss: std::array::from_fn(|i| long(144 + 8 * i)),
        bytes: got,
        checksum: Sha256Digest(checksum),
    };
    let rings = if info.pdq_count > 0 { 1..=MAX_RINGS } else { 0..=0 };
    check("rings", rings.contains(&info.rings), "1 to 4 with PDQ hashes, 0 without", info.rings)?;
    let bits = if info.pdq_count > 0 { RING_KEY_BITS } else { 0..=0 };
    check(
        "ring key bits",
        bits.contains(&info.ring_key_bits),
        "52 to 64 with PDQ hashes, 0 without",
        info.ring_key_bits,
    )?;
    check("lookup budget", (1..=MAX_LOOKUP_BUDGET).contains(&info.lookup_budget), "1 to 65536", info.lookup_budget)?;
    check(
        "view lookup budget",
        info.view_lookup_budget <= info.lookup_budget,
        "at most the lookup budget",
        info.view_lookup_budget,
    )?;
    check("k", (1..=MAX_K).contains(&info.k), "1 to 64", info.k)?;
    check(
        "slice bits",
        info.slice_bits.is_multiple_of(64) && (64..=MAX_SLICE_BITS).contains(&info.slice_bits),
        "a multiple of 64 from 64 to 2^32",
        info.slice_bits,
    )?;
    check("lookups", info.lookups > 0, "at least 1", info.lookups)?;
    check(
        "image false-positive rate",
        (1..=RATE_UNIT).contains(&info.false_positive_parts),
        "1 to 10^12 parts of 10^12",
        info.false_positive_parts,
    )?;
    let expected = (slices_at + CHECKSUM) as u64 + info.bits_bytes();
    check_length(expected == got, expected, got)?;
    Ok((info, slices_at))
}

/// Writes a header that [`read`] can read. Leaves out `info.checksum`, which comes after the slices.
#[cfg(feature = "build")]
pub(super) fn write(info: &FilterInfo) -> Vec<u8> {
    let mut header = Vec::with_capacity(length(&info.name, &info.category));
    let mut put = |bytes: &[u8]| header.extend_from_slice(bytes);
    put(&MAGIC);
    put(&VERSION.to_le_bytes());
    put(&info.ring_key_bits.to_le_bytes());
    for long in
        [info.bytes, info.release, info.built_at_unix_s, info.salt, info.pdq_count, info.sha256_count, info.md5_count]
    {
        put(&long.to_le_bytes());
    }
    for word in [info.rings, info.lookup_budget, info.view_lookup_budget, info.k] {
        put(&word.to_le_bytes());
    }
    for long in [info.slice_bits, info.lookups, info.false_positive_parts] {
        put(&long.to_le_bytes());
    }
    info.must_hit.iter().chain(&info.must_miss).for_each(|key| put(&key.to_le_bytes()));
    put(&(info.name.len() as u32).to_le_bytes());
    put(&(info.category.len() as u32).to_le_bytes());
    put(info.name.as_bytes());
    put(info.category.as_bytes());
    header.resize(header.len().next_multiple_of(8), 0);
    header
}

/// Returns the length in bytes of a header with this name and category.
#[cfg(feature = "build")]
pub(super) fn length(name: &str, category: &str) -> usize {
    (FIXED_HEADER + name.len() + category.len()).next_multiple_of(8)
}

fn check_length(holds: bool, expected: u64, got: u64) -> Result<(), Refusal> {
    match holds {
        true => Ok(()),
        false => Err(RefusalCode::FilterLength.because("length", &format!("{expected} bytes"), &got)),
    }
}

fn check(field: &str, holds: bool, expected: &str, got: impl std::fmt::Display) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(RefusalCode::FilterField.because(field, expected, &got)) }
}

fn text(field: &str, bytes: &[u8]) -> Result<String, Refusal> {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain_text(text) => Ok(text.to_owned()),
        Ok(text) => Err(RefusalCode::FilterField.because(field, EXPECTED_TEXT, &format_args!("{text:?}"))),
        Err(error) => Err(RefusalCode::FilterField.because(field, EXPECTED_TEXT, &error)),
    }
}
