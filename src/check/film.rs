//! The rule for films: whether the frames of a film that matched are enough to hold it, or may be chance hits.
//!
//! Neighbouring frames look alike, so chance hits come in bursts. The rule therefore doesn't count frames but distinct
//! listed keys. It compares their number with the number that chance gives in a film of as many frames (the tail of a
//! Poisson distribution). A still film has at most one chance hit, however long it is.

use serde::Serialize;

use super::verdict::{Match, MatchedSignal, PdqMatch, Strength, Verdict};
use crate::filter::Filter;
use crate::image::Caveat;

/// Two keys of frames whose hashes differ in at most this many bits count as one key. 31 is PDQ's threshold for a
/// match.
pub const APART_BITS: u32 = 31;
/// Two keys of frames that are less than this many seconds apart count as one.
pub const APART_S: f64 = 1.0;
/// Matches that are at most this many seconds apart belong to one range.
pub const JOIN_S: f64 = 2.5;
/// Largest accepted probability that a clean film is held, unless the list's own image false-positive rate is higher.
pub const FILM_RATE: f64 = 1e-4;
/// The fewest distinct keys that hold a film, unless the host asks for another number. One key is never enough: it may
/// come from a frame that many films share, such as a title.
pub const MIN_DISTINCT: u32 = 2;
/// Largest number of distinct keys that are stored per list.
const MOST_KEYS: usize = 64;

/// A frame that matched, and was the first to match with its key.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FrameMatch {
    /// Its time in seconds.
    pub at_s: f64,
    /// How much the match says.
    pub strength: Strength,
    /// How its PDQ hash matched.
    #[serde(flatten)]
    pub pdq: PdqMatch,
}

/// The matches of a film with one list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilmMatch {
    /// The best match among those of all frames. Its strength becomes `several-frames` if the frames matched two or more
    /// different listed hashes.
    #[serde(flatten)]
    pub best: Match,
    /// How many distinct listed keys matched.
    pub distinct_keys: u32,
    /// One frame per distinct key. At most 64.
    pub frames: Vec<FrameMatch>,
    /// The stretches in seconds in which frames matched.
    pub ranges: Vec<(f64, f64)>,
    /// The probability that a clean film with as many comparable frames has so many distinct keys.
    pub chance: f64,
}

/// Collects the verdicts on the frames of a film, and decides whether the film is held.
///
/// # Examples
/// ```
/// use hashgate::check::film::FilmJudge;
/// use hashgate::{Filter, Limits, Orientations, ViewSet, check};
///
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
/// let lists = [Filter::open(std::fs::read(format!("{folder}/filter-v2.hgf"))?)?];
/// let frame = std::fs::read(format!("{folder}/png-rgb-8.png"))?;
/// let mut judge = FilmJudge::new(&lists, 2);
/// judge.add(0.0, &check(&frame, &lists, &Limits::default(), ViewSet::All, Orientations::All));
/// assert!(!judge.is_held() && judge.matches().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FilmJudge {
    rates: Vec<(String, f64)>,
    min_distinct: u32,
    frames: u64,
    low_detail: u64,
    lists: Vec<FilmMatch>,
}

impl FilmJudge {
    /// Begins a film that is looked up in `filters`. `min_distinct` is the fewest distinct keys that hold the film. If
    /// it is 1, a single frame that matches holds the film, even if it may match by chance.
    #[must_use]
    pub fn new(filters: &[Filter], min_distinct: u32) -> Self {
        let rate = |filter: &Filter| (filter.info().name.clone(), filter.info().image_false_positive_rate());
        let rates = filters.iter().map(rate).collect();
        Self { rates, min_distinct: min_distinct.max(1), frames: 0, low_detail: 0, lists: Vec::new() }
    }

    /// Adds the verdict on a frame, shown at `at_s` seconds. The frames may come in any order. Returns whether the
    /// frame has a key that is distinct from those before.
    pub fn add(&mut self, at_s: f64, verdict: &Verdict) -> bool {
        let low = verdict.caveat == Some(Caveat::LowDetail) || verdict.caveats.contains(&Caveat::LowDetail);
        self.count(low);
        let mut is_new = false;
        for found in verdict.matches() {
            is_new |= self.hit(at_s, found);
        }
        is_new
    }

    /// Counts a frame that was looked up, or that has too little detail to be looked up.
    pub fn count(&mut self, low_detail: bool) {
        self.frames += 1;
        self.low_detail += u64::from(low_detail);
    }

    fn hit(&mut self, at_s: f64, found: &Match) -> bool {
        let MatchedSignal::Pdq(pdq) = &found.signal else { return false };
        let frame = FrameMatch { at_s, strength: found.strength, pdq: pdq.clone() };
        let Some(list) = self.lists.iter_mut().find(|list| list.best.list == found.list) else {
            self.lists.push(FilmMatch {
                best: found.clone(),
                distinct_keys: 1,
                frames: vec![frame],
                ranges: vec![(at_s, at_s)],
                chance: 1.0,
            });
            return true;
        };
        widen(&mut list.ranges, at_s);
        if found.strength < list.best.strength {
            list.best = found.clone();
        }
        let new = list.frames.len() < MOST_KEYS && list.frames.iter().all(|other| is_distinct(other, &frame));
        if new {
            list.frames.push(frame);
            list.distinct_keys += 1;
        }
        new
    }

