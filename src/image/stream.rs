//! Reading a picture while its file arrives.

use super::dispatch::read;
use super::error::IntakeError;
use super::format::Format;
use super::limits::{HEAD, Limits};
use super::picture::Picture;
use super::{jpeg, png, sniff};

/// A file that arrives in pieces. What can be is read while it arrives, and isn't held: a JPEG whose block means are enough, and a
/// PNG that isn't animated. All else waits for the end.
pub struct StreamingDecoder {
    length: usize,
    limits: Limits,
    /// What is held, and how much of the file came before it.
    bytes: Vec<u8>,
    start: usize,
    jpeg: jpeg::Arriving,
    png: Option<png::Arriving>,
}

impl StreamingDecoder {
    /// Whether a file that begins like this may be read before its end.
    #[must_use]
    pub fn is_of_use(head: &[u8]) -> bool {
        matches!(sniff::sniff(head), Ok(Format::Jpeg | Format::Png))
    }

    /// For a file of `length` bytes.
    #[must_use]
    pub fn new(length: usize, limits: &Limits) -> Self {
        let jpeg = jpeg::Arriving::new(length, limits);
        Self { length, limits: *limits, bytes: Vec::new(), start: 0, jpeg, png: None }
    }

    /// Takes the next piece, of any length. What of it isn't needed for [`early`](Self::early) is read with the next one.
    pub fn push(&mut self, piece: &[u8]) {
        if let Some(png) = &mut self.png {
            return png.push(piece);
        }
        let before = self.bytes.len();
        self.bytes.extend_from_slice(piece);
        self.read_on(before < HEAD);
        if self.start == 0 && self.bytes.len() > HEAD {
            self.bytes.reserve_exact(self.length.saturating_sub(self.bytes.len()));
        }
    }

    /// Reads what has come, and lets go of it. `in_head` if the piece begins within [`HEAD`].
    fn read_on(&mut self, in_head: bool) {
        if self.start == 0 {
            match sniff::sniff(&self.bytes) {
                Ok(Format::Jpeg) => {}
                Ok(Format::Png) if in_head => {
                    self.png = png::Arriving::new(&mut self.bytes, self.length, &self.limits);
                    return;
                }
                _ => return,
            }
        }
        self.jpeg.advance(jpeg::Part { bytes: &self.bytes, start: self.start });
        match self.jpeg.needed_from() {
            Some(from) => {
                let read = from.saturating_sub(self.start).min(self.bytes.len());
                self.bytes.drain(..read);
                self.start += read;
            }
            // It will be needed as a whole, and is there.
            None if self.start == 0 => {}
            None => self.bytes.clear(),
        }
    }

    /// The picture, if it is known before the end: that of a progressive JPEG, after its first scans. [`read`](Self::read) gives the
    /// same one, unless what is still to come is damaged or calls for the general decoder.
    #[must_use]
    pub fn early(&self) -> Option<&Picture> {
        self.jpeg.early()
    }

    /// Reads the picture: what [`read`] makes of the bytes that have arrived. None if that takes the file as a whole, of which a part
    /// isn't held any more: it was on the fast path and turned out not to be for it.
    ///
    /// # Errors
    /// As [`read`].
    #[must_use]
    pub fn read(self) -> Option<Result<Picture, IntakeError>> {
        if let Some(png) = self.png {
            return png.finish();
        }
        if self.start == 0 && !matches!(sniff::sniff(&self.bytes), Ok(Format::Jpeg)) {
            return Some(read(&self.bytes, &self.limits));
        }
        let part = jpeg::Part { bytes: &self.bytes, start: self.start };
        match self.jpeg.finish(part) {
            Some(picture) => Some(Ok(picture)),
            None if self.start == 0 => Some(jpeg::read_fully(&self.bytes, &self.limits)),
            None => None,
        }
    }
}
