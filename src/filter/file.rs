//! The filter file, format version 1 (`docs/filter-format.md`): reading, checking, asking.

#[cfg(feature = "build")]
pub mod build;

use serde::Serialize;

use crate::bloom::{Bloom, Domain, Hasher, MAX_K, MAX_SLICE_BITS};
use crate::digest::{Md5Digest, Sha256Digest};
use crate::keys::{FlipMask, FlipMasks, MAX_LOOKUP_BUDGET, MAX_RINGS, SoftRingKey};
use crate::pdq::Orientation;
use crate::signal::Wanted;
use crate::views::View;

/// The first eight bytes of a filter file. As in PNG, the high bit and the line ends show a file
/// that went through a text-mode transfer.
pub const MAGIC: [u8; 8] = *b"\x89HGF\r\n\x1a\n";
/// The format that this crate reads and writes.
pub const VERSION: u32 = 1;
/// Bytes before the name.
pub(crate) const FIXED_HEADER: usize = 184;
/// Bytes of the SHA-256 at the end.
pub(crate) const CHECKSUM: usize = 32;
/// Longest name or category, in bytes.
pub const MAX_TEXT: usize = 200;
/// Canary keys of each kind.
pub(crate) const CANARIES: usize = 4;
/// The escalation rate is stored in parts of this many.
pub const ESCALATION_UNIT: u64 = 1_000_000_000_000;

/// What a filter file says about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FilterInfo {
    /// Name of the list.
    pub name: String,
    /// What the list holds, in the owner's words.
    pub category: String,
    /// Release number; later releases have larger numbers.
    pub release: u64,
    /// Build time in seconds since 1970-01-01 UTC; 0 if it wasn't recorded.
    pub built_at_unix_s: u64,
    /// PDQ hashes.
    pub pdq_count: u64,
    /// SHA-256 digests.
    pub sha256_count: u64,
    /// MD5 digests.
    pub md5_count: u64,
    /// Ring keys inserted of each PDQ hash, 0 (no PDQ) to 4.
    pub rings: u32,
    /// FlipMasks a ring key of a whole-picture view.
    pub lookup_budget: u32,
    /// FlipMasks a ring key of each further view: of ring 0, as stored or mirrored left to right. A quarter of it for other rings, a quarter
    /// in other orientations, a sixteenth for both.
    pub view_lookup_budget: u32,
    /// Lookups that a clean picture costs at most, all views and orientations.
    pub lookups: u64,
    /// Expected share of clean pictures that hit, in parts of 10^12.
    pub escalation_parts: u64,
    /// Slices, which is bits read for a member.
    pub k: u32,
    /// Bits of each slice.
    pub slice_bits: u64,
    /// Keys the hash.
    #[serde(serialize_with = "as_hex")]
    #[cfg_attr(test, ts(type = "string"))]
    pub salt: u64,
    /// Keys that the filter holds.
    #[serde(skip)]
    pub(crate) must_hit: [u64; CANARIES],
    /// Keys that the filter does not hold.
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
    /// Bytes of the bits.
    pub(crate) fn bits_bytes(&self) -> u64 {
        u64::from(self.k) * (self.slice_bits / 8)
    }

    /// Bits of filter for each key, canaries left aside.
    #[must_use]
    pub fn bits_per_key(&self) -> f64 {
        let keys = u64::from(self.rings) * self.pdq_count + self.sha256_count + self.md5_count;
        (self.bits_bytes() * 8) as f64 / keys as f64
    }

    /// The expected share of clean pictures that hit.
    #[must_use]
    pub fn escalation(&self) -> f64 {
        self.escalation_parts as f64 / ESCALATION_UNIT as f64
    }
}

/// Why a filter file was refused. Each names the field, what was expected and what was got.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It doesn't begin as a filter file does.
    #[error("magic: expected a hashgate filter file, got other first bytes")]
    Magic,
    /// A newer or unknown format.
    #[error("version: expected {VERSION}, got {0}")]
    Version(u32),
    /// The file has another length than it says.
    #[error("length: expected {expected} bytes, got {got}")]
    Length {
        /// What the header says, or the least a filter file can have.
        expected: u64,
        /// What there is.
        got: u64,
    },
    /// A field has a value that it can't have.
    #[error("{field}: expected {expected}, got {got}")]
    Field {
        /// The field.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What was got.
        got: String,
    },
    /// The bytes aren't those that were written.
    #[error("checksum: expected {expected}, got {got}")]
    Checksum {
        /// What the file says.
        expected: Sha256Digest,
        /// What its bytes give.
        got: Sha256Digest,
    },
    /// The filter doesn't answer for its own canaries as it must.
    #[error("canary: expected a {expected}, got the opposite: the filter does not answer as it was built")]
    Canary {
        /// `hit` or `miss`.
        expected: &'static str,
    },
}

