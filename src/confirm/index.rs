//! An exact index of a raw list. It finds every hash within a Hamming distance of 31, and every hash that shares a ring
//! key.
//!
//! It uses multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012). The 256 bits are cut into 16 chunks of 16 bits. If
//! two hashes differ in at most 31 bits, at least one chunk differs in at most one bit: otherwise 16 chunks would
//! differ in 32 bits or more. So it is enough to search 16 x 17 buckets: for each chunk, the bucket of its value, and
//! those of its 16 values with one bit flipped. `bench/src/bin/confirm-index.rs` measures the index beside a scan.

use crate::filter::{MAX_RINGS, RING_KEY_BITS, lowest, quarter};
use crate::signal::pdq::PdqHash;

/// Largest Hamming distance at which two PDQ hashes match, as Meta's reference recommends.
pub const HAMMING_THRESHOLD: u32 = 31;
/// If a hash shares one ring key with a listed hash: the largest number of bits in which the other three ring keys
/// together may differ. `docs/lab/serving.md` says why it is 64.
pub const REST: u32 = 64;

const CHUNKS: usize = 16;
const CHUNK_BITS: usize = 16;
const BUCKETS: usize = 1 << CHUNK_BITS;

/// A listed hash that matches the asked hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Hamming distance to the asked hash, 0 to 256.
    pub distance: u32,
    /// Position of the found hash in the list, counted from 0.
    pub place: u32,
}

/// The index of a list of PDQ hashes.
///
/// # Examples
/// ```
/// use hashgate::confirm::Index;
/// use hashgate::pdq::PdqHash;
///
/// let listed: PdqHash = "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3fa".parse()?;
/// let copy: PdqHash = "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3f5".parse()?;
/// let found = Index::new(&[listed]).nearest(&copy).unwrap();
/// assert_eq!((found.place, found.distance), (0, 4));
/// # Ok::<(), hashgate::Refusal>(())
/// ```
#[derive(Debug, Default)]
pub struct Index {
    /// Each listed hash as its four quarters, in the order of the list. They hold the bits of the hash in another order,
    /// which doesn't change Hamming distances.
    hashes: Vec<Quarters>,
    /// For each bucket of each chunk, the index in `places` at which the bucket starts. A last entry holds the end of
    /// the last bucket.
    starts: Vec<u32>,
    /// Indices into `hashes`, chunk by chunk, bucket by bucket.
    places: Vec<u32>,
}

/// The four quarters of a hash. The lowest bits of each are a ring key.
type Quarters = [u64; MAX_RINGS as usize];

fn quarters_of(hash: &PdqHash) -> Quarters {
    std::array::from_fn(|ring| quarter(hash, ring as u32))
}

fn chunk(quarters: &Quarters, chunk: usize) -> usize {
    (quarters[chunk / 4] >> (chunk % 4 * CHUNK_BITS)) as usize % BUCKETS
}

fn distance(a: &Quarters, b: &Quarters) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

