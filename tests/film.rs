//! Checks that the rule for films doesn't hold clean films because of chance hits, neither long films nor films in
//! which little moves.
#![cfg(feature = "build")]

use hashgate::check::film::{FILM_RATE, FilmJudge, poisson_tail};
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::image::{DecodedBy, Surface};
use hashgate::pdq::{LumaBuilder, Orientation, PdqHash};
use hashgate::{
    Filter, Fingerprint, ImageHashes, Match, MatchedSignal, Orientations, Outcome, PdqMatch, Reading, Strength,
    UncheckedReason, Verdict, View, ViewSet, look_up, views,
};
use hashgate_testkit::{Random, numbered_hash};

const SIDE: u32 = 64;

/// Checks one frame of a scene: large patches that depend on `scene`, and a little noise that depends on `noise`.
fn frame(filters: &[Filter], scene: u64, noise: u64, views: ViewSet) -> Verdict {
    let (mut shades, mut grain) = (Random::new(scene), Random::new(noise));
    // Shades rise within a patch, so that no part is flat: in a flat picture, one ring would be no match.
    let patches: Vec<u8> = (0..64).map(|_| shades.bits() as u8 / 2).collect();
    let mut builder = LumaBuilder::new(SIDE, SIDE);
    for y in 0..SIDE {
        let row = |x: u32| patches[(y / 8 * 8 + x / 8) as usize] + (x % 8 + y % 8) as u8 * 4 + grain.below(3) as u8;
        builder.push_grey(y, &(0..SIDE).map(row).collect::<Vec<_>>());
    }
    let views = views::of(&builder.finish(), views);
    let hashes = ImageHashes::of_frame(SIDE, SIDE, DecodedBy::Native, views);
    let print = Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashes)) };
    look_up(&print, filters, Orientations::All)
}

/// A list of random hashes.
fn list(hashes: u32, rate: f64) -> [Filter; 1] {
    let request = Request::new("chance", "test").with_image_false_positive_rate(rate);
    let mut entries = Entries { pdq: (0..hashes).map(numbered_hash).collect(), ..Entries::default() };
    entries.normalise();
    let plan = Plan::new(&request, &entries).unwrap();
    [Filter::open(write(&request, &plan, &entries).unwrap()).unwrap()]
}

/// Checks a film of `scenes` scenes. Each scene has two frames, one second apart.
fn film(filters: &[Filter], first: u64, scenes: u64) -> FilmJudge {
    let mut judge = FilmJudge::new(filters, 2);
    for scene in first..first + scenes {
        for again in 0..2 {
            let verdict = frame(filters, scene, scene * 2 + again, ViewSet::All);
            judge.add(((scene - first) * 2 + again) as f64, &verdict);
        }
    }
    judge
}

/// Measures how often single clean frames hit by chance, and asserts that clean films have no more distinct keys than a
/// Poisson distribution with that rate predicts of as many frames. They may have half as many, because the two frames of
/// a scene can hit with one key; but grain moves some views, so they can also have two.
fn assert_poisson(rate: f64, sample: u64, films: u64, scenes: u64) {
    let filters = list(2_000, rate);
    let hits =
        (0..sample).filter(|&at| !frame(&filters, 1_000_000 + at, at, ViewSet::All).matches().is_empty()).count();
    let share = hits as f64 / sample as f64;
    assert!(hits > 0 && share <= rate * 1.5, "{hits} of {sample} frames by chance at a rate of {rate}");
    let (mut distinct, mut held) = (0, 0);
    for film_number in 0..films {
        let judge = film(&filters, film_number * scenes, scenes);
        distinct += judge.matches().first().map_or(0, |found| found.distinct_keys);
        held += u32::from(judge.is_held());
    }
    let count = (films * scenes * 2) as f64;
    let expected = count * share;
    // The expected count is itself measured on a sample, so the sample's own variance is added.
    let deviation = (expected + count * count * share / sample as f64).sqrt();
    let most = expected + 2.0 * deviation;
    assert!(
        distinct > 0 && f64::from(distinct) <= most,
        "expected {expected:.1} distinct keys or half, got {distinct}"
    );
    assert!(f64::from(held) <= films as f64 * rate.max(FILM_RATE) + 2.0, "{held} of {films} clean films held");
}

