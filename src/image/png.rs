//! Reads PNG and APNG with the `png` crate.

mod chunks;
mod plain;
mod unfilter;

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{BufRead, Error, ErrorKind, Read, Seek, SeekFrom};
use std::rc::Rc;

use ::png::{BlendOp, DecodeOptions, Decoder, DecodingError, DisposeOp, Limits as PngLimits, Reader, Transformations};

use self::chunks::{Found, Scan, frame_heads, stripped};
use self::plain::{Plain, Stop};
use super::animation::{Blend, Canvas, Dispose, Rect};
use super::caveat::{Caveat, NotOrdinary};
use super::complete::complete;
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{HEAD, Limits, check_alloc, check_plausible, check_size};
use super::picture::{DecodedBy, Picture};
use super::profile::Conversion;
use super::sample::{FrameHead, Sample, reach};
use super::surfaces::{Surfaces, still};

/// Largest number of pixels per byte of the file: one byte of deflate unpacks to at most 1,032 bytes, and a byte holds
/// at most 8 pixels.
const PIXELS_PER_BYTE: u64 = 1032 * 8;

/// The passes of Adam7 interlacing: first column, step between columns, first row, step between rows (PNG
/// specification, third edition, 8.1).
const ADAM7: [(u32, u32, u32, u32); 7] =
    [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)];

/// Some decoders skip a broken chunk, others stop at it.
const BROKEN_CHUNKS: &str = "it has broken chunks";

const OUTSIDE_PALETTE: &str = "pixels have colours that its palette lacks";

fn unreadable(error: impl ToString) -> IntakeError {
    error::unreadable(Format::Png, error)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let mut scan = Scan::default();
    scan.push(bytes);
    let found = scan.found;
    let first = if found.has_bad_palette() {
        Err(error::unreadable(Format::Png, "its palette has a length that isn't a multiple of 3"))
    } else if let Some(picture) = read_plainly(bytes, &found, limits) {
        return Ok(picture);
    } else {
        read_chunks(bytes, &found, limits)
    };
    match first {
        Err(IntakeError::Unreadable { format, message }) => {
            error::needs_every_format(Format::Png)?;
            // Browsers show a picture even if chunks that hold no pixels are broken. So this tries again without such
            // chunks.
            let plain = stripped(bytes).filter(|plain| plain != bytes);
            let again = plain.map(|plain| read_chunks(&plain, &Found::default(), limits));
            let Some(Ok(mut picture)) = again else { return Err(IntakeError::Unreadable { format, message }) };
            picture.breaks_a_rule(BROKEN_CHUNKS);
            Ok(picture)
        }
        first => first,
    }
}

/// Reads a picture by the fast reader. Returns `None` if the file isn't plain, or if it has a fault before its last row.
fn read_plainly(bytes: &[u8], found: &Found, limits: &Limits) -> Option<Picture> {
    if found.is_animated {
        return None;
    }
    let plain = Plain::open(Input::of(bytes), bytes.len(), limits).ok()?;
    let (conversion, odd_profile) = found.profile().split(Format::Png).ok()?;
    let mut source = Source::plain(plain, conversion);
    source.read_rows().ok()?;
    let is_sound = source.finish().is_ok();
    let mut picture = source.picture();
    odd_profile.into_iter().for_each(|reason| picture.mark_not_ordinary(reason));
    ended(&mut picture, found, is_sound);
    Some(picture)
}

