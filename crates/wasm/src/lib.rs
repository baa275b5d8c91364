//! Bindings of the core for JavaScript. A binding converts its arguments, calls the core, and converts the result.
//!
//! The hashing workers make a [`Fingerprint`] of each file, and the lookup worker holds a [`Lookup`]. Errors are
//! JavaScript `Error` objects with a `code`, and where it applies `field`, `expected` and `got`. A panic is a trap:
//! after it, the instance must not be used again.

mod frame;

use hashgate::image::{self, FilmKind, Format, Picture};
use hashgate::release::log::{LogTrust, Logged};
use hashgate::release::{Manifest, Trust};
use hashgate::{
    Dismissed, Failure, Filter, ImageHashes, Limits, Orientations, Refusal, UncheckedReason, ViewSet, Wanted,
};
use js_sys::{Error, Reflect};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;
use web_sys::ImageData;

// Adds TypeScript types to the bindings. wasm-bindgen knows a serialised value only as `any`; with these types, the
// functions below declare exactly what they take and return, and the package's TypeScript needs no casts.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
import type {
  DecodedBy, FilterInfo, Limits, Logged, Manifest, Match, Orientations, UncheckedReason, Verdict, ViewSet,
} from "../../js/generated/core.js";

/** The signals that are to be computed of a file, and the limits within which it is read. */
export interface FingerprintOptions {
  pdq: boolean;
  sha256: boolean;
  md5: boolean;
  views: ViewSet;
  limits?: Partial<Limits>;
}

/** How the pixels of a frame lie in bytes. */
export interface FrameLayout {
  width: number;
  height: number;
  /** Bytes before the first row. */
  offset: number;
  /** Bytes from one row to the next. */
  stride: number;
  samples: "luma" | "luma10" | "luma12" | "rgbx" | "bgrx";
  /** Whether luma runs from 16 to 235, in samples of 8 bits. */
  limited: boolean;
}

/** The kinds of signals that the loaded filters hold. */
export interface Holds {
  pdq: boolean;
  sha256: boolean;
  md5: boolean;
}
"#;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// The object in which JavaScript says which signals to compute of a file: `FingerprintOptions` above.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    pdq: bool,
    sha256: bool,
    md5: bool,
    views: ViewSet,
    #[serde(default)]
    limits: LimitOptions,
}

/// The limits that the host has set. The others keep the core's defaults.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct LimitOptions {
    max_width: Option<u32>,
    max_height: Option<u32>,
    max_pixels: Option<u64>,
    max_alloc: Option<u64>,
    max_frames: Option<u32>,
    max_animation_pixels: Option<u64>,
}

impl Options {
    fn read(value: JsValue) -> Result<(Wanted, Limits), Error> {
        let options: Self = read_option(value)?;
        let (base, set) = (Limits::default(), options.limits);
        let limits = base
            .with_max_width(set.max_width.unwrap_or(base.max_width))
            .with_max_height(set.max_height.unwrap_or(base.max_height))
            .with_max_pixels(set.max_pixels.unwrap_or(base.max_pixels))
            .with_max_alloc(set.max_alloc.unwrap_or(base.max_alloc))
            .with_max_frames(set.max_frames.unwrap_or(base.max_frames))
            .with_max_animation_pixels(set.max_animation_pixels.unwrap_or(base.max_animation_pixels));
        let wanted = Wanted::default()
            .with_pdq(options.pdq)
            .with_sha256(options.sha256)
            .with_md5(options.md5)
            .with_views(options.views);
        Ok((wanted, limits))
    }
}

/// The signals of one file: the result of the first stage.
#[wasm_bindgen]
pub struct Fingerprint {
    signals: hashgate::Fingerprint,
    wanted: Wanted,
    limits: Limits,
}

