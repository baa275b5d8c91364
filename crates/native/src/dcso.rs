//! Reads and writes filters of exact digests that other programs use: DCSO's `.bloom` (version 1), and the Private
//! Search Set of MISP and CIRCL, which is built on it.
//!
//! Source: github.com/DCSO/bloom v0.2.4 (`bloom.go`, `io.go`), PyPI `flor` 1.1.3,
//! github.com/hashlookup/private-search-set.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use blake2::Blake2bMac512;
use blake2::digest::Mac;

/// Two constants of DCSO's algorithm: the largest prime below 2^64, and the multiplier that leads from one bit position
/// of an item to the next.
const PRIME: u64 = 18_446_744_073_709_551_557;
const MULTIPLIER: u64 = 18_446_744_073_709_550_147;
/// Bytes of the header: six fields of eight bytes (flags, capacity, rate, number of hashes, bits, items).
const HEADER: usize = 48;
/// Largest number of positions per item that a header may declare. Even a false-positive rate of 10^-19 needs only 64.
const MOST_HASHES: u64 = 256;
/// The default key of a Private Search Set.
const DEFAULT_KEY: &str = "infected";

/// A Bloom filter whose items are texts. A digest is stored as its hexadecimal text.
#[derive(Debug, Clone)]
pub struct ExactFilter {
    capacity: u64,
    rate: f64,
    hashes: u64,
    bit_count: u64,
    items: u64,
    bits: Vec<u8>,
    /// The secret of a Private Search Set, with which its texts are keyed hashes of digests; `None` for a plain filter.
    key: Option<String>,
}

impl ExactFilter {
    /// Returns whether a file begins like a DCSO filter, or like gzip, in which such filters are often packed.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn is_one(path: &Path) -> Result<bool> {
        let mut head = [0; 16];
        let length = std::fs::File::open(path)
            .and_then(|file| file.take(16).read(&mut head))
            .with_context(|| path.display().to_string())?;
        Ok(head[..length].starts_with(&[0x1f, 0x8b]) || head[..length].starts_with(&[1, 0, 0, 0, 0, 0, 0, 0]))
    }

    /// Reads a filter. If `private-search-set.json` lies beside it, its texts are keyed; `key` is the key, or else the
    /// default one.
    ///
    /// # Errors
    /// The file can't be read, is damaged, or is of another version or algorithm.
    pub fn open(path: &Path, key: Option<&str>) -> Result<Self> {
        let name = path.display().to_string();
        let mut bytes = std::fs::read(path).with_context(|| name.clone())?;
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut unpacked = Vec::new();
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).with_context(|| name.clone())?;
            bytes = unpacked;
        }
        let mut filter = Self::parse(&bytes).with_context(|| name.clone())?;
        let meta = path.with_file_name("private-search-set.json");
        if path.file_name().is_some_and(|file| file == "private-search-set.bloom") && meta.is_file() {
            check_meta(&meta)?;
            filter.key = Some(key.unwrap_or(DEFAULT_KEY).to_owned());
        }
        Ok(filter)
    }

    /// Reads the bytes of a filter.
    ///
    /// # Errors
    /// The bytes are no filter of version 1, or are cut.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() >= HEADER, "expected a DCSO filter of at least {HEADER} bytes, got {}", bytes.len());
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| bytes[at + index]));
        let version = long(0) & 0xff;
        ensure!(version == 1, "version: expected 1 (DCSO), got {version}; poppy writes it with `create --version 1`");
        let (capacity, rate, hashes, bit_count) = (long(8), f64::from_bits(long(16)), long(24), long(32));
        ensure!(rate > 0.0 && rate < 1.0, "rate: expected a number between 0 and 1, got {rate}");
        ensure!((1..=MOST_HASHES).contains(&hashes), "hashes: expected 1 to {MOST_HASHES}, got {hashes}");
        let held = (bytes.len() - HEADER) as u64;
        let needed = bit_count.div_ceil(64).saturating_mul(8);
        ensure!(bit_count > 0 && needed <= held, "bits: expected {needed} bytes for {bit_count} bits, got {held}");
        // Ignores bytes after the bits. The format lets the filter's owner store anything there.
        let bits = bytes[HEADER..HEADER + usize::try_from(needed)?].to_vec();
        Ok(Self { capacity, rate, hashes, bit_count, items: long(40), bits, key: None })
    }

    /// Makes an empty filter of the size that DCSO's tools give it.
    ///
    /// # Errors
    /// The rate isn't between 0 and 1, or the capacity is 0.
    pub fn new(capacity: u64, rate: f64) -> Result<Self> {
        if capacity == 0 || !(rate > 0.0 && rate < 1.0) {
            bail!("filter: expected at least one digest and a rate between 0 and 1, got {capacity} and {rate}");
        }
        // DCSO's formula computes a negative number, rounds it up and drops the sign: the number of bits is rounded
        // towards zero.
        let bits = (capacity as f64 * rate.ln() / std::f64::consts::LN_2.powi(2)).ceil().abs();
        let hashes = (std::f64::consts::LN_2 * bits / capacity as f64).ceil() as u64;
        let bit_count = bits as u64;
        let bits = vec![0; usize::try_from(bit_count.div_ceil(64) * 8)?];
        Ok(Self { capacity, rate, hashes, bit_count, items: 0, bits, key: None })
    }

    /// Adds a text.
    pub fn add(&mut self, text: &[u8]) {
        let mut is_new = false;
        for position in self.positions(text).collect::<Vec<_>>() {
            let byte = &mut self.bits[(position / 8) as usize];
            is_new |= *byte >> (position % 8) & 1 == 0;
            *byte |= 1 << (position % 8);
        }
        self.items += u64::from(is_new);
    }

    /// Returns the bytes of the filter's file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = [1, self.capacity, self.rate.to_bits(), self.hashes, self.bit_count, self.items];
        let mut bytes: Vec<u8> = fields.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.extend_from_slice(&self.bits);
        bytes
    }

    /// Returns whether the filter holds a digest, in small or in capital letters.
    #[must_use]
    pub fn holds(&self, digest: &[u8]) -> bool {
        let small: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        [small.to_ascii_uppercase(), small].into_iter().any(|text| match &self.key {
            None => self.holds_text(text.as_bytes()),
            Some(key) => keyed(key, &text).is_some_and(|text| self.holds_text(text.as_bytes())),
        })
    }

    /// Returns whether the filter holds a text as it is.
    #[must_use]
    pub fn holds_text(&self, text: &[u8]) -> bool {
        self.positions(text).all(|position| self.bits[(position / 8) as usize] >> (position % 8) & 1 == 1)
    }

    /// Number of items that were inserted.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.items
    }

    /// False-positive rate of one lookup, if the filter is full.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Yields the bit positions of a text. Each is the one before times a constant, in 64-bit arithmetic that wraps,
    /// modulo the prime; the first comes from the text's FNV-1 hash.
    fn positions(&self, text: &[u8]) -> impl Iterator<Item = u64> + use<> {
        let hash = text
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte));
        let bit_count = self.bit_count;
        (0..self.hashes).scan(hash % PRIME, move |state, _| {
            *state = state.wrapping_mul(MULTIPLIER) % PRIME;
            Some(*state % bit_count)
        })
    }
}