fn read_chunks(bytes: &[u8], found: &Found, limits: &Limits) -> Result<Picture, IntakeError> {
    let mut reader = open(Input::of(bytes), bytes.len(), found.is_animated, limits)?;
    let heads = frame_heads(bytes);
    let info = reader.info();
    // Programs that don't know APNG show the default picture. A default picture outside of the animation counts as an
    // additional frame, before the animation's frames.
    let lone_default = info.frame_control.is_none();
    let least = if lone_default { 1 } else { 2 };
    let animated = info.animation_control.is_some_and(|animation| animation.num_frames >= least);
    if animated {
        error::needs_every_format(Format::Png)?;
    }
    let mut picture;
    if animated && !lone_default {
        picture = animation(&mut reader, &heads, 0, found.has_ended, limits)?;
        if found.profile().split(Format::Png)?.1.is_some() {
            // The profile isn't applied to the frames of an animation.
            picture.mark_not_ordinary(NotOrdinary::ColourProfile { applied: false });
        }
    } else {
        let (conversion, odd_profile) = found.profile().split(Format::Png)?;
        let mut still = Still::new(reader);
        still.surfaces.manage(conversion);
        let damaged = still.read_rows().err();
        if damaged.is_some() {
            error::needs_every_format(Format::Png)?;
        }
        if let Some(error) = damaged.as_ref().filter(|_| still.rows.given == 0) {
            return Err(error::unreadable(Format::Png, error));
        }
        if damaged.is_some() && still.reader.info().interlaced {
            // In an interlaced picture, the missing rows lie between the rows that were read.
            still.surfaces = interpolated(bytes, found, limits)?;
        }
        let whole = damaged.is_none();
        (picture, reader) = still.finish(damaged);
        odd_profile.into_iter().for_each(|reason| picture.mark_not_ordinary(reason));
        if animated && whole {
            match animation(&mut reader, &heads, 1, found.has_ended, limits) {
                Ok(rest) => {
                    picture.frames.extend(rest.frames);
                    picture.frame_count += rest.frame_count;
                    picture.frames_skipped = rest.frames_skipped;
                    picture.damaged = rest.damaged;
                    rest.caveats.into_iter().for_each(|caveat| picture.admit(caveat));
                    rest.not_ordinary.into_iter().for_each(|reason| picture.mark_not_ordinary(reason));
                }
                // If the animation is broken, browsers show the default picture.
                Err(IntakeError::Unreadable { .. }) => {
                    picture.breaks_a_rule(BROKEN_CHUNKS);
                }
                Err(error) => return Err(error),
            }
        }
    }
    let is_sound = picture.frames_skipped > 0 || reader.finish().is_ok();
    ended(&mut picture, found, is_sound);
    Ok(picture)
}

/// Reads the header of a file of `length` bytes, up to the pixels.
fn open<'a>(
    input: Input<'a>,
    length: usize,
    animated: bool,
    limits: &Limits,
) -> Result<Reader<Input<'a>>, IntakeError> {
    let mut decoder = Decoder::new_with_options(input, decode_options(animated));
    // Compressed texts and profiles are never unpacked, so that they can't be decompression bombs.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_limits(PngLimits { bytes: usize::try_from(limits.max_alloc).unwrap_or(usize::MAX) });
    let info = decoder.read_header_info().map_err(unreadable)?;
    let (width, height) = info.size();
    // This module applies palettes itself, so that it notices indices that a palette lacks.
    let is_indexed = info.color_type == ::png::ColorType::Indexed;
    let transformations = Transformations::EXPAND | Transformations::STRIP_16;
    decoder.set_transformations(if is_indexed { Transformations::IDENTITY } else { transformations });
    check_size(Format::Png, width, height, limits)?;
    check_plausible(Format::Png, u64::from(width) * u64::from(height), PIXELS_PER_BYTE, length)?;
    let reader = decoder.read_info().map_err(unreadable)?;
    if is_indexed && reader.info().palette.as_ref().is_none_or(|palette| palette.len() < 3) {
        return Err(error::unreadable(Format::Png, "its palette is missing"));
    }
    Ok(reader)
}

fn decode_options(animated: bool) -> DecodeOptions {
    let mut options = DecodeOptions::default();
    // The `png` crate treats the chunks of an animation's frames as ancillary. Their checksums must be verified all the
    // same.
    options.set_skip_ancillary_crc_failures(!animated);
    options
}

/// A PNG that is read while it arrives. Its bytes are not kept.
pub(super) struct Arriving {
    coming: Coming,
    scan: Scan,
    source: Result<Source<'static>, IntakeError>,
    /// Whether every row was read.
    is_whole: bool,
    /// Whether the chunks after the rows are sound; `None` before the end of the file.
    end: Option<bool>,
}

