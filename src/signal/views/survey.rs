//! Finds where in a picture another picture may lie, and what may lie on the picture.
//!
//! People paste pictures into screenshots, memes and collages, and paste stickers onto pictures. The edges of whatever
//! was pasted are straight and run along rows or columns. In photographs, long edges of that kind are rare. So a
//! [`Survey`] looks for the longest such edges, and rates the rectangles between them. `docs/lab/near-match.md` has the
//! measurements behind the constants.

use std::ops::Range;

use wide::{f32x4, u8x16};

use super::super::pdq::{HAS_VECTORS, Plane, SIDE};

/// A rectangle of a plane, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub left: u16,
    pub right: u16,
    pub top: u16,
    pub bottom: u16,
}

impl Area {
    /// Returns the area of a whole plane, or of its first 65,535 columns and rows. The limits on pictures allow no more.
    pub fn whole(plane: &Plane) -> Self {
        let end = |length: usize| length.min(u16::MAX.into()) as u16;
        Self { left: 0, right: end(plane.columns()), top: 0, bottom: end(plane.rows().len()) }
    }

    pub fn columns(&self) -> Range<usize> {
        self.left.into()..self.right.into()
    }

    pub fn rows(&self) -> Range<usize> {
        self.top.into()..self.bottom.into()
    }

    fn size(&self) -> u32 {
        u32::from(self.right - self.left) * u32::from(self.bottom - self.top)
    }

    /// Returns the size of what two areas share, divided by the size of what they cover together.
    fn overlap(&self, other: &Self) -> f32 {
        let shared = |start: u16, end: u16| u32::from(end.saturating_sub(start));
        let both = shared(self.left.max(other.left), self.right.min(other.right))
            * shared(self.top.max(other.top), self.bottom.min(other.bottom));
        both as f32 / (self.size() + other.size() - both) as f32
    }
}

/// An area, and how likely it is what is looked for.
type Rated = (f32, Area);

/// The step of luma between two cells must be larger than this to be an edge.
const STEP: u8 = 8;
/// Number of lines that are kept per axis, beside the picture's own two edges. Between 12 lines and 12 lines lie at
/// most 66 x 66 rectangles, so the time that a picture takes has a bound.
const LINES: usize = 10;
/// Smallest distance between two lines, in cells. An edge is up to two cells wide.
const GAP: usize = 3;
/// Number of rows that are gone through at once.
const ROWS: usize = 4;
/// Mark of a cell whose luma is that of the cells to its left and above it.
const FLAT: u8 = 1;
/// Mark of a cell with a large step from the cell to its left.
const UPRIGHT: u8 = 2;
/// Mark of a cell with a large step from the cell above it.
const LEVEL: u8 = 4;
/// Weight of an edge cell on a line.
const ON_LINE: u16 = 4;
/// Weight of an edge cell beside a line: scaling a pasted picture leaves some edge cells there.
const BESIDE_LINE: u16 = 1;

/// Returns the gain of a run of cells along a column or row with the next cell. The gain is the number of the run's cells
/// that are edges, less the number of those that aren't; a run ends where nothing is left of it (Kadane's algorithm).
///
/// `edge` is 1 or 0. There is no branch, which a processor would often guess wrong.
fn follow(gain: i16, edge: u8) -> i16 {
    (gain + 2 * i16::from(edge) - 1).max(0)
}

/// The lines of one axis. For the axis of columns, these are edges between a column and the next one.
struct Axis {
    /// Cells on the axis.
    length: usize,
    /// Positions of the lines, ascending, from 0 to `length`.
    lines: Vec<u16>,
    /// For each line, the weight of the edges along it up to each position of the other axis.
    weights: Vec<Vec<u16>>,
}

