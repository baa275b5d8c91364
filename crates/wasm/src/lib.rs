//! Bindings of the core for JavaScript: convert, call, convert.
//!
//! The hashing workers call [`fingerprint`], the lookup worker holds a [`Lookup`]. Errors are
//! JavaScript `Error` objects with a `code`, and where it applies `expected` and `got`. A panic is
//! a trap, after which the instance must not be used again.

use hashgate::image::{self, Format};
use hashgate::release::{Manifest, Trust};
use hashgate::{
    Dismissed, Failure, Filter, Fingerprint, ImageHashes, Limits, Orientations, Refusal, UncheckedReason, ViewSet,
    Wanted,
};
use js_sys::{Error, Reflect};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// What is wanted of a file, as JavaScript says it.
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

/// Limits that differ from the core's defaults.
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
        let options: Self =
            serde_wasm_bindgen::from_value(value).map_err(|error| coded("invalid-options", &error.to_string()))?;
        let (base, set) = (Limits::default(), options.limits);
        let limits = Limits {
            max_width: set.max_width.unwrap_or(base.max_width),
            max_height: set.max_height.unwrap_or(base.max_height),
            max_pixels: set.max_pixels.unwrap_or(base.max_pixels),
            max_alloc: set.max_alloc.unwrap_or(base.max_alloc),
            max_frames: set.max_frames.unwrap_or(base.max_frames),
            max_animation_pixels: set.max_animation_pixels.unwrap_or(base.max_animation_pixels),
        };
        let wanted = Wanted { pdq: options.pdq, sha256: options.sha256, md5: options.md5, views: options.views };
        Ok((wanted, limits))
    }
}

/// First stage, of a file's bytes. Returns what [`Lookup::look_up`] takes.
///
/// # Errors
/// `invalid-options`. What is wrong with the file is part of the fingerprint.
#[wasm_bindgen]
pub fn fingerprint(bytes: &[u8], options: JsValue) -> Result<Vec<u8>, Error> {
    let (wanted, limits) = Options::read(options)?;
    Ok(hashgate::fingerprint(bytes, &limits, &wanted).to_bytes())
}

/// A file that arrives in pieces: the first stage, begun before the end is there.
#[wasm_bindgen]
pub struct Arrival(hashgate::StreamingFingerprint);

#[wasm_bindgen]
impl Arrival {
    /// For a file of `length` bytes whose first piece is `head`, which isn't taken yet. Undefined if there is nothing to do before its end.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn open(head: &[u8], length: f64, options: JsValue) -> Result<Option<Self>, Error> {
        let (wanted, limits) = Options::read(options)?;
        // No memory here is larger.
        if length > f64::from(u32::MAX) {
            return Ok(None);
        }
        let length = length as usize;
        let worth = wanted.pdq && image::StreamingDecoder::is_of_use(head);
        Ok(worth.then(|| Self(hashgate::StreamingFingerprint::new(length, &limits, &wanted))))
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.0.push(piece);
    }

    /// What [`Lookup::begin`] takes, once, if the picture is known while much of the file is yet to be looked at.
    pub fn early(&mut self) -> Option<Vec<u8>> {
        self.0.early().map(|fingerprint| fingerprint.to_bytes())
    }

    /// Hashes the file. Returns what [`Lookup::look_up`] takes; undefined if [`fingerprint`] must be asked, with all of its bytes, as they
    /// are not held.
    #[must_use]
    pub fn fingerprint(self) -> Option<Vec<u8>> {
        self.0.finish().map(|fingerprint| fingerprint.to_bytes())
    }
}

/// A file in a format that only browsers read: the first stage, with pixels that the browser gives.
#[wasm_bindgen]
pub struct BrowserPicture {
    format: Format,
    wanted: Wanted,
    limits: Limits,
    picture: Option<image::BrowserPicture>,
    failure: Option<Failure>,
}

