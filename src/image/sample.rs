//! Chooses the frames of an animation that are looked up.
//!
//! Every frame is decoded, and a frame that differs from all kept frames is kept. A frame that looks like a kept frame
//! needs no lookups, because those of the kept frame find the same. If more frames differ than may be kept, the
//! distance below which two frames count as alike is doubled until they fit (the doubling algorithm for streaming
//! k-centre: Charikar et al., 1997). So the frames that are left out are those nearest to a kept frame, wherever they
//! are in the animation. The first frame, the last frame and frames that are shown for long are always kept.

use super::animation::{Canvas, Rect};
use super::limits::Limits;
use super::picture::{Frame, Surface};
use super::surfaces::{GREYS, mix};
use crate::pdq::{Coefficients, Luma, MIN_QUALITY, PdqHash, Plane, SIDE, Window, quality};

/// Largest distance in bits, on every surface, at which two frames count as alike. Lookups tolerate about four times as
/// many differing bits. So if a listed picture matches one of two such frames, a lookup of the other finds it, too.
const ALIKE: u32 = 8;

/// Number of kept frames that are looked up in every view. Further frames are looked up in the plain view alone.
const WITH_VIEWS: usize = 64;

/// Number of frames whose plane (from which derived views are made) is kept as it is. The planes of further frames are
/// reduced to save memory.
const FULL_PLANES: usize = 4;

/// Largest number of cells on a side of a reduced plane.
const REDUCED_SIDE: u32 = 128;

/// A frame counts as at least this many pixels, because its headers, palette and tables take time, too.
const LEAST_PIXELS: u64 = 4096;

/// A frame that is shown for at least this long counts as long (see [`Sample::new`]). A long frame is left out only if
/// it differs from a kept frame by at most [`ALIKE`]. If there are too many long frames for half of the places, those
/// that are shown for the shortest time are treated like other frames.
const LONG_MS: u32 = 1000;

/// Facts about a frame that are known before it is decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameHead {
    pub rect: Rect,
    pub duration_ms: u32,
}

/// Returns how many frames are decoded, from the first on: as many as `max_animation_pixels` allows, and at least one.
/// Decoding a frame costs the frame's own pixels. Hashing a kept frame also costs the pixels of the canvas.
pub(super) fn reach(canvas_pixels: u64, frames: &[FrameHead], limits: &Limits) -> u32 {
    let most = (limits.max_frames.max(1) as usize).min(WITH_VIEWS) as u64;
    let (mut decoded, mut reach) = (0, 0);
    for frame in frames {
        decoded += frame.rect.pixels().max(LEAST_PIXELS);
        let hashed = canvas_pixels * (reach + 1).min(most);
        if reach > 0 && decoded + hashed > limits.max_animation_pixels {
            break;
        }
        reach += 1;
    }
    reach as u32
}

/// Returns at most `most` numbers below `count`, evenly spread, with the first and the last among them.
pub(super) fn spread(count: u32, most: u32) -> Vec<u32> {
    let keep = u64::from(count.min(most.max(1)));
    let place = |i: u64| if keep > 1 { (i * u64::from(count - 1) / (keep - 1)) as u32 } else { 0 };
    (0..keep).map(place).collect()
}

/// Takes the frames of an animation one by one and keeps those that will be looked up.
pub(super) struct Sample {
    max_frames: usize,
    /// The numbers of the frames that are always kept.
    always: Vec<u32>,
    kept: Vec<Kept>,
    /// A frame within this distance in bits of a kept frame is not kept.
    distance: u32,
    /// Number of frames so far that were composed with all pixels, as derived views need them.
    composed: usize,
    left_out: bool,
    cells: Option<Cells>,
}

struct Kept {
    index: u32,
    looks: Vec<Look>,
    frames: Vec<Frame>,
}

impl Sample {
    /// Begins to sample an animation with these frames.
    pub(super) fn new(frames: &[FrameHead], limits: &Limits) -> Self {
        let max_frames = limits.max_frames.max(1) as usize;
        let durations = || (0u32..).zip(frames).map(|(index, frame)| (frame.duration_ms, index));
        let total: u64 = durations().map(|(duration, _)| u64::from(duration)).sum();
        let is_long = |duration: u32| duration >= LONG_MS || u64::from(duration) * 16 > total;
        let mut long: Vec<_> = durations().filter(|&(duration, _)| is_long(duration)).collect();
        long.sort_by_key(|&(duration, index)| (std::cmp::Reverse(duration), index));
        let mut always = vec![0, (frames.len() as u32).saturating_sub(1)];
        always.extend(long.into_iter().map(|(_, index)| index));
        always.dedup();
        always.truncate(max_frames.min(2).max(max_frames / 2));
        Self { max_frames, always, kept: Vec::new(), distance: ALIKE, composed: 0, left_out: false, cells: None }
    }

