//! Builds filters and looks hashes up in them.
#![cfg(feature = "build")]

use hashgate::UncheckedReason;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::image::Format;
use hashgate::pdq::PdqHash;
use hashgate::{Filter, Limits, Orientations, Outcome, ViewSet, check};

/// Numbered hashes that look random.
fn entries(pdq: u32, sha256: u32, md5: u32) -> Entries {
    let digest = |n: u32| Sha256Digest::of(&n.to_le_bytes());
    Entries {
        pdq: (0..pdq).map(|n| PdqHash(digest(n).0)).collect(),
        sha256: (0..sha256).map(|n| digest(n + 1_000_000)).collect(),
        md5: (0..md5).map(|n| Md5Digest::of(&n.to_le_bytes())).collect(),
    }
}

fn build(request: &Request, entries: &Entries) -> Vec<u8> {
    write(request, &Plan::new(request, entries).unwrap(), entries).unwrap()
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let file = build(&Request::new("demo", "drawn"), &entries(3, 2, 1));
    Filter::open(file.clone()).unwrap();
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Filter::open(damaged).is_err(), "bit {bit} flipped");
    }
    for length in 0..file.len() {
        assert!(Filter::open(file[..length].to_vec()).is_err(), "{length} bytes");
    }
    let mut longer = file;
    longer.push(0);
    assert!(Filter::open(longer).is_err(), "one byte more");
}

/// Asserts that the builder writes the committed file again, byte by byte, because the format is frozen.
/// (`tests/vectors/filter.py` reads the same file, and was written from the specification alone.) `BLESS=1` rewrites
/// the file: for a new format version, or if the builder plans other sizes.
#[test]
fn the_committed_filter_is_reproduced() {
    let request = Request::new("vector", "numbered hashes").with_release(7).with_built_at_unix_s(1_700_000_000);
    let file = build(&request, &entries(3, 2, 1));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/filter-v2.hgf");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &file).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == file, "{path}: the writer gives other bytes");
}

#[test]
fn the_same_list_gives_the_same_bytes_in_any_order() {
    let request = Request::new("demo", "drawn");
    let mut sorted = entries(100, 10, 10);
    let mut shuffled = sorted.clone();
    shuffled.pdq.reverse();
    shuffled.sha256.extend_from_within(..5);
    sorted.normalise();
    shuffled.normalise();
    assert_eq!(build(&request, &sorted), build(&request, &shuffled));
}

#[test]
fn an_impossible_request_is_refused_with_the_field() {
    let some = entries(1, 0, 0);
    let refusal = |request: Request| Plan::new(&request, &some).unwrap_err().to_string();
    let request = || Request::new("demo", "drawn");
    assert!(refusal(request().with_rings(5)).contains("rings: expected 1 to 4, got 5"));
    assert!(refusal(request().with_ring_key_bits(51)).contains("ring key bits: expected 52 to 64, got 51"));
    assert!(refusal(request().with_image_false_positive_rate(0.0)).contains("image false-positive rate"));
    assert!(refusal(request().with_name("")).contains("name"));
    assert!(refusal(request().with_lookup_budget(0)).contains("lookup budget"));
    let empty = Plan::new(&request(), &Entries::default()).unwrap_err().to_string();
    assert!(empty.contains("entries: expected at least one"), "{empty}");
}

#[test]
fn an_animation_with_frames_out_of_reach_is_not_clear() {
    let filters = [Filter::open(build(&Request::new("demo", "drawn"), &entries(3, 0, 0))).unwrap()];
    let bytes = include_bytes!("vectors/gif-animated.gif");
    let verdict = |limits: &Limits| {
        let report = check(bytes, &filters, limits, ViewSet::Plain, Orientations::All);
        assert_eq!(report.frames, Some(4));
        report.outcome
    };
    assert_eq!(verdict(&Limits::default()), Outcome::Clear);
    let detail = "frames: expected to reach all 4 within the limits, 3 were not".into();
    let too_large = Outcome::Unchecked { reason: UncheckedReason::TooLarge, detail };
    assert_eq!(verdict(&Limits::default().with_max_animation_pixels(0)), too_large);
}

#[test]
fn a_format_for_the_browser_is_told_by_code() {
    let filters = [Filter::open(build(&Request::new("demo", "drawn"), &entries(3, 0, 0))).unwrap()];
    let bytes = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf";
    let report = check(bytes, &filters, &Limits::default(), ViewSet::Plain, Orientations::All);
    assert_eq!(report.format, Some(Format::Avif));
    assert!(matches!(report.outcome, Outcome::Unchecked { reason: UncheckedReason::UnsupportedPicture, .. }));
}

