//! Reads GIF. This module reads the structure of blocks, and the `weezl` crate unpacks the pixels.
//!
//! Viewers forgive many faults of a GIF: a missing trailer, stray zero bytes between blocks, frames without pixels.
//! This module reads the pixels that viewers show, and marks the picture as malformed.

use ::weezl::BitOrder;
use ::weezl::decode::Decoder;

use super::animation::{Blend, Canvas, Dispose, Rect};
use super::caveat::{Caveat, NotOrdinary};
use super::complete::complete;
use super::error::{self, IntakeError};
use super::format::Format;
use super::limits::{Limits, check_plausible, check_size};
use super::picture::{DecodedBy, Picture};
use super::sample::{FrameHead, Sample, reach};
use super::surfaces::{Surfaces, still};

/// Largest number of pixels per byte: a code of 12 bits stands for fewer than 4,096 pixels.
const PIXELS_PER_BYTE: u64 = 4096;

/// If a frame's delay is 0 or 1 hundredth of a second, browsers show it for this long.
const DEFAULT_MS: u32 = 100;

fn unreadable(message: impl ToString) -> IntakeError {
    error::unreadable(Format::Gif, message)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let mut outline = Outline::of(bytes)?;
    let Some(first) = outline.frames.first().map(|frame| frame.head.rect) else {
        return Err(unreadable("it has no frame"));
    };
    let screen = (outline.width, outline.height);
    // A first frame that reaches outside the screen enlarges it, as in Chromium and Pillow.
    let enlarged = (screen.0.max(first.x + first.width), screen.1.max(first.y + first.height));
    if enlarged != screen {
        outline.breaks_a_rule("its first frame reaches outside its screen");
    }
    let is_old = bytes.starts_with(b"GIF87a");
    let whole = Rect { x: 0, y: 0, width: screen.0, height: screen.1 };
    let mut picture = outline.read(enlarged, limits)?;
    if enlarged != screen || is_old && first != whole {
        // Firefox has another rule for the screen: it takes the first frame's size if that frame is larger than the
        // screen, and always in files of the old version (GIF87a). It cuts other first frames at the screen's edge.
        let is_screen = first.width > screen.0 || first.height > screen.1 || is_old;
        let size = if is_screen { (first.width, first.height) } else { screen };
        if is_screen {
            let rect = &mut outline.frames[0].head.rect;
            (rect.x, rect.y) = (0, 0);
        }
        if size.0 > 0 && size.1 > 0 {
            let other = outline.read(size, limits)?;
            picture.frames.extend(other.frames);
            other.caveats.into_iter().for_each(|caveat| picture.admit(caveat));
            outline.note(NotOrdinary::structure("its first frame isn't as large as its screen"));
        }
    }
    if outline.pixels_found == 0 {
        return Err(unreadable("it ends before its first pixel"));
    }
    if outline.malformed {
        picture.admit(Caveat::Malformed);
    }
    outline.not_ordinary.into_iter().for_each(|reason| picture.mark_not_ordinary(reason));
    picture.damaged = outline.damaged;
    Ok(picture)
}

impl Outline<'_> {
    /// Draws the frames on a canvas of this size, and notes faults of their pixels.
    fn read(&mut self, (width, height): (u32, u32), limits: &Limits) -> Result<Picture, IntakeError> {
        let first = &self.frames[0];
        let rect = first.head.rect;
        let first_colours = first.colours();
        let ground = first_colours[usize::from(first.transparent.unwrap_or(0))];
        let ground = [ground[0], ground[1], ground[2], 0];
        check_size(Format::Gif, width, height, limits)?;
        let pixels = u64::from(width) * u64::from(height);
        check_plausible(Format::Gif, pixels, PIXELS_PER_BYTE, self.length)?;
        if self.frames.len() == 1 && rect.fits(width, height) {
            let mut surfaces = Surfaces::new(width, height);
            let blank = ground.repeat(width as usize);
            for y in (0..height).filter(|y| !(rect.y..rect.y + rect.height).contains(y)) {
                surfaces.push(y, 4, &blank);
            }
            let mut whole = blank.clone();
            let found = first.rows(&mut |y, indices| {
                let part = &mut whole.as_chunks_mut().0[rect.x as usize..(rect.x + rect.width) as usize];
                part.fill(ground);
                part.iter_mut().zip(indices).for_each(|(to, &index)| *to = first_colours[usize::from(index)]);
                surfaces.push(rect.y + y, 4, &whole);
            });
            let is_from_top_down = !first.interlaced && rect.pixels() == pixels;
            let rows = (found.pixels / u64::from(width)) as u32;
            self.judge(0, found);
            let mut picture = still(Format::Gif, width, height, surfaces);
            if is_from_top_down {
                complete(&mut picture, 0..rows);
            }
            return Ok(picture);
        }
        let heads: Vec<_> = self.frames.iter().map(|frame| frame.head).collect();
        let count = heads.len() as u32;
        let reach = reach(pixels, &heads, limits);
        let mut sample = Sample::new(&heads[..reach as usize], limits);
        let mut canvas = Canvas::new(width, height, ground, limits)?;
        for index in 0..reach as usize {
            let frame = &self.frames[index];
            let colours = if index == 0 { first_colours } else { frame.colours() };
            canvas.begin(frame.head.rect.clipped(width, height), frame.dispose);
            // The first frame replaces the canvas. So the colours under its transparent pixels are kept, and its plain
            // surface shows them.
            let blend = if index == 0 { Blend::Source } else { Blend::Over };
            let found = frame.rows(&mut |y, indices| {
                let pixels = indices.iter().map(|&index| colours[usize::from(index)]);
                canvas.draw((0, 1), y, pixels, blend);
            });
            self.judge(index, found);
            sample.take_canvas(index as u32, &mut canvas);
        }
        let (frames, left_out) = sample.finish();
        let mut picture = Picture::new(Format::Gif, (width, height), DecodedBy::General, count, frames);
        picture.frames_skipped = count - reach;
        if left_out {
            picture.admit(Caveat::FramesSampled);
        }
        Ok(picture)
    }
}

