//! Computes the luma of each surface of a frame from the frame's rows.

use wide::u8x16;

use super::format::Format;
use super::picture::{DecodedBy, Frame, Picture, Surface};
use super::profile::Conversion;
use crate::pdq::{Luma, LumaBuilder};

/// Takes the rows of a frame and sums up the luma of its surfaces.
///
/// At the first pixel that isn't opaque, the surfaces over a background are made as copies of the plain surface,
/// because they are equal until then. The surfaces over grey are mixed from those over white and black. The mix is
/// exact, because composing and filtering are linear in the background.
pub(super) struct Surfaces {
    plain: LumaBuilder,
    over: Option<Box<Over>>,
    managed: Option<Box<Managed>>,
    rgb: Vec<u8>,
    converted: Vec<u8>,
}

struct Over {
    white: LumaBuilder,
    black: LumaBuilder,
}

struct Managed {
    conversion: Box<Conversion>,
    builder: LumaBuilder,
}

/// Whether this build applies colour profiles. A build without that leaves such files to the formats engine: see
/// [`Profile::split`](super::profile::Profile::split).
const MANAGES: bool = cfg!(feature = "every-format");

impl Surfaces {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let plain = LumaBuilder::new(width, height);
        Self { plain, over: None, managed: None, rgb: Vec::new(), converted: Vec::new() }
    }

    /// Adds the surface with the colours that a profile asks for. Call it before the first row.
    pub(super) fn manage(&mut self, conversion: Option<Box<Conversion>>) {
        let managed = |conversion| Box::new(Managed { conversion, builder: self.plain.clone() });
        self.managed = conversion.filter(|_| MANAGES).map(managed);
    }

    fn is_managed(&self) -> bool {
        MANAGES && self.managed.is_some()
    }

    /// Adds row `y`. A pixel has 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels of one byte. Rows may come in
    /// any order. A row may come in several parts, each as wide as the frame and opaque black where another part has
    /// the pixel.
    pub(super) fn push(&mut self, y: u32, channels: usize, row: &[u8]) {
        match channels {
            1 => {
                self.each(|builder| builder.push_grey(y, row));
                if self.is_managed() {
                    self.push_managed(y, row, |&grey| [grey, grey, grey, 255]);
                }
            }
            2 => self.push_alpha(y, row.as_chunks().0, |&[grey, alpha]| [grey, grey, grey, alpha]),
            3 => {
                self.each(|builder| builder.push_rgb(y, row));
                if self.is_managed() {
                    self.push_managed(y, row.as_chunks().0, |&[red, green, blue]| [red, green, blue, 255]);
                }
            }
            _ if !self.is_managed() && is_opaque(row) => self.each(|builder| builder.push_rgba(y, row)),
            _ => self.push_alpha(y, row.as_chunks().0, |&pixel: &[u8; 4]| pixel),
        }
    }

    /// Adds a row of opaque pixels to every surface except the managed one.
    fn each(&mut self, push: impl Fn(&mut LumaBuilder)) {
        push(&mut self.plain);
        if let Some(over) = &mut self.over {
            push(&mut over.white);
            push(&mut over.black);
        }
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
        if least_alpha < 255 && self.over.is_none() {
            self.over = Some(Box::new(Over { white: self.plain.clone(), black: self.plain.clone() }));
        }
        self.plain.push_rgb(y, &self.rgb);
        if let Some(over) = &mut self.over {
            for (background, builder) in [(255, &mut over.white), (0, &mut over.black)] {
                if least_alpha < 255 {
                    for (colour, pixel) in self.rgb.as_chunks_mut::<3>().0.iter_mut().zip(row) {
                        let [red, green, blue, alpha] = rgba(pixel);
                        *colour = [red, green, blue].map(|value| composed(value, alpha, background));
                    }
                }
                builder.push_rgb(y, &self.rgb);
            }
        }
        if self.is_managed() {
            self.push_managed(y, row, rgba);
        }
    }

    /// Adds a row to the managed surface: converted by the profile, then composed over white.
    #[inline(never)]
    fn push_managed<T>(&mut self, y: u32, row: &[T], rgba: impl Fn(&T) -> [u8; 4]) {
        let Some(managed) = self.managed.as_mut().filter(|_| MANAGES) else { return };
        self.converted.clear();
        for pixel in row {
            let [red, green, blue, alpha] = rgba(pixel);
            let shown = managed.conversion.convert([red, green, blue]);
            self.converted.extend(shown.map(|value| composed(value, alpha, 255)));
        }
        managed.builder.push_rgb(y, &self.converted);
    }

    /// Ends the frame and yields its surfaces, the plain one first.
    pub(super) fn finish(self, index: u32) -> impl Iterator<Item = Frame> {
        let mut frames = vec![frame(index, Surface::Plain, self.plain.finish())];
        if let Some(over) = self.over {
            let (white, black) = (over.white.finish(), over.black.finish());
            let greys = GREYS.map(|(surface, share)| frame(index, surface, mixed(&white, share, &black)));
            frames.push(frame(index, Surface::OverWhite, white));
            frames.push(frame(index, Surface::OverBlack, black));
            frames.extend(greys);
        }
        if let Some(managed) = self.managed.filter(|_| MANAGES) {
            frames.push(frame(index, Surface::Managed, managed.builder.finish()));
        }
        frames.into_iter()
    }
}

/// Returns whether every pixel of four bytes is opaque.
fn is_opaque(rgba: &[u8]) -> bool {
    let (chunks, rest) = rgba.as_chunks::<16>();
    let all = chunks.iter().fold(u8x16::new([255; 16]), |all, &chunk| all & u8x16::new(chunk));
    all.to_array().chunks_exact(4).chain(rest.chunks_exact(4)).all(|pixel| pixel[3] == 255)
}

fn frame(index: u32, surface: Surface, luma: Luma) -> Frame {
    Frame { index, surface, derived_views: true, luma }
}

/// The surfaces over grey, each with the share of white in its background.
pub(super) const GREYS: [(Surface, f32); 2] = [(Surface::OverGrey, 0.5), (Surface::OverDarkGrey, 0.15)];

/// Mixes two pictures of the same size: `share` of `one`, and the rest of `other`.
fn mixed(one: &Luma, share: f32, other: &Luma) -> Luma {
    let mut mixed = other.clone();
    mix(mixed.small.as_mut_slice(), share, one.small.as_slice());
    mix(&mut mixed.plane.cells, share, &one.plane.cells);
    mixed
}

/// Moves each value towards the value in `others` by `share` of the difference.
pub(super) fn mix(values: &mut [f32], share: f32, others: &[f32]) {
    values.iter_mut().zip(others).for_each(|(value, other)| *value += share * (other - *value));
}

/// Makes a picture of one frame that a general decoder read.
pub(super) fn still(format: Format, width: u32, height: u32, surfaces: Surfaces) -> Picture {
    Picture::new(format, (width, height), DecodedBy::General, 1, surfaces.finish(0).collect())
}

/// Returns a colour composed over a grey background, rounded to the nearest level, as Pillow's `paste` with a mask
/// does.
fn composed(colour: u8, alpha: u8, background: u8) -> u8 {
    let sum = u32::from(colour) * u32::from(alpha) + u32::from(background) * u32::from(255 - alpha) + 128;
    ((sum + (sum >> 8)) >> 8) as u8
}
