//! Decodes odd JPEGs with this crate and with MozJPEG's libjpeg, and compares the results.

use hashgate::Limits;
use hashgate::image::{Caveat, DecodedBy, IntakeError, Picture, read, read_fully};
use hashgate::pdq::{Coefficients, LumaBuilder, PdqHash, quality};
use hashgate_testkit::Random;
use hashgate_testkit::jpeg::{Kind, draw, kinds, mutate};
use jpeg_encoder::SamplingFactor;

const PLAIN: Kind = Kind {
    sampling: SamplingFactor::F_2_2,
    progressive: false,
    refined: false,
    grey: false,
    quality: 85,
    restarts: 0,
    optimized: false,
};

/// Two sizes of pictures. The smaller is read by the general decoder alone; the larger is large enough for the
/// low-terms decoder.
const SIZES: [(u16, u16); 2] = [(203, 157), (1003, 907)];

/// Returns the hash and quality of the picture that libjpeg decodes, or `None` if libjpeg gives up. CMYK is converted
/// to RGB as browsers do it.
fn by_libjpeg(bytes: &[u8]) -> Option<(PdqHash, u8)> {
    // `mozjpeg` turns libjpeg's errors into panics.
    let decoded = std::panic::catch_unwind(|| {
        let decoder = mozjpeg::Decompress::new_mem(bytes).ok()?;
        let (width, height) = decoder.size();
        let mut builder = LumaBuilder::new(width as u32, height as u32);
        if decoder.components().len() == 4 {
            let mut decoder = decoder.to_colorspace(mozjpeg::ColorSpace::JCS_CMYK).ok()?;
            let pixels = decoder.read_scanlines::<[u8; 4]>().ok()?;
            for (y, row) in (0..).zip(pixels.chunks(width)) {
                let ink = |pixel: &[u8; 4], at: usize| ((u32::from(pixel[at]) * u32::from(pixel[3]) + 127) / 255) as u8;
                let rgb: Vec<u8> = row.iter().flat_map(|pixel| [0, 1, 2].map(|at| ink(pixel, at))).collect();
                builder.push_rgb(y, &rgb);
            }
        } else {
            let mut decoder = decoder.rgb().ok()?;
            let pixels = decoder.read_scanlines::<[u8; 3]>().ok()?;
            for (y, row) in (0..).zip(pixels.chunks(width)) {
                builder.push_rgb(y, row.as_flattened());
            }
        }
        let luma = builder.finish();
        Some((Coefficients::of(&luma.small).hash(), quality(&luma.small)))
    });
    decoded.ok().flatten()
}

fn hash(picture: &Picture) -> PdqHash {
    Coefficients::of(&picture.frames[0].luma.small).hash()
}

fn reading(bytes: &[u8]) -> Picture {
    read(bytes, &Limits::default()).unwrap()
}

/// Asserts that a file's hash is within 2 bits of the hash of libjpeg's picture (16 bits for the low-terms decoder).
#[track_caller]
fn assert_as_libjpeg(name: &str, bytes: &[u8]) -> Picture {
    let (shown, _) = by_libjpeg(bytes).unwrap_or_else(|| panic!("{name}: libjpeg gives up"));
    let picture = reading(bytes);
    let bits = hash(&picture).distance(&shown);
    // The low-terms decoder computes brightness from block means, so it is less exact.
    let most = if picture.decoded_by == DecodedBy::LowTerms { 16 } else { 2 };
    assert!(bits <= most, "{name}: {bits} bits from libjpeg");
    picture
}

fn find(bytes: &[u8], marker: u8) -> usize {
    bytes.windows(2).position(|pair| pair == [0xff, marker]).unwrap()
}

fn insert(bytes: &[u8], at: usize, piece: &[u8]) -> Vec<u8> {
    [&bytes[..at], piece, &bytes[at..]].concat()
}

fn remove(bytes: &[u8], piece: std::ops::Range<usize>) -> Vec<u8> {
    [&bytes[..piece.start], &bytes[piece.end..]].concat()
}

