//! Steps of the build: `cargo run -p xtask -- wasm` builds what the browser loads (`wasm film` the film reader alone,
//! `wasm heic` the decoder of HEIC), `cargo run -p xtask -- samples --out DIR` draws the sample pictures.

use anyhow::{Result, bail};

mod samples;
mod wasm;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["wasm"] => wasm::build(),
        ["wasm", "film"] => wasm::film(),
        ["wasm", "heic"] => wasm::heic(),
        ["samples", "--out", folder] => samples::write(folder.as_ref()),
        _ => bail!("expected `wasm`, `wasm film` or `samples --out DIR`, got `{}`", arguments.join(" ")),
    }
}
