//! Deltas: which bits of a filter changed from one release to a later one of the same geometry.

use super::{Refusal, ReleaseError};
use crate::digest::Sha256Digest;
use crate::filter_file::{self, CHECKSUM};

/// The first eight bytes of a delta.
const MAGIC: [u8; 8] = *b"\x89HGD\r\n\x1a\n";
const VERSION: u32 = 1;
const FIXED_HEADER: usize = 144;
/// Largest Rice parameter: gaps are below 2^38 bits.
const MAX_RICE: u32 = 38;

/// Sets and clears bits of `base`, puts the new header before them and the checksum after them. `from` and `to` are the
/// SHA-256 of `base` and of the result, as they were signed. The gaps of the bits set are counted in the base's clear bits,
/// those of the bits cleared in its set ones: no others can be meant, which saves a bit for each.
///
/// ```text
/// offset size field
///      0    8 magic 89 48 47 44 0d 0a 1a 0a
///      8    4 version = 1
///     12    4 reserved = 0
///     16    8 length of the delta in bytes
///     24    8 release that it starts from
///     32    8 release that it leads to
///     40   32 SHA-256 of the file it starts from
///     72   32 SHA-256 of the file it leads to
///    104    8 bits set, a
///    112    8 bits cleared, r
///    120    4 Rice parameter of the bits set
///    124    4 Rice parameter of the bits cleared
///    128    8 bytes of the gaps of the bits set, x
///    136    4 bytes of the new header, h
///    140    4 reserved = 0
///    144    h the new file's bytes before its bits
///  144+h    x gaps of the bits set
///         rest gaps of the bits cleared
/// ```
pub(super) fn apply(
    base: &[u8],
    delta: &[u8],
    from: &Sha256Digest,
    to: &Sha256Digest,
) -> Result<Vec<u8>, ReleaseError> {
    let syntax = |field: &str, expected: &str, got: &dyn std::fmt::Display| {
        Refusal::DeltaSyntax.because(&format!("delta's {field}"), expected, got)
    };
    if !delta.starts_with(&MAGIC) {
        return Err(syntax("magic", "a hashgate delta", &"other first bytes"));
    }
    if delta.len() < FIXED_HEADER {
        return Err(syntax("length", &format!("at least {FIXED_HEADER} bytes"), &delta.len()));
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
    if digest(40) != *from {
        return Err(syntax("base's SHA-256", &from.to_string(), &digest(40)));
    }
    if digest(72) != *to {
        return Err(Refusal::ReleaseDigest.because("delta's result", &to.to_string(), &digest(72)));
    }
    let (header_bytes, set_bytes) = (u64::from(word(136)), long(128));
    let gaps_at = FIXED_HEADER as u64 + header_bytes;
    let cleared_at = gaps_at.saturating_add(set_bytes);
    if cleared_at > delta.len() as u64 {
        return Err(syntax("parts", &format!("at most {} bytes", delta.len()), &cleared_at));
    }
    let (gaps_at, cleared_at) = (gaps_at as usize, cleared_at as usize);
    for parameter in [word(120), word(124)] {
        if parameter > MAX_RICE {
            return Err(syntax("Rice parameter", &format!("at most {MAX_RICE}"), &parameter));
        }
    }

    let refused_base = |error| Refusal::DeltaBase.because("base", "a filter file", &format!("one with {error}"));
    let (info, bits_at) = filter_file::read_header(base).map_err(refused_base)?;
    if info.release != long(24) {
        return Err(Refusal::DeltaBase.because("base", &format!("release {}", long(24)), &info.release));
    }
    let bits = &base[bits_at..base.len() - CHECKSUM];
    let mut file = Vec::with_capacity(gaps_at - FIXED_HEADER + bits.len() + CHECKSUM);
    file.extend_from_slice(&delta[FIXED_HEADER..gaps_at]);
    let start = file.len();
    file.extend_from_slice(bits);
    // One of base and delta is wrong: which?
    let blame = |error| {
        let got = Sha256Digest::of(base);
        if got == *from { error } else { Refusal::DeltaBase.because("base's SHA-256", &from.to_string(), &got) }
    };
    for (field, code, count, rice, state) in [
        ("bits set", &delta[gaps_at..cleared_at], long(104), word(120), State::Clear),
        ("bits cleared", &delta[cleared_at..], long(112), word(124), State::Set),
    ] {
        let mut places = Places { words: words(bits, state), word: 0, end: 0 };
        let mut gaps = Gaps { bits: BitReader { bytes: code, at: 0 }, left: count, rice };
        let refused = |got| blame(syntax(field, "as many gaps as it says, within the filter", &got));
        while let Some(gap) = gaps.next(bits.len() as u64 * 8).map_err(refused)? {
            let bit = places.after(gap).ok_or_else(|| refused(PAST_THE_END))?;
            file[start + (bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }
    let checksum = Sha256Digest::of(&file);
    file.extend_from_slice(&checksum.0);
    let sha256 = Sha256Digest::of(&file);
    let mismatch = |field: &str, expected: &dyn std::fmt::Display, got: &dyn std::fmt::Display| {
        Refusal::DeltaSyntax.because(&format!("result's {field}"), &expected.to_string(), got)
    };
    let (result, _) =
        filter_file::read_header(&file).map_err(|error| mismatch("header", &"a filter file's", &error))?;
    if result.release != long(32) {
        return Err(mismatch("release", &long(32), &result.release));
    }
    if (result.k, result.slice_bits, result.salt) != (info.k, info.slice_bits, info.salt) {
        return Err(mismatch("geometry", &"the base's", &format_args!("k = {}, {}", result.k, result.slice_bits)));
    }
    if sha256 != *to {
        return Err(blame(mismatch("SHA-256", to, &sha256)));
    }
    Ok(file)
}

/// The state that bits are in before they change.
#[derive(Clone, Copy)]
enum State {
    Clear,
    Set,
}

/// Slices as words, in which the bits of one state are ones.
fn words(bits: &[u8], state: State) -> impl Iterator<Item = u64> {
    bits.as_chunks().0.iter().map(move |&bytes| match state {
        State::Clear => !u64::from_le_bytes(bytes),
        State::Set => u64::from_le_bytes(bytes),
    })
}

/// The numbers of the bits of one state, rising.
struct Places<W> {
    words: W,
    /// The ones of the current word that weren't passed yet.
    word: u64,
    /// Number of the first bit after the current word.
    end: u64,
}

impl<W: Iterator<Item = u64>> Places<W> {
    /// Passes `gap` bits of the state and gives the number of the next one; `None` past the last.
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

/// Gaps as Rice codes: the gap divided by `2^rice` in ones, a zero, and the remainder in `rice` bits.
struct Gaps<'a> {
    bits: BitReader<'a>,
    left: u64,
    rice: u32,
}

impl Gaps<'_> {
    /// The next gap; `None` once all came and nothing but padding is left. One of more ones than `limit` allows isn't read
    /// to its end.
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

/// Bits of bytes, the least significant first.
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

    /// Whether less than a byte is left, and all of it zero.
    fn is_at_end(&mut self) -> bool {
        self.bytes.len() == self.at.div_ceil(8) && std::iter::from_fn(|| self.read()).all(|bit| !bit)
    }
}

/// A delta, and how many bits it changes.
#[cfg(feature = "build")]
#[derive(Debug)]
pub struct Delta {
    /// The file.
    pub bytes: Vec<u8>,
    /// Bits that it sets.
    pub set: usize,
    /// Bits that it clears.
    pub cleared: usize,
}

/// The delta from one filter file to a later release of it. The same files give the same bytes.
///
/// # Errors
/// `delta-base` if the files are of other geometries, or the second isn't later.
#[cfg(feature = "build")]
pub fn write(base: &[u8], file: &[u8]) -> Result<Delta, ReleaseError> {
    let header = |file| {
        filter_file::read_header(file)
            .map_err(|error| Refusal::DeltaBase.because("file", "a filter file", &format!("one with {error}")))
    };
    let ((from, from_bits), (to, to_bits)) = (header(base)?, header(file)?);
    let geometry = |info: &filter_file::FilterInfo| {
        format!("k = {}, slices of {} bits, salt {:016x}", info.k, info.slice_bits, info.salt)
    };
    if geometry(&from) != geometry(&to) {
        return Err(Refusal::DeltaBase.because("base", &geometry(&to), &geometry(&from)));
    }
    if from.release >= to.release {
        return Err(Refusal::DeltaBase.because("base", &format!("a release before {}", to.release), &from.release));
    }
    let slices = [&base[from_bits..base.len() - CHECKSUM], &file[to_bits..file.len() - CHECKSUM]];
    let [set, cleared] = [State::Clear, State::Set].map(|state| gaps(slices, state));
    let [(set_rice, set_gaps), (cleared_rice, cleared_gaps)] = [&set, &cleared].map(|gaps| encode(gaps));
    let header = &file[..to_bits];
    let length = FIXED_HEADER + header.len() + set_gaps.len() + cleared_gaps.len();
    let mut delta = Vec::with_capacity(length);
    delta.extend_from_slice(&MAGIC);
    delta.extend_from_slice(&VERSION.to_le_bytes());
    delta.extend_from_slice(&0u32.to_le_bytes());
    [length as u64, from.release, to.release].iter().for_each(|long| delta.extend_from_slice(&long.to_le_bytes()));
    delta.extend_from_slice(&Sha256Digest::of(base).0);
    delta.extend_from_slice(&Sha256Digest::of(file).0);
    [set.len(), cleared.len()].iter().for_each(|&long| delta.extend_from_slice(&(long as u64).to_le_bytes()));
    [set_rice, cleared_rice].iter().for_each(|word| delta.extend_from_slice(&word.to_le_bytes()));
    delta.extend_from_slice(&(set_gaps.len() as u64).to_le_bytes());
    delta.extend_from_slice(&(header.len() as u32).to_le_bytes());
    delta.extend_from_slice(&0u32.to_le_bytes());
    [header, &set_gaps, &cleared_gaps].iter().for_each(|part| delta.extend_from_slice(part));
    Ok(Delta { bytes: delta, set: set.len(), cleared: cleared.len() })
}

/// The gaps of the bits that were in this state and are not any more.
#[cfg(feature = "build")]
fn gaps([old, new]: [&[u8]; 2], state: State) -> Vec<u64> {
    let (mut gaps, mut gap) = (Vec::new(), 0);
    for (mut left, stay) in words(old, state).zip(words(new, state)) {
        let mut changed = left & !stay;
        while changed != 0 {
            let bit = changed & changed.wrapping_neg();
            gaps.push(gap + u64::from((left & (bit - 1)).count_ones()));
            gap = 0;
            left &= !(bit | (bit - 1));
            changed ^= bit;
        }
        gap += u64::from(left.count_ones());
    }
    gaps
}

/// The Rice parameter that makes the shortest code, the smaller of two that do, and that code.
#[cfg(feature = "build")]
fn encode(gaps: &[u64]) -> (u32, Vec<u8>) {
    let length = |rice: &u32| gaps.iter().map(|gap| (gap >> rice) + 1 + u64::from(*rice)).sum::<u64>();
    let rice = (0..=MAX_RICE).min_by_key(length).unwrap_or(0);
    let mut code = vec![0u8; length(&rice).div_ceil(8) as usize];
    let mut at = 0;
    let mut put = |bit: bool| {
        code[at / 8] |= u8::from(bit) << (at % 8);
        at += 1;
    };
    for gap in gaps {
        (0..gap >> rice).for_each(|_| put(true));
        put(false);
        (0..rice).for_each(|place| put(gap >> place & 1 == 1));
    }
    (rice, code)
}