/// A reader of a still PNG.
enum Source<'a> {
    Plain(Box<Plain<'a>>, Box<Surfaces>),
    General(Box<Still<'a>>),
}

impl<'a> Source<'a> {
    fn plain(plain: Plain<'a>, conversion: Option<Box<Conversion>>) -> Self {
        let mut surfaces = Surfaces::new(plain.width, plain.height);
        surfaces.manage(conversion);
        Self::Plain(Box::new(plain), Box::new(surfaces))
    }

    fn read_rows(&mut self) -> Result<(), Stop> {
        match self {
            Self::Plain(plain, surfaces) => plain.read_rows(|y, channels, row| surfaces.push(y, channels, row)),
            Self::General(still) => still.read_rows().map_err(|error| stop(&error)),
        }
    }

    fn finish(&mut self) -> Result<(), Stop> {
        match self {
            Self::Plain(plain, _) => plain.finish(),
            Self::General(still) => still.reader.finish().map_err(|error| stop(&error)),
        }
    }

    fn picture(self) -> Picture {
        match self {
            Self::Plain(plain, surfaces) => still(Format::Png, plain.width, plain.height, *surfaces),
            Self::General(still) => still.finish(None).0,
        }
    }
}

/// Returns why the crate's reader stopped.
fn stop(error: &DecodingError) -> Stop {
    match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => Stop::Waiting,
        _ => Stop::Faulty,
    }
}

impl Arriving {
    /// Begins to read a file of `length` bytes, and takes the bytes that have arrived out of `bytes`. Returns `None` if
    /// the pixels haven't begun within the first [`HEAD`] bytes, if the file is an animation or has a bad palette, or if
    /// this build doesn't apply its colour profile.
    pub(super) fn new(bytes: &mut Vec<u8>, length: usize, limits: &Limits) -> Option<Self> {
        // Scans only the first [`HEAD`] bytes, because the scan is repeated with every piece until the pixels begin.
        let mut scan = Scan::default();
        scan.push(&bytes[..bytes.len().min(HEAD)]);
        if !scan.found.pixels_begun || scan.found.is_animated || scan.found.has_bad_palette() {
            return None;
        }
        scan.push(&bytes[bytes.len().min(HEAD)..]);
        // Before the bytes are taken: whoever gets no reader needs them.
        let conversion = scan.found.profile().split(Format::Png).ok()?.0;
        let coming = Coming::default();
        let input = Input { bytes: Cow::Owned(std::mem::take(bytes)), at: 0, coming: coming.clone() };
        let source = match Plain::open(input, length, limits) {
            Ok(plain) => Ok(Source::plain(plain, conversion)),
            Err(input) => open(input, length, false, limits).map(|reader| {
                let mut still = Still::new(reader);
                still.surfaces.manage(conversion);
                Source::General(Box::new(still))
            }),
        };
        let mut arriving = Self { coming, scan, source, is_whole: false, end: None };
        arriving.read_on();
        Some(arriving)
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.scan.push(piece);
        if self.source.is_ok() && self.end.is_none() {
            self.coming.borrow_mut().extend_from_slice(piece);
            self.read_on();
        }
    }

    fn read_on(&mut self) {
        let Ok(source) = &mut self.source else { return };
        if !self.is_whole {
            match source.read_rows() {
                Ok(()) => self.is_whole = true,
                Err(Stop::Waiting) => return,
                Err(Stop::Faulty) => {
                    self.source = Err(unreadable("its rows are faulty"));
                    return;
                }
            }
        }
        self.end = match source.finish() {
            Ok(()) => Some(true),
            Err(Stop::Waiting) => None,
            Err(Stop::Faulty) => Some(false),
        };
    }

    /// Returns the result that [`read`] has for the file. Returns `None` if the file is faulty: reading it then needs
    /// all bytes.
    pub(super) fn finish(self) -> Option<Result<Picture, IntakeError>> {
        let source = match self.source {
            Ok(source) if self.is_whole => source,
            Err(error @ IntakeError::TooLarge { .. }) => return Some(Err(error)),
            _ => return None,
        };
        let mut picture = source.picture();
        let (_, odd_profile) = self.scan.found.profile().split(Format::Png).ok()?;
        odd_profile.into_iter().for_each(|reason| picture.mark_not_ordinary(reason));
        ended(&mut picture, &self.scan.found, self.end == Some(true));
        Some(Ok(picture))
    }
}

