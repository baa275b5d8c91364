//! Tests odd files, all drawn here. Some break a rule of their format but browsers show them. About others, decoders
//! disagree. Others look different on another background, in another frame, or by their colour profile.

mod cut;
mod gif_screen;

use hashgate::image::{Caveat, Format, IntakeError, Limits, NotOrdinary, Picture, Surface, read};
use hashgate::pdq::{Coefficients, PdqHash};
use hashgate_testkit::hostile::crc32;

const SIDE: u32 = 64;

fn picture(bytes: &[u8]) -> Picture {
    read(bytes, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Draws grey blotches; each `number` gives a different picture.
fn blotches(number: u32) -> Vec<u8> {
    let corner = |x: u32, y: u32| {
        let state = (number * 1009 + y * 31 + x + 1).wrapping_mul(0x9e37_79b9);
        f64::from((state ^ state >> 15).wrapping_mul(0x85eb_ca6b) >> 24)
    };
    let shade = |x: u32, y: u32| {
        let (right, low) = (f64::from(x % 8) / 8.0, f64::from(y % 8) / 8.0);
        let line = |y: u32| corner(x / 8, y) * (1.0 - right) + corner(x / 8 + 1, y) * right;
        (line(y / 8) * (1.0 - low) + line(y / 8 + 1) * low) as u8
    };
    (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| shade(x, y))).collect()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [name, data].concat();
    [(data.len() as u32).to_be_bytes().as_slice(), &named, &crc32(&named).to_be_bytes()].concat()
}

/// Makes a PNG of 8 bits per channel from raw pixels. `before` and `behind` are chunks that are put around the pixel
/// data.
fn png_with(colour: u8, pixels: &[u8], before: &[u8], behind: &[u8]) -> Vec<u8> {
    let length = pixels.len() / SIDE as usize;
    let rows: Vec<u8> = pixels.chunks(length).flat_map(|row| [&[0], row].concat()).collect();
    let header = [SIDE.to_be_bytes().as_slice(), &SIDE.to_be_bytes(), &[8, colour, 0, 0, 0]].concat();
    let data = fdeflate::compress_to_vec(&rows);
    let start = [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &header), before].concat();
    [start.as_slice(), &chunk(b"IDAT", &data), behind].concat()
}

fn end() -> Vec<u8> {
    chunk(b"IEND", b"")
}

fn hashes(picture: &Picture) -> Vec<(Surface, PdqHash)> {
    let hash = |frame: &hashgate::image::Frame| (frame.surface, Coefficients::of(&frame.luma.small).hash());
    picture.frames.iter().map(hash).collect()
}

fn grey_png(number: u32) -> Vec<u8> {
    png_with(0, &blotches(number), b"", &end())
}

/// Returns the surfaces of a file whose hash is within 31 bits (PDQ's threshold for a match) of `grey_png(number)`.
fn surfaces_like(bytes: &[u8], number: u32) -> Vec<Surface> {
    let like = hashes(&picture(&grey_png(number)))[0].1;
    hashes(&picture(bytes))
        .into_iter()
        .filter(|(_, hash)| hash.distance(&like) <= 31)
        .map(|(surface, _)| surface)
        .collect()
}

fn is_odd(picture: &Picture) -> bool {
    matches!(picture.not_ordinary, Some(NotOrdinary::Structure(_)))
}

#[test]
fn an_ordinary_file_has_nothing_to_admit() {
    let picture = picture(&grey_png(1));
    assert_eq!((picture.caveats.len(), &picture.not_ordinary, &picture.damaged), (0, &None, &None));
}

#[test]
fn a_png_whose_pixels_are_whole_is_read_whatever_follows_them() {
    for (name, behind) in [
        ("no end", Vec::new()),
        ("a wrong checksum", [&end()[..8], b"1234"].concat()),
        ("an end with data", chunk(b"IEND", b"abc")),
        ("half a chunk", b"\0\0\0\x09tEX".to_vec()),
    ] {
        let file = png_with(0, &blotches(1), b"", &behind);
        assert_eq!(surfaces_like(&file, 1), [Surface::Plain], "{name}");
        let picture = picture(&file);
        assert_eq!((picture.caveats, picture.damaged), (vec![Caveat::Malformed], None), "{name}");
    }
}

