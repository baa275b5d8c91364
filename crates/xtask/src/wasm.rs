//! Builds the engines `dist/hashgate.wasm` (SIMD) and `dist/hashgate-baseline.wasm`, the formats engines
//! `dist/hashgate-formats.wasm` and `dist/hashgate-formats-baseline.wasm`, the film reader `dist/hashgate-film.wasm`, the
//! decoders `dist/hashgate-heic.wasm` and `dist/hashgate-jxl.wasm`, and the JavaScript and TypeScript of their bindings in
//! `dist/bindings/`. A browser loads one engine, one formats engine when a file needs it, the film reader when a film
//! comes, and a decoder when a file of its format comes.
//!
//! The files don't depend on where they are built: no path of this machine gets into them (`scripts/reproducible.mjs`
//! builds twice and compares).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";
const WASM_OPT: &str = "node_modules/binaryen/bin/wasm-opt";
/// Largest linear memory of an engine: 1,024 MiB for a decoder and 256 MiB for the file. A picture that needs more
/// makes its worker trap, instead of using up the machine's memory.
const MAX_MEMORY: u64 = 1280 << 20;
/// The wasm features that rustc enables by default. wasm-opt must be told which ones to accept.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// A kind of processor that engines are built for: its name, the suffix of the file's name, and the flags of rustc and
/// wasm-opt.
type Processor = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

/// The baseline engine computes SHA-2 in loops instead of unrolled code. This saves 3.9 kB (gzip). In browsers without
/// SIMD, SHA-256 of 11.5 MB then takes 43 ms instead of 24.
const PROCESSORS: [Processor; 2] = [
    ("simd", "", &["-C", "target-feature=+simd128"], &["--enable-simd"]),
    ("baseline", "-baseline", &["--cfg", "sha2_backend_soft=\"compact\""], &[]),
];
/// The engines, with the arguments of cargo for each. The formats engine is a superset of the main one. Few pages load it,
/// so it is optimised for speed: its decoders read every pixel.
const ENGINES: [(&str, &[&str]); 2] = [
    ("hashgate", &[]),
    ("hashgate-formats", &["--features", "every-format", "--config", "profile.wasm.package.hashgate.opt-level=2"]),
];
/// A crate that becomes wasm, and the name of its bindings.
struct Bound {
    package: &'static str,
    bindings: &'static str,
    /// How wasm-opt optimises it.
    optimise: &'static [&'static str],
}

/// Optimises until nothing changes any more. No code reads the first kilobyte of memory, because that is the end of the
/// stack. So an addition of a small constant to an address can become part of the instruction that reads or writes there,
/// which saves 1.2 kB (gzip) of an engine.
const FULLY: &[&str] = &["-O3", "--converge", "--low-memory-unused"];

impl Bound {
    /// The files of the bindings.
    fn files(&self) -> [String; 3] {
        [".js", ".d.ts", "_bg.wasm.d.ts"].map(|ending| format!("{}{ending}", self.bindings))
    }

    /// The file that wasm-opt writes.
    fn optimised(&self) -> String {
        format!("{}-optimised.wasm", self.bindings)
    }
}

/// Every engine has these bindings, so one worker script runs any of them.
const ENGINE: Bound = Bound { package: "hashgate-wasm", bindings: "hashgate", optimise: FULLY };
/// The reader of films has bindings of its own. It reads tables, which SIMD doesn't speed up, so one build is enough.
const FILM: Bound = Bound { package: "hashgate-film-wasm", bindings: "film", optimise: FULLY };

/// The decoders of one format each, by the format. Each has bindings of its own. Of HEIC, vectors would be of use to the
/// loop filters and transforms alone, which large pictures don't need. With them, that of JPEG XL has more than
/// 500 kB (gzip). So one build of each is enough.
const DECODERS: [Bound; 2] = [
    Bound { package: "hashgate-heic-wasm", bindings: "heic", optimise: FULLY },
    // `FULLY` takes more than five minutes over it, and makes it no smaller.
    Bound { package: "hashgate-jxl-wasm", bindings: "jxl", optimise: &["-O2"] },
];

/// Builds all four engines, the film reader and the decoders, and writes `dist/`.
///
/// # Errors
/// A tool fails, or the engines have different bindings.
pub fn build() -> Result<()> {
    let singles = || film().and_then(|()| DECODERS.iter().try_for_each(|bound| decoder(bound.bindings)));
    // Linking and wasm-opt use one processor each, so this takes half as long on two.
    std::thread::scope(|scope| {
        let singles = scope.spawn(singles);
        let built = engines();
        built.and(singles.join().map_err(|_| anyhow!("a build panicked"))?)
    })
}

/// Builds the film reader alone.
///
/// # Errors
/// A tool fails.
pub fn film() -> Result<()> {
    single(&FILM, "hashgate-film.wasm", &[])
}

/// Builds the decoder of a format alone: `heic` or `jxl`.
///
/// # Errors
/// A tool fails, or there is no decoder of this name.
pub fn decoder(format: &str) -> Result<()> {
    let bound = DECODERS.iter().find(|bound| bound.bindings == format).context("format: expected heic or jxl")?;
    // Decoding takes long, and few pages load it. So all of it is optimised for speed, not for size.
    single(bound, &format!("hashgate-{format}.wasm"), &["--config", "profile.wasm.opt-level=3"])
}

