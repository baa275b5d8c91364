//! The binding of the decoder of HEIC for JavaScript.

use hashgate_decoder::javascript::run;
use js_sys::Function;
use wasm_bindgen::prelude::*;

/// Decodes a file. `limits` are the largest width, height, number of pixels, and number of bytes of memory. Returns
/// undefined if all rows were handed over, or why not: the reason, a colon, a space, and the detail.
///
/// # Errors
/// What `begin` or `rows` throws.
#[wasm_bindgen]
#[allow(clippy::needless_pass_by_value)] // how wasm-bindgen hands bytes over
pub fn decode(
    file: Vec<u8>,
    limits: &[f64],
    #[wasm_bindgen(unchecked_param_type = "BeginPicture")] begin: Function,
    #[wasm_bindgen(unchecked_param_type = "TakeRows")] rows: Function,
) -> Result<Option<String>, JsValue> {
    run(hashgate_heic::decode, &file, limits, begin, rows)
}
