//! Compares the low-terms decoder with full decodes of the same files.

use hashgate::image::{Caveat, DecodedBy, IntakeError, Picture, StreamingDecoder, read, read_fully};
use hashgate::pdq::{Coefficients, quality};
use hashgate::{Limits, ViewSet};
use hashgate_testkit::Random;
use hashgate_testkit::jpeg::{Kind, draw, encode, kinds, mutate, read_arriving};
use jpeg_encoder::SamplingFactor;

fn fast(bytes: &[u8]) -> Option<Picture> {
    read(bytes, &Limits::default()).ok().filter(|picture| picture.decoded_by == DecodedBy::LowTerms)
}

fn full(bytes: &[u8]) -> Option<Picture> {
    read_fully(bytes, &Limits::default()).ok()
}

fn distance(one: &Picture, two: &Picture) -> u32 {
    let hash = |picture: &Picture| Coefficients::of(&picture.frames[0].luma.small).hash();
    hash(one).distance(&hash(two))
}

const PLAIN: Kind = Kind {
    sampling: SamplingFactor::F_2_2,
    progressive: false,
    refined: false,
    grey: false,
    quality: 85,
    restarts: 0,
    optimized: false,
};

/// Draws one file of each kind, of 1003 x 907 pixels: just large enough for the low-terms decoder. Neither side is a
/// multiple of a block's 8 pixels.
fn files() -> Vec<(Kind, Vec<u8>)> {
    (1..).zip(kinds()).map(|(seed, kind)| (kind, draw(1003, 907, kind, seed))).collect()
}

#[test]
fn every_kind_is_near_the_full_decode() {
    let mut sum = 0;
    let files = files();
    for (kind, bytes) in &files {
        let (fast, full) =
            (fast(bytes).unwrap_or_else(|| panic!("{kind:?}: not by the low-terms decoder")), full(bytes).unwrap());
        assert_eq!((fast.width, fast.height), (full.width, full.height));
        let bits = distance(&fast, &full);
        assert!(bits <= 16, "{kind:?}: {bits} bits");
        sum += bits;
        for (a, b) in fast.frames[0].luma.small.iter().zip(full.frames[0].luma.small.iter()) {
            assert!((a - b).abs() < 6.0, "{kind:?}: luma {a} and {b}");
        }
        assert!(quality(&fast.frames[0].luma.small) >= 50);
    }
    let mean = f64::from(sum) / files.len() as f64;
    assert!(mean <= 4.0, "{mean} bits on average");
}

/// Draws a page of strokes like those of letters, grey on grey, as in a photograph of a screen: no pixel clips.
fn page(width: u16, height: u16, seed: u64) -> Vec<u8> {
    let (columns, rows) = (usize::from(width), usize::from(height));
    let mut random = Random::new(seed);
    let mut pixels = vec![150; 3 * columns * rows];
    for top in (40..rows - 70).step_by(31) {
        let end = columns / 4 + random.below(3 * columns / 4 - 60);
        for left in (50..end).step_by(15) {
            // A letter has up to three strokes: upright ones, and level ones in the upper and lower half.
            for _ in 0..random.below(4) {
                let (x, y, w, h) = match random.below(4) {
                    0 => (0, 0, 3, 20),
                    1 => (8, 0, 3, 20),
                    2 => (0, 8, 11, 3),
                    _ => (0, 17, 11, 3),
                };
                for line in top + y..top + y + h {
                    pixels[3 * (line * columns + left + x)..][..3 * w].fill(70);
                }
            }
        }
    }
    pixels
}

#[test]
fn a_page_of_text_is_near_the_full_decode() {
    for (width, height) in [(1080, 1350), (1200, 1600), (1440, 1920)] {
        let mut sum = 0;
        for (seed, progressive) in (1..).zip([false, true].repeat(4)) {
            let kind = Kind { progressive, refined: progressive, quality: 70, ..PLAIN };
            let bytes = encode(&page(width, height, seed), width, height, kind);
            let fast = fast(&bytes).unwrap_or_else(|| panic!("{width} x {height}, {progressive}: decoded in full"));
            let bits = distance(&fast, &full(&bytes).unwrap());
            assert!(bits <= 12, "{width} x {height}, progressive {progressive}: {bits} bits");
            sum += bits;
        }
        assert!(sum <= 8 * 4, "{width} x {height}: {sum} bits in 8 pages");
    }
}