fn adobe(transform: u8) -> Vec<u8> {
    [b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat()
}

/// Places of the restart markers.
fn restarts(bytes: &[u8]) -> Vec<usize> {
    let scan = find(bytes, 0xda);
    (scan..bytes.len() - 1).filter(|&at| bytes[at] == 0xff && bytes[at + 1] & 0xf8 == 0xd0).collect()
}

/// Without the JFIF segment.
fn without_jfif(bytes: &[u8]) -> Vec<u8> {
    let at = find(bytes, 0xe0);
    let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    remove(bytes, at..at + 2 + length)
}

/// Replaces the component ids in the frame header and in the first scan's header.
fn with_ids(bytes: &[u8], ids: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let frame = (0xc0..=0xc2).find_map(|marker| bytes.windows(2).position(|pair| pair == [0xff, marker])).unwrap();
    let scan = find(&bytes, 0xda);
    for (index, &id) in ids.iter().enumerate() {
        bytes[frame + 10 + 3 * index] = id;
        bytes[scan + 5 + 2 * index] = id;
    }
    bytes
}

#[test]
fn colours_are_those_that_libjpeg_chooses() {
    for (width, height) in SIZES {
        let whole = draw(width, height, PLAIN, 3);
        for jfif in [true, false] {
            let base = if jfif { whole.clone() } else { without_jfif(&whole) };
            for transform in [None, Some(0), Some(1), Some(2), Some(3), Some(255)] {
                let at = if jfif { 20 } else { 2 };
                let marked = transform.map_or(base.clone(), |transform| insert(&base, at, &adobe(transform)));
                for ids in [*b"\x01\x02\x03", *b"\0\x01\x02", *b"\x03\x02\x01", *b"RGB", *b"rgb", *b"\x01\x01\x01"] {
                    let name = format!("{width} x {height}, JFIF {jfif}, Adobe {transform:?}, ids {ids:?}");
                    let picture = assert_as_libjpeg(&name, &with_ids(&marked, &ids));
                    let plain =
                        matches!(ids[..], [0 | 1, 1 | 2, 2 | 3]) && ids[0] < ids[1] && transform.is_none_or(|t| t == 1);
                    assert_eq!(picture.not_ordinary.is_none(), plain, "{name}");
                }
            }
        }
    }
}

#[test]
fn four_components_are_inks() {
    let pixels: Vec<u8> = (0..203 * 157 * 4).map(|at: u64| (at * at / 977 + at / 31) as u8).collect();
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 90);
    encoder.encode(&pixels, 203, 157, jpeg_encoder::ColorType::Cmyk).unwrap();
    let at = file.windows(2).position(|pair| pair == [0xff, 0xee]);
    let bare = at.map_or(file.clone(), |at| remove(&file, at..at + 16));
    for transform in [None, Some(0), Some(1), Some(2), Some(3), Some(255)] {
        let bytes = transform.map_or(bare.clone(), |transform| insert(&bare, 2, &adobe(transform)));
        let picture = assert_as_libjpeg(&format!("Adobe {transform:?}"), &bytes);
        assert!(picture.not_ordinary.is_some());
    }
}

#[test]
fn two_components_are_read_by_the_first() {
    let grey = draw(203, 157, Kind { grey: true, ..PLAIN }, 3);
    let colour = draw(203, 157, Kind { sampling: SamplingFactor::F_1_1, ..PLAIN }, 3);
    // Removes the third component from the headers of the frame and of its three scans.
    let separate = draw(203, 157, Kind { sampling: SamplingFactor::F_1_1, optimized: true, ..PLAIN }, 3);
    let frame = find(&separate, 0xc0);
    let mut two = remove(&separate, frame + 16..frame + 19);
    (two[frame + 3], two[frame + 9]) = (14, 2);
    let last = two.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    two.truncate(last);
    two.extend(b"\xff\xd9");
    let picture = reading(&two);
    assert!(picture.not_ordinary.is_some() && picture.damaged.is_none());
    assert!(hash(&picture).distance(&hash(&reading(&separate))) <= 31);
    assert!(reading(&grey).not_ordinary.is_none() && reading(&colour).not_ordinary.is_none());
}

#[test]
fn restart_markers_that_are_lost_are_resynchronised() {
    for (width, height) in SIZES {
        for progressive in [false, true] {
            let bytes = draw(width, height, Kind { restarts: 5, progressive, ..PLAIN }, 9);
            let places = restarts(&bytes);
            let one = places[places.len() / 5];
            let two = places[places.len() / 5 + 1];
            let mut other = bytes.clone();
            other[one + 1] ^= 1;
            let mut far = bytes.clone();
            far[one + 1] = 0xd0 | (far[one + 1] + 4) & 7;
            let mut swapped = bytes.clone();
            swapped.swap(one + 1, two + 1);
            for (name, bytes) in [
                ("first lost", remove(&bytes, places[0]..places[0] + 2)),
                ("one lost", remove(&bytes, one..one + 2)),
                ("an interval lost", remove(&bytes, one..two)),
                ("three intervals lost", remove(&bytes, one..places[places.len() / 5 + 3])),
                ("another number", other),
                ("a number far away", far),
                ("one twice", insert(&bytes, one, &bytes[one..one + 2])),
                ("two swapped", swapped),
                ("bytes before one", insert(&bytes, one, b"\x55\x55\x55")),
            ] {
                let name = format!("{width} x {height}, progressive {progressive}, {name}");
                let picture = assert_as_libjpeg(&name, &bytes);
                assert!(picture.not_ordinary.is_some(), "{name}");
                assert!(picture.damaged.is_some() || picture.caveats == [Caveat::Malformed], "{name}");
            }
        }
    }
}

