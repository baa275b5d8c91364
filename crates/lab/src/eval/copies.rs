//! Reads the pictures, and makes their edited copies.

use std::path::Path;

use anyhow::{Context, Result, bail};
use hashgate::pdq::{MIN_QUALITY, Orientation, PdqHash};
use hashgate::{Fingerprint, Limits, ViewSet, Wanted, fingerprint};
use hashgate_native::contain::contained;
use hashgate_native::open_file::OpenFile;
use hashgate_native::{batch, terminal};
use image::RgbImage;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::edits::EDITS;

/// A copy of a picture, and its signals.
pub struct Copy {
    /// Position of the picture.
    pub picture: usize,
    /// Position of the edit in [`EDITS`]; `None` for the picture itself.
    pub edit: Option<usize>,
    /// The signals.
    pub print: Fingerprint,
    /// The hashes of the eight orientations, if the quality is 50 or more.
    pub hashes: Option<[PdqHash; 8]>,
}

/// Reads up to `limit` pictures of a folder, which `seed` chooses. Also returns the paths of those that can't be used,
/// with the reason.
///
/// # Errors
/// There are fewer than two usable pictures.
pub fn read(folder: &Path, seed: u64, limit: usize) -> Result<(Vec<RgbImage>, Vec<String>)> {
    let name = folder.display();
    if !folder.is_dir() {
        bail!("{name}: expected a folder of pictures, got something else");
    }
    let mut paths = batch::in_folder(folder);
    paths.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    paths.truncate(limit);
    // A picture that makes the engine panic is left out, and the others are measured.
    let one = |path| contained(|| usable(path)).unwrap_or_else(|why| bail!("the engine failed on this file: {why}"));
    let read: Vec<_> = paths.par_iter().map(|path| one(path)).collect();
    let (mut pictures, mut left_out) = (Vec::new(), Vec::new());
    for (path, read) in paths.iter().zip(read) {
        match read {
            Ok(picture) => pictures.push(picture),
            Err(error) => left_out.push(format!("{}: {error:#}", path.display())),
        }
    }
    if pictures.len() < 2 {
        bail!("{name}: expected at least 2 pictures of PDQ quality 50 or more, got {}; add pictures", pictures.len());
    }
    Ok((pictures, left_out))
}

fn usable(path: &Path) -> Result<RgbImage> {
    /// Longest file in bytes that is read: the default of `hashgate hash`.
    const MAX_FILE_BYTES: u64 = 256 << 20;
    let bytes = OpenFile::open(path, MAX_FILE_BYTES)?.whole()?;
    let wanted = Wanted::default().with_pdq(true).with_views(ViewSet::Plain);
    match fingerprint(&bytes, &Limits::default(), &wanted).picture {
        Some(Ok(hashed)) if hashed.frames[0].views[0].quality < MIN_QUALITY => {
            bail!("PDQ quality: expected at least {MIN_QUALITY}, got {}", hashed.frames[0].views[0].quality)
        }
        Some(Ok(_)) => {}
        Some(Err(failure)) => bail!(failure.detail),
        None => bail!("no hash"),
    }
    Ok(image::load_from_memory(&bytes).context("can't be edited")?.to_rgb8())
}

/// Makes the copies of every picture and hashes them. The picture itself comes first.
///
/// # Errors
/// A copy can't be encoded.
pub fn edit(pictures: &[RgbImage], seed: u64) -> Result<Vec<Copy>> {
    let bar = terminal::progress((pictures.len() * EDITS.len()) as u64);
    let wanted = Wanted::default().with_pdq(true).with_views(ViewSet::All);
    let hash = |picture: usize, edit: Option<usize>, bytes: &[u8]| {
        let print = fingerprint(bytes, &Limits::default(), &wanted);
        let hashes = match &print.picture {
            Some(Ok(hashed)) => {
                let seen = &hashed.frames[0].views[0];
                let turned = || Orientation::ALL.map(|orientation| seen.coefficients.oriented(orientation).hash());
                (seen.quality >= MIN_QUALITY).then(turned)
            }
            _ => None,
        };
        Copy { picture, edit, print, hashes }
    };
    let copies = pictures.par_iter().enumerate().map(|(number, picture)| {
        let mut plain = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut plain, image::ImageFormat::Bmp)?;
        let mut copies = vec![hash(number, None, plain.get_ref())];
        for (index, edit) in EDITS.iter().enumerate() {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream((number * EDITS.len() + index) as u64);
            copies.push(hash(number, Some(index), &edit.make(picture, &mut random)?));
            bar.inc(1);
        }
        Ok(copies)
    });
    let copies = copies.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    bar.finish_and_clear();
    Ok(copies)
}

/// Returns the hash of the picture in its original orientation.
pub fn upright(copy: &Copy) -> Option<PdqHash> {
    copy.hashes.map(|hashes| hashes[0])
}
