//! Measures the memory that reading a picture takes, in addition to the file's own bytes.

use hashgate_testkit::hostile;
use std::sync::Mutex;

use hashgate::image::{Limits, StreamingDecoder, read};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Held by the running test. The allocator counts the memory of the whole process, so only one test may run at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits until no other test runs. A test that failed while it ran doesn't make the later ones fail.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

const WIDTH: u32 = 6000;
const HEIGHT: u32 = 4000;

/// Returns the most bytes that were allocated at a time while `bytes` were read, without those allocated before.
fn peak_while_reading(bytes: &[u8], whole: bool) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = read(bytes, &Limits::default());
    let peak = MEMORY.peak_usage() - before;
    let is_whole = result.as_ref().is_ok_and(|picture| picture.damaged.is_none());
    assert_eq!(is_whole, whole, "{:?}", result.map(|picture| picture.damaged));
    peak
}

/// Returns the most bytes that were allocated at a time while a file arrived in pieces. The pieces are included.
fn peak_while_arriving(bytes: &[u8]) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let mut arrival = StreamingDecoder::new(bytes.len(), &Limits::default());
    for piece in bytes.chunks(1 << 18).map(<[u8]>::to_vec) {
        arrival.push(&piece);
    }
    let read = arrival.read();
    let peak = MEMORY.peak_usage() - before;
    assert!(matches!(read, Some(Ok(_))), "{:?}", read.map(Result::err));
    peak
}

/// Makes rows of noise, which compress so badly that the file is as large as a photograph's.
fn noise(length: usize) -> impl FnMut() -> Vec<u8> {
    let mut state = 1u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    move || (0..length).map(|_| next()).collect()
}

/// Makes RGB rows of faint noise over a slope from dark to light. The low-terms decoder reads a JPEG of them. It
/// wouldn't read strong noise, which black and white clip and whose block means are all alike.
fn sloping_noise(width: usize) -> impl FnMut() -> Vec<u8> {
    let mut row = noise(3 * width);
    let slope = move |at: usize| (at / 3 * 160 / width) as u8;
    move || row().into_iter().enumerate().map(|(at, value)| 16 + slope(at) + value / 4).collect()
}

fn png_file() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let mut row = noise(3 * WIDTH as usize);
    (0..HEIGHT).for_each(|_| std::io::Write::write_all(&mut stream, &row()).unwrap());
    stream.finish().unwrap();
    writer.finish().unwrap();
    file
}

fn gif_file() -> Vec<u8> {
    let palette: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, WIDTH as u16, HEIGHT as u16, &palette).unwrap();
    let mut row = noise(WIDTH as usize);
    let pixels: Vec<u8> = (0..HEIGHT).flat_map(|_| row()).collect();
    encoder.write_frame(&gif::Frame::from_indexed_pixels(WIDTH as u16, HEIGHT as u16, pixels, None)).unwrap();
    drop(encoder);
    file
}

fn bmp_file() -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    file.extend([WIDTH.to_le_bytes(), HEIGHT.to_le_bytes()].concat());
    file.extend(b"\x01\0\x18\0");
    file.resize(0x36, 0);
    let mut row = noise(3 * WIDTH as usize);
    (0..HEIGHT).for_each(|_| file.extend(row()));
    file
}

#[test]
fn pictures_of_24_megapixels_stream_through_little_memory() {
    let _alone = alone();
    for (name, file) in [("PNG", png_file()), ("GIF", gif_file()), ("BMP", bmp_file())] {
        let peak = peak_while_reading(&file, true);
        println!("{name}: {} MB file, {peak} bytes beside it", file.len() >> 20);
        assert!(peak < 4 << 20, "{name}: {peak} bytes");
    }
}

#[test]
fn a_png_that_arrives_in_pieces_is_not_held() {
    let _alone = alone();
    let file = png_file();
    let peak = peak_while_arriving(&file);
    println!("PNG in pieces: {} MB file, {peak} bytes in all", file.len() >> 20);
    assert!(peak < 4 << 20, "{peak} bytes");
}

#[test]
fn what_follows_a_jpeg_is_not_held_and_what_precedes_it_is_held_once() {
    use jpeg_encoder::{ColorType, Encoder};
    let _alone = alone();
    let mut row = sloping_noise(1000);
    let pixels: Vec<u8> = (0..1000).flat_map(|_| row()).collect();
    for progressive in [false, true] {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 50);
        encoder.set_progressive(progressive);
        encoder.encode(&pixels, 1000, 1000, ColorType::Rgb).unwrap();
        let mut followed = file.clone();
        followed.resize(file.len() + (64 << 20), 0);
        let peak = peak_while_arriving(&followed);
        println!("JPEG with 64 MB behind it: {peak} bytes in all");
        assert!(peak < 4 << 20, "{peak} bytes");
        let segment = [b"\xff\xe5\xff\xff".as_slice(), &[0; 65_533]].concat();
        let preceded = [&file[..2], &segment.repeat(512), &file[2..]].concat();
        let peak = peak_while_arriving(&preceded);
        println!("JPEG with {} MB before it: {peak} bytes in all", segment.len() / 2048);
        assert!(peak < preceded.len() + (8 << 20), "{peak} bytes");
    }
}

#[test]
fn a_refused_file_takes_little_memory() {
    let _alone = alone();
    let mut most = (0, String::new());
    for file in hostile::files() {
        let refused = !matches!(file.expect, hostile::Expect::Reads | hostile::Expect::ReadsPartly);
        if refused {
            most = most.max((peak_while_reading(&file.bytes, false), file.name));
        }
    }
    println!("most: {} bytes for {}", most.0, most.1);
    assert!(most.0 < 2 << 20, "{} bytes for {}", most.0, most.1);
}

#[test]
fn a_jpeg_of_100_megapixels_takes_little_memory() {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    let _alone = alone();
    let (width, height) = (12_000u16, 8400u16);
    for progressive in [false, true] {
        let mut row = sloping_noise(width.into());
        // Repeats the same 16 rows, because making new rows would take longer than encoding them.
        let band: Vec<u8> = (0..16).flat_map(|_| row()).collect();
        let pixels = band.repeat(usize::from(height) / 16);
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 30);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.set_progressive(progressive);
        encoder.encode(&pixels, width, height, ColorType::Rgb).unwrap();
        drop(pixels);
        let peak = peak_while_reading(&file, true);
        println!("JPEG, progressive {progressive}: {} MB file, {peak} bytes beside it", file.len() >> 20);
        assert!(peak < 24 << 20, "{peak} bytes");
        let peak = peak_while_arriving(&file);
        println!("in pieces: {peak} bytes in all");
        assert!(peak < 24 << 20, "{peak} bytes");
    }
}
