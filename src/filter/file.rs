//! A filter whose file was verified.

use super::bloom::{Bloom, Domain, Hasher};
use super::flip_masks::{FlipMask, FlipMasks, MAX_LOOKUP_BUDGET, mask_sequence};
use super::header::{self, CHECKSUM, FilterInfo};
use super::soft_ring_key::SoftRingKey;
use crate::refusal::{Refusal, RefusalCode};
use crate::signal::Wanted;
use crate::signal::digest::{Md5Digest, Sha256Digest};
use crate::signal::pdq::Orientation;
use crate::signal::views::{Kind, View};

/// A filter whose file was verified. Lookups need this type, so an unverified file can't be looked up in.
///
/// # Examples
/// ```
/// use hashgate::Filter;
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/filter-v2.hgf");
/// let filter = Filter::open(std::fs::read(path)?)?;
/// println!("{} holds {} PDQ hashes", filter.info().name, filter.info().pdq_count);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Filter {
    bytes: Vec<u8>,
    slices_at: usize,
    info: FilterInfo,
    rings: Vec<Hasher>,
    sha256: Hasher,
    md5: Hasher,
    /// The flip masks of each budget.
    masks: Vec<FlipMasks>,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Filter").field(&self.info).finish()
    }
}

impl Filter {
    /// Verifies a file: its header, its SHA-256, and the answers about its canary items.
    ///
    /// # Errors
    /// `filter-magic`, `filter-version`, `filter-length`, `filter-field`, `filter-checksum`, `filter-canary`. Any
    /// flipped bit, missing byte or additional byte is refused.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Refusal> {
        let (info, slices_at) = header::read(&bytes)?;
        let got = Sha256Digest::of(&bytes[..bytes.len() - CHECKSUM]);
        if got != info.checksum {
            return Err(RefusalCode::FilterChecksum.because("checksum", &info.checksum.to_string(), &got));
        }
        let hasher = |domain| Hasher::new(info.salt, domain, info.k);
        let filter = Self {
            slices_at,
            rings: (0..info.rings).map(|ring| hasher(Domain::Ring(ring))).collect(),
            sha256: hasher(Domain::Sha256),
            md5: hasher(Domain::Md5),
            masks: masks([info.lookup_budget, info.view_lookup_budget]),
            bytes,
            info,
        };
        let canaries = Hasher::new(filter.info.salt, Domain::Canary, filter.info.k);
        let holds = |&key: &u64| filter.bloom().holds(&canaries, key);
        if !filter.info.must_hit.iter().all(holds) {
            return Err(RefusalCode::FilterCanary.because("canary", "a hit", &"a miss"));
        }
        if filter.info.must_miss.iter().any(holds) {
            return Err(RefusalCode::FilterCanary.because("canary", "a miss", &"a hit"));
        }
        Ok(filter)
    }

    /// The header of the file.
    #[must_use]
    pub fn info(&self) -> &FilterInfo {
        &self.info
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signals that must be computed of a file before it can be looked up in this filter: those of which the list
    /// has entries. [`views`](Wanted::views) is left at its default, because a filter doesn't depend on it.
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
        Bloom { bits: &self.bytes[self.slices_at..self.bytes.len() - CHECKSUM], slice_bits: self.info.slice_bits }
    }

    pub(crate) fn holds_sha256(&self, digest: &Sha256Digest) -> bool {
        self.info.sha256_count > 0 && self.bloom().holds(&self.sha256, digest.item())
    }

    pub(crate) fn holds_md5(&self, digest: &Md5Digest) -> bool {
        self.info.md5_count > 0 && self.bloom().holds(&self.md5, digest.item())
    }

    /// Returns whether the filter holds all ring keys of a PDQ hash as it is listed.
    #[cfg(feature = "build")]
    pub(super) fn holds_pdq(&self, hash: &crate::pdq::PdqHash) -> bool {
        let mut rings = (0..).zip(&self.rings);
        !self.rings.is_empty()
            && rings
                .all(|(ring, hasher)| self.bloom().holds(hasher, super::ring_key(hash, ring, self.info.ring_key_bits)))
    }

    /// Returns whether a view is looked up in this orientation.
    pub(crate) fn looks_up(&self, view: View, orientation: Orientation) -> bool {
        budget([self.info.lookup_budget, self.info.view_lookup_budget], view.kind(), orientation, 0) > 0
    }

    /// Loads the slices that most lookups read into the processor's cache. Call it before many lookups.
    pub(crate) fn fetch(&self) {
        self.bloom().fetch();
    }

    /// Returns the cheapest flip mask with which the filter holds the flipped ring key, and the number of lookups up to
    /// it. Returns `None` and the number of all lookups if there is no such mask. Ring keys in `passed_over` don't
    /// count as held.
    pub(crate) fn look_up(
        &self,
        soft: &SoftRingKey,
        view: View,
        orientation: Orientation,
        passed_over: &[u64],
    ) -> (Option<FlipMask>, u64) {
        let budgets = [self.info.lookup_budget, self.info.view_lookup_budget];
        let budget = budget(budgets, view.kind(), orientation, soft.ring) as usize;
        let masks = self.masks.iter().find(|masks| masks.sequence.len() == budget).expect("masks for every budget");
        match self.bloom().first_held(&self.rings[soft.ring as usize], soft, masks, passed_over) {
            Some(index) => (Some(masks.sequence[index]), index as u64 + 1),
            None => (None, masks.sequence.len() as u64),
        }
    }
}

/// Makes the flip masks of every budget that [`budget`] returns.
fn masks(budgets: [u32; 2]) -> Vec<FlipMasks> {
    let kinds = [Kind::Plain, Kind::BorderCut, Kind::Window, Kind::Painted];
    let orientations = [Orientation::Original, Orientation::Rotate90];
    let mut all: Vec<u64> = kinds
        .into_iter()
        .flat_map(|kind| orientations.map(|orientation| [0, 1].map(|ring| budget(budgets, kind, orientation, ring))))
        .flatten()
        .map(u64::from)
        .collect();
    all.sort_unstable();
    all.dedup();
    let longest = mask_sequence(all.last().copied().unwrap_or(0) as u32);
    all.into_iter().map(|budget| FlipMasks::new(&longest[..budget as usize])).collect()
}

/// Returns the most lookups per ring key of a view of this kind, in this orientation and ring.
///
/// Most copies are found in the plain view, so it gets most. Few copies are both turned and edited, so uncommon
/// orientations get little. Rings above ring 0 find few copies that ring 0 doesn't (`docs/lab/near-match.md`).
pub(super) fn budget([full, derived]: [u32; 2], kind: Kind, orientation: Orientation, ring: u32) -> u32 {
    // The budget of ring 0, its divisor in uncommon orientations, and that in other rings.
    let (budget, uncommon, other_ring) = match kind {
        Kind::Plain => (full.saturating_mul(3), 12, 2),
        Kind::BorderCut => (full, 16, 2),
        Kind::Window => (derived.saturating_mul(2), 64, 4),
        Kind::Painted if !orientation.is_common() => return 0,
        Kind::Painted => (derived, 1, 4),
    };
    let budget = budget.min(MAX_LOOKUP_BUDGET);
    let budget = if orientation.is_common() { budget } else { budget.div_ceil(uncommon) };
    if ring > 0 { budget.div_ceil(other_ring) } else { budget }
}