    /// Offers the current canvas as frame `index`.
    pub(super) fn take_canvas(&mut self, index: u32, canvas: &mut Canvas) {
        let cells = self.cells.get_or_insert_with(|| Cells::new(canvas.width(), canvas.height()));
        if !cells.update(canvas) && index > 0 {
            return;
        }
        let smalls = cells.smalls();
        let looks = smalls.iter().map(|(_, small)| Look::of(small)).collect();
        self.offer(index, looks, |with_views| {
            if with_views {
                return canvas.show(index).collect();
            }
            // Only the plain view will be looked up, and it needs no pixels beyond the reduced picture.
            let luma = |small| Luma { small, plane: without_cells() };
            smalls
                .into_iter()
                .map(|(surface, small)| Frame { index, surface, derived_views: false, luma: luma(small) })
                .collect()
        });
    }

    /// Offers frame `index`, which the caller has composed: one `Frame` per surface.
    pub(super) fn take_frames(&mut self, index: u32, frames: Vec<Frame>) {
        let looks = frames.iter().map(|frame| Look::of(&frame.luma.small)).collect();
        self.offer(index, looks, |_| frames);
    }

    /// Keeps a frame if it differs from all kept frames. `frames` composes the frame: with all pixels for derived views
    /// if its argument is true, and otherwise only for the plain view.
    fn offer(&mut self, index: u32, looks: Vec<Look>, frames: impl FnOnce(bool) -> Vec<Frame>) {
        let nearest = self.kept.iter().map(|kept| distance(&kept.looks, &looks, self.distance)).min();
        let always = self.always.contains(&index);
        if let Some(nearest) = nearest.filter(|&nearest| nearest <= if always { ALIKE } else { self.distance }) {
            self.left_out |= nearest > ALIKE;
            return;
        }
        let with_views = self.composed < WITH_VIEWS || always;
        let mut frames = frames(with_views);
        self.composed += usize::from(with_views);
        if self.composed > FULL_PLANES {
            let reduce = |frame: &mut Frame| frame.luma.plane = reduced(&frame.luma.plane, REDUCED_SIDE);
            frames.iter_mut().filter(|frame| frame.derived_views).for_each(reduce);
        }
        self.kept.push(Kept { index, looks, frames });
        while self.kept.len() > self.max_frames {
            self.distance *= 2;
            self.thin_out();
        }
    }

    /// Drops every kept frame that is at most `self.distance` from an earlier kept frame.
    fn thin_out(&mut self) {
        let mut kept: Vec<Kept> = Vec::new();
        let (always, others) =
            std::mem::take(&mut self.kept).into_iter().partition::<Vec<_>, _>(|kept| self.always.contains(&kept.index));
        for frame in always {
            // If there is no room for all frames that are always kept, the first ones stay.
            if kept.len() < self.max_frames { kept.push(frame) } else { self.left_out = true }
        }
        for frame in others {
            let near = |other: &Kept| distance(&other.looks, &frame.looks, self.distance) <= self.distance;
            if kept.iter().any(near) || kept.len() == self.max_frames && self.distance > 256 {
                self.left_out = true;
            } else {
                kept.push(frame);
            }
        }
        self.kept = kept;
    }

    /// Returns the kept frames in the order of the animation, and whether a frame was left out that differs from all of
    /// them.
    pub(super) fn finish(mut self) -> (Vec<Frame>, bool) {
        self.kept.sort_by_key(|kept| kept.index);
        (self.kept.into_iter().flat_map(|kept| kept.frames).collect(), self.left_out)
    }
}

/// The look of a frame on one surface, in a form in which frames can be compared.
struct Look {
    hash: PdqHash,
    /// The reduced picture in whole grey levels. It is stored if the quality is low: the hash is then no measure of
    /// likeness.
    shades: Option<Box<[u8; SIDE * SIDE]>>,
}

impl Look {
    fn of(small: &[f32; SIDE * SIDE]) -> Self {
        let says_nothing = quality(small) < MIN_QUALITY;
        let shades = says_nothing.then(|| Box::new(small.map(|value| value as u8)));
        Self { hash: Coefficients::of(small).hash(), shades }
    }
}

/// Returns the distance of two frames on the surface that differs most. It counts differing bits of the hash. If both
/// frames have a low quality, it counts eighths of a grey level (root mean square) instead. Once the distance exceeds
/// `enough`, the rest isn't computed, so the true distance may be larger.
fn distance(one: &[Look], other: &[Look], enough: u32) -> u32 {
    if one.len() != other.len() {
        return u32::MAX;
    }
    let mut most = 0;
    for (a, b) in one.iter().zip(other) {
        let between = match (&a.shades, &b.shades) {
            (Some(a), Some(b)) => {
                let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
                (8.0 * (sum as f64 / (SIDE * SIDE) as f64).sqrt()) as u32
            }
            _ => a.hash.distance(&b.hash),
        };
        most = most.max(between);
        if most > enough {
            break;
        }
    }
    most
}

/// Block means of the canvas, which are updated where a frame changes the canvas. So comparing a frame takes time for
/// the frame's own pixels, not for those of the whole canvas.
struct Cells {
    plain: Plane,
    /// The means of the canvas composed over black.
    black: Vec<f32>,
    alpha: Vec<f32>,
}

impl Cells {
    /// Largest number of cells on a side. PDQ averages over boxes that are twice as wide as a cell.
    const SIDE: u32 = 256;

