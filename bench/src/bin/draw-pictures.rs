//! Draws the pictures of `npm run bench`: noise with the spectrum of photographs, as baseline and progressive JPEGs of
//! 2, 12 and 48 megapixels, and a thumbnail; and two PNGs of 12 megapixels, which are as soft as what cameras make of
//! their sensors' pixels. Of these, one has RGB and filter 4 (Paeth) in every row, as programs that use libpng write
//! photographs, and one has RGBA and filter 2 (Up). A HEIC grid of 12.6 megapixels repeats a vector of the tests in 12
//! tiles, and a vector in JPEG XL of 1.2 megapixels is copied, because nothing here writes these formats.
//!
//! `cargo run --release -p hashgate-bench --bin draw-pictures -- DIR`

use hashgate_testkit::Random;
use hashgate_testkit::heif::{coded, grid};
use hashgate_testkit::jpeg::{Kind, draw, noise};
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: draw-pictures DIR")?;
    let folder = std::path::Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for (name, width, height) in
        [("thumbnail", 320, 240), ("2mp", 1600, 1200), ("12mp", 4000, 3000), ("48mp", 8000, 6000)]
    {
        for (coding, progressive) in [("baseline", false), ("progressive", true)] {
            let kind = Kind::photograph(progressive);
            std::fs::write(folder.join(format!("{name}-{coding}.jpg")), draw(width, height, kind, u64::from(width)))?;
        }
    }
    let pixels = soft();
    std::fs::write(folder.join("12mp-photograph.png"), png(&pixels, ColorType::Rgb, Filter::Paeth)?)?;
    let rgba: Vec<u8> =
        pixels.as_chunks::<3>().0.iter().flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect();
    std::fs::write(folder.join("12mp-rgba.png"), png(&rgba, ColorType::Rgba, Filter::Up)?)?;
    let vector = |name: &str| std::fs::read(format!("{}/../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR")));
    let tiles = grid(&coded(&vector("heic-large.heic")?), [4, 3], 4500, 2800);
    std::fs::write(folder.join("12mp-grid.heic"), tiles.write())?;
    std::fs::write(folder.join("1mp.jxl"), vector("jxl-large.jxl")?)?;
    Ok(())
}

const WIDTH: usize = 4000;
const HEIGHT: usize = 3000;

/// Draws RGB pixels: noise of half the size, enlarged, with a grain of one level.
fn soft() -> Vec<u8> {
    const HALF: usize = WIDTH / 2;
    let small = noise(HALF as u16, HEIGHT as u16 / 2, 3, 12);
    let mut random = Random::new(12);
    let mut pixels = Vec::with_capacity(3 * WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        let rows = [y / 2, (y / 2 + y % 2).min(HEIGHT / 2 - 1)];
        for x in 0..WIDTH {
            let columns = [x / 2, (x / 2 + x % 2).min(HALF - 1)];
            for channel in 0..3 {
                let at = |row: usize, column: usize| u32::from(small[3 * (row * HALF + column) + channel]);
                let sum: u32 = rows.iter().map(|&row| at(row, columns[0]) + at(row, columns[1])).sum();
                pixels.push((sum / 4 + random.below(2) as u32).min(255) as u8);
            }
        }
    }
    pixels
}

fn png(pixels: &[u8], colour: ColorType, filter: Filter) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(colour);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(filter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}
