//! Chooses the frames of a film that stand for it on a list.

use hashgate::confirm::HAMMING_THRESHOLD;
use hashgate::pdq::{MIN_QUALITY, PdqHash};

/// How the frames are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Every {
    /// By content: as few frames as possible so that every frame is near to a chosen one, at most two per second.
    Content,
    /// One frame per this many seconds, as vPDQ does.
    Seconds(f64),
}

/// A frame that was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    /// The time in seconds at which the frame is shown.
    pub at_s: f64,
    /// Its hash.
    pub pdq: PdqHash,
    /// Its quality, at least 50.
    pub quality: u8,
}

/// With the choice by content: the largest number of frames that are chosen per second.
const MOST_PER_SECOND: usize = 2;
/// How many of the last chosen frames a new frame is compared with. A film often returns to a scene after a cut, and
/// then needs no new frame.
const LOOK_BACK: usize = 64;

/// Returns the frames that stand for the film, out of all `frames` in their order. Leaves out frames of low quality.
#[must_use]
pub fn choose(frames: &[Chosen], every: Every) -> Vec<Chosen> {
    let frames: Vec<_> = frames.iter().filter(|frame| frame.quality >= MIN_QUALITY).copied().collect();
    if every != Every::Content {
        return frames;
    }
    let mut chosen: Vec<Chosen> = Vec::new();
    for second in frames.chunk_by(|one, next| one.at_s.floor() == next.at_s.floor()) {
        for _ in 0..MOST_PER_SECOND {
            let known = &chosen[chosen.len().saturating_sub(LOOK_BACK)..];
            let open: Vec<_> = second.iter().filter(|frame| !known.iter().any(|other| near(frame, other))).collect();
            let covers = |frame: &Chosen| open.iter().filter(|other| near(frame, other)).count();
            // If several frames are near to equally many others, takes the earliest of them.
            let Some(best) = open.iter().rev().max_by_key(|frame| covers(frame)) else { break };
            chosen.push(**best);
        }
    }
    chosen.sort_by(|one, other| one.at_s.total_cmp(&other.at_s));
    chosen
}

fn near(one: &Chosen, other: &Chosen) -> bool {
    one.pdq.distance(&other.pdq) <= HAMMING_THRESHOLD
}

/// Finds frames that several films share, such as logos, countdowns and titles. Returns, for each such frame, the index
/// of its film, the frame, and the index of the first other film with a frame near it.
#[must_use]
pub fn shared(films: &[Vec<Chosen>]) -> Vec<(usize, Chosen, usize)> {
    let mut found = Vec::new();
    for (film, frames) in films.iter().enumerate() {
        for frame in frames {
            let has = |other: &Vec<Chosen>| other.iter().any(|other| near(frame, other));
            let other = films.iter().enumerate().position(|(at, other)| at != film && has(other));
            found.extend(other.map(|other| (film, *frame, other)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame whose hash has its first `bits` bits set.
    fn frame(at_s: f64, bits: usize) -> Chosen {
        let mut pdq = PdqHash([0; 32]);
        (0..bits).for_each(|bit| pdq.0[bit / 8] |= 1 << (bit % 8));
        Chosen { at_s, pdq, quality: 100 }
    }

    #[test]
    fn few_frames_cover_a_slow_film_and_two_a_second_a_fast_one() {
        let slow: Vec<_> = (0..100).map(|at| frame(f64::from(at) / 10.0, at as usize)).collect();
        let chosen = choose(&slow, Every::Content);
        assert!((2..=6).contains(&chosen.len()), "{}", chosen.len());
        let covered = |frame: &&Chosen| chosen.iter().any(|other| near(frame, other));
        assert_eq!(slow.iter().filter(covered).count(), 100);
        let fast: Vec<_> = (0..30).map(|at| frame(f64::from(at) / 10.0, at as usize * 8 % 256)).collect();
        for second in choose(&fast, Every::Content).chunk_by(|one, other| one.at_s.floor() == other.at_s.floor()) {
            assert!(second.len() <= 2);
        }
        assert_eq!(choose(&fast, Every::Seconds(0.1)).len(), 30);
    }

    #[test]
    fn frames_of_low_quality_are_left_out() {
        let dull = Chosen { quality: 49, ..frame(0.0, 10) };
        assert!(choose(&[dull], Every::Content).is_empty() && choose(&[dull], Every::Seconds(1.0)).is_empty());
    }

    #[test]
    fn frames_of_two_films_are_found() {
        let films = [vec![frame(0.0, 0), frame(1.0, 200)], vec![frame(5.0, 20)], vec![frame(1.0, 100)]];
        assert_eq!(shared(&films), [(0, films[0][0], 1), (1, films[1][0], 0)]);
    }
}
