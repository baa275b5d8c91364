//! The HEVC (ITU-T H.265) intra decoder of heic-rs, with the changes that this crate's README lists.
//!
//! Decodes one intra picture: Main, Main 10 or Main Still Picture, 4:2:0, 4:2:2, 4:4:4 or monochrome. P and B slices,
//! dependent slice segments and sequences are refused as unsupported, by the name of the tool that was asked for.

mod bits;
mod cabac;
mod decode;
mod error;
mod filter;
mod frame;
mod intra;
mod nal;
mod picture;
mod ps;
mod scan;
mod slice;
mod transform;

pub use decode::{Detail, ParameterSets};
pub use frame::Frame;
pub use ps::vui::Signal;

use crate::Error;

/// What the parameter sets of a picture say.
pub struct Info {
    pub width: usize,
    pub height: usize,
    /// Pixels that are decoded: more than `width * height` if the conformance window crops.
    pub pixels: u64,
    pub is_grey: bool,
    pub signal: Signal,
}

impl ParameterSets {
    /// Returns what the sets say about the picture without decoding it.
    pub fn info(&self) -> Result<Info, Error> {
        let sps = self.first_sps()?;
        let [width, height] = frame::size(sps);
        Ok(Info {
            width,
            height,
            pixels: sps.width as u64 * sps.height as u64,
            is_grey: sps.chroma_array_type == 0,
            signal: sps.signal,
        })
    }
}

/// Reads the parameter sets: NAL units without length prefix or start code.
pub fn parameter_sets(units: &[&[u8]]) -> Result<ParameterSets, Error> {
    Ok(ParameterSets::parse(units)?)
}

/// Decodes a picture of at most `max_pixels` from the NAL units of its item.
pub fn decode(sets: &ParameterSets, units: &[&[u8]], detail: Detail, max_pixels: u64) -> Result<Frame, Error> {
    Ok(decode::decode(sets, units, detail, max_pixels)?)
}