/// A frame, and the position of its data.
struct Frame<'a> {
    head: FrameHead,
    /// Whether the frame declares a width or height of 0. `head` then has the screen's size.
    sizeless: bool,
    dispose: Dispose,
    transparent: Option<u8>,
    interlaced: bool,
    /// Red, green, blue of each colour: the frame's own table, or the file's.
    palette: &'a [u8],
    /// The LZW minimum code size. The first codes have one bit more than this.
    code_size: u8,
    /// The rest of the file, from the frame's first block of pixels on.
    data: &'a [u8],
}

/// The result of unpacking a frame's pixels.
struct Found {
    pixels: u64,
    /// Whether a pixel has an index that the palette lacks.
    outside_palette: bool,
}

impl Frame<'_> {
    /// Returns red, green, blue and alpha of each index. An index that the palette lacks is opaque black.
    fn colours(&self) -> [[u8; 4]; 256] {
        let mut colours = [[0, 0, 0, 255]; 256];
        for (colour, stored) in colours.iter_mut().zip(self.palette.as_chunks::<3>().0) {
            colour[..3].copy_from_slice(stored);
        }
        if let Some(index) = self.transparent {
            colours[usize::from(index)][3] = 0;
        }
        colours
    }

    /// Passes every row to `each`, in the order of the file. Where the data ends early, rows are shorter or empty.
    fn rows(&self, each: &mut dyn FnMut(u32, &[u8])) -> Found {
        let (width, height) = (self.head.rect.width, self.head.rect.height);
        let passes = if self.interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)][..] } else { &[(0, 1)] };
        let mut indices = vec![0; width as usize];
        let mut pixels = Pixels::of(self);
        let mut found = Found { pixels: 0, outside_palette: false };
        let colours = self.palette.len() / 3;
        for y in passes.iter().flat_map(|&(first, step)| (first..height).step_by(step)) {
            let count = pixels.fill(&mut indices);
            found.pixels += count as u64;
            found.outside_palette |=
                colours < 256 && indices[..count].iter().any(|&index| usize::from(index) >= colours);
            each(y, &indices[..count]);
        }
        found
    }
}

/// Unpacks the blocks of a frame.
struct Pixels<'a> {
    decoder: Option<Decoder>,
    /// The unread bytes of the current block.
    block: &'a [u8],
    /// The blocks after it.
    rest: &'a [u8],
}

impl<'a> Pixels<'a> {
    fn of(frame: &Frame<'a>) -> Self {
        let decoder = (1..12).contains(&frame.code_size).then(|| Decoder::new(BitOrder::Lsb, frame.code_size));
        Self { decoder, block: &[], rest: frame.data }
    }

    /// Fills a row with the next pixels, and returns how many there were. There are fewer than the row needs if the
    /// data ends early.
    fn fill(&mut self, row: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(decoder) = self.decoder.as_mut().filter(|_| filled < row.len()) {
            if self.block.is_empty() {
                let Some((&length, rest)) = self.rest.split_first().filter(|(length, _)| **length > 0) else {
                    // The decoder may have unpacked pixels for which the row before had no room.
                    let done = decoder.decode_bytes(&[], &mut row[filled..]);
                    filled += done.consumed_out;
                    if done.consumed_out == 0 {
                        self.decoder = None;
                    }
                    continue;
                };
                (self.block, self.rest) = rest.split_at(rest.len().min(length.into()));
            }
            let done = decoder.decode_bytes(self.block, &mut row[filled..]);
            self.block = &self.block[done.consumed_in..];
            filled += done.consumed_out;
            // No pixels follow the end code or an invalid code.
            let stuck = done.consumed_in == 0 && done.consumed_out == 0;
            if !matches!(done.status, Ok(::weezl::LzwStatus::Ok)) && done.consumed_out == 0 || stuck {
                self.decoder = None;
            }
        }
        filled
    }
}

/// The structure of a file, found by passing its blocks once (GIF89a specification, appendixes A and B).
struct Outline<'a> {
    /// Of the file, in bytes.
    length: usize,
    width: u32,
    height: u32,
    frames: Vec<Frame<'a>>,
    malformed: bool,
    not_ordinary: Option<NotOrdinary>,
    damaged: Option<String>,
    pixels_found: u64,
}

