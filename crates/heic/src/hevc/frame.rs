//! A decoded picture, as the rest of the crate reads it.

use super::picture::{Picture, Plane};
use super::ps::Sps;

/// One decoded picture in planes, cropped to the conformance window. A sample is a `u16` whatever its depth.
#[derive(Debug)]
pub struct Frame {
    pub width: usize,
    pub height: usize,
    left: usize,
    top: usize,
    /// Luma, Cb and Cr. The chroma planes are empty if the picture has none, or if luma alone was wanted.
    planes: [Plane; 3],
    /// How many columns and rows of luma one column and row of chroma covers.
    sub: [usize; 2],
    /// Bits of a luma and of a chroma sample.
    pub depths: [u8; 2],
}

impl Frame {
    pub(super) fn new(picture: Picture, sps: &Sps) -> Self {
        let [width, height] = size(sps);
        Self {
            width,
            height,
            left: sps.crop[0],
            top: sps.crop[2],
            planes: [picture.y, picture.cb, picture.cr],
            sub: [sps.sub_w.max(1), sps.sub_h.max(1)],
            depths: [sps.bit_depth_y, sps.bit_depth_c],
        }
    }

    pub fn has_chroma(&self) -> bool {
        !self.planes[1].data.is_empty()
    }

    /// Appends row `y` of a plane (0 for luma), with as many samples as luma has. A sample of chroma counts for every
    /// pixel that it covers.
    pub fn row(&self, plane: usize, y: usize, row: &mut Vec<u16>) {
        let samples = &self.planes[plane];
        let (left, y) = (self.left, self.top + y);
        if plane == 0 {
            let from = y * samples.stride + left;
            row.extend_from_slice(&samples.data[from..from + self.width]);
            return;
        }
        let [across, down] = self.sub;
        // A picture of an odd size may have no chroma sample for its last row or column.
        let from = (y / down).min(samples.height - 1) * samples.stride;
        let samples = &samples.data[from..from + samples.width];
        let last = samples.len() - 1;
        row.extend((left..left + self.width).map(|x| samples[(x / across).min(last)]));
    }
}

/// Returns the width and height of the conformance window.
pub fn size(sps: &Sps) -> [usize; 2] {
    let [left, right, top, bottom] = sps.crop;
    [sps.width.saturating_sub(left + right).max(1), sps.height.saturating_sub(top + bottom).max(1)]
}
