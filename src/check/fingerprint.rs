//! The first stage: computes a file's signals from its bytes. It needs no filter.

use serde::{Deserialize, Serialize};

use super::reason::UncheckedReason;
use crate::image::{self, Caveat, DecodedBy, Format, IntakeError, Limits, NotOrdinary, Picture, Surface};
use crate::refusal::{Refusal, RefusalCode};
use crate::signal::Wanted;
use crate::signal::digest::{Digests, Md5Digest, Sha256Digest};
use crate::signal::views::{self, View, ViewHash, ViewSet};

/// The signals of a file: the result of the first stage. A fingerprint crosses from one worker to the other as bytes.
///
/// # Examples
/// ```
/// use hashgate::{Fingerprint, Limits, Wanted, fingerprint};
///
/// let wanted = Wanted::default().with_sha256(true);
/// let print = fingerprint(b"abc", &Limits::default(), &wanted);
/// assert!(print.sha256.unwrap().to_string().starts_with("ba7816bf"));
/// assert_eq!(Fingerprint::from_bytes(&print.to_bytes()), Ok(print));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 of the bytes, if it was wanted.
    pub sha256: Option<Sha256Digest>,
    /// MD5 of the bytes, if it was wanted.
    pub md5: Option<Md5Digest>,
    /// The hashes of the picture, or why there are none. `None` if no PDQ hash was wanted.
    pub picture: Option<Result<ImageHashes, Failure>>,
}

/// Why a file has no picture hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The reason, for programs.
    pub reason: UncheckedReason,
    /// The file's format, if it is known. With [`UncheckedReason::UnsupportedPicture`], a browser may be able to decode
    /// it.
    pub format: Option<Format>,
    /// The reason, for people.
    pub detail: String,
}

impl Failure {
    /// Makes a failure. `detail` says for people why there is no picture.
    #[must_use]
    pub fn new(reason: UncheckedReason, format: Option<Format>, detail: impl Into<String>) -> Self {
        Self { reason, format, detail: detail.into() }
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        let (reason, format) = match error {
            IntakeError::NotAPicture { .. } => (UncheckedReason::NotAPicture, None),
            IntakeError::UnsupportedPicture { format, .. } => (UncheckedReason::UnsupportedPicture, format),
            IntakeError::TooLarge { .. } => (UncheckedReason::TooLarge, None),
            IntakeError::Unreadable { format, .. } => (UncheckedReason::Unreadable, Some(format)),
            IntakeError::NeedsFormatsEngine { format } => (UncheckedReason::Unavailable, Some(format)),
            IntakeError::EngineFailed { .. } => (UncheckedReason::EngineFailed, None),
        };
        Self { reason, format, detail: error.to_string() }
    }
}

/// All hashes of a picture: those of the first reading, and those of the second if there was one.
///
/// # Examples
/// ```
/// use hashgate::image::read;
/// use hashgate::{ImageHashes, Limits, View, ViewSet};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/png-rgb-8.png");
/// let picture = read(&std::fs::read(path)?, &Limits::default())?;
/// let hashes = ImageHashes::of(&picture, ViewSet::All);
/// let plain = &hashes.frames[0].views[0];
/// assert_eq!(plain.view, View::Plain);
/// println!("{} of quality {}", plain.coefficients.hash(), plain.quality);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageHashes {
    /// The format.
    pub format: Format,
    /// Width in pixels as stored.
    pub width: u32,
    /// Height in pixels as stored.
    pub height: u32,
    /// The decoder of the first reading.
    pub decoded_by: DecodedBy,
    /// The decoder of the second reading, if there was one.
    pub second_reading_by: Option<DecodedBy>,
    /// What the reading could not settle. Each caveat occurs once; their order means nothing.
    pub caveats: Vec<Caveat>,
    /// Why other decoders may show other pixels; `None` for an ordinary file, or after a second reading.
    pub not_ordinary: Option<NotOrdinary>,
    /// Which pixels are missing, as a sentence without its full stop; `None` if every pixel is there.
    pub damaged: Option<String>,
    /// Frames in the file.
    pub frame_count: u32,
    /// Frames at the end that were not decoded, because of the limits.
    pub frames_skipped: u32,
    /// Frames and surfaces. The first frame on the plain surface comes first; frames of the second reading come last.
    pub frames: Vec<FrameHashes>,
}

/// The views of one frame on one surface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameHashes {
    /// The reading that the pixels come from.
    pub reading: Reading,
    /// Position in the animation, counted from 0.
    pub index: u32,
    /// The colours from which the views were made.
    pub surface: Surface,
    /// The plain view first.
    pub views: Vec<ViewHash>,
}

/// One of the two decodings that a file may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Reading {
    /// The decoding of every file, by the core.
    First,
    /// The decoding by the browser, or by a native library, of a file that decoders may read differently.
    Second,
}

