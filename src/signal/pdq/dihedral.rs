//! The eight rotations and reflections of a picture, as sign flips and a transposition of its DCT.

use serde::{Deserialize, Serialize};

use super::luma64::CORNER;

/// One of the eight rotations and reflections of the square, named as in Meta's reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Orientation {
    /// As stored.
    Original,
    /// Turned by 90 degrees.
    #[serde(rename = "rotate-90")]
    Rotate90,
    /// Turned by 180 degrees.
    #[serde(rename = "rotate-180")]
    Rotate180,
    /// Turned by 270 degrees.
    #[serde(rename = "rotate-270")]
    Rotate270,
    /// Upside down (mirrored at the horizontal axis).
    FlipX,
    /// Mirrored left to right.
    FlipY,
    /// Mirrored at the main diagonal.
    #[serde(rename = "flip-plus-1")]
    FlipPlus1,
    /// Mirrored at the other diagonal.
    #[serde(rename = "flip-minus-1")]
    FlipMinus1,
}

impl Orientation {
    /// All eight, the stored one first.
    pub const ALL: [Self; 8] = [
        Self::Original,
        Self::Rotate90,
        Self::Rotate180,
        Self::Rotate270,
        Self::FlipX,
        Self::FlipY,
        Self::FlipPlus1,
        Self::FlipMinus1,
    ];

    /// Returns whether copies commonly have this orientation: as stored, or mirrored left to right.
    pub(crate) fn is_common(self) -> bool {
        matches!(self, Self::Original | Self::FlipY)
    }
}

/// Turns or mirrors the coefficients of a picture. Mirroring a picture flips the signs of the odd frequencies. Index 0
/// of a row or column is frequency 1, so the odd frequencies have even indices.
pub(super) fn apply(values: &[f32], orientation: Orientation) -> Vec<f32> {
    use Orientation as O;
    let mut turned = vec![0.0; CORNER * CORNER];
    for i in 0..CORNER {
        for j in 0..CORNER {
            let value = values[i * CORNER + j];
            let negative = match orientation {
                O::Original | O::FlipPlus1 => false,
                O::Rotate90 | O::FlipY => j % 2 == 0,
                O::Rotate270 | O::FlipX => i % 2 == 0,
                O::Rotate180 | O::FlipMinus1 => (i + j) % 2 == 1,
            };
            let target = match orientation {
                O::Original | O::Rotate180 | O::FlipX | O::FlipY => i * CORNER + j,
                O::Rotate90 | O::Rotate270 | O::FlipPlus1 | O::FlipMinus1 => j * CORNER + i,
            };
            turned[target] = if negative { -value } else { value };
        }
    }
    turned
}