#[test]
fn of_two_runs_of_pixels_the_first_is_taken_and_the_file_is_not_ordinary() {
    let second = fdeflate::compress_to_vec(&[0; 65 * 64]);
    let behind = [chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", &second), end()].concat();
    let file = png_with(0, &blotches(1), b"", &behind);
    assert_eq!(surfaces_like(&file, 1), [Surface::Plain]);
    assert!(is_odd(&picture(&file)));
}

#[test]
fn a_palette_of_any_length_neither_panics_nor_passes() {
    let indices = blotches(1);
    let palette: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
    let file =
        |length: usize| png_with(3, &indices, &chunk(b"PLTE", &[&palette[..], &[0; 40]].concat()[..length]), &end());
    assert!(picture(&file(768)).not_ordinary.is_none());
    // Chromium uses the palette's complete entries of three bytes and drops an incomplete last entry.
    assert_eq!(surfaces_like(&file(767), 1), [Surface::Plain]);
    for length in [1, 2, 3, 100, 300, 599, 767] {
        if let Ok(picture) = read(&file(length), &Limits::default()) {
            assert!(is_odd(&picture), "{length} bytes of palette");
        }
    }
    for length in [0, 1, 2, 769, 800] {
        let result = read(&file(length), &Limits::default());
        assert!(matches!(result, Err(IntakeError::Unreadable { .. })), "{length} bytes of palette");
    }
}

#[test]
fn broken_animation_chunks_leave_the_still_picture() {
    let control = |x: u32| {
        let numbers = [0, SIDE, SIDE, x, 0].map(u32::to_be_bytes);
        chunk(b"fcTL", &[numbers.as_flattened(), &[0, 1, 0, 10, 0, 0]].concat())
    };
    let announced = chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    for (name, before) in [
        ("a frame outside", [announced.clone(), control(9)].concat()),
        ("a short control", [announced.clone(), chunk(b"fcTL", b"abc")].concat()),
        ("no second frame", [announced, control(0)].concat()),
    ] {
        let file = png_with(0, &blotches(1), &before, &end());
        assert!(surfaces_like(&file, 1).contains(&Surface::Plain), "{name}");
        let picture = picture(&file);
        assert!(picture.caveats.contains(&Caveat::Malformed) && is_odd(&picture), "{name}");
    }
}

#[test]
fn a_cut_png_gives_the_rows_that_are_there() {
    let file = grey_png(1);
    let picture = picture(&file[..file.len() * 9 / 10]);
    assert!(picture.damaged.is_some());
    assert_eq!(picture.frames.len(), 2, "what is there, and a guess at the whole");
}

#[test]
fn a_picture_that_shows_on_one_background_alone_is_seen() {
    // Draws a file that shows one picture over black and another over white, by computing each pixel's colour and alpha
    // from the two pictures.
    let (dark, light) = (blotches(1), blotches(2));
    let mirage = dark.iter().zip(&light).flat_map(|(&dark, &light)| {
        let (black, white) = (f64::from(dark) / 2.0, 127.0 + f64::from(light) / 2.0);
        let alpha = 255.0 - (white - black);
        let colour = if alpha > 0.0 { (black * 255.0 / alpha).min(255.0) } else { 0.0 };
        [colour as u8, alpha as u8]
    });
    let file = png_with(4, &mirage.collect::<Vec<_>>(), b"", &end());
    assert!(surfaces_like(&file, 1).contains(&Surface::OverBlack));
    assert!(surfaces_like(&file, 2).contains(&Surface::OverWhite));

    // Makes a file that shows a picture over mid-grey. Over black and over white the picture is too faint to be
    // recognised.
    let (shown, decoy) = (blotches(3), blotches(4));
    let pixels = shown.iter().zip(&decoy).flat_map(|(&shown, &decoy)| {
        let difference = f64::from(decoy) * 0.4;
        let black = 60.0 + f64::from(shown) * 0.4 - difference / 2.0;
        let alpha = 255.0 - difference;
        [(black * 255.0 / alpha).round() as u8, alpha.round() as u8]
    });
    let file = png_with(4, &pixels.collect::<Vec<_>>(), b"", &end());
    let seen = surfaces_like(&file, 3);
    assert!(seen.contains(&Surface::OverGrey), "{seen:?}");
}

#[test]
fn a_gamma_far_from_the_usual_is_applied() {
    let gamma = |value: u32| png_with(0, &blotches(1), &chunk(b"gAMA", &value.to_be_bytes()), &end());
    assert!(picture(&gamma(45_455)).not_ordinary.is_none());
    let picture = picture(&gamma(100_000));
    assert_eq!(picture.not_ordinary, Some(NotOrdinary::ColourProfile { applied: true }));
    assert_eq!(picture.frames.last().unwrap().surface, Surface::Managed);
    let means = [0, 1].map(|at| picture.frames[at].luma.small.iter().sum::<f32>());
    assert!(means[1] > 1.2 * means[0], "linear light looks lighter: {means:?}");
}

fn gif(screen: u16, blocks: &[Vec<u8>]) -> Vec<u8> {
    let size = screen.to_le_bytes();
    let palette: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
    [b"GIF89a".as_slice(), &size, &size, b"\xf7\0\0", &palette, &blocks.concat()].concat()
}

/// Makes a GIF image block. Each pixel is one code of 9 bits: the code table is cleared before it grows, so nothing is
/// compressed.
fn image(side: u16, pixels: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    let codes =
        pixels.chunks(250).flat_map(|part| std::iter::once(256).chain(part.iter().map(|&pixel| u32::from(pixel))));
    for code in codes.chain([257]) {
        held |= code << bits;
        bits += 9;
        while bits >= 8 {
            packed.push(held as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    packed.push(held as u8);
    let size = side.to_le_bytes();
    let mut block = [b"\x2c\0\0\0\0".as_slice(), &size, &size, b"\0\x08"].concat();
    packed.chunks(255).for_each(|part| block.extend([&[part.len() as u8], part].concat()));
    block.push(0);
    block
}

#[test]
fn a_gif_is_read_as_leniently_as_browsers_read_it() {
    let frame = || image(SIDE as u16, &blotches(1));
    let nothing = || image(0, &[]);
    let trailer = || b";".to_vec();
    for (name, blocks, odd) in [
        ("no trailer", vec![frame()], false),
        ("zeros before the trailer", vec![frame(), vec![0, 0], trailer()], false),
        ("zeros before the frame", vec![vec![0], frame(), trailer()], false),
        ("a frame without a size first", vec![nothing(), frame(), trailer()], true),
        ("a frame without a size last", vec![frame(), nothing(), trailer()], true),
        ("a frame without a size but with pixels", vec![image_without_size(), trailer()], true),
        ("other bytes behind the frame", vec![frame(), vec![0x99, 1, 2], trailer()], true),
    ] {
        let file = gif(SIDE as u16, &blocks);
        assert!(surfaces_like(&file, 1).contains(&Surface::Plain), "{name}");
        let picture = picture(&file);
        assert_eq!(picture.caveats, [Caveat::Malformed], "{name}");
        assert_eq!(is_odd(&picture), odd, "{name}");
        assert_eq!(picture.damaged, None, "{name}");
    }
    let whole = gif(SIDE as u16, &[frame(), trailer()]);
    assert!(picture(&whole[..whole.len() - 900]).damaged.is_some());
}

fn image_without_size() -> Vec<u8> {
    let mut block = image(SIDE as u16, &blotches(1));
    block[5..9].fill(0);
    block
}

#[test]
fn a_bmp_is_read_with_odd_headers() {
    let file = |offset: u32, reserved: u32| {
        let mut file = b"BM\0\0\0\0".to_vec();
        file.extend([reserved.to_le_bytes(), offset.to_le_bytes(), 40u32.to_le_bytes()].concat());
        file.extend([SIDE.to_le_bytes(), SIDE.to_le_bytes()].concat());
        file.extend(b"\x01\0\x18\0");
        file.resize(54, 0);
        let rows: Vec<_> = blotches(1).chunks(SIDE as usize).map(<[u8]>::to_vec).collect();
        rows.iter().rev().for_each(|row| file.extend(row.iter().flat_map(|&grey| [grey; 3])));
        file
    };
    let ordinary = picture(&file(54, 0x1234_5678));
    assert_eq!((ordinary.caveats.len(), ordinary.not_ordinary), (0, None));
    assert_eq!(surfaces_like(&file(54, 0x1234_5678), 1), [Surface::Plain]);
    for offset in [0, 20, 53] {
        assert_eq!(surfaces_like(&file(offset, 0), 1), [Surface::Plain], "offset {offset}");
        assert!(is_odd(&picture(&file(offset, 0))), "offset {offset}");
    }
    let whole = file(54, 0);
    let cut = picture(&whole[..whole.len() * 9 / 10]);
    assert_eq!(cut.damaged.as_deref(), Some("7 of its 64 rows are missing"));
}

/// Makes a run-length coded bitmap that skips every pixel darker than mid-grey (128). All colours of its palette are
/// white.
fn bmp_with_gaps(pixels: &[u8]) -> Vec<u8> {
    let mut runs = Vec::new();
    for row in pixels.rchunks(SIDE as usize) {
        row.iter().for_each(|&shade| runs.extend(if shade < 128 { &[0, 2, 1, 0][..] } else { &[1, 9] }));
        runs.extend([0, 0]);
    }
    let number = |value: u32| value.to_le_bytes();
    let header = [number(40), number(SIDE), number(SIDE), [1, 0, 8, 0], number(1), number(runs.len() as u32)].concat();
    let offset = 54 + 1024;
    [
        b"BM".as_slice(),
        &number(offset + runs.len() as u32),
        &[0; 4],
        &number(offset),
        &header,
        &[0; 16],
        &[255; 1024],
        &runs,
    ]
    .concat()
}

#[test]
fn pixels_that_runs_leave_out_are_transparent() {
    let pixels = blotches(1);
    let shown: Vec<u8> = pixels.iter().map(|&shade| if shade < 128 { 0 } else { 255 }).collect();
    let like = hashes(&picture(&png_with(0, &shown, b"", &end())))[0].1;
    let found = hashes(&picture(&bmp_with_gaps(&pixels)));
    let shows = |(surface, hash): &(Surface, PdqHash)| (hash.distance(&like) <= 31).then_some(*surface);
    assert!(found.iter().filter_map(shows).any(|surface| surface == Surface::OverBlack), "{found:?}");
    assert!(found.iter().all(|found| shows(found) != Some(Surface::Plain)));
}

#[test]
fn every_picture_of_an_icon_is_read() {
    let icon = |files: &[Vec<u8>]| {
        let mut icon = vec![0, 0, 1, 0, files.len() as u8, 0];
        let mut offset = 6 + 16 * files.len();
        for file in files {
            icon.extend([SIDE as u8, SIDE as u8, 0, 0, 1, 0, 32, 0]);
            icon.extend([(file.len() as u32).to_le_bytes(), (offset as u32).to_le_bytes()].concat());
            offset += file.len();
        }
        [icon, files.concat()].concat()
    };
    // The mask of an icon follows a bitmap of 24 bits per pixel. The bitmap stores its lowest row first.
    let mut bitmap = [40u32.to_le_bytes(), SIDE.to_le_bytes(), (2 * SIDE).to_le_bytes()].concat();
    bitmap.extend(b"\x01\0\x18\0");
    bitmap.resize(40, 0);
    let shades = blotches(2);
    let rows: Vec<_> = shades.chunks(SIDE as usize).collect();
    rows.iter().rev().for_each(|row| bitmap.extend(row.iter().flat_map(|&grey| [grey; 3])));
    bitmap.extend([0; 8 * 64]);
    let file = icon(&[grey_png(1), bitmap]);
    let read = picture(&file);
    assert_eq!((read.format, read.frame_count, read.not_ordinary.is_none()), (Format::Ico, 2, true));
    assert_eq!(surfaces_like(&file, 1), [Surface::Plain]);
    assert_eq!(surfaces_like(&file, 2), [Surface::Plain]);
    let half = icon(&[grey_png(1), b"nonsense".repeat(9)]);
    assert!(is_odd(&picture(&half)));
}

#[test]
fn rasters_in_an_svg_are_read_and_the_drawing_is_not() {
    let encoded = {
        use base64ct::Encoding;
        base64ct::Base64::encode_string(&grey_png(1))
    };
    let svg = format!("<svg xmlns='http://www.w3.org/2000/svg'><image href='data:image/png;base64,{encoded}'/></svg>");
    assert_eq!(surfaces_like(svg.as_bytes(), 1), [Surface::Plain]);
    assert!(picture(svg.as_bytes()).damaged.is_some(), "without a match it is not clear");
    let drawn = read(b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>", &Limits::default());
    assert!(matches!(drawn, Err(IntakeError::UnsupportedPicture { .. })));
}

#[test]
fn content_decides_what_is_no_picture() {
    let kind = |bytes: &[u8]| match read(bytes, &Limits::default()) {
        Err(IntakeError::NotAPicture { .. }) => "no picture",
        Err(IntakeError::UnsupportedPicture { .. }) => "unsupported",
        other => panic!("{:?}", other.map(|picture| picture.format)),
    };
    for other in [
        b"".as_slice(),
        b"%PDF-1.7\n",
        b"ID3\x04\0\0",
        b"\xff\xfb\x90\x64\0",
        b"plain words, and <svg in the middle",
        b"<!DOCTYPE html><svg></svg>",
        b"PK\x03\x04\x14\0",
        b"\x1a\x45\xdf\xa3",
        b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2",
        b"RIFF\x04\0\0\0AVI LIST",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0",
        b"\x7fELF\x02\x01",
    ] {
        assert_eq!(kind(other), "no picture", "{}", String::from_utf8_lossy(other));
    }
    for picture in [
        b"8BPS\0\x01".as_slice(),
        b"\0\0\0\x0cjP  \r\n",
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\xff\x0a\xfa\x1f",
        b"P6\n2 2\n255\n",
        b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\xff\0\0\0",
        b"\x89PNG\r\n\x1a\x0b",
        b"gif89a\x40\x01",
        b"\0\0\0\x01ftyp\0\0\0\0\0\0\0\x1cavif\0\0\0\0mif1",
        b"\0\0\0\0ftypavif\0\0\0\0",
        b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
        b"<svg><!-- <html> --></svg>",
        b"<\0s\0v\0g\0/\0>\0",
        b"\x0a\x05\x01\x08\0\0\0\0",
        b"\0\0\x02\0\0\0\0\0\0\0\0\0\x40\0\x40\0\x18\0",
    ] {
        assert_eq!(kind(picture), "unsupported", "{}", String::from_utf8_lossy(picture));
    }
}
