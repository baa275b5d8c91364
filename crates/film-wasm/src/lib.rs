//! Bindings of the film reader for JavaScript. A binding converts its arguments, calls the reader, and converts the
//! result.
//!
//! Errors are JavaScript `Error` objects with `code`, `field`, `expected` and `got`. If the reading function throws,
//! the same value is thrown to the caller. A panic traps, and the instance must not be used afterwards.

use std::cell::RefCell;
use std::rc::Rc;

use hashgate_film::{FilmCode, FilmRefusal, Sample, Source};
use js_sys::{Error, Float64Array, Function, Reflect, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

// Adds TypeScript types to the bindings, which know a function and a serialised value only as `any`.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
import type { FilmInfo } from "../../js/generated/film.js";

/** Returns the bytes of the file from `offset`: `length` of them, or fewer at its end. */
export type ReadFilm = (offset: number, length: number) => Uint8Array;
"#;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Returns how many numbers `samples` and `keyframes` return for each sample. The numbers are: offset and size in
/// bytes, the second at which the sample is shown, the seconds for which it is shown (0 if unknown), 1 if it is a
/// keyframe and 0 if not, and the sample's number.
#[wasm_bindgen(js_name = sampleFields)]
#[must_use]
pub fn sample_fields() -> u32 {
    6
}

/// A file whose bytes a JavaScript function reads. `thrown` keeps the value that this function threw.
struct Read {
    read: Function,
    thrown: Option<JsValue>,
}

struct Handle(Rc<RefCell<Read>>);

impl Source for Handle {
    fn read_at(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FilmRefusal> {
        let mut read = self.0.borrow_mut();
        let bytes = read.read.call2(&JsValue::NULL, &(offset as f64).into(), &(length as f64).into());
        match bytes.and_then(JsCast::dyn_into::<Uint8Array>) {
            // Copies the answer only if it isn't longer than what was asked for. A longer answer is refused without a
            // copy.
            Ok(bytes) if bytes.length() as usize <= length => Ok(bytes.to_vec()),
            Ok(bytes) => Err(FilmCode::Read.because("read", &format!("at most {length} bytes"), bytes.length())),
            Err(thrown) => {
                read.thrown = Some(thrown);
                Err(FilmCode::Read.because("read", "a Uint8Array", "an error"))
            }
        }
    }
}

/// An opened film.
#[wasm_bindgen]
pub struct Film {
    film: hashgate_film::Film<'static>,
    read: Rc<RefCell<Read>>,
}

/// Reads the index of a film of `size` bytes. `read` returns a slice of the file synchronously, which a worker can do
/// with `FileReaderSync`.
///
/// # Errors
/// The codes of `FilmCode`, and what `read` throws.
#[wasm_bindgen(js_name = openFilm)]
pub fn open_film(
    #[wasm_bindgen(unchecked_param_type = "ReadFilm")] read: Function,
    size: f64,
) -> Result<Film, JsValue> {
    let read = Rc::new(RefCell::new(Read { read, thrown: None }));
    let film = hashgate_film::Film::open(Handle(read.clone()), size as u64).map_err(|error| thrown(&read, &error))?;
    Ok(Film { film, read })
}

#[wasm_bindgen]
impl Film {
    /// Says what the film is: a `FilmInfo`.
    ///
    /// # Errors
    /// `internal`.
    #[wasm_bindgen(unchecked_return_type = "FilmInfo")]
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let serializer = Serializer::json_compatible();
        self.film.info().serialize(&serializer).map_err(|error| Error::new(&error.to_string()).into())
    }

    /// The configuration that a decoder of H.264 or H.265 must be given; undefined for other codecs. `track` is the
    /// place of the track in `info().tracks`.
    #[must_use]
    pub fn description(&self, track: usize) -> Option<Uint8Array> {
        self.film.description(track).map(Uint8Array::from)
    }

    /// Returns the bytes that must be put before each sample of a track. Most tracks need none.
    #[must_use]
    pub fn prefix(&self, track: usize) -> Uint8Array {
        self.film.prefix(track).into()
    }

    /// Returns up to `count` samples of a track from number `from`, in the order in which a decoder wants them. Each
    /// sample is given as the numbers that `sampleFields` describes. `from` is a sample's number; adding n to it skips
    /// n samples.
    ///
    /// # Errors
    /// The codes of `FilmCode`, and what `read` throws.
    pub fn samples(&mut self, track: usize, from: f64, count: f64) -> Result<Float64Array, JsValue> {
        let found = self.film.samples(track, from as u64, count as usize);
        found.map(flat).map_err(|error| thrown(&self.read, &error))
    }

    /// Returns the keyframes of a track in the same form: all, or up to `count` of them from number `from`.
    ///
    /// # Errors
    /// The codes of `FilmCode`, and what `read` throws.
    pub fn keyframes(&mut self, track: usize, from: Option<f64>, count: Option<f64>) -> Result<Float64Array, JsValue> {
        let (from, count) = (from.unwrap_or(0.0) as u64, count.map_or(usize::MAX, |count| count as usize));
        let found = self.film.keyframes(track, from, count);
        found.map(flat).map_err(|error| thrown(&self.read, &error))
    }
}

fn flat(samples: Vec<Sample>) -> Float64Array {
    let fields = |it: &Sample| {
        [it.offset as f64, it.size.into(), it.pts_s, it.duration_s, u8::from(it.key).into(), it.index as f64]
    };
    let flat: Vec<f64> = samples.iter().flat_map(fields).collect();
    Float64Array::from(&*flat)
}

/// Returns what the reading function threw, or the refusal as a JavaScript error.
fn thrown(read: &RefCell<Read>, refusal: &FilmRefusal) -> JsValue {
    if let Some(thrown) = read.borrow_mut().thrown.take() {
        return thrown;
    }
    let error = Error::new(&refusal.to_string());
    let fields = [
        ("code", refusal.code.as_str()),
        ("field", &refusal.field),
        ("expected", &refusal.expected),
        ("got", &refusal.got),
    ];
    for (name, value) in fields {
        // Setting a property of a fresh, extensible object doesn't fail.
        let _ = Reflect::set(&error, &name.into(), &value.into());
    }
    error.into()
}
