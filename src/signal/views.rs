//! Views: the picture as it may have been before a crop, a border or an overlay.
//!
//! A crop or border of 2% changes 25 to 45 of the 256 bits of a PDQ hash, which is more than flip masks can flip. A
//! caption changes reliable bits, which flip masks never flip. So the picture is also hashed in other views. Each view
//! undoes one such edit: it takes another window of the same picture, or paints over a region of it. Most windows and
//! regions are fixed. The others are where the picture itself shows that a picture was pasted, by its `survey`.

mod survey;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use wide::{CmpLe, f32x4};

use self::survey::{Area, Survey};
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
    /// Turned left by 4 degrees.
    #[serde(rename = "turned-left-4")]
    TurnedLeft4,
    /// Turned right by 4 degrees.
    #[serde(rename = "turned-right-4")]
    TurnedRight4,
    /// Light parts made lighter still: undoes a brightening that made them white.
    HighlightsRaised,
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
    /// The rectangle that is likeliest to be a picture in the picture: undoes a meme's bar, a screenshot, a collage.
    #[serde(rename = "located-1")]
    Located1,
    /// `located-1` without its uniform border.
    #[serde(rename = "located-1-border-cut")]
    Located1BorderCut,
    /// The second likeliest rectangle.
    #[serde(rename = "located-2")]
    Located2,
    /// The third likeliest rectangle.
    #[serde(rename = "located-3")]
    Located3,
    /// The fourth likeliest rectangle.
    #[serde(rename = "located-4")]
    Located4,
    /// The rectangle that is likeliest to lie on the picture painted over: undoes a pasted picture.
    #[serde(rename = "without-inset-1")]
    WithoutInset1,
    /// The second likeliest rectangle painted over.
    #[serde(rename = "without-inset-2")]
    WithoutInset2,
    /// The third likeliest rectangle painted over.
    #[serde(rename = "without-inset-3")]
    WithoutInset3,
    /// The square that stands out most by its plain colours painted over: undoes a sticker.
    #[serde(rename = "without-patch-1")]
    WithoutPatch1,
    /// The second such square painted over.
    #[serde(rename = "without-patch-2")]
    WithoutPatch2,
    /// The third such square painted over.
    #[serde(rename = "without-patch-3")]
    WithoutPatch3,
    /// The fourth such square painted over.
    #[serde(rename = "without-patch-4")]
    WithoutPatch4,
}

/// Largest number of derived views that take a window of the picture, turn it, or raise its highlights.
#[cfg(feature = "build")]
pub(crate) const WINDOWS: usize = ZOOMS.len() + TURNS.len() + LOCATED.len() + 2; // with `Located1BorderCut`, `HighlightsRaised`
/// Largest number of derived views that paint over a region of the picture.
#[cfg(feature = "build")]
pub(crate) const PAINTED: usize = OCCLUSIONS.len() + INSETS.len() + PATCHES.len() + 1; // the last is `BorderCutWithoutCaption`

/// The kinds of views, by the budget that they are looked up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The picture as it is.
    Plain,
    /// Without its uniform border.
    BorderCut,
    /// Another window of the picture, or the whole picture turned or with other tones.
    Window,
    /// With a region painted over.
    Painted,
}

/// The zoomed views, with the sides of their windows in per mille of the picture's sides.
const ZOOMS: [(View, i64); 6] = [
    (View::ZoomOut2, 1020),
    (View::ZoomIn2, 980),
    (View::ZoomOut4, 1040),
    (View::ZoomIn4, 960),
    (View::ZoomOut7, 1070),
    (View::ZoomOut11, 1111),
];

/// The turned views, with the sines and cosines of their angles; angles to the right are positive. They are written
/// out, because the sine functions of two platforms may differ in the last bit.
const TURNS: [(View, f32, f32); 4] = [
    (View::TurnedLeft2, -0.034_899_496, 0.999_390_83),
    (View::TurnedRight2, 0.034_899_496, 0.999_390_83),
    (View::TurnedLeft4, -0.069_756_47, 0.997_564_1),
    (View::TurnedRight4, 0.069_756_47, 0.997_564_1),
];

