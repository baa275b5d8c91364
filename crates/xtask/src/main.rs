//! Steps of the build: `cargo run -p xtask -- wasm` builds what the browser loads (`wasm film` the film reader alone,
//! `wasm heic` or `wasm jxl` a decoder), `cargo run -p xtask -- samples --out DIR` draws the sample pictures.

use anyhow::{Result, bail};

mod samples;
mod wasm;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["wasm"] => wasm::build(),
        ["wasm", "film"] => wasm::film(),
        ["wasm", format] => wasm::decoder(format),
        ["samples", "--out", folder] => samples::write(folder.as_ref()),
        _ => bail!(
            "expected `wasm`, `wasm film`, `wasm heic`, `wasm jxl` or `samples --out DIR`, got `{}`",
            arguments.join(" ")
        ),
    }
}
