//! Applies a delta, and verifies the resulting file. Its caller, `Manifest::apply_delta`, has verified the delta
//! itself.

use std::fmt::Display;

use super::header::{self, syntax};
use super::slices::{State, words};
use crate::filter::header::{CHECKSUM, read as read_filter};
use crate::refusal::{Refusal, RefusalCode};
use crate::signal::digest::Sha256Digest;

/// Makes a later filter file from `base`: sets and clears bits of the slices, puts the new header before them and the
/// checksum after them. `from` and `to` are the SHA-256 of `base` and of the result, as they were signed.
///
/// A delta stores the gaps between changed bits. Only clear bits can be set, so the gap between two bits to set is
/// counted in clear bits. In the same way, the gap between two bits to clear is counted in set bits. Such gaps are
/// shorter than gaps counted in all bits.
///
/// # Errors
/// `delta-base` if the base is another file; `delta-syntax`; `release-digest` if the delta leads elsewhere.
pub(in crate::release) fn apply(
    base: &[u8],
    delta: &[u8],
    from: &Sha256Digest,
    to: &Sha256Digest,
) -> Result<Vec<u8>, Refusal> {
    let parts = header::read(delta)?;
    if parts.from_sha256 != *from {
        return Err(syntax("base's SHA-256", &from.to_string(), &parts.from_sha256));
    }
    if parts.to_sha256 != *to {
        return Err(RefusalCode::ReleaseDigest.because("delta's result", &to.to_string(), &parts.to_sha256));
    }

    let refused_base = |error| RefusalCode::DeltaBase.because("base", "a filter file", &format!("one with {error}"));
    let (info, slices_at) = read_filter(base).map_err(refused_base)?;
    if info.release != parts.from {
        return Err(RefusalCode::DeltaBase.because("base", &format!("release {}", parts.from), &info.release));
    }
    let slices = &base[slices_at..base.len() - CHECKSUM];
    let mut file = Vec::with_capacity(parts.new_header.len() + slices.len() + CHECKSUM);
    file.extend_from_slice(parts.new_header);
    let start = file.len();
    file.extend_from_slice(slices);
    // Chooses between two errors. If the base isn't the file that was signed, the base is at fault; otherwise the delta
    // is.
    let blame = |error| {
        let got = Sha256Digest::of(base);
        if got == *from { error } else { RefusalCode::DeltaBase.because("base's SHA-256", &from.to_string(), &got) }
    };
    for (field, changes, state) in [("bits set", parts.set, State::Clear), ("bits cleared", parts.cleared, State::Set)]
    {
        let mut places = Places { words: words(slices, state), word: 0, end: 0 };
        let mut gaps = Gaps { bits: BitReader { bytes: changes.gaps, at: 0 }, left: changes.count, rice: changes.rice };
        let refused = |got| blame(syntax(field, "as many gaps as it says, within the filter", &got));
        while let Some(gap) = gaps.next(slices.len() as u64 * 8).map_err(refused)? {
            let bit = places.after(gap).ok_or_else(|| refused(PAST_THE_END))?;
            file[start + (bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }
    let checksum = Sha256Digest::of(&file);
    file.extend_from_slice(&checksum.0);
    let sha256 = Sha256Digest::of(&file);
    let mismatch = |field: &str, expected: &dyn Display, got: &dyn Display| {
        RefusalCode::DeltaSyntax.because(&format!("result's {field}"), &expected.to_string(), got)
    };
    let (result, _) = read_filter(&file).map_err(|error| mismatch("header", &"a filter file's", &error))?;
    if result.release != parts.to {
        return Err(mismatch("release", &parts.to, &result.release));
    }
    if (result.k, result.slice_bits, result.salt) != (info.k, info.slice_bits, info.salt) {
        return Err(mismatch("geometry", &"the base's", &format_args!("k = {}, {}", result.k, result.slice_bits)));
    }
    if sha256 != *to {
        return Err(blame(mismatch("SHA-256", to, &sha256)));
    }
    Ok(file)
}

/// Finds the bits of the base that are in one state (set or clear), in ascending order.
struct Places<W> {
    words: W,
    /// The current word. Bits of the state are ones; bits that were skipped or returned are zeros.
    word: u64,
    /// Number of the first bit after the current word.
    end: u64,
}

impl<W: Iterator<Item = u64>> Places<W> {
    /// Skips `gap` bits of the state and returns the position of the next bit of the state; `None` if there are no
    /// more.
    fn after(&mut self, mut gap: u64) -> Option<u64> {
        loop {
            let here = u64::from(self.word.count_ones());
            if gap < here {
                break;
            }
            gap -= here;
            self.word = self.words.next()?;
            self.end += 64;
        }
        (0..gap).for_each(|_| self.word &= self.word - 1);
        let bit = self.end - 64 + u64::from(self.word.trailing_zeros());
        self.word &= self.word - 1;
        Some(bit)
    }
}

const PAST_THE_END: &str = "a gap past the filter's end";

/// Reads gaps in Rice code. A gap is coded as the quotient by `2^rice` in one-bits, a zero, and the remainder in `rice`
/// bits.
struct Gaps<'a> {
    bits: BitReader<'a>,
    left: u64,
    rice: u32,
}

impl Gaps<'_> {
    /// Returns the next gap, or `None` after the last one if only padding follows. Stops as soon as a gap reaches
    /// `limit`, so that a hostile run of one-bits takes no time.
    fn next(&mut self, limit: u64) -> Result<Option<u64>, &'static str> {
        if self.left == 0 {
            return if self.bits.is_at_end() { Ok(None) } else { Err("bytes after the last gap") };
        }
        self.left -= 1;
        let mut gap = 0u64;
        while self.bits.read().ok_or("the end")? {
            gap += 1;
            if gap << self.rice >= limit {
                return Err(PAST_THE_END);
            }
        }
        gap <<= self.rice;
        for place in 0..self.rice {
            gap |= u64::from(self.bits.read().ok_or("the end")?) << place;
        }
        Ok(Some(gap))
    }
}

/// Reads bytes bit by bit, the least significant bit of each byte first.
struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl BitReader<'_> {
    fn read(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// Returns whether only padding is left: less than a byte, all of it zero bits.
    fn is_at_end(&mut self) -> bool {
        self.bytes.len() == self.at.div_ceil(8) && std::iter::from_fn(|| self.read()).all(|bit| !bit)
    }
}