#[test]
fn distinct_keys_of_clean_films_are_those_of_chance_at_a_rate_of_a_tenth() {
    assert_poisson(0.1, 400, 10, 30);
}

#[test]
fn distinct_keys_of_clean_films_are_those_of_chance_at_a_rate_of_a_hundredth() {
    assert_poisson(0.01, 800, 8, 75);
}

#[test]
fn a_still_film_is_never_held_by_one_key() {
    let filters = list(2_000, 0.1);
    let scene = (0..1_000).find(|&scene| !frame(&filters, scene, 0, ViewSet::All).matches().is_empty());
    let scene = scene.expect("one of a thousand frames is a chance hit at a rate of a tenth");
    let mut judge = FilmJudge::new(&filters, 2);
    let hit = frame(&filters, scene, 0, ViewSet::All);
    (0..3_600).for_each(|second| {
        judge.add(f64::from(second), &hit);
    });
    let found = judge.matches().remove(0);
    assert_eq!((found.distinct_keys, found.frames.len()), (1, 1));
    assert_eq!(found.ranges, [(0.0, 3_599.0)]);
    assert_ne!(found.best.strength, Strength::SeveralFrames);
    assert!(!judge.is_held(), "an hour of one chance hit");
    // A host may ask that one distinct key suffices to hold a film.
    let mut strict = FilmJudge::new(&filters, 1);
    strict.add(0.0, &hit);
    assert!(strict.is_held());
}

/// Makes the match that a filter returns if it holds `key` as the first ring key of a frame.
fn chance_hit(key: u64) -> Match {
    let pdq = PdqMatch {
        orientation: Orientation::Original,
        view: View::Plain,
        frame: 0,
        surface: Surface::Plain,
        reading: Reading::First,
        ring: 0,
        rings: vec![0],
        flips: 3,
        cost: 9,
        pdq: PdqHash(Sha256Digest::of(&key.to_le_bytes()).0),
        ring_key: key,
    };
    let signal = MatchedSignal::Pdq(pdq);
    Match { list: "chance".into(), category: "test".into(), release: 1, strength: Strength::OneRing, signal }
}

fn verdict(matches: Vec<Match>) -> Verdict {
    let mut verdict = Verdict::unchecked(UncheckedReason::Incomplete, String::new());
    verdict.outcome = if matches.is_empty() { Outcome::Clear } else { Outcome::PossibleMatch { matches } };
    verdict
}

/// Simulates a clean film of two hours. Its chance hits come at random times, and each lasts for several frames.
fn two_hours(filters: &[Filter], rate: f64, random: &mut Random) -> FilmJudge {
    const FRAMES: u32 = 120 * 90;
    let mut judge = FilmJudge::new(filters, 2);
    let mut uniform = || (random.bits() >> 11) as f64 / (1u64 << 53) as f64;
    // The number of frames until the next hit, which is exponentially distributed.
    let mut at = -uniform().ln() / rate;
    for _ in 0..FRAMES {
        judge.count(false);
    }
    while at < f64::from(FRAMES) {
        let key = (uniform() * 1e15) as u64;
        for frame in 0..10 {
            judge.add((at + f64::from(frame)) / 1.5, &verdict(vec![chance_hit(key)]));
        }
        at -= uniform().ln() / rate;
    }
    judge
}

#[test]
fn two_hours_of_clean_film_are_held_less_often_than_the_list_says() {
    let filters = list(2_000, 1e-6);
    let mut random = Random::new(7);
    let films = 50_000;
    let mut held = 0;
    let mut hit = 0;
    for _ in 0..films {
        let judge = two_hours(&filters, 1e-6, &mut random);
        hit += u32::from(!judge.matches().is_empty());
        held += u32::from(judge.is_held());
    }
    // About one film in a hundred has a chance hit, and each hit lasts for several frames. A rule that counts frames
    // instead of distinct keys would hold these films.
    assert!((350..800).contains(&hit), "{hit} of {films} films have a hit");
    let allowed = f64::from(films) * FILM_RATE;
    assert!(f64::from(held) <= allowed + 2.0 * allowed.sqrt(), "{held} of {films} clean films held");
    assert!(poisson_tail(2, 120.0 * 90.0 * 1e-6) < FILM_RATE, "two keys are no chance in two hours");
}

