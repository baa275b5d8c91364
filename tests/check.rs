//! Verdicts: how a lookup goes on past chance hits, what a second reading changes, and which caveats are given.
#![cfg(feature = "build")]

use hashgate::confirm::{Index, REST};
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::filter::ring_key;
use hashgate::image::{BrowserPicture, Caveat, DecodedBy, Format, NotOrdinary, Picture};
use hashgate::pdq::{Orientation, PdqHash};
use hashgate::{
    Dismissed, Failure, Filter, Fingerprint, ImageHashes, Limits, Lookup, MAX_DISMISSED, Match, Orientations, Outcome,
    Reading, UncheckedReason, Verdict, ViewSet, check,
};
use hashgate_testkit::numbered_hash;

const SIDE: usize = 160;

/// Draws the pixels of a picture of patches of 16 x 16 pixels, whose shades depend on `seed` and rise within a patch, so
/// that no part is flat.
fn pixels(seed: u32) -> Vec<u8> {
    let shade = |at: usize| {
        let patch = (at % SIDE / 16 * 31 + at / SIDE / 16) as u32;
        let first = Sha256Digest::of(&[seed.to_le_bytes(), patch.to_le_bytes()].concat()).0[0];
        first / 2 + (at % SIDE % 16 + at / SIDE % 16) as u8 * 4
    };
    (0..SIDE * SIDE).flat_map(|at| [shade(at), shade(at), shade(at), 255]).collect()
}

/// A picture with one frame per seed.
fn picture(seeds: &[u32]) -> Picture {
    let size = (SIDE as u32, SIDE as u32);
    let mut picture = BrowserPicture::new(Format::Avif, size, seeds.len() as u32, &Limits::default()).unwrap();
    for (index, &seed) in (0..).zip(seeds) {
        picture.push_rows(&pixels(seed));
        picture.end_frame(index).unwrap();
    }
    picture.finish().unwrap()
}

fn hashes(seeds: &[u32], views: ViewSet) -> ImageHashes {
    ImageHashes::of(&picture(seeds), views)
}

fn print(hashes: ImageHashes) -> Fingerprint {
    Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashes)) }
}

/// Returns the PDQ hash of the picture of `seed` in another orientation.
fn hash(seed: u32, orientation: Orientation) -> PdqHash {
    hashes(&[seed], ViewSet::Plain).frames[0].views[0].coefficients.oriented(orientation).hash()
}

/// Makes a listed hash that shares ring key `ring` with `hash` but is far from it otherwise. The filter therefore
/// matches `hash` by chance, and a confirm service says that `hash` isn't listed.
fn chance(hash: PdqHash, ring: u32, number: u32) -> PdqHash {
    let other = numbered_hash(number);
    let mut made = other;
    for at in 0..256 {
        let mut flipped = PdqHash([0; 32]);
        flipped.0[31 - at / 8] = 1 << (at % 8);
        if ring_key(&flipped, ring, 64) != 0 && hash.bit(at) != other.bit(at) {
            made.0[31 - at / 8] ^= 1 << (at % 8);
        }
    }
    assert_eq!(ring_key(&made, ring, 64), ring_key(&hash, ring, 64));
    made
}

fn filter(name: &str, pdq: &[PdqHash]) -> Filter {
    let entries = Entries { pdq: pdq.to_vec(), ..Entries::default() };
    let request = Request::new(name, "drawn");
    Filter::open(write(&request, &Plan::new(&request, &entries).unwrap(), &entries).unwrap()).unwrap()
}

/// Answers whether a match is really listed, as a confirm service does with the raw list.
fn is_listed(index: &Index, found: &Match) -> bool {
    let pdq = found.pdq().expect("a list of PDQ hashes");
    let shares_ring = index.same_ring(&pdq.pdq, pdq.ring).is_some_and(|found| found.distance <= REST);
    index.nearest(&pdq.pdq).is_some() || shares_ring
}

