//! Draws pictures as people pass them on, and asserts that the picture inside is found by the view that is meant for it.

use hashgate::pdq::{Luma, LumaBuilder, PdqHash};
use hashgate::views::{View, ViewHash, of};
use hashgate::{ViewSet, pdq};
use hashgate_testkit::{Random, photograph};

/// A grey picture.
struct Canvas {
    width: usize,
    cells: Vec<u8>,
}

impl Canvas {
    fn plain(width: usize, height: usize, shade: u8) -> Self {
        Self { width, cells: vec![shade; width * height] }
    }

    fn photograph(width: usize, height: usize, seed: u32) -> Self {
        let drawn = photograph(width as u32, height as u32, seed);
        Self { width, cells: drawn.as_raw().chunks_exact(3).map(|pixel| pixel[1]).collect() }
    }

    fn paste(mut self, other: &Self, left: usize, top: usize) -> Self {
        for (y, row) in other.cells.chunks_exact(other.width).enumerate() {
            let start = (top + y) * self.width + left;
            self.cells[start..start + other.width].copy_from_slice(row);
        }
        self
    }

    /// Writes lines of dark bars that stand for letters.
    fn write(mut self, left: usize, right: usize, rows: std::ops::Range<usize>) -> Self {
        let mut random = Random::new(7);
        let mut x = left;
        while x + 12 < right {
            let (width, from) = (3 + random.below(6), random.below(rows.len() / 2));
            for y in rows.start + from..rows.end {
                self.cells[y * self.width + x..][..width].fill(20);
            }
            x += width + 2 + random.below(6);
        }
        self
    }

    fn luma(&self) -> Luma {
        let height = self.cells.len() / self.width;
        let mut builder = LumaBuilder::new(self.width as u32, height as u32);
        for (y, row) in self.cells.chunks_exact(self.width).enumerate() {
            builder.push_grey(y as u32, row);
        }
        builder.finish()
    }

    fn views(&self) -> Vec<ViewHash> {
        of(&self.luma(), ViewSet::All)
    }

    fn hash(&self) -> PdqHash {
        self.views()[0].coefficients.hash()
    }
}

/// Asserts that one of `wanted` is as near the picture as Meta's threshold, and that the plain view isn't.
fn assert_found(name: &str, copy: &Canvas, picture: &Canvas, wanted: &[View]) {
    let hash = picture.hash();
    let views = copy.views();
    assert!(
        views[0].coefficients.hash().distance(&hash) > 31,
        "{name}: the copy as it is should be far from the picture"
    );
    let near: Vec<_> =
        views.iter().filter(|view| view.coefficients.hash().distance(&hash) <= 31).map(|view| view.view).collect();
    assert!(near.iter().any(|view| wanted.contains(view)), "{name}: expected one of {wanted:?}, got {near:?}");
}

const LOCATED: [View; 5] = [View::Located1, View::Located2, View::Located3, View::Located4, View::Located1BorderCut];

#[test]
fn a_meme_holds_its_picture() {
    for seed in 0..6 {
        let picture = Canvas::photograph(400, 300, seed);
        let meme = Canvas::plain(400, 400, 255).paste(&picture, 0, 100).write(30, 370, 25..75);
        assert_found(&format!("meme {seed}"), &meme, &picture, &LOCATED);
    }
}

#[test]
fn a_screenshot_holds_its_picture() {
    for seed in 0..6 {
        let picture = Canvas::photograph(300, 200, seed);
        let screen = Canvas::plain(500, 480, 245).paste(&picture, 100, 120).write(20, 300, 20..40);
        let screen = screen.write(100, 390, 340..356).write(100, 350, 370..386).write(20, 80, 120..136);
        assert_found(&format!("screenshot {seed}"), &screen, &picture, &LOCATED);
    }
}

#[test]
fn a_collage_holds_both_of_its_pictures() {
    for seed in 0..6 {
        let (left, right) = (Canvas::photograph(300, 260, seed), Canvas::photograph(240, 260, seed + 100));
        let collage = Canvas::plain(540, 260, 0).paste(&left, 0, 0).paste(&right, 300, 0);
        assert_found(&format!("collage {seed}, left"), &collage, &left, &LOCATED);
        assert_found(&format!("collage {seed}, right"), &collage, &right, &LOCATED);
    }
}

#[test]
fn a_pasted_picture_is_painted_over() {
    let insets = [View::WithoutInset1, View::WithoutInset2, View::WithoutInset3];
    let (mut found, mut near) = (0, 0);
    for seed in 0..12 {
        let picture = Canvas::photograph(400, 300, seed);
        let copy = Canvas::photograph(400, 300, seed).paste(&Canvas::photograph(120, 90, seed + 100), 130, 120);
        let hash = picture.hash();
        let distance = |view: &ViewHash| view.coefficients.hash().distance(&hash);
        let views = copy.views();
        near += u32::from(distance(&views[0]) <= 31);
        found += u32::from(views.iter().any(|view| insets.contains(&view.view) && distance(view) <= 31));
    }
    assert!(found > near && found >= 8, "{found} of 12 without the pasted picture, {near} with it");
}

#[test]
fn raised_highlights_undo_a_brightening_in_part() {
    let nearer = (1..=8).filter(|&seed| {
        let picture = Canvas::photograph(400, 300, seed);
        let brightened = picture.cells.iter().map(|&cell| cell.saturating_mul(2)).collect();
        let views = Canvas { width: picture.width, cells: brightened }.views();
        let distance = |view: View| {
            let seen = views.iter().find(|seen| seen.view == view).expect("a view of what is light");
            seen.coefficients.hash().distance(&picture.hash())
        };
        distance(View::HighlightsRaised) < distance(View::Plain)
    });
    let nearer = nearer.count();
    assert!(nearer >= 6, "nearer in {nearer} of 8 pictures");
}

#[test]
fn no_shape_of_plane_makes_the_survey_fail() {
    for (width, height) in [(5, 5), (63, 900), (64, 64), (65, 64), (64, 2000), (600, 70), (1500, 66), (129, 513)] {
        for picture in [Canvas::plain(width, height, 255), Canvas::photograph(width, height, 3)] {
            let views = picture.views();
            assert_eq!(views[0].view, View::Plain, "{width} x {height}");
            assert!(views.len() <= 37, "{width} x {height}: {} views", views.len());
        }
    }
    // Planes of other sizes than this crate makes, as a caller may: noise with an edge at every cell.
    for (width, height) in [(1, 70_000), (70_000, 1), (20_000, 64), (100, 100)] {
        let cells = (0..width * height).map(|at| if at % 1000 * (at % 1000) % 7 < 3 { 0.0 } else { 300.0 }).collect();
        let plane = pdq::Plane { width, height, block_width: 1, block_height: 1, cells };
        assert!(!of(&Luma::from_plane(plane), ViewSet::All).is_empty());
    }
}
