//! Views: the picture as it may have been before a crop, a border or an overlay.
//!
//! A crop or border of 2% changes 25 to 45 of the 256 bits of a PDQ hash, which is more than flip masks can flip. A
//! caption changes reliable bits, which flip masks never flip. So the picture is also hashed in other views. Each view
//! undoes one such edit: it takes another window of the same picture, or paints over a region of it.

use serde::{Deserialize, Serialize};

use super::pdq::{Coefficients, Luma, Luma64, MIN_QUALITY, Plane, SIDE, Window, quality};

/// The views that are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ViewSet {
    /// Every view.
    #[default]
    All,
    /// Only the picture as it is.
    Plain,
}

/// One way of looking at a picture. `plain` and `border-cut` are the full views; all others are derived views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum View {
    /// The picture as it is.
    Plain,
    /// Without its uniform border.
    BorderCut,
    /// A window 2% wider and higher than the picture: undoes a crop.
    #[serde(rename = "zoom-out-2")]
    ZoomOut2,
    /// A window 2% narrower and lower than the picture: undoes a border.
    #[serde(rename = "zoom-in-2")]
    ZoomIn2,
    /// A window 4% wider and higher.
    #[serde(rename = "zoom-out-4")]
    ZoomOut4,
    /// A window 4% narrower and lower.
    #[serde(rename = "zoom-in-4")]
    ZoomIn4,
    /// A window 7% wider and higher.
    #[serde(rename = "zoom-out-7")]
    ZoomOut7,
    /// A window 11% wider and higher.
    #[serde(rename = "zoom-out-11")]
    ZoomOut11,
    /// Turned left by 2 degrees.
    #[serde(rename = "turned-left-2")]
    TurnedLeft2,
    /// Turned right by 2 degrees.
    #[serde(rename = "turned-right-2")]
    TurnedRight2,
    /// The bottom strip painted over.
    WithoutBottom,
    /// A narrow strip at the bottom painted over: undoes a bar of text.
    WithoutBottomBar,
    /// A narrow strip above the bottom painted over: undoes a caption.
    WithoutCaption,
    /// A strip across the middle painted over: undoes a stamp.
    WithoutMiddle,
    /// A narrow strip in the middle painted over, that doesn't reach the edges: undoes a shorter stamp.
    WithoutCentre,
    /// The top strip painted over.
    WithoutTop,
    /// The top left corner painted over.
    WithoutTopLeft,
    /// The top right corner painted over.
    WithoutTopRight,
    /// The bottom left corner painted over.
    WithoutBottomLeft,
    /// The bottom right corner painted over.
    WithoutBottomRight,
    /// Without its uniform border, and with a narrow strip above the bottom of the rest painted over: undoes a caption
    /// in a screenshot.
    BorderCutWithoutCaption,
}

/// Number of full views. Each is looked up with the lookup budget
/// ([`lookup_budget`](crate::FilterInfo::lookup_budget)).
#[cfg(feature = "build")]
pub(crate) const FULL_VIEWS: usize = 2;
/// Largest number of derived views. Each is looked up with
/// [`view_lookup_budget`](crate::FilterInfo::view_lookup_budget).
#[cfg(feature = "build")]
pub(crate) const DERIVED_VIEWS: usize = ZOOMS.len() + TURNS.len() + OCCLUSIONS.len() + 1; // the last is `BorderCutWithoutCaption`

/// The zoomed views, with the sides of their windows in per mille of the picture's sides.
const ZOOMS: [(View, i64); 6] = [
    (View::ZoomOut2, 1020),
    (View::ZoomIn2, 980),
    (View::ZoomOut4, 1040),
    (View::ZoomIn4, 960),
    (View::ZoomOut7, 1070),
    (View::ZoomOut11, 1111),
];

/// The turned views, with the sines of their angles; angles to the right are positive.
const TURNS: [(View, f32); 2] = [(View::TurnedLeft2, -SINE_OF_2), (View::TurnedRight2, SINE_OF_2)];
/// Sine of 2 degrees. It is written out, because the sine functions of two platforms may differ in the last bit.
const SINE_OF_2: f32 = 0.034_899_496;
/// Cosine of 2 degrees.
const COSINE_OF_2: f32 = 0.999_390_83;

