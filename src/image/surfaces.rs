//! Rows of one frame to the luma of its surfaces.

use super::format::Format;
use super::picture::{DecodedBy, Frame, Picture, Surface};
use crate::pdq::{Luma, LumaBuilder};

/// Takes the rows of a frame. The second surface comes to life with the first pixel that isn't
/// opaque; up to there both are the same.
pub(super) struct Surfaces {
    plain: LumaBuilder,
    over_white: Option<LumaBuilder>,
    rgb: Vec<u8>,
}

impl Surfaces {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self { plain: LumaBuilder::new(width, height), over_white: None, rgb: Vec::new() }
    }

    /// Adds row `y`: a frame's width of pixels of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA)
    /// bytes. As for [`LumaBuilder`], rows may come in any order, and a row in several parts that
    /// are opaque black where another part has the pixel.
    pub(super) fn push(&mut self, y: u32, channels: usize, row: &[u8]) {
        match channels {
            1 => self.both(|builder| builder.push_grey(y, row)),
            2 => self.push_alpha(y, row.as_chunks().0, |&[grey, alpha]| [grey, grey, grey, alpha]),
            3 => self.both(|builder| builder.push_rgb(y, row)),
            _ => self.push_alpha(y, row.as_chunks().0, |&pixel: &[u8; 4]| pixel),
        }
    }

    fn both(&mut self, push: impl Fn(&mut LumaBuilder)) {
        push(&mut self.plain);
        self.over_white.iter_mut().for_each(push);
    }

    fn push_alpha<const N: usize>(&mut self, y: u32, row: &[[u8; N]], rgba: impl Fn(&[u8; N]) -> [u8; 4]) {
        self.rgb.resize(3 * row.len(), 0);
        let colours = self.rgb.as_chunks_mut::<3>().0;
        let mut least_alpha = 255;
        for (colour, pixel) in colours.iter_mut().zip(row) {
            let [red, green, blue, alpha] = rgba(pixel);
            *colour = [red, green, blue];
            least_alpha = least_alpha.min(alpha);
        }
        if least_alpha < 255 && self.over_white.is_none() {
            self.over_white = Some(self.plain.clone());
        }
        self.plain.push_rgb(y, &self.rgb);
        if let Some(over_white) = &mut self.over_white {
            if least_alpha < 255 {
                for (colour, pixel) in self.rgb.as_chunks_mut::<3>().0.iter_mut().zip(row) {
                    let alpha = rgba(pixel)[3];
                    *colour = colour.map(|value| on_white(value, alpha));
                }
            }
            over_white.push_rgb(y, &self.rgb);
        }
    }

    /// Ends the frame, the plain surface first.
    pub(super) fn finish(self, index: u32) -> impl Iterator<Item = Frame> {
        let plain = frame(index, Surface::Plain, self.plain.finish());
        let over_white = self.over_white.map(LumaBuilder::finish);
        std::iter::once(plain).chain(over_white.map(|luma| frame(index, Surface::OverWhite, luma)))
    }
}

fn frame(index: u32, surface: Surface, luma: Luma) -> Frame {
    Frame { index, surface, derived_views: true, luma }
}

/// A picture of one frame that a general decoder read.
pub(super) fn still(format: Format, width: u32, height: u32, surfaces: Surfaces) -> Picture {
    Picture::new(format, (width, height), DecodedBy::General, 1, surfaces.finish(0).collect())
}

/// A colour over white, rounded to nearest, as Pillow's `paste` with a mask.
fn on_white(colour: u8, alpha: u8) -> u8 {
    let sum = u32::from(colour) * u32::from(alpha) + 255 * u32::from(255 - alpha) + 128;
    ((sum + (sum >> 8)) >> 8) as u8
}