/// Returns the text that a Private Search Set stores for a digest: the hexadecimal BLAKE2b of the digest's hexadecimal
/// text, with a key. Returns `None` if the key is too long.
fn keyed(key: &str, text: &str) -> Option<String> {
    let mut mac = Blake2bMac512::new_with_salt_and_personal(Some(key.as_bytes()), &[], &[]).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn check_meta(path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| name.clone())?;
    let meta: serde_json::Value = serde_json::from_slice(&bytes).with_context(|| name.clone())?;
    let algorithm = meta.get("algorithm").and_then(serde_json::Value::as_str).unwrap_or_default();
    ensure!(
        algorithm.to_ascii_lowercase().starts_with("blake2"),
        "{name}: algorithm: expected Blake2, which private-search-set writes, got {algorithm:?}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values come from `TestFingerprinting` and `TestInitialization` in DCSO's `bloom_test.go`, v0.2.4.
    #[test]
    fn positions_and_sizes_are_those_of_dcso() {
        let filter = ExactFilter::new(100_000, 0.01).unwrap();
        let positions: Vec<_> = filter.positions(b"bar").collect();
        assert_eq!(positions, [20_311, 36_825, 412_501, 835_777, 658_914, 853_361, 307_361]);
        let filter = ExactFilter::new(10_000, 0.001).unwrap();
        assert_eq!((filter.hashes, filter.bit_count), (10, 143_775));
    }

    #[test]
    fn a_filter_holds_what_was_added_after_it_was_written() {
        let mut filter = ExactFilter::new(100, 1e-6).unwrap();
        filter.add(b"900150983cd24fb0d6963f7d28e17f72");
        let bytes = filter.to_bytes();
        let filter = ExactFilter::parse(&bytes).unwrap();
        let digest = hashgate::digest::Md5Digest::of(b"abc").0;
        assert!(filter.holds(&digest) && !filter.holds(&hashgate::digest::Md5Digest::of(b"abd").0));
        assert_eq!(filter.items(), 1);
        for (at, value) in [(0, 2), (24, 0), (39, 255)] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            assert!(ExactFilter::parse(&damaged).is_err(), "byte {at}");
        }
        assert!(ExactFilter::parse(&bytes[..bytes.len() - 1]).is_err());
    }

    /// The expected value is that of Python 3.11's `hashlib.blake2b(b"900150983cd24fb0d6963f7d28e17f72",
    /// key=b"infected")`, which is how private-search-set makes its texts.
    #[test]
    fn keyed_texts_are_those_of_private_search_set() {
        let text = keyed("infected", "900150983cd24fb0d6963f7d28e17f72").unwrap();
        assert!(text.starts_with("336af04607f896b6f1b63b9680345c97"), "{text}");
    }
}
