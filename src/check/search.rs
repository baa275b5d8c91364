//! The search of the filters for a picture's hashes.

use serde::{Deserialize, Deserializer};

use super::fingerprint::ImageHashes;
use super::orientations::Orientations;
use super::verdict::{Match, PdqMatch};
use crate::filter::{Filter, SoftRingKey, position, ring_key};
use crate::signal::pdq::{MIN_QUALITY, Orientation, PdqHash, hash_of_margins};
use crate::signal::views::Detail;

/// Largest number of matches that [`Lookup::look_up_past`](crate::Lookup::look_up_past) skips. A file with more of them
/// is `unchecked`, for the reason [`TooManyCandidates`](crate::UncheckedReason::TooManyCandidates).
pub const MAX_DISMISSED: usize = 64;

/// Largest cost of the flips of each ring key in a view that is mostly flat, in which all rings must match. Pages and
/// screens of one kind share their outlines, so that few bits tell them apart.
const SPARSE_COST: u32 = 14;

/// A match that isn't listed, according to the list's owner. It is made from a [`Match`] or from its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dismissed {
    pub(super) list: String,
    pub(super) signal: String,
    ring: Option<u32>,
    #[serde(default, deserialize_with = "optional_hash")]
    pdq: Option<PdqHash>,
}

impl From<&Match> for Dismissed {
    fn from(found: &Match) -> Self {
        let pdq = found.pdq();
        Self {
            list: found.list.clone(),
            signal: found.signal.name().into(),
            ring: pdq.map(|pdq| pdq.ring),
            pdq: pdq.map(|pdq| pdq.pdq),
        }
    }
}

fn optional_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PdqHash>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// The result of looking a picture up in each of the filters.
#[derive(Debug)]
pub(super) struct LookedUp {
    pub matches: Vec<Option<PdqMatch>>,
    pub lookups: u64,
}

impl LookedUp {
    pub fn nothing(filters: &[Filter]) -> Self {
        Self { matches: filters.iter().map(|_| None).collect(), lookups: 0 }
    }

    #[inline(never)]
    pub fn of(hashes: &ImageHashes, filters: &[Filter], orientations: Orientations, dismissed: &[Dismissed]) -> Self {
        let mut lookups = 0;
        let matches = filters
            .iter()
            .map(|filter| Search { hashes, filter, orientations, dismissed, lookups: &mut lookups }.run())
            .collect();
        Self { matches, lookups }
    }
}

/// Searches one filter for the first match that was not dismissed.
struct Search<'a> {
    hashes: &'a ImageHashes,
    filter: &'a Filter,
    orientations: Orientations,
    dismissed: &'a [Dismissed],
    lookups: &'a mut u64,
}

impl Search<'_> {
    /// Looks up every view and orientation of every frame, until the filter matches.
    fn run(self) -> Option<PdqMatch> {
        let hashes = self.hashes;
        let (rings, bits) = (self.filter.info().rings, self.filter.info().ring_key_bits);
        let comparable = |quality| quality >= MIN_QUALITY;
        if rings > 0 && hashes.frames.iter().flat_map(|frame| &frame.views).any(|hash| comparable(hash.quality)) {
            self.filter.fetch();
        }
        let orientations = match self.orientations {
            Orientations::All => &Orientation::ALL[..],
            Orientations::Upright => &Orientation::ALL[..1],
        };
        for frame in &hashes.frames {
            for hash in frame.views.iter().filter(|hash| comparable(hash.quality)) {
                for &orientation in orientations.iter().filter(|it| self.filter.looks_up(hash.view, **it)) {
                    let margins = hash.coefficients.oriented(orientation).margins();
                    let soft: Vec<_> = (0..rings).map(|ring| SoftRingKey::new(&margins, ring, bits)).collect();
                    // For each ring, the ring keys of dismissed matches. The next lookup in the same ring skips these
                    // keys.
                    let mut passed_over = vec![Vec::new(); soft.len()];
                    loop {
                        let mut hits = Vec::new();
                        for (soft, passed_over) in soft.iter().zip(&passed_over) {
                            let (mask, lookups) = self.filter.look_up(soft, hash.view, orientation, passed_over);
                            *self.lookups += lookups;
                            hits.extend(mask.map(|mask| (soft, mask)));
                        }
                        let Some(&(SoftRingKey { ring, .. }, mask)) = hits.first() else { break };
                        let is_near =
                            hits.len() == soft.len() && hits.iter().all(|(_, mask)| mask.cost() <= SPARSE_COST);
                        if hash.detail == Detail::Sparse && !is_near {
                            break;
                        }
                        let mut pdq = hash_of_margins(&margins);
                        for (soft, mask) in &hits {
                            soft.flips(*mask).for_each(|bit| pdq.flip(position(soft.ring, bit)));
                        }
                        let ring_key = ring_key(&pdq, *ring, bits);
                        if self.is_dismissed(*ring, &pdq) {
                            passed_over[*ring as usize].push(ring_key);
                            continue;
                        }
                        return Some(PdqMatch {
                            orientation,
                            view: hash.view,
                            frame: frame.index,
                            surface: frame.surface,
                            reading: frame.reading,
                            ring: *ring,
                            rings: hits.iter().map(|(soft, _)| soft.ring).collect(),
                            flips: mask.flips(),
                            cost: mask.cost(),
                            pdq,
                            ring_key,
                        });
                    }
                }
            }
        }
        None
    }

    fn is_dismissed(&self, ring: u32, pdq: &PdqHash) -> bool {
        let list = &self.filter.info().name;
        self.dismissed.iter().any(|it| it.ring == Some(ring) && it.pdq.as_ref() == Some(pdq) && it.list == *list)
    }
}