    fn new(width: u32, height: u32) -> Self {
        let (block_width, block_height) = (width.div_ceil(Self::SIDE), height.div_ceil(Self::SIDE));
        let cells = vec![0.0; (width.div_ceil(block_width) * height.div_ceil(block_height)) as usize];
        let (black, alpha) = (cells.clone(), cells.clone());
        Self { plain: Plane { width, height, block_width, block_height, cells }, black, alpha }
    }

    /// Updates the cells in which the canvas has changed. Returns whether any cell changed.
    fn update(&mut self, canvas: &mut Canvas) -> bool {
        let changed = canvas.take_changed();
        if changed.pixels() == 0 {
            return false;
        }
        let mut differs = false;
        let mut before = Vec::new();
        let columns = self.plain.columns();
        let (block_width, block_height) = (self.plain.block_width as usize, self.plain.block_height as usize);
        let (left, right) =
            (changed.x as usize / block_width, (changed.x + changed.width).div_ceil(self.plain.block_width) as usize);
        let lines =
            changed.y as usize / block_height..(changed.y + changed.height).div_ceil(self.plain.block_height) as usize;
        let (start, end) = (left * block_width, (right * block_width).min(self.plain.width as usize));
        for line in lines {
            let range = line * columns + left..line * columns + right;
            before.clear();
            for cells in [&self.plain.cells, &self.black, &self.alpha] {
                before.extend_from_slice(&cells[range.clone()]);
            }
            let (plain, black) = (&mut self.plain.cells[range.clone()], &mut self.black[range.clone()]);
            let alphas = &mut self.alpha[range];
            let rows = line * block_height..((line + 1) * block_height).min(self.plain.height as usize);
            let height = rows.len();
            plain.fill(0.0);
            black.fill(0.0);
            alphas.fill(0.0);
            for row in rows.map(|y| &canvas.row(y)[start..end]) {
                for (at, pixels) in row.chunks(block_width).enumerate() {
                    for &[red, green, blue, alpha] in pixels {
                        let luma = 0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue);
                        let alpha = f32::from(alpha);
                        plain[at] += luma;
                        black[at] += luma * alpha;
                        alphas[at] += alpha;
                    }
                }
            }
            for (at, pixels) in (start..end).step_by(block_width).enumerate() {
                let count = (height * block_width.min(end - pixels)) as f32;
                plain[at] /= count;
                black[at] /= 255.0 * count;
                alphas[at] /= count;
            }
            differs |= !plain.iter().chain(black.iter()).chain(alphas.iter()).eq(&before);
        }
        differs
    }

    /// Returns the reduced picture of each surface.
    fn smalls(&self) -> Vec<(Surface, Box<[f32; SIDE * SIDE]>)> {
        let whole = Window { x: 0, y: 0, width: self.plain.width, height: self.plain.height };
        let mut smalls = vec![(Surface::Plain, Box::new(self.plain.small(&whole)))];
        if self.alpha.iter().any(|&alpha| alpha < 255.0) {
            let over = |cells: Vec<f32>| Box::new(Plane { cells, ..self.plain.clone() }.small(&whole));
            let over_white = self.black.iter().zip(&self.alpha).map(|(black, alpha)| black + 255.0 - alpha);
            let (white, black) = (over(over_white.collect()), over(self.black.clone()));
            for (surface, share) in GREYS {
                let mut grey = black.clone();
                mix(grey.as_mut_slice(), share, white.as_slice());
                smalls.push((surface, grey));
            }
            smalls.extend([(Surface::OverWhite, white), (Surface::OverBlack, black)]);
        }
        smalls
    }
}

/// Makes a plane of one cell, for a frame of which only the plain view is looked up.
fn without_cells() -> Plane {
    Plane { width: 1, height: 1, block_width: 1, block_height: 1, cells: vec![0.0] }
}

/// Reduces a plane to at most `side` cells on a side. Each new cell is the mean of a group of cells.
fn reduced(plane: &Plane, side: u32) -> Plane {
    let columns = plane.columns();
    let lines = plane.cells.len() / columns;
    let (across, down) = ((columns as u32).div_ceil(side) as usize, (lines as u32).div_ceil(side) as usize);
    if across == 1 && down == 1 {
        return plane.clone();
    }
    let pixels = |at: usize, block: u32, length: u32| block.min(length - at as u32 * block) as f32;
    let mut cells = Vec::with_capacity(columns.div_ceil(across) * lines.div_ceil(down));
    for y in (0..lines).step_by(down) {
        for x in (0..columns).step_by(across) {
            let (mut sum, mut count) = (0.0, 0.0);
            for line in y..(y + down).min(lines) {
                for column in x..(x + across).min(columns) {
                    let weight =
                        pixels(column, plane.block_width, plane.width) * pixels(line, plane.block_height, plane.height);
                    sum += weight * plane.cells[line * columns + column];
                    count += weight;
                }
            }
            cells.push(sum / count);
        }
    }
    Plane {
        block_width: plane.block_width * across as u32,
        block_height: plane.block_height * down as u32,
        cells,
        ..*plane
    }
}