/// Builds a wasm of which one build is enough.
fn single(bound: &Bound, name: &str, arguments: &[&str]) -> Result<()> {
    let (root, dist) = folders()?;
    let [_, (processor, _, rust_flags, opt_flags)] = PROCESSORS;
    let out = variant(root, bound, processor, arguments, rust_flags, opt_flags)?;
    fs::copy(out.join(bound.optimised()), dist.join(name))?;
    for file in bound.files() {
        fs::copy(out.join(&file), dist.join("bindings").join(&file))?;
    }
    Ok(())
}

fn folders() -> Result<(&'static Path, PathBuf)> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("xtask lies in crates/ of the workspace")?;
    let dist = root.join("dist");
    fs::create_dir_all(dist.join("bindings"))?;
    Ok((root, dist))
}

fn engines() -> Result<()> {
    // Each kind of processor has a folder of its own for what is compiled, so both are built at once.
    let bindings = std::thread::scope(|scope| {
        let builds = PROCESSORS.map(|processor| scope.spawn(move || engines_for(processor)));
        builds.map(|build| build.join().unwrap_or_else(|_| Err(anyhow!("a build panicked"))))
    });
    let [first, second] = bindings;
    let first = first?;
    ensure!(first == second?, "expected engines of both kinds of processors to have the same bindings");
    let (_, dist) = folders()?;
    for (file, content) in ENGINE.files().iter().zip(first) {
        fs::write(dist.join("bindings").join(file), content)?;
    }
    Ok(())
}

/// Builds the engines for one kind of processor. Returns the files of their bindings.
fn engines_for((processor, suffix, rust_flags, opt_flags): Processor) -> Result<Vec<Vec<u8>>> {
    let (root, dist) = folders()?;
    let mut bindings = None;
    for (engine, features) in ENGINES {
        let out = variant(root, &ENGINE, processor, features, rust_flags, opt_flags)?;
        let name = format!("{engine}{suffix}.wasm");
        let of_this = ENGINE.files().map(|file| fs::read(out.join(file)));
        let of_this = of_this.into_iter().collect::<Result<Vec<_>, _>>()?;
        ensure!(
            *bindings.get_or_insert_with(|| of_this.clone()) == of_this,
            "{name}: expected the same bindings as those of the other builds"
        );
        fs::copy(out.join(ENGINE.optimised()), dist.join(name))?;
    }
    bindings.context("no engine was built")
}

/// Builds one engine for one kind of processor. Returns the folder with its bindings and its [`Bound::optimised`].
fn variant(
    root: &Path,
    bound: &Bound,
    processor: &str,
    features: &[&str],
    rust_flags: &[&str],
    opt_flags: &[&str],
) -> Result<PathBuf> {
    let target = root.join("target/wasm").join(processor);
    let max_memory = format!("link-arg=--max-memory={MAX_MEMORY}");
    let mut flags = vec!["-C".to_owned(), max_memory];
    flags.extend(rust_flags.iter().map(|&flag| flag.to_owned()));
    flags.extend(neutral_paths(root)?);
    run(Command::new(env!("CARGO"))
        .args(["build", "--locked", "--package", bound.package, "--profile", "wasm", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target)
        .args(features)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .current_dir(root))?;
    let out = target.join("bindings");
    Bindgen::new()
        .input_path(target.join(TARGET).join("wasm").join(format!("{}.wasm", bound.package.replace('-', "_"))))
        .out_name(bound.bindings)
        .web(true)?
        .omit_default_module_path(true)
        .typescript(true)
        // A decoder gets a new instance for every file. An engine's worker is ended instead.
        .reset_state_function(DECODERS.iter().any(|decoder| decoder.bindings == bound.bindings))
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&out)?;
    run(Command::new("node")
        .arg(root.join(WASM_OPT))
        .args(bound.optimise)
        .args(FEATURES)
        .args(opt_flags)
        .arg(out.join(format!("{}_bg.wasm", bound.bindings)))
        .arg("-o")
        .arg(out.join(bound.optimised()))
        .current_dir(root))?;
    Ok(out)
}

/// Returns compiler flags that keep this machine's paths out of panic messages: the workspace becomes `/hashgate`,
/// crates of a registry `/crates`, and Rust's standard library gets the path that rustc uses when the library's source
/// isn't installed.
///
/// rustc applies the last flag that fits, so a longer path must come after a shorter one.
fn neutral_paths(root: &Path) -> Result<Vec<String>> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().context("home folder: expected one, got none; set CARGO_HOME")?.join(".cargo"),
    };
    let mut remap = vec![(root.to_owned(), "/hashgate".to_owned())];
    let sources = home.join("registry/src");
    remap.push((sources.clone(), "/crates".into()));
    // The name of a registry's folder contains a hash, so all folders are listed.
    for registry in fs::read_dir(&sources).into_iter().flatten() {
        remap.push((registry?.path(), "/crates".into()));
    }
    let rustc = |arguments: &[&str]| -> Result<String> {
        let output = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into())).args(arguments).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let version = rustc(&["--version", "--verbose"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).context("rustc's commit hash")?;
    let library = Path::new(&rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    remap.push((library, format!("/rustc/{commit}")));
    Ok(remap.into_iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} can't be started"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