impl FilterError {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Magic => "filter-magic",
            Self::Version(_) => "filter-version",
            Self::Length { .. } => "filter-length",
            Self::Field { .. } => "filter-field",
            Self::Checksum { .. } => "filter-checksum",
            Self::Canary { .. } => "filter-canary",
        }
    }
}

/// A filter whose file was checked: the only thing that can be asked.
pub struct Filter {
    bytes: Vec<u8>,
    bits_start: usize,
    info: FilterInfo,
    rings: Vec<Hasher>,
    sha256: Hasher,
    md5: Hasher,
    /// For whole views.
    whole: FlipMasks,
    /// For further ones, by how often their budget is quartered.
    further: [FlipMasks; 3],
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Filter").field(&self.info).finish()
    }
}

impl Filter {
    /// Checks a file from its first byte to its last, and its canaries.
    ///
    /// # Errors
    /// [`FilterError`]: any flipped bit, any truncation and any trailing byte is refused.
    pub fn open(bytes: Vec<u8>) -> Result<Self, FilterError> {
        let (info, bits_start) = read_header(&bytes)?;
        let end = bytes.len() - CHECKSUM;
        let got = Sha256Digest::of(&bytes[..end]);
        if got != info.checksum {
            return Err(FilterError::Checksum { expected: info.checksum, got });
        }
        let hasher = |domain| Hasher::new(info.salt, domain, info.k);
        let filter = Self {
            bits_start,
            rings: (0..info.rings).map(|ring| hasher(Domain::Ring(ring))).collect(),
            sha256: hasher(Domain::Sha256),
            md5: hasher(Domain::Md5),
            whole: FlipMasks::new(info.lookup_budget),
            further: [0, 1, 2].map(|times| FlipMasks::new(quartered(info.view_lookup_budget, times))),
            bytes,
            info,
        };
        let canaries = Hasher::new(filter.info.salt, Domain::Canary, filter.info.k);
        let holds = |&key: &u64| filter.bloom().holds(&canaries, key);
        if !filter.info.must_hit.iter().all(holds) {
            return Err(FilterError::Canary { expected: "hit" });
        }
        if filter.info.must_miss.iter().any(holds) {
            return Err(FilterError::Canary { expected: "miss" });
        }
        Ok(filter)
    }

    /// What the file says about itself.
    #[must_use]
    pub fn info(&self) -> &FilterInfo {
        &self.info
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signals that must be computed of a file to ask this filter.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted {
            pdq: self.info.rings > 0,
            sha256: self.info.sha256_count > 0,
            md5: self.info.md5_count > 0,
            ..Wanted::default()
        }
    }

    fn bloom(&self) -> Bloom<'_> {
        Bloom { bits: &self.bytes[self.bits_start..self.bytes.len() - CHECKSUM], slice_bits: self.info.slice_bits }
    }

    pub(crate) fn holds_sha256(&self, digest: &Sha256Digest) -> bool {
        self.info.sha256_count > 0 && self.bloom().holds(&self.sha256, digest.key())
    }

    pub(crate) fn holds_md5(&self, digest: &Md5Digest) -> bool {
        self.info.md5_count > 0 && self.bloom().holds(&self.md5, digest.key())
    }

    /// Loads the slices that most lookups read into the processor's cache. Call it before many lookups.
    pub(crate) fn fetch(&self) {
        self.bloom().fetch();
    }

    /// Returns the first flip mask under which the filter holds a ring key, and the number of lookups. Ring keys in
    /// `passed_over` don't count.
    pub(crate) fn look_up(
        &self,
        soft: &SoftRingKey,
        view: View,
        orientation: Orientation,
        passed_over: &[u64],
    ) -> (Option<FlipMask>, u64) {
        let masks = match view.is_whole() {
            true => &self.whole,
            false => &self.further[quarterings(orientation, soft.ring) as usize],
        };
        match self.bloom().first_held(&self.rings[soft.ring as usize], soft, masks, passed_over) {
            Some(index) => (Some(masks.sequence[index]), index as u64 + 1),
            None => (None, masks.sequence.len() as u64),
        }
    }
}

/// How often the budget of further views is quartered: where copies are taken to be rare (turned as well, two edits at once) and
/// where little is found (rings above the first; `docs/near-match.md`).
fn quarterings(orientation: Orientation, ring: u32) -> u32 {
    u32::from(!orientation.is_common()) + u32::from(ring > 0)
}

