//! The second stage: looks a file's signals up in the filters.

use std::collections::VecDeque;

use super::fingerprint::{Fingerprint, ImageHashes, fingerprint};
use super::orientations::Orientations;
use super::reason::UncheckedReason;
use super::search::{Dismissed, LookedUp, MAX_DISMISSED};
use super::verdict::{Match, MatchedSignal, Outcome, Strength, Verdict};
use crate::filter::Filter;
use crate::image::Format;
use crate::image::{Caveat, Limits};
use crate::signal::Wanted;
use crate::signal::pdq::MIN_QUALITY;
use crate::signal::views::ViewSet;

/// The second stage: the filters of one host, the orientations that are looked up, and a cache of early lookups.
///
/// # Examples
/// ```
/// use hashgate::{Filter, Limits, Lookup, Orientations, Outcome, ViewSet, fingerprint};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/filter-v2.hgf");
/// let mut lookup = Lookup::new(vec![Filter::open(std::fs::read(path)?)?], Orientations::All);
/// let print = fingerprint(b"%PDF-1.7", &Limits::default(), &lookup.wanted(ViewSet::All));
/// assert!(matches!(lookup.look_up(&print).outcome, Outcome::Unchecked { .. }), "not a picture");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Lookup {
    filters: Vec<Filter>,
    orientations: Orientations,
    cache: LookupCache,
}

impl Lookup {
    /// Makes a lookup that uses `filters` and `orientations`.
    #[must_use]
    pub fn new(filters: Vec<Filter>, orientations: Orientations) -> Self {
        Self { filters, orientations, cache: LookupCache::default() }
    }

    /// Adds a filter.
    pub fn add(&mut self, filter: Filter) {
        self.filters.push(filter);
        self.cache = LookupCache::default();
    }

    /// Changes the orientations that are looked up.
    pub fn set_orientations(&mut self, orientations: Orientations) {
        if self.orientations != orientations {
            self.orientations = orientations;
            self.cache = LookupCache::default();
        }
    }

    /// The filters, in the order in which they were added.
    #[must_use]
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// Returns the signals that must be computed of a file before it can be looked up in all filters.
    #[must_use]
    pub fn wanted(&self, views: ViewSet) -> Wanted {
        wanted(&self.filters, views)
    }

    /// Looks a picture up before the rest of its file has arrived, and caches the result. If the whole file has the
    /// same image hashes, [`look_up`](Self::look_up) takes the cached result.
    pub fn look_up_early(&mut self, hashes: ImageHashes) {
        let looked_up = self.take(&hashes);
        self.cache.insert(hashes, looked_up);
    }

    /// Looks a fingerprint up.
    pub fn look_up(&mut self, fingerprint: &Fingerprint) -> Verdict {
        let looked_up = match &fingerprint.picture {
            Some(Ok(hashes)) => self.take(hashes),
            _ => LookedUp::nothing(&self.filters),
        };
        verdict(fingerprint, &self.filters, looked_up, &[])
    }

    /// Looks a fingerprint up and skips the matches in `dismissed`: those of earlier verdicts on this fingerprint of
    /// which the list's owner said that they aren't listed. Returns the next matches, or the final verdict if there are
    /// no more.
    ///
    /// Each call begins with the first frame, so `dismissed` may be in any order and may come from another `Lookup`
    /// with the same filters. If `dismissed` has more than [`MAX_DISMISSED`] matches, the file is `unchecked`.
    pub fn look_up_past(&self, fingerprint: &Fingerprint, dismissed: &[Dismissed]) -> Verdict {
        let looked_up = match &fingerprint.picture {
            Some(Ok(hashes)) => LookedUp::of(hashes, &self.filters, self.orientations, dismissed),
            _ => LookedUp::nothing(&self.filters),
        };
        verdict(fingerprint, &self.filters, looked_up, dismissed)
    }

    /// Takes the cached result of these hashes out of the cache, or looks the hashes up now.
    fn take(&mut self, hashes: &ImageHashes) -> LookedUp {
        self.cache.remove(hashes).unwrap_or_else(|| LookedUp::of(hashes, &self.filters, self.orientations, &[]))
    }
}

/// Looks a fingerprint up in `filters`.
pub fn look_up(fingerprint: &Fingerprint, filters: &[Filter], orientations: Orientations) -> Verdict {
    let looked_up = match &fingerprint.picture {
        Some(Ok(hashes)) => LookedUp::of(hashes, filters, orientations, &[]),
        _ => LookedUp::nothing(filters),
    };
    verdict(fingerprint, filters, looked_up, &[])
}