#[test]
fn two_hours_of_clean_frames_are_clear_in_a_list_of_frames() {
    let filters = list(2_000, 1e-6);
    let mut judge = FilmJudge::new(&filters, 2);
    for at in 0..10_800 {
        judge.add(f64::from(at) / 1.5, &frame(&filters, at as u64, 0, ViewSet::Plain));
    }
    assert_eq!(judge.counts(), (10_800, 0));
    assert!(!judge.is_held());
}

#[test]
fn keys_hold_a_film_if_they_are_far_apart_in_bits_and_in_time() {
    let filters = list(2_000, 1e-6);
    let keys = |hits: &[(f64, u64)]| {
        let mut judge = FilmJudge::new(&filters, 2);
        for &(at_s, key) in hits {
            judge.add(at_s, &verdict(vec![chance_hit(key)]));
        }
        (judge.matches()[0].distinct_keys, judge.is_held())
    };
    assert_eq!(keys(&[(0.0, 1), (5.0, 2)]), (2, true));
    assert_eq!(keys(&[(0.0, 1), (0.5, 2)]), (1, false), "within a second");
    assert_eq!(keys(&[(0.0, 1), (0.5, 2), (5.0, 2)]), (2, true), "the second key again, later");
    assert_eq!(keys(&[(0.0, 1), (5.0, 1), (10.0, 1)]), (1, false), "one key");
    let mut near = chance_hit(2);
    if let (MatchedSignal::Pdq(near), MatchedSignal::Pdq(first)) = (&mut near.signal, &chance_hit(1).signal) {
        near.pdq = first.pdq;
        near.pdq.0[0] ^= 0xff;
    }
    let mut judge = FilmJudge::new(&filters, 2);
    judge.add(0.0, &verdict(vec![chance_hit(1)]));
    judge.add(5.0, &verdict(vec![near]));
    assert_eq!(judge.matches()[0].distinct_keys, 1, "eight bits apart");
}

#[test]
fn a_list_that_allows_much_asks_for_more_keys() {
    let keys_to_hold = |rate| {
        let filters = list(100, rate);
        let mut judge = FilmJudge::new(&filters, 2);
        (0..900).for_each(|_| judge.count(false)); // ten minutes
        (0..).find(|&key| {
            judge.add(key as f64 * 5.0, &verdict(vec![chance_hit(key)]));
            judge.is_held()
        })
    };
    assert_eq!(keys_to_hold(1e-6), Some(1), "the second key");
    assert_eq!(keys_to_hold(1e-4), Some(3), "the fourth");
}

#[test]
fn the_rule_is_that_of_the_table_that_the_gate_reads_too() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("vectors/film-rule.json")).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let count = |field: &str| case[field].as_u64().unwrap();
        let filters = list(100, case["rate"].as_f64().unwrap());
        let mut judge = FilmJudge::new(&filters, count("minDistinct") as u32);
        let hits = case["hits"].as_array().unwrap();
        (hits.len() as u64..count("frames")).for_each(|at| judge.count(at - (hits.len() as u64) < count("lowDetail")));
        for hit in hits {
            let mut found = chance_hit(hit[1].as_u64().unwrap());
            let digit = hit[2].as_str().unwrap();
            if let MatchedSignal::Pdq(pdq) = &mut found.signal {
                pdq.pdq = digit.repeat(64).parse().unwrap();
            }
            if hit[3] == "all-rings" {
                found.strength = Strength::AllRings;
            }
            judge.add(hit[0].as_f64().unwrap(), &verdict(vec![found]));
        }
        assert_eq!(judge.is_held(), case["held"] == true, "{name}");
        let matches = serde_json::to_value(judge.matches()).unwrap();
        let keys = matches[0]["distinctKeys"].as_u64().unwrap_or(0);
        assert_eq!(keys, count("distinctKeys"), "{name}");
        assert_eq!(matches[0]["strength"], case["strength"], "{name}");
        let ranges: Vec<(f64, f64)> = serde_json::from_value(case["ranges"].clone()).unwrap();
        assert_eq!(judge.matches().first().map(|found| found.ranges.clone()).unwrap_or_default(), ranges, "{name}");
    }
}
