//! Compares this crate's hashes with those of Meta's reference implementation.
//!
//! `cargo run --release -p hashgate-bench --bin reference -- DIR`
//!
//! `DIR/reference.csv` has the columns path, width, height, pdq and quality, as the reference computed them for the
//! pictures in DIR. Prints a line for each picture whose hash or quality differs, then the number of pictures at each
//! distance.

use std::collections::BTreeMap;
use std::path::Path;

use hashgate::Limits;
use hashgate::pdq::{Coefficients, MIN_QUALITY, PdqHash, quality};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: reference DIR")?;
    let folder = Path::new(&folder);
    let list = std::fs::read_to_string(folder.join("reference.csv"))?;
    let (mut distances, mut qualities) = (BTreeMap::<_, [u32; 2]>::new(), BTreeMap::<_, u32>::new());
    for line in list.lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let [path, _, _, pdq, expected, ..] = fields[..] else { return Err(format!("too few fields: {line}").into()) };
        let picture = hashgate::image::read(&std::fs::read(folder.join(path))?, &Limits::default())?;
        let small = &picture.frames[0].luma.small;
        let (hash, ours, expected) = (Coefficients::of(small).hash(), quality(small), expected.parse::<u8>()?);
        let distance = hash.distance(&pdq.parse::<PdqHash>()?);
        distances.entry(distance).or_default()[usize::from(expected < MIN_QUALITY)] += 1;
        *qualities.entry(ours.abs_diff(expected)).or_default() += 1;
        if (distance, ours) != (0, expected) {
            println!("{path}: {distance} bits, quality {ours} against {expected}, {:?}", picture.decoded_by);
        }
    }
    println!("\nbits  pictures  of them under quality {MIN_QUALITY}");
    for (distance, [sound, low]) in distances {
        println!("{distance:4}  {:8}  {low:8}", sound + low);
    }
    println!("\nquality differs by  pictures");
    for (difference, pictures) in qualities {
        println!("{difference:18}  {pictures:8}");
    }
    Ok(())
}