#[test]
fn a_coefficient_that_is_sent_twice_is_left_to_the_general_decoder() {
    let bytes = draw(1003, 907, Kind { progressive: true, refined: true, ..PLAIN }, 3);
    // The first scan of AC terms of luma.
    let is_low = |w: &[u8]| w[..2] == *b"\xff\xda" && w[4] == 1 && w[7] == 1;
    let scan = bytes.windows(8).position(is_low).expect("a scan that begins at place 1");
    let end = scan + 10 + bytes[scan + 10..].windows(2).position(|pair| pair[0] == 0xff && pair[1] != 0).unwrap();
    assert!(fast(&bytes).is_some());
    assert!(fast(&[&bytes[..end], &bytes[scan..]].concat()).is_none());
}

#[test]
fn every_view_of_it_is_hashed() {
    let bytes = draw(1003, 907, PLAIN, 3);
    // Where a picture seems to lie within this one, or something on it, depends on the finest detail of the plane.
    let depends = |name: &str| ["Located", "WithoutInset", "WithoutPatch"].iter().any(|kind| name.starts_with(kind));
    let views = |picture: &Picture| {
        let mut all = hashgate::views::of(&picture.frames[0].luma, ViewSet::All);
        all.retain(|hash| !depends(&format!("{:?}", hash.view)));
        all
    };
    let (fast, full) = (views(&fast(&bytes).unwrap()), views(&full(&bytes).unwrap()));
    assert!(fast.len() > 20, "{}", fast.len());
    assert_eq!(fast.len(), full.len());
    for (a, b) in fast.iter().zip(&full) {
        assert_eq!(a.view, b.view);
        let bits = a.coefficients.hash().distance(&b.coefficients.hash());
        assert!(bits <= 16, "{:?}: {bits} bits", a.view);
    }
}

