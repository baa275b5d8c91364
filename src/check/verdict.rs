//! From a file's bytes to a verdict, in two stages.
//!
//! [`fingerprint`] touches hostile bytes and knows no filter; [`probe`] knows the filters and never
//! sees the bytes. In the browser they run in different workers. [`check`] is both.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::digest::{Digests, Md5Digest, Sha256Digest};
use crate::filter_file::Filter;
use crate::image::{self, Caveat, DecodedBy, Format, IntakeError, Limits, Picture, Surface};
use crate::keys::{self, SoftKey};
use crate::pdq::{MIN_QUALITY, Orientation, PdqHash, hash_of_margins};
use crate::views::{self, Seen, View, ViewSet};

/// What is computed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The PDQ hash and what soft probing needs.
    pub pdq: bool,
    /// SHA-256 of the bytes.
    pub sha256: bool,
    /// MD5 of the bytes.
    pub md5: bool,
    /// Views of the picture.
    pub views: ViewSet,
}

impl Wanted {
    /// All that the filters hold.
    #[must_use]
    pub fn by(filters: &[Filter], views: ViewSet) -> Self {
        filters.iter().map(Filter::wanted).fold(Self { views, ..Self::default() }, |all, one| Self {
            pdq: all.pdq | one.pdq,
            sha256: all.sha256 | one.sha256,
            md5: all.md5 | one.md5,
            views,
        })
    }
}

/// Why a file was not, or not wholly, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UncheckedReason {
    /// Damaged or truncated.
    Unreadable,
    /// Not a format that can be read.
    Unsupported,
    /// Larger than the limits.
    TooLarge,
    /// A picture of too little detail for PDQ (quality under 50), without an exact match.
    LowQuality,
    /// A digest or hash that a filter needs was not computed.
    Incomplete,
    /// The browser that should have decoded it answers canvas read-back with noise.
    CanvasNoise,
}

/// What is known of a file after the first stage. It crosses from one worker to the other as bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 of the bytes, if it was wanted.
    pub sha256: Option<Sha256Digest>,
    /// MD5 of the bytes, if it was wanted.
    pub md5: Option<Md5Digest>,
    /// The picture, unless PDQ wasn't wanted.
    pub picture: Option<Result<Hashed, Failure>>,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs.
    pub reason: UncheckedReason,
    /// The file's format, if it is known. With [`UncheckedReason::Unsupported`] it is one that a
    /// browser may be able to decode.
    pub format: Option<Format>,
    /// For people.
    pub detail: String,
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        let (reason, format) = match error {
            IntakeError::NotAPicture { .. } => (UncheckedReason::Unsupported, None),
            IntakeError::UnsupportedPicture { format, .. } => (UncheckedReason::Unsupported, format),
            IntakeError::TooLarge { .. } => (UncheckedReason::TooLarge, None),
            IntakeError::Unreadable { format, .. } => (UncheckedReason::Unreadable, Some(format)),
        };
        Self { reason, format, detail: error.to_string() }
    }
}

/// A picture that was read and hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hashed {
    /// Its format.
    pub format: Format,
    /// Width in pixels as stored.
    pub width: u32,
    /// Height in pixels as stored.
    pub height: u32,
    /// Who decoded it.
    pub decoded_by: DecodedBy,
    /// What was left unread.
    pub caveat: Option<Caveat>,
    /// Frames in the file.
    pub frame_count: u32,
    /// Frames at the end that were out of reach of the limits.
    pub frames_skipped: u32,
    /// Frames and surfaces, the first frame on the plain surface first.
    pub frames: Vec<HashedFrame>,
}

/// The views of one frame on one surface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HashedFrame {
    /// Position in the animation, counted from 0.
    pub index: u32,
    /// Which colours.
    pub surface: Surface,
    /// The plain view first.
    pub views: Vec<Seen>,
}

impl Hashed {
    /// Hashes every frame of a picture.
    #[must_use]
    pub fn of(picture: &Picture, set: ViewSet) -> Self {
        let frames = picture.frames.iter().map(|frame| HashedFrame {
            index: frame.index,
            surface: frame.surface,
            views: views::of(&frame.luma, set),
        });
        Self {
            format: picture.format,
            width: picture.width,
            height: picture.height,
            decoded_by: picture.decoded_by,
            caveat: picture.caveats.iter().min().copied(),
            frame_count: picture.frame_count,
            frames_skipped: picture.frames_skipped,
            frames: frames.collect(),
        }
    }