impl Axis {
    /// Chooses the lines with the best gains, and sums the edges along them. `other` is the length of the other axis.
    /// `is_edge` says whether there is an edge at a position of this axis, and a position of the other.
    fn new(gains: &[i16], other: usize, is_edge: impl Fn(usize, usize) -> bool) -> Self {
        let length = gains.len();
        // Gain and position are sorted as one integer, like everything that lookups sort.
        let rank = |at: usize| u64::from(u16::MAX - gains[at] as u16) << 16 | at as u64;
        let mut ranked: Vec<u64> = (GAP..=length - GAP).map(rank).collect();
        ranked.sort_unstable();
        let mut lines = vec![0, length as u64];
        for at in ranked.into_iter().map(|line| line & 0xffff) {
            if lines.len() < LINES + 2 && lines.iter().all(|other| other.abs_diff(at) >= GAP as u64) {
                lines.push(at);
            }
        }
        lines.sort_unstable();
        let weights = |&line: &u64| {
            let at = line as usize;
            // The picture's own edges have no cells on both sides.
            let weight = |along| match (1..length).contains(&at) {
                true if is_edge(at, along) => ON_LINE,
                true if is_edge(at - 1, along) || is_edge(at + 1, along) => BESIDE_LINE,
                _ => 0,
            };
            let mut sum = 0;
            let sums = (0..other).map(|along| {
                sum += weight(along);
                sum
            });
            std::iter::once(0).chain(sums).collect()
        };
        Self {
            length,
            weights: lines.iter().map(weights).collect(),
            lines: lines.iter().map(|&at| at as u16).collect(),
        }
    }

    /// Returns the share of edges on line `number` from `start` to `end`, about 0 to 1. Returns `None` for the
    /// picture's own edges.
    fn share(&self, number: usize, start: u16, end: u16) -> Option<f32> {
        if number == 0 || number + 1 == self.lines.len() {
            return None;
        }
        let weights = &self.weights[number];
        let sum = weights[usize::from(end)] - weights[usize::from(start)];
        Some(f32::from(sum) / f32::from(ON_LINE * (end - start)))
    }
}

/// Marks the cells of a plane. The marks of the first two columns and rows, and of the last ones, mean nothing. They are
/// followed by as many marks as make the number of rows a multiple of [`ROWS`].
fn marks(plane: &Plane) -> Vec<u8> {
    const LANES: usize = 16;
    // Vectors of one number are made here, not in the loop: there, a build for size would make each by a loop of stores.
    const fn all(value: u8) -> u8x16 {
        u8x16::new([value; LANES])
    }
    const NOTHING: u8x16 = all(0);
    const LARGE: u8x16 = all(STEP + 1);
    const MARKS: [u8x16; 3] = [all(FLAT), all(UPRIGHT), all(LEVEL)];
    let (width, cells) = (plane.columns(), plane.cells.len());
    let mut luma = vec![0; cells + LANES];
    let whole = |four: f32x4| (four + f32x4::splat(0.5)).trunc_int().to_array().map(|luma| luma as u8);
    let (fours, rest) = plane.cells.as_chunks::<4>();
    for (luma, four) in luma.chunks_exact_mut(4).zip(fours) {
        luma.copy_from_slice(&whole(f32x4::new(*four)));
    }
    for (luma, &cell) in luma[cells - rest.len()..].iter_mut().zip(rest) {
        *luma = (cell + 0.5) as u8;
    }
    let at = |index: usize| {
        let (lanes, _) = luma[index..].as_chunks::<LANES>();
        u8x16::new(lanes[0])
    };
    let step = |a: u8x16, b: u8x16| a.saturating_sub(b) | b.saturating_sub(a);
    // All bits are ones in the lanes where the middle step is large, and no smaller than the steps beside it.
    let is_edge = |before: u8x16, here: u8x16, after: u8x16| here.cmp_eq(here.max(before).max(after).max(LARGE));
    let mut marks = vec![0; cells + LANES + ROWS * width];
    if !HAS_VECTORS {
        for (index, marked) in marks.iter_mut().enumerate().take(cells - width).skip(2 * width) {
            *marked = mark(&luma, width, index);
        }
        return marks;
    }
    for index in (2 * width..cells - width).step_by(LANES) {
        let (here, left, above) = (at(index), at(index - 1), at(index - width));
        let (right, below) = (step(here, left), step(here, above));
        let upright = is_edge(step(left, at(index - 2)), right, step(at(index + 1), here));
        let level = is_edge(step(above, at(index - 2 * width)), below, step(at(index + width), here));
        let flat = (right | below).cmp_eq(NOTHING);
        let marked = flat & MARKS[0] | upright & MARKS[1] | level & MARKS[2];
        marks[index..index + LANES].copy_from_slice(&marked.to_array());
    }
    marks
}

