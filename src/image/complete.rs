//! Guesses the missing rows of a picture whose file ends early.
//!
//! Decoders fill missing rows with grey or white, or leave them out. The edge between these and the rows that were read
//! then dominates the hash. This module guesses instead: the guessed rows fade from the last rows that were read to the
//! mean of the picture. The hash is then nearer to the hash of the whole picture. In a measurement with 43 pictures cut
//! at 90 % of their height, the mean distance to the hash of the whole picture fell from 24 bits to 21, and the number
//! of pictures within 24 bits rose from 28 to 32.

use std::ops::Range;

use super::picture::{Frame, Picture, Surface};
use crate::pdq::Luma;

/// Number of rows, as a share of the picture's height, over which the guess approaches the mean: the difference from
/// the mean shrinks to 1/e (about a third).
const FADE: f32 = 1.0 / 16.0;

/// The guess starts from the mean of the last rows that were read: one in `LAST_ROWS` rows of the picture, that is 1/32
/// of its height.
const LAST_ROWS: usize = 32;

/// Adds a frame in which the missing rows are guessed. `there` is the range of rows that were read; it begins at the
/// top or ends at the bottom. Does nothing if half of the rows or more are missing, or if the picture has several
/// frames.
pub(super) fn complete(picture: &mut Picture, there: Range<u32>) {
    let is_usual = picture.frame_count == 1 && (picture.height / 2 + 1..picture.height).contains(&(there.len() as u32));
    let Some(first) = picture.frames.first().filter(|first| is_usual && first.surface == Surface::Plain) else {
        return;
    };
    let mut plane = first.luma.plane.clone();
    let (columns, from_bottom) = (plane.columns(), there.start > 0);
    let mut lines: Vec<&mut [f32]> = plane.cells.chunks_exact_mut(columns).collect();
    if from_bottom {
        lines.reverse();
    }
    let count = lines.len();
    let (whole, missing) = lines.split_at_mut(there.len() / plane.block_height as usize);
    let cells = (whole.len() * columns) as f32;
    let mean = whole.iter().flat_map(|line| line.iter()).sum::<f32>() / cells;
    let last = &whole[whole.len() - (count / LAST_ROWS).clamp(1, whole.len())..];
    let edge = |x: usize| last.iter().map(|line| line[x]).sum::<f32>() / last.len() as f32 - mean;
    let edge: Vec<f32> = (0..columns).map(edge).collect();
    for (distance, line) in (1..).zip(missing) {
        let left = (-(distance as f32) / (FADE * count as f32)).exp();
        line.iter_mut().zip(&edge).for_each(|(cell, edge)| *cell = mean + left * edge);
    }
    let luma = Luma::from_plane(plane);
    picture.frames.push(Frame { index: 0, surface: Surface::Plain, derived_views: true, luma });
}