#[wasm_bindgen]
impl Fingerprint {
    /// Computes the wanted signals of a whole file. If the file can't be read as a picture, the signals say why.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn of(
        bytes: &[u8],
        #[wasm_bindgen(unchecked_param_type = "FingerprintOptions")] options: JsValue,
    ) -> Result<Self, Error> {
        let (wanted, limits) = Options::read(options)?;
        let mut signals = hashgate::fingerprint(bytes, &limits, &wanted);
        if let Some(Err(failure @ Failure { reason: UncheckedReason::UnsupportedPicture, .. })) = &mut signals.picture {
            // Refuses a picture that is too large before a browser is asked to decode it.
            let head = &bytes[..bytes.len().min(HEAD)];
            if let Some(Err(error)) = failure.format.map(|it| image::check_declared_size(it, head, &limits)) {
                *failure = error.into();
            }
        }
        Ok(Self { signals, wanted, limits })
    }

    /// Whether the formats engine must read the file, because this engine has no decoder for it.
    #[wasm_bindgen(getter, js_name = needsFormatsEngine)]
    #[must_use]
    pub fn needs_formats_engine(&self) -> bool {
        self.signals.needs_formats_engine()
    }

    /// Returns an empty picture for the browser's decoder to fill, if the browser should decode this file: because the
    /// core can't read its format, or because decoders may read it differently. Returns undefined for any other file.
    #[wasm_bindgen(js_name = browserPicture)]
    #[must_use]
    pub fn browser_picture(&self) -> Option<BrowserPicture> {
        let second_reading = self.signals.needs_second_reading().is_some();
        let (format, frames) = match self.signals.picture.as_ref()? {
            Ok(hashes) => (Some(hashes.format), hashes.frame_count),
            Err(failure) => (failure.format, 1),
        };
        let unread = |failure: &Failure| failure.reason == UncheckedReason::UnsupportedPicture;
        let wanted = second_reading || matches!(&self.signals.picture, Some(Err(failure)) if unread(failure));
        let format = format.filter(|_| wanted)?;
        let unsure = matches!(self.signals.picture, Some(Err(_))) && second_reading;
        Some(BrowserPicture {
            format,
            second_reading,
            unsure,
            frames,
            limits: self.limits,
            picture: None,
            failure: None,
        })
    }

    /// Adds the picture that the browser decoded.
    #[must_use]
    pub fn with(self, picture: BrowserPicture) -> Self {
        let Self { signals, wanted, limits } = self;
        let second_reading = picture.second_reading;
        let hashes = picture.finish().map(|picture| ImageHashes::of(&picture, wanted.views));
        let signals = if second_reading {
            signals.with_second_reading(hashes)
        } else {
            hashgate::Fingerprint { picture: Some(hashes), ..signals }
        };
        Self { signals, wanted, limits }
    }

    /// Serialises the fingerprint for [`Lookup`].
    #[wasm_bindgen(js_name = toBytes)]
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.signals.to_bytes()
    }
}

/// Number of bytes at the start of a file that are searched for the declared size of the picture, in formats that only
/// browsers read.
const HEAD: usize = 1 << 20;

/// The first stage for a file that arrives in pieces.
#[wasm_bindgen]
pub struct StreamingFingerprint {
    stream: hashgate::StreamingFingerprint,
    /// The failure, if the file is no picture.
    other: Option<Failure>,
    wanted: Wanted,
    limits: Limits,
}