/// Encodes a picture with these sampling factors: `luma`, and `chroma` for both chroma components.
fn sampled(luma: (i32, i32), chroma: (i32, i32), progressive: bool) -> std::io::Result<Vec<u8>> {
    let (width, height) = (203usize, 157usize);
    let mut encoder = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    encoder.set_fastest_defaults();
    encoder.set_size(width, height);
    encoder.set_quality(85.0);
    if progressive {
        encoder.set_progressive_mode();
    }
    for (component, (across, down)) in encoder.components_mut().iter_mut().zip([luma, chroma, chroma]) {
        (component.h_samp_factor, component.v_samp_factor) = (across, down);
    }
    let mut encoder = encoder.start_compress(Vec::new())?;
    let wave = |at: usize, period: f32| (127.0 + 120.0 * (at as f32 / period).sin()) as u8;
    let pixels: Vec<[u8; 3]> = (0..width * height)
        .map(|at| (at % width, at / width))
        .map(|(x, y)| [wave(x + y, 17.0), wave(x * y / 40, 23.0), wave(2 * y + x / 3, 31.0)])
        .collect();
    encoder.write_scanlines(pixels.as_flattened())?;
    encoder.finish()
}

#[test]
fn sampling_is_what_libjpeg_takes_it_for() {
    let factors = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4), (4, 2), (2, 4)];
    let mut read_alike = 0;
    for luma in factors {
        for chroma in factors {
            for progressive in [false, true] {
                // Skips samplings with more than ten blocks per unit, which T.81 forbids.
                let blocks = luma.0 * luma.1 + 2 * chroma.0 * chroma.1;
                // The encoder requires that, in each direction, luma or chroma has a factor of 1.
                if blocks > 10 || luma.0.min(chroma.0) > 1 || luma.1.min(chroma.1) > 1 {
                    continue;
                }
                let bytes = sampled(luma, chroma, progressive).unwrap();
                let name = format!("luma {luma:?}, chroma {chroma:?}, progressive {progressive}");
                let picture = assert_as_libjpeg(&name, &bytes);
                assert!(picture.damaged.is_none() && picture.caveats.is_empty(), "{name}");
                read_alike += 1;
            }
        }
    }
    assert!(read_alike > 30, "only {read_alike}");
}

#[test]
fn factors_that_do_not_divide_the_largest_are_refused_as_by_libjpeg() {
    let mut bytes = sampled((3, 1), (1, 1), false).unwrap();
    let frame = find(&bytes, 0xc0);
    assert_as_libjpeg("three by one", &bytes);
    bytes[frame + 14] = 0x21;
    assert!(by_libjpeg(&bytes).is_none());
    assert!(matches!(read(&bytes, &Limits::default()), Err(IntakeError::Unreadable { .. })));
}