/// Height of the painted strip at the top or bottom, in rows of the reduced picture, which has 64.
const STRIP: usize = 12;
/// Side of a painted corner, in rows and columns of the reduced picture, which has 64 of each.
const CORNER: usize = 20;
/// First row and column of a painted corner at the bottom or at the right.
const FAR: usize = SIDE - CORNER;

/// Rows of the reduced picture (0 to 63) in which captions usually are.
const CAPTION: Range<usize> = 54..61;

/// The painted views, with the columns and rows of the region that is painted over. Some regions lie inside others: a
/// smaller region hides less of the picture, a larger one covers longer texts. `docs/lab/near-match.md` has the gain of
/// each view.
const OCCLUSIONS: [(View, Range<usize>, Range<usize>); 10] = [
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

/// The windows that a [`Survey`] finds, the likeliest first.
const LOCATED: [View; 4] = [View::Located1, View::Located2, View::Located3, View::Located4];
/// The views without what a [`Survey`] finds on the picture, the likeliest first.
const INSETS: [View; 3] = [View::WithoutInset1, View::WithoutInset2, View::WithoutInset3];
/// The views without what a [`Survey`] finds to be of plain colours, the likeliest first.
const PATCHES: [View; 4] = [View::WithoutPatch1, View::WithoutPatch2, View::WithoutPatch3, View::WithoutPatch4];

impl View {
    /// Returns the kind of the view.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Plain => Kind::Plain,
            Self::BorderCut => Kind::BorderCut,
            Self::Located1
            | Self::Located1BorderCut
            | Self::Located2
            | Self::Located3
            | Self::Located4
            | Self::HighlightsRaised => Kind::Window,
            _ if ZOOMS.iter().any(|zoom| zoom.0 == self) || TURNS.iter().any(|turn| turn.0 == self) => Kind::Window,
            _ => Kind::Painted,
        }
    }
}

/// How much of a view has detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    /// Most of it, as in a photograph.
    Full,
    /// Half of it is flat, as in a page, a screen, a chart or a logo. Pictures of one kind have much the same outlines
    /// there, and so the same ring key now and then: one alone says too little.
    Sparse,
}

impl Detail {
    /// Largest difference of neighbours in a flat place of the reduced picture, in steps of luma.
    const FLAT: f32 = 2.0;
    /// Smallest share of flat places in a view of sparse detail, in per mille. `docs/lab/near-match.md` has the shares
    /// of photographs and of everyday pictures.
    const MOST: usize = 420;

    fn of(small: &Luma64) -> Self {
        let flat = flat_places(small);
        if flat * 1000 >= Self::MOST * (SIDE - 1) * (SIDE - 1) { Self::Sparse } else { Self::Full }
    }
}

/// Returns how many places of a reduced picture are flat: near to their neighbours on the right and below. The last
/// column and the last row are no such places. It is computed by vectors, because it is done for every view.
fn flat_places(small: &Luma64) -> usize {
    const MOST: f32x4 = f32x4::new([Detail::FLAT; 4]);
    const ONE: f32x4 = f32x4::new([1.0; 4]);
    const ALL_BUT_LAST: f32x4 = f32x4::new([1.0, 1.0, 1.0, 0.0]);
    let (rows, _) = small.as_chunks::<SIDE>();
    let mut counts = f32x4::ZERO;
    for (row, below) in rows.iter().zip(&rows[1..]) {
        let mut beside = *row;
        beside.copy_within(1.., 0);
        let (fours, beside, below) = (row.as_chunks().0, beside.as_chunks().0, below.as_chunks().0);
        for (at, ((here, beside), below)) in fours.iter().zip(beside).zip(below).enumerate() {
            let here = f32x4::new(*here);
            let near = |other: &[f32; 4]| (here - f32x4::new(*other)).abs().cmp_le(MOST);
            counts += near(beside) & near(below) & if at + 1 < fours.len() { ONE } else { ALL_BUT_LAST };
        }
    }
    counts.to_array().iter().sum::<f32>() as usize
}

/// The hash of one view, with its coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewHash {
    /// The view.
    pub view: View,
    /// PDQ quality of the view, 0 to 100.
    pub quality: u8,
    /// How much of the view has detail.
    pub detail: Detail,
    /// The coefficients, whose signs are the hash.
    pub coefficients: Coefficients,
}

