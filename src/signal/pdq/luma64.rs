//! The reduced picture that PDQ hashes, and PDQ's constants.

/// Side of the reduced picture that PDQ transforms.
pub const SIDE: usize = 64;
/// Side of the corner of the transform that PDQ keeps.
pub const CORNER: usize = 16;
/// Lowest quality of a PDQ hash that can be compared, as the reference recommends. Below it, a hash says nothing.
pub const MIN_QUALITY: u8 = 50;
/// Smallest side in pixels of a picture with a hash. Below it, the reference gives the zero hash and quality 0
/// (`MIN_HASHABLE_DIM`).
pub const MIN_SIDE: u32 = 5;

/// A reduced picture: 64x64 values of luma, each 0 to 255, row by row, made by PDQ's filter.
pub type Luma64 = [f32; SIDE * SIDE];