#[test]
fn it_makes_no_difference_in_what_pieces_a_file_arrives() {
    let mut random = Random::new(11);
    let limits = Limits::default();
    for (kind, whole) in files() {
        for longest in [1, 100, 10_000] {
            // Reads the intact file, a file broken at random places, and the first half of the file.
            for bytes in [whole.clone(), mutate(&whole, &mut random), whole[..whole.len() / 2].to_vec()] {
                let seen = |picture: Picture| (picture.decoded_by, picture.frames[0].luma.clone());
                let at_once = read(&bytes, &limits).map(seen);
                let (early, arrived) = read_arriving(&bytes, longest, &mut random, &limits);
                let (early, arrived) = (early.map(seen), arrived.map(seen));
                assert_eq!(arrived, at_once, "{kind:?}, pieces of up to {longest} bytes");
                // A picture that is known early must equal the final picture, unless the rest of the file is broken.
                if let (Some(early), Ok(whole)) = (&early, &at_once)
                    && whole.0 == DecodedBy::LowTerms
                {
                    assert!(early == whole, "{kind:?}: one picture early, another in the end");
                }
                if bytes.len() == whole.len() && bytes == whole {
                    assert_eq!(early.is_some(), kind.progressive, "{kind:?}");
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_not_held_is_asked_for_once_more_if_it_is_not_for_the_fast_path_after_all() {
    let limits = Limits::default();
    for progressive in [false, true] {
        let bytes = draw(1003, 907, Kind { progressive, ..PLAIN }, 3);
        // Sets the last quantizer step of the luma table to 255. The decoder notices such an unusual step only after it
        // has decoded the DC terms.
        let mut odd = bytes.clone();
        odd[bytes.windows(2).position(|pair| pair == b"\xff\xdb").unwrap() + 5 + 63] = 255;
        let in_pieces = |bytes: &[u8], length: usize| {
            let mut arrival = StreamingDecoder::new(bytes.len(), &limits);
            bytes.chunks(length).for_each(|piece| arrival.push(piece));
            arrival.read().map(|picture| picture.unwrap().decoded_by)
        };
        assert_eq!(in_pieces(&bytes, 5000), Some(DecodedBy::LowTerms));
        assert_eq!(in_pieces(&odd, 5000), None);
        // The file arrives in one piece, so the decoder has not dropped any bytes and can still decode it in full.
        assert_eq!(in_pieces(&odd, odd.len()), Some(DecodedBy::General));
        assert_eq!(read(&odd, &limits).unwrap().decoded_by, DecodedBy::General);
    }
}

#[test]
fn what_begins_otherwise_is_not_taken_for_a_jpeg() {
    let mut bytes = draw(1003, 907, PLAIN, 3);
    bytes[0] = b'X';
    let mut arrival = StreamingDecoder::new(bytes.len(), &Limits::default());
    bytes.chunks(1000).for_each(|piece| arrival.push(piece));
    assert!(matches!(arrival.read(), Some(Err(IntakeError::NotAPicture { .. }))));
}

#[test]
fn terms_that_are_refined_from_a_higher_bit_on_wait_for_their_last_but_one() {
    // In this file, the first DC scan sends the DC terms without their lowest bit, and the second scan sends that bit.
    // The changed file claims that the scans end at bit 3 and bit 2, so that bits 1 and 0 never come.
    let bytes = draw(1003, 907, Kind { progressive: true, refined: true, ..PLAIN }, 3);
    let scans: Vec<_> = bytes.windows(3).enumerate().filter(|(_, w)| w == b"\xff\xda\0").map(|(at, _)| at).collect();
    let terms_of_dc = |&&at: &&usize| bytes[at + 4] == 3;
    let (first, second) = (scans.iter().find(terms_of_dc).unwrap(), scans.iter().rfind(terms_of_dc).unwrap());
    assert_eq!((bytes[first + 13], bytes[second + 13]), (0x01, 0x10));
    let mut coarse = bytes.clone();
    (coarse[first + 13], coarse[second + 13]) = (0x03, 0x32);
    let early = |bytes: &[u8]| {
        let mut arrival = StreamingDecoder::new(bytes.len(), &Limits::default());
        arrival.push(bytes);
        arrival.early().is_some()
    };
    assert!(early(&bytes) && !early(&coarse));
    // The last scan of DC terms refines their lowest bit. At quality 85 the decoder gives a picture before that scan
    // has arrived. At quality 10 the quantizer steps are so large that the lowest bit matters, so it gives none.
    for (quality, known) in [(85, true), (10, false)] {
        let bytes = draw(1003, 907, Kind { progressive: true, refined: true, quality, ..PLAIN }, 3);
        let last = bytes.windows(5).rposition(|window| window[..2] == *b"\xff\xda" && window[4] == 3).unwrap();
        let mut arrival = StreamingDecoder::new(bytes.len(), &Limits::default());
        arrival.push(&bytes[..last]);
        assert_eq!(arrival.early().is_some(), known, "quality {quality}");
        arrival.push(&bytes[last..]);
        assert_eq!(arrival.read().unwrap().unwrap().decoded_by, DecodedBy::LowTerms);
    }
    assert!(fast(&bytes).is_some() && fast(&coarse).is_none());
}

#[test]
fn a_scan_of_single_bits_must_have_as_many_as_there_are_blocks() {
    let bytes = draw(1003, 907, Kind { progressive: true, refined: true, ..PLAIN }, 3);
    let scan = bytes.windows(5).rposition(|window| window[..2] == *b"\xff\xda" && window[4] == 3).unwrap() + 14;
    let end = scan + bytes[scan..].windows(2).position(|pair| pair[0] == 0xff && pair[1] != 0).unwrap();
    assert!(fast(&bytes).is_some());
    let more = [&bytes[..end], b"\x2a", &bytes[end..]].concat();
    let fewer = [&bytes[..end - 1], &bytes[end..]].concat();
    assert!(bytes[end - 2] != 0xff && fast(&more).is_none() && fast(&fewer).is_none());
}

#[test]
fn fill_bytes_before_a_marker_are_passed_over_in_pieces_too() {
    let mut random = Random::new(5);
    for progressive in [false, true] {
        let bytes = draw(1003, 907, Kind { progressive, refined: progressive, ..PLAIN }, 3);
        let scan = bytes.windows(2).rposition(|pair| pair == b"\xff\xda").unwrap();
        let filled = [&bytes[..scan], &[0xff; 5000], &bytes[scan..]].concat();
        for longest in [1, 700] {
            let (_, arrived) = read_arriving(&filled, longest, &mut random, &Limits::default());
            let (arrived, plain) = (arrived.unwrap(), fast(&bytes).unwrap());
            assert_eq!(arrived.decoded_by, DecodedBy::LowTerms);
            assert!(arrived.frames[0].luma == plain.frames[0].luma);
        }
    }
}

#[test]
fn small_pictures_are_decoded_in_full() {
    for (width, height, by) in [(900, 900, DecodedBy::LowTerms), (899, 2000, DecodedBy::General)] {
        let picture = read(&draw(width, height, PLAIN, 5), &Limits::default()).unwrap();
        assert_eq!(picture.decoded_by, by, "{width} x {height}");
    }
}

#[test]
fn a_cut_file_is_refused_wherever_it_is_cut() {
    for (kind, bytes) in files() {
        for length in (0..bytes.len()).step_by(bytes.len() / 6).chain([bytes.len() - 3, bytes.len() - 1]) {
            assert!(fast(&bytes[..length]).is_none(), "{kind:?}: {length} of {} bytes", bytes.len());
            // Appending the end marker to a truncated file doesn't make it complete.
            let patched = [&bytes[..length], b"\xff\xd9"].concat();
            assert!(
                length + 2 >= bytes.len() || kind.progressive || fast(&patched).is_none(),
                "{kind:?}: {length}, patched"
            );
        }
    }
}

#[test]
fn what_lies_behind_the_picture_is_ignored() {
    let bytes = draw(1003, 907, PLAIN, 3);
    assert!(fast(&[bytes.as_slice(), b"\xff\xd8 and a film"].concat()).is_some());
}

/// Asserts that the low-terms decoder refuses every file that the general decoder refuses, and that both read the same
/// picture from the others. For a progressive file the low-terms decoder skips the scans after the DC terms, and adds a
/// caveat.
#[test]
fn broken_files_are_refused_as_the_general_decoder_refuses_them() {
    let mut random = Random::new(0x5eed);
    let mut taken = 0;
    for (kind, bytes) in files() {
        for round in 0..30 {
            let broken = mutate(&bytes, &mut random);
            let Some(fast) = fast(&broken) else { continue };
            taken += 1;
            assert_eq!(!fast.caveats.is_empty(), kind.progressive, "{kind:?}, round {round}");
            let full = full(&broken);
            assert!(
                full.as_ref().is_some_and(|full| full.damaged.is_none())
                    || fast.caveats.contains(&Caveat::AcTermsUnread),
                "{kind:?}, round {round}: read without a caveat, though the general decoder refuses"
            );
            if let Some(full) = full.filter(|full| quality(&full.frames[0].luma.small) >= 50) {
                let bits = distance(&fast, &full);
                assert!(bits <= 31, "{kind:?}, round {round}: {bits} bits");
            }
        }
    }
    assert!(taken > 10, "only {taken} of the broken files were read at all");
}

#[test]
fn restart_markers_must_be_in_order_and_all_there() {
    for progressive in [false, true] {
        let bytes = draw(1003, 907, Kind { restarts: 50, progressive, ..PLAIN }, 9);
        assert!(fast(&bytes).is_some());
        let places: Vec<_> =
            (0..bytes.len() - 1).filter(|&at| bytes[at] == 0xff && bytes[at + 1] & 0xf8 == 0xd0).collect();
        for &at in places.iter().step_by(places.len() / 25) {
            let mut other = bytes.clone();
            other[at + 1] ^= 1;
            assert!(fast(&other).is_none(), "another number at {at}");
            let without = [&bytes[..at], &bytes[at + 2..]].concat();
            assert!(fast(&without).is_none(), "none at {at}");
            let twice = [&bytes[..at], &bytes[at..at + 2], &bytes[at..]].concat();
            assert!(fast(&twice).is_none(), "two at {at}");
        }
    }
}

#[test]
fn other_kinds_of_jpeg_are_left_to_the_general_decoder() {
    let bytes = draw(1003, 907, PLAIN, 3);
    let find = |marker: u8| bytes.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
    let frame = find(0xc0);
    let with = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        bytes
    };
    let scan = find(0xda);
    let ids = [frame + 10, frame + 13, frame + 16, scan + 5, scan + 7, scan + 9];
    let mut rgb = bytes.clone();
    ids.into_iter().zip(*b"RGBRGB").for_each(|(at, id)| rgb[at] = id);
    let adobe = |transform: u8| {
        let segment = [b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat();
        [&bytes[..2], &segment, &bytes[2..]].concat()
    };
    for (name, bytes) in [
        ("12 bits", with(frame + 4, 12)),
        ("lossless", with(frame + 1, 0xc3)),
        ("hierarchical", with(frame + 1, 0xc5)),
        ("arithmetic", with(frame + 1, 0xc9)),
        ("height 0", {
            let mut bytes = with(frame + 5, 0);
            bytes[frame + 6] = 0;
            bytes
        }),
        ("luma sampled less", with(frame + 14, 0x22)),
        ("three by one", with(frame + 11, 0x31)),
        ("RGB by names", rgb),
        ("RGB by Adobe", adobe(0)),
        ("YCCK by Adobe", adobe(2)),
        ("two frames", [&bytes[..frame], &bytes[frame..frame + 19], &bytes[frame..]].concat()),
    ] {
        assert!(fast(&bytes).is_none(), "{name}");
        let limits = Limits::default();
        let (one, two) = (read(&bytes, &limits), read_fully(&bytes, &limits));
        assert_eq!(
            one.map(|picture| picture.frames[0].luma.clone()),
            two.map(|picture| picture.frames[0].luma.clone()),
            "{name}"
        );
    }
    assert!(fast(&adobe(1)).is_some());
}

#[test]
fn a_sampling_that_no_file_may_have_is_left_to_the_general_decoder() {
    let grey = draw(1003, 907, Kind { grey: true, ..PLAIN }, 1);
    let frame = grey.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    for (factors, is_sound) in [(0x11, true), (0x22, true), (0x44, true), (0xd8, false), (0x7f, false), (0x01, false)] {
        let mut bytes = grey.clone();
        bytes[frame + 11] = factors;
        assert_eq!(fast(&bytes).is_some(), is_sound, "{factors:#x}");
    }
}

#[test]
fn a_huffman_table_that_no_file_may_have_is_left_to_the_general_decoder_though_nothing_uses_it() {
    let whole = draw(1003, 907, PLAIN, 13);
    // Adds a Huffman table for DC terms (table 3), which no scan uses. Its only code has 1 bit and stands for a
    // difference of `size` bits.
    for (size, by_dc) in [(11, true), (15, true), (16, false), (17, false)] {
        let mut table = vec![0xff, 0xc4, 0, 20, 3, 1];
        table.extend([0; 15]);
        table.push(size);
        let bytes = [&whole[..2], &table, &whole[2..]].concat();
        assert_eq!(fast(&bytes).is_some(), by_dc, "{size} bits");
        // libjpeg doesn't check a table that no scan uses.
        let caveats = full(&bytes).unwrap().caveats;
        assert_eq!(caveats, if by_dc { vec![] } else { vec![Caveat::Malformed] }, "{size} bits");
    }
}

#[test]
fn terms_beyond_the_last_are_refused_however_many_a_lookup_sees() {
    let file = |block: &str| {
        let segment = |marker: u8, content: &[u8]| [&[0xff, marker, 0, content.len() as u8 + 2], content].concat();
        // The DC table has one code: `0` for a difference of 0. The AC table has three codes: `0` for 15 zeros and a
        // term, `10` for a term without zeros before it, and `110` for the end of a block.
        let counts = |of: [u8; 3]| [&of[..], &[0; 13]].concat();
        let mut file = [
            b"\xff\xd8".to_vec(),
            segment(0xdb, &[&[0][..], &[8; 64]].concat()),
            segment(0xc0, &[8, 4, 0, 4, 0, 1, 1, 0x11, 0]),
            segment(0xc4, &[vec![0x00], counts([1, 0, 0]), vec![0]].concat()),
            segment(0xc4, &[vec![0x10], counts([1, 1, 1]), vec![0xf1, 0x01, 0x00]].concat()),
            segment(0xda, &[1, 1, 0, 0, 63, 0]),
        ]
        .concat();
        let bits = block.repeat(128 * 128);
        let byte = |bits: &[u8]| (0..8).fold(0, |byte, at| byte << 1 | (bits.get(at).unwrap_or(&b'1') & 1));
        for byte in bits.as_bytes().chunks(8).map(byte) {
            file.push(byte);
            if byte == 0xff {
                file.push(0);
            }
        }
        [file, b"\xff\xd9".to_vec()].concat()
    };
    // Blocks of 32 AC terms. In the first file each block ends there; in the second, six codes for 16 terms each
    // follow, which makes 128 AC terms. A block holds 63 at most.
    let terms = format!("0{}", "100".repeat(32));
    // Both pictures have too little contrast for the low-terms decoder, but it still scans their data for errors.
    assert_eq!(full(&file(&format!("{terms}110"))).unwrap().not_ordinary, None);
    assert!(full(&file(&format!("{terms}{}", "00".repeat(6)))).unwrap().damaged.is_some());
}

#[test]
fn a_scan_for_each_component_reads_as_one_for_all() {
    use SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2, F_4_1};
    for sampling in [F_1_1, F_2_1, F_1_2, F_2_2, F_4_1] {
        let file = |optimized| draw(1003, 907, Kind { sampling, optimized, ..PLAIN }, 3);
        let (one, several) = (file(false), file(true));
        assert_eq!(fast(&one).unwrap().frames[0].luma, fast(&several).unwrap().frames[0].luma, "{sampling:?}");
        let (one, several) = (full(&one).unwrap(), full(&several).unwrap());
        assert!(distance(&one, &several) <= 2, "{sampling:?}");
        assert_eq!(several.not_ordinary, None, "{sampling:?}");
    }
}

#[test]
fn too_many_scans_are_refused() {
    let bytes = draw(1003, 907, Kind { progressive: true, ..PLAIN }, 3);
    let last = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let end = bytes.len() - 2;
    let with = |scans: usize| [&bytes[..end], &bytes[last..end].repeat(scans), b"\xff\xd9"].concat();
    assert!(fast(&with(20)).is_some());
    assert!(read(&with(120), &Limits::default()).is_err());
}

/// Triples the DC quantizer step of a white picture. The block means then exceed 255 and a viewer clips them, so the DC
/// terms don't tell what is shown.
#[test]
fn means_outside_of_the_range_of_pixels_are_left_to_the_general_decoder() {
    let bytes = encode(&[255; 1003 * 907], 1003, 907, Kind { grey: true, quality: 50, ..PLAIN });
    assert!(fast(&bytes).is_some());
    let mut tripled = bytes.clone();
    let table = tripled.windows(4).position(|part| part == [0xff, 0xdb, 0, 67]).unwrap();
    tripled[table + 5] *= 3;
    assert!(fast(&tripled).is_none());
    assert!(full(&tripled).is_some());
}

/// Found by fuzzing. Each change to one byte of a table makes large terms, which the low-terms decoder skips, clip the
/// pixels: a full decode then sees another picture than the DC terms describe.
#[test]
fn tables_that_clip_the_pixels_are_left_to_the_general_decoder() {
    let bytes = draw(1003, 907, Kind { progressive: true, ..PLAIN }, 3);
    let intact = fast(&bytes).unwrap();
    let segment = |kind: &[u8]| bytes.windows(kind.len()).position(|part| part == kind).unwrap() + kind.len();
    let (luma_steps, chroma_steps) = (segment(b"\xff\xdb\0\x43\0"), segment(b"\xff\xdb\0\x43\x01"));
    let ac_symbols = segment(b"\xff\xc4\0\xb5\x10") + 16;
    for (name, at, value) in [
        ("a luma AC step", luma_steps + 2, 210),
        ("a chroma DC step", chroma_steps, 127),
        ("a chroma AC step", chroma_steps + 1, 200),
        ("a symbol of AC terms", ac_symbols, 0x0a),
        ("another symbol of AC terms", ac_symbols + 1, 0x09),
    ] {
        let mut damaged = bytes.clone();
        damaged[at] = value;
        assert!(fast(&damaged).is_none(), "{name}");
        let Some(full) = full(&damaged) else { continue };
        println!("{name}: a full decode is {} bits from the intact picture", distance(&intact, &full));
    }
}

/// Colours so strong that the conversion to RGB clips them. A full decoder clips before it computes brightness, and the
/// low-terms decoder must come to nearly the same hash.
#[test]
fn clipped_colours_are_near_the_full_decode() {
    let (width, height) = (1200u16, 960u16);
    let grey = draw(width, height, Kind { quality: 100, ..PLAIN }, 11);
    let luma = full(&grey).unwrap();
    let small = &luma.frames[0].luma.small;
    // Saturated patches. Their brightness before clipping differs from the brightness that is shown.
    let pixels: Vec<u8> = (0..usize::from(height))
        .flat_map(|y| (0..usize::from(width)).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let level = small[(y * 64 / 960) * 64 + x * 64 / 1200] as u8;
            if (x / 97 + y / 83) % 2 == 0 { [255, level / 8, 0] } else { [0, level / 8, 255] }
        })
        .collect();
    for quality in [50, 90] {
        let bytes = encode(&pixels, width, height, Kind { quality, ..PLAIN });
        let read = read(&bytes, &Limits::default()).unwrap();
        let bits = distance(&read, &full(&bytes).unwrap());
        assert!(bits <= 16, "quality {quality}: {bits} bits");
    }
}
