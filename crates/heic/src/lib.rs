//! Decodes the primary picture of a HEIC file, row by row, within bounds of time and memory.
//!
//! The HEVC decoder is that of the crate heic-rs, with changes that the README beside this crate lists. The container is
//! read by this crate's own code.
//!
//! What is decoded is the picture that viewers show: the primary item, never an embedded thumbnail, which whoever makes
//! the file chooses freely. It is cropped by `clap`. It is given as it is stored: neither turned (`irot`) nor mirrored
//! (`imir`). Depth maps, gain maps and sequences are left out.

mod colour;
mod container;
mod hevc;
mod layer;
#[cfg(test)]
mod tests;

pub use hashgate_decoder::{Error, Header, Limits, Sink};
use hashgate_decoder::{STRIP, at_most};

use colour::Conversion;
use container::{Container, Reader};
use hevc::Detail;
use layer::Layer;

/// Pictures whose short side is smaller are decoded with chroma and loop filters. In a small picture, one saturated
/// object is large, and colours that don't fit into RGB change the hash.
const SMALL_SIDE: usize = 900;

/// Decodes the primary picture of a HEIC file. Luma alone of large pictures is decoded if that gives their grey.
///
/// # Errors
/// The file can't be read, or is larger than the limits. Rows that were handed over before are then not the whole
/// picture.
pub fn decode(file: &[u8], limits: &Limits, sink: &mut dyn Sink) -> Result<(), Error> {
    let container = Container::open(file)?;
    let mut picture = Layer::open(&container, container.primary, limits)?;
    let crop = crop(&container, picture.size)?;
    let [width, height] = crop.size;
    at_most("width in pixels", picture.size[0] as u64, limits.max_width.into())?;
    at_most("height in pixels", picture.size[1] as u64, limits.max_height.into())?;
    let is_small = width.min(height) < SMALL_SIDE;
    let is_grey = picture.is_grey || (!is_small && colour::luma_is_grey(picture.signal));
    let detail = match (is_small, is_grey) {
        (true, _) => Detail::Full,
        (false, true) => Detail::Luma,
        (false, false) => Detail::Unfiltered,
    };
    let mut alpha = match container.alpha_of(container.primary) {
        Some((id, multiplied)) => {
            let layer = Layer::open(&container, id, limits)?;
            let size = layer.size;
            Some(Alpha { layer, size, multiplied, detail: if is_small { Detail::Full } else { Detail::Luma } })
        }
        None => None,
    };
    let memory = picture.memory(detail) + alpha.as_ref().map_or(0, |alpha| alpha.layer.memory(alpha.detail));
    at_most("bytes of memory to decode it", memory, limits.max_alloc)?;
    let colours = if is_grey { 1 } else { 3 };
    let channels = colours + usize::from(alpha.is_some());
    let profile = container.properties(container.primary).find_map(|(kind, content, _)| {
        let is_profile = kind == b"colr" && (content.starts_with(b"prof") || content.starts_with(b"rICC"));
        content.get(4..).filter(|_| is_profile)
    });
    let header = Header {
        width: width as u32,
        height: height as u32,
        channels: channels as u32,
        profile,
        has_sequence: container.has_film,
    };
    if !sink.begin(&header) {
        return Ok(());
    }
    let mut strip = Vec::new();
    let mut samples: [Vec<u16>; 3] = Default::default();
    let (mut bytes, mut opacity) = (Vec::new(), Vec::new());
    for y in 0..height {
        let signal = picture.signal;
        let (frames, within) = picture.at(crop.top + y, detail)?;
        samples.iter_mut().for_each(Vec::clear);
        for frame in frames {
            for (plane, row) in samples.iter_mut().enumerate().take(colours) {
                frame.row(plane, within, row);
            }
        }
        // The tiles at the right may reach beyond the picture.
        let [luma, cb, cr] = samples.each_ref().map(|row| row.get(crop.left..crop.left + width).unwrap_or_default());
        let conversion = Conversion::new(signal, frames[0].depths).ok_or(Error::Unsupported("these colours"))?;
        bytes.clear();
        if is_grey {
            conversion.grey(luma, &mut bytes);
        } else {
            conversion.colour([luma, cb, cr], &mut bytes);
        }
        match &mut alpha {
            None => strip.extend_from_slice(&bytes),
            Some(alpha) => {
                alpha.row(crop.top + y, crop.left, width, picture.size, &mut opacity)?;
                for (colours, &opacity) in bytes.chunks_exact(colours).zip(&opacity) {
                    strip.extend(colours.iter().map(|&colour| alpha.divide(colour, opacity)));
                    strip.push(opacity);
                }
            }
        }
        if (y + 1) % STRIP == 0 || y + 1 == height {
            sink.rows(&strip);
            strip.clear();
        }
    }
    Ok(())
}