#[test]
fn two_rings_cost_at_most_thirteen_bytes_a_hash() {
    let plan = Plan::new(&Request::new("demo", "drawn"), &entries(100_000, 0, 0)).unwrap();
    assert!(plan.file_bytes as f64 / 100_000.0 <= 13.0, "{plan:?}");
    assert!(plan.expected_rate <= plan.allowed_rate && plan.expected_rate > 0.99 * plan.allowed_rate, "{plan:?}");
}

/// Asserts that the builder takes the fewest bits with which clean pictures that have a listed ring key by chance are at
/// most a sixteenth of the image false-positive rate.
#[test]
fn ring_keys_are_as_short_as_the_list_allows() {
    for (hashes, rate, bits) in [(10, 1e-4, 52), (100_000, 1e-4, 53), (100_000, 1e-6, 60), (100_000, 1e-8, 64)] {
        let request = Request::new("demo", "drawn").with_image_false_positive_rate(rate);
        let entries = entries(hashes, 0, 0);
        let plan = Plan::new(&request, &entries).unwrap();
        assert_eq!(plan.ring_key_bits, bits, "{hashes} hashes at {rate}");
        let by_chance = f64::from(hashes) * plan.lookups as f64 / 2f64.powi(bits as i32);
        assert!(bits == 64 || by_chance <= rate / 16.0, "{by_chance} of {rate}");
        assert!(bits == 52 || 2.0 * by_chance > rate / 16.0, "{by_chance} of {rate}");
        assert!(plan.expected_image_false_positive_rate() <= rate, "{plan:?}");
        assert_eq!(Filter::open(build(&request, &entries)).unwrap().info().ring_key_bits, bits);
    }
    let longer = Request::new("demo", "drawn").with_ring_key_bits(64);
    assert_eq!(Plan::new(&longer, &entries(10, 0, 0)).unwrap().ring_key_bits, 64, "as asked for");
    let roomy = Request::new("demo", "drawn").with_headroom_percent(100);
    assert_eq!(Plan::new(&roomy, &entries(100_000, 0, 0)).unwrap().ring_key_bits, 54, "room for twice as many");
}

/// Draws a BMP of 240 x 240 pixels: large patches of random shades inside a black border of 24 pixels.
fn bordered() -> Vec<u8> {
    const SIDE: usize = 240;
    let mut file = b"BM".to_vec();
    for word in [(54 + 3 * SIDE * SIDE) as u32, 0, 54, 40, SIDE as u32, SIDE as u32, 24 << 16 | 1, 0, 0, 0, 0, 0, 0] {
        file.extend(word.to_le_bytes());
    }
    for at in 0..SIDE * SIDE {
        let (x, y) = (at % SIDE, at / SIDE);
        let inside = (24..SIDE - 24).contains(&x) && (24..SIDE - 24).contains(&y);
        let patch = (x / 16 * 31 + y / 16) as u32;
        let shade = if inside { Sha256Digest::of(&patch.to_le_bytes()).0[0] } else { 0 };
        file.extend([shade; 3]);
    }
    file
}

/// Asserts that a clean picture with a border takes no more lookups than the plan assumed when it computed the image
/// false-positive rate, and not many fewer: a picture in which less is located has fewer views.
#[test]
fn a_clean_picture_costs_the_lookups_that_its_filter_says() {
    let picture = bordered();
    for (rings, lookup_budget, view_lookup_budget) in [(1, 64, 16), (2, 1000, 50), (3, 7, 1), (4, 20, 0)] {
        let request = Request::new("demo", "drawn")
            .with_rings(rings)
            .with_lookup_budget(lookup_budget)
            .with_view_lookup_budget(view_lookup_budget);
        let filter = Filter::open(build(&request, &entries(100, 2, 1))).unwrap();
        let report = check(&picture, &[filter], &Limits::default(), ViewSet::All, Orientations::All);
        assert_eq!(report.outcome, Outcome::Clear, "{report:?}");
        let planned = Plan::new(&request, &entries(100, 2, 1)).unwrap().lookups;
        let lookups = report.lookups;
        assert!(lookups <= planned, "{lookups} of {planned}: {rings} rings, {lookup_budget}, {view_lookup_budget}");
        assert!(
            lookups >= planned / 5 * 4,
            "{lookups} of {planned}: {rings} rings, {lookup_budget}, {view_lookup_budget}"
        );
    }
}

#[test]
fn pages_give_the_lookups_of_a_clean_picture() {
    let lookups = Plan::new(&Request::new("demo", "drawn"), &entries(1, 0, 0)).unwrap().lookups;
    let words = format!("{},{:03}", lookups / 1000, lookups % 1000);
    for page in [include_str!("../docs/explanation/near-match.md"), include_str!("../docs/explanation/confirmation.md")]
    {
        assert!(page.contains(&words), "expected a page to say {words}");
    }
}