/// Looks a fingerprint up. As long as no match is listed, dismisses the matches and continues the lookup, until no
/// match is left. Returns the last verdict and all matches.
fn confirmed(lookup: &mut Lookup, print: &Fingerprint, is_listed: impl Fn(&Match) -> bool) -> (Verdict, Vec<Match>) {
    let mut asked: Vec<Match> = Vec::new();
    let mut verdict = lookup.look_up(print);
    while let Outcome::PossibleMatch { matches } = &verdict.outcome {
        if matches.iter().any(&is_listed) {
            break;
        }
        assert!(asked.len() <= MAX_DISMISSED + 1, "the lookup doesn't end");
        assert!(matches.iter().all(|found| !asked.contains(found)), "the same question twice: {matches:?}");
        asked.extend(matches.iter().cloned());
        let dismissed: Vec<_> = asked.iter().map(Dismissed::from).collect();
        verdict = lookup.look_up_past(print, &dismissed);
    }
    (verdict, asked)
}

#[test]
fn a_chance_hit_in_a_frame_does_not_hide_a_listed_frame() {
    let clean = hash(1, Orientation::Original);
    let pdq = [chance(clean, 0, 900), hash(2, Orientation::Original)];
    let mut lookup = Lookup::new(vec![filter("demo", &pdq)], Orientations::All);
    let index = Index::new(&pdq);
    let (verdict, asked) =
        confirmed(&mut lookup, &print(hashes(&[1, 2], ViewSet::All)), |found| is_listed(&index, found));
    let Outcome::PossibleMatch { matches } = &verdict.outcome else { panic!("{verdict:?}") };
    assert_eq!(matches[0].pdq().unwrap().frame, 1);
    assert!(!asked.is_empty());
    // This file lacks the listed frame. It has chance hits only, and is clear once they are dismissed.
    let (verdict, asked) =
        confirmed(&mut lookup, &print(hashes(&[1, 3], ViewSet::All)), |found| is_listed(&index, found));
    assert_eq!(verdict.outcome, Outcome::Clear);
    assert!(!asked.is_empty());
}

#[test]
fn a_lookup_goes_on_in_the_same_view_and_in_other_views_rings_orientations_and_lists() {
    let upright = hash(1, Orientation::Original);
    let turned = hash(1, Orientation::Rotate90);
    // The first list has three hashes that match by chance: two share ring key 0, one of the upright and one of the
    // turned picture; the third shares ring key 1.
    let chances = [chance(upright, 0, 900), chance(upright, 1, 901), chance(turned, 0, 902)];
    let (first, second) = (filter("first", &chances), filter("second", &[chance(upright, 0, 903), turned]));
    let mut lookup = Lookup::new(vec![first, second], Orientations::All);
    let indices = [Index::new(&chances), Index::new(&[chance(upright, 0, 903), turned])];
    let of = |found: &Match| &indices[usize::from(found.list == "second")];
    let print = print(hashes(&[1], ViewSet::Plain));
    let (verdict, asked) = confirmed(&mut lookup, &print, |found| is_listed(of(found), found));
    let Outcome::PossibleMatch { matches } = &verdict.outcome else { panic!("{verdict:?}") };
    let listed: Vec<_> = matches.iter().filter(|found| is_listed(of(found), found)).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].list.as_str(), listed[0].pdq().unwrap().orientation), ("second", Orientation::Rotate90));
    let candidates = asked.iter().chain(matches).filter(|found| found.list == "first");
    let rings: Vec<_> = candidates.map(|found| found.pdq().unwrap().ring).collect();
    assert!(rings.contains(&0) && rings.contains(&1), "{rings:?}");
}

#[test]
fn equal_frames_are_one_question() {
    let clean = hash(1, Orientation::Original);
    let pdq = [chance(clean, 0, 900)];
    let mut lookup = Lookup::new(vec![filter("demo", &pdq)], Orientations::Upright);
    let once = confirmed(&mut lookup, &print(hashes(&[1], ViewSet::Plain)), |_| false);
    let often = confirmed(&mut lookup, &print(hashes(&[1; 12], ViewSet::Plain)), |_| false);
    assert_eq!((once.0.outcome, often.0.outcome), (Outcome::Clear, Outcome::Clear));
    assert_eq!(once.1.len(), often.1.len());
}