/// Hashes the views of a frame. The plain view comes first and is always there; the others only if their quality is at
/// least [`MIN_QUALITY`].
#[must_use]
pub fn of(luma: &Luma, set: ViewSet) -> Vec<ViewHash> {
    let see = |view, small: &Luma64| ViewHash {
        view,
        quality: quality(small),
        detail: Detail::of(small),
        coefficients: Coefficients::of(small),
    };
    let mut seen = vec![see(View::Plain, &luma.small)];
    if set == ViewSet::Plain {
        return seen;
    }
    let plane = &luma.plane;
    let whole = Area::whole(plane);
    if let Some(area) = without_border(plane, whole) {
        let mut small = plane.small(&window(plane, area));
        seen.push(see(View::BorderCut, &small));
        paint_over(&mut small, 0..SIDE, CAPTION);
        seen.push(see(View::BorderCutWithoutCaption, &small));
    }
    if let Some(survey) = Survey::new(plane) {
        let located = survey.windows(LOCATED.len());
        let without_border = located.first().and_then(|&first| without_border(plane, first));
        let without_border = without_border.map(|area| (View::Located1BorderCut, area));
        for (view, area) in LOCATED.into_iter().zip(located).chain(without_border) {
            seen.push(see(view, &plane.small(&window(plane, area))));
        }
        let insets = INSETS.into_iter().zip(survey.insets(INSETS.len()));
        for (view, area) in insets.chain(PATCHES.into_iter().zip(survey.patches(PATCHES.len()))) {
            let mut small = luma.small.clone();
            let tiles = |range: Range<usize>, of: u16| {
                range.start * SIDE / usize::from(of)..(range.end * SIDE).div_ceil(of.into())
            };
            paint_over(&mut small, tiles(area.columns(), whole.right), tiles(area.rows(), whole.bottom));
            seen.push(see(view, &small));
        }
    }
    for (view, sine, cosine) in TURNS {
        seen.push(see(view, &turned(&luma.small, sine, cosine, plane.height as f32 / plane.width as f32)));
    }
    for (view, per_mille) in ZOOMS {
        seen.push(see(view, &plane.small(&zoomed(plane, per_mille))));
    }
    let raised = raised(&luma.small);
    if raised != *luma.small {
        // Raising also raises the faint steps on white paper, which are no detail.
        let detail = seen[0].detail;
        seen.push(ViewHash { detail, ..see(View::HighlightsRaised, &raised) });
    }
    for (view, columns, rows) in OCCLUSIONS {
        let mut small = luma.small.clone();
        paint_over(&mut small, columns, rows);
        seen.push(see(view, &small));
    }
    seen.retain(|seen| seen.view == View::Plain || seen.quality >= MIN_QUALITY);
    seen
}

/// Returns up to `count` pictures that seem to lie within a picture, the most plausible first.
#[cfg(feature = "build")]
pub(super) fn parts(plane: &Plane, count: usize) -> Vec<Luma64> {
    let found = Survey::new(plane).map_or_else(Vec::new, |survey| survey.windows(count));
    found.into_iter().map(|area| plane.small(&window(plane, area))).collect()
}

/// Returns the window around the picture's centre whose sides are `per_mille` of the picture's.
pub(super) fn zoomed(plane: &Plane, per_mille: i64) -> Window {
    let side = |length: u32| {
        let zoomed = (i64::from(length) * per_mille + 500) / 1000;
        ((i64::from(length) - zoomed) / 2, zoomed.max(1) as u32)
    };
    let ((x, width), (y, height)) = (side(plane.width), side(plane.height));
    Window { x, y, width, height }
}

/// Turns a picture around its centre by an angle of this sine and cosine, to the right if `sine` is positive. `aspect`
/// is the height of the unreduced picture divided by its width. Beyond the edges, the edge pixels are repeated. The reduced picture has no
/// detail finer than two pixels, so interpolating linearly between the four pixels around a point is enough.
pub(super) fn turned(small: &Luma64, sine: f32, cosine: f32, aspect: f32) -> Luma64 {
    const LAST: f32 = (SIDE - 1) as f32;
    let mut made = [0.0; SIDE * SIDE];
    for (index, value) in made.iter_mut().enumerate() {
        let (dx, dy) = ((index % SIDE) as f32 - LAST / 2.0, (index / SIDE) as f32 - LAST / 2.0);
        let x = (LAST / 2.0 + cosine * dx + sine * dy * aspect).clamp(0.0, LAST);
        let y = (LAST / 2.0 + cosine * dy - sine * dx / aspect).clamp(0.0, LAST);
        let (left, top) = ((x as i32 as usize).min(SIDE - 2), (y as i32 as usize).min(SIDE - 2));
        let (right_share, low_share) = (x - left as f32, y - top as f32);
        let row = |y: usize| small[y * SIDE + left] * (1.0 - right_share) + small[y * SIDE + left + 1] * right_share;
        *value = row(top) * (1.0 - low_share) + row(top + 1) * low_share;
    }
    made
}