#[wasm_bindgen]
impl StreamingFingerprint {
    /// Begins a file of `length` bytes. `head` is its first piece; the caller must still push it. If `platform_sha256`
    /// is true, the platform computes the SHA-256 of a picture. Returns undefined if the file must be read as a whole.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn open(
        head: &[u8],
        length: f64,
        #[wasm_bindgen(unchecked_param_type = "FingerprintOptions")] options: JsValue,
        platform_sha256: bool,
    ) -> Result<Option<Self>, Error> {
        let (mut wanted, limits) = Options::read(options)?;
        // The memory of wasm has at most 2^32 bytes.
        let whole = length.min(f64::from(u32::MAX)) as usize;
        let decides = head.len() >= KIND_HEAD.min(whole);
        let other = image::not_a_picture(head).filter(|_| decides && wanted.pdq).map(Failure::from);
        if other.is_none() {
            if !wanted.pdq || !image::StreamingDecoder::is_of_use(head) || length > f64::from(u32::MAX) {
                return Ok(None);
            }
            wanted.sha256 &= !platform_sha256;
        }
        let taken = wanted.with_pdq(other.is_none());
        let stream = hashgate::StreamingFingerprint::new(whole, &limits, &taken);
        Ok(Some(Self { stream, other, wanted, limits }))
    }

    /// Returns whether the file may be a picture. The bytes of any other file are not kept.
    #[wasm_bindgen(getter, js_name = isPicture)]
    #[must_use]
    pub fn is_picture(&self) -> bool {
        self.other.is_none()
    }

    /// Takes the next piece. Returns false if the rest of the file need not be read.
    pub fn push(&mut self, piece: &[u8]) -> bool {
        self.stream.push(piece);
        self.other.is_none() || self.wanted.sha256 || self.wanted.md5
    }

    /// Returns a fingerprint for [`Lookup::begin`], once, if the picture is known before the end of the file.
    pub fn early(&mut self) -> Option<Vec<u8>> {
        self.stream.early().map(|fingerprint| fingerprint.to_bytes())
    }

    /// Returns the fingerprint of the file. Returns undefined if bytes were dropped that turned out to be needed: then
    /// call [`Fingerprint::of`] with all bytes.
    #[must_use]
    pub fn finish(self) -> Option<Fingerprint> {
        let Self { stream, other, wanted, limits } = self;
        let mut signals = stream.finish()?;
        if let Some(failure) = other {
            signals.picture = Some(Err(failure));
        }
        Some(Fingerprint { signals, wanted, limits })
    }
}

/// Number of bytes at the start of a file that decide whether it may be a picture.
const KIND_HEAD: usize = 1 << 16;

/// Returns whether a file may be a picture, by its first 64 KiB.
#[wasm_bindgen(js_name = mayBePicture)]
#[must_use]
pub fn may_be_picture(head: &[u8]) -> bool {
    image::not_a_picture(head).is_none()
}

/// Returns what kind of film a file is, by its first 64 KiB: `mp4` (also QuickTime), `matroska` (also WebM), or `other`
/// if nothing here reads films of its kind. Returns undefined if it is no film.
#[wasm_bindgen(js_name = filmKind, unchecked_return_type = "'mp4' | 'matroska' | 'other' | undefined")]
#[must_use]
pub fn film_kind(head: &[u8]) -> Option<String> {
    let name = match image::film_kind(head)? {
        FilmKind::Mp4 => "mp4",
        FilmKind::Matroska => "matroska",
        FilmKind::Other => "other",
    };
    Some(name.to_owned())
}

/// A picture that the browser decodes. JavaScript calls `begin` with the size, hands over the pixels of each wanted
/// frame, and calls `end_frame` after each.
#[wasm_bindgen]
pub struct BrowserPicture {
    format: Format,
    second_reading: bool,
    unsure: bool,
    frames: u32,
    limits: Limits,
    picture: Option<image::BrowserPicture>,
    failure: Option<Failure>,
}

#[wasm_bindgen]
impl BrowserPicture {
    /// The media type of the file's format.
    #[wasm_bindgen(getter, js_name = mediaType)]
    #[must_use]
    pub fn media_type(&self) -> String {
        match self.format {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
            Format::Gif => "image/gif",
            Format::Webp => "image/webp",
            Format::Bmp => "image/bmp",
            Format::Ico => "image/x-icon",
            Format::Svg => "image/svg+xml",
            Format::Tiff => "image/tiff",
            Format::Avif => "image/avif",
            Format::Heic => "image/heic",
            Format::Jxl => "image/jxl",
        }
        .to_string()
    }

    /// Whether this is a second reading, which shows the colours as the browser paints them.
    #[wasm_bindgen(getter, js_name = isSecondReading)]
    #[must_use]
    pub fn is_second_reading(&self) -> bool {
        self.second_reading
    }