    fn is_sound(&self) -> bool {
        let plain_first = |frame: &HashedFrame| frame.views.first().is_some_and(|seen| seen.view == View::Plain);
        !self.frames.is_empty()
            && self.frames.iter().all(plain_first)
            && self.frames.iter().flat_map(|frame| &frame.views).all(|seen| seen.coefficients.is_sound())
    }
}

/// Bytes that aren't a [`Fingerprint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fingerprint: expected what the hashing stage of the same build writes, got other bytes")]
pub struct FingerprintError;

impl Fingerprint {
    /// The bytes that cross to the other stage, of the same build.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("every field has a length")
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`FingerprintError`] on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FingerprintError> {
        let (fingerprint, rest): (Self, _) = postcard::take_from_bytes(bytes).map_err(|_| FingerprintError)?;
        let sound = !matches!(&fingerprint.picture, Some(Ok(hashed)) if !hashed.is_sound());
        if rest.is_empty() && sound { Ok(fingerprint) } else { Err(FingerprintError) }
    }
}

/// First stage: computes what is wanted of a file. What goes wrong is part of the result.
#[must_use]
pub fn fingerprint(bytes: &[u8], limits: &Limits, wanted: &Wanted) -> Fingerprint {
    let mut digests = Digests::new(wanted.sha256, wanted.md5);
    digests.update(bytes);
    let (sha256, md5) = digests.finish();
    Fingerprint { sha256, md5, picture: wanted.pdq.then(|| hashed(image::read(bytes, limits), wanted)) }
}

/// First stage, of a file that arrives in pieces.
pub struct Arrival {
    file: image::StreamingDecoder,
    digests: Digests,
    wanted: Wanted,
    early: Option<Hashed>,
}

impl Arrival {
    /// For a file of `length` bytes.
    #[must_use]
    pub fn new(length: usize, limits: &Limits, wanted: &Wanted) -> Self {
        let digests = Digests::new(wanted.sha256, wanted.md5);
        Self { file: image::StreamingDecoder::new(length, limits), digests, wanted: *wanted, early: None }
    }

    /// Takes the next piece, of any length.
    pub fn push(&mut self, piece: &[u8]) {
        self.digests.update(piece);
        if self.wanted.pdq {
            self.file.push(piece);
        }
    }

    /// The fingerprint without digests, once, if the picture is known before the end ([`image::StreamingDecoder::early`]). It is for
    /// [`Ahead::look_up`] alone: only [`finish`](Self::finish) says what the file is.
    pub fn early(&mut self) -> Option<Fingerprint> {
        let picture = self.file.early().filter(|_| self.wanted.pdq && self.early.is_none())?;
        let hashed = self.early.insert(Hashed::of(picture, self.wanted.views)).clone();
        Some(Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashed)) })
    }

    /// What [`fingerprint`] makes of the bytes that have arrived. None if it must be asked, with all of them ([`image::StreamingDecoder::read`]).
    #[must_use]
    pub fn finish(self) -> Option<Fingerprint> {
        let Self { file, digests, wanted, early } = self;
        let (sha256, md5) = digests.finish();
        let picture = match (wanted.pdq.then(|| file.read()), early) {
            (None, _) => None,
            // Early or late, the fast path has one picture of a file.
            (Some(Some(Ok(Picture { decoded_by: DecodedBy::DcOnly, .. }))), Some(hashed)) => Some(Ok(hashed)),
            (Some(picture), _) => Some(hashed(picture?, &wanted)),
        };
        Some(Fingerprint { sha256, md5, picture })
    }
}

fn hashed(picture: Result<Picture, IntakeError>, wanted: &Wanted) -> Result<Hashed, Failure> {
    picture.map(|picture| Hashed::of(&picture, wanted.views)).map_err(Failure::from)
}

/// Which orientations are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientations {
    /// All eight rotations and reflections.
    #[default]
    All,
    /// As stored, alone.
    Upright,
}

/// What of a file matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// SHA-256 of the bytes.
    Sha256,
    /// MD5 of the bytes.
    Md5,
    /// PDQ, by ring keys.
    Pdq,
}

/// How much a match says, the strongest first. Even the strongest is a *possible* match: a Bloom
/// filter can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// The file's bytes are on the list.
    ExactBytes,
    /// Every ring of the picture's hash is on the list.
    AllRings,
    /// One ring, but not all, is on the list.
    OneRing,
}