/// Makes the light parts of a picture lighter still, beyond white. Brightening cuts them off at white, and the steps
/// that remain at the edge of such a part say how light it was.
fn raised(small: &Luma64) -> Luma64 {
    const LIGHT: f32 = 215.0;
    small.map(|luma| luma + 4.0 * (luma - LIGHT).max(0.0))
}

/// Returns the window of the picture that an area covers.
fn window(plane: &Plane, area: Area) -> Window {
    let side = |start: u16, end: u16, block: u32, length: u32| {
        let start = u32::from(start) * block;
        (start.into(), (u32::from(end) * block).min(length) - start)
    };
    let (x, width) = side(area.left, area.right, plane.block_width, plane.width);
    let (y, height) = side(area.top, area.bottom, plane.block_height, plane.height);
    Window { x, y, width, height }
}

/// Returns an area without its border: the rows and columns at its edges that are of uniform luma. Returns `None` if
/// there is no border, or if nothing remains inside.
fn without_border(plane: &Plane, whole: Area) -> Option<Area> {
    /// Noise that recompression leaves on a uniform border, in steps of luma.
    const TOLERANCE: f32 = 8.0;
    let cell = |x: usize, y: usize| plane.cells[y * plane.columns() + x];
    let near = |value: f32, colour: f32| (value - colour).abs() <= TOLERANCE;
    let (mut columns, mut rows) = (whole.columns(), whole.rows());
    let row = |y: usize, colour| whole.columns().all(|x| near(cell(x, y), colour));
    let (first, last) = (cell(columns.start, rows.start), cell(columns.start, rows.end - 1));
    let top = rows.clone().take_while(|&y| row(y, first)).count();
    let bottom = rows.clone().rev().take_while(|&y| row(y, last)).count();
    if top + bottom >= rows.len() {
        return None;
    }
    rows = rows.start + top..rows.end - bottom;
    let column = |x: usize, colour| rows.clone().all(|y| near(cell(x, y), colour));
    let (first, last) = (cell(columns.start, rows.start), cell(columns.end - 1, rows.start));
    let left = columns.clone().take_while(|&x| column(x, first)).count();
    let right = columns.clone().rev().take_while(|&x| column(x, last)).count();
    if top + bottom + left + right == 0 || left + right >= columns.len() {
        return None;
    }
    columns = columns.start + left..columns.end - right;
    Some(Area {
        left: columns.start as u16,
        right: columns.end as u16,
        top: rows.start as u16,
        bottom: rows.end as u16,
    })
}

/// Replaces each pixel of a region by a mean of the nearest pixel outside the region in its row and in its column. The
/// nearer of the two weighs more.
fn paint_over(small: &mut Luma64, columns: Range<usize>, rows: Range<usize>) {
    // Returns, on one axis, the distance to the nearest pixel outside the region, and the position of that pixel.
    let beside = |at: usize, range: &Range<usize>| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_places_are_counted_by_vectors_as_one_by_one() {
        let mut state = 1u32;
        for noise in [0.0, 3.0, 4.0, 9.0] {
            let small: Luma64 = std::array::from_fn(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Steps of exactly the largest difference are frequent.
                (at % SIDE + at / SIDE) as f32 * 0.5 + ((state >> 24) as f32 * noise / 256.0).floor()
            });
            let near = |at: usize, other: usize| (small[at] - small[other]).abs() <= Detail::FLAT;
            let places = (0..SIDE - 1).flat_map(|y| (0..SIDE - 1).map(move |x| y * SIDE + x));
            let expected = places.filter(|&at| near(at, at + 1) && near(at, at + SIDE)).count();
            assert_eq!(flat_places(&small), expected);
        }
    }
}