/// Marks one cell, as [`marks`] does. Vectors would be longer code on a processor that has none.
fn mark(luma: &[u8], width: usize, index: usize) -> u8 {
    let step = |a: usize, b: usize| luma[a].abs_diff(luma[b]);
    let is_edge = |before: u8, here: u8, after: u8| here > STEP && here >= before && here >= after;
    let (right, below) = (step(index, index - 1), step(index, index - width));
    let upright = is_edge(step(index - 1, index - 2), right, step(index + 1, index));
    let level = is_edge(step(index - width, index - 2 * width), below, step(index + width, index));
    let flat = right | below == 0;
    let marked = |is: bool, kind: u8| if is { kind } else { 0 };
    marked(flat, FLAT) | marked(upright, UPRIGHT) | marked(level, LEVEL)
}

/// Sums over the rectangles of a grid of 64 x 64 tiles.
struct Tiles {
    /// For each corner of a tile, the sum over all tiles above and to the left of it.
    sums: Vec<u32>,
}

impl Tiles {
    fn new(counts: &[u32]) -> Self {
        let mut sums = vec![0; SIDE + 1];
        for row in counts.chunks_exact(SIDE) {
            let mut sum = 0;
            sums.push(0);
            for count in row {
                sum += count;
                sums.push(sums[sums.len() - SIDE - 1] + sum);
            }
        }
        Self { sums }
    }

    fn sum(&self, columns: Range<usize>, rows: Range<usize>) -> u32 {
        let at = |x: usize, y: usize| self.sums[y * (SIDE + 1) + x];
        at(columns.end, rows.end) + at(columns.start, rows.start)
            - at(columns.start, rows.end)
            - at(columns.end, rows.start)
    }
}

/// The edges of a plane, the lines among them, and its flat cells.
pub(super) struct Survey {
    /// Steps from column to column.
    across: Axis,
    /// Steps from row to row.
    down: Axis,
    /// Number of edges per tile.
    edges: Tiles,
    /// Number of cells per tile whose luma is that of the cells to the left and above.
    flat: Tiles,
}

impl Survey {
    /// Looks at every cell once. Returns `None` for a plane of fewer than 64 columns or rows, or of more than 16,383.
    pub fn new(plane: &Plane) -> Option<Self> {
        let width = plane.columns();
        let height = plane.cells.len() / width;
        if width.min(height) < SIDE || width.max(height) >= 1 << 14 {
            return None;
        }
        let marks = marks(plane);
        // The best gain of each column and row; the gain of each column so far; and its edges and flat cells in this row of
        // tiles. Plain loops over arrays, because compilers make vectors of them.
        let (mut columns, mut rows) = (vec![0i16; width], vec![0i16; height.next_multiple_of(ROWS)]);
        let mut gains = vec![0; width];
        let (mut column_edges, mut column_flat) = (vec![0u16; width], vec![0u16; width]);
        let (mut edges, mut flat) = (vec![0; SIDE * SIDE], vec![0; SIDE * SIDE]);
        // Four rows at once, because each step of a row waits for the one before.
        for (best, marks) in rows.chunks_exact_mut(ROWS).zip(marks.chunks_exact(ROWS * width)) {
            let row = |row: usize| marks[row * width..][..width].iter();
            let mut gains = [0; ROWS];
            for (((a, b), c), d) in row(0).zip(row(1)).zip(row(2)).zip(row(3)) {
                for ((gain, best), mark) in gains.iter_mut().zip(&mut *best).zip([a, b, c, d]) {
                    *gain = follow(*gain, mark >> 2 & 1);
                    *best = (*best).max(*gain);
                }
            }
        }
        for y in 2..height - 1 {
            let marks = &marks[y * width..][..width];
            for ((gain, best), mark) in gains.iter_mut().zip(&mut columns).zip(marks) {
                *gain = follow(*gain, mark >> 1 & 1);
                *best = (*best).max(*gain);
            }
            for ((edges, flat), mark) in column_edges.iter_mut().zip(&mut column_flat).zip(marks) {
                *edges += u16::from((mark >> 1 & 1) + (mark >> 2 & 1));
                *flat += u16::from(mark & FLAT);
            }
            let tiles = y * SIDE / height;
            if (y + 1) * SIDE / height != tiles || y + 2 == height {
                for tile in 0..SIDE {
                    let within = tile * width / SIDE..(tile + 1) * width / SIDE;
                    let sum = |counts: &[u16]| counts[within.clone()].iter().map(|&count| u32::from(count)).sum();
                    edges[tiles * SIDE + tile] = sum(&column_edges);
                    flat[tiles * SIDE + tile] = sum(&column_flat);
                }
                column_edges.fill(0);
                column_flat.fill(0);
            }
        }
        let across = Axis::new(&columns, height, |x, y| marks[y * width + x] & UPRIGHT != 0);
        let down = Axis::new(&rows[..height], width, |y, x| marks[y * width + x] & LEVEL != 0);
        Some(Self { across, down, edges: Tiles::new(&edges), flat: Tiles::new(&flat) })
    }

