//! Compares samples with a second decoder, and the levels of detail with each other.

use rust_h265::{Decoder, PixelData, parse_nal};

use crate::container::Container;
use crate::hevc::{Detail, Frame};
use crate::layer::{Layer, read_configuration};
use crate::{Error, Limits};

const LIMITS: Limits = Limits { max_width: 65_535, max_height: 65_535, max_pixels: 150_000_000, max_alloc: 1 << 30 };

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Returns the samples of a plane.
fn plane(frame: &Frame, plane: usize) -> Vec<u16> {
    let mut samples = Vec::new();
    (0..frame.height).for_each(|y| frame.row(plane, y, &mut samples));
    samples
}

/// Decodes every coded picture of a file's primary item with the other decoder. Returns their planes, with a sample of
/// chroma for every pixel.
fn decoded_by_the_other(file: &[u8]) -> Option<Vec<[Vec<u16>; 3]>> {
    let container = Container::open(file).unwrap();
    let primary = container.primary;
    let ids =
        if container.kind(primary).unwrap() == *b"grid" { container.parts(primary).to_vec() } else { vec![primary] };
    let decode = |&id: &u32| {
        let configuration = container.properties(id).find(|(kind, ..)| *kind == b"hvcC").unwrap().1;
        let (length_size, sets) = read_configuration(configuration).unwrap();
        let mut decoder = Decoder::new().with_display_order();
        for unit in sets {
            decoder.decode_nal(&parse_nal(unit)?).ok()?;
        }
        let bytes = container.bytes(id).unwrap();
        let mut rest = crate::container::Reader(&bytes);
        while !rest.0.is_empty() {
            let length = rest.number(length_size).unwrap() as usize;
            decoder.decode_nal(&parse_nal(rest.take(length).unwrap())?).ok()?;
        }
        let frame = decoder.flush()?;
        let (width, height) = (frame.width as usize, frame.height as usize);
        let samples = |data: &PixelData| match data {
            PixelData::U8(samples) => samples.iter().map(|&sample| u16::from(sample)).collect::<Vec<_>>(),
            PixelData::U16(samples) => samples.clone(),
        };
        let (luma, cb, cr) = (samples(&frame.y), samples(&frame.u), samples(&frame.v));
        let across = if cb.len() == luma.len() { 1 } else { 2 };
        let spread = |chroma: &[u16]| -> Vec<u16> {
            let columns = width.div_ceil(across);
            (0..width * height).map(|at| chroma[at / width / across * columns + at % width / across]).collect()
        };
        Some([luma, spread(&cb), spread(&cr)])
    };
    ids.iter().map(decode).collect()
}

/// Decodes a file's coded pictures, and hands each to `take`.
fn each_frame(file: &[u8], detail: Detail, mut take: impl FnMut(&Frame)) -> Result<(), Error> {
    let container = Container::open(file)?;
    let mut layer = Layer::open(&container, container.primary, &LIMITS)?;
    let [_, tile_height] = layer.tile_size;
    for y in (0..layer.size[1]).step_by(tile_height) {
        let (frames, _) = layer.at(y, detail)?;
        frames.iter().for_each(&mut take);
    }
    Ok(())
}

/// Asserts that both decoders give the same samples. Returns how many luma samples were compared.
fn assert_same(name: &str, file: &[u8]) -> usize {
    let Some(expected) = decoded_by_the_other(file) else { panic!("{name}: the other decoder refuses it") };
    let mut expected = expected.into_iter();
    let mut compared = 0;
    each_frame(file, Detail::Full, |frame| {
        let theirs = expected.next().unwrap();
        for (at, theirs) in theirs.iter().enumerate() {
            let ours = plane(frame, at);
            let different = ours.iter().zip(theirs).filter(|(one, other)| one != other).count();
            assert_eq!((ours.len(), different), (theirs.len(), 0), "{name}: plane {at}");
        }
        compared += theirs[0].len();
    })
    .unwrap();
    compared
}

#[test]
fn samples_are_those_of_another_decoder() {
    for name in ["heic.heic", "heic-444.heic", "heic-10.heic", "heic-709.heic", "heic-lossless.heic", "heic-large.heic"]
    {
        assert!(assert_same(name, &vector(name)) >= 144 * 108, "{name}");
    }
}

/// Reads the files of a folder, for real photographs, which aren't in the repository.
#[test]
#[ignore = "set HEIC_FOLDER"]
fn samples_of_a_folder_are_those_of_another_decoder() {
    for entry in std::fs::read_dir(std::env::var("HEIC_FOLDER").unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let file = std::fs::read(&path).unwrap();
        match Container::open(&file).and_then(|container| Layer::open(&container, container.primary, &LIMITS).map(drop))
        {
            Ok(()) => println!("{}: {} luma samples are equal", path.display(), assert_same("it", &file)),
            Err(error) => println!("{}: {error}", path.display()),
        }
    }
}

#[test]
fn luma_alone_has_the_same_luma_and_filters_change_little() {
    for name in ["heic.heic", "heic-422.heic", "heic-444.heic", "heic-grey.heic", "heic-10.heic", "heic-large.heic"] {
        let file = vector(name);
        let luma = |detail| {
            let mut found = Vec::new();
            each_frame(&file, detail, |frame| found.extend(plane(frame, 0))).unwrap();
            found
        };
        let (alone, unfiltered, full) = (luma(Detail::Luma), luma(Detail::Unfiltered), luma(Detail::Full));
        assert!(alone == unfiltered, "{name}");
        let difference = |(one, other): (&u16, &u16)| u64::from(one.abs_diff(*other));
        let sum: u64 = alone.iter().zip(&full).map(difference).sum();
        let scale = if name == "heic-10.heic" { 4 } else { 1 };
        assert!(sum < alone.len() as u64 * scale, "{name}: on average {}", sum as f64 / alone.len() as f64);
    }
}