/// The alpha of a picture, which may be of another size.
struct Alpha<'c, 'a> {
    layer: Layer<'c, 'a>,
    size: [usize; 2],
    /// Whether the colours are multiplied by alpha.
    multiplied: bool,
    detail: Detail,
}

impl Alpha<'_, '_> {
    /// Reads a part of a row of a picture of size `of`.
    fn row(&mut self, y: usize, left: usize, width: usize, of: [usize; 2], row: &mut Vec<u8>) -> Result<(), Error> {
        let (frames, within) = self.layer.at(y * self.size[1] / of[1], self.detail)?;
        let mut samples = Vec::new();
        frames.iter().for_each(|frame| frame.row(0, within, &mut samples));
        let shift = frames[0].depths[0].saturating_sub(8);
        row.clear();
        row.extend((left..left + width).map(|x| (samples[x * self.size[0] / of[0]] >> shift) as u8));
        Ok(())
    }

    /// Undoes the multiplication of a colour by alpha.
    fn divide(&self, colour: u8, opacity: u8) -> u8 {
        if !self.multiplied || opacity == 0 {
            return colour;
        }
        ((u32::from(colour) * 255 + u32::from(opacity) / 2) / u32::from(opacity)).min(255) as u8
    }
}

/// The part of a stored picture that is shown.
struct Crop {
    left: usize,
    top: usize,
    /// Width and height.
    size: [usize; 2],
}

/// Returns the part of the primary picture that its `clap` property leaves (14496-12, 12.1.4).
fn crop(container: &Container<'_>, size: [usize; 2]) -> Result<Crop, Error> {
    let whole = Crop { left: 0, top: 0, size };
    let mut kinds = container.properties(container.primary).map(|(kind, ..)| kind);
    if kinds.by_ref().any(|kind| matches!(kind, b"irot" | b"imir")) && kinds.any(|kind| kind == b"clap") {
        return Err(Error::Unsupported("a picture that is cropped after it was turned"));
    }
    let mut claps = container.properties(container.primary).filter(|(kind, ..)| *kind == b"clap");
    let Some((_, content, _)) = claps.next() else { return Ok(whole) };
    if claps.next().is_some() {
        return Err(Error::Unsupported("a picture that is cropped twice"));
    }
    let mut content = Reader(content);
    let mut ratio = || Ok::<_, Error>((i64::from(content.u32()? as i32), i64::from(content.u32()? as i32)));
    let sizes = [ratio()?, ratio()?];
    let offsets = [ratio()?, ratio()?];
    let mut from = [0; 2];
    let mut left = [0; 2];
    for axis in 0..2 {
        let (((cropped, over), (offset, under)), full) = ((sizes[axis], offsets[axis]), size[axis] as i64);
        if over <= 0 || under <= 0 || cropped < over || cropped / over > full {
            return Err(Error::Unreadable("the picture is cropped to a size that can't be"));
        }
        let cropped = cropped / over;
        // Twice the distance, so that a centre between two pixels stays exact. Rounds down to a whole pixel.
        let twice = full - cropped + 2 * offset / under;
        if twice < 0 || twice / 2 + cropped > full {
            return Err(Error::Unreadable("the picture is cropped to a part that it doesn't have"));
        }
        from[axis] = (twice / 2) as usize;
        left[axis] = cropped as usize;
    }
    Ok(Crop { left: from[0], top: from[1], size: left })
}