    /// Returns the number of frames, and how many of them have too little detail to be compared.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.frames, self.low_detail)
    }

    /// Returns whether no frame has enough detail to be compared. Nothing is then known about the film.
    #[must_use]
    pub fn is_all_low_detail(&self) -> bool {
        self.frames == self.low_detail
    }

    fn rate(&self, list: &str) -> f64 {
        self.rates.iter().find(|(name, _)| name == list).map_or(1.0, |&(_, rate)| rate)
    }

    fn chance(&self, list: &FilmMatch) -> f64 {
        poisson_tail(list.distinct_keys, (self.frames - self.low_detail) as f64 * self.rate(&list.best.list))
    }

    /// Returns whether the film is held: on one of the lists, enough distinct keys match, and their number is larger
    /// than chance explains.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.lists.iter().any(|list| {
            let enough = list.distinct_keys >= self.min_distinct;
            let allowed = self.rate(&list.best.list).max(FILM_RATE);
            enough && (self.min_distinct == 1 || self.chance(list) < allowed)
        })
    }

    /// Returns the matches with each list, the one with the smallest probability of chance first. Returns none if no
    /// frame matched. If the film isn't held, the matches may be chance.
    #[must_use]
    pub fn matches(&self) -> Vec<FilmMatch> {
        let mut matches = self.lists.clone();
        for list in &mut matches {
            list.chance = self.chance(list);
            if list.distinct_keys > 1 {
                list.best.strength = Strength::SeveralFrames;
            }
        }
        matches.sort_by(|one, other| one.chance.total_cmp(&other.chance));
        matches
    }
}

fn is_distinct(one: &FrameMatch, other: &FrameMatch) -> bool {
    one.pdq.ring_key != other.pdq.ring_key
        && (one.at_s - other.at_s).abs() >= APART_S
        && one.pdq.pdq.distance(&other.pdq.pdq) > APART_BITS
}

/// Adds a time to sorted ranges: widens a range, joins two ranges, or inserts a new one.
fn widen(ranges: &mut Vec<(f64, f64)>, at_s: f64) {
    let place = ranges.partition_point(|&(_, to)| to + JOIN_S < at_s);
    match ranges.get_mut(place) {
        Some(range) if range.0 - JOIN_S <= at_s => {
            *range = (range.0.min(at_s), range.1.max(at_s));
            let (_, to) = *range;
            if let Some(&(from, end)) = ranges.get(place + 1)
                && from - JOIN_S <= to
            {
                ranges[place].1 = end.max(to);
                ranges.remove(place + 1);
            }
        }
        _ => ranges.insert(place, (at_s, at_s)),
    }
}

/// Returns the probability of at least `least` independent events if `mean` events are expected.
#[must_use]
pub fn poisson_tail(least: u32, mean: f64) -> f64 {
    if least == 0 || mean.is_nan() {
        return 1.0;
    }
    // Sums whichever side of the distribution is smaller, so that a small probability keeps its precision.
    let upper = f64::from(least) > mean;
    let mut term = (-mean).exp();
    let mut sum = if upper { 0.0 } else { term };
    for count in 1.. {
        term *= mean / f64::from(count);
        if upper && count >= least {
            sum += term;
            if term <= sum * f64::EPSILON {
                return sum;
            }
        } else if !upper {
            if count >= least {
                return (1.0 - sum).max(0.0);
            }
            sum += term;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        // Expected values by the definition: 1 minus the terms below `least`, or the sum of thirty terms from `least`
        // on.
        for (least, mean, wanted) in [
            (1, 0.0108, 1.074_19e-2),
            (2, 0.0108, 5.790_18e-5),
            (3, 0.09, 1.135_868e-4),
            (5, 6.6, 7.872_964e-1),
            (10, 0.5, 1.709_67e-10),
            (1, 0.0, 0.0),
            (3, 1e6, 1.0),
        ] {
            let got = poisson_tail(least, mean);
            assert!((got - wanted).abs() <= wanted * 1e-4, "{least} of {mean}: expected {wanted:e}, got {got:e}");
        }
    }

    #[test]
    fn ranges_join_in_any_order() {
        let mut ranges = Vec::new();
        for at_s in [10.0, 0.0, 20.0, 2.0, 4.5, 15.0, 12.4] {
            widen(&mut ranges, at_s);
        }
        assert_eq!(ranges, [(0.0, 4.5), (10.0, 12.4), (15.0, 15.0), (20.0, 20.0)]);
        widen(&mut ranges, 17.5);
        assert_eq!(ranges, [(0.0, 4.5), (10.0, 12.4), (15.0, 20.0)]);
        widen(&mut ranges, 7.0);
        assert_eq!(ranges, [(0.0, 7.0), (10.0, 12.4), (15.0, 20.0)]);
    }
}