/// The budget of further views, quartered so many times.
fn quartered(view_lookup_budget: u32, times: u32) -> u32 {
    view_lookup_budget.div_ceil(4u32.pow(times))
}

/// Reads and checks the header and the lengths; returns where the bits start.
///
/// ```text
/// offset size field
///      0    8 magic 89 48 47 46 0d 0a 1a 0a
///      8    4 version = 1
///     12    4 reserved = 0
///     16    8 file length in bytes
///     24    8 release
///     32    8 build time, seconds since 1970 UTC
///     40    8 salt
///     48    8 PDQ hashes
///     56    8 SHA-256 digests
///     64    8 MD5 digests
///     72    4 rings
///     76    4 probe budget
///     80    4 probe budget of further views
///     84    4 k
///     88    8 bits of a slice
///     96    8 lookups of a clean picture, at most
///    104    8 escalation rate in parts of 10^12
///    112   32 four canary keys that hit
///    144   32 four canary keys that miss
///    176    4 bytes of the name, n
///    180    4 bytes of the category, c
///    184    n name, UTF-8
///  184+n    c category, UTF-8
///         0-7 zero bytes up to a multiple of 8
/// ```
pub(crate) fn read_header(bytes: &[u8]) -> Result<(FilterInfo, usize), FilterError> {
    let got = bytes.len() as u64;
    if !bytes.starts_with(&MAGIC[..bytes.len().min(8)]) {
        return Err(FilterError::Magic);
    }
    let least = (FIXED_HEADER + CHECKSUM) as u64;
    if got < least {
        return Err(FilterError::Length { expected: least, got });
    }
    let word = |offset: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[offset + i]));
    let long = |offset: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[offset + i]));

    if word(8) != VERSION {
        return Err(FilterError::Version(word(8)));
    }
    check("reserved", word(12) == 0, "0", word(12))?;
    if long(16) != got {
        return Err(FilterError::Length { expected: long(16), got });
    }
    let (name_length, category_length) = (word(176) as usize, word(180) as usize);
    check("name length", (1..=MAX_TEXT).contains(&name_length), "1 to 200 bytes", name_length)?;
    check("category length", (1..=MAX_TEXT).contains(&category_length), "1 to 200 bytes", category_length)?;
    let text_end = FIXED_HEADER + name_length + category_length;
    let bits_start = text_end.next_multiple_of(8);
    if bits_start + CHECKSUM > bytes.len() {
        return Err(FilterError::Length { expected: (bits_start + CHECKSUM) as u64, got });
    }
    let name = text("name", &bytes[FIXED_HEADER..FIXED_HEADER + name_length])?;
    let category = text("category", &bytes[FIXED_HEADER + name_length..text_end])?;
    let padding = &bytes[text_end..bits_start];
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
        lookup_budget: word(76),
        view_lookup_budget: word(80),
        k: word(84),
        slice_bits: long(88),
        lookups: long(96),
        escalation_parts: long(104),
        must_hit: std::array::from_fn(|i| long(112 + 8 * i)),
        must_miss: std::array::from_fn(|i| long(144 + 8 * i)),
        bytes: got,
        checksum: Sha256Digest(checksum),
    };
    let rings = if info.pdq_count > 0 { 1..=MAX_RINGS } else { 0..=0 };
    check("rings", rings.contains(&info.rings), "1 to 4 with PDQ hashes, 0 without", info.rings)?;
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
        "escalation rate",
        (1..=ESCALATION_UNIT).contains(&info.escalation_parts),
        "1 to 10^12 parts of 10^12",
        info.escalation_parts,
    )?;
    let expected = (bits_start + CHECKSUM) as u64 + info.bits_bytes();
    if expected != got {
        return Err(FilterError::Length { expected, got });
    }
    Ok((info, bits_start))
}

fn check(
    field: &'static str,
    holds: bool,
    expected: &'static str,
    got: impl std::fmt::Display,
) -> Result<(), FilterError> {
    if holds { Ok(()) } else { Err(FilterError::Field { field, expected, got: got.to_string() }) }
}

fn text(field: &'static str, bytes: &[u8]) -> Result<String, FilterError> {
    let refused = |got: String| FilterError::Field { field, expected: "UTF-8 without control characters", got };
    let text = std::str::from_utf8(bytes).map_err(|error| refused(error.to_string()))?;
    if text.chars().any(char::is_control) {
        return Err(refused(format!("{text:?}")));
    }
    Ok(text.to_owned())
}