#[test]
fn one_ring_of_a_picture_with_little_detail_says_too_little() {
    // A page: a few dark bars on white, as lines of a letter are.
    let page = |seed: u32| {
        let bar = |at: usize| {
            let (x, y) = (at % SIDE, at / SIDE);
            let digest = Sha256Digest::of(&[seed.to_le_bytes(), (y as u32 / 8).to_le_bytes()].concat()).0;
            y % 8 < 4 && y / 8 % 4 == 0 && (16..16 + usize::from(digest[0]) / 2).contains(&x)
        };
        let pixels: Vec<u8> =
            (0..SIDE * SIDE).flat_map(|at| if bar(at) { [20, 20, 20, 255] } else { [255; 4] }).collect();
        let mut picture = BrowserPicture::new(Format::Avif, (SIDE as u32, SIDE as u32), 1, &Limits::default()).unwrap();
        picture.push_rows(&pixels);
        picture.end_frame(0).unwrap();
        ImageHashes::of(&picture.finish().unwrap(), ViewSet::Plain)
    };
    let outcome = |listed: PdqHash, asked: &ImageHashes| {
        Lookup::new(vec![filter("Demo", &[listed])], Orientations::All).look_up(&print(asked.clone())).outcome
    };
    let of = |hashes: &ImageHashes| hashes.frames[0].views[0].coefficients.hash();
    let (page, photograph) = (page(1), hashes(&[1], ViewSet::Plain));
    assert!(page.frames[0].views[0].quality >= 50, "else nothing is looked up");
    let is_match = |outcome| matches!(outcome, Outcome::PossibleMatch { .. });
    assert!(is_match(outcome(of(&page), &page)), "a listed page matches itself");
    for ring in 0..2 {
        assert!(is_match(outcome(chance(of(&photograph), ring, 1), &photograph)), "ring {ring}: an edited photograph");
        assert!(!is_match(outcome(chance(of(&page), ring, 1), &page)), "ring {ring}: another page of the same outline");
    }
}

#[test]
fn too_many_chance_hits_are_not_clear() {
    // Inserts far more hashes than the geometry was planned for, so that nearly every picture hits many times by
    // chance.
    let few = Entries { pdq: (0..20).map(numbered_hash).collect(), ..Entries::default() };
    let many = Entries { pdq: (0..70).map(numbered_hash).collect(), ..Entries::default() };
    let request = Request::new("demo", "drawn");
    let file = write(&request, &Plan::new(&request, &few).unwrap(), &many).unwrap();
    let mut lookup = Lookup::new(vec![Filter::open(file).unwrap()], Orientations::All);
    let (verdict, asked) = confirmed(&mut lookup, &print(hashes(&[1], ViewSet::All)), |_| false);
    let Outcome::Unchecked { reason, .. } = verdict.outcome else { panic!("{verdict:?}") };
    assert_eq!(reason, UncheckedReason::TooManyCandidates);
    assert_eq!(asked.len(), MAX_DISMISSED + 1);
}

#[test]
fn a_dismissed_digest_leaves_the_picture_to_be_looked_up() {
    let bytes = b"not a picture, but listed by its bytes";
    let entries = Entries { pdq: vec![numbered_hash(1)], sha256: vec![Sha256Digest::of(bytes)], ..Entries::default() };
    let request = Request::new("demo", "drawn");
    let file = write(&request, &Plan::new(&request, &entries).unwrap(), &entries).unwrap();
    let mut lookup = Lookup::new(vec![Filter::open(file).unwrap()], Orientations::All);
    let print = hashgate::fingerprint(bytes, &Limits::default(), &lookup.wanted(ViewSet::All));
    let (verdict, asked) = confirmed(&mut lookup, &print, |_| false);
    assert_eq!(asked.len(), 1);
    assert!(matches!(verdict.outcome, Outcome::Unchecked { reason: UncheckedReason::NotAPicture, .. }), "{verdict:?}");
}

fn look_up(pdq: &[PdqHash], print: &Fingerprint) -> Verdict {
    hashgate::look_up(print, &[filter("demo", pdq)], Orientations::All)
}

fn odd(seed: u32) -> ImageHashes {
    let not_ordinary = Some(NotOrdinary::structure("it was drawn so"));
    ImageHashes { decoded_by: DecodedBy::General, not_ordinary, ..hashes(&[seed], ViewSet::Plain) }
}

