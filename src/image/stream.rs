//! The streaming decoder: reads a picture while its file arrives.

use super::dispatch::{contained, read};
use super::error::IntakeError;
use super::format::Format;
use super::limits::{HEAD, Limits};
use super::picture::Picture;
use super::{jpeg, png, sniff};

/// Reads a picture from a file that arrives in pieces.
///
/// Some files are read while they arrive, and their bytes are dropped: a JPEG that the low-terms decoder reads, and a
/// PNG that isn't animated. All others are collected and read at the end.
///
/// # Examples
/// ```
/// use hashgate::Limits;
/// use hashgate::image::{StreamingDecoder, read};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/png-rgb-8.png");
/// let file = std::fs::read(path)?;
/// let mut decoder = StreamingDecoder::new(file.len(), &Limits::default());
/// for piece in file.chunks(1000) {
///     decoder.push(piece);
/// }
/// // `None` would mean that decoding needs bytes that were dropped.
/// let picture = decoder.read().unwrap_or_else(|| read(&file, &Limits::default()))?;
/// assert_eq!((picture.width, picture.height), (72, 54));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StreamingDecoder {
    length: usize,
    limits: Limits,
    /// The bytes in memory.
    bytes: Vec<u8>,
    /// Number of bytes before `bytes` that were dropped.
    start: usize,
    jpeg: jpeg::Arriving,
    png: Option<png::Arriving>,
    /// The error, if a decoder panicked.
    failure: Option<IntakeError>,
}

impl StreamingDecoder {
    /// Returns whether a file that begins like this may be read before its end.
    #[must_use]
    pub fn is_of_use(head: &[u8]) -> bool {
        matches!(sniff::sniff(head), Ok(Format::Jpeg | Format::Png))
    }

    /// Begins a file of `length` bytes.
    #[must_use]
    pub fn new(length: usize, limits: &Limits) -> Self {
        let jpeg = jpeg::Arriving::new(length, limits);
        Self { length, limits: *limits, bytes: Vec::new(), start: 0, jpeg, png: None, failure: None }
    }

    /// Takes the next piece, of any length.
    pub fn push(&mut self, piece: &[u8]) {
        if self.failure.is_none() {
            self.failure = contained(|| {
                self.push_unguarded(piece);
                Ok(())
            })
            .err();
        }
    }

    fn push_unguarded(&mut self, piece: &[u8]) {
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

    /// Reads the bytes that have arrived, and drops those that are no longer needed. `in_head` says whether the piece
    /// begins within [`HEAD`].
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
            // The general decoder needs every byte, and no byte was dropped yet.
            None if self.start == 0 => {}
            None => self.bytes.clear(),
        }
    }

    /// Returns the picture if it is known before the end of the file: the picture of a progressive JPEG, after its
    /// first scans. [`read`](Self::read) gives the same picture, unless the rest of the file is damaged or needs the
    /// general decoder.
    #[must_use]
    pub fn early(&self) -> Option<&Picture> {
        self.jpeg.early()
    }

    /// Returns the picture that [`read`] makes of all the bytes. Returns `None` if decoding needs bytes that were
    /// already dropped: then call [`read`] with the whole file.
    ///
    /// # Errors
    /// As [`read`].
    #[must_use]
    pub fn read(self) -> Option<Result<Picture, IntakeError>> {
        match contained(|| Ok(self.read_unguarded())) {
            Ok(result) => result,
            Err(failure) => Some(Err(failure)),
        }
    }

    fn read_unguarded(self) -> Option<Result<Picture, IntakeError>> {
        if let Some(failure) = self.failure {
            return Some(Err(failure));
        }
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