/// Notes what is odd about the file as a whole. `is_sound` says whether the chunks after the rows are.
fn ended(picture: &mut Picture, found: &Found, is_sound: bool) {
    if !found.ends_well || !is_sound {
        picture.admit(Caveat::Malformed);
    }
    found.oddity.into_iter().for_each(|reason| picture.breaks_a_rule(reason));
}

/// Reads an interlaced picture whose last passes are missing. As in browsers, each pixel fills the rectangle of pixels
/// that the later passes would have refined.
fn interpolated(bytes: &[u8], found: &Found, limits: &Limits) -> Result<Surfaces, IntakeError> {
    let mut reader = open(Input::of(bytes), bytes.len(), found.is_animated, limits)?;
    let (width, height) = reader.info().size();
    check_alloc(4 * u64::from(width) * u64::from(height), limits)?;
    let mut canvas = vec![[255, 255, 255, 0]; width as usize * height as usize];
    let mut rows = Rows::new(&reader, (width, height));
    // Ignores the error: the caller already knows that the file ends early.
    let _ = rows.read(&mut reader, |channels, (x, step), y, part| {
        // A pixel of the first pass stands for 8 x 8 pixels. Each later pass halves one side of that rectangle.
        let (across, down) = match (x, step) {
            (0, 8) => (8, 8),
            (_, 8) => (4, 8),
            (0, 4) => (4, 4),
            (_, 4) => (2, 4),
            (0, 2) => (2, 2),
            (_, 2) => (1, 2),
            _ => (1, 1),
        };
        for (at, pixel) in part.chunks_exact(channels).enumerate() {
            let left = x + at as u32 * step;
            for line in y..(y + down).min(height) {
                let start = (line * width) as usize;
                let end = start + (left + across).min(width) as usize;
                canvas[start + left as usize..end].fill(rgba(pixel));
            }
        }
    });
    let mut surfaces = Surfaces::new(width, height);
    surfaces.manage(found.profile().split(Format::Png)?.0);
    for (y, row) in (0..).zip(canvas.chunks_exact(width as usize)) {
        surfaces.push(y, 4, row.as_flattened());
    }
    Ok(surfaces)
}

/// Converts a pixel of 1 to 4 channels to red, green, blue and alpha.
fn rgba(pixel: &[u8]) -> [u8; 4] {
    match *pixel {
        [grey] => [grey, grey, grey, 255],
        [grey, alpha] => [grey, grey, grey, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => [0; 4],
    }
}

/// Bytes that have arrived and that the decoder hasn't read yet.
type Coming = Rc<RefCell<Vec<u8>>>;

/// The source of a decoder's bytes.
struct Input<'a> {
    bytes: Cow<'a, [u8]>,
    at: usize,
    /// Bytes that arrive after those.
    coming: Coming,
}

impl<'a> Input<'a> {
    /// Makes the input of a whole file.
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

/// The `png` crate requires this trait but never seeks.
impl Seek for Input<'_> {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}

/// A still picture. Its rows are read as far as its bytes have arrived.
struct Still<'a> {
    reader: Reader<Input<'a>>,
    surfaces: Surfaces,
    rows: Rows,
    /// One whole row of an interlaced picture, of which only the pixels of the current pass are set.
    whole: Vec<u8>,
}

impl<'a> Still<'a> {
    /// Begins reading rows. `reader` is at the first pixel.
    fn new(reader: Reader<Input<'a>>) -> Self {
        let (width, height) = reader.info().size();
        let rows = Rows::new(&reader, (width, height));
        Self { reader, surfaces: Surfaces::new(width, height), rows, whole: Vec::new() }
    }