fn unreadable() -> Failure {
    Failure::new(UncheckedReason::Unreadable, Some(Format::Png), "it ends early")
}

#[test]
fn a_match_in_either_reading_counts() {
    let [first, second] = [1, 2].map(|seed| hash(seed, Orientation::Original));
    let print = print(odd(1));
    assert!(print.needs_second_reading().is_some());
    let both = print.clone().with_second_reading(Ok(hashes(&[2], ViewSet::Plain)));
    assert_eq!(both.needs_second_reading(), None);
    for (listed, reading) in [(first, Reading::First), (second, Reading::Second)] {
        let verdict = look_up(&[listed], &both);
        let Outcome::PossibleMatch { matches } = &verdict.outcome else { panic!("{verdict:?}") };
        assert_eq!(matches[0].pdq().unwrap().reading, reading);
    }
    let clear = look_up(&[numbered_hash(1)], &both);
    assert_eq!((clear.outcome, clear.caveat), (Outcome::Clear, None));
    assert_eq!((clear.decoded_by, clear.second_reading_by), (Some(DecodedBy::General), Some(DecodedBy::Browser)));
    // A fingerprint is serialised when another worker looks it up. This must not change the fingerprint.
    assert_eq!(Fingerprint::from_bytes(&both.to_bytes()), Ok(both));
}

#[test]
fn without_a_second_reading_there_is_a_caveat() {
    let alone = look_up(&[numbered_hash(1)], &print(odd(1)));
    let failed = look_up(&[numbered_hash(1)], &print(odd(1)).with_second_reading(Err(unreadable())));
    for verdict in [alone, failed] {
        assert_eq!((verdict.outcome, verdict.caveat), (Outcome::Clear, Some(Caveat::OneReading)));
        assert_eq!(verdict.caveats, [], "one caveat alone isn't listed again");
    }
}

#[test]
fn the_second_reading_stands_in_for_one_that_failed() {
    let failed = Fingerprint { sha256: None, md5: None, picture: Some(Err(unreadable())) };
    assert!(failed.needs_second_reading().is_some());
    let read = failed.clone().with_second_reading(Ok(hashes(&[2], ViewSet::Plain)));
    let verdict = look_up(&[numbered_hash(1)], &read);
    assert_eq!((verdict.outcome, verdict.caveat), (Outcome::Clear, Some(Caveat::Malformed)));
    let verdict = look_up(&[hash(2, Orientation::Original)], &read);
    assert!(matches!(verdict.outcome, Outcome::PossibleMatch { .. }));
    let partly = ImageHashes { damaged: Some("the last rows are missing".into()), ..hashes(&[2], ViewSet::Plain) };
    let verdict = look_up(&[numbered_hash(1)], &failed.clone().with_second_reading(Ok(partly)));
    assert!(matches!(verdict.outcome, Outcome::Unchecked { reason: UncheckedReason::Unreadable, .. }), "{verdict:?}");
    let jpeg = Failure::new(UncheckedReason::Unreadable, Some(Format::Jpeg), "it is cut");
    let jpeg = Fingerprint { sha256: None, md5: None, picture: Some(Err(jpeg)) };
    let shown = jpeg.with_second_reading(Ok(hashes(&[2], ViewSet::Plain)));
    let verdict = look_up(&[numbered_hash(1)], &shown);
    assert!(matches!(verdict.outcome, Outcome::Unchecked { reason: UncheckedReason::Unreadable, .. }), "{verdict:?}");
    let verdict = look_up(&[hash(2, Orientation::Original)], &shown);
    assert!(matches!(verdict.outcome, Outcome::PossibleMatch { .. }));
    let neither = failed.clone().with_second_reading(Err(unreadable()));
    assert_eq!(neither, failed);
}

#[test]
fn a_damaged_picture_can_match_but_is_never_clear() {
    let damaged = ImageHashes { damaged: Some("the last rows are missing".into()), ..hashes(&[1], ViewSet::Plain) };
    let is_unreadable =
        |outcome: &Outcome| matches!(outcome, Outcome::Unchecked { reason: UncheckedReason::Unreadable, .. });
    for second in [None, Some(hashes(&[1], ViewSet::Plain))] {
        let mut print = print(damaged.clone());
        if let Some(second) = second {
            print = print.with_second_reading(Ok(second));
        }
        let unknown = look_up(&[numbered_hash(1)], &print);
        assert!(is_unreadable(&unknown.outcome), "{unknown:?}");
        let listed = look_up(&[hash(1, Orientation::Original)], &print);
        assert!(matches!(listed.outcome, Outcome::PossibleMatch { .. }), "{listed:?}");
        assert!(is_unreadable(&listed.if_not_listed.unwrap()));
    }
}