/// Height of the painted strip at the top or bottom, in rows of the reduced picture, which has 64.
const STRIP: usize = 12;
/// Side of a painted corner, in rows and columns of the reduced picture, which has 64 of each.
const CORNER: usize = 20;
/// First row and column of a painted corner at the bottom or at the right.
const FAR: usize = SIDE - CORNER;

/// Rows of the reduced picture (0 to 63) in which captions usually are.
const CAPTION: std::ops::Range<usize> = 54..61;

/// The painted views, with the columns and rows of the region that is painted over. Some regions lie inside others: a
/// smaller region hides less of the picture, a larger one covers longer texts. `docs/lab/near-match.md` has the gain of
/// each view.
const OCCLUSIONS: [(View, std::ops::Range<usize>, std::ops::Range<usize>); 10] = [
    (View::WithoutBottom, 0..SIDE, SIDE - STRIP..SIDE),
    (View::WithoutBottomBar, 0..SIDE, 57..SIDE),
    (View::WithoutCaption, 0..SIDE, CAPTION),
    (View::WithoutMiddle, 0..SIDE, 27..37),
    (View::WithoutCentre, 10..SIDE - 10, 27..37),
    (View::WithoutTop, 0..SIDE, 0..STRIP),
    (View::WithoutTopLeft, 0..CORNER, 0..CORNER),
    (View::WithoutTopRight, FAR..SIDE, 0..CORNER),
    (View::WithoutBottomLeft, 0..CORNER, FAR..SIDE),
    (View::WithoutBottomRight, FAR..SIDE, FAR..SIDE),
];

impl View {
    /// Returns whether this is a full view. Full views are looked up with a larger budget than derived views.
    pub(crate) fn is_full(self) -> bool {
        matches!(self, Self::Plain | Self::BorderCut)
    }
}

/// The hash of one view, with its coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewHash {
    /// The view.
    pub view: View,
    /// PDQ quality of the view, 0 to 100.
    pub quality: u8,
    /// The coefficients, whose signs are the hash.
    pub coefficients: Coefficients,
}

/// Hashes the views of a frame. The plain view comes first and is always there; the others only if their quality is at
/// least [`MIN_QUALITY`].
#[must_use]
pub fn of(luma: &Luma, set: ViewSet) -> Vec<ViewHash> {
    let see = |view, small: &Luma64| ViewHash { view, quality: quality(small), coefficients: Coefficients::of(small) };
    let mut seen = vec![see(View::Plain, &luma.small)];
    if set == ViewSet::Plain {
        return seen;
    }
    if let Some(window) = without_border(&luma.plane) {
        let mut small = luma.plane.small(&window);
        seen.push(see(View::BorderCut, &small));
        paint_over(&mut small, 0..SIDE, CAPTION);
        seen.push(see(View::BorderCutWithoutCaption, &small));
    }
    for (view, sine) in TURNS {
        seen.push(see(view, &turned(&luma.small, sine, luma.plane.height as f32 / luma.plane.width as f32)));
    }
    for (view, per_mille) in ZOOMS {
        seen.push(see(view, &luma.plane.small(&zoomed(&luma.plane, per_mille))));
    }
    for (view, columns, rows) in OCCLUSIONS {
        let mut small = luma.small.clone();
        paint_over(&mut small, columns, rows);
        seen.push(see(view, &small));
    }
    seen.retain(|seen| seen.view == View::Plain || seen.quality >= MIN_QUALITY);
    seen
}

/// Returns the window around the picture's centre whose sides are `per_mille` of the picture's.
fn zoomed(plane: &Plane, per_mille: i64) -> Window {
    let side = |length: u32| {
        let zoomed = (i64::from(length) * per_mille + 500) / 1000;
        ((i64::from(length) - zoomed) / 2, zoomed.max(1) as u32)
    };
    let ((x, width), (y, height)) = (side(plane.width), side(plane.height));
    Window { x, y, width, height }
}