impl Index {
    /// Indexes a list of fewer than 2^28 hashes.
    ///
    /// # Panics
    /// If there are more.
    #[must_use]
    pub fn new(hashes: &[PdqHash]) -> Self {
        assert!(hashes.len() < 1 << 28, "expected fewer than 2^28 hashes, got {}", hashes.len());
        let hashes: Vec<_> = hashes.iter().map(quarters_of).collect();
        let mut starts = vec![0; CHUNKS * BUCKETS + 1];
        let mut places = vec![0; CHUNKS * hashes.len()];
        // A counting sort for each chunk: first the sizes of the buckets, then their starts, then the places.
        for hash in &hashes {
            (0..CHUNKS).for_each(|at| starts[at * BUCKETS + chunk(hash, at) + 1] += 1);
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        for at in 0..CHUNKS {
            let mut next = starts[at * BUCKETS..(at + 1) * BUCKETS].to_vec();
            for (place, hash) in hashes.iter().enumerate() {
                let slot = &mut next[chunk(hash, at)];
                places[*slot as usize] = place as u32;
                *slot += 1;
            }
        }
        Self { hashes, starts, places }
    }

    /// Number of hashes in the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Returns whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn bucket(&self, at: usize, value: usize) -> &[u32] {
        let bucket = at * BUCKETS + value;
        &self.places[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }

    /// Returns the nearest listed hash within [`HAMMING_THRESHOLD`]. If several are equally near, returns the first of
    /// the list.
    #[must_use]
    pub fn nearest(&self, hash: &PdqHash) -> Option<Found> {
        self.nearest_from(hash, 0)
    }

    /// Returns the nearest listed hash within [`HAMMING_THRESHOLD`] that differs from `hash`.
    #[must_use]
    pub fn nearest_other(&self, hash: &PdqHash) -> Option<Found> {
        self.nearest_from(hash, 1)
    }

    fn nearest_from(&self, hash: &PdqHash, least: u32) -> Option<Found> {
        if self.is_empty() {
            return None;
        }
        let asked = quarters_of(hash);
        let buckets = || {
            (0..CHUNKS).flat_map(|at| {
                let value = chunk(&asked, at);
                let flipped = (0..CHUNK_BITS).map(move |bit| value ^ 1 << bit);
                std::iter::once(value).chain(flipped).map(move |value| self.bucket(at, value))
            })
        };
        // If the buckets contain more than a quarter of the list (for example many copies of one picture), comparing
        // with the whole list is faster.
        if buckets().map(<[u32]>::len).sum::<usize>() > self.len() / 4 {
            return self.scan_from(hash, least);
        }
        let candidates = buckets().flatten();
        let found = candidates.map(|&place| Found { distance: distance(&asked, &self.hashes[place as usize]), place });
        found.filter(|found| (least..=HAMMING_THRESHOLD).contains(&found.distance)).min()
    }

    /// Returns the same as [`nearest`](Self::nearest), but compares with every hash of the list. Tests and measurements
    /// compare the index with this.
    #[must_use]
    pub fn scan(&self, hash: &PdqHash) -> Option<Found> {
        self.scan_from(hash, 0)
    }

    fn scan_from(&self, hash: &PdqHash, least: u32) -> Option<Found> {
        let asked = quarters_of(hash);
        let found = (0..).zip(&self.hashes).map(|(place, listed)| Found { distance: distance(&asked, listed), place });
        found.filter(|found| (least..=HAMMING_THRESHOLD).contains(&found.distance)).min()
    }

    /// Returns the nearest of the listed hashes with the same ring key of ring `ring` (0 to 3), however far it is. Compares
    /// the shortest ring keys, which are equal if longer ones are.
    #[must_use]
    pub fn same_ring(&self, hash: &PdqHash, ring: u32) -> Option<Found> {
        if self.is_empty() {
            return None;
        }
        let asked = quarters_of(hash);
        let ring = ring as usize;
        let at = ring * 4;
        let bits = *RING_KEY_BITS.start();
        let is_same = |&&place: &&u32| lowest(self.hashes[place as usize][ring] ^ asked[ring], bits) == 0;
        let same = self.bucket(at, chunk(&asked, at)).iter().filter(is_same);
        same.map(|&place| Found { distance: distance(&asked, &self.hashes[place as usize]), place }).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::digest::Sha256Digest;

    fn numbered(n: u32) -> PdqHash {
        PdqHash(Sha256Digest::of(&n.to_le_bytes()).0)
    }

    /// Flips `count` bits of a hash. `seed` decides which.
    fn flipped(hash: PdqHash, count: usize, seed: u32) -> PdqHash {
        let mut bits: Vec<usize> = (0..256).collect();
        bits.sort_by_key(|&bit| Sha256Digest::of(&[seed.to_le_bytes(), (bit as u32).to_le_bytes()].concat()));
        let mut made = hash;
        bits[..count].iter().for_each(|&bit| made.flip(bit));
        made
    }

    #[test]
    fn nothing_within_31_is_missed_and_nothing_beyond_is_found() {
        let list: Vec<_> = (0..20_000).map(numbered).collect();
        let index = Index::new(&list);
        for seed in 0..3_000 {
            let place = seed * 6;
            let count = seed as usize % 40;
            let asked = flipped(list[place as usize], count, seed);
            let expected = (count <= 31).then_some(Found { distance: count as u32, place });
            assert_eq!(index.nearest(&asked), expected, "seed {seed}, {count} bits");
            assert_eq!(index.scan(&asked), expected);
        }
    }

    #[test]
    fn the_worst_spread_of_31_flips_is_found() {
        // The worst case at a distance of 31: one chunk differs in one bit, and each of the other fifteen in two. Tries
        // each chunk in the role of the first.
        let listed = numbered(1);
        let index = Index::new(&[numbered(0), listed]);
        for single in 0..CHUNKS {
            let mut asked = listed;
            for at in 0..CHUNKS {
                let first = (at % 4 * CHUNK_BITS) as u8;
                let flips = if at == single { 1 } else { 2 };
                (0..flips).for_each(|bit| asked.flip(crate::filter::position(at as u32 / 4, first + bit)));
            }
            assert_eq!(index.nearest(&asked), Some(Found { distance: 31, place: 1 }));
        }
    }

    #[test]
    fn a_crowded_list_is_scanned() {
        let list: Vec<_> = (0..500).map(|seed| flipped(numbered(0), 20, seed)).collect();
        let index = Index::new(&list);
        assert_eq!(index.nearest(&numbered(0)), Some(Found { distance: 20, place: 0 }));
        assert_eq!(index.nearest(&list[7]), Some(Found { distance: 0, place: 7 }));
        let other = index.nearest_other(&list[7]).expect("another copy within 31 bits");
        assert!((1..=31).contains(&other.distance) && other.place != 7);
    }

    #[test]
    fn a_shared_ring_key_is_found_however_far_the_rest_is() {
        let list: Vec<_> = (0..1_000).map(numbered).collect();
        let index = Index::new(&list);
        for ring in 0..MAX_RINGS {
            let mut asked = list[500];
            for other in (0..MAX_RINGS).filter(|&other| other != ring) {
                (0..40).for_each(|bit| asked.flip(crate::filter::position(other, bit)));
            }
            assert_eq!(index.same_ring(&asked, ring), Some(Found { distance: 120, place: 500 }));
            asked.flip(crate::filter::position(ring, 52));
            assert_eq!(index.same_ring(&asked, ring), Some(Found { distance: 121, place: 500 }), "not of the ring key");
            asked.flip(crate::filter::position(ring, 51));
            assert_eq!(index.same_ring(&asked, ring), None);
        }
    }

    #[test]
    fn an_empty_list_holds_nothing() {
        assert_eq!(Index::new(&[]).nearest(&numbered(0)), None);
        assert_eq!(Index::default().nearest(&numbered(0)), None);
        assert_eq!(Index::default().same_ring(&numbered(0), 0), None);
    }
}