impl ImageHashes {
    /// Hashes every frame of a picture.
    #[must_use]
    pub fn of(picture: &Picture, set: ViewSet) -> Self {
        let frames = picture.frames.iter().map(|frame| FrameHashes {
            reading: Reading::First,
            index: frame.index,
            surface: frame.surface,
            views: views::of(&frame.luma, if frame.derived_views { set } else { ViewSet::Plain }),
        });
        Self {
            format: picture.format,
            width: picture.width,
            height: picture.height,
            decoded_by: picture.decoded_by,
            second_reading_by: None,
            caveats: picture.caveats.clone(),
            not_ordinary: picture.not_ordinary.clone(),
            damaged: picture.damaged.clone(),
            frame_count: picture.frame_count,
            frames_skipped: picture.frames_skipped,
            frames: frames.collect(),
        }
    }

    /// Makes the hashes of one frame of a film or stream from its views. The format is given as BMP, because a frame is
    /// made of plain pixels; the verdict on a film doesn't contain the format.
    #[must_use]
    pub fn of_frame(width: u32, height: u32, decoded_by: DecodedBy, views: Vec<ViewHash>) -> Self {
        Self {
            format: Format::Bmp,
            width,
            height,
            decoded_by,
            second_reading_by: None,
            caveats: Vec::new(),
            not_ordinary: None,
            damaged: None,
            frame_count: 1,
            frames_skipped: 0,
            frames: vec![FrameHashes { reading: Reading::First, index: 0, surface: Surface::Plain, views }],
        }
    }

    fn is_sound(&self) -> bool {
        let plain_first = |frame: &FrameHashes| frame.views.first().is_some_and(|hash| hash.view == View::Plain);
        !self.frames.is_empty()
            && self.frames.iter().all(plain_first)
            && self.frames.iter().flat_map(|frame| &frame.views).all(|hash| hash.coefficients.is_sound())
    }

    /// Adds the frames of a second reading. If the first reading found the file damaged, the result stays damaged.
    fn append(&mut self, second: Self) {
        self.second_reading_by = Some(second.decoded_by);
        // Decoders convert colours by such a profile in different ways. The second reading shows only one of them, so
        // the caveat stays.
        if let Some(NotOrdinary::ColourProfile { applied: false }) = self.not_ordinary.take() {
            self.admit(Caveat::ColourProfile);
        }
        self.frame_count = self.frame_count.max(second.frame_count);
        self.frames_skipped = self.frames_skipped.max(second.frames_skipped);
        for caveat in second.caveats {
            self.admit(caveat);
        }
        self.frames.extend(second.frames.into_iter().map(|frame| FrameHashes { reading: Reading::Second, ..frame }));
    }

    /// Adds a caveat, unless it is there already.
    fn admit(&mut self, caveat: Caveat) {
        if !self.caveats.contains(&caveat) {
            self.caveats.push(caveat);
        }
    }
}

impl Fingerprint {
    /// Serialises the fingerprint for the second stage. That stage must be of the same build of this crate.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("every field has a length")
    }

    /// Reads the bytes that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// `invalid-fingerprint` on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let is_sound = |it: &Self| !matches!(&it.picture, Some(Ok(hashes)) if !hashes.is_sound());
        match postcard::take_from_bytes(bytes) {
            Ok((fingerprint, [])) if is_sound(&fingerprint) => Ok(fingerprint),
            _ => {
                let expected = "what the hashing stage of the same build writes";
                Err(RefusalCode::InvalidFingerprint.because("fingerprint", expected, &"other bytes"))
            }
        }
    }

    /// Returns why the file needs a second reading, by the decoder that will show it; `None` if it needs none. A second
    /// reading is needed if decoders may read the file differently, or if the first decoder found it unreadable.
    #[must_use]
    pub fn needs_second_reading(&self) -> Option<String> {
        match self.picture.as_ref()? {
            Ok(hashes) => hashes.not_ordinary.as_ref().map(ToString::to_string),
            Err(failure) if failure.reason == UncheckedReason::Unreadable => Some(failure.detail.clone()),
            Err(_) => None,
        }
    }

    /// Whether this build lacks the decoder that the file needs: a build with the feature `every-format` reads it.
    #[must_use]
    pub fn needs_formats_engine(&self) -> bool {
        matches!(&self.picture, Some(Err(failure)) if failure.reason == UncheckedReason::Unavailable)
    }

    /// Adds the result of a second reading, by another decoder.
    ///
    /// - If both readings have a picture, both are looked up, and a match in either counts.
    /// - If the first reading failed because the file is damaged, the second one replaces it, with the caveat
    ///   `malformed`. The picture stays damaged if the second decoder says that pixels are missing. A JPEG always stays
    ///   damaged, because the first decoder reads every JPEG that has all of its pixels.
    /// - If the second reading failed, the first one stays, with the caveat `one-reading`. A first reading that failed
    ///   for another reason than damage also stays.
    ///
    /// Does nothing if no PDQ hash was wanted.
    #[must_use]
    pub fn with_second_reading(mut self, second: Result<ImageHashes, Failure>) -> Self {
        match (&mut self.picture, second) {
            (Some(Ok(first)), Ok(second)) => first.append(second),
            (Some(Err(failure)), Ok(mut second)) if failure.reason == UncheckedReason::Unreadable => {
                let by = second.decoded_by;
                second.second_reading_by = Some(by);
                second.not_ordinary = None;
                second.frames.iter_mut().for_each(|frame| frame.reading = Reading::Second);
                if failure.format == Some(Format::Jpeg) {
                    second.damaged.get_or_insert_with(|| failure.detail.clone());
                }
                if second.damaged.is_none() {
                    second.admit(Caveat::Malformed);
                }
                self.picture = Some(Ok(second));
            }
            (Some(Ok(first)), Err(_)) => first.admit(Caveat::OneReading),
            (Some(Err(_)) | None, _) => {}
        }
        self
    }
}

