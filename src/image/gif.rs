//! GIF, by the `gif` crate.

use std::io::Cursor;

use ::gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod, MemoryLimit};

use super::animation::{Blend, Canvas, Dispose, Plan, Rect};
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_plausible, check_size};
use super::picture::{DecodedBy, Picture};
use super::surfaces::{Surfaces, still};

/// A code of 12 bits stands for fewer than 4,096 pixels.
const PIXELS_PER_BYTE: u64 = 4096;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Gif, message)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let outline = Outline::of(bytes)?;
    let first = outline.frames[0];
    // A first frame that is larger than the screen enlarges it, as in browsers and Pillow.
    let (width, height) = (outline.width.max(first.x + first.width), outline.height.max(first.y + first.height));
    check_size(Format::Gif, width, height, limits)?;
    let pixels = u64::from(width) * u64::from(height);
    check_plausible(Format::Gif, pixels, PIXELS_PER_BYTE, bytes.len())?;

    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Unlimited);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(unreadable)?;
    let frame = next_frame(&mut decoder)?;
    let ground = frame.colours[usize::from(frame.transparent.unwrap_or(0))];
    let ground = [ground[0], ground[1], ground[2], 0];
    if outline.frames.len() == 1 {
        let mut surfaces = Surfaces::new(width, height);
        let mut whole = ground.repeat(width as usize);
        for y in (0..height).filter(|y| !(first.y..first.y + first.height).contains(y)) {
            surfaces.push(y, 4, &whole);
        }
        frame.rows(&mut decoder, |y, pixels| {
            let part = &mut whole.as_chunks_mut().0[first.x as usize..];
            part.iter_mut().zip(pixels).for_each(|(to, from)| *to = from);
            surfaces.push(first.y + y, 4, &whole);
        })?;
        return Ok(still(Format::Gif, width, height, surfaces));
    }

    let plan = Plan::new(pixels, &outline.frames, limits);
    let mut canvas = Canvas::new(width, height, ground, limits)?;
    let mut frames = Vec::new();
    let mut frame = Some(frame);
    for (index, &rect) in (0..plan.reach).zip(&outline.frames) {
        let frame = frame.take().map_or_else(|| next_frame(&mut decoder), Ok)?;
        let rect = rect.clipped(width, height);
        canvas.begin(rect, frame.dispose);
        // Colours under the first frame's transparent pixels are kept: they are its plain surface.
        let blend = if index == 0 { Blend::Source } else { Blend::Over };
        frame.rows(&mut decoder, |y, pixels| canvas.draw((0, 1), y, pixels, blend))?;
        if plan.kept.contains(&index) {
            frames.extend(canvas.show(index));
        }
    }
    let count = outline.frames.len() as u32;
    let mut picture = Picture::new(Format::Gif, (width, height), DecodedBy::General, count, frames);
    picture.frames_skipped = plan.skipped;
    Ok(picture)
}

/// A frame that the decoder has come to.
struct Frame {
    width: u16,
    height: u16,
    interlaced: bool,
    dispose: Dispose,
    transparent: Option<u8>,
    /// Red, green, blue, alpha; black where the file has no colour.
    colours: [[u8; 4]; 256],
}

fn next_frame(decoder: &mut Decoder<Cursor<&[u8]>>) -> Result<Frame, IntakeError> {
    let mut colours = [[0, 0, 0, 255]; 256];
    let info = decoder.next_frame_info().map_err(unreadable)?.ok_or_else(|| unreadable("it has no frame"))?;
    let dispose = match info.dispose {
        DisposalMethod::Any | DisposalMethod::Keep => Dispose::Keep,
        DisposalMethod::Background => Dispose::Background,
        DisposalMethod::Previous => Dispose::Previous,
    };
    let (width, height, interlaced, transparent) = (info.width, info.height, info.interlaced, info.transparent);
    let palette = decoder.palette().map_err(unreadable)?;
    for (colour, stored) in colours.iter_mut().zip(palette.as_chunks::<3>().0) {
        colour[..3].copy_from_slice(stored);
    }
    if let Some(index) = transparent {
        colours[usize::from(index)][3] = 0;
    }
    Ok(Frame { width, height, interlaced, dispose, transparent, colours })
}

impl Frame {
    /// Gives the rows, in the order of the file.
    fn rows(
        &self,
        decoder: &mut Decoder<Cursor<&[u8]>>,
        mut each: impl FnMut(u32, &mut dyn Iterator<Item = [u8; 4]>),
    ) -> Result<(), IntakeError> {
        let passes = if self.interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)][..] } else { &[(0, 1)] };
        let mut row = vec![0; self.width.into()];
        for y in passes.iter().flat_map(|&(first, step)| (first..self.height.into()).step_by(step)) {
            if !decoder.fill_buffer(&mut row).map_err(unreadable)? {
                return Err(unreadable("a frame's data ends early"));
            }
            each(y, &mut row.iter().map(|&index| self.colours[usize::from(index)]));
        }
        Ok(())
    }
}

/// What a walk over the blocks tells (GIF89a specification, appendix A and B).
struct Outline {
    width: u32,
    height: u32,
    /// At least one.
    frames: Vec<Rect>,
}

impl Outline {
    fn of(bytes: &[u8]) -> Result<Self, IntakeError> {
        Self::walk(bytes).ok_or_else(|| unreadable("it ends before its trailer"))?
    }

    /// `None` if the file ends early.
    fn walk(bytes: &[u8]) -> Option<Result<Self, IntakeError>> {
        let number = |at: usize| Some(u32::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)));
        let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
        let mut frames = Vec::new();
        let mut at = 13 + table(*bytes.get(10)?);
        loop {
            match *bytes.get(at)? {
                0x21 => at += 2,
                0x2c => {
                    let (x, y, width, height) = (number(at + 1)?, number(at + 3)?, number(at + 5)?, number(at + 7)?);
                    if width == 0 || height == 0 {
                        return Some(Err(unreadable(format!("a frame is {width} x {height} pixels"))));
                    }
                    frames.push(Rect { x, y, width, height });
                    // Descriptor, table, size of the first code.
                    at += 10 + table(*bytes.get(at + 9)?) + 1;
                }
                0x3b if frames.is_empty() => return Some(Err(unreadable("it has no frame"))),
                0x3b => return Some(Ok(Self { width: number(6)?, height: number(8)?, frames })),
                other => return Some(Err(unreadable(format!("expected a block, got byte {other:#04x}")))),
            }
            loop {
                let length = usize::from(*bytes.get(at)?);
                at += 1 + length;
                if length == 0 {
                    break;
                }
            }
        }
    }
}