/// Checks a file: both stages at once.
pub fn check(bytes: &[u8], filters: &[Filter], limits: &Limits, views: ViewSet, orientations: Orientations) -> Verdict {
    look_up(&fingerprint(bytes, limits, &wanted(filters, views)), filters, orientations)
}

/// Returns the signals that must be computed of a file before it can be looked up in all of `filters`.
#[must_use]
pub fn wanted(filters: &[Filter], views: ViewSet) -> Wanted {
    let holds = |signal: fn(&Wanted) -> bool| filters.iter().any(|filter| signal(&filter.wanted()));
    Wanted { pdq: holds(|it| it.pdq), sha256: holds(|it| it.sha256), md5: holds(|it| it.md5), views }
}

/// The results of early lookups, the latest first.
#[derive(Debug, Default)]
struct LookupCache(VecDeque<(ImageHashes, LookedUp)>);

impl LookupCache {
    /// Largest number of cached results. One more result replaces the oldest.
    const MOST: usize = 16;

    fn insert(&mut self, hashes: ImageHashes, looked_up: LookedUp) {
        self.0.truncate(Self::MOST - 1);
        self.0.push_front((hashes, looked_up));
    }

    fn remove(&mut self, hashes: &ImageHashes) -> Option<LookedUp> {
        let place = self.0.iter().position(|(known, _)| known == hashes)?;
        self.0.remove(place).map(|(_, looked_up)| looked_up)
    }
}

/// Makes the verdict on a file, from its fingerprint and the result of looking up its picture.
fn verdict(fingerprint: &Fingerprint, filters: &[Filter], picture: LookedUp, dismissed: &[Dismissed]) -> Verdict {
    let (hashes, failure) = match &fingerprint.picture {
        Some(Ok(hashes)) => (Some(hashes), None),
        Some(Err(failure)) => (None, Some(failure)),
        None => (None, None),
    };
    let mut lookups = picture.lookups;
    let mut matches: Vec<Match> = Vec::new();
    for (filter, pdq) in filters.iter().zip(picture.matches) {
        let info = filter.info();
        let mut found = |signal, strength| {
            let (list, category) = (info.name.clone(), info.category.clone());
            // Keeps the strongest match first. Among equally strong matches, that of the filter added first comes
            // first.
            let place = matches.partition_point(|earlier| earlier.strength <= strength);
            matches.insert(place, Match { list, category, release: info.release, strength, signal });
        };
        let open =
            |signal: &MatchedSignal| !dismissed.iter().any(|it| it.signal == signal.name() && it.list == info.name);
        if let Some(sha256) = &fingerprint.sha256 {
            lookups += 1;
            if filter.holds_sha256(sha256) && open(&MatchedSignal::Sha256) {
                found(MatchedSignal::Sha256, Strength::ExactBytes);
            }
        }
        if let Some(md5) = &fingerprint.md5 {
            lookups += 1;
            if filter.holds_md5(md5) && open(&MatchedSignal::Md5) {
                found(MatchedSignal::Md5, Strength::ExactBytes);
            }
        }
        if let Some(pdq) = pdq {
            let all = pdq.rings.len() == info.rings as usize;
            found(MatchedSignal::Pdq(pdq), if all { Strength::AllRings } else { Strength::OneRing });
        }
    }

    let without = without_match(fingerprint, filters);
    let (outcome, if_not_listed) = if matches.is_empty() {
        (without, None)
    } else if dismissed.len() > MAX_DISMISSED {
        let detail = format!("candidates: expected at most {MAX_DISMISSED} chance hits, got more");
        (Outcome::Unchecked { reason: UncheckedReason::TooManyCandidates, detail }, None)
    } else {
        (Outcome::PossibleMatch { matches }, Some(without).filter(|outcome| *outcome != Outcome::Clear))
    };
    let caveats = hashes.map(|hashes| caveats(hashes, filters)).unwrap_or_default();
    let first = hashes.map(|hashes| &hashes.frames[0].views[0]);
    Verdict {
        if_not_listed,
        caveat: caveats.first().copied(),
        caveats: if caveats.len() > 1 { caveats } else { Vec::new() },
        pdq: first.map(|hash| hash.coefficients.hash()),
        quality: first.map(|hash| hash.quality),
        sha256: fingerprint.sha256,
        md5: fingerprint.md5,
        format: hashes.map(|hashes| hashes.format).or(failure.and_then(|failure| failure.format)),
        width: hashes.map(|hashes| hashes.width),
        height: hashes.map(|hashes| hashes.height),
        decoded_by: hashes.map(|hashes| hashes.decoded_by),
        second_reading_by: hashes.and_then(|hashes| hashes.second_reading_by),
        frames: hashes.map(|hashes| hashes.frame_count),
        lookups,
        ..Verdict::bare(outcome)
    }
}

