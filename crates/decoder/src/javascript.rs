//! Calls a decoder for JavaScript: converts its arguments, and hands rows and errors over.
//!
//! A panic traps. The instance must not be used afterwards; `__wbg_reset_state` of the bindings makes a new one.

use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::{Error, Header, Limits, Sink};

// Adds TypeScript types to the bindings, which know a function only as `any`.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/**
 * Begins the picture: its width, height and bytes per pixel; its ICC profile, if it has one; and whether the file also
 * has a sequence. Returns whether the rows are wanted.
 */
export type BeginPicture = (
  width: number, height: number, channels: number, profile: Uint8Array | undefined, hasSequence: boolean,
) => boolean;
/** Takes further rows. */
export type TakeRows = (samples: Uint8Array) => void;
"#;

/// A function that decodes a file.
type Decode = fn(&[u8], &Limits, &mut dyn Sink) -> Result<(), Error>;

/// Decodes a file by `decode`. `limits` are the largest width, height, number of pixels, and number of bytes of memory.
/// Returns `None` if all rows were handed over, or why not: the reason, a colon, a space, and the detail.
///
/// # Errors
/// What `begin` or `rows` throws.
pub fn run(
    decode: Decode,
    file: &[u8],
    limits: &[f64],
    begin: Function,
    rows: Function,
) -> Result<Option<String>, JsValue> {
    let limit = |at: usize| limits.get(at).copied().unwrap_or_default();
    let limits = Limits {
        max_width: limit(0) as u32,
        max_height: limit(1) as u32,
        max_pixels: limit(2) as u64,
        max_alloc: limit(3) as u64,
    };
    let mut callbacks = Callbacks { begin, rows, thrown: None };
    let decoded = decode(file, &limits, &mut callbacks);
    if let Some(thrown) = callbacks.thrown {
        return Err(thrown);
    }
    let reason = |error: &Error| match error {
        Error::Unsupported(_) => "unsupported-picture",
        Error::Unreadable(_) => "unreadable",
        Error::TooLarge { .. } => "too-large",
    };
    Ok(decoded.err().map(|error| format!("{}: {error}", reason(&error))))
}

/// JavaScript's functions. `thrown` keeps the first value that one of them threw.
struct Callbacks {
    begin: Function,
    rows: Function,
    thrown: Option<JsValue>,
}

impl Sink for Callbacks {
    fn begin(&mut self, header: &Header<'_>) -> bool {
        let profile = header.profile.map_or(JsValue::UNDEFINED, |icc| Uint8Array::from(icc).into());
        let arguments =
            [header.width.into(), header.height.into(), header.channels.into(), profile, header.has_sequence.into()];
        match self.begin.apply(&JsValue::NULL, &arguments.into_iter().collect()) {
            Ok(wanted) => wanted.is_truthy(),
            Err(thrown) => {
                self.thrown.get_or_insert(thrown);
                false
            }
        }
    }

    fn rows(&mut self, samples: &[u8]) {
        if self.thrown.is_none() {
            self.thrown = self.rows.call1(&JsValue::NULL, &Uint8Array::from(samples).into()).err();
        }
    }
}
