//! A film of any container.

use crate::model::{FilmInfo, Sample};
use crate::refusal::{FilmCode, FilmRefusal};
use crate::source::{Reader, Source};
use crate::{mkv, mp4};

/// An opened film: its index, and the file, from which parts of the index are read later.
pub struct Film<'a> {
    reader: Reader<'a>,
    index: Index,
}

enum Index {
    Mp4(mp4::Index),
    Mkv(mkv::Index),
}

impl<'a> Film<'a> {
    /// Reads the index of a film of `size` bytes.
    ///
    /// # Errors
    /// `film-kind`, `film-box`, `film-no-index`, `film-table`, `film-overlap`, `film-limit`; `film-read` if the source
    /// fails.
    pub fn open(source: impl Source + 'a, size: u64) -> Result<Self, FilmRefusal> {
        let mut reader = Reader::new(source, size);
        let head = reader.bytes(0, 12)?;
        let index = if head.starts_with(&mkv::MAGIC) {
            Index::Mkv(mkv::Index::read(&mut reader)?)
        } else if mp4::begins(head) {
            Index::Mp4(mp4::Index::read(&mut reader)?)
        } else {
            let start: Vec<_> = head.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(FilmCode::Kind.because(
                "first bytes",
                "those of an MP4, QuickTime, WebM or Matroska film",
                start.join(" "),
            ));
        };
        Ok(Self { reader, index })
    }

    /// Says what the film is.
    #[must_use]
    pub fn info(&self) -> FilmInfo {
        match &self.index {
            Index::Mp4(index) => index.info(),
            Index::Mkv(index) => index.info(),
        }
    }

    /// The configuration of a track's codec (`avcC` or `hvcC`), which a decoder of H.264 or H.265 must be given; `None`
    /// for other codecs.
    #[must_use]
    pub fn description(&self, track: usize) -> Option<&[u8]> {
        match &self.index {
            Index::Mp4(index) => index.description(track),
            Index::Mkv(index) => index.description(track),
        }
    }

    /// Returns the bytes that must be put before each sample of a track. Some Matroska files store them once, because
    /// all samples begin with the same bytes.
    #[must_use]
    pub fn prefix(&self, track: usize) -> &[u8] {
        match &self.index {
            Index::Mp4(_) => &[],
            Index::Mkv(index) => index.prefix(track),
        }
    }

    /// Returns up to `count` samples of a track from the one with number `from`, in the order in which a decoder wants
    /// them. `from` may also be the number of an earlier sample plus a count n; then n samples after that one are
    /// skipped. At the end of the track, returns fewer than `count`. Returns none after the end, or if there is no such
    /// track.
    ///
    /// # Errors
    /// `film-box`, `film-limit`, `film-read` in WebM and Matroska, whose clusters are read when they are asked for.
    pub fn samples(&mut self, track: usize, from: u64, count: usize) -> Result<Vec<Sample>, FilmRefusal> {
        match &mut self.index {
            Index::Mp4(index) => Ok(index.samples(track, from, count)),
            Index::Mkv(index) => index.samples(&mut self.reader, track, from, count),
        }
    }

    /// Returns up to `count` keyframes of a track from number `from`, in the order of the file. Finding every keyframe
    /// of WebM and Matroska would mean reading the whole file. If the file has `Cues`, only keyframes that the cues
    /// name, or that begin a cluster, are sure to be found.
    ///
    /// # Errors
    /// As [`samples`](Self::samples).
    pub fn keyframes(&mut self, track: usize, from: u64, count: usize) -> Result<Vec<Sample>, FilmRefusal> {
        match &mut self.index {
            Index::Mp4(index) => Ok(index.keyframes(track, from, count)),
            Index::Mkv(index) => index.keyframes(&mut self.reader, track, from, count),
        }
    }
}
