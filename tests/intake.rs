//! Reads every format and mode and compares the pictures with Pillow's. Also tests limits, hostile files, animations
//! and transparency.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hashgate::image::{
    BrowserPicture, Caveat, DecodedBy, Format, Frame, IntakeError, Limits, Picture, StreamingDecoder, Surface,
    browser_format, check_declared_size, read, read_rgba,
};
use hashgate::pdq::{Coefficients, PdqHash, quality};
use hashgate_testkit::hostile::{self, Expect};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(vectors().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read_vector(name: &str) -> Picture {
    read(&vector(name), &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Reads a file whole and in pieces of three lengths, and asserts that the results are equal. Only the text of an
/// `Unreadable` error may differ, because another fault may be found first.
fn read_both_ways(name: &str, bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let told = |result: &Result<Picture, IntakeError>| match result {
        Err(IntakeError::Unreadable { format, .. }) => format!("unreadable {format}"),
        Ok(picture) => {
            let sum =
                |values: &[f32]| values.iter().fold(0u64, |sum, value| sum.rotate_left(5) ^ u64::from(value.to_bits()));
            let told = |frame: &Frame| {
                (frame.index, frame.surface, sum(frame.luma.small.as_slice()), sum(&frame.luma.plane.cells))
            };
            let lumas: Vec<_> = picture.frames.iter().map(told).collect();
            let (caveats, reason) = (&picture.caveats, &picture.not_ordinary);
            format!("{caveats:?}, {reason:?}, damaged {}, {lumas:?}", picture.damaged.is_some())
        }
        Err(error) => format!("{error:?}"),
    };
    let whole = read(bytes, limits);
    for length in [1, 97, 2000].map(|length| length * bytes.len().div_ceil(20_000)) {
        let mut arrival = StreamingDecoder::new(bytes.len(), limits);
        bytes.chunks(length.max(1)).for_each(|piece| arrival.push(piece));
        let arrived = arrival.read().unwrap_or_else(|| read(bytes, limits));
        let (arrived, whole) = (told(&arrived), told(&whole));
        let start = |text: &str| text.chars().take(200).collect::<String>();
        assert!(
            arrived == whole,
            "{name}, {length} bytes at a time: {}\nbut whole: {}",
            start(&arrived),
            start(&whole)
        );
    }
    whole
}

/// Corrects the checksums of all chunks of a damaged PNG, so that the reader must find the damage by something other
/// than a checksum.
fn repair_checksums(png: &mut [u8]) {
    let mut rest = png.get_mut(8..).unwrap_or_default();
    while let Some((length, chunk)) = rest.split_first_chunk_mut::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((data, after)) = chunk.split_at_mut_checked(length.saturating_add(4)) else { return };
        let Some((sum, after)) = after.split_first_chunk_mut::<4>() else { return };
        *sum = hostile::crc32(data).to_be_bytes();
        rest = after;
    }
}

fn hash(frame: &Frame) -> PdqHash {
    Coefficients::of(&frame.luma.small).hash()
}

fn is_tiff(name: &str) -> bool {
    name.ends_with(".tif")
}

/// A line of `expected.csv`.
struct Expected {
    frames: u32,
    frame: u32,
    surface: Surface,
    width: u32,
    height: u32,
    pdq: PdqHash,
    quality: u8,
}

fn expected() -> BTreeMap<String, Vec<Expected>> {
    let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in std::fs::read_to_string(vectors().join("expected.csv")).unwrap().lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let [file, frames, frame, surface, width, height, pdq, quality] = fields[..] else { panic!("{line}") };
        let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{line}: {text}"));
        files.entry(file.to_owned()).or_default().push(Expected {
            frames: number(frames),
            frame: number(frame),
            surface: if surface == "plain" { Surface::Plain } else { Surface::OverWhite },
            width: number(width),
            height: number(height),
            pdq: pdq.parse().unwrap(),
            quality: number(quality) as u8,
        });
    }
    files
}

#[test]
fn every_format_and_mode_reads_as_pillow_reads_it() {
    let files = expected();
    assert!(files.len() > 80, "{} files", files.len());
    for (name, expected) in files {
        if is_tiff(&name) && !cfg!(feature = "tiff") {
            continue;
        }
        let picture = read_both_ways(&name, &vector(&name), &Limits::default()).unwrap();
        assert_eq!(picture.frame_count, expected[0].frames, "{name}: frames in the file");
        assert_eq!(picture.frames_skipped, 0, "{name}");
        assert_eq!((picture.width, picture.height), (expected[0].width, expected[0].height), "{name}: size");
        assert_eq!(picture.decoded_by, DecodedBy::General, "{name}: so small a picture needs a full decode");
        // Keeps only the frames that Pillow shows. Pillow draws transparent pictures over white alone, and fills pixels
        // that a run-length coded BMP skips with the first colour.
        let has_gaps = name.starts_with("bmp-rle");
        let is_pillows = |frame: &&Frame| match frame.surface {
            Surface::OverWhite => !has_gaps,
            surface => surface == Surface::Plain,
        };
        // `gif-margin.gif` is read as Chromium and as Firefox read it. Pillow has only the first reading.
        let most = if name == "gif-margin.gif" { expected.len() } else { usize::MAX };
        let frames: Vec<_> = picture.frames.iter().filter(is_pillows).take(most).collect();
        let got: Vec<_> = frames.iter().map(|frame| (frame.index, frame.surface)).collect();
        let want: Vec<_> = expected.iter().map(|line| (line.frame, line.surface)).collect();
        assert_eq!(got, want, "{name}: frames and surfaces");
        // Decoders of lossy formats round differently, which may change up to 2 bits of the hash.
        let allowed = if name.ends_with(".jpg") || name.starts_with("webp") { 2 } else { 0 };
        for (frame, line) in frames.into_iter().zip(&expected) {
            let (index, surface) = (frame.index, frame.surface);
            let distance = hash(frame).distance(&line.pdq);
            assert!(distance <= allowed, "{name}: frame {index}, {surface:?}: {distance} bits from Pillow");
            assert_eq!(quality(&frame.luma.small), line.quality, "{name}: frame {index}, {surface:?}: quality");
        }
    }
}

#[test]
fn the_format_is_told_by_content() {
    let read_as = |name: &str| read_vector(name).format;
    assert_eq!(read_as("jpeg-420.jpg"), Format::Jpeg);
    assert_eq!(read_as("png-rgb-8.png"), Format::Png);
    assert_eq!(read_as("apng.png"), Format::Png);
    assert_eq!(read_as("gif.gif"), Format::Gif);
    assert_eq!(read_as("webp-lossy.webp"), Format::Webp);
    assert_eq!(read_as("bmp-24.bmp"), Format::Bmp);
    let tiff = read(&vector("tiff-rgb.tif"), &Limits::default()).map(|picture| picture.format);
    #[cfg(feature = "tiff")]
    assert_eq!(tiff, Ok(Format::Tiff));
    #[cfg(not(feature = "tiff"))]
    assert_eq!(
        tiff,
        Err(IntakeError::UnsupportedPicture { found: "a TIFF picture".into(), format: Some(Format::Tiff) })
    );
}

#[test]
fn what_is_not_read_gets_a_name() {
    let found = |bytes: &[u8]| match read(bytes, &Limits::default()) {
        Err(IntakeError::UnsupportedPicture { found, format }) => (found, format),
        Err(IntakeError::NotAPicture { found }) => (found, None),
        other => panic!("{other:?}"),
    };
    let named = |name: &str, format| (name.to_owned(), format);
    assert_eq!(found(b""), named("an empty file", None));
    assert_eq!(found(b"<svg/>"), named("an SVG picture", None));
    assert_eq!(found(b"<?xml version='1.0'?><!-- c --><svg/>"), named("an SVG picture", None));
    assert_eq!(found(b"\n<!doctype html>"), named("an HTML page", None));
    assert_eq!(found(b"\0\0\0\x1cftypavis\0\0\0\0avismsf1"), named("an AVIF picture", Some(Format::Avif)));
    // Files that name a general brand (`mif1`) first and the codec's brand after it.
    assert_eq!(found(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif"), named("an AVIF picture", Some(Format::Avif)));
    for heic in [&b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"[..], b"\0\0\0\x14ftypmif1\0\0\0\0mif1"] {
        let (name, format) = found(heic);
        // A build that decodes HEIC adds what the file lacks.
        assert!(name.starts_with("a HEIC picture") && format == Some(Format::Heic), "{name}");
    }
    for jxl in [&b"\xff\x0a\0\0"[..], b"\0\0\0\x0cJXL \r\n\x87\n"] {
        let (name, format) = found(jxl);
        assert!(name.starts_with("a JPEG XL picture") && format == Some(Format::Jxl), "{name}");
    }
    assert_eq!(found(b"\0\0\0\x14ftypqt  \0\0\0\0qt  "), named("an MP4 or QuickTime film", None));
    assert_eq!(found(b"RIFF\x04\0\0\0WAVE"), named("a RIFF file that isn't WebP", None));
    assert_eq!(found(&[1, 2, 3]), named("a file of unknown kind that begins with 01 02 03", None));
}

#[test]
fn hostile_files_come_to_the_right_end() {
    let mut wrong = Vec::new();
    for file in hostile::files() {
        let got = match read_both_ways(&file.name, &file.bytes, &Limits::default()) {
            // A damaged picture is looked up; if it doesn't match, its verdict is `unreadable`.
            Ok(Picture { damaged: Some(_), .. }) => Expect::Unreadable,
            Ok(picture) if picture.frames_skipped == 0 => Expect::Reads,
            Ok(_) => Expect::ReadsPartly,
            Err(IntakeError::UnsupportedPicture { .. } | IntakeError::NotAPicture { .. }) => Expect::Unsupported,
            Err(IntakeError::Unreadable { .. }) => Expect::Unreadable,
            Err(IntakeError::TooLarge { .. }) => Expect::TooLarge,
            Err(error) => panic!("{}: {error}", file.name),
        };
        let expected = if file.expect == Expect::BrokenFilm { Expect::Unsupported } else { file.expect };
        if got != expected {
            wrong.push((file.name, got));
        }
    }
    assert_eq!(wrong, [], "names and what came out instead");
}

#[test]
fn a_cut_picture_never_passes_for_a_whole_one() {
    for name in expected().keys() {
        if is_tiff(name) {
            continue;
        }
        let bytes = vector(name);
        // A run-length coded BMP is complete without its end marker of two bytes.
        let end = if name.starts_with("bmp-rle") { bytes.len() - 2 } else { bytes.len() };
        let near_the_end = end.saturating_sub(12)..end;
        for length in (0..end).step_by(end / 40 + 1).chain(near_the_end) {
            let result = read_both_ways(name, &bytes[..length], &Limits::default());
            let admits = |picture: Picture| picture.damaged.is_some() || picture.caveats.contains(&Caveat::Malformed);
            assert!(result.map_or(true, admits), "{name} reads with {length} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn broken_bytes_never_panic_and_are_the_same_in_pieces() {
    // Marsaglia's xorshift generator: it breaks the same bytes on every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for name in expected().keys() {
        let whole = vector(name);
        for _ in 0..if name.ends_with(".png") { 100 } else { 25 } {
            let mut bytes = whole.clone();
            for _ in 0..=random(6) {
                let reach = if random(2) == 0 { whole.len().min(100) } else { whole.len() };
                bytes[random(reach)] = random(256) as u8;
            }
            if name.ends_with(".png") && random(4) > 0 {
                repair_checksums(&mut bytes);
            }
            // A broken header may declare a large picture. It is legal but slow to decode, so lower limits apply here.
            let limits = Limits::default().with_max_pixels(1 << 20).with_max_animation_pixels(1 << 20);
            let _ = read_both_ways(name, &bytes, &limits);
        }
    }
}

#[test]
fn limits_hold_before_anything_is_allocated() {
    let too_large = |name: &str, limits: Limits| match read(&vector(name), &limits) {
        Err(IntakeError::TooLarge { field, limit, got }) => (field, limit, got),
        other => panic!("{name}: {:?}", other.map(|picture| picture.format)),
    };
    let all = Limits::default();
    for name in
        ["jpeg-420.jpg", "png-rgb-8.png", "apng.png", "gif.gif", "gif-animated.gif", "webp-lossy.webp", "bmp-24.bmp"]
    {
        let narrow = all.with_max_width(71);
        assert_eq!(too_large(name, narrow), ("width in pixels".into(), 71, 72), "{name}");
        let low = all.with_max_height(53);
        assert_eq!(too_large(name, low), ("height in pixels".into(), 53, 54), "{name}");
        let small = all.with_max_pixels(72 * 54 - 1);
        assert_eq!(too_large(name, small), ("number of pixels".into(), 72 * 54 - 1, 72 * 54), "{name}");
        let exact = all.with_max_width(72).with_max_height(54).with_max_pixels(72 * 54);
        assert!(read(&vector(name), &exact).is_ok(), "{name}");
    }
    // Decoders that keep a whole picture in memory report how many bytes they need; decoders that stream report none.
    let poor = all.with_max_alloc(2 * 72 * 56);
    for (name, bytes) in [
        ("jpeg-420.jpg", 3 * 72 * 54),
        // The decoder stores the coefficients of all components, two bytes each, in whole blocks of 8 x 8.
        ("jpeg-grey-progressive.jpg", 72 * 54 + 2 * 72 * 56),
        ("webp-lossy.webp", 7 * 72 * 54),
        ("gif-animated.gif", 8 * 72 * 54),
        ("apng.png", 8 * 72 * 54),
        ("webp-animated.webp", 8 * 72 * 54),
    ] {
        let (field, limit, got) = too_large(name, poor);
        assert_eq!((field.as_str(), limit, got), ("bytes of memory to decode it", poor.max_alloc, bytes), "{name}");
    }
    for name in ["png-rgba-16-adam7.png", "gif-interlaced.gif", "bmp-24.bmp", "bmp-rle8.bmp"] {
        assert!(read(&vector(name), &all.with_max_alloc(72 * 54)).is_ok(), "{name}");
    }
    let error = read(&vector("bmp-24.bmp"), &all.with_max_width(71)).unwrap_err();
    assert_eq!(error.to_string(), "width in pixels: expected at most 71, got 72");
}

/// Draws the shades of a picture of 64 x 64 pixels in blotches; each `number` gives a different picture.
fn blotches(number: u32) -> Vec<u8> {
    let corner = |x: u32, y: u32| {
        let mut state = (number * 1009 + y * 31 + x + 1).wrapping_mul(0x9e37_79b9);
        state ^= state >> 15;
        state = state.wrapping_mul(0x85eb_ca6b);
        f64::from(state >> 24)
    };
    let shade = |x: u32, y: u32| {
        let (left, top) = (x / 8, y / 8);
        let (right, low) = (f64::from(x % 8) / 8.0, f64::from(y % 8) / 8.0);
        let line = |y: u32| corner(left, y) * (1.0 - right) + corner(left + 1, y) * right;
        (line(top) * (1.0 - low) + line(top + 1) * low) as u8
    };
    (0..64).flat_map(|y| (0..64).map(move |x| shade(x, y))).collect()
}

/// A GIF of grey frames of 64 x 64 pixels, each with its delay in hundredths of a second.
fn gif_of_frames(frames: impl IntoIterator<Item = (Vec<u8>, u16)>) -> Vec<u8> {
    let palette: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, 64, 64, &palette).unwrap();
    for (pixels, delay) in frames {
        let frame = gif::Frame::from_indexed_pixels(64, 64, pixels, None);
        encoder.write_frame(&gif::Frame { delay, ..frame }).unwrap();
    }
    drop(encoder);
    file
}

/// Returns the numbers of the frames that are looked up, each number once.
fn looked_up(picture: &Picture) -> Vec<u32> {
    let mut indices: Vec<_> = picture.frames.iter().map(|frame| frame.index).collect();
    indices.dedup();
    indices
}

#[test]
fn every_frame_that_differs_is_looked_up_whatever_its_number() {
    // Up to 256 different frames, as many as attackers and advertisers use: every one is looked up, and no caveat is
    // given.
    for count in [1, 2, 17, 40, 256] {
        let file = gif_of_frames((0..count).map(|number| (blotches(number), 2)));
        let picture = read(&file, &Limits::default()).unwrap();
        assert_eq!((picture.frame_count, picture.frames_skipped), (count, 0));
        assert_eq!(looked_up(&picture), (0..count).collect::<Vec<_>>());
        assert_eq!(picture.caveats, []);
    }
}

#[test]
fn frames_that_look_alike_are_looked_up_once() {
    // An animation that shows one scene 30 times with a little noise, then another scene, and then the first again.
    let noisy = |number: u32, seed: u32| {
        let noise =
            |(at, shade): (usize, u8)| shade.saturating_add(((at as u32).wrapping_mul(seed + 7) >> 3 & 3) as u8);
        blotches(number).into_iter().enumerate().map(noise).collect::<Vec<_>>()
    };
    let scenes = (0..30).map(|seed| noisy(1, seed)).chain([noisy(2, 0)]).chain((0..3).map(|seed| noisy(1, seed)));
    let picture = read(&gif_of_frames(scenes.map(|pixels| (pixels, 4))), &Limits::default()).unwrap();
    assert_eq!(picture.frame_count, 34);
    assert_eq!(looked_up(&picture), [0, 30]);
    assert_eq!(picture.caveats, []);
}

#[test]
fn a_frame_that_is_shown_for_long_is_looked_up_among_any_number_of_others() {
    let frames = |long: u32| (0..400).map(move |number| (blotches(number), if number == long { 60_000 } else { 2 }));
    for long in [1, 15, 38, 257, 398] {
        let picture = read(&gif_of_frames(frames(long)), &Limits::default()).unwrap();
        let indices = looked_up(&picture);
        assert!(indices.len() <= 256, "{} frames", indices.len());
        assert!(indices.contains(&long) && indices.contains(&0) && indices.contains(&399), "{long}: {indices:?}");
        assert_eq!(picture.caveats, [Caveat::FramesSampled], "{long}: frames that differ were left out");
    }
}

#[test]
fn the_number_of_frames_that_are_looked_up_is_bounded() {
    for max_frames in [0, 1, 2, 3, 16, 50] {
        let file = gif_of_frames((0..60).map(|number| (blotches(number), 200)));
        let picture = read(&file, &Limits::default().with_max_frames(max_frames)).unwrap();
        let indices = looked_up(&picture);
        assert!((1..=max_frames.max(1) as usize).contains(&indices.len()), "{max_frames}: {indices:?}");
        assert_eq!(indices[0], 0, "the first frame is always looked at");
        assert_eq!(picture.caveats, [Caveat::FramesSampled]);
    }
}

#[test]
fn a_small_change_on_a_large_canvas_is_seen() {
    // The second frame changes only a corner of the screen: a picture appears there.
    let palette: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, 400, 300, &palette).unwrap();
    encoder.write_frame(&gif::Frame::from_indexed_pixels(400, 300, vec![128; 400 * 300], None)).unwrap();
    let part = |number: u32, dispose| gif::Frame {
        left: 300,
        top: 200,
        dispose,
        ..gif::Frame::from_indexed_pixels(64, 64, blotches(number), None)
    };
    encoder.write_frame(&part(5, gif::DisposalMethod::Previous)).unwrap();
    encoder.write_frame(&part(5, gif::DisposalMethod::Previous)).unwrap();
    encoder.write_frame(&part(6, gif::DisposalMethod::Keep)).unwrap();
    drop(encoder);
    let picture = read(&file, &Limits::default()).unwrap();
    // Frame 2 looks like frame 1 and is left out; frame 3, the last, is looked up.
    assert_eq!(looked_up(&picture), [0, 1, 3]);
}

#[test]
fn frames_out_of_reach_are_counted() {
    // Decoding a frame costs 4,096 pixels of the limit; hashing one of the (at most) 4 kept frames costs 4,096 more.
    let limits = Limits::default().with_max_frames(4).with_max_animation_pixels(14 * 4096);
    let file = gif_of_frames((0..300).map(|number| (blotches(number), 2)));
    let picture = read(&file, &limits).unwrap();
    assert_eq!((picture.frame_count, picture.frames_skipped), (300, 290));
    assert!(looked_up(&picture).iter().all(|&index| index < 10));
    let none = Limits::default().with_max_animation_pixels(0);
    for name in ["gif-animated.gif", "apng.png", "apng-default.png", "webp-animated.webp"] {
        let picture = read(&vector(name), &none).unwrap();
        let kept = picture.frames.last().unwrap().index + 1;
        assert_eq!(kept + picture.frames_skipped, picture.frame_count, "{name}");
    }
}

#[test]
fn a_first_frame_is_the_same_alone_and_in_an_animation() {
    let alone = vector("gif-margin.gif");
    let start = alone.windows(5).position(|part| part == [0x2c, 20, 0, 10, 0]).unwrap();
    let twice = [&alone[..alone.len() - 1], &alone[start..]].concat();
    let (alone, twice) = (read(&alone, &Limits::default()).unwrap(), read(&twice, &Limits::default()).unwrap());
    assert_eq!((alone.frame_count, twice.frame_count), (1, 2));
    assert_eq!(alone.frames.len(), 6, "five surfaces, and the frame without its margin");
    for (one, two) in alone.frames.iter().zip(&twice.frames) {
        assert_eq!((one.index, one.surface), (two.index, two.surface));
        assert_eq!(one.luma, two.luma, "{:?}", one.surface);
    }
}

const ALL_SURFACES: [Surface; 5] =
    [Surface::Plain, Surface::OverWhite, Surface::OverBlack, Surface::OverGrey, Surface::OverDarkGrey];

#[test]
fn opaque_alpha_is_no_transparency() {
    let surfaces = |name: &str| read_vector(name).frames.iter().map(|frame| frame.surface).collect::<Vec<_>>();
    for name in ["png-rgba-opaque.png", "png-palette-opaque-alpha.png", "webp-lossless-opaque.webp"] {
        assert_eq!(surfaces(name), [Surface::Plain], "{name}");
    }
    for name in ["png-rgba-8.png", "png-palette-4-transparent.png", "gif-transparent.gif", "bmp-32-alpha.bmp"] {
        assert_eq!(surfaces(name), ALL_SURFACES, "{name}");
    }
}

#[test]
fn one_transparent_pixel_in_the_last_row_makes_further_surfaces() {
    let mut rgba = [200, 30, 90, 255].repeat(64 * 64);
    let opaque = read_rgba(Format::Avif, 64, 64, &rgba, &Limits::default()).unwrap();
    assert_eq!(opaque.frames.len(), 1);
    *rgba.last_mut().unwrap() = 0;
    let picture = read_rgba(Format::Avif, 64, 64, &rgba, &Limits::default()).unwrap();
    let [plain, over_white, over_black, over_grey, over_dark_grey] = &picture.frames[..] else {
        panic!("{} surfaces", picture.frames.len())
    };
    assert_eq!(plain.luma, opaque.frames[0].luma);
    assert_eq!(over_white.luma.small[0], plain.luma.small[0]);
    let last = |frame: &Frame| frame.luma.small[64 * 64 - 1];
    assert!(last(over_white) > last(plain) + 1.0);
    assert!(last(over_black) < last(plain) - 1.0);
    assert!((last(over_grey) - (last(over_white) + last(over_black)) / 2.0).abs() < 1e-3);
    assert!((last(over_black)..last(over_grey)).contains(&last(over_dark_grey)));
}

#[test]
fn pixels_from_the_browser_are_taken_as_they_are() {
    let decoder = png::Decoder::new(std::io::Cursor::new(vector("png-rgba-8.png")));
    let mut reader = decoder.read_info().unwrap();
    let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut rgba).unwrap();
    let picture = read_rgba(Format::Jxl, 72, 54, &rgba, &Limits::default()).unwrap();
    let same = read_vector("png-rgba-8.png");
    assert_eq!((picture.format, picture.decoded_by), (Format::Jxl, DecodedBy::Browser));
    assert_eq!((picture.width, picture.height, picture.frame_count), (72, 54, 1));
    assert_eq!(picture.frames.len(), 5);
    for (ours, theirs) in picture.frames.iter().zip(&same.frames) {
        assert_eq!(ours.luma, theirs.luma, "{:?}", ours.surface);
    }

    let short = read_rgba(Format::Avif, 72, 54, &rgba[1..], &Limits::default()).unwrap_err();
    assert_eq!(short.to_string(), "the AVIF file cannot be read: expected 15552 bytes for 72 x 54 pixels, got 15551");
    assert!(matches!(
        read_rgba(Format::Avif, 0, 54, &[], &Limits::default()),
        Err(IntakeError::Unreadable { format: Format::Avif, .. })
    ));
    assert!(matches!(
        read_rgba(Format::Heic, 70_000, 70_000, &[], &Limits::default()),
        Err(IntakeError::TooLarge { .. })
    ));
}

#[test]
fn the_order_of_rows_makes_no_difference() {
    for (name, other) in [("png-rgb-8.png", "png-rgb-8-adam7.png"), ("bmp-24.bmp", "bmp-24-top-down.bmp")] {
        let (one, two) = (read_vector(name), read_vector(other));
        let (one, two) = (&one.frames[0].luma, &two.frames[0].luma);
        for (a, b) in one.small.iter().zip(two.small.iter()).chain(one.plane.cells.iter().zip(&two.plane.cells)) {
            assert!((a - b).abs() < 1e-3, "{name}: {a} and {b}");
        }
    }
}

#[test]
fn the_size_that_a_browser_would_decode_is_held_against_the_limits() {
    for (name, expected) in [
        ("avif-420.avif", Format::Avif),
        ("avif-animated.avif", Format::Avif),
        ("heic.heic", Format::Heic),
        ("jxl.jxl", Format::Jxl),
        ("jxl-container.jxl", Format::Jxl),
    ] {
        let bytes = std::fs::read(format!("tests/vectors/{name}")).unwrap();
        assert_eq!(browser_format(&bytes), Some(expected), "{name}");
        let check = |limits: Limits| check_declared_size(expected, &bytes, &limits).map_err(|error| error.to_string());
        assert_eq!(check(Limits::default().with_max_width(144).with_max_height(108)), Ok(()), "{name}");
        let too_wide = check(Limits::default().with_max_width(143));
        assert_eq!(too_wide, Err("width in pixels: expected at most 143, got 144".into()), "{name}");
        let too_high = check(Limits::default().with_max_height(107));
        assert_eq!(too_high, Err("height in pixels: expected at most 107, got 108".into()), "{name}");
        let pixels = Limits::default().with_max_pixels(144 * 108 - 1);
        assert!(check(pixels).is_err(), "{name}");
    }
    // JPEG XL stores a square as one side and a ratio. A side that is a multiple of 8 and at most 256 takes five bits.
    let small_square = b"\xff\x0a\x4f\0\0\0\0";
    let limits = Limits::default().with_max_width(63);
    let error = check_declared_size(Format::Jxl, small_square, &limits).unwrap_err();
    assert_eq!(error.to_string(), "width in pixels: expected at most 63, got 64");
}

#[test]
fn a_browsers_frames_are_kept_as_those_of_other_animations() {
    let limits = Limits::default().with_max_frames(3).with_max_animation_pixels(500_000);
    let begin = |frames| BrowserPicture::new(Format::Avif, (100, 80), frames, &limits).unwrap();
    assert_eq!(begin(0).wanted_frames(), [0]);
    assert_eq!(begin(5).wanted_frames(), [0, 2, 4]);
    // The limit of 500,000 pixels pays for decoding 59 frames and hashing 3 of them, at 8,000 pixels each.
    assert_eq!(begin(u32::MAX).wanted_frames(), [0, 29, 58]);
    let mut picture = begin(u32::MAX);
    assert!(picture.end_frame(0).is_err(), "no rows");
    for _ in 0..2 {
        picture.push_rows(&[128; 4 * 100 * 40]);
    }
    picture.end_frame(0).unwrap();
    picture.push_rows(&[128; 4 * 100 * 40]);
    assert!(picture.end_frame(29).is_err(), "half the rows");
    let picture = picture.finish().unwrap();
    assert_eq!((picture.frames_skipped, picture.frame_count), (u32::MAX - 59, u32::MAX));
    assert!(begin(1).finish().is_err(), "no frame");
}

#[test]
fn films_are_told_by_their_first_bytes_and_pictures_built_like_them_are_none() {
    use hashgate::image::{FilmKind, film_kind, not_a_picture};
    let mut stream = vec![0; 400];
    stream[0] = 0x47;
    stream[188] = 0x47;
    stream[376] = 0x47;
    for (head, kind) in [
        (&b"\0\0\0\x14ftypisom\0\0\0\0mp42"[..], Some(FilmKind::Mp4)),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Some(FilmKind::Mp4)),
        (b"\0\0\0\x08wide\0\0\0\0mdat", Some(FilmKind::Mp4)),
        (b"\0\0\x40\x08moov\0\0\0\0mvhd", Some(FilmKind::Mp4)),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86", Some(FilmKind::Matroska)),
        (b"RIFF\0\0\0\0AVI LIST", Some(FilmKind::Other)),
        (b"\0\0\x01\xba\x44\0", Some(FilmKind::Other)),
        (&stream, Some(FilmKind::Other)),
        (b"\0\0\0\x14ftypheic\0\0\0\0mif1", None),
        (b"\0\0\0\x14ftypavis\0\0\0\0msf1", None),
        (b"\0\0\0\x14ftypcrx \0\0\0\0isom", None),
        (b"RIFF\0\0\0\0WEBPVP8 ", None),
        (b"GIF89a", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ] {
        assert_eq!(film_kind(head), kind, "{head:02x?}");
        assert!(kind.is_none() || not_a_picture(head).is_some(), "{head:02x?} is no picture, too");
    }
}

#[test]
fn windows_media_of_sound_alone_is_no_film() {
    use hashgate::image::{FilmKind, film_kind};
    let media = |first: [u8; 4]| [&first[..], b"\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b"].concat();
    let (sound, video) = (media([0x40, 0x9e, 0x69, 0xf8]), media([0xc0, 0xef, 0x19, 0xbc]));
    let asf = |types: &[&Vec<u8>], cut: usize| {
        let stream = b"\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\x00\xc0\x0c\x20\x53\x65\x58\0\0\0\0\0\0\0";
        let objects: Vec<u8> = types.iter().flat_map(|kind| [&stream[..], kind, &[0; 48]].concat()).collect();
        let length = 30 + objects.len() as u64;
        let name = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
        let count = (types.len() as u32).to_le_bytes();
        let mut file = [&name[..], &length.to_le_bytes(), &count, &[1, 2], &objects].concat();
        file.truncate(file.len() - cut);
        file
    };
    assert_eq!(film_kind(&asf(&[&sound], 0)), None);
    assert_eq!(film_kind(&asf(&[&sound, &sound], 0)), None);
    assert_eq!(film_kind(&asf(&[&video], 0)), Some(FilmKind::Other));
    assert_eq!(film_kind(&asf(&[&sound, &video], 0)), Some(FilmKind::Other));
    assert_eq!(film_kind(&asf(&[&sound], 1)), Some(FilmKind::Other), "a header that isn't whole says nothing");
    assert_eq!(film_kind(&asf(&[], 0)), Some(FilmKind::Other), "no stream");
}
