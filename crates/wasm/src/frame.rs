//! Hashes a frame of a film or a live stream, from the pixels that the browser's decoder hands over.

use hashgate::image::DecodedBy;
use hashgate::pdq::{Luma, LumaBuilder, MIN_QUALITY, SIDE};
use hashgate::views::{self, ViewHash};
use hashgate::{Fingerprint, ImageHashes, ViewSet};
use js_sys::Error;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::{coded, read_option};

/// The layout of a frame's bytes: `FrameLayout` in the TypeScript of the bindings.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Layout {
    width: u32,
    height: u32,
    /// Bytes before the first row.
    offset: usize,
    /// Bytes from one row to the next.
    stride: usize,
    samples: Samples,
    /// Whether luma is limited to the values 16 to 235 (in samples of 8 bits), instead of 0 to 255.
    limited: bool,
}

/// The format of one pixel.
#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Samples {
    /// One byte of luma.
    Luma,
    /// Two bytes of luma, the less significant first. The lower 10 bits are the value.
    Luma10,
    /// As `Luma10`, with 12 bits.
    Luma12,
    /// Red, green, blue and a fourth byte that is ignored.
    Rgbx,
    /// Blue, green, red and a fourth byte that is ignored.
    Bgrx,
}

impl Samples {
    fn bytes(self) -> usize {
        match self {
            Self::Luma => 1,
            Self::Luma10 | Self::Luma12 => 2,
            Self::Rgbx | Self::Bgrx => 4,
        }
    }
}

/// The hashes of one frame.
#[wasm_bindgen]
pub struct HashedFrame {
    hashes: ImageHashes,
    small: Vec<u8>,
}

#[wasm_bindgen]
impl HashedFrame {
    /// Hashes the views of a frame. `layout` tells how the pixels are stored in `pixels`.
    ///
    /// # Errors
    /// `invalid-options` if the pixels don't fit the layout.
    pub fn of(
        pixels: &[u8],
        #[wasm_bindgen(unchecked_param_type = "FrameLayout")] layout: JsValue,
        #[wasm_bindgen(unchecked_param_type = "ViewSet")] views: JsValue,
    ) -> Result<Self, Error> {
        let (layout, views): (Layout, ViewSet) = (read_option(layout)?, read_option(views)?);
        let luma = luma_of(pixels, &layout)?;
        let small = luma.small.iter().map(|&value| value as u8).collect();
        let views = views::of(&luma, views);
        let hashes = ImageHashes::of_frame(layout.width, layout.height, DecodedBy::Browser, views);
        Ok(Self { hashes, small })
    }

    /// PDQ quality of the frame as it is, 0 to 100.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn quality(&self) -> u8 {
        self.plain().quality
    }

    /// Whether at least one view has enough detail to be compared.
    #[wasm_bindgen(getter, js_name = isComparable)]
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        self.hashes.frames[0].views.iter().any(|hash| hash.quality >= MIN_QUALITY)
    }

    /// PDQ hash of the frame as it is.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn pdq(&self) -> String {
        self.plain().coefficients.hash().to_string()
    }

    /// The reduced frame: 64 rows of 64 grey levels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn small(&self) -> Vec<u8> {
        self.small.clone()
    }

    /// Serialises the hashes as a fingerprint for [`Lookup`](super::Lookup).
    #[wasm_bindgen(js_name = toBytes)]
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Fingerprint { sha256: None, md5: None, picture: Some(Ok(self.hashes.clone())) }.to_bytes()
    }
}

impl HashedFrame {
    fn plain(&self) -> &ViewHash {
        &self.hashes.frames[0].views[0]
    }
}

fn luma_of(pixels: &[u8], layout: &Layout) -> Result<Luma, Error> {
    let &Layout { width, height, offset, stride, samples, limited } = layout;
    let row_bytes = samples.bytes() * width as usize;
    let end = (height as usize).checked_sub(1).and_then(|rows| stride.checked_mul(rows)?.checked_add(offset));
    let fits = end.and_then(|end| end.checked_add(row_bytes)).is_some_and(|end| end <= pixels.len());
    if width == 0 || !fits {
        let message = format!("pixels: expected {height} rows of {row_bytes} bytes, got {} bytes", pixels.len());
        return Err(coded("invalid-options", &message));
    }
    let mut builder = LumaBuilder::new(width, height);
    let stretched = stretched(limited);
    let mut row = vec![0; if samples.bytes() == 4 { 3 * width as usize } else { width as usize }];
    for y in 0..height {
        let bytes = &pixels[offset + y as usize * stride..][..row_bytes];
        match samples {
            Samples::Luma => {
                row.iter_mut().zip(bytes).for_each(|(to, &value)| *to = stretched[usize::from(value)]);
            }
            Samples::Luma10 | Samples::Luma12 => {
                let shift = if samples == Samples::Luma10 { 2 } else { 4 };
                for (to, &pair) in row.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    let rounded = (u16::from_le_bytes(pair).saturating_add(1 << (shift - 1)) >> shift).min(255);
                    *to = stretched[usize::from(rounded)];
                }
            }
            Samples::Rgbx => {
                let pixels = bytes.as_chunks::<4>().0;
                row.as_chunks_mut().0.iter_mut().zip(pixels).for_each(|(to, &[r, g, b, _])| *to = [r, g, b]);
            }
            Samples::Bgrx => {
                let pixels = bytes.as_chunks::<4>().0;
                row.as_chunks_mut().0.iter_mut().zip(pixels).for_each(|(to, &[b, g, r, _])| *to = [r, g, b]);
            }
        }
        if samples.bytes() == 4 { builder.push_rgb(y, &row) } else { builder.push_grey(y, &row) }
    }
    Ok(builder.finish())
}

/// Returns the grey level of each sample of luma. Limited luma is stretched from 16 to 235 to the whole range, as when
/// a decoder converts it to RGB.
fn stretched(limited: bool) -> [u8; 256] {
    std::array::from_fn(|value| {
        let value = value as i32;
        if limited { ((value - 16) * 255 + 109).div_euclid(219).clamp(0, 255) as u8 } else { value as u8 }
    })
}

const _: () = assert!(SIDE == 64, "the comment on `small` says so");