/// How a PDQ hash matched.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PdqMatch {
    /// Which rotation or reflection of the picture.
    pub orientation: Orientation,
    /// Which view.
    pub view: View,
    /// Which frame of an animation, counted from 0.
    pub frame: u32,
    /// Which colours of a transparent picture.
    pub surface: Surface,
    /// The ring that hit first.
    pub ring: u32,
    /// All rings that hit in this view and orientation.
    pub rings: Vec<u32>,
    /// Bits of `ring` that were flipped, 0 to 24; 0 is the key as it is.
    pub flips: u32,
    /// Sum of the ranks of the flipped bits; the lower, the more plausible.
    pub cost: u32,
    /// The hash of this view and orientation, with the bits of each ring that hit as they matched.
    #[serde(serialize_with = "as_text")]
    pub pdq: PdqHash,
    /// The key of `ring` that the filter holds, as 16 hexadecimal digits.
    #[serde(serialize_with = "as_hex")]
    pub key: u64,
}

fn as_text<S: serde::Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_hex<S: serde::Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{value:016x}"))
}

/// One signal of a file that a list seems to hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Name of the list.
    pub list: String,
    /// Category of the list.
    pub category: String,
    /// Release of the list.
    pub release: u64,
    /// What matched.
    pub signal: Signal,
    /// How much it says.
    pub strength: Strength,
    /// How it matched, if the signal is PDQ.
    #[serde(flatten)]
    pub pdq: Option<PdqMatch>,
}

/// The answer. A match is a reason to ask, never a proof; what could not be checked is never clear.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[must_use]
pub enum Verdict {
    /// On none of the lists.
    Clear,
    /// Perhaps on a list.
    PossibleMatch {
        /// Strongest first, at most one for each list and signal.
        matches: Vec<Match>,
    },
    /// Could not be checked.
    Unchecked {
        /// For programs.
        reason: UncheckedReason,
        /// For people.
        detail: String,
    },
}

/// A verdict and what is known of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The answer.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What the verdict on a possible match would be without it, unless that is clear: such as a
    /// damaged picture whose bytes seem to be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_not_listed: Option<Verdict>,
    /// PDQ hash of the first frame as it is, if there is a picture.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_text")]
    pub pdq: Option<PdqHash>,
    /// Its quality, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// SHA-256 of the bytes, if it was computed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_text")]
    pub sha256: Option<Sha256Digest>,
    /// MD5 of the bytes, if it was computed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_text")]
    pub md5: Option<Md5Digest>,
    /// The picture's format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Width in pixels as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Who decoded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded_by: Option<DecodedBy>,
    /// What of the file is not known, although its picture was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<Caveat>,
    /// Frames in the file; 1 for a still picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<u32>,
    /// Lookups that were made, all filters together.
    pub lookups: u64,
}

impl Report {
    /// The report on a file that never reached the first stage, as when it can't be opened.
    #[must_use]
    pub fn unchecked(reason: UncheckedReason, detail: String) -> Self {
        Self {
            verdict: Verdict::Unchecked { reason, detail },
            if_not_listed: None,
            pdq: None,
            quality: None,
            sha256: None,
            md5: None,
            format: None,
            width: None,
            height: None,
            decoded_by: None,
            caveat: None,
            frames: None,
            lookups: 0,
        }
    }
}

