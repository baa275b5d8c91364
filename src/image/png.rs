//! PNG and APNG, by the `png` crate.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{BufRead, Error, ErrorKind, Read, Seek, SeekFrom};
use std::rc::Rc;

use ::png::{BlendOp, DecodeOptions, Decoder, DecodingError, DisposeOp, Limits as PngLimits, Reader, Transformations};

use super::animation::{Blend, Canvas, Dispose, Plan, Rect};
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{HEAD, Limits, check_plausible, check_size};
use super::picture::{DecodedBy, Picture};
use super::surfaces::{Surfaces, still};

/// Deflate makes at most 1,032 bytes of one, and 8 pixels fit a byte.
const PIXELS_PER_BYTE: u64 = 1032 * 8;

/// Columns and rows of the Adam7 passes: first and step across, first and step down (PNG
/// specification, third edition, 8.1).
const ADAM7: [(u32, u32, u32, u32); 7] =
    [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)];

fn unreadable(error: DecodingError) -> IntakeError {
    error::unreadable(Format::Png, error)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let mut reader = open(Input::of(bytes), bytes.len(), has_animation(bytes) == Some(true), limits)?;
    let frames = frame_rects(bytes);
    let info = reader.info();
    // A default picture that isn't part of the animation is what many programs show: it counts as
    // a frame before the others.
    let lone_default = info.frame_control.is_none();
    let least = if lone_default { 1 } else { 2 };
    let animated = info.animation_control.is_some_and(|animation| animation.num_frames >= least);
    let picture = if animated && !lone_default {
        animation(&mut reader, &frames, 0, limits)?
    } else {
        let mut still = Still::new(reader);
        still.read_rows().map_err(unreadable)?;
        let mut picture;
        (picture, reader) = still.finish();
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

/// Reads up to the pixels, in a file of `length` bytes.
fn open<'a>(
    input: Input<'a>,
    length: usize,
    animated: bool,
    limits: &Limits,
) -> Result<Reader<Input<'a>>, IntakeError> {
    let mut options = DecodeOptions::default();
    // Frames of an animation are in chunks that the crate takes for dispensable.
    options.set_skip_ancillary_crc_failures(!animated);
    let mut decoder = Decoder::new_with_options(input, options);
    // What isn't pixels is not unpacked, so that it can't be a bomb.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_limits(PngLimits { bytes: usize::try_from(limits.max_alloc).unwrap_or(usize::MAX) });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let (width, height) = decoder.read_header_info().map_err(unreadable)?.size();
    check_size(Format::Png, width, height, limits)?;
    check_plausible(Format::Png, u64::from(width) * u64::from(height), PIXELS_PER_BYTE, length)?;
    decoder.read_info().map_err(unreadable)
}

/// A file that is read while it arrives, and isn't held.
pub(super) struct Arriving {
    coming: Coming,
    still: Result<Box<Still<'static>>, IntakeError>,
    is_whole: bool,
}

impl Arriving {
    /// Takes what has arrived of a file of `length` bytes, if pixels begin within [`HEAD`], and it isn't an animation.
    pub(super) fn new(bytes: &mut Vec<u8>, length: usize, limits: &Limits) -> Option<Self> {
        // Bounded, as it is gone through with every piece.
        if has_animation(&bytes[..bytes.len().min(HEAD)])? {
            return None;
        }
        let coming = Coming::default();
        let input = Input { bytes: Cow::Owned(std::mem::take(bytes)), at: 0, coming: coming.clone() };
        let still = open(input, length, false, limits).map(|reader| Box::new(Still::new(reader)));
        let mut arriving = Self { coming, still, is_whole: false };
        arriving.push(&[]);
        Some(arriving)
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let Ok(still) = &mut self.still else { return };
        if self.is_whole {
            return;
        }
        self.coming.borrow_mut().extend_from_slice(piece);
        match still.read_to_end() {
            Ok(()) => self.is_whole = true,
            Err(DecodingError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {}
            Err(error) => self.still = Err(unreadable(error)),
        }
    }

    /// What [`read`] makes of the file.
    pub(super) fn finish(self) -> Result<Picture, IntakeError> {
        let mut still = self.still?;
        if !self.is_whole {
            still.read_to_end().map_err(unreadable)?;
        }
        Ok(still.finish().0)
    }
}

/// What a decoder takes later.
type Coming = Rc<RefCell<Vec<u8>>>;

/// Where a decoder has its bytes from.
struct Input<'a> {
    bytes: Cow<'a, [u8]>,
    at: usize,
    /// What comes after them.
    coming: Coming,
}