    fn width(&self) -> usize {
        self.across.length
    }

    fn height(&self) -> usize {
        self.down.length
    }

    /// Rates the rectangles between the lines. `rate` gets an area, its share of the picture, and the shares of edges on
    /// its four sides (`None` where a side is the picture's own edge), and returns a rating.
    fn rectangles(&self, rate: impl Fn(Area, f32, [Option<f32>; 4]) -> Option<f32>) -> Vec<Rated> {
        let whole = (self.width() * self.height()) as f32;
        let (xs, ys) = (&self.across.lines, &self.down.lines);
        let numbers = |lines: &[u16]| 0..lines.len();
        // The shares along each upright line, for each pair of level lines.
        let upright: Vec<Vec<_>> = pairs(ys.len())
            .map(|(t, b)| numbers(xs).map(|line| self.across.share(line, ys[t], ys[b])).collect())
            .collect();
        let mut rated = Vec::new();
        for (l, r) in pairs(xs.len()) {
            let level: Vec<_> = numbers(ys).map(|line| self.down.share(line, xs[l], xs[r])).collect();
            for ((t, b), upright) in pairs(ys.len()).zip(&upright) {
                let area = Area { left: xs[l], right: xs[r], top: ys[t], bottom: ys[b] };
                let sides = [upright[l], upright[r], level[t], level[b]];
                rated.extend(rate(area, area.size() as f32 / whole, sides).map(|rating| (rating, area)));
            }
        }
        rated
    }

    /// Returns up to `count` areas that may be pictures in the picture, the likeliest first.
    pub fn windows(&self, count: usize) -> Vec<Area> {
        /// What the side of an area counts that is the picture's own edge: nothing is known about it.
        const UNKNOWN: f32 = 0.7;
        let (width, height) = (self.width(), self.height());
        let tile = |at: u16, length: usize| (usize::from(at) * SIDE + length / 2) / length;
        let all = self.edges.sum(0..SIDE, 0..SIDE) as f32;
        let whole = (width * height) as f32;
        let rated = self.rectangles(|area, share, sides| {
            let is_large = area.columns().len() * 8 >= width && area.rows().len() * 8 >= height;
            if !is_large || !(0.04..0.98).contains(&share) {
                return None;
            }
            let sides = sides.map(|side| side.unwrap_or(UNKNOWN));
            let columns = tile(area.left, width)..tile(area.right, width);
            let inside = self.edges.sum(columns, tile(area.top, height)..tile(area.bottom, height)) as f32;
            let size = area.size() as f32;
            let texture = inside / size - (all - inside) / (whole - size);
            let least = sides.iter().copied().fold(1.0, f32::min);
            Some(sides.iter().sum::<f32>() / 4.0 + 0.7 * least + 0.45 * texture + 0.2 * share.sqrt())
        });
        best(rated, count, 0.92)
    }

