//! Composes the frames of GIF, APNG and animated WebP on a canvas.

use super::error::IntakeError;
use super::limits::{Limits, check_alloc};
use super::picture::Frame;
use super::surfaces::Surfaces;

/// A rectangle of the canvas, in pixels: where a frame is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Rect {
    pub(super) fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Returns the part of the rectangle inside a canvas of `width` x `height` pixels. It may be empty.
    pub(super) fn clipped(self, width: u32, height: u32) -> Self {
        let (x, y) = (self.x.min(width), self.y.min(height));
        Self { x, y, width: self.width.min(width - x), height: self.height.min(height - y) }
    }

    /// Returns the smallest rectangle that holds both rectangles.
    pub(super) fn united(self, other: Self) -> Self {
        if self.pixels() == 0 || other.pixels() == 0 {
            return if self.pixels() == 0 { other } else { self };
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let width = (self.x + self.width).max(other.x + other.width) - x;
        let height = (self.y + self.height).max(other.y + other.height) - y;
        Self { x, y, width, height }
    }

    /// Returns whether the rectangle lies inside a canvas of `width` x `height` pixels.
    pub(super) fn fits(self, width: u32, height: u32) -> bool {
        let fits = |start: u32, length: u32, all: u32| start.checked_add(length).is_some_and(|end| end <= all);
        fits(self.x, self.width, width) && fits(self.y, self.height, height)
    }
}

/// What to do with a frame's rectangle before the next frame is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dispose {
    Keep,
    Background,
    Previous,
}

/// How a frame's pixels are combined with the pixels of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blend {
    Over,
    Source,
}

/// The picture that frames are drawn on.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    rgba: Vec<[u8; 4]>,
    ground: [u8; 4],
    last: Option<(Rect, Dispose)>,
    saved: Vec<[u8; 4]>,
    /// The rectangle that holds every pixel that was drawn or cleared since the last call of
    /// [`take_changed`](Self::take_changed).
    changed: Rect,
}

impl Canvas {
    /// Makes a canvas. `ground` is the colour of pixels where nothing was drawn; its alpha is 0.
    pub(super) fn new(width: u32, height: u32, ground: [u8; 4], limits: &Limits) -> Result<Self, IntakeError> {
        let pixels = u64::from(width) * u64::from(height);
        // 4 bytes per pixel for the canvas, and 4 for the copy that `Dispose::Previous` restores.
        check_alloc(8 * pixels, limits)?;
        Ok(Self {
            width,
            height,
            rgba: vec![ground; pixels as usize],
            ground,
            last: None,
            saved: Vec::new(),
            changed: Rect { x: 0, y: 0, width, height },
        })
    }

    /// Begins a frame: first clears or restores the rectangle of the previous frame, as that frame asked for. `rect`
    /// must lie inside the canvas.
    pub(super) fn begin(&mut self, rect: Rect, dispose: Dispose) {
        if let Some((last, dispose)) = self.last {
            if dispose != Dispose::Keep {
                self.changed = self.changed.united(last);
            }
            let (ground, saved) = (self.ground, std::mem::take(&mut self.saved));
            match dispose {
                Dispose::Keep => {}
                Dispose::Background => self.rows(last).for_each(|row| row.fill(ground)),
                Dispose::Previous => {
                    let saved_rows = saved.chunks_exact(last.width.max(1) as usize);
                    self.rows(last).zip(saved_rows).for_each(|(row, saved)| row.copy_from_slice(saved));
                }
            }
            self.saved = saved;
            self.saved.clear();
        }
        if dispose == Dispose::Previous {
            let mut saved = std::mem::take(&mut self.saved);
            self.rows(rect).for_each(|row| saved.extend_from_slice(row));
            self.saved = saved;
        }
        self.last = Some((rect, dispose));
        self.changed = self.changed.united(rect);
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> u32 {
        self.height
    }

    /// Returns a row of the canvas. A pixel is red, green, blue, alpha.
    pub(super) fn row(&self, y: usize) -> &[[u8; 4]] {
        let width = self.width as usize;
        &self.rgba[y * width..(y + 1) * width]
    }

    /// Returns the smallest rectangle that contains all changes since the last call, and forgets them.
    pub(super) fn take_changed(&mut self) -> Rect {
        std::mem::take(&mut self.changed)
    }

    /// Draws pixels of the current frame into its row `y`: the first at column `x`, each next one `step` columns to the
    /// right.
    pub(super) fn draw(&mut self, (x, step): (u32, u32), y: u32, pixels: impl Iterator<Item = [u8; 4]>, blend: Blend) {
        let Some((rect, _)) = self.last else { return };
        let Some(row) = self.rows(rect).nth(y as usize) else { return };
        for (below, top) in row.iter_mut().skip(x as usize).step_by(step as usize).zip(pixels) {
            *below = match blend {
                Blend::Source => top,
                Blend::Over => over(top, *below),
            };
        }
    }

    fn rows(&mut self, rect: Rect) -> impl Iterator<Item = &mut [[u8; 4]]> {
        let (start, end) = (rect.x as usize, (rect.x + rect.width) as usize);
        let rows = self.rgba.chunks_exact_mut(self.width as usize);
        rows.skip(rect.y as usize).take(rect.height as usize).map(move |row| &mut row[start..end])
    }

    /// Yields the current canvas as frame `index` of the picture: one `Frame` for each surface.
    pub(super) fn show(&self, index: u32) -> impl Iterator<Item = Frame> {
        let mut surfaces = Surfaces::new(self.width, self.height);
        for (y, row) in (0..).zip(self.rgba.chunks_exact(self.width as usize)) {
            surfaces.push(y, 4, row.as_flattened());
        }
        surfaces.finish(index)
    }
}

/// Returns the colour of `top` drawn over `below`. Colours aren't premultiplied by alpha (PNG specification, third
/// edition, 13.16).
fn over(top: [u8; 4], below: [u8; 4]) -> [u8; 4] {
    match (top[3], below[3]) {
        (255, _) => top,
        (0, _) => below,
        (_, 0) => top,
        (alpha, base) => {
            let (alpha, base) = (u32::from(alpha) * 255, u32::from(base) * u32::from(255 - alpha));
            let sum = alpha + base;
            let mix = |i: usize| ((u32::from(top[i]) * alpha + u32::from(below[i]) * base + sum / 2) / sum) as u8;
            [mix(0), mix(1), mix(2), ((sum + 127) / 255) as u8]
        }
    }
}
