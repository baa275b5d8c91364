//! Reads a file by slices, so that a film of several gigabytes is never in memory as a whole.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::refusal::{FilmCode, FilmRefusal};

/// The file from which a film's bytes are read.
pub trait Source {
    /// Returns the bytes from `offset`: `length` of them, or fewer at the end of the file.
    ///
    /// # Errors
    /// `film-read` if the file can't be read.
    fn read_at(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FilmRefusal>;
}

impl Source for File {
    fn read_at(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FilmRefusal> {
        let mut bytes = Vec::new();
        self.seek(SeekFrom::Start(offset))
            .and_then(|_| self.take(length as u64).read_to_end(&mut bytes))
            .map_err(|error| FilmCode::Read.because("file", "a file that can be read", error))?;
        Ok(bytes)
    }
}

impl Source for &[u8] {
    fn read_at(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FilmRefusal> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        Ok(self[from..from.saturating_add(length).min(self.len())].to_vec())
    }
}

/// The fewest bytes that are read at a time. A header and the start of its content mostly fit.
const SMALL: usize = 1 << 13;
/// The most bytes that are read ahead. While reads follow one another, the number of bytes doubles from `SMALL` up to
/// this.
const LARGE: usize = 1 << 18;

/// Reads a file through a buffer. Consecutive reads make the buffer grow; a read elsewhere makes it small again.
///
/// The source is a boxed trait object, so that the parsers aren't generic and are compiled only once.
pub(crate) struct Reader<'a> {
    source: Box<dyn Source + 'a>,
    pub size: u64,
    start: u64,
    window: Vec<u8>,
    next: usize,
}

impl<'a> Reader<'a> {
    pub fn new(source: impl Source + 'a, size: u64) -> Self {
        Self { source: Box::new(source), size, start: 0, window: Vec::new(), next: SMALL }
    }

    /// Returns `length` bytes from `offset`, or fewer at the end of the file.
    pub fn bytes(&mut self, offset: u64, length: usize) -> Result<&[u8], FilmRefusal> {
        let length = self.size.saturating_sub(offset).min(length as u64) as usize;
        let inside = |start: u64, held: usize| {
            let from = usize::try_from(offset.checked_sub(start)?).ok()?;
            (from.checked_add(length)? <= held).then_some(from)
        };
        let from = match inside(self.start, self.window.len()) {
            Some(from) => from,
            None => {
                let end = self.start + self.window.len() as u64;
                let follows = offset >= self.start && offset <= end;
                self.next = if follows { (self.next * 2).min(LARGE) } else { SMALL };
                let wanted = (self.size - offset.min(self.size)).min(length.max(self.next) as u64) as usize;
                let window = self.source.read_at(offset, wanted)?;
                if window.len() < length || window.len() > wanted {
                    let got = format_args!("{} bytes at {offset}", window.len()).to_string();
                    return Err(FilmCode::Read.because("file", &format!("{wanted} bytes at {offset}"), got));
                }
                (self.window, self.start) = (window, offset);
                0
            }
        };
        Ok(&self.window[from..from + length])
    }

    /// Returns a copy of `length` bytes from `offset`, which all lie in the file. A long read leaves the buffer as it
    /// is.
    pub fn take(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FilmRefusal> {
        if length <= SMALL {
            return Ok(self.bytes(offset, length)?.to_vec());
        }
        let bytes = self.source.read_at(offset, length)?;
        if bytes.len() == length {
            return Ok(bytes);
        }
        Err(FilmCode::Read.because(
            "file",
            &format!("{length} bytes at {offset}"),
            format_args!("{} bytes", bytes.len()),
        ))
    }
}