    /// Returns up to `count` areas that may be rectangles on the picture, the likeliest first.
    pub fn insets(&self, count: usize) -> Vec<Area> {
        let (width, height) = (self.width(), self.height());
        let rated = self.rectangles(|area, share, sides| {
            let is_wide = area.columns().len() * 20 >= width && area.rows().len() * 20 >= height;
            if !is_wide || !(0.004..0.25).contains(&share) {
                return None;
            }
            let [left, right, top, bottom] = sides;
            let sides = [left?, right?, top?, bottom?];
            let least = sides.iter().copied().fold(1.0, f32::min);
            let rating = sides.iter().sum::<f32>() / 4.0 + 0.5 * least + 0.3 * share.sqrt();
            (rating > 0.3).then_some(rating)
        });
        best(rated, count, 0.6)
    }

    /// Returns up to `count` squares that hold more flat cells than their surroundings: stickers and drawn symbols are
    /// of plain colours.
    pub fn patches(&self, count: usize) -> Vec<Area> {
        let mut rated = Vec::new();
        let density = |sum: u32, tiles: usize| sum as f32 / tiles as f32;
        let cells = |tile: usize, length: usize| (tile * length / SIDE) as u16;
        for side in [8, 12, 18, 26] {
            let rim = side / 3;
            let places = || (0..=SIDE - side).step_by(side / 4);
            for top in places() {
                for left in places() {
                    let (columns, rows) = (left..left + side, top..top + side);
                    let around = |range: &Range<usize>| range.start.saturating_sub(rim)..(range.end + rim).min(SIDE);
                    let (outer_columns, outer_rows) = (around(&columns), around(&rows));
                    let outer = outer_columns.len() * outer_rows.len();
                    let (inside, both) = (self.flat.sum(columns, rows), self.flat.sum(outer_columns, outer_rows));
                    let more = density(inside, side * side) - density(both - inside, outer - side * side);
                    // Weighs larger squares more: by the fourth root of the size.
                    let rating = more * (side as f32).sqrt();
                    if rating > 0.0 {
                        let (width, height) = (self.width(), self.height());
                        rated.push((
                            rating,
                            Area {
                                left: cells(left, width),
                                right: cells(left + side, width),
                                top: cells(top, height),
                                bottom: cells(top + side, height),
                            },
                        ));
                    }
                }
            }
        }
        best(rated, count, 0.4)
    }
}

/// Yields every pair of numbers below `count`, the smaller one first.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}

/// Returns the `count` areas with the highest ratings, without those that overlap a better one by more than `overlap`.
fn best(mut rated: Vec<Rated>, count: usize, overlap: f32) -> Vec<Area> {
    let mut chosen = Vec::new();
    while chosen.len() < count && !rated.is_empty() {
        let (_, first) =
            rated.iter().copied().fold((f32::MIN, rated[0].1), |best, it| if it.0 > best.0 { it } else { best });
        chosen.push(first);
        rated.retain(|(_, area)| area.overlap(&first) <= overlap);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdq::LumaBuilder;

    #[test]
    fn one_cell_is_marked_as_in_vectors() {
        let (width, height) = (150u32, 90u32);
        let mut builder = LumaBuilder::new(width, height);
        let mut state = 1u32;
        for y in 0..height {
            let row: Vec<u8> = (0..width)
                .map(|x| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if (x / 30 + y / 20) % 2 == 0 { 40 } else { 180 + (state >> 24) as u8 % 16 }
                })
                .collect();
            builder.push_grey(y, &row);
        }
        let plane = builder.finish().plane;
        let luma: Vec<u8> = plane.cells.iter().map(|cell| (cell + 0.5) as u8).collect();
        let (columns, marks) = (plane.columns(), marks(&plane));
        let inner = 2 * columns..plane.cells.len() - columns;
        let alone: Vec<u8> = inner.clone().map(|index| mark(&luma, columns, index)).collect();
        assert!(alone == marks[inner]);
        assert!([FLAT, UPRIGHT, LEVEL].iter().all(|kind| alone.iter().any(|mark| mark & kind != 0)), "every kind");
    }
}