/// Computes the wanted signals of a file. If the picture can't be read, the result contains the reason. If [another
/// engine](Fingerprint::needs_formats_engine) must read the file, no digests are computed here, because that engine
/// computes them, too.
#[must_use]
pub fn fingerprint(bytes: &[u8], limits: &Limits, wanted: &Wanted) -> Fingerprint {
    let picture = wanted.pdq.then(|| hashes_of(image::read(bytes, limits), wanted));
    let unread = Fingerprint { sha256: None, md5: None, picture };
    if unread.needs_formats_engine() {
        return unread;
    }
    let mut digests = Digests::new(wanted.sha256, wanted.md5);
    digests.update(bytes);
    let (sha256, md5) = digests.finish();
    Fingerprint { sha256, md5, ..unread }
}

/// Computes the wanted signals of a file that arrives in pieces.
///
/// # Examples
/// ```
/// use hashgate::{Limits, StreamingFingerprint, Wanted, fingerprint};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/png-rgb-8.png");
/// let file = std::fs::read(path)?;
/// let wanted = Wanted::default().with_pdq(true).with_sha256(true);
/// let mut streaming = StreamingFingerprint::new(file.len(), &Limits::default(), &wanted);
/// for piece in file.chunks(1000) {
///     streaming.push(piece);
/// }
/// let whole = fingerprint(&file, &Limits::default(), &wanted);
/// assert_eq!(streaming.finish().unwrap_or_else(|| whole.clone()), whole);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct StreamingFingerprint {
    decoder: image::StreamingDecoder,
    digests: Digests,
    wanted: Wanted,
    early: Option<ImageHashes>,
}

impl StreamingFingerprint {
    /// Begins a file of `length` bytes.
    #[must_use]
    pub fn new(length: usize, limits: &Limits, wanted: &Wanted) -> Self {
        let digests = Digests::new(wanted.sha256, wanted.md5);
        Self { decoder: image::StreamingDecoder::new(length, limits), digests, wanted: *wanted, early: None }
    }

    /// Takes the next piece, of any length.
    pub fn push(&mut self, piece: &[u8]) {
        self.digests.update(piece);
        if self.wanted.pdq {
            self.decoder.push(piece);
        }
    }

    /// Returns a fingerprint without digests, once, when the picture is known before the file's end. Use it for an
    /// early lookup only, because the rest of the file can still change the result of [`finish`](Self::finish).
    pub fn early(&mut self) -> Option<Fingerprint> {
        let picture = self.decoder.early().filter(|_| self.wanted.pdq && self.early.is_none())?;
        let hashes = self.early.insert(ImageHashes::of(picture, self.wanted.views)).clone();
        Some(Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashes)) })
    }

    /// Returns the same as [`fingerprint`] for the bytes that have arrived. Returns `None` if decoding needs bytes that
    /// were already dropped: then call [`fingerprint`] with the whole file.
    #[must_use]
    pub fn finish(self) -> Option<Fingerprint> {
        let Self { decoder, digests, wanted, early } = self;
        let (sha256, md5) = digests.finish();
        let picture = match (wanted.pdq.then(|| decoder.read()), early) {
            (None, _) => None,
            // The low-terms decoder has the same pixels early and at the end, so the early hashes are still right. Only
            // caveats and damage that the end of the file has shown are added.
            (Some(Some(Ok(picture))), Some(hashes)) if picture.decoded_by == DecodedBy::LowTerms => {
                let Picture { caveats, not_ordinary, damaged, .. } = picture;
                Some(Ok(ImageHashes { caveats, not_ordinary, damaged, ..hashes }))
            }
            (Some(picture), _) => Some(hashes_of(picture?, &wanted)),
        };
        let unread = Fingerprint { sha256: None, md5: None, picture };
        Some(if unread.needs_formats_engine() { unread } else { Fingerprint { sha256, md5, ..unread } })
    }
}

fn hashes_of(picture: Result<Picture, IntakeError>, wanted: &Wanted) -> Result<ImageHashes, Failure> {
    picture.map(|picture| ImageHashes::of(&picture, wanted.views)).map_err(Failure::from)
}