/// Returns the caveats of a picture, the gravest first.
fn caveats(hashes: &ImageHashes, filters: &[Filter]) -> Vec<Caveat> {
    let unread = hashes.not_ordinary.as_ref().and_then(|reason| reason.caveat());
    let low_detail = best_quality(hashes) < MIN_QUALITY && wanted(filters, ViewSet::All).pdq;
    let mut caveats = hashes.caveats.clone();
    caveats.extend(unread);
    caveats.extend(low_detail.then_some(Caveat::LowDetail));
    caveats.sort_unstable();
    caveats.dedup();
    caveats
}

fn best_quality(hashes: &ImageHashes) -> u8 {
    hashes.frames.iter().flat_map(|frame| &frame.views).map(|hash| hash.quality).max().unwrap_or(0)
}

/// Returns the outcome for a file without a match. It is `clear` only if every signal that the filters hold was looked
/// up, and `unchecked` otherwise.
fn without_match(fingerprint: &Fingerprint, filters: &[Filter]) -> Outcome {
    let wanted = wanted(filters, ViewSet::All);
    if filters.is_empty() {
        return Outcome::unchecked(UncheckedReason::Incomplete, "no filter is loaded".into());
    }
    if wanted.sha256 && fingerprint.sha256.is_none() || wanted.md5 && fingerprint.md5.is_none() {
        return Outcome::unchecked(UncheckedReason::Incomplete, "a digest that a filter holds was not computed".into());
    }
    match &fingerprint.picture {
        _ if !wanted.pdq => Outcome::Clear,
        None => Outcome::unchecked(UncheckedReason::Incomplete, "the PDQ hash was not computed".into()),
        Some(Err(failure)) => Outcome::unchecked(failure.reason, failure.detail.clone()),
        Some(Ok(hashes)) => match &hashes.damaged {
            // The raster pictures inside an SVG were looked up. The drawing itself can't be.
            Some(detail) if hashes.format == Format::Svg => {
                Outcome::unchecked(UncheckedReason::UnsupportedPicture, detail.clone())
            }
            Some(detail) => Outcome::unchecked(UncheckedReason::Unreadable, detail.clone()),
            None if hashes.frames_skipped > 0 => {
                let (skipped, count) = (hashes.frames_skipped, hashes.frame_count);
                let detail = format!("frames: expected to reach all {count} within the limits, {skipped} were not");
                Outcome::unchecked(UncheckedReason::TooLarge, detail)
            }
            None => Outcome::Clear,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::DecodedBy;
    use crate::signal::pdq::{Luma, Plane};
    use crate::signal::views;

    fn picture(shade: f32) -> ImageHashes {
        let cells = (0..4096).map(|at| shade * ((at * at) % 251) as f32).collect();
        let plane = Plane { width: 64, height: 64, block_width: 1, block_height: 1, cells };
        let views = views::of(&Luma::from_plane(plane), ViewSet::Plain);
        ImageHashes::of_frame(64, 64, DecodedBy::LowTerms, views)
    }

    #[test]
    fn an_early_lookup_is_used_once_and_makes_way() {
        let print = |hashes| Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashes)) };
        let mut lookup = Lookup::default();
        for times in 1..=3 {
            lookup.look_up_early(picture(1.0));
            lookup.look_up_early(picture(0.5));
            assert_eq!(lookup.cache.0.len(), 2, "after {times} times");
        }
        let _ = lookup.look_up(&print(picture(0.7)));
        assert_eq!(lookup.cache.0.len(), 2);
        let _ = lookup.look_up(&print(picture(1.0)));
        assert_eq!(lookup.cache.0.len(), 1);
        lookup.set_orientations(Orientations::Upright);
        assert_eq!(lookup.cache.0.len(), 0, "results in other orientations");
        for step in 0..100 {
            lookup.look_up_early(picture(1.0 + step as f32));
        }
        assert_eq!(lookup.cache.0.len(), LookupCache::MOST);
    }
}
