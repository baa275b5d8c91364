//! Draws the pictures of `npm run bench`: noise with the spectrum of photographs, as baseline and progressive JPEGs of
//! 2, 12 and 48 megapixels, and a thumbnail.
//!
//! `cargo run --release -p hashgate-bench --bin draw-pictures -- DIR`

use hashgate_testkit::jpeg::{Kind, draw};

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
    Ok(())
}