impl<'a> Outline<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, IntakeError> {
        let short = || unreadable("it ends within its header");
        let flags = *bytes.get(10).ok_or_else(short)?;
        let size = |at: usize| u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let mut outline = Self {
            length: bytes.len(),
            width: size(6),
            height: size(8),
            frames: Vec::new(),
            malformed: false,
            not_ordinary: None,
            damaged: None,
            pixels_found: 0,
        };
        let palette = bytes.get(13..13 + table_length(flags)).ok_or_else(short)?;
        if outline.walk(bytes, 13 + palette.len(), palette).is_none() {
            // The file ends before its trailer. Whether pixels are missing, too, will be found when they are unpacked.
            outline.malformed = true;
        }
        Ok(outline)
    }

    /// Reads the blocks from `at` on. Returns `None` if the file ends before its trailer.
    fn walk(&mut self, bytes: &'a [u8], mut at: usize, palette: &'a [u8]) -> Option<()> {
        let mut control = Control::default();
        loop {
            match *bytes.get(at)? {
                0x21 => {
                    if let (0xf9, Some(data)) = (*bytes.get(at + 1)?, bytes.get(at + 3..at + 7)) {
                        control = Control::of(data);
                    }
                    at = end_of_blocks(bytes, at + 2)?;
                }
                0x2c => {
                    let number = |at: usize| Some(u32::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)));
                    let (x, y, width, height) = (number(at + 1)?, number(at + 3)?, number(at + 5)?, number(at + 7)?);
                    let flags = *bytes.get(at + 9)?;
                    let own = bytes.get(at + 10..at + 10 + table_length(flags))?;
                    at += 10 + own.len();
                    let code_size = *bytes.get(at)?;
                    let data = bytes.get(at + 1..).filter(|data| !data.is_empty())?;
                    let sizeless = width == 0 || height == 0;
                    if sizeless {
                        self.breaks_a_rule("a frame has no size");
                    }
                    // A frame that declares a width or height of 0: Firefox gives it the screen's size, other decoders
                    // skip it.
                    let (width, height) = if sizeless { (self.width, self.height) } else { (width, height) };
                    if width > 0 && height > 0 && !(sizeless && data[0] == 0) {
                        self.frames.push(Frame {
                            head: FrameHead { rect: Rect { x, y, width, height }, duration_ms: control.duration_ms },
                            sizeless,
                            dispose: control.dispose,
                            transparent: control.transparent,
                            interlaced: flags & 0x40 != 0,
                            palette: if own.is_empty() { palette } else { own },
                            code_size,
                            data,
                        });
                    }
                    control = Control::default();
                    at = end_of_blocks(bytes, at + 1)?;
                }
                0x3b => return Some(()),
                // Decoders skip stray zero bytes.
                0 => {
                    self.malformed = true;
                    at += 1;
                }
                _ => {
                    self.breaks_a_rule("between its blocks are bytes that are no block");
                    return Some(());
                }
            }
        }
    }

    /// Notes the first reason why the file isn't ordinary.
    fn note(&mut self, reason: NotOrdinary) {
        self.not_ordinary.get_or_insert(reason);
    }

    /// Notes that the file breaks a rule, so that decoders may disagree. The verdict keeps the caveat `malformed` even
    /// after a second reading.
    fn breaks_a_rule(&mut self, reason: &'static str) {
        self.malformed = true;
        self.note(NotOrdinary::structure(reason));
    }

    /// Compares a frame's pixels with its declared size and palette, and notes faults.
    fn judge(&mut self, index: usize, found: Found) {
        self.pixels_found += found.pixels;
        let expected = self.frames[index].head.rect.pixels();
        if found.pixels < expected && (!self.frames[index].sizeless || self.frames.len() == 1) {
            let message = || format!("frame {index} has {} of {expected} pixels", found.pixels);
            self.damaged.get_or_insert_with(message);
        }
        if found.outside_palette {
            self.breaks_a_rule("pixels have colours that its palette lacks");
        }
    }
}

/// A graphic control extension: delay, disposal and transparency of the next frame.
struct Control {
    dispose: Dispose,
    transparent: Option<u8>,
    duration_ms: u32,
}

impl Default for Control {
    fn default() -> Self {
        Self { dispose: Dispose::Keep, transparent: None, duration_ms: DEFAULT_MS }
    }
}

impl Control {
    fn of(data: &[u8]) -> Self {
        let hundredths = u32::from(u16::from_le_bytes([data[1], data[2]]));
        Self {
            dispose: match data[0] >> 2 & 7 {
                2 => Dispose::Background,
                // Early writers wrote 4 instead of 3 for "restore to previous". Decoders accept both.
                3 | 4 => Dispose::Previous,
                _ => Dispose::Keep,
            },
            transparent: (data[0] & 1 == 1).then_some(data[3]),
            duration_ms: if hundredths < 2 { DEFAULT_MS } else { 10 * hundredths },
        }
    }
}

/// Returns the length of a colour table in bytes.
fn table_length(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Returns where the data blocks that begin at `at` end; `None` if the file ends first.
fn end_of_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