    /// Whether the first reading failed, so that only a strict decoder can tell that every pixel is there.
    #[wasm_bindgen(getter, js_name = isUnsure)]
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// Number of frames that the first reading found; 1 if there was no first reading.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Notes why the picture could not be decoded.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn fail(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "UncheckedReason")] reason: JsValue,
        detail: String,
    ) -> Result<(), Error> {
        let reason = read_option(reason)?;
        self.failure.get_or_insert(Failure::new(reason, Some(self.format), detail));
        Ok(())
    }

    /// Begins the picture that the browser found. Returns the numbers of the wanted frames; none if the picture is too
    /// large.
    pub fn begin(&mut self, width: u32, height: u32, frames: u32) -> Vec<u32> {
        let begun = image::BrowserPicture::new(self.format, (width, height), frames, &self.limits);
        self.picture = begun.map_err(|error| self.failure = Some(error.into())).ok();
        self.picture.as_ref().map(|picture| picture.wanted_frames().to_vec()).unwrap_or_default()
    }

    /// Begins a picture of one frame that another decoder than the browser's hands over by `samples`. `profile` is its
    /// ICC profile, and `has_sequence` says whether the file has further frames. Returns whether the rows are wanted.
    ///
    /// # Errors
    /// `invalid-options`.
    #[wasm_bindgen(js_name = beginBy)]
    pub fn begin_by(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "DecodedBy")] decoder: JsValue,
        width: u32,
        height: u32,
        profile: Option<Box<[u8]>>,
        has_sequence: bool,
    ) -> Result<bool, Error> {
        let decoder = read_option(decoder)?;
        if self.begin(width, height, 1).is_empty() {
            return Ok(false);
        }
        if let Some(picture) = &mut self.picture {
            picture.decoded_by(decoder);
            if let Some(profile) = profile {
                picture.note_profile(&profile);
            }
            if has_sequence {
                picture.note_unread_frames();
            }
        }
        Ok(true)
    }

    /// Takes further rows from the top. A pixel has 1 to 4 bytes: grey or colours, and alpha.
    #[allow(clippy::needless_pass_by_value)] // how wasm-bindgen hands bytes over
    pub fn samples(&mut self, channels: u32, samples: Vec<u8>) {
        if let Some(picture) = &mut self.picture {
            picture.push_samples(channels, &samples);
        }
    }

    /// Forgets a picture that was begun, and why it failed, so that another decoder may try.
    pub fn reset(&mut self) {
        (self.picture, self.failure) = (None, None);
    }

    /// Whether a decoder has read the picture.
    #[wasm_bindgen(getter, js_name = isRead)]
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.failure.is_none() && self.picture.is_some()
    }

    /// Returns the limits for a decoder: width, height, pixels, and bytes of memory.
    #[must_use]
    pub fn limits(&self) -> Vec<f64> {
        let Limits { max_width, max_height, max_pixels, max_alloc, .. } = self.limits;
        vec![max_width.into(), max_height.into(), max_pixels as f64, max_alloc as f64]
    }

    /// Takes further rows from the top. A pixel is red, green, blue, alpha. `premultiplied` says whether the colours
    /// are multiplied by alpha.
    pub fn rows(&mut self, mut rgba: Vec<u8>, premultiplied: bool) {
        if let Some(picture) = &mut self.picture {
            if premultiplied {
                picture.push_premultiplied_rows(&mut rgba);
            } else {
                picture.push_rows(&rgba);
            }
        }
    }

    /// Takes further rows that were read from a canvas.
    #[wasm_bindgen(js_name = canvasRows)]
    pub fn canvas_rows(&mut self, rows: &ImageData) {
        if let Some(picture) = &mut self.picture {
            picture.push_rows(&rows.data());
        }
    }

    /// Ends a frame.
    #[wasm_bindgen(js_name = endFrame)]
    pub fn end_frame(&mut self, index: u32) {
        if let Some(Err(error)) = self.picture.as_mut().map(|picture| picture.end_frame(index)) {
            self.failure.get_or_insert(error.into());
        }
    }

    /// Notes that the browser shows only a part of the picture.
    #[wasm_bindgen(js_name = markDamaged)]
    pub fn mark_damaged(&mut self) {
        self.picture.iter_mut().for_each(image::BrowserPicture::mark_damaged);
    }
}

