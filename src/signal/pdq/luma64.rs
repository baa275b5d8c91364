//! The reduced picture that PDQ hashes, and PDQ's constants.

/// Side of the reduced picture that PDQ transforms.
pub const SIDE: usize = 64;
/// Rows and columns of the DCT that PDQ keeps: those of the 16 lowest frequencies above 0.
pub const CORNER: usize = 16;
/// Lowest quality at which PDQ hashes are compared, as Meta's reference recommends. A picture of lower quality has too
/// little detail: hashes of different such pictures may be close to each other.
pub const MIN_QUALITY: u8 = 50;
/// Smallest side of a picture that has a hash, in pixels. If a side is shorter, Meta's reference returns the zero hash
/// and quality 0 (its constant is `MIN_HASHABLE_DIM`).
pub const MIN_SIDE: u32 = 5;

/// A reduced picture: 64x64 values of luma, each 0 to 255, row by row, made by PDQ's filter.
pub type Luma64 = [f32; SIDE * SIDE];