impl<'a> Input<'a> {
    /// A whole file.
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes: Cow::Borrowed(bytes), at: 0, coming: Coming::default() }
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.at == self.bytes.len() {
            (self.bytes, self.at) = (Cow::Owned(self.coming.take()), 0);
        }
        Ok(&self.bytes[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Input<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(to)?;
        self.consume(count);
        Ok(count)
    }
}

/// The crate asks for it, and doesn't use it.
impl Seek for Input<'_> {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}

/// A picture whose rows are read as far as there are any.
struct Still<'a> {
    reader: Reader<Input<'a>>,
    surfaces: Surfaces,
    rows: Rows,
    /// A row of which a part is known.
    whole: Vec<u8>,
}

impl<'a> Still<'a> {
    /// Begins at the pixels.
    fn new(reader: Reader<Input<'a>>) -> Self {
        let (width, height) = reader.info().size();
        let rows = Rows::new(&reader, (width, height));
        Self { reader, surfaces: Surfaces::new(width, height), rows, whole: Vec::new() }
    }

    /// Reads the rest of the rows. After an [`ErrorKind::UnexpectedEof`] it goes on with what has come since.
    fn read_rows(&mut self) -> Result<(), DecodingError> {
        let Self { reader, surfaces, rows, whole } = self;
        let width = reader.info().width as usize;
        rows.read(reader, |channels, (x, step), y, part| {
            if step == 1 {
                return surfaces.push(y, channels, part);
            }
            // Opaque black adds nothing to a sum of rows.
            whole.clear();
            whole.resize(width * channels, 0);
            if channels % 2 == 0 {
                whole.chunks_exact_mut(channels).for_each(|pixel| pixel[channels - 1] = 255);
            }
            let pixels = whole.chunks_exact_mut(channels).skip(x as usize).step_by(step as usize);
            pixels.zip(part.chunks_exact(channels)).for_each(|(to, from)| to.copy_from_slice(from));
            surfaces.push(y, channels, whole);
        })
    }

    /// Reads the rest of the file, as [`read_rows`](Self::read_rows) does.
    fn read_to_end(&mut self) -> Result<(), DecodingError> {
        self.read_rows()?;
        self.reader.finish()
    }

    fn finish(self) -> (Picture, Reader<Input<'a>>) {
        let (width, height) = self.reader.info().size();
        (still(Format::Png, width, height, self.surfaces), self.reader)
    }
}

/// The rows of a frame that were not read yet. Those of interlaced frames come in parts.
struct Rows {
    width: u32,
    height: u32,
    passes: &'static [(u32, u32, u32, u32)],
    /// In the first of the passes; none before any of it.
    next: Option<u32>,
}

impl Rows {
    fn new(reader: &Reader<Input>, (width, height): (u32, u32)) -> Self {
        let passes = if reader.info().interlaced { &ADAM7[..] } else { &[(0, 1, 0, 1)] };
        Self { width, height, passes, next: None }
    }

    /// Gives them with their number of channels: first pixel and step across, row, pixels.
    fn read(
        &mut self,
        reader: &mut Reader<Input>,
        mut each: impl FnMut(usize, (u32, u32), u32, &[u8]),
    ) -> Result<(), DecodingError> {
        let channels = reader.output_color_type().0.samples();
        while let &[(x, step, first, down), ref later @ ..] = self.passes {
            let y = self.next.unwrap_or(first);
            if x >= self.width || y >= self.height {
                (self.passes, self.next) = (later, None);
                continue;
            }
            let row = reader.next_row()?;
            each(channels, (x, step), y, row.map_or(&[], |row| row.data()));
            self.next = Some(y + down);
        }
        Ok(())
    }
}