impl BrowserPicture {
    fn finish(self) -> Result<Picture, Failure> {
        match (self.failure, self.picture) {
            (None, Some(picture)) => picture.finish().map_err(Failure::from),
            (failure, _) => Err(failure.unwrap_or_else(|| {
                Failure::new(UncheckedReason::UnsupportedPicture, Some(self.format), "no decoder was asked")
            })),
        }
    }
}

/// Converts a JavaScript value, such as a string that names a variant.
fn read_option<T: serde::de::DeserializeOwned>(value: JsValue) -> Result<T, Error> {
    serde_wasm_bindgen::from_value(value).map_err(|error| coded("invalid-options", &error.to_string()))
}

/// The loaded filters, and the second stage.
#[wasm_bindgen]
#[derive(Default)]
pub struct Lookup(hashgate::Lookup);

/// What the loaded filters hold.
#[derive(Serialize)]
struct Holds {
    pdq: bool,
    sha256: bool,
    md5: bool,
}

#[wasm_bindgen]
impl Lookup {
    /// Makes a lookup without filters.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks a filter file from its first byte to its last, and adds it. Returns its `FilterInfo`.
    ///
    /// # Errors
    /// `filter-magic`, `filter-version`, `filter-length`, `filter-field`, `filter-checksum`,
    /// `filter-canary`.
    #[wasm_bindgen(js_name = addFilter, unchecked_return_type = "FilterInfo")]
    pub fn add_filter(&mut self, bytes: Vec<u8>) -> Result<JsValue, Error> {
        let filter = Filter::open(bytes).map_err(|error| refused(&error))?;
        let info = to_js(filter.info())?;
        self.0.add(filter);
        Ok(info)
    }

    /// Returns the kinds of signals that a file needs for the lookup: `{ pdq, sha256, md5 }`.
    ///
    /// # Errors
    /// Never.
    #[wasm_bindgen(unchecked_return_type = "Holds")]
    pub fn holds(&self) -> Result<JsValue, Error> {
        let Wanted { pdq, sha256, md5, .. } = self.0.wanted(ViewSet::All);
        to_js(&Holds { pdq, sha256, md5 })
    }

    /// Does an early lookup: looks a picture up before the rest of its file was read.
    ///
    /// # Errors
    /// As [`look_up`](Self::look_up).
    pub fn begin(
        &mut self,
        fingerprint: &[u8],
        #[wasm_bindgen(unchecked_param_type = "Orientations")] orientations: JsValue,
    ) -> Result<(), Error> {
        let (fingerprint, orientations) = read_ask(fingerprint, None, orientations)?;
        self.0.set_orientations(orientations);
        if let Some(Ok(hashes)) = fingerprint.picture {
            self.0.look_up_early(hashes);
        }
        Ok(())
    }

    /// Looks a fingerprint up. `sha256` is the file's digest if the platform computed it. Returns a `Verdict`.
    ///
    /// # Errors
    /// `invalid-fingerprint`, `invalid-options`.
    #[wasm_bindgen(js_name = lookUp, unchecked_return_type = "Verdict")]
    pub fn look_up(
        &mut self,
        fingerprint: &[u8],
        sha256: Option<Box<[u8]>>,
        #[wasm_bindgen(unchecked_param_type = "Orientations")] orientations: JsValue,
    ) -> Result<JsValue, Error> {
        let (fingerprint, orientations) = read_ask(fingerprint, sha256, orientations)?;
        self.0.set_orientations(orientations);
        to_js(&self.0.look_up(&fingerprint))
    }