/// Turns a picture by 2 degrees around its centre, to the right if `sine` is positive. `aspect` is the height of the
/// unreduced picture divided by its width. Beyond the edges, the edge pixels are repeated. The reduced picture has no
/// detail finer than two pixels, so interpolating linearly between the four pixels around a point is enough.
fn turned(small: &Luma64, sine: f32, aspect: f32) -> Luma64 {
    const LAST: f32 = (SIDE - 1) as f32;
    let mut made = [0.0; SIDE * SIDE];
    for (index, value) in made.iter_mut().enumerate() {
        let (dx, dy) = ((index % SIDE) as f32 - LAST / 2.0, (index / SIDE) as f32 - LAST / 2.0);
        let x = (LAST / 2.0 + COSINE_OF_2 * dx + sine * dy * aspect).clamp(0.0, LAST);
        let y = (LAST / 2.0 + COSINE_OF_2 * dy - sine * dx / aspect).clamp(0.0, LAST);
        let (left, top) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
        let (right_share, low_share) = (x - left as f32, y - top as f32);
        let row = |y: usize| small[y * SIDE + left] * (1.0 - right_share) + small[y * SIDE + left + 1] * right_share;
        *value = row(top) * (1.0 - low_share) + row(top + 1) * low_share;
    }
    made
}

/// Returns the window without its border: the rows and columns at the edges that are of uniform luma. Returns `None` if
/// there is no border, or if nothing remains inside.
fn without_border(plane: &Plane) -> Option<Window> {
    /// Noise that recompression leaves on a uniform border, in steps of luma.
    const TOLERANCE: f32 = 8.0;
    let (columns, rows) = (plane.columns(), plane.cells.len() / plane.columns());
    let cell = |x: usize, y: usize| plane.cells[y * columns + x];
    let near = |value: f32, colour: f32| (value - colour).abs() <= TOLERANCE;
    let row = |y: usize, colour| (0..columns).all(|x| near(cell(x, y), colour));
    let top = (0..rows).take_while(|&y| row(y, cell(0, 0))).count();
    let bottom = (0..rows).rev().take_while(|&y| row(y, cell(0, rows - 1))).count();
    if top + bottom >= rows {
        return None;
    }
    let inner = top..rows - bottom;
    let column = |x: usize, colour| inner.clone().all(|y| near(cell(x, y), colour));
    let left = (0..columns).take_while(|&x| column(x, cell(0, top))).count();
    let right = (0..columns).rev().take_while(|&x| column(x, cell(columns - 1, top))).count();
    if top + bottom + left + right == 0 || left + right >= columns {
        return None;
    }
    let start = |cells: usize, block: u32| cells as u32 * block;
    let end = |cells: usize, block: u32, length: u32| (cells as u32 * block).min(length);
    let (x, y) = (start(left, plane.block_width), start(top, plane.block_height));
    let width = end(columns - right, plane.block_width, plane.width) - x;
    let height = end(rows - bottom, plane.block_height, plane.height) - y;
    Some(Window { x: x.into(), y: y.into(), width, height })
}

/// Replaces each pixel of a region by a mean of the nearest pixel outside the region in its row and in its column. The
/// nearer of the two weighs more.
fn paint_over(small: &mut Luma64, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) {
    // Returns, on one axis, the distance to the nearest pixel outside the region, and the position of that pixel.
    let beside = |at: usize, range: &std::ops::Range<usize>| {
        let low = (range.start > 0).then(|| (at - range.start + 1, range.start - 1));
        let high = (range.end < SIDE).then(|| (range.end - at, range.end));
        low.into_iter().chain(high).min()
    };
    for y in rows.clone() {
        for x in columns.clone() {
            let across = beside(x, &columns).map(|(distance, x)| (distance as f32, small[y * SIDE + x]));
            let down = beside(y, &rows).map(|(distance, y)| (distance as f32, small[y * SIDE + x]));
            small[y * SIDE + x] = match (across, down) {
                (Some((a, across)), Some((d, down))) => (across * d + down * a) / (a + d),
                (Some((_, value)), None) | (None, Some((_, value))) => value,
                (None, None) => small[y * SIDE + x],
            };
        }
    }
}