/// Composes the frames of the animation, the first of which the reader has come to if `index`, its
/// number among all frames, is 0.
fn animation(reader: &mut Reader<Input>, frames: &[Rect], index: u32, limits: &Limits) -> Result<Picture, IntakeError> {
    let (width, height) = reader.info().size();
    let declared = reader.info().animation_control.map_or(0, |animation| animation.num_frames);
    if frames.len() as u64 != u64::from(declared) {
        let message = format!("expected {declared} frames, as its animation control says, got {}", frames.len());
        return Err(error::unreadable(Format::Png, message));
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
            return Err(error::unreadable(Format::Png, format!("frame {frame} has no frame control")));
        };
        let (x, y, across, down) = (control.x_offset, control.y_offset, control.width, control.height);
        let rect = Rect { x, y, width: across, height: down };
        if !rect.fits(width, height) {
            return Err(error::unreadable(Format::Png, format!("frame {frame} reaches outside the picture")));
        }
        let dispose = match control.dispose_op {
            DisposeOp::None => Dispose::Keep,
            // There is nothing before the first frame to go back to (PNG specification, 11.3.6.2).
            DisposeOp::Previous if frame > 0 => Dispose::Previous,
            DisposeOp::Previous | DisposeOp::Background => Dispose::Background,
        };
        let blend = if control.blend_op == BlendOp::Over && frame > 0 { Blend::Over } else { Blend::Source };
        canvas.begin(rect, dispose);
        let rows = Rows::new(reader, (across, down)).read(reader, |channels, across, y, part| {
            let pixels = part.chunks_exact(channels).map(|pixel| match *pixel {
                [grey] => [grey, grey, grey, 255],
                [grey, alpha] => [grey, grey, grey, alpha],
                [red, green, blue] => [red, green, blue, 255],
                [red, green, blue, alpha, ..] => [red, green, blue, alpha],
                [] => [0; 4],
            });
            canvas.draw(across, y, pixels, blend);
        });
        rows.map_err(unreadable)?;
        if plan.kept.contains(&frame) {
            kept.extend(canvas.show(index + frame));
        }
    }
    let count = frames.len() as u32;
    let mut picture = Picture::new(Format::Png, (width, height), DecodedBy::General, count, kept);
    picture.frames_skipped = plan.skipped;
    Ok(picture)
}

/// Whether a file has an animation, which is said before its pixels (PNG specification, third edition, 11.3.6.1); none if what is
/// there doesn't tell.
fn has_animation(bytes: &[u8]) -> Option<bool> {
    chunks(bytes).find_map(|(kind, _)| match kind {
        b"acTL" => Some(true),
        b"IDAT" => Some(false),
        _ => None,
    })
}

/// The rectangles of the animation's frames, from a walk over the chunks.
fn frame_rects(bytes: &[u8]) -> Vec<Rect> {
    let field = |data: &[u8], at: usize| data[at..].first_chunk().map_or(0, |field| u32::from_be_bytes(*field));
    chunks(bytes)
        .filter(|(kind, data)| *kind == b"fcTL" && data.len() >= 20)
        .map(|(_, data)| Rect { width: field(data, 4), height: field(data, 8), x: field(data, 12), y: field(data, 16) })
        .collect()
}

/// The type of each chunk, and what is there of its data and of what follows.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, chunk) = rest.split_first_chunk::<4>()?;
        let (kind, data) = chunk.split_first_chunk::<4>()?;
        // And the checksum.
        let end = (u32::from_be_bytes(*length) as usize).checked_add(4);
        rest = end.and_then(|end| data.get(end..)).unwrap_or_default();
        Some((kind, data))
    })
}