    /// Looks a fingerprint up and passes over `dismissed`: the matches of all earlier verdicts on it, which turned out
    /// not to be listed. Returns a `Verdict` with the next candidates, or without any.
    ///
    /// # Errors
    /// `invalid-fingerprint`, `invalid-options`.
    #[wasm_bindgen(js_name = lookUpPast, unchecked_return_type = "Verdict")]
    pub fn look_up_past(
        &mut self,
        fingerprint: &[u8],
        sha256: Option<Box<[u8]>>,
        #[wasm_bindgen(unchecked_param_type = "Orientations")] orientations: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Match[]")] dismissed: JsValue,
    ) -> Result<JsValue, Error> {
        let (fingerprint, orientations) = read_ask(fingerprint, sha256, orientations)?;
        let dismissed: Vec<Dismissed> = read_option(dismissed)?;
        self.0.set_orientations(orientations);
        to_js(&self.0.look_up_past(&fingerprint, &dismissed))
    }
}

fn read_ask(
    fingerprint: &[u8],
    sha256: Option<Box<[u8]>>,
    orientations: JsValue,
) -> Result<(hashgate::Fingerprint, Orientations), Error> {
    let mut fingerprint = hashgate::Fingerprint::from_bytes(fingerprint).map_err(|error| refused(&error))?;
    if let Some(digest) = sha256 {
        let digest = digest
            .as_ref()
            .try_into()
            .map_err(|_| coded("invalid-fingerprint", &format!("sha256: expected 32 bytes, got {}", digest.len())))?;
        fingerprint.sha256 = Some(hashgate::digest::Sha256Digest(digest));
    }
    Ok((fingerprint, read_option(orientations)?))
}

/// Reads a manifest that at least `threshold` of `keys` have signed. If `name` is given, only the list of this name is
/// trusted; if `category` is given too, only this category of it. Returns a `Manifest`.
///
/// # Errors
/// `trust-invalid`, `manifest-syntax`, `manifest-bad-signature`, `manifest-wrong-key`,
/// `manifest-too-few-signatures`, `manifest-field`, `manifest-wrong-list`.
#[wasm_bindgen(js_name = verifyManifest, unchecked_return_type = "Manifest")]
#[allow(clippy::needless_pass_by_value)] // how wasm-bindgen hands strings over
pub fn verify_manifest(
    text: &[u8],
    keys: Vec<String>,
    threshold: f64,
    name: Option<String>,
    category: Option<String>,
) -> Result<JsValue, Error> {
    // A fraction or a negative number counts as 0, which the core refuses.
    let whole = if threshold.fract() == 0.0 && threshold > 0.0 { threshold as usize } else { 0 };
    let mut trust = Trust::new(&keys, whole).map_err(|error| refused(&error))?;
    if let Some(name) = name {
        trust = trust.for_list(name, category);
    }
    to_js(&Manifest::verify(text, &trust).map_err(|error| refused(&error))?)
}

/// Checks that a verified manifest may be used now. `highest_seen` is the highest release of the list that the reader
/// has seen (0 if none). If witnesses have shown that the time is at least `witnessed_unix_s`, a clock that is behind
/// doesn't count, and cosignatures older than `max_age_s` are refused.
///
/// # Errors
/// `manifest-not-yet-valid`, `manifest-rollback`, `manifest-expired`, `log-stale`; `invalid-options`.
#[wasm_bindgen(js_name = checkFreshness)]
pub fn check_freshness(
    #[wasm_bindgen(unchecked_param_type = "Manifest")] manifest: JsValue,
    now_unix_s: f64,
    highest_seen: f64,
    witnessed_unix_s: Option<f64>,
    max_age_s: Option<f64>,
) -> Result<(), Error> {
    // `as` cuts off fractions of a second, and turns NaN into 0.
    let (manifest, now, highest) = (read_manifest(manifest)?, now_unix_s as u64, highest_seen as u64);
    match witnessed_unix_s {
        Some(time) => manifest.check_witnessed(time as u64, max_age_s.map(|age| age as u64), now, highest),
        None => manifest.check_freshness(now, highest),
    }
    .map_err(|error| refused(&error))
}

