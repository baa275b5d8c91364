//! Reads ICO and CUR: files of several small pictures, each a PNG or a BMP without its file header.
//!
//! Browsers show the largest picture, or the one that fits best, so all of them are read. They count as frames; the
//! largest is frame 0.

use super::caveat::Caveat;
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::Limits;
use super::picture::{DecodedBy, Frame, Picture};
use super::sample::Sample;
use super::surfaces::Surfaces;
use super::{bmp, png, sniff};

/// Largest number of pictures that are read. Icons have about ten.
const MAX_ENTRIES: usize = 64;

/// Smallest length of a picture in bytes: an info header and one pixel.
const LEAST: usize = 44;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let count = usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
    let entries = bytes[6..].as_chunks::<16>().0.iter().take(count);
    let mut broken = entries.len() < count;
    let (mut pictures, mut first_error) = (Vec::new(), None);
    let mut pixels_left = limits.max_animation_pixels;
    for entry in entries.clone().take(MAX_ENTRIES) {
        let number = |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]) as usize;
        let (length, offset) = (number(8), number(12));
        let data = bytes.get(offset..offset.saturating_add(length).min(bytes.len())).unwrap_or_default();
        broken |= data.len() < length;
        match read_entry(data, limits) {
            Ok(picture) => {
                let pixels = u64::from(picture.0) * u64::from(picture.1);
                let Some(left) = pixels_left.checked_sub(pixels) else { break };
                pixels_left = left;
                pictures.push(picture);
            }
            Err(error) => {
                broken = true;
                first_error.get_or_insert(error);
            }
        }
    }
    pictures.sort_by_key(|(width, height, _)| std::cmp::Reverse(u64::from(*width) * u64::from(*height)));
    let Some(&(width, height, _)) = pictures.first() else {
        let empty = || error::unreadable(Format::Ico, "none of its pictures can be read");
        return Err(first_error.filter(|error| matches!(error, IntakeError::TooLarge { .. })).unwrap_or_else(empty));
    };
    let skipped = count.saturating_sub(MAX_ENTRIES) as u32;
    let mut sample = Sample::new(&[], limits);
    let read = pictures.len() as u32;
    for (index, (.., frames)) in (0..).zip(pictures) {
        let numbered = frames.into_iter().map(|frame| Frame { index, ..frame });
        sample.take_frames(index, numbered.collect());
    }
    let (frames, left_out) = sample.finish();
    let mut picture = Picture::new(Format::Ico, (width, height), DecodedBy::General, read + skipped, frames);
    picture.frames_skipped = skipped;
    if left_out {
        picture.admit(Caveat::FramesSampled);
    }
    if broken {
        picture.breaks_a_rule("one of its pictures can't be read");
    }
    Ok(picture)
}

/// Reads one picture: its width, its height, and its surfaces.
fn read_entry(data: &[u8], limits: &Limits) -> Result<(u32, u32, Vec<Frame>), IntakeError> {
    if data.starts_with(&sniff::PNG) {
        return png::read(data, limits).map(|picture| (picture.width, picture.height, picture.frames));
    }
    if data.len() < LEAST {
        return Err(error::unreadable(Format::Ico, "a picture is too short"));
    }
    let (width, height, rgba) = bmp::read_icon(data, limits)?;
    let mut surfaces = Surfaces::new(width, height);
    for (y, row) in (0..).zip(rgba.chunks_exact(width as usize)) {
        surfaces.push(y, 4, row.as_flattened());
    }
    Ok((width, height, surfaces.finish(0).collect()))
}
