//! Finds suspect hashes, which are on a list by mistake: they match everyday files, or are of another kind than the
//! list says.

use std::fmt;

use hashgate::confirm::Index;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::build::Entries;
use rayon::prelude::*;

use super::{Entry, Signal};

/// Why a hash is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// All bits are equal, or all bytes are.
    Degenerate,
    /// The digest of a file of zero bytes.
    EmptyFile,
    /// A PDQ hash with more or fewer one-bits than PDQ ever sets.
    BitCount,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Degenerate => "degenerate hashes, which no picture of any detail has",
            Self::EmptyFile => "digests of the empty file",
            Self::BitCount => "PDQ hashes with a number of ones that PDQ doesn't give; are they SHA-256?",
        })
    }
}

/// Usual number of one-bits in a PDQ hash. PDQ sets the bits of coefficients above their median, which is 128 of 256,
/// or fewer if coefficients are equal. Other implementations round differently, so two more or fewer are tolerated.
const ONES: std::ops::RangeInclusive<u32> = 126..=130;
/// Fewest one-bits in the PDQ hash of a picture with some detail. A symmetric picture has about 64, because half of its
/// coefficients are zero.
const FEWEST: u32 = 24;

fn ones(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| byte.count_ones()).sum()
}

/// Returns whether a list of PDQ hashes probably holds SHA-256 digests instead, judging by the number of one-bits. It
/// lies outside [`ONES`] for about 85% of SHA-256 digests, and for hardly any PDQ hash of a photograph.
pub(super) fn looks_like_sha256(entries: &[Entry]) -> bool {
    let (mut all, mut odd) = (0u64, 0u64);
    for entry in entries {
        if let Signal::Pdq(hash) = &entry.signal {
            all += 1;
            odd += u64::from(!ONES.contains(&ones(&hash.0)));
        }
    }
    odd * 2 > all
}

/// Returns why a hash is suspect. In a list that looks like SHA-256, each hash outside [`ONES`] is.
pub(super) fn doubt(signal: &Signal, looks_like_sha256: bool) -> Option<Doubt> {
    let bytes: &[u8] = match signal {
        Signal::Pdq(hash) => &hash.0,
        Signal::Sha256(digest) => &digest.0,
        Signal::Md5(digest) => &digest.0,
    };
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return Some(Doubt::Degenerate);
    }
    match signal {
        Signal::Sha256(digest) => (*digest == Sha256Digest::of(b"")).then_some(Doubt::EmptyFile),
        Signal::Md5(digest) => (*digest == Md5Digest::of(b"")).then_some(Doubt::EmptyFile),
        Signal::Pdq(_) => match ones(bytes) {
            few if few < FEWEST => Some(Doubt::Degenerate),
            many if many > *ONES.end() => Some(Doubt::BitCount),
            count if looks_like_sha256 && !ONES.contains(&count) => Some(Doubt::BitCount),
            _ => None,
        },
    }
}

/// Largest number of PDQ hashes among which near-duplicates are counted by default. For more hashes, counting would
/// take longer than building the filter.
pub const MOST_COMPARED: usize = 200_000;

/// Counts the PDQ hashes that have another one of the list within `distance` bits, 31 at most.
#[must_use]
pub fn near_duplicates(entries: &Entries, distance: u32) -> usize {
    let index = Index::new(&entries.pdq);
    let near = |hash| index.nearest_other(hash).is_some_and(|found| found.distance <= distance);
    entries.pdq.par_iter().filter(|hash| near(hash)).count()
}