/// Verifies the proof that a manifest, as it was downloaded, is in the trusted log. The first of `keys` is the log's;
/// the others are the witnesses', of which at least `threshold` must have cosigned. Without witnesses, the log's own
/// signature is enough. `origin` is the log's name, if it isn't the name of its key. Returns a `Logged`.
///
/// # Errors
/// `trust-invalid`, `log-syntax`, `log-wrong-origin`, `log-wrong-key`, `log-bad-signature`, `log-too-few-witnesses`,
/// `log-not-included`.
#[wasm_bindgen(js_name = verifyLogProof, unchecked_return_type = "Logged")]
#[allow(clippy::needless_pass_by_value)] // how wasm-bindgen hands strings over
pub fn verify_log_proof(
    proof: &[u8],
    manifest: &[u8],
    keys: Vec<String>,
    threshold: f64,
    origin: Option<String>,
) -> Result<JsValue, Error> {
    let verify = || {
        let [key, witnesses @ ..] = &keys[..] else { return LogTrust::new("", None).map(|_| None) };
        let mut trust = LogTrust::new(key, origin.as_deref())?;
        if !witnesses.is_empty() {
            trust = trust.witnessed_by(witnesses, threshold as usize)?;
        }
        Logged::verify(proof, manifest, &trust).map(Some)
    };
    to_js(&verify().map_err(|error| refused(&error))?)
}

/// Checks that these are the bytes of the full file that a verified manifest names.
///
/// # Errors
/// `release-length`, `release-digest`, `release-mismatch`; `invalid-options`.
#[wasm_bindgen(js_name = verifyFull)]
pub fn verify_full(
    #[wasm_bindgen(unchecked_param_type = "Manifest")] manifest: JsValue,
    bytes: &[u8],
) -> Result<(), Error> {
    read_manifest(manifest)?.verify_full(bytes).map_err(|error| refused(&error))
}

/// Makes the full file that a verified manifest names from an earlier full file and a delta. Checks the result's
/// digest.
///
/// # Errors
/// `delta-base`, `release-length`, `release-digest`, `delta-syntax`, `release-mismatch`; `invalid-options`.
#[wasm_bindgen(js_name = applyDelta)]
pub fn apply_delta(
    #[wasm_bindgen(unchecked_param_type = "Manifest")] manifest: JsValue,
    base: &[u8],
    delta: &[u8],
) -> Result<Vec<u8>, Error> {
    read_manifest(manifest)?.apply_delta(base, delta).map_err(|error| refused(&error))
}

/// Reads back a manifest that [`verify_manifest`] returned. Parses its signed text again, which takes less code than to
/// convert every field.
fn read_manifest(value: JsValue) -> Result<Manifest, Error> {
    let text = Reflect::get(&value, &"text".into()).ok().and_then(|text| text.as_string());
    let text = text.ok_or_else(|| {
        coded("invalid-options", "manifest: expected what verifyManifest returned, got another value")
    })?;
    Manifest::from_text(&text).map_err(|error| refused(&error))
}

/// Converts a refusal to a JavaScript error with `code`, `field`, `expected` and `got`, and all of them in the message.
fn refused(refusal: &Refusal) -> Error {
    let thrown = coded(refusal.code.as_str(), &refusal.to_string());
    set(&thrown, "field", &refusal.field);
    set(&thrown, "expected", &refusal.expected);
    set(&thrown, "got", &refusal.got);
    thrown
}

fn to_js(value: &impl Serialize) -> Result<JsValue, Error> {
    // Makes objects rather than `Map`s, so that values look like the command-line tool's JSON.
    value.serialize(&Serializer::json_compatible()).map_err(|error| coded("internal", &error.to_string()))
}

fn coded(code: &str, message: &str) -> Error {
    let error = Error::new(message);
    set(&error, "code", code);
    error
}

fn set(error: &Error, name: &str, value: &str) {
    // Setting a property of a fresh, extensible object doesn't fail.
    let _ = Reflect::set(error, &name.into(), &value.into());
}