/// A BMP of one colour.
fn flat() -> Vec<u8> {
    let mut file = b"BM".to_vec();
    for word in [(54 + 3 * SIDE * SIDE) as u32, 0, 54, 40, SIDE as u32, SIDE as u32, 24 << 16 | 1, 0, 0, 0, 0, 0, 0] {
        file.extend(word.to_le_bytes());
    }
    file.resize(54 + 3 * SIDE * SIDE, 90);
    file
}

#[test]
fn too_little_detail_is_clear_with_a_caveat() {
    let verdict = |entries: Entries| {
        let request = Request::new("demo", "drawn");
        let file = write(&request, &Plan::new(&request, &entries).unwrap(), &entries).unwrap();
        check(&flat(), &[Filter::open(file).unwrap()], &Limits::default(), ViewSet::All, Orientations::All)
    };
    let pdq = vec![numbered_hash(1)];
    let by_pdq = verdict(Entries { pdq: pdq.clone(), ..Entries::default() });
    assert_eq!((by_pdq.outcome, by_pdq.caveat), (Outcome::Clear, Some(Caveat::LowDetail)));
    let sha256 = vec![Sha256Digest::of(&flat())];
    let by_bytes = verdict(Entries { pdq, sha256, ..Entries::default() });
    assert!(matches!(by_bytes.outcome, Outcome::PossibleMatch { .. }));
    assert_eq!((by_bytes.if_not_listed, by_bytes.caveat), (None, Some(Caveat::LowDetail)));
    // A list of digests alone needs no PDQ hash, so there is no caveat.
    let digests = verdict(Entries { sha256: vec![Sha256Digest::of(b"another file")], ..Entries::default() });
    assert_eq!((digests.outcome, digests.caveat), (Outcome::Clear, None));
}

#[test]
fn the_gravest_caveat_comes_first() {
    let mut odd = odd(1);
    odd.caveats = vec![Caveat::Malformed, Caveat::FramesSampled];
    let verdict = look_up(&[numbered_hash(1)], &print(odd));
    assert_eq!(verdict.caveat, Some(Caveat::OneReading));
    assert_eq!(verdict.caveats, [Caveat::OneReading, Caveat::FramesSampled, Caveat::Malformed]);
}

#[test]
fn a_match_that_crossed_as_json_can_be_dismissed() {
    let clean = hash(1, Orientation::Original);
    let lookup = |print: &Fingerprint, dismissed: &[Dismissed]| {
        Lookup::new(vec![filter("demo", &[chance(clean, 0, 900)])], Orientations::Upright)
            .look_up_past(print, dismissed)
    };
    let print = print(hashes(&[1], ViewSet::Plain));
    let verdict = lookup(&print, &[]);
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!((&json["outcome"], &json["matches"][0]["signal"]), (&"possible-match".into(), &"pdq".into()));
    assert_eq!(json["matches"][0]["strength"], "one-ring");
    let dismissed: Vec<Dismissed> = serde_json::from_value(json["matches"].clone()).unwrap();
    let Outcome::PossibleMatch { matches } = &verdict.outcome else { panic!("{verdict:?}") };
    assert_eq!(dismissed, matches.iter().map(Dismissed::from).collect::<Vec<_>>());
    assert_eq!(lookup(&print, &dismissed).outcome, Outcome::Clear);
}

#[test]
fn the_json_of_a_plainly_clear_verdict_has_no_more_than_is_known() {
    let json = serde_json::to_value(look_up(&[numbered_hash(1)], &print(hashes(&[1], ViewSet::Plain)))).unwrap();
    let fields: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let known = ["decodedBy", "format", "frames", "height", "lookups", "outcome", "pdq", "quality", "width"];
    assert_eq!(fields, known);
}