#[wasm_bindgen]
impl BrowserPicture {
    /// Looks at a file's first bytes, its headers among them. Undefined if the file isn't for the browser to decode.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn open(head: &[u8], options: JsValue) -> Result<Option<Self>, Error> {
        let (wanted, limits) = Options::read(options)?;
        Ok(image::browser_format(head).filter(|_| wanted.pdq).map(|format| {
            let failure = image::check_declared_size(format, head, &limits).err().map(Failure::from);
            Self { format, wanted, limits, picture: None, failure }
        }))
    }

    /// As in a media type, `avif`, `heic` or `jxl`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn format(&self) -> String {
        match self.format {
            Format::Avif => "avif",
            Format::Heic => "heic",
            _ => "jxl",
        }
        .to_string()
    }

    /// True if there is no use in going on.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Says that there is no picture to be had: `unreadable`, `unsupported` or `canvas-noise`.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn fail(&mut self, reason: JsValue, detail: String) -> Result<(), Error> {
        let reason =
            serde_wasm_bindgen::from_value(reason).map_err(|error| coded("invalid-options", &error.to_string()))?;
        self.failure.get_or_insert(Failure { reason, format: Some(self.format), detail });
        Ok(())
    }

    /// Says what the browser found. Returns the frames that are wanted, none if it is too large.
    pub fn begin(&mut self, width: u32, height: u32, frames: u32) -> Vec<u32> {
        let begun = image::BrowserPicture::new(self.format, (width, height), frames, &self.limits);
        self.picture = begun.map_err(|error| self.failure = Some(error.into())).ok();
        self.picture.as_ref().map(|picture| picture.wanted_frames().to_vec()).unwrap_or_default()
    }

    /// Takes further rows of red, green, blue and alpha that isn't premultiplied, from the top.
    pub fn rows(&mut self, rgba: &[u8]) {
        self.picture.iter_mut().for_each(|picture| picture.push_rows(rgba));
    }

    /// Ends a frame.
    #[wasm_bindgen(js_name = endFrame)]
    pub fn end_frame(&mut self, index: u32) {
        if let Some(Err(error)) = self.picture.as_mut().map(|picture| picture.end_frame(index)) {
            self.failure.get_or_insert(error.into());
        }
    }

    /// Hashes the picture, and the file's bytes. Returns what [`Lookup::look_up`] takes.
    #[must_use]
    pub fn fingerprint(self, bytes: &[u8]) -> Vec<u8> {
        let digests = hashgate::fingerprint(bytes, &self.limits, &Wanted { pdq: false, ..self.wanted });
        let picture = match (self.failure, self.picture) {
            (None, Some(picture)) => picture.finish().map_err(Failure::from),
            (failure, _) => Err(failure.unwrap_or_else(|| Failure {
                reason: UncheckedReason::UnsupportedPicture,
                format: Some(self.format),
                detail: "no decoder was asked".to_string(),
            })),
        };
        let picture = picture.map(|picture| ImageHashes::of(&picture, self.wanted.views));
        Fingerprint { picture: Some(picture), ..digests }.to_bytes()
    }
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
    /// No filter yet.
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
    #[wasm_bindgen(js_name = addFilter)]
    pub fn add_filter(&mut self, bytes: Vec<u8>) -> Result<JsValue, Error> {
        let filter = Filter::open(bytes).map_err(|error| refused(&error))?;
        let info = to_js(filter.info())?;
        self.0.add(filter);
        Ok(info)
    }

    /// What must be computed of a file to ask the filters: `{ pdq, sha256, md5 }`.
    ///
    /// # Errors
    /// Never.
    pub fn holds(&self) -> Result<JsValue, Error> {
        let Wanted { pdq, sha256, md5, .. } = self.0.wanted(ViewSet::All);
        to_js(&Holds { pdq, sha256, md5 })
    }

    /// Looks the picture of a fingerprint up before the rest of its file was read.
    ///
    /// # Errors
    /// As [`look_up`](Self::look_up).
    pub fn begin(&mut self, fingerprint: &[u8], orientations: JsValue) -> Result<(), Error> {
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
    #[wasm_bindgen(js_name = probe)] // until `engine.ts` calls it `lookUp`
    pub fn look_up(
        &mut self,
        fingerprint: &[u8],
        sha256: Option<Box<[u8]>>,
        orientations: JsValue,
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
    #[wasm_bindgen(js_name = lookUpPast)]
    pub fn look_up_past(
        &mut self,
        fingerprint: &[u8],
        sha256: Option<Box<[u8]>>,
        orientations: JsValue,
        dismissed: JsValue,
    ) -> Result<JsValue, Error> {
        let (fingerprint, orientations) = read_ask(fingerprint, sha256, orientations)?;
        let dismissed: Vec<Dismissed> =
            serde_wasm_bindgen::from_value(dismissed).map_err(|error| coded("invalid-options", &error.to_string()))?;
        self.0.set_orientations(orientations);
        to_js(&self.0.look_up_past(&fingerprint, &dismissed))
    }
}

fn read_ask(
    fingerprint: &[u8],
    sha256: Option<Box<[u8]>>,
    orientations: JsValue,
) -> Result<(Fingerprint, Orientations), Error> {
    let mut fingerprint = Fingerprint::from_bytes(fingerprint).map_err(|error| refused(&error))?;
    if let Some(digest) = sha256 {
        let digest = digest
            .as_ref()
            .try_into()
            .map_err(|_| coded("invalid-fingerprint", &format!("sha256: expected 32 bytes, got {}", digest.len())))?;
        fingerprint.sha256 = Some(hashgate::digest::Sha256Digest(digest));
    }
    let orientations =
        serde_wasm_bindgen::from_value(orientations).map_err(|error| coded("invalid-options", &error.to_string()))?;
    Ok((fingerprint, orientations))
}

/// Reads a manifest that at least `threshold` of `keys` have signed. If `name` is given, only the list of this name is
/// trusted; if `category` is given too, only this category of it. Returns a `Manifest`.
///
/// # Errors
/// `trust-invalid`, `manifest-syntax`, `manifest-bad-signature`, `manifest-wrong-key`,
/// `manifest-too-few-signatures`, `manifest-field`, `manifest-wrong-list`.
#[wasm_bindgen(js_name = verifyManifest)]
#[allow(clippy::needless_pass_by_value)] // how wasm-bindgen hands strings over
pub fn verify_manifest(
    text: &[u8],
    keys: Vec<String>,
    threshold: f64,
    name: Option<String>,
    category: Option<String>,
) -> Result<JsValue, Error> {
    // A fraction or a negative number is no threshold; 0 is refused with what was expected.
    let whole = if threshold.fract() == 0.0 && threshold > 0.0 { threshold as usize } else { 0 };
    let mut trust = Trust::new(&keys, whole).map_err(|error| refused(&error))?;
    if let Some(name) = name {
        trust = trust.for_list(name, category);
    }
    to_js(&Manifest::verify(text, &trust).map_err(|error| refused(&error))?)
}

/// Whether a verified manifest may be used now, by a reader that has seen this release of the list (0: none).
///
/// # Errors
/// `manifest-not-yet-valid`, `manifest-rollback`, `manifest-expired`; `invalid-options`.
#[wasm_bindgen(js_name = checkFreshness)]
pub fn check_freshness(manifest: JsValue, now_unix_s: f64, highest_seen: f64) -> Result<(), Error> {
    // A clock of fractions, and none at all, become whole seconds.
    read_manifest(manifest)?.check_freshness(now_unix_s as u64, highest_seen as u64).map_err(|error| refused(&error))
}

/// Whether these are the bytes of the full file that a verified manifest names.
///
/// # Errors
/// `release-length`, `release-digest`, `release-mismatch`; `invalid-options`.
#[wasm_bindgen(js_name = verifyFull)]
pub fn verify_full(manifest: JsValue, bytes: &[u8]) -> Result<(), Error> {
    read_manifest(manifest)?.verify_full(bytes).map_err(|error| refused(&error))
}

/// The full file that a verified manifest names, from an earlier one and a delta. The result is proved.
///
/// # Errors
/// `delta-base`, `release-length`, `release-digest`, `delta-syntax`, `release-mismatch`; `invalid-options`.
#[wasm_bindgen(js_name = applyDelta)]
pub fn apply_delta(manifest: JsValue, base: &[u8], delta: &[u8]) -> Result<Vec<u8>, Error> {
    read_manifest(manifest)?.apply_delta(base, delta).map_err(|error| refused(&error))
}

/// A manifest that [`verify_manifest`] returned. Its signed text is read again, which takes less code than its fields.
fn read_manifest(value: JsValue) -> Result<Manifest, Error> {
    let text = Reflect::get(&value, &"text".into()).ok().and_then(|text| text.as_string());
    let text = text.ok_or_else(|| {
        coded("invalid-options", "manifest: expected what verifyManifest returned, got another value")
    })?;
    Manifest::from_text(&text).map_err(|error| refused(&error))
}

/// The error that JavaScript gets of a refusal: `code`, `field`, `expected`, `got`, and all of them in the message.
fn refused(refusal: &Refusal) -> Error {
    let thrown = coded(refusal.code.as_str(), &refusal.to_string());
    set(&thrown, "field", &refusal.field);
    set(&thrown, "expected", &refusal.expected);
    set(&thrown, "got", &refusal.got);
    thrown
}

fn to_js(value: &impl Serialize) -> Result<JsValue, Error> {
    // Objects rather than `Map`s, as in the command-line tool's JSON.
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
