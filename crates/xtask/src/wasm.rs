//! Builds `dist/hashgate.wasm` (SIMD) and `dist/hashgate-baseline.wasm`, and the JavaScript and
//! TypeScript of their bindings in `dist/bindings/`. A browser loads one of the two.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";
const WASM_OPT: &str = "node_modules/binaryen/bin/wasm-opt";
/// Linear memory ends here: a gibibyte for a decoder and a quarter for the file. A picture that
/// would need more traps its worker instead of taking the machine's memory.
const MAX_MEMORY: u64 = 1280 << 20;
/// What rustc's default for the target lets LLVM use, so that wasm-opt may use it too.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

pub fn build() -> Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("xtask lies in crates/ of the workspace")?;
    let dist = root.join("dist");
    fs::create_dir_all(dist.join("bindings"))?;
    let simd = variant(root, "simd", &["-C", "target-feature=+simd128"], &["--enable-simd"])?;
    // SHA-2 in loops: 3.9 kB (gzip) less. SHA-256 of 11.5 MB takes 43 ms instead of 24, where there are no vectors.
    let baseline = variant(root, "baseline", &["--cfg", "sha2_backend_soft=\"compact\""], &[])?;
    for file in ["hashgate.js", "hashgate.d.ts", "hashgate_bg.wasm.d.ts"] {
        let of_simd = fs::read(simd.join(file))?;
        ensure!(of_simd == fs::read(baseline.join(file))?, "{file}: expected the same bindings of both builds");
        fs::write(dist.join("bindings").join(file), of_simd)?;
    }
    fs::copy(simd.join("optimised.wasm"), dist.join("hashgate.wasm"))?;
    fs::copy(baseline.join("optimised.wasm"), dist.join("hashgate-baseline.wasm"))?;
    Ok(())
}

/// One build; returns the folder with its bindings and its `optimised.wasm`.
fn variant(root: &Path, name: &str, rust_flags: &[&str], opt_flags: &[&str]) -> Result<std::path::PathBuf> {
    let target = root.join("target/wasm").join(name);
    let max_memory = format!("link-arg=--max-memory={MAX_MEMORY}");
    let flags = ["-C", &max_memory].into_iter().chain(rust_flags.iter().copied()).collect::<Vec<_>>().join("\x1f");
    run(Command::new(env!("CARGO"))
        .args(["build", "--locked", "--package", "hashgate-wasm", "--profile", "wasm", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .current_dir(root))?;
    let out = target.join("bindings");
    Bindgen::new()
        .input_path(target.join(TARGET).join("wasm/hashgate_wasm.wasm"))
        .out_name("hashgate")
        .web(true)?
        .omit_default_module_path(true)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&out)?;
    run(Command::new("node")
        .arg(root.join(WASM_OPT))
        .args(["-O3", "--converge"])
        .args(FEATURES)
        .args(opt_flags)
        .arg(out.join("hashgate_bg.wasm"))
        .arg("-o")
        .arg(out.join("optimised.wasm"))
        .current_dir(root))?;
    Ok(out)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} can't be started"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
