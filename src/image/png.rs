//! PNG and APNG, by the `png` crate.

use std::io::Cursor;

use ::png::{BlendOp, DecodeOptions, Decoder, DecodingError, DisposeOp, Limits as PngLimits, Reader, Transformations};

use super::animation::{Blend, Canvas, Dispose, Plan, Rect};
use super::surfaces::Surfaces;
use super::{Format, IntakeError, Limits, Picture, check_plausible, check_size, still};

/// Deflate makes at most 1,032 bytes of one, and 8 pixels fit a byte.
const PIXELS_PER_BYTE: u64 = 1032 * 8;

/// Columns and rows of the Adam7 passes: first and step across, first and step down (PNG
/// specification, third edition, 8.1).
const ADAM7: [(u32, u32, u32, u32); 7] =
    [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)];

fn unreadable(error: DecodingError) -> IntakeError {
    super::unreadable(Format::Png, error)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let mut options = DecodeOptions::default();
    // Frames of an animation are in chunks that the crate takes for dispensable.
    let frames = frame_rects(bytes);
    options.set_skip_ancillary_crc_failures(frames.is_empty());
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    // What isn't pixels is not unpacked, so that it can't be a bomb.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_limits(PngLimits { bytes: usize::try_from(limits.max_alloc).unwrap_or(usize::MAX) });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let (width, height) = decoder.read_header_info().map_err(unreadable)?.size();
    check_size(Format::Png, width, height, limits)?;
    check_plausible(Format::Png, u64::from(width) * u64::from(height), PIXELS_PER_BYTE, bytes.len())?;
    let mut reader = decoder.read_info().map_err(unreadable)?;

    let info = reader.info();
    // A default picture that isn't part of the animation is what many programs show: it counts as
    // a frame before the others.
    let lone_default = info.frame_control.is_none();
    let least = if lone_default { 1 } else { 2 };
    let animated = info.animation_control.is_some_and(|animation| animation.num_frames >= least);
    let picture = if animated && !lone_default {
        animation(&mut reader, &frames, 0, limits)?
    } else {
        let mut surfaces = Surfaces::new(width, height);
        let mut whole = Vec::new();
        rows(&mut reader, (width, height), |channels, (x, step), y, part| {
            if step == 1 {
                return surfaces.push(y, channels, part);
            }
            // Opaque black adds nothing to a sum of rows.
            whole.clear();
            whole.resize(width as usize * channels, 0);
            if channels % 2 == 0 {
                whole.chunks_exact_mut(channels).for_each(|pixel| pixel[channels - 1] = 255);
            }
            let pixels = whole.chunks_exact_mut(channels).skip(x as usize).step_by(step as usize);
            pixels.zip(part.chunks_exact(channels)).for_each(|(to, from)| to.copy_from_slice(from));
            surfaces.push(y, channels, &whole);
        })?;
        let mut picture = still(Format::Png, width, height, surfaces);
        if animated {
            let rest = animation(&mut reader, &frames, 1, limits)?;
            picture.frames.extend(rest.frames);
            picture.frame_count += rest.frame_count;
            picture.frames_skipped = rest.frames_skipped;
        }
        picture
    };
    if picture.frames_skipped == 0 {
        reader.finish().map_err(unreadable)?;
    }
    Ok(picture)
}

/// Gives the rows of the current frame with their number of channels: first pixel and step across,
/// row, pixels. Interlaced frames come in parts.
fn rows(
    reader: &mut Reader<Cursor<&[u8]>>,
    (width, height): (u32, u32),
    mut each: impl FnMut(usize, (u32, u32), u32, &[u8]),
) -> Result<(), IntakeError> {
    let channels = reader.output_color_type().0.samples();
    let passes = if reader.info().interlaced { &ADAM7[..] } else { &[(0, 1, 0, 1)] };
    for &(x, step, first, down) in passes.iter().filter(|pass| pass.0 < width) {
        for y in (first..height).step_by(down as usize) {
            let row = reader.next_row().map_err(unreadable)?;
            each(channels, (x, step), y, row.map_or(&[], |row| row.data()));
        }
    }
    Ok(())
}

/// Composes the frames of the animation, the first of which the reader has come to if `index`, its
/// number among all frames, is 0.
fn animation(
    reader: &mut Reader<Cursor<&[u8]>>,
    frames: &[Rect],
    index: u32,
    limits: &Limits,
) -> Result<Picture, IntakeError> {
    let (width, height) = reader.info().size();
    let declared = reader.info().animation_control.map_or(0, |animation| animation.num_frames);
    if frames.len() as u64 != u64::from(declared) {
        let message = format!("expected {declared} frames, as its animation control says, got {}", frames.len());
        return Err(super::unreadable(Format::Png, message));
    }
    let pixels = u64::from(width) * u64::from(height);
    let limits_here = Limits { max_frames: limits.max_frames.saturating_sub(index), ..*limits };
    let plan = Plan::new(pixels, frames, &limits_here);
    let mut canvas = Canvas::new(width, height, [0; 4], limits)?;
    let mut kept = Vec::new();
    for frame in 0..plan.reach {
        if frame > 0 || index > 0 {
            reader.next_frame_info().map_err(unreadable)?;
        }
        let Some(control) = reader.info().frame_control else {
            return Err(super::unreadable(Format::Png, format!("frame {frame} has no frame control")));
        };
        let (x, y, across, down) = (control.x_offset, control.y_offset, control.width, control.height);
        let rect = Rect { x, y, width: across, height: down };
        if !rect.fits(width, height) {
            return Err(super::unreadable(Format::Png, format!("frame {frame} reaches outside the picture")));
        }
        let dispose = match control.dispose_op {
            DisposeOp::None => Dispose::Keep,
            // There is nothing before the first frame to go back to (PNG specification, 11.3.6.2).
            DisposeOp::Previous if frame > 0 => Dispose::Previous,
            DisposeOp::Previous | DisposeOp::Background => Dispose::Background,
        };
        let blend = if control.blend_op == BlendOp::Over && frame > 0 { Blend::Over } else { Blend::Source };
        canvas.begin(rect, dispose);
        rows(reader, (across, down), |channels, across, y, part| {
            let pixels = part.chunks_exact(channels).map(|pixel| match *pixel {
                [grey] => [grey, grey, grey, 255],
                [grey, alpha] => [grey, grey, grey, alpha],
                [red, green, blue] => [red, green, blue, 255],
                [red, green, blue, alpha, ..] => [red, green, blue, alpha],
                [] => [0; 4],
            });
            canvas.draw(across, y, pixels, blend);
        })?;
        if plan.kept.contains(&frame) {
            kept.extend(canvas.show(index + frame));
        }
    }
    Ok(Picture {
        frame_count: frames.len() as u32,
        frames_skipped: plan.skipped,
        frames: kept,
        format: Format::Png,
        width,
        height,
        decoded_by: super::DecodedBy::General,
        caveat: None,
    })
}

/// The rectangles of the animation's frames, from a walk over the chunks.
fn frame_rects(bytes: &[u8]) -> Vec<Rect> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    let mut rects = Vec::new();
    while let Some((length, chunk)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if chunk.starts_with(b"fcTL") && chunk.len() >= 24 {
            let field = |at: usize| u32::from_be_bytes([chunk[at], chunk[at + 1], chunk[at + 2], chunk[at + 3]]);
            rects.push(Rect { width: field(8), height: field(12), x: field(16), y: field(20) });
        }
        // Type and checksum.
        rest = length.checked_add(8).and_then(|skip| chunk.get(skip..)).unwrap_or_default();
    }
    rects
}
