//! Variants of a listed picture: what people make of it that no view of a copy leads back to.
//!
//! A view undoes an edit on the side of whoever uploads, and a crop can't be undone where pixels are missing. The owner
//! of a list who has the picture can list hashes of its parts instead. `docs/lab/near-match.md` has what each finds.

use serde::Serialize;

use super::pdq::{Luma, Luma64, MIN_QUALITY, quality};
use super::views;

/// One variant of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// 4% of the width and height cut off every side.
    Cut4,
    /// 7% cut off every side.
    Cut7,
    /// 12% cut off every side.
    Cut12,
    /// Turned left by 8 degrees.
    TurnedLeft8,
    /// Turned right by 8 degrees.
    TurnedRight8,
    /// The most plausible picture within the picture, such as one of a collage.
    Part1,
    /// The second one.
    Part2,
    /// The third one.
    Part3,
    /// The fourth one.
    Part4,
}

/// The cuts, with what is left of the width and height in per mille.
const CUTS: [(Variant, i64); 3] = [(Variant::Cut4, 920), (Variant::Cut7, 860), (Variant::Cut12, 760)];
/// The turns, with the sines of their angles. Views turn a copy by up to 4 degrees, so these reach twice as far.
const TURNS: [(Variant, f32); 2] = [(Variant::TurnedLeft8, -0.139_173_1), (Variant::TurnedRight8, 0.139_173_1)];
const COSINE_OF_8: f32 = 0.990_268_07;
/// The parts, the most plausible first.
const PARTS: [Variant; 4] = [Variant::Part1, Variant::Part2, Variant::Part3, Variant::Part4];

impl Variant {
    /// The name in the column `variant` of a list.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cut4 => "cut-4",
            Self::Cut7 => "cut-7",
            Self::Cut12 => "cut-12",
            Self::TurnedLeft8 => "turned-left-8",
            Self::TurnedRight8 => "turned-right-8",
            Self::Part1 => "part-1",
            Self::Part2 => "part-2",
            Self::Part3 => "part-3",
            Self::Part4 => "part-4",
        }
    }
}

impl Serialize for Variant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Returns the variants of a picture as PDQ's 64 x 64 pictures. Leaves out those whose quality is under
/// [`MIN_QUALITY`], which lists don't use.
#[must_use]
pub fn of(luma: &Luma) -> Vec<(Variant, Luma64)> {
    let cuts = CUTS.map(|(variant, per_mille)| (variant, luma.plane.small(&views::zoomed(&luma.plane, per_mille))));
    let aspect = luma.plane.height as f32 / luma.plane.width as f32;
    let turns = TURNS.map(|(variant, sine)| (variant, views::turned(&luma.small, sine, COSINE_OF_8, aspect)));
    let parts = PARTS.into_iter().zip(views::parts(&luma.plane, PARTS.len()));
    cuts.into_iter().chain(turns).chain(parts).filter(|(_, small)| quality(small) >= MIN_QUALITY).collect()
}