#[test]
fn files_that_break_a_rule_but_have_every_pixel_are_malformed() {
    for (width, height) in SIZES {
        for (progressive, refined) in [(false, false), (true, true)] {
            let bytes = draw(width, height, Kind { progressive, refined, ..PLAIN }, 3);
            let intact = hash(&read_fully(&bytes, &Limits::default()).unwrap());
            let tables = find(&bytes, 0xdb);
            let end = bytes.len() - 2;
            let trailer = [b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1582".as_slice(), b"SEFHk\0\0\0SEFT"].concat();
            for (name, bytes) in [
                ("no end", bytes[..end].to_vec()),
                ("no end but a trailer", [&bytes[..end], &trailer].concat()),
                ("bytes before a marker", insert(&bytes, tables, b"\0\x01\x02\x03")),
                ("TEM", insert(&bytes, tables, b"\xff\x01")),
                ("a restart marker before the scan", insert(&bytes, tables, b"\xff\xd3")),
                ("a comment of length 0", insert(&bytes, tables, b"\xff\xfe\0\0")),
                ("an application segment of length 1", insert(&bytes, tables, b"\xff\xe5\0\x01")),
                ("DNL", insert(&bytes, end, b"\xff\xdc\0\x04\x01\x02")),
            ] {
                let name = format!("{width} x {height}, progressive {progressive}, {name}");
                let picture = assert_as_libjpeg(&name, &bytes);
                assert!(hash(&picture).distance(&intact) <= 2, "{name}");
                assert_eq!(picture.caveats, [Caveat::Malformed], "{name}");
                assert!(picture.not_ordinary.is_some() && picture.damaged.is_none(), "{name}");
            }
        }
    }
}

#[test]
fn motion_jpeg_lacks_huffman_tables() {
    // Removes the Huffman tables, as Motion JPEG does. `jpeg-encoder` uses the standard tables of T.81, annex K, which
    // decoders then assume.
    let bytes = draw(203, 157, PLAIN, 3);
    let mut bare = bytes.clone();
    while let Some(at) = bare.windows(2).position(|pair| pair == [0xff, 0xc4]) {
        let length = usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
        bare = remove(&bare, at..at + 2 + length);
    }
    assert!(bare.len() < bytes.len() - 400);
    let picture = assert_as_libjpeg("without tables", &bare);
    assert!(hash(&picture).distance(&hash(&reading(&bytes))) <= 2);
    assert_eq!(picture.caveats, [Caveat::Malformed]);
}

#[test]
fn a_height_that_is_told_after_the_scan_is_read() {
    let bytes = draw(203, 157, PLAIN, 3);
    let frame = find(&bytes, 0xc0);
    let mut late = insert(&bytes, bytes.len() - 2, &[0xff, 0xdc, 0, 4, bytes[frame + 5], bytes[frame + 6]]);
    (late[frame + 5], late[frame + 6]) = (0, 0);
    let picture = reading(&late);
    assert_eq!((picture.height, hash(&picture).distance(&hash(&reading(&bytes))) <= 2), (157, true));
    assert!(picture.not_ordinary.is_some());
}

#[test]
fn of_a_damaged_file_what_is_there_is_read() {
    let mut random = Random::new(0xca7);
    for kind in [PLAIN, Kind { progressive: true, refined: true, ..PLAIN }] {
        let bytes = draw(203, 157, kind, 3);
        let scan = find(&bytes, 0xda);
        for _ in 0..20 {
            let length = scan + 20 + random.below(bytes.len() - scan - 24);
            for bytes in [bytes[..length].to_vec(), [&bytes[..length], b"\xff\xd9"].concat()] {
                let picture = read(&bytes, &Limits::default()).unwrap();
                assert!(picture.not_ordinary.is_some(), "{length} bytes");
                let Some((shown, quality)) = by_libjpeg(&bytes) else { continue };
                let bits = hash(&picture).distance(&shown);
                // libjpeg smooths a progressive picture whose last scans are missing.
                assert!(bits <= if kind.progressive { 31 } else { 2 } || quality < 50, "{length} bytes: {bits} bits");
            }
            assert!(reading(&bytes[..length]).damaged.is_some(), "{length} bytes");
        }
        // A marker within the data ends the data.
        let middle = scan + (bytes.len() - scan) / 2;
        let picture = reading(&insert(&bytes, middle, b"\xff\x35"));
        assert!(picture.damaged.is_some());
    }
}

#[test]
fn of_two_frames_the_first_is_shown() {
    let (one, two) = (draw(203, 157, PLAIN, 3), draw(203, 157, PLAIN, 4));
    // One file: the segments and the scan of a second picture follow the scan of the first.
    let bytes = [&one[..one.len() - 2], &two[2..]].concat();
    let picture = assert_as_libjpeg("two frames", &bytes);
    assert!(hash(&picture).distance(&hash(&reading(&one))) <= 2);
    assert!(picture.not_ordinary.is_some());
    // A second file after the first, as phones and stereo cameras append it, must be ignored.
    let picture = assert_as_libjpeg("two pictures", &[one.clone(), two].concat());
    assert!(picture.not_ordinary.is_none() && picture.caveats.is_empty());
}

/// If a broken file is read as an ordinary one, its hash must be within 31 bits of libjpeg's. Of all broken files that
/// are read, four in five must be.
#[test]
fn broken_files_are_read_as_libjpeg_reads_them() {
    let mut random = Random::new(0xb0b);
    let (mut compared, mut alike) = (0, 0);
    for (seed, kind) in (1..).zip(kinds()) {
        let whole = draw(203, 157, kind, seed);
        for round in 0..30 {
            let bytes = mutate(&whole, &mut random);
            let Ok(picture) = read(&bytes, &Limits::default()) else { continue };
            let Some((shown, quality)) = by_libjpeg(&bytes) else { continue };
            if quality < 50 {
                continue;
            }
            compared += 1;
            let bits = hash(&picture).distance(&shown);
            assert!(
                bits <= 31 || picture.not_ordinary.is_some(),
                "{kind:?}, round {round}: {bits} bits from libjpeg, but ordinary"
            );
            alike += u32::from(bits <= 31);
        }
    }
    assert!(compared > 90, "only {compared} files were compared");
    // Some files differ for two reasons. MozJPEG's portable code lets samples far out of range wrap around, but
    // browsers' vector code and this crate clip them. MozJPEG also smooths progressive pictures whose last scans are
    // missing.
    assert!(5 * alike >= 4 * compared, "only {alike} of {compared} are near libjpeg's");
}