    /// Reads the rest of the rows. If the bytes that have arrived are used up, returns an [`ErrorKind::UnexpectedEof`];
    /// call it again when more have arrived.
    fn read_rows(&mut self) -> Result<(), DecodingError> {
        let Self { reader, surfaces, rows, whole } = self;
        let width = reader.info().width as usize;
        rows.read(reader, |channels, (x, step), y, part| {
            if step == 1 {
                return surfaces.push(y, channels, part);
            }
            // Sets the other pixels of the row to opaque black. The parts of a row are summed, and black adds 0.
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

    /// Returns the picture. `damaged` is the error that ended reading before the last row.
    fn finish(self, damaged: Option<DecodingError>) -> (Picture, Reader<Input<'a>>) {
        let (width, height) = self.reader.info().size();
        let mut picture = still(Format::Png, width, height, self.surfaces);
        picture.damaged = damaged.map(|error| format!("rows are missing: {error}"));
        if picture.damaged.is_some() && !self.reader.info().interlaced {
            complete(&mut picture, 0..self.rows.given);
        }
        if self.rows.has_exceeded_palette() {
            picture.breaks_a_rule(OUTSIDE_PALETTE);
        }
        (picture, self.reader)
    }
}

/// The rows of a frame that are still to be read. In an interlaced frame, a row comes in several parts.
struct Rows {
    width: u32,
    height: u32,
    passes: &'static [(u32, u32, u32, u32)],
    /// The number of the next row in the first of `passes`; `None` if that pass hasn't begun.
    next: Option<u32>,
    /// Number of rows, or parts of rows, that were passed to the caller.
    given: u32,
    palette: Option<Palette>,
}

/// A palette, and whether pixels exceeded it.
struct Palette {
    /// Red, green, blue and alpha of each index. An index that the palette lacks is black.
    colours: Box<[[u8; 4]; 256]>,
    count: usize,
    bits: usize,
    has_alpha: bool,
    /// Whether a pixel had an index that the palette lacks. Decoders disagree about its colour.
    is_exceeded: bool,
    row: Vec<u8>,
}

impl Palette {
    fn of(reader: &Reader<Input>) -> Option<Self> {
        let info = reader.info();
        if info.color_type != ::png::ColorType::Indexed {
            return None;
        }
        let mut colours = Box::new([[0, 0, 0, 255]; 256]);
        let stored = info.palette.as_deref().unwrap_or_default().as_chunks::<3>().0;
        for (colour, stored) in colours.iter_mut().zip(stored) {
            colour[..3].copy_from_slice(stored);
        }
        let alphas = info.trns.as_deref().unwrap_or_default();
        colours.iter_mut().zip(alphas).for_each(|(colour, &alpha)| colour[3] = alpha);
        let (count, bits) = (stored.len(), info.bit_depth as usize);
        Some(Self { colours, count, bits, has_alpha: !alphas.is_empty(), is_exceeded: false, row: Vec::new() })
    }

    /// Converts a row of packed indices to `width` pixels of 3 or 4 bytes. Returns the bytes per pixel, and the pixels.
    fn apply(&mut self, packed: &[u8], width: usize) -> (usize, &[u8]) {
        let bits = self.bits;
        let channels = if self.has_alpha { 4 } else { 3 };
        let mask = (255 >> (8 - bits)) as u8;
        self.row.clear();
        for x in 0..width {
            let byte = packed.get(x * bits / 8).copied().unwrap_or(0);
            let index = usize::from(byte >> (8 - bits - x * bits % 8) & mask);
            self.is_exceeded |= index >= self.count;
            self.row.extend_from_slice(&self.colours[index][..channels]);
        }
        (channels, &self.row)
    }
}

impl Rows {
    fn new(reader: &Reader<Input>, (width, height): (u32, u32)) -> Self {
        let passes = if reader.info().interlaced { &ADAM7[..] } else { &[(0, 1, 0, 1)] };
        Self { width, height, passes, next: None, given: 0, palette: Palette::of(reader) }
    }

    fn has_exceeded_palette(&self) -> bool {
        self.palette.as_ref().is_some_and(|palette| palette.is_exceeded)
    }

    /// Passes each row, or part of a row, to `each`: the number of channels, the first column, the step between
    /// columns, the row's number, and the pixels.
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
            let row = row.as_ref().map_or(&[][..], |row| row.data());
            match &mut self.palette {
                Some(palette) => {
                    let (channels, row) = palette.apply(row, (self.width - x).div_ceil(step) as usize);
                    each(channels, (x, step), y, row);
                }
                None => each(channels, (x, step), y, row),
            }
            self.next = Some(y + down);
            self.given += 1;
        }
        Ok(())
    }
}

/// Composes the frames of the animation. `index` is the number of the animation's first frame: 0, or 1 if a default
/// picture comes before it. If it is 0, the reader is already at that frame. `has_ended` says whether the file has its
/// end chunk.
fn animation(
    reader: &mut Reader<Input>,
    heads: &[FrameHead],
    index: u32,
    has_ended: bool,
    limits: &Limits,
) -> Result<Picture, IntakeError> {
    let (width, height) = reader.info().size();
    let declared = reader.info().animation_control.map_or(0, |animation| animation.num_frames);
    let heads = &heads[..heads.len().min(declared as usize)];
    let miscounted = heads.len() != declared as usize;
    if heads.is_empty() {
        return Err(error::unreadable(Format::Png, "its animation has no frame"));
    }
    let pixels = u64::from(width) * u64::from(height);
    let reach = reach(pixels, heads, limits);
    let mut sample = Sample::new(&heads[..reach as usize], limits);
    let mut canvas = Canvas::new(width, height, [0; 4], limits)?;
    let (mut broken, mut exceeded) = (miscounted, false);
    let mut damaged = (miscounted && !has_ended).then(|| "it ends before its last frame".to_string());
    for frame in 0..reach {
        if frame > 0 || index > 0 {
            match reader.next_frame_info() {
                Ok(_) => {}
                Err(error) if frame == 0 => return Err(unreadable(error)),
                // If a frame is cut off, browsers show the frames before it.
                Err(DecodingError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                    damaged = Some(format!("it ends before frame {frame}"));
                    break;
                }
                Err(_) => {
                    broken = true;
                    break;
                }
            }
        }
        let control = reader.info().frame_control;
        let rect = control.map(|control| {
            let (x, y, width, height) = (control.x_offset, control.y_offset, control.width, control.height);
            Rect { x, y, width, height }
        });
        let (Some(control), Some(rect)) = (control, rect.filter(|rect| rect.fits(width, height))) else {
            if frame == 0 {
                return Err(error::unreadable(Format::Png, "its first frame reaches outside the picture"));
            }
            broken = true;
            break;
        };
        let dispose = match control.dispose_op {
            DisposeOp::None => Dispose::Keep,
            // The first frame has no previous content to restore (PNG specification, 11.3.6.2).
            DisposeOp::Previous if frame > 0 => Dispose::Previous,
            DisposeOp::Previous | DisposeOp::Background => Dispose::Background,
        };
        let blend = if control.blend_op == BlendOp::Over && frame > 0 { Blend::Over } else { Blend::Source };
        canvas.begin(rect, dispose);
        let mut rows = Rows::new(reader, (rect.width, rect.height));
        let drawn = rows.read(reader, |channels, across, y, part| {
            let pixels = part.chunks_exact(channels).map(rgba);
            canvas.draw(across, y, pixels, blend);
        });
        exceeded |= rows.has_exceeded_palette();
        if let Err(error) = &drawn {
            if frame == 0 && rows.given == 0 {
                return Err(error::unreadable(Format::Png, error));
            }
            damaged = Some(format!("frame {frame} has {} of its rows: {error}", rows.given));
        }
        if rows.given > 0 {
            sample.take_canvas(index + frame, &mut canvas);
        }
        if drawn.is_err() {
            break;
        }
    }
    let (kept, left_out) = sample.finish();
    let count = heads.len() as u32;
    let mut picture = Picture::new(Format::Png, (width, height), DecodedBy::General, count, kept);
    picture.frames_skipped = count - reach;
    picture.damaged = damaged;
    if left_out {
        picture.admit(Caveat::FramesSampled);
    }
    if exceeded {
        picture.breaks_a_rule(OUTSIDE_PALETTE);
    }
    if broken {
        picture.breaks_a_rule(BROKEN_CHUNKS);
    }
    Ok(picture)
}
