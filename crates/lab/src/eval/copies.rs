//! Reads the pictures, and makes or reads their edited copies.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

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
    /// Position of the edit in [`Set::edits`]; `None` for the picture itself.
    pub edit: Option<usize>,
    /// The signals.
    pub print: Fingerprint,
    /// The hashes of the eight orientations, if the quality is 50 or more.
    pub hashes: Option<[PdqHash; 8]>,
}

/// The name of an edit in tables, and what it does, for the readers of the report.
pub struct Named {
    /// Name in tables.
    pub name: String,
    /// What the edit does.
    pub about: String,
}

/// Pictures with their copies.
pub struct Set {
    /// Number of pictures.
    pub pictures: usize,
    /// The edits of which there are copies.
    pub edits: Vec<Named>,
    /// The pictures themselves, and their copies.
    pub copies: Vec<Copy>,
    /// Paths of files that can't be used, with the reason.
    pub left_out: Vec<String>,
}

/// Longest file in bytes that is read: the default of `hashgate hash`.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Reads up to `limit` pictures of a folder, which `seed` chooses, and makes their edited copies.
///
/// # Errors
/// There are fewer than two usable pictures, or a copy can't be encoded.
pub fn made(folder: &Path, seed: u64, limit: usize) -> Result<Set> {
    let (pictures, left_out) = read(folder, seed, limit, usable)?;
    let pictures: Vec<RgbImage> = pictures.into_iter().map(|(_, picture)| picture).collect();
    let edits = EDITS.iter().map(|edit| Named { name: edit.name.into(), about: edit.about.into() }).collect();
    Ok(Set { pictures: pictures.len(), edits, copies: edit(&pictures, seed)?, left_out })
}

/// Reads up to `limit` pictures of a folder, which `seed` chooses, and the copies of them that other programs made. The
/// folder `copies` has a folder for each edit. In it, a copy has the name of its picture; the ending may differ.
///
/// # Errors
/// There are fewer than two usable pictures, or there is no copy of them.
pub fn given(folder: &Path, copies: &Path, seed: u64, limit: usize) -> Result<Set> {
    let (pictures, mut left_out) = read(folder, seed, limit, |path| {
        let original = hashed(0, None, &OpenFile::open(path, MAX_FILE_BYTES)?.whole()?);
        if original.hashes.is_none() {
            bail!("expected a picture of PDQ quality {MIN_QUALITY} or more");
        }
        Ok(original)
    })?;
    let place: HashMap<_, _> =
        pictures.iter().enumerate().filter_map(|(at, (path, _))| Some((path.file_stem()?.to_owned(), at))).collect();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(copies)
        .with_context(|| copies.display().to_string())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()).filter(|path| path.is_dir()))
        .collect();
    folders.sort();
    let files: Vec<(usize, usize, PathBuf)> = folders
        .iter()
        .enumerate()
        .flat_map(|(edit, folder)| batch::in_folder(folder).into_iter().map(move |path| (edit, path)))
        .filter_map(|(edit, path)| Some((*place.get(path.file_stem()?)?, edit, path)))
        .collect();
    if files.is_empty() {
        bail!(
            "{}: expected a folder for each edit, with copies named as the pictures are, got none; see `hashgate eval --help`",
            copies.display()
        );
    }
    let edits = folders.iter().map(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Named { about: format!("copies in {name}"), name }
    });
    let bar = terminal::progress(files.len() as u64);
    let read: Vec<_> = files
        .par_iter()
        .map(|(picture, edit, path)| {
            bar.inc(1);
            let bytes = OpenFile::open(path, MAX_FILE_BYTES).and_then(|mut file| file.whole());
            let copy = bytes.and_then(|bytes| {
                contained(|| Ok(hashed(*picture, Some(*edit), &bytes)))
                    .unwrap_or_else(|why| bail!("the engine failed on this file: {why}"))
            });
            copy.with_context(|| path.display().to_string())
        })
        .collect();
    bar.finish_and_clear();
    let mut set = Set { pictures: pictures.len(), edits: edits.collect(), copies: Vec::new(), left_out: Vec::new() };
    set.copies.extend(pictures.into_iter().enumerate().map(|(picture, (_, copy))| Copy { picture, ..copy }));
    for copy in read {
        match copy {
            Ok(copy) => set.copies.push(copy),
            Err(error) => left_out.push(format!("{error:#}")),
        }
    }
    Ok(Set { left_out, ..set })
}

/// Files with what was read of each, and the paths of those that can't be used, with the reason.
type Read<T> = (Vec<(PathBuf, T)>, Vec<String>);

/// Reads up to `limit` files of a folder by `one`. Also returns the paths of those that can't be used, with the reason.
fn read<T: Send>(
    folder: &Path,
    seed: u64,
    limit: usize,
    one: impl Fn(&Path) -> Result<T> + Sync + std::panic::RefUnwindSafe,
) -> Result<Read<T>> {
    let name = folder.display();
    if !folder.is_dir() {
        bail!("{name}: expected a folder of pictures, got something else");
    }
    let mut paths = batch::in_folder(folder);
    paths.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    paths.truncate(limit);
    // A picture that makes the engine panic is left out, and the others are measured.
    let one =
        |path: &PathBuf| contained(|| one(path)).unwrap_or_else(|why| bail!("the engine failed on this file: {why}"));
    let read: Vec<_> = paths.par_iter().map(one).collect();
    let (mut pictures, mut left_out) = (Vec::new(), Vec::new());
    for (path, read) in paths.into_iter().zip(read) {
        match read {
            Ok(picture) => pictures.push((path, picture)),
            Err(error) => left_out.push(format!("{}: {error:#}", path.display())),
        }
    }
    if pictures.len() < 2 {
        bail!("{name}: expected at least 2 pictures of PDQ quality 50 or more, got {}; add pictures", pictures.len());
    }
    Ok((pictures, left_out))
}

fn usable(path: &Path) -> Result<RgbImage> {
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
fn edit(pictures: &[RgbImage], seed: u64) -> Result<Vec<Copy>> {
    let bar = terminal::progress((pictures.len() * EDITS.len()) as u64);
    let copies = pictures.par_iter().enumerate().map(|(number, picture)| {
        let mut plain = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut plain, image::ImageFormat::Bmp)?;
        let mut copies = vec![hashed(number, None, plain.get_ref())];
        for (index, edit) in EDITS.iter().enumerate() {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream((number * EDITS.len() + index) as u64);
            copies.push(hashed(number, Some(index), &edit.make(picture, &mut random)?));
            bar.inc(1);
        }
        Ok(copies)
    });
    let copies = copies.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    bar.finish_and_clear();
    Ok(copies)
}

fn hashed(picture: usize, edit: Option<usize>, bytes: &[u8]) -> Copy {
    let wanted = Wanted::default().with_pdq(true).with_views(ViewSet::All);
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
}

/// Returns the hash of the picture in its original orientation.
pub fn upright(copy: &Copy) -> Option<PdqHash> {
    copy.hashes.map(|hashes| hashes[0])
}
