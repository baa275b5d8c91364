//! Files that are cut off or interrupted. The reader returns the rows that exist, and a guess at the missing rows.

use super::{SIDE, blotches, hashes, picture, png_with};
use hashgate::image::Caveat;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

const LARGE: u16 = 320;

/// Blotches, enlarged.
fn shades(number: u32) -> Vec<u8> {
    let (small, factor) = (blotches(number), LARGE as usize / SIDE as usize);
    let at = |x: usize, y: usize| small[y / factor * SIDE as usize + x / factor];
    (0..LARGE as usize).flat_map(|y| (0..LARGE as usize).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect()
}

fn jpeg(number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.encode(&shades(number), LARGE, LARGE, ColorType::Luma).unwrap();
    bytes
}

fn bmp(number: u32, top_down: bool) -> Vec<u8> {
    let side = i32::from(LARGE);
    let number_of = |value: i32| value.to_le_bytes();
    let height = if top_down { -side } else { side };
    let header = [number_of(40), number_of(side), number_of(height), [1, 0, 24, 0]].concat();
    let head = [b"BM".as_slice(), &[0; 8], &number_of(54), &header, &[0; 24]].concat();
    let shades = shades(number);
    let rows: Vec<&[u8]> = shades.chunks(LARGE.into()).collect();
    let row = |at: usize| rows[if top_down { at } else { rows.len() - 1 - at }];
    let pixels = (0..rows.len()).flat_map(|at| row(at).iter().flat_map(|&shade| [shade; 3]));
    head.into_iter().chain(pixels).collect()
}

/// Returns two Hamming distances from the whole picture's hash: that of the cut file as browsers show it, and that of
/// the guess at its missing rows.
fn distances(whole: &[u8], cut: &[u8]) -> (u32, u32) {
    let like = hashes(&picture(whole))[0].1;
    let cut = picture(cut);
    assert!(cut.damaged.is_some());
    let found = hashes(&cut);
    assert_eq!(found.len(), 2, "a guess is added");
    (found[0].1.distance(&like), found[1].1.distance(&like))
}

#[test]
fn a_guess_at_a_cut_picture_is_nearer_to_the_whole() {
    let (mut shown, mut guessed) = (0, 0);
    for number in 1..=8 {
        for whole in [jpeg(number), bmp(number, true), bmp(number, false)] {
            let (one, other) = distances(&whole, &whole[..whole.len() * 9 / 10]);
            shown += one;
            guessed += other;
        }
    }
    assert!(10 * guessed < 9 * shown, "{guessed} bits against {shown}");
}

#[test]
fn a_guess_is_added_to_a_cut_png() {
    let pixels: Vec<u8> = blotches(1).iter().enumerate().map(|(at, shade)| shade ^ (at as u8 & 7)).collect();
    let whole = png_with(0, &pixels, b"", b"");
    distances(&whole, &whole[..whole.len() * 9 / 10]);
}

/// Returns where the coded data of the first scan begins, after the scan's header.
fn data_start(file: &[u8]) -> usize {
    let header = file.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    header + 2 + usize::from(file[header + 3])
}

#[test]
fn a_marker_of_no_meaning_within_a_scan_hides_nothing() {
    let whole = jpeg(1);
    let like = hashes(&picture(&whole))[0].1;
    for marker in [0x35, 0x01, 0xf3] {
        let mut at = data_start(&whole) + whole.len() / 2;
        at += whole[at..].windows(2).position(|pair| !pair.contains(&0xff)).unwrap() + 1;
        let file = [&whole[..at], &[0xff, marker], &whole[at..]].concat();
        let read = picture(&file);
        assert!(read.damaged.is_some(), "browsers show grey behind it");
        assert!(hashes(&read).iter().any(|(_, hash)| *hash == like), "ff{marker:02x}");
    }
}

#[test]
fn a_marker_of_no_meaning_before_the_scan_is_passed_over() {
    let whole = jpeg(1);
    let like = hashes(&picture(&whole))[0].1;
    for marker in [0x02, 0xf0, 0xf8] {
        let at = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
        let file = [&whole[..at], &[0xff, marker, 0, 5, 1, 2, 3], &whole[at..]].concat();
        let read = picture(&file);
        assert_eq!(
            (read.damaged.as_ref(), read.caveats.as_slice()),
            (None, &[Caveat::Malformed][..]),
            "ff{marker:02x}"
        );
        assert_eq!(hashes(&read)[0].1, like);
    }
}