fn as_optional_text<S: serde::Serializer>(
    value: &Option<impl std::fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// What of a picture matched in each of the filters.
struct LookedUp {
    matches: Vec<Option<PdqMatch>>,
    lookups: u64,
}

impl LookedUp {
    #[inline(never)]
    fn of(hashed: &Hashed, filters: &[Filter], orientations: Orientations) -> Self {
        let mut lookups = 0;
        let matches = filters.iter().map(|filter| probe_picture(hashed, filter, orientations, &mut lookups)).collect();
        Self { matches, lookups }
    }
}

/// Second stage: looks a fingerprint up.
pub fn probe(fingerprint: &Fingerprint, filters: &[Filter], orientations: Orientations) -> Report {
    Ahead::default().probe(fingerprint, filters, orientations)
}

/// Pictures that were looked up ahead of time, while the rest of their files was looked at. The filters must be the same ones in
/// all calls.
#[derive(Default)]
pub struct Ahead(VecDeque<(Hashed, Orientations, LookedUp)>);

impl Ahead {
    /// So many are remembered. One that is never asked for makes way.
    const MOST: usize = 16;

    /// Looks a picture up, for [`probe`](Self::probe) to find.
    pub fn look_up(&mut self, hashed: Hashed, filters: &[Filter], orientations: Orientations) {
        let looked_up = self.take(&hashed, filters, orientations);
        self.0.truncate(Self::MOST - 1);
        self.0.push_front((hashed, orientations, looked_up));
    }

    /// What [`probe`] says, at once if the picture was looked up in the same orientations; a second time it is looked up anew.
    pub fn probe(&mut self, fingerprint: &Fingerprint, filters: &[Filter], orientations: Orientations) -> Report {
        let looked_up = match &fingerprint.picture {
            Some(Ok(hashed)) => self.take(hashed, filters, orientations),
            _ => LookedUp { matches: filters.iter().map(|_| None).collect(), lookups: 0 },
        };
        report(fingerprint, filters, looked_up)
    }

    /// What was looked up, or is now.
    fn take(&mut self, hashed: &Hashed, filters: &[Filter], orientations: Orientations) -> LookedUp {
        let place = self.0.iter().position(|(picture, asked, _)| picture == hashed && *asked == orientations);
        let known = place.and_then(|place| self.0.remove(place)).map(|(.., looked_up)| looked_up);
        known.unwrap_or_else(|| LookedUp::of(hashed, filters, orientations))
    }
}

/// Puts a report together.
fn report(fingerprint: &Fingerprint, filters: &[Filter], picture: LookedUp) -> Report {
    let (hashed, failure) = match &fingerprint.picture {
        Some(Ok(hashed)) => (Some(hashed), None),
        Some(Err(failure)) => (None, Some(failure)),
        None => (None, None),
    };
    let mut lookups = picture.lookups;
    let mut matches: Vec<Match> = Vec::new();
    for (filter, pdq) in filters.iter().zip(picture.matches) {
        let info = filter.info();
        let mut found = |signal, strength, pdq| {
            let (list, category) = (info.name.clone(), info.category.clone());
            // The strongest first; of equal ones, the list that was asked first.
            let place = matches.partition_point(|earlier| earlier.strength <= strength);
            matches.insert(place, Match { list, category, release: info.release, signal, strength, pdq });
        };
        if let Some(sha256) = &fingerprint.sha256 {
            lookups += 1;
            if filter.holds_sha256(sha256) {
                found(Signal::Sha256, Strength::ExactBytes, None);
            }
        }
        if let Some(md5) = &fingerprint.md5 {
            lookups += 1;
            if filter.holds_md5(md5) {
                found(Signal::Md5, Strength::ExactBytes, None);
            }
        }
        if let Some(pdq) = pdq {
            let all = pdq.rings.len() == info.rings as usize;
            found(Signal::Pdq, if all { Strength::AllRings } else { Strength::OneRing }, Some(pdq));
        }
    }

    let first = hashed.map(|hashed| &hashed.frames[0].views[0]);
    let without = without_match(fingerprint, filters);
    let (verdict, if_not_listed) = match matches.is_empty() {
        true => (without, None),
        false => (Verdict::PossibleMatch { matches }, Some(without).filter(|verdict| *verdict != Verdict::Clear)),
    };
    Report {
        verdict,
        if_not_listed,
        pdq: first.map(|seen| seen.coefficients.hash()),
        quality: first.map(|seen| seen.quality),
        sha256: fingerprint.sha256,
        md5: fingerprint.md5,
        format: hashed.map(|hashed| hashed.format).or(failure.and_then(|failure| failure.format)),
        width: hashed.map(|hashed| hashed.width),
        height: hashed.map(|hashed| hashed.height),
        decoded_by: hashed.map(|hashed| hashed.decoded_by),
        caveat: hashed.and_then(|hashed| hashed.caveat),
        frames: hashed.map(|hashed| hashed.frame_count),
        lookups,
    }
}

/// Both stages at once.
pub fn check(bytes: &[u8], filters: &[Filter], limits: &Limits, views: ViewSet, orientations: Orientations) -> Report {
    probe(&fingerprint(bytes, limits, &Wanted::by(filters, views)), filters, orientations)
}

/// Clear only if all that the filters hold was looked up.
fn without_match(fingerprint: &Fingerprint, filters: &[Filter]) -> Verdict {
    let unchecked = |reason, detail: String| Verdict::Unchecked { reason, detail };
    let wanted = Wanted::by(filters, ViewSet::All);
    if filters.is_empty() {
        return unchecked(UncheckedReason::Incomplete, "no filter is loaded".into());
    }
    if wanted.sha256 && fingerprint.sha256.is_none() || wanted.md5 && fingerprint.md5.is_none() {
        return unchecked(UncheckedReason::Incomplete, "a digest that a filter holds was not computed".into());
    }
    match &fingerprint.picture {
        _ if !wanted.pdq => Verdict::Clear,
        None => unchecked(UncheckedReason::Incomplete, "the PDQ hash was not computed".into()),
        Some(Err(failure)) => unchecked(failure.reason, failure.detail.clone()),
        Some(Ok(hashed)) if hashed.frames_skipped > 0 => {
            let (skipped, count) = (hashed.frames_skipped, hashed.frame_count);
            let detail = format!("frames: expected to reach all {count} within the limits, {skipped} were not");
            unchecked(UncheckedReason::TooLarge, detail)
        }
        Some(Ok(hashed)) => {
            let best = hashed.frames.iter().flat_map(|frame| &frame.views).map(|seen| seen.quality).max().unwrap_or(0);
            if best >= MIN_QUALITY {
                return Verdict::Clear;
            }
            let detail = format!("PDQ quality: expected at least {MIN_QUALITY}, got {best}");
            unchecked(UncheckedReason::LowQuality, detail)
        }
    }
}

/// Looks every view and orientation of every frame up, until one is held.
fn probe_picture(hashed: &Hashed, filter: &Filter, orientations: Orientations, lookups: &mut u64) -> Option<PdqMatch> {
    let rings = filter.info().rings;
    if rings > 0 && hashed.frames.iter().flat_map(|frame| &frame.views).any(|seen| seen.quality >= MIN_QUALITY) {
        filter.fetch();
    }
    let orientations = match orientations {
        Orientations::All => &Orientation::ALL[..],
        Orientations::Upright => &Orientation::ALL[..1],
    };
    let mut ask = |soft: &SoftKey, view: View, orientation: Orientation| {
        let (probe, looked_up) = filter.probe(soft, view, orientation);
        *lookups += looked_up;
        probe
    };
    for frame in &hashed.frames {
        for seen in frame.views.iter().filter(|seen| seen.quality >= MIN_QUALITY) {
            for &orientation in orientations {
                let margins = seen.coefficients.oriented(orientation).margins();
                let mut hits = Vec::new();
                for ring in 0..rings {
                    let soft = SoftKey::new(&margins, ring);
                    if let Some(probe) = ask(&soft, seen.view, orientation) {
                        hits.push((soft, probe));
                    }
                }
                let Some(&(SoftKey { ring, .. }, probe)) = hits.first() else { continue };
                let mut pdq = hash_of_margins(&margins);
                for (soft, probe) in &hits {
                    soft.flips(*probe).for_each(|bit| pdq.flip(keys::position(soft.ring, bit)));
                }
                return Some(PdqMatch {
                    orientation,
                    view: seen.view,
                    frame: frame.index,
                    surface: frame.surface,
                    ring,
                    rings: hits.iter().map(|(soft, _)| soft.ring).collect(),
                    flips: probe.flips(),
                    cost: probe.cost(),
                    pdq,
                    key: keys::ring_key(&pdq, ring),
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdq::{Luma, Plane};

    #[test]
    fn what_was_looked_up_ahead_is_not_looked_up_again() {
        let picture = |shade: f32| {
            let cells = (0..4096).map(|at| shade * ((at * at) % 251) as f32).collect();
            let plane = Plane { width: 64, height: 64, block_width: 1, block_height: 1, cells };
            let views = views::of(&Luma::from_plane(plane), ViewSet::Plain);
            let frame = HashedFrame { index: 0, surface: Surface::Plain, views };
            Hashed {
                format: Format::Jpeg,
                width: 64,
                height: 64,
                decoded_by: DecodedBy::DcOnly,
                caveat: None,
                frame_count: 1,
                frames_skipped: 0,
                frames: vec![frame],
            }
        };
        let print = |hashed| Fingerprint { sha256: None, md5: None, picture: Some(Ok(hashed)) };
        let mut ahead = Ahead::default();
        let probe = |ahead: &mut Ahead, shade, orientations| {
            let _ = ahead.probe(&print(picture(shade)), &[], orientations);
            ahead.0.len()
        };
        for times in 1..=3 {
            ahead.look_up(picture(1.0), &[], Orientations::All);
            ahead.look_up(picture(0.5), &[], Orientations::All);
            assert_eq!(ahead.0.len(), 2, "after {times} times");
        }
        assert_eq!(probe(&mut ahead, 1.0, Orientations::Upright), 2);
        assert_eq!(probe(&mut ahead, 0.7, Orientations::All), 2);
        assert_eq!(probe(&mut ahead, 1.0, Orientations::All), 1);
        for step in 0..100 {
            ahead.look_up(picture(1.0 + step as f32), &[], Orientations::All);
        }
        assert_eq!(ahead.0.len(), Ahead::MOST);
    }
}
