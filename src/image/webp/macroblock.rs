//! What the parts of the decoder tell each other about a macroblock.

/// Facts about the neighbours of macroblocks: above a column, or to the left.
#[derive(Clone, Copy, Default)]
pub(super) struct Above {
    /// The modes of the four nearest blocks of 4 x 4 pixels.
    pub(super) modes: [u8; 4],
    /// Whether the nearest blocks have coefficients: four of luma, two of each chroma plane.
    pub(super) filled: [bool; 8],
    /// Whether the block of luma's DC terms has coefficients.
    pub(super) dc_filled: bool,
}

pub(super) struct Place {
    pub(super) row: usize,
    pub(super) column: usize,
}

/// The quantization steps of a segment: of DC and AC terms.
#[derive(Clone, Copy, Default)]
pub(super) struct Steps {
    pub(super) luma: [i32; 2],
    pub(super) chroma: [i32; 2],
    pub(super) dc_of_luma: [i32; 2],
}

/// How a whole macroblock is predicted. The numbers are those of the equal modes of blocks.
#[derive(Clone, Copy)]
pub(super) enum Whole {
    Mean = 0,
    Motion = 1,
    Above = 2,
    Left = 3,
}

/// Which coefficients of a block may be other than 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    Nothing,
    Dc,
    All,
}
